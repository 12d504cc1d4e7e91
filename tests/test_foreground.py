"""Whose speech it is: the caller's is kept, that of people behind the caller is not."""

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hackles import foreground
from hackles.config import SAMPLE_RATE
from hackles.foreground import Foreground, Heard
from hackles.framing import Batch
from tests.conftest import customer, truth
from tests.features.signals import gain, white_noise
from tests.test_activity import flags_of, flags_of_call, hold_music, within

SPEECH, NAME = 0, "en_rising_1"
FINE, STEP, SURE = 2**16, 2**8, 150


@cache
def said_by(name: str) -> np.ndarray:
    """Return what a customer says, without the pauses between."""
    spans = [[round(at * SAMPLE_RATE) for at in span[:2]] for span in truth(name)["segments"]]
    return np.concatenate([customer(name)[start:end] for start, end in spans])


def level_db(sound: np.ndarray) -> float:
    """Return the level of a sound's louder quarter."""
    power = np.sort(np.mean(sound[: len(sound) // 800 * 800].reshape(-1, 800) ** 2, axis=1))
    return float(10 * np.log10(np.mean(power[-len(power) // 4 :])))


@cache
def people(under_db: float) -> np.ndarray:
    """Return three others talking at once for as long as a call, so far under its customer."""
    whole = customer(NAME)
    voices = [said_by(name) for name in ("es_calm_1", "es_rising_1", "pl_rising_1")]
    every = sum(np.resize(np.roll(v, 7000 * i), len(whole)) for i, v in enumerate(voices))
    return every * gain(level_db(whole) - level_db(every) - under_db)


@cache
def in_company(under_db: float) -> np.ndarray:
    """Return speech, music and tone of a call with people behind the customer."""
    return flags_of(customer(NAME) + people(under_db))


def heard_in_pauses(flags: np.ndarray) -> float:
    """Return the share of the pauses, from the customer's first word on, that is speech."""
    spans = [(start, end + 0.2) for start, end, _ in truth(NAME)["segments"]]
    pause = ~within(flags, [(0.0, spans[0][0]), *spans])
    return float(flags[SPEECH, pause].mean())


def after(before: np.ndarray, sound: np.ndarray) -> np.ndarray:
    """Return which frames of a sound are speech, after another and in line noise."""
    whole = np.concatenate([before, sound])
    line = 1e-4 * white_noise(len(whole) / SAMPLE_RATE)[: len(whole)]
    return flags_of(whole + line)[SPEECH, len(before) // 80 :]


class Everybody(Foreground):
    """Takes all talk for the caller's."""

    def update(self, batch, talk, hold, heard):
        return talk


# Without the rule .55, .19 and .04 of the pauses are heard.
@pytest.mark.parametrize(("under_db", "most"), [(18.0, 0.25), (24.0, 0.08), (30.0, 0.03)])
def test_people_behind_a_caller_are_hardly_heard_in_the_pauses(under_db, most):
    flags = in_company(under_db)
    assert heard_in_pauses(flags) < most
    assert flags[SPEECH, flags_of_call(NAME)[SPEECH]].mean() > 0.97


def test_without_the_rule_people_behind_a_caller_are_heard(monkeypatch):
    monkeypatch.setattr("hackles.activity.Foreground", Everybody)
    assert heard_in_pauses(flags_of(customer(NAME) + people(18.0))) > 0.5


@pytest.mark.parametrize("name", ["en_calm_1", "es_calm_1", "pl_rising_2"])
def test_a_caller_alone_is_heard_as_without_the_rule(name, monkeypatch):
    flags = flags_of_call(name)[SPEECH]
    monkeypatch.setattr("hackles.activity.Foreground", Everybody)
    every = flags_of(customer(name))[SPEECH]
    assert every[flags].all()
    assert flags.sum() > 0.99 * every.sum()


def test_a_soft_caller_alone_is_heard_as_a_loud_one():
    assert np.array_equal(flags_of(gain(-30.0) * customer(NAME)), flags_of_call(NAME))


@pytest.mark.parametrize("db", [-12.0, 12.0])
def test_gain_changes_no_flag_where_people_talk_behind_the_caller(db):
    whole = gain(db) * (customer(NAME) + people(18.0))
    assert np.array_equal(flags_of(whole), in_company(18.0))


def test_after_two_minutes_of_silence_people_are_still_behind_the_caller():
    spoken = customer(NAME)[: 20 * SAMPLE_RATE]
    before = np.concatenate([spoken, np.zeros(120 * SAMPLE_RATE)])
    assert after(before, people(24.0)[: 10 * SAMPLE_RATE]).mean() < 0.15


@pytest.mark.parametrize("hold_gain_db", [0.0, 12.0])
def test_a_caller_who_comes_back_softer_from_a_hold_is_heard(hold_gain_db, monkeypatch):
    """However loud the music was: what is no talk sets no mark."""
    spoken = said_by(NAME)[: 10 * SAMPLE_RATE]
    music = gain(hold_gain_db) * np.resize(hold_music(), 30 * SAMPLE_RATE)
    before = np.concatenate([spoken, music])
    heard = after(before, gain(-10.0) * spoken).sum()
    monkeypatch.setattr("hackles.activity.Foreground", Everybody)
    assert heard > 0.95 * after(before, gain(-10.0) * spoken).sum() > 500


def test_a_much_softer_caller_is_heard_again_within_half_a_minute_of_speech():
    spoken = said_by(NAME)[: 10 * SAMPLE_RATE]
    before = np.concatenate([spoken, np.zeros(60 * SAMPLE_RATE)])
    flags = after(before, gain(-20.0) * np.tile(spoken, 3))
    assert flags[: len(flags) // 3].sum() < 0.6 * flags[-len(flags) // 3 :].sum()
    assert flags[-len(flags) // 3 :].mean() > 0.6


def test_a_click_does_not_silence_the_caller(monkeypatch):
    spoken = said_by(NAME)[: 10 * SAMPLE_RATE].copy()
    spoken[4 * SAMPLE_RATE : 4 * SAMPLE_RATE + 40] = 0.9
    heard = flags_of(spoken)[SPEECH].sum()
    monkeypatch.setattr("hackles.activity.Foreground", Everybody)
    assert heard > 0.99 * flags_of(spoken)[SPEECH].sum()


def heard_of(seed: int, n_frames: int) -> tuple[np.ndarray, np.ndarray, Heard]:
    """Return random frames: which sound like speech, which are a hold, and what is heard."""
    chance = np.random.default_rng(seed)
    talk = chance.random(n_frames) < 0.5
    hold = (np.cumsum(chance.random(n_frames) < 0.003) % 2 == 1) & ~talk
    held = chance.uniform(-70.0, -10.0, n_frames).astype(np.float32)
    high, low = held + chance.uniform(0.0, 20.0, n_frames), held - chance.uniform(0, 40, n_frames)
    snr = chance.uniform(0.0, 40.0, (2, n_frames)).astype(np.float32)
    n_loud = chance.integers(0, 210, n_frames)
    levels = held, high.astype(np.float32), low.astype(np.float32)
    return talk, hold, Heard(*levels, snr.max(axis=0), snr.min(axis=0), n_loud)


def some(heard: Heard, part: slice) -> Heard:
    return Heard(*(column[part] for column in heard))


def in_parts(cuts: list[int], talk: np.ndarray, hold: np.ndarray, heard: Heard) -> np.ndarray:
    """Return which frames are the caller's, taken in tick by tick; every third tick leaps."""
    stage, found, lost = Foreground(1), [], 0
    for number, (start, end) in enumerate(zip([0, *cuts], [*cuts, len(talk)], strict=True)):
        lost += 1000 if number % 3 == 2 else 0
        batch = Batch(*(np.array([n]) for n in (0, start + lost, end - start, start)))
        part = slice(start, end)
        found.append(stage.update(batch, talk[part], hold[part], some(heard, part)))
    return np.concatenate(found)


@settings(derandomize=True, deadline=None, max_examples=30)
@given(seed=st.integers(0, 10**6), cuts=st.lists(st.integers(1, 899), max_size=12, unique=True))
def test_neither_ticks_nor_lost_audio_change_whose_speech_it_is(seed, cuts):
    frames = heard_of(seed, 900)
    assert np.array_equal(in_parts(sorted(cuts), *frames), in_parts([], *frames))


@settings(derandomize=True, deadline=None, max_examples=10)
@given(seed=st.integers(0, 10**6))
def test_the_mark_is_the_loudest_talk_that_no_hold_followed_at_once_less_what_was_forgotten(seed):
    talk, hold, heard = heard_of(seed, 700)
    batch = Batch(*(np.array([n]) for n in (0, 0, len(talk), 0)))
    marks = Foreground(1).marks(batch, talk, hold, heard.held_db)
    mark = -1000 * FINE
    for now, found in enumerate(marks.tolist()):
        mark -= STEP * int(talk[now])
        past = now - SURE
        if past >= 0 and talk[past] and not hold[past : now + 1].any():
            mark = max(mark, round(FINE * float(heard.held_db[past])))
        mark = max(mark, -1000 * FINE)
        assert found == mark


def test_the_odds_are_exact_whole_numbers():
    talk, hold, heard = heard_of(0, 500)
    batch = Batch(*(np.array([n]) for n in (0, 0, len(talk), 0)))
    mark = Foreground(1).marks(batch, talk, hold, heard.held_db)
    traits = foreground.traits(mark, heard)
    weights, products = foreground._WHOLE.ravel(), foreground._WHOLE_PRODUCTS
    for column, found in zip(traits.T, foreground.odds(traits), strict=True):
        t = [int(value) for value in column]
        assert t == column.tolist()
        linear = sum(int(w) * a for w, a in zip(weights, t, strict=True))
        square = sum(int(products[i, j]) * t[i] * t[j] for i in range(5) for j in range(5))
        assert int(found) == linear + square + foreground._WHOLE_BIAS


def test_calls_side_by_side_do_not_touch_each_other():
    calls = [heard_of(seed, n) for seed, n in ((1, 400), (2, 900), (3, 650))]
    alone = [in_parts([300], *call) for call in calls]
    stage, found = Foreground(3), [[], [], []]
    for start, end in ((0, 300), (300, 900)):
        ends = [min(end, len(call[0])) for call in calls]
        n = np.array([stop - start for stop in ends])
        batch = Batch(np.arange(3), np.full(3, start), n, np.full(3, start))
        parts = [slice(start, stop) for stop in ends]
        talk, hold = (
            np.concatenate([call[k][part] for call, part in zip(calls, parts, strict=True)])
            for k in (0, 1)
        )
        each = [some(call[2], part) for call, part in zip(calls, parts, strict=True)]
        heard = Heard(*(np.concatenate(column) for column in zip(*each, strict=True)))
        flags = np.split(stage.update(batch, talk, hold, heard), np.cumsum(n)[:-1])
        for own, flag in zip(found, flags, strict=True):
            own.append(flag)
    for own, flags in zip(found, alone, strict=True):
        assert np.array_equal(np.concatenate(own), flags)


def test_a_cleared_slot_begins_anew():
    talk, hold, heard = heard_of(5, 600)
    stage = Foreground(1)
    batch = Batch(*(np.array([n]) for n in (0, 0, 600, 0)))
    first = stage.update(batch, talk, hold, heard)
    stage.clear(0)
    assert np.array_equal(stage.update(batch, talk, hold, heard), first)
    assert not np.array_equal(stage.update(batch, talk, hold, heard), first)
