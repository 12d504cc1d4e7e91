"""What is speech and what is not: noises, tones, music, and the sample calls' own truth."""

import io
from functools import cache

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from hackles.activity import Levels, SpeechActivity, Standing
from hackles.bank import Bank
from hackles.classifier import default_classifier
from hackles.config import FRAME_LENGTH, HOP_LENGTH, SAMPLE_RATE
from hackles.features import LLD, in_tiles, low_level_descriptors, spectra
from hackles.following import Following
from hackles.framing import SampleRing
from hackles.types import Block, Gap, Role
from tests.conftest import NAMES, customer, truth
from tests.events import run
from tests.features.signals import clock, gain, harmonics, pink_noise, tone, white_noise

SPEECH, MUSIC, TONE = 0, 1, 2

ROWS_HZ, COLUMNS_HZ = (697, 770, 852, 941), (1209, 1336, 1477, 1633)


def flags_of(samples: np.ndarray, block: int = SAMPLE_RATE) -> np.ndarray:
    """Return speech, music and tone of each frame, shape (3, n_frames)."""
    n_frames, flags = block // HOP_LENGTH + 1, []
    ring, following = SampleRing(1, n_frames), Following(1, n_frames)
    levels, activity = Levels(1), SpeechActivity(1)
    samples = samples.astype(np.float32)
    while len(samples):
        samples = samples[ring.write(0, samples[:block]) :]
        batch, frames = ring.take()
        if len(frames):
            heard = spectra(frames)
            standing = levels.update(batch, heard.level_db)
            llds = following.finish(batch, low_level_descriptors(heard, standing.worth))
            found = activity.update(batch, standing, llds)
            flags.append(np.stack([found.speech[0], found.music[0], found.tone[0]]))
    return np.concatenate(flags, axis=1)


@cache
def flags_of_call(name: str) -> np.ndarray:
    return flags_of(customer(name))


def centres_s(flags: np.ndarray) -> np.ndarray:
    return (np.arange(flags.shape[1]) * HOP_LENGTH + FRAME_LENGTH / 2) / SAMPLE_RATE


def within(flags: np.ndarray, spans: list) -> np.ndarray:
    """Return which frames lie within any span; a span begins with its start and end in seconds."""
    at = centres_s(flags)
    return np.any([(at >= span[0]) & (at < span[1]) for span in spans], axis=0)


def mulaw(samples: np.ndarray) -> np.ndarray:
    """Return samples as they leave a G.711 line."""
    file = io.BytesIO()
    soundfile.write(file, samples, SAMPLE_RATE, format="WAV", subtype="ULAW")
    file.seek(0)
    return soundfile.read(file, dtype="float32")[0]


def keypad(press_s: float, seconds: float = 10.0) -> np.ndarray:
    """Return random DTMF digits, pressed and released for `press_s` each."""
    chance, at = np.random.default_rng(0), clock(seconds)
    digits = chance.integers(16, size=len(at))[(at / (2 * press_s)).astype(int)]
    both = [np.sin(2 * np.pi * np.array(hz) * at) for hz in _digits_hz(digits)]
    return 0.1 * sum(both) * (at % (2 * press_s) < press_s)


