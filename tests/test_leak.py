"""The agent's voice in the customer's channel: left out, and the customer kept."""

import io
from functools import cache

import numpy as np
import pytest
import soundfile

from hackles.activity import Activity, SpeechActivity
from hackles.bank import Bank
from hackles.classifier import default_classifier
from hackles.config import SAMPLE_RATE
from hackles.errors import UsageError
from hackles.features.structure import likeness, structure
from hackles.pipeline import CallPipeline
from hackles.types import Block, Gap, Reading, Reason, Role
from tests.conftest import customer, truth
from tests.events import assert_same, run
from tests.features.signals import gain, tone, white_noise

AGENT, CUSTOMER, ALIKE = "es_calm_1", "en_rising_1", "es_rising_2"
DELAYS_S = [0.0, 0.02, 0.037, 0.12, 0.25, 0.3]


@cache
def talk(name: str, seconds: float = 30.0, pause_s: float = 0.5, noise_db: float = -60.0):
    """Return somebody who talks all the time, but for pauses; what somebody says to an agent."""
    said = [
        np.concatenate([samples, np.zeros(round(pause_s * SAMPLE_RATE), np.float32)])
        for start, end, _ in truth(name)["segments"]
        for samples in [customer(name)[round(start * SAMPLE_RATE) : round(end * SAMPLE_RATE)]]
    ]
    whole = np.concatenate([np.zeros(4000, np.float32), *said])
    return np.resize(whole, round(seconds * SAMPLE_RATE)) + line(seconds, noise_db)


@cache
def line(seconds: float = 30.0, noise_db: float = -60.0, seed: int = 0):
    """Return a line on which nobody speaks."""
    return (gain(noise_db) * white_noise(seconds, seed)).astype(np.float32)


def leak(samples: np.ndarray, db: float = -20.0, delay_s: float = 0.12) -> np.ndarray:
    """Return somebody's voice in the other's line: later by any fraction of a sample, quieter."""
    n = len(samples)
    turned = np.exp(-2j * np.pi * np.fft.rfftfreq(2 * n, 1 / SAMPLE_RATE) * delay_s)
    later = np.fft.irfft(np.fft.rfft(samples, 2 * n) * turned)[:n]
    return (gain(db) * later).astype(np.float32)


def mulaw(samples: np.ndarray) -> np.ndarray:
    file = io.BytesIO()
    soundfile.write(file, samples, SAMPLE_RATE, format="WAV", subtype="ULAW")
    return soundfile.read(io.BytesIO(file.getvalue()), dtype="float32")[0]


@pytest.fixture
def flags(monkeypatch):
    """Give a function that returns which frames of a call are speech, and which leak."""
    seen: list[Activity] = []
    update = SpeechActivity.update

    def keep(self, *arguments):
        seen.append(update(self, *arguments))
        return seen[-1]

    monkeypatch.setattr(SpeechActivity, "update", keep)

    def hear(heard, agent=None):
        seen.clear()
        pipeline = CallPipeline()
        pipeline.push(Block(heard, 0), None if agent is None else Block(agent, 0))
        return [np.concatenate([getattr(a, n)[0] for a in seen]) for n in ("speech", "leak")]

    return hear


def readings(events):
    return [event for event in events if isinstance(event, Reading)]


def leaks(events):
    return [e for e in events if isinstance(e, Gap) and e.reason is Reason.AGENT_LEAK]


def kept(before, after):
    """Return the share of speech frames that still are."""
    return (before & after).sum() / before.sum()


@pytest.mark.parametrize("delay_s", DELAYS_S)
@pytest.mark.parametrize("db", [-10.0, -20.0, -30.0])
def test_an_agent_who_leaks_to_a_silent_customer_gives_no_reading(delay_s, db):
    agent = talk(AGENT)
    heard = mulaw(line(seed=1) + leak(agent, db, delay_s))
    events = run(heard, agent=mulaw(agent))
    assert not readings(events)
    if db > -30.0:
        assert len(readings(run(heard))) >= 3
        told = leaks(events)
        assert told
        assert sum(gap.time - gap.since for gap in told) > 15.0


@pytest.mark.parametrize("delay_s", DELAYS_S)
@pytest.mark.parametrize("name", [CUSTOMER, ALIKE])
def test_a_customer_who_talks_over_the_leak_is_kept(flags, name, delay_s):
    agent, own = talk(AGENT), talk(name)
    before = flags(own)[0]
    after, leaking = flags(own + leak(agent, -20.0, delay_s), agent)
    assert kept(before, after) >= 0.8
    assert leaking.any()


