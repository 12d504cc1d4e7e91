"""One call, from samples to events."""

import numpy as np
import pytest

from hackles.bank import Bank
from hackles.classifier import default_classifier
from hackles.errors import RoleError, UsageError
from hackles.pipeline import CallPipeline
from hackles.types import Block, Gap, Reading, Reason, Role
from tests.conftest import customer
from tests.events import assert_same, run


@pytest.mark.parametrize("role", [Role.AGENT, Role.MIXED, Role.UNKNOWN])
def test_nobody_but_the_customer_can_be_scored(role):
    with pytest.raises(RoleError, match="name the channel that holds the customer alone"):
        CallPipeline(role=role)


def test_a_full_bank_says_so():
    bank = Bank(1, default_classifier())
    bank.open(Role.CUSTOMER)
    with pytest.raises(UsageError, match="slots are taken"):
        bank.open(Role.CUSTOMER)


def test_a_call_without_samples_is_too_little_speech():
    assert run(np.zeros(0, np.float32)) == [Gap(0.0, 0.0, Reason.TOO_LITTLE_SPEECH)]


def test_digital_silence_is_a_gap_and_never_a_reading():
    events = run(np.zeros(30 * 8000, np.float32))
    assert {event.type for event in events} == {"gap"}
    assert {event.reason for event in events} == {Reason.SILENCE, Reason.TOO_LITTLE_SPEECH}


def test_white_noise_gives_no_reading():
    rng = np.random.default_rng(0)
    events = run((rng.standard_normal(30 * 8000) * 0.05).astype(np.float32))
    assert not [event for event in events if isinstance(event, Reading)]


def test_half_a_second_of_speech_gives_a_last_reading_with_lower_confidence():
    samples = customer("en_rising_1")
    whole = [e for e in run(samples) if isinstance(e, Reading)]
    # Cut in mid-turn, 0.6 s of speech after a reading.
    short = samples[: int((whole[3].time + 0.7) * 8000)]
    pushed = [e for e in run(short, flush=False) if isinstance(e, Reading)]
    flushed = [e for e in run(short) if isinstance(e, Reading)]
    assert len(flushed) == len(pushed) + 1
    assert flushed[-1].time == pytest.approx(len(short) / 8000, abs=1e-3)
    assert flushed[-1].confidence < pushed[-1].confidence


def test_lost_audio_is_a_gap_and_time_goes_on():
    samples = customer("en_rising_1")[: 60 * 8000]
    lost = slice(20 * 8000, 25 * 8000 + 37)
    pipeline = CallPipeline()
    events = pipeline.push(Block(samples[: lost.start], 0))
    events += pipeline.push(Block(samples[lost.stop :], lost.stop))
    events += pipeline.flush()
    gaps = [e for e in events if isinstance(e, Gap) and e.reason is Reason.LOST_AUDIO]
    assert [(gap.since, gap.time) for gap in gaps] == [(20.0, round(lost.stop / 8000, 4))]
    assert pipeline.duration_s == 60.0
    assert not [e for e in events if isinstance(e, Reading) and 20.1 < e.time < 25]
    assert [e.time for e in events] == sorted(e.time for e in events)


def test_how_blocks_are_cut_does_not_matter_around_lost_audio():
    samples = customer("es_rising_1")[: 30 * 8000]

    def lossy(length):
        pipeline = CallPipeline()
        events = []
        for start in range(0, len(samples), length):
            for at in range(start, min(start + length, len(samples)), 400):
                if at // 400 % 50:  # every fiftieth of 50 ms is lost
                    events += pipeline.push(Block(samples[at : at + 400], at))
        return events + pipeline.flush()

    assert_same(lossy(400), lossy(8000))


def test_samples_that_come_twice_are_heard_once():
    samples = customer("en_rising_1")[: 20 * 8000]
    pipeline = CallPipeline()
    events = []
    for start in range(0, len(samples), 1600):
        events += pipeline.push(Block(samples[start : start + 1600], start))
        events += pipeline.push(Block(samples[start : start + 800], start))
    assert_same(events + pipeline.flush(), run(samples))


def test_clipped_speech_is_withheld():
    samples = np.clip(customer("en_rising_1") * 200, -1, 1).astype(np.float32)
    events = run(samples)
    assert Reason.CLIPPING in {event.reason for event in events if isinstance(event, Gap)}
    assert not [event for event in events if isinstance(event, Reading)]


def test_every_number_in_an_event_is_finite(sample):
    for event in run(customer(sample)):
        if isinstance(event, Reading):
            assert np.isfinite([event.irritation, event.arousal, event.confidence]).all()
            assert 0 <= event.irritation <= 1
            assert 0 <= event.confidence <= 1