def _digits_hz(digits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.array(ROWS_HZ)[digits // 4], np.array(COLUMNS_HZ)[digits % 4]


LINES = {
    "clean": lambda sound: sound,
    "G.711": lambda sound: mulaw(sound),
    "G.711, soft": lambda sound: mulaw(0.1 * sound),
    "in noise": lambda sound: mulaw(sound + 0.1 * np.std(sound) * white_noise(len(sound) / 8000)),
}
"""Ways on which a sound arrives."""


def hold_music() -> np.ndarray:
    start, end, what = truth("en_calm_1")["distractors"][0]
    assert what == "hold music"
    return customer("en_calm_1")[round(start * SAMPLE_RATE) : round(end * SAMPLE_RATE)]


def test_digital_silence_is_nothing():
    assert not flags_of(np.zeros(5 * SAMPLE_RATE)).any()


@pytest.mark.parametrize("noise", [white_noise, pink_noise])
@pytest.mark.parametrize("db", [-60.0, -40.0, -20.0])
def test_noise_is_nothing(noise, db):
    assert not flags_of(gain(db) * noise(10.0)).any()


@pytest.mark.parametrize("noise", [white_noise, pink_noise])
def test_bursts_of_noise_are_nothing(noise):
    loud = np.where(clock(10.0) % 1.3 < 0.5, 0.1, 0.005)
    assert not flags_of(loud * noise(10.0)).any()


def test_a_constant_offset_is_no_speech():
    assert flags_of(np.full(10 * SAMPLE_RATE, 0.1))[SPEECH].mean() < 0.03


@pytest.mark.parametrize("hz", [400.0, 425.0, 440.0, 1400.0])
def test_a_clean_tone_is_a_tone_after_a_quarter_second(hz):
    flags = flags_of(0.2 * tone(hz, seconds=10.0))
    assert not flags[SPEECH, 30:].any()
    assert flags[TONE, 35:].all()


@pytest.mark.parametrize("digit", range(4))
def test_a_held_key_is_a_tone_after_a_quarter_second(digit):
    held = tone(ROWS_HZ[digit], 0.1, 5.0) + tone(COLUMNS_HZ[digit], 0.1, 5.0)
    flags = flags_of(held)
    assert not flags[SPEECH, 30:].any()
    assert flags[TONE, 35:].all()


# On and off in seconds, over and over.
CADENCES = {
    "dial US": ((350.0, 440.0), (1.0,)),
    "ring US": ((440.0, 480.0), (2.0, 4.0)),
    "ring UK": ((400.0, 450.0), (0.4, 0.2, 0.4, 2.0)),
    "ring DE, PL": ((425.0,), (1.0, 4.0)),
    "ring ES": ((425.0,), (1.5, 3.0)),
    "busy US": ((480.0, 620.0), (0.5, 0.5)),
    "busy UK": ((400.0,), (0.375, 0.375)),
    "busy ES": ((425.0,), (0.2, 0.2)),
    "busy FR": ((440.0,), (0.5, 0.5)),
    "busy JP": ((400.0,), (0.5, 0.5)),
    "congestion US": ((480.0, 620.0), (0.25, 0.25)),
    "congestion DE": ((425.0,), (0.24, 0.24)),
    "recording": ((1400.0,), (0.5, 14.5)),
    "fax CNG": ((1100.0,), (0.5, 3.0)),
    "fax CED": ((2100.0,), (3.3, 1.0)),
}


@pytest.mark.parametrize("name", CADENCES)
@pytest.mark.parametrize("line", LINES)
def test_a_tone_of_the_network_is_never_speech(name, line):
    hz, parts = CADENCES[name]
    on = np.concatenate([np.full(round(s * SAMPLE_RATE), i % 2 == 0) for i, s in enumerate(parts)])
    sound = sum(tone(each, seconds=20.0) for each in hz) * np.resize(on, 20 * SAMPLE_RATE)
    assert not flags_of(LINES[line](0.1 * sound))[SPEECH].any()


@pytest.mark.parametrize("line", LINES)
def test_special_information_tones_are_never_speech(line):
    once = [tone(hz, 0.2, 0.33) for hz in (950.0, 1400.0, 1800.0)]
    whole = np.resize(np.concatenate([*once, np.zeros(SAMPLE_RATE)]), 20 * SAMPLE_RATE)
    assert not flags_of(LINES[line](whole))[SPEECH].any()


@pytest.mark.parametrize("hz", [50.0, 60.0])
@pytest.mark.parametrize("line", LINES)
def test_hum_is_never_speech(hz, line):
    hum = sum(np.sin(2 * np.pi * hz * k * clock(20.0) + k * k) / k for k in range(1, 30))
    assert not flags_of(LINES[line](0.1 * hum))[SPEECH].any()


def test_comfort_noise_that_changes_its_level_is_never_speech():
    steps = gain(np.random.default_rng(0).uniform(-12.0, 0.0, 40))
    noise = np.repeat(steps, SAMPLE_RATE // 2) * white_noise(20.0)
    assert not flags_of(mulaw(0.02 * noise))[SPEECH].any()


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("attack_s", [0.005, 0.08])
def test_chords_and_arpeggios_are_never_speech(seed, attack_s):
    """Plucked or blown notes of a scale, four to a bar, a chord under each bar."""
    chance, at = np.random.default_rng(seed), clock(20.0)
    scale = 220.0 * 2.0 ** (np.array([0, 2, 4, 5, 7, 9, 11, 12]) / 12.0)
    note = at % 0.25
    melody = chance.choice(2 * scale, 80)[(at / 0.25).astype(int)]
    swell = np.minimum(note / attack_s, 1.0) * np.exp(-note / 0.2)
    sound = swell * sum(np.sin(2 * np.pi * k * melody * at) / k for k in (1, 2, 3))
    for step in (0, 2, 4):
        root = scale[(chance.integers(4, size=20)[(at % 20).astype(int)] + step) % 8]
        sound = sound + 0.3 * np.sin(2 * np.pi * root * at)
    assert not flags_of(mulaw(0.1 * sound))[SPEECH].any()


def test_a_caller_is_speech_again_within_two_seconds_after_a_hold():
    speech = customer("en_rising_1")[5 * SAMPLE_RATE : 15 * SAMPLE_RATE]
    whole = np.concatenate([speech, np.tile(hold_music(), 3)[: 20 * SAMPLE_RATE], speech])
    flags, alone = flags_of(whole)[SPEECH], flags_of(speech)[SPEECH]
    assert not flags[1200:2990].any()
    assert flags[3000:].sum() > alone.sum() - 200


@pytest.mark.parametrize("noise_db", [-60.0, -40.0])
def test_a_tone_in_line_noise_is_not_speech(noise_db):
    flags = flags_of(0.2 * tone(425.0, seconds=10.0) + gain(noise_db) * white_noise(10.0))
    assert flags[SPEECH].mean() < 0.05


def test_a_tone_over_a_g711_line_is_not_speech():
    assert flags_of(mulaw(0.2 * tone(425.0, seconds=10.0)))[SPEECH].mean() < 0.05


@pytest.mark.parametrize("press_s", [0.2, 0.5])
def test_slowly_dialled_digits_are_never_speech(press_s):
    assert not flags_of(keypad(press_s))[SPEECH].any()


@pytest.mark.parametrize("press_s", [0.05, 0.07, 0.1])
@pytest.mark.parametrize("line", [LINES["clean"], LINES["G.711, soft"], LINES["in noise"]])
def test_quickly_dialled_digits_are_never_speech(press_s, line):
    assert not flags_of(line(keypad(press_s)))[SPEECH].any()


def test_hold_music_is_not_speech_after_its_first_second():
    flags = flags_of(hold_music())
    assert flags[SPEECH].mean() < 0.08
    assert not flags[SPEECH, 120:].any()
    assert flags[MUSIC].mean() > 0.65


def test_hold_music_within_the_call_is_not_speech_after_its_first_second():
    flags = flags_of_call("en_calm_1")
    start, end, _ = truth("en_calm_1")["distractors"][0]
    assert flags[SPEECH, within(flags, [(start, end)])].mean() < 0.06
    assert not flags[SPEECH, within(flags, [(start + 1.1, end)])].any()


@pytest.mark.parametrize("name", NAMES)
def test_most_of_what_the_customer_says_is_speech(name):
    """Measured .80 to .89 with the pauses inside a turn; .66 in noise, .76 after music."""
    flags = flags_of_call(name)
    said = within(flags, truth(name)["segments"])
    at_least = {"pl_calm_1": 0.62, "en_calm_1": 0.7}.get(name, 0.77)
    assert flags[SPEECH, said].mean() > at_least


@pytest.mark.parametrize("name", NAMES)
def test_hardly_anything_else_is_speech(name):
    flags = flags_of_call(name)
    # For a fifth of a second after a word nobody knows that it was the last.
    spans = [(start, end + 0.2) for start, end, _ in truth(name)["segments"]]
    # Measured: .000 to .005, and .012 in en_calm_1, which holds music.
    assert flags[SPEECH, ~within(flags, spans)].mean() < 0.015


@pytest.mark.parametrize("name", sorted(set(NAMES) - {"en_calm_1"}))
def test_no_caller_is_taken_for_music_or_a_tone(name):
    assert not flags_of_call(name)[MUSIC:].any()


@pytest.mark.parametrize("name", ["en_rising_1", "en_calm_1", "pl_calm_1"])
@pytest.mark.parametrize("db", [-12.0, 12.0])
def test_gain_changes_no_flag(name, db):
    assert np.array_equal(flags_of(gain(db) * customer(name)), flags_of_call(name))


@settings(derandomize=True, deadline=None, max_examples=8)
@given(block=st.integers(400, 3 * SAMPLE_RATE))
def test_the_size_of_the_blocks_changes_no_flag(block):
    some = customer("en_calm_1")[28 * SAMPLE_RATE : 38 * SAMPLE_RATE]
    assert np.array_equal(flags_of(some, block), flags_of(some))


@settings(derandomize=True, deadline=None, max_examples=15)
@given(end=st.integers(FRAME_LENGTH, 20 * SAMPLE_RATE))
def test_what_comes_later_changes_no_flag(end):
    flags = flags_of(customer("pl_calm_1")[:end])
    assert np.array_equal(flags, flags_of_call("pl_calm_1")[:, : flags.shape[1]])


def test_a_voice_that_moves_in_level_and_pitch_is_speech():
    at = clock(3.0)
    swell = 0.1 * (1 + 0.8 * np.sin(2 * np.pi * 4 * at))
    phase = 2 * np.pi * 150.0 * at + 15.0 * np.sin(2 * np.pi * 1.5 * at)  # 150 +- 22 Hz
    voice = swell * sum(np.cos(k * phase + k * k) / k for k in range(2, 20))
    whole = np.concatenate([np.zeros(4000), voice]) + 1e-4 * white_noise(3.5)
    flags = flags_of(whole)
    assert not flags[SPEECH, :45].any()
    assert flags[SPEECH, 150:].mean() > 0.9


def test_a_voice_held_at_one_pitch_is_taken_for_music():
    """What the pitch rule costs: nobody speaks so, but some sing."""
    swell = 0.1 * (1 + 0.8 * np.sin(2 * np.pi * 4 * clock(5.0)))
    assert not flags_of(swell * harmonics(150.0, 1.0, 5.0))[SPEECH, 110:].any()


def test_clearing_begins_anew():
    levels, activity, ring = Levels(1), SpeechActivity(1), SampleRing(1, 400)
    results = []
    for _ in range(2):
        for stage in (levels, activity, ring):
            stage.clear(0)
        ring.write(0, customer("en_rising_1")[5 * SAMPLE_RATE : 8 * SAMPLE_RATE])
        batch, frames = ring.take()
        llds = in_tiles(frames)
        standing = levels.update(batch, llds[:, LLD["level_db"]])
        results.append(activity.update(batch, standing, llds).speech)
    assert np.array_equal(*results)
    assert results[0].any()


def standing_of(samples: np.ndarray) -> list[Standing]:
    """Return how each second of frames stands."""
    ring, levels, result = SampleRing(1, SAMPLE_RATE // HOP_LENGTH + 1), Levels(1), []
    samples = samples.astype(np.float32)
    while len(samples):
        samples = samples[ring.write(0, samples[:SAMPLE_RATE]) :]
        batch, frames = ring.take()
        if len(frames):
            result.append(levels.update(batch, in_tiles(frames)[:, LLD["level_db"]]))
    return result


@pytest.mark.parametrize("db", [-70.0, -40.0])
@pytest.mark.parametrize("noise", [white_noise, pink_noise])
def test_steady_noise_does_not_stand_out_for_more_than_three_seconds(noise, db):
    worth = np.concatenate([s.worth for s in standing_of(gain(db) * noise(12.0))])
    assert worth[350:].mean() < 0.1


@pytest.mark.parametrize("snr_db", [10.0, 15.0, 30.0])
def test_noise_that_went_before_does_not_hide_a_voice(snr_db):
    voice = customer("en_rising_1")[5 * SAMPLE_RATE : 8 * SAMPLE_RATE]
    level = 10 * np.log10(np.mean(voice**2) / np.mean(white_noise(9.0) ** 2))
    whole = gain(level - snr_db) * white_noise(9.0)
    whole[6 * SAMPLE_RATE :] += voice
    heard, alone = flags_of(whole)[SPEECH], flags_of(whole[6 * SAMPLE_RATE :])[SPEECH]
    assert not heard[:590].any()
    assert heard[600:].mean() >= 0.95 * alone.mean() > 0.5


@pytest.mark.parametrize(("snr_db", "least"), [(15.0, 0.7), (20.0, 0.85), (30.0, 0.9)])
@pytest.mark.parametrize("noise", [white_noise, pink_noise])
def test_most_speech_is_found_in_noise_and_hardly_any_noise(snr_db, least, noise):
    name = "en_rising_1"
    voice, clean = customer(name), flags_of_call(name)[SPEECH]
    seconds = len(voice) / SAMPLE_RATE
    loud = np.mean(voice[np.abs(voice) > 0.01] ** 2) / np.mean(noise(seconds) ** 2)
    heard = flags_of(voice + gain(10 * np.log10(loud) - snr_db) * noise(seconds))[SPEECH]
    said = within(heard[None], truth(name)["segments"])
    assert heard[clean].mean() > least
    assert heard[~said].mean() < 0.1


def test_a_caller_who_shouts_on_one_note_goes_on_being_speech():
    """A vowel held for half a second amid talk is neither music nor a tone."""
    speech = customer("en_rising_1")[5 * SAMPLE_RATE : 11 * SAMPLE_RATE]
    shout = 0.1 * harmonics(220.0, 1.0, 0.5)
    flags = flags_of(np.concatenate([speech, shout, speech]))
    assert not flags[MUSIC:].any()


def test_a_tone_still_stands_out_after_ten_seconds():
    assert standing_of(0.1 * tone(440.0, seconds=12.0))[-1].loud.all()


@pytest.mark.parametrize("tones", [(425.0,), (350.0, 440.0)])
@pytest.mark.parametrize("snr_db", [12.0, 20.0, 40.0])
def test_a_tone_in_noise_is_one_tone_to_its_end(tones, snr_db):
    sound = sum(tone(hz, seconds=20.0) for hz in tones)
    level = 10 * np.log10(np.mean(sound**2) / np.mean(white_noise(20.0) ** 2))
    flags = flags_of(0.1 * (sound + gain(level - snr_db) * white_noise(20.0)))
    assert flags[TONE, 100:].all()


def test_hold_music_is_one_stretch_or_two():
    gaps = [event for event in run(customer("en_calm_1")) if isinstance(event, Gap)]
    assert 1 <= len(gaps) <= 3


def test_speech_that_begins_late_in_a_call_is_heard_as_at_its_start():
    """What was lost before says nothing of noise: three seconds must have been heard for that."""
    speech, start = customer("en_rising_1")[5 * SAMPLE_RATE : 9 * SAMPLE_RATE], 20 * SAMPLE_RATE
    late, early = Bank(1, default_classifier(), 512), Bank(1, default_classifier(), 512)
    for bank, at in ((late, start), (early, 0)):
        slot = bank.open(Role.CUSTOMER)
        assert bank.push(slot, Block(speech, at)) == len(speech)
        bank.tick()
    assert late.speech_s(0) == early.speech_s(0) > 2.0