@pytest.mark.parametrize(("name", "share"), [(CUSTOMER, 0.99), (ALIKE, 0.94)])
def test_both_at_once_without_a_leak_are_no_leak(flags, name, share):
    """Two espeak voices of one sex and language are likes; of people's speech 0.2 % are lost."""
    assert kept(flags(talk(name))[0], flags(talk(name), talk(AGENT))[0]) >= share


@pytest.mark.parametrize("delay_s", DELAYS_S)
def test_a_customer_who_leaks_into_the_agent_s_channel_is_kept(flags, delay_s):
    own = talk(CUSTOMER)
    before = flags(own)[0]
    for beside in (line(seed=1), talk(AGENT)):
        assert kept(before, flags(own, beside + leak(own, -20.0, delay_s))[0]) >= 0.95


def test_a_customer_who_answers_after_the_leak_is_kept(flags):
    """The agent has spoken and leaked for twenty seconds; then the customer does, alone."""
    agent, own = talk(AGENT), talk(CUSTOMER)
    agent = np.concatenate([agent[: 20 * SAMPLE_RATE], line()])
    own = np.concatenate([line(seed=1)[: 20 * SAMPLE_RATE], own])
    after, leaking = flags(own + leak(agent), agent)
    assert leaking[: 20 * 100].sum() > 500
    assert kept(flags(own)[0], after) >= 0.98


@pytest.mark.parametrize("db", [-12.0, 12.0])
@pytest.mark.parametrize("of", ["agent", "customer"])
def test_the_gain_of_either_channel_hardly_matters(flags, db, of):
    agent, own = talk(AGENT), talk(CUSTOMER)
    half = len(own) // 2
    heard = np.concatenate([line(seed=1)[:half], own[half:]]) + leak(agent)
    speech, leaking = flags(heard, agent)
    scaled = {"agent": agent, "customer": heard} | {
        of: {"agent": agent, "customer": heard}[of] * np.float32(gain(db))
    }
    speech_too, leaking_too = flags(scaled["customer"], scaled["agent"])
    assert (speech != speech_too).mean() < 0.01
    assert (leaking != leaking_too).mean() < 0.01


def test_a_tone_that_both_hear_is_a_tone_and_no_leak():
    both = (0.1 * tone(425.0, seconds=10.0) + line(10.0)).astype(np.float32)
    events = run(both, agent=both)
    assert not leaks(events)
    assert Reason.TONE in {event.reason for event in events if isinstance(event, Gap)}


@cache
def call():
    """Return both channels of a call: leak alone, double talk, the customer alone, silence."""
    agent, own = talk(AGENT, 24.0).copy(), talk(CUSTOMER, 24.0).copy()
    own[: 8 * SAMPLE_RATE] = line(8.0, seed=1)
    agent[16 * SAMPLE_RATE :] = line(8.0, seed=2)
    own[22 * SAMPLE_RATE :] = line(2.0, seed=3)
    return own + leak(agent), agent


@pytest.mark.parametrize("length", [1, 79, 80, 333, 8000, 41000])
def test_the_size_of_the_blocks_does_not_change_the_events(length):
    heard, agent = (channel[: (3 if length < 79 else 24) * SAMPLE_RATE] for channel in call())
    cuts = range(length, len(heard), length)
    assert_same(run(heard, cuts, agent=agent), run(heard, agent=agent))


@pytest.mark.parametrize("seed", range(3))
def test_the_size_of_the_blocks_changes_no_flag(flags, seed):
    heard, agent = call()
    expected = flags(heard, agent)
    bank, at, rng = Bank(1, default_classifier(), agents=True), 0, np.random.default_rng(seed)
    slot, found = bank.open(Role.CUSTOMER), []
    update = SpeechActivity.update

    def keep(self, batch, *arguments):
        result = update(self, batch, *arguments)
        found.append([result.speech[0], result.leak[0]])
        return result

    SpeechActivity.update = keep  # what `flags` has patched is put back after the test
    while at < len(heard):
        end = at + int(rng.integers(1, 2600))
        at += bank.push(slot, Block(heard[at:end], at), Block(agent[at:end], at))
        bank.tick()
    for expect, parts in zip(expected, zip(*found, strict=True), strict=True):
        assert np.array_equal(np.concatenate(parts), expect)


@pytest.mark.parametrize("end_s", [3.0, 7.77, 12.3, 19.01])
def test_what_is_decided_does_not_depend_on_what_comes_later(end_s):
    heard, agent = call()
    end = round(end_s * SAMPLE_RATE)
    cut = run(heard[:end], flush=False, agent=agent[:end])
    assert_same(cut, [e for e in run(heard, agent=agent) if e.time * SAMPLE_RATE <= end])


