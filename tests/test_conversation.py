"""Where calls begin and end in what a headset plays: talk, tones, music, silence, lost audio."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hackles.config import SAMPLE_RATE
from hackles.conversation import PREROLL_S, Begins, Conversation, Ends
from tests.conftest import customer, truth
from tests.features.signals import gain, pink_noise, through_g711, tone, white_noise

PARTS = {
    "ring-back, Poland": [((425,), 1.0), ((), 4.0)],
    "ring-back, Spain": [((425,), 1.5), ((), 3.0)],
    "ring-back, US": [((440, 480), 2.0), ((), 4.0)],
    "ring-back, UK": [((400, 450), 0.4), ((), 0.2), ((400, 450), 0.4), ((), 2.0)],
    "call waiting, US": [((440,), 0.3), ((), 9.7)],
    "call waiting, Poland": [((425,), 0.15), ((), 0.15), ((425,), 0.15), ((), 4.0)],
    "call waiting, Spain": [((425,), 0.175), ((), 0.175), ((425,), 0.175), ((), 3.5)],
    "call waiting, Germany": [*[((425,), 0.2), ((), 0.2)] * 2, ((), 4.8)],
    "dial tone": [((350, 440), 1.0)],
    "recall": [*[((350, 440), 0.1), ((), 0.1)] * 3, ((350, 440), 5.0)],
    "keys": [((697, 1209), 0.2), ((), 0.2), ((770, 1336), 0.2), ((), 0.2)],
    "one key": [((697, 1209), 0.5), ((), 0.5)],
    "fax": [((1100,), 0.5), ((), 3.0)],
}
BUSY = {
    "busy, Poland": [((425,), 0.5), ((), 0.5)],
    "busy, Spain": [((425,), 0.2), ((), 0.2)],
    "congestion, Spain": [*[((425,), 0.2), ((), 0.2)] * 3, ((), 0.4)],
    "busy, UK": [((400,), 0.375), ((), 0.375)],
    "busy, US": [((480, 620), 0.5), ((), 0.5)],
    "congestion, US": [((480, 620), 0.25), ((), 0.25)],
}


def cadence(parts, seconds=12.0, db=-20.0):
    """Return tones, each with its frequencies (none is a pause) and seconds, over and over."""
    once = [
        sum((tone(hz, gain(db), length) for hz in pitches), np.zeros(round(length * SAMPLE_RATE)))
        for pitches, length in parts
    ]
    return np.resize(np.concatenate(once), round(seconds * SAMPLE_RATE)).astype(np.float32)


def silence(seconds):
    return np.zeros(round(seconds * SAMPLE_RATE), dtype=np.float32)


def noise(seconds, db=-60.0, kind=white_noise):
    return (gain(db) * kind(seconds)).astype(np.float32)


def talk(name="en_rising_1", seconds=15.0):
    """Return the customer from the first word on."""
    start = round(truth(name)["segments"][0][0] * SAMPLE_RATE)
    return customer(name)[start : start + round(seconds * SAMPLE_RATE)]


def hear(samples, cuts=(), silence_s=30.0):
    conversation, told = Conversation(silence_s), []
    places = [0, *sorted(cuts), len(samples)]
    for begin, end in pairwise(places):
        told += conversation.push(samples[begin:end])
    return told


def day(*sounds):
    """Return sounds one after the other, and where each begins, in seconds."""
    starts = np.cumsum([0, *map(len, sounds)]) / SAMPLE_RATE
    return np.concatenate(sounds), starts.tolist()


def seconds(told):
    return [(type(event), event.position / SAMPLE_RATE) for event in told]


def test_a_call_begins_a_little_before_its_first_word(sample):
    before = 7.3
    heard, _ = day(silence(before), talk(sample))
    ((kind, begin),) = seconds(hear(heard))
    assert kind is Begins
    assert before - 0.5 <= begin <= before


@pytest.mark.parametrize("name", [name for name in PARTS if "ring" in name])
def test_ring_back_before_the_first_word_is_no_part_of_the_call(name):
    ringing = through_g711(cadence(PARTS[name], 16.4))
    heard, starts = day(silence(3), ringing.astype(np.float32), silence(0.3), talk())
    ((kind, begin),) = seconds(hear(heard))
    assert kind is Begins
    assert starts[2] - 0.3 <= begin <= starts[3]


@pytest.mark.parametrize("name", [*PARTS, *BUSY])
@pytest.mark.parametrize("line", ["clean", "G.711"])
def test_tones_begin_no_call(name, line):
    heard, _ = day(silence(2), cadence({**PARTS, **BUSY}[name], 15.0), silence(2))
    assert not hear(heard if line == "clean" else through_g711(heard).astype(np.float32))


def hold_music():
    start, end, _ = truth("en_calm_1")["distractors"][0]
    return customer("en_calm_1")[round(start * SAMPLE_RATE) : round(end * SAMPLE_RATE)]


def test_music_begins_no_call_and_hardly_any_is_part_of_one_that_follows():
    heard, starts = day(silence(2), hold_music(), hold_music(), silence(0.5), talk())
    ((kind, begin),) = seconds(hear(heard))
    assert kind is Begins
    assert starts[3] - 2.0 <= begin <= starts[4]


@pytest.mark.parametrize("sound", [noise(20, -30), noise(20, -50, pink_noise), silence(20)])
def test_noise_begins_no_call(sound):
    assert not hear(sound)


@pytest.mark.parametrize("after", [silence(40), noise(40, -60), noise(40, -45, pink_noise)])
def test_calls_forty_seconds_apart_are_two(after):
    heard, starts = day(silence(2), talk(), after, talk("es_calm_1"), after)
    told = seconds(hear(heard))
    assert [kind for kind, _ in told] == [Begins, Ends, Begins, Ends]
    assert starts[2] + 28 <= told[1][1] <= starts[2] + 33
    assert starts[3] - 0.5 <= told[2][1] <= starts[3]


def test_a_pause_shorter_than_the_silence_does_not_end_a_call():
    heard, _ = day(talk(), silence(26), talk(), noise(26), talk())
    assert [kind for kind, _ in seconds(hear(heard))] == [Begins]


@pytest.mark.parametrize("silence_s", [5.0, 12.5, 60.0])
def test_the_length_of_the_silence_is_the_one_asked_for(silence_s):
    heard, starts = day(talk(), silence(silence_s + 4))
    told = seconds(hear(heard, silence_s=silence_s))
    assert [kind for kind, _ in told] == [Begins, Ends]
    assert silence_s - 1 <= told[1][1] - starts[1] <= silence_s + 2


def test_hold_music_keeps_a_call_open_and_silence_behind_it_ends_it():
    heard, starts = day(talk(), *[hold_music()] * 4, silence(35))
    told = seconds(hear(heard))
    assert [kind for kind, _ in told] == [Begins, Ends]
    assert told[1][1] >= starts[5] + 27


@pytest.mark.parametrize("name", BUSY)
@pytest.mark.parametrize("line", ["clean", "G.711, soft", "in noise"])
def test_a_busy_tone_ends_a_call_where_it_begins(name, line):
    beep = cadence(BUSY[name], db=-40.0 if "soft" in line else -20.0)
    if line == "in noise":
        beep = beep + noise(12, -40.0)
    if line != "clean":
        beep = through_g711(beep).astype(np.float32)
    heard, starts = day(silence(1), talk(), silence(0.7), beep)
    told = seconds(hear(heard))
    assert [kind for kind, _ in told] == [Begins, Ends]
    assert abs(told[1][1] - starts[3]) < 0.05


def test_a_busy_tone_is_told_within_five_seconds():
    heard, _ = day(talk(), cadence(BUSY["busy, Poland"], 5.0))
    assert [kind for kind, _ in seconds(hear(heard))] == [Begins, Ends]


@pytest.mark.parametrize("name", PARTS)
def test_other_tones_do_not_end_a_call(name):
    heard, _ = day(talk(), cadence(PARTS[name], 20.0), talk())
    assert [kind for kind, _ in seconds(hear(heard))] == [Begins]


def test_the_next_call_may_follow_a_busy_tone_at_once():
    heard, starts = day(talk(), cadence(BUSY["busy, UK"], 6.0), silence(2), talk("es_calm_1"))
    told = seconds(hear(heard))
    assert [kind for kind, _ in told] == [Begins, Ends, Begins]
    assert starts[2] - 0.3 <= told[2][1] <= starts[3]


def test_lost_audio_is_no_silence():
    conversation = Conversation()
    told = conversation.push(talk())
    for _ in range(2):
        assert not conversation.push(silence(14))
        assert not conversation.skip(12 * SAMPLE_RATE)
        told += conversation.push(talk())
    assert [type(event) for event in told] == [Begins]


@pytest.mark.parametrize("pieces", [1, 7, 400])
def test_a_call_is_over_when_as_much_was_lost_as_silence_ends_it(pieces):
    conversation = Conversation()
    conversation.push(talk())
    position = 15 * SAMPLE_RATE
    told = []
    for places in np.array_split(np.arange(45 * SAMPLE_RATE), pieces):
        told += conversation.skip(len(places))
    assert told == [Ends(position + 30 * SAMPLE_RATE)]
    (begins,) = conversation.push(np.concatenate([silence(5), talk()]))
    assert abs(begins.position - position - 50 * SAMPLE_RATE) < 0.5 * SAMPLE_RATE


def test_nothing_before_lost_audio_belongs_to_a_call_that_begins_behind_it():
    conversation = Conversation()
    assert not conversation.push(talk()[: SAMPLE_RATE // 2])
    assert not conversation.skip(100)
    (begins,) = conversation.push(talk())
    assert begins.position >= SAMPLE_RATE // 2 + 100


def test_what_is_no_number_is_silence():
    broken = talk().copy()
    broken[::4001] = np.nan
    broken[1::4001] = np.inf
    assert [type(event) for event in hear(broken)] == [Begins]


DAY, _ = day(
    silence(2.3),
    cadence(PARTS["ring-back, Spain"], 6.0),
    talk(seconds=12.0),
    cadence(BUSY["busy, Spain"], 4.0),
    noise(3.1),
    talk("pl_calm_1", 9.0),
    silence(9.0),
    talk("es_calm_1", 6.0),
)


@pytest.mark.parametrize("length", [80, 333, 4000, 12000, 99_999])
def test_the_size_of_the_blocks_does_not_matter(length):
    expected = hear(DAY, silence_s=6.0)
    assert [type(event) for event in expected] == [Begins, Ends] * 2 + [Begins]
    assert hear(DAY, range(length, len(DAY), length), silence_s=6.0) == expected


@settings(max_examples=10, deadline=None, derandomize=True)
@given(cuts=st.lists(st.integers(0, len(DAY)), max_size=60), end=st.integers(0, len(DAY)))
def test_what_is_told_depends_neither_on_cuts_nor_on_what_comes_later(cuts, end):
    told = hear(DAY[:end], [cut for cut in cuts if cut <= end], silence_s=6.0)
    assert told == hear(DAY, silence_s=6.0)[: len(told)]


@settings(max_examples=10, deadline=None, derandomize=True)
@given(cuts=st.lists(st.integers(1, len(DAY)), max_size=30), lost=st.integers(0, 9 * SAMPLE_RATE))
def test_positions_go_up_and_lie_no_further_back_than_is_said(cuts, lost):
    conversation, heard, last = Conversation(6.0), 0, 0
    for index, (begin, end) in enumerate(pairwise([0, *sorted(cuts), len(DAY)])):
        told = conversation.push(DAY[begin:end])
        for event in told:
            assert last <= event.position <= heard + end - begin
            assert event.position >= heard - PREROLL_S * SAMPLE_RATE
            last = event.position
        heard += end - begin
        if index % 5 == 4:
            for event in conversation.skip(lost):
                assert isinstance(event, Begins) or last <= event.position <= heard + lost
                last = event.position
            heard += lost


def test_silence_ends_a_call_behind_everything_that_was_pushed_before():
    """So nothing that was told of it lies beyond its end."""
    conversation = Conversation(6.0)
    conversation.push(talk())
    told, heard = [], 15 * SAMPLE_RATE
    while not told:
        told = conversation.push(silence(0.13))
        heard += round(0.13 * SAMPLE_RATE)
    assert heard - 0.13 * SAMPLE_RATE < told[0].position <= heard
