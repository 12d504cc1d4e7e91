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


def test_a_broken_sample_does_not_deafen_the_call():
    samples = customer("en_rising_1")
    for broken in (np.nan, np.inf, 1e20):
        spoilt = samples.copy()
        spoilt[20 * 8000] = broken
        events = run(spoilt)
        assert [e.state for e in events if e.type == "alert"]
        assert all(np.isfinite(e.irritation) for e in events if isinstance(e, Reading))


def test_speech_beyond_the_reach_of_a_window_is_not_part_of_it():
    samples = customer("en_rising_1")
    speech = next(e for e in run(samples) if isinstance(e, Reading)).time
    bit = samples[int((speech - 0.8) * 8000) : int(speech * 8000)]
    noise = (np.random.default_rng(0).standard_normal(40 * 8000) * 1e-3).astype(np.float32)
    events = run(
        np.concatenate([noise[:16000], bit, noise[: 32 * 8000], bit[:4000], noise[:16000]])
    )
    for event in events:
        if isinstance(event, Reading):
            assert not 30 < event.time < 40 or event.confidence < 0.5


def test_a_turn_that_ends_in_lost_audio_is_read_all_the_same():
    samples = customer("en_rising_1")
    first = next(e for e in run(samples) if isinstance(e, Reading)).time
    end = int((first + 0.75) * 8000)
    pipeline = CallPipeline()
    before = pipeline.push(Block(samples[:end], 0))
    quiet = (np.random.default_rng(0).standard_normal(3 * 8000) * 1e-3).astype(np.float32)
    after = pipeline.push(Block(quiet, end + 8000))
    readings = [[e for e in some if isinstance(e, Reading)] for some in (before, after)]
    assert len(readings[0]) == 1
    assert len(readings[1]) == 1


def test_gaps_do_not_overlap_around_lost_audio():
    quiet = np.full(2 * 8000, 1e-4, np.float32)
    pipeline = CallPipeline()
    events = pipeline.push(Block(quiet, 0))
    events += pipeline.push(Block(quiet[:400], 20 * 8000))
    events += pipeline.flush()
    assert [e.reason for e in events] == [Reason.LOST_AUDIO, Reason.TOO_LITTLE_SPEECH]


def test_a_clipped_call_is_clipped_and_not_too_little_speech():
    events = run(np.clip(customer("en_rising_1") * 200, -1, 1).astype(np.float32))
    reasons = [e.reason for e in events if isinstance(e, Gap)]
    assert Reason.TOO_LITTLE_SPEECH not in reasons


def test_after_its_flush_a_call_takes_nothing_more():
    pipeline = CallPipeline()
    pipeline.push(Block(np.zeros(8000, np.float32), 0))
    pipeline.flush()
    with pytest.raises(UsageError, match="no call in slot"):
        pipeline.push(Block(np.zeros(8000, np.float32), 8000))
    with pytest.raises(UsageError, match="no call in slot"):
        pipeline.flush()


def test_a_slot_can_be_closed_once_and_a_late_packet_reaches_nobody():
    bank = Bank(2, default_classifier())
    slot = bank.open(Role.CUSTOMER)
    bank.close(slot)
    with pytest.raises(UsageError, match="closed already"):
        bank.close(slot)
    with pytest.raises(UsageError, match="no call in slot"):
        bank.push(slot, Block(np.zeros(160, np.float32), 0))
    assert bank.open(Role.CUSTOMER) != bank.open(Role.CUSTOMER)


def test_regular_loss_does_not_deafen_a_call():
    """One packet in five missing, always at the same place in a tenth of a second."""
    burst = np.sign(np.sin(np.arange(1600))).astype(np.float32)
    samples = np.concatenate([burst, np.float32(0.1) * customer("en_rising_1")[5 * 8000 :]])
    pipeline, events = CallPipeline(), []
    for at in range(0, len(samples), 800):
        events += pipeline.push(Block(samples[at : at + 640], at))
    readings = [event for event in events + pipeline.flush() if event.type == "reading"]
    assert len(readings) > 15