def test_calls_with_and_without_an_agent_do_not_meet_in_a_bank():
    heard, agent = call()
    cases = [
        (heard, agent),
        (heard, None),
        (talk(CUSTOMER, 24.0), agent),
        (heard[8000:], agent[8000:]),
        (talk(ALIKE, 20.0), None),
    ]
    bank = Bank(len(cases), default_classifier(), agents=True)
    slots = [bank.open(Role.CUSTOMER) for _ in cases]
    found, done = {slot: [] for slot in slots}, dict.fromkeys(slots, 0)
    rng = np.random.default_rng(4)
    while any(done[slot] < len(own) for slot, (own, _) in zip(slots, cases, strict=True)):
        for slot, (own, other) in zip(slots, cases, strict=True):
            part = slice(done[slot], done[slot] + int(rng.integers(0, 1800)))
            beside = None if other is None else Block(other[part], part.start)
            done[slot] += bank.push(slot, Block(own[part], part.start), beside)
        for slot, event in bank.tick().events():
            found[slot].append(event)
    for slot, (own, other) in zip(slots, cases, strict=True):
        found[slot] += [event for _, event in bank.flush(slot).events()]
        assert_same(found[slot], run(own, agent=other))
    assert_same(found[slots[1]], run(heard))


def test_samples_received_together_are_those_pushed_one_by_one():
    heard, agent = call()
    bank = Bank(2, default_classifier(), agents=True)
    slots, found = np.array([bank.open(Role.CUSTOMER) for _ in range(2)]), ([], [])
    silent = np.zeros(800, np.float32)
    for at in range(0, len(heard), 800):
        own, other = heard[at : at + 800], agent[at : at + 800]
        both = np.concatenate([own, own])
        bank.receive(slots, np.full(2, len(own)), both, np.concatenate([other, silent]))
        for slot, event in bank.tick().events():
            found[slot].append(event)
    for slot in slots.tolist():
        found[slot].extend(event for _, event in bank.flush(slot).events())
    assert_same(found[slots[0]], run(heard, agent=agent))
    assert_same(found[slots[1]], run(heard))


def test_an_agent_who_is_missing_for_a_while_was_silent():
    heard, agent = call()
    missing = slice(5 * SAMPLE_RATE, 9 * SAMPLE_RATE + 37)
    silenced = agent.copy()
    silenced[missing] = 0.0
    pipeline = CallPipeline()
    events = pipeline.push(Block(heard[: missing.start], 0), Block(agent[: missing.start], 0))
    events += pipeline.push(Block(heard[missing], missing.start))
    # The agent's block may begin and end elsewhere: what is of another time is left out.
    rest = missing.stop - 500
    beside = Block(np.concatenate([agent[missing.stop - 300 :], silenced[:900]]), rest + 200)
    events += pipeline.push(Block(heard[missing.stop :], missing.stop), beside)
    assert_same(events + pipeline.flush(), run(heard, agent=silenced))


def test_audio_lost_on_both_sides_does_not_end_the_guard():
    agent = talk(AGENT)
    heard = line(seed=1) + leak(agent)
    pipeline, events = CallPipeline(), []
    for at in range(0, len(heard), 4000):
        if at % 32000:
            part = slice(at, at + 4000)
            events += pipeline.push(Block(heard[part], at), Block(agent[part], at))
    events += pipeline.flush()
    assert len(readings(events)) <= 1 < len(readings(run(heard))) / 5
    assert [e for e in events if isinstance(e, Gap) and e.reason is Reason.LOST_AUDIO]


def test_broken_samples_of_the_agent_break_nothing():
    heard, agent = call()
    spoilt = agent.copy()
    spoilt[SAMPLE_RATE : SAMPLE_RATE + 3] = [np.nan, np.inf, -1e30]
    assert leaks(run(heard, agent=spoilt))


def test_a_bank_without_agents_takes_none():
    bank = Bank(1, default_classifier())
    slot, block = bank.open(Role.CUSTOMER), Block(np.zeros(800, np.float32), 0)
    with pytest.raises(UsageError, match="agents=True"):
        bank.push(slot, block, block)
    with pytest.raises(UsageError, match="agents=True"):
        bank.receive(np.array([slot]), np.array([800]), block.samples, block.samples)
    assert bank.heard(slot) == 0


def test_structures_of_the_same_sound_are_alike_whatever_its_gain():
    rng = np.random.default_rng(0)
    power = rng.exponential(size=(50, 199)).astype(np.float32)
    one, louder, other = (structure(p) for p in (power, power * 100, power[::-1]))
    products = [np.einsum("ij,ij->i", one.astype(np.float32), x) for x in (one, louder, other)]
    same, scaled, unlike = (likeness(p) for p in products)
    assert same.min() >= 85  # the highest peaks are cut off
    assert np.abs(scaled - same).max() <= 1
    assert np.abs(unlike).mean() < 15
    assert not structure(np.zeros((1, 199), np.float32)).any()
