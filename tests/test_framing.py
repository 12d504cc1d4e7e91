"""Samples to frames: the same frames however the samples were cut, and no frame across a loss."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hackles.config import FRAME_LENGTH, HOP_LENGTH
from hackles.framing import Batch, SampleRing


def ramp(n_samples: int, slot: int = 0) -> np.ndarray:
    """Return samples that tell their own position and call."""
    return np.arange(n_samples, dtype=np.float32) + np.float32(1_000_000 * slot)


def cut(samples: np.ndarray) -> np.ndarray:
    """Return all whole frames, one by one."""
    starts = range(0, len(samples) - FRAME_LENGTH + 1, HOP_LENGTH)
    frames = [samples[at : at + FRAME_LENGTH] for at in starts]
    return np.array(frames, dtype=np.float32).reshape(-1, FRAME_LENGTH)


def take(ring: SampleRing) -> tuple[Batch, np.ndarray]:
    """Take the new frames, and gather them, two at a time."""
    batch, frames = ring.take()
    parts = [frames[at : at + 2] for at in range(0, len(frames), 2)]
    return batch, np.concatenate([np.zeros((0, FRAME_LENGTH), dtype=np.float32), *parts])


def drain(ring: SampleRing, into: dict[int, list[np.ndarray]]) -> None:
    """Take until nothing is pending, and put each call's frames where they belong."""
    while any(ring.pending(slot) for slot in into):
        batch, frames = take(ring)
        assert frames.shape == (batch.counts.sum(), FRAME_LENGTH)
        ends = np.cumsum(batch.counts)[:-1]
        for slot, first, own in zip(
            batch.slots, batch.first_frame, np.split(frames, ends), strict=True
        ):
            assert first == sum(len(part) for part in into[slot])
            into[slot].append(own)


@settings(derandomize=True, deadline=None, max_examples=150)
@given(
    pieces=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 1500), st.booleans()), max_size=25),
    max_frames=st.integers(1, 12),
)
def test_any_cutting_gives_the_same_frames(pieces, max_frames):
    """Three calls, pieces of any length, ticks at any time, a ring that is often full."""
    ring = SampleRing(3, max_frames)
    heard, frames = [0, 0, 0], {0: [], 1: [], 2: []}
    for slot, length, tick in pieces:
        new = ramp(heard[slot] + length, slot)[heard[slot] :]
        while len(new):
            done = ring.write(slot, new)
            heard[slot], new = heard[slot] + done, new[done:]
            if len(new):
                drain(ring, frames)
        if tick:
            drain(ring, frames)
        assert ring.heard[slot] == heard[slot]
    drain(ring, frames)
    for slot, own in frames.items():
        expected = cut(ramp(heard[slot], slot))
        assert np.array_equal(np.concatenate([np.zeros((0, FRAME_LENGTH)), *own]), expected)


def test_a_full_ring_takes_no_more_and_loses_nothing():
    ring = SampleRing(1, 5)
    samples = ramp(10_000)
    first = ring.write(0, samples)
    assert FRAME_LENGTH + 4 * HOP_LENGTH <= first < len(samples)
    assert ring.write(0, samples[first:]) == 0
    batch, frames = take(ring)
    assert batch.counts.tolist() == [5]
    assert np.array_equal(frames, cut(samples[:first])[:5])
    assert ring.write(0, samples[first:]) > 0


@pytest.mark.parametrize("n_samples", [0, 1, 319, 320, 399, 400])
def test_a_frame_is_pending_once_it_is_whole(n_samples):
    ring = SampleRing(1, 10)
    ring.write(0, ramp(n_samples))
    assert ring.pending(0) == (n_samples >= FRAME_LENGTH)
    batch, frames = take(ring)
    assert len(frames) == batch.counts.sum() == max(0, (n_samples - 320) // 80 + 1)
    assert not ring.pending(0)


@settings(derandomize=True, deadline=None, max_examples=150)
@given(
    before=st.integers(0, 3000),
    lost=st.integers(1, 20_000),
    after=st.integers(0, 3000),
    max_frames=st.integers(1, 12),
)
def test_no_frame_spans_what_was_lost(before, lost, after, max_frames):
    ring = SampleRing(1, max_frames)
    samples = ramp(before + lost + after)
    found = []

    def feed(new: np.ndarray) -> None:
        while True:
            new = new[ring.write(0, new) :]
            while ring.pending(0):
                batch, frames = take(ring)
                found.extend(zip(batch.frame[0].tolist(), frames, strict=True))
            if not len(new):
                return

    feed(samples[:before])
    position = before + lost
    ring.skip_to(0, position)
    assert not ring.pending(0)
    feed(samples[position:])
    starts = [
        at
        for at in range(0, len(samples) - FRAME_LENGTH + 1, HOP_LENGTH)
        if at + FRAME_LENGTH <= before or at >= position
    ]
    assert [frame * HOP_LENGTH for frame, _ in found] == starts
    for start, (_, frame) in zip(starts, found, strict=True):
        assert np.array_equal(frame, samples[start : start + FRAME_LENGTH])


def test_clearing_begins_a_new_call_and_leaves_the_others():
    ring = SampleRing(2, 10)
    for slot in (0, 1):
        ring.write(slot, ramp(500, slot))
    ring.clear(0)
    assert ring.heard.tolist() == [0, 500]
    ring.write(0, ramp(320, 7))
    batch, frames = take(ring)
    assert batch.slots.tolist() == [0, 1]
    assert batch.first_frame.tolist() == [0, 0]
    assert np.array_equal(frames, np.concatenate([cut(ramp(320, 7)), cut(ramp(500, 1))]))


@settings(derandomize=True, deadline=None)
@given(counts=st.lists(st.integers(1, 9), min_size=1, max_size=6))
def test_padding_sets_each_call_in_a_row(counts):
    n = len(counts)
    batch = Batch(np.arange(n), np.arange(n) * 100, np.array(counts), np.zeros(n, dtype=np.int64))
    flat = np.arange(1, sum(counts) + 1)
    padded = batch.pad(flat)
    assert padded.shape == (n, max(counts)) == (n, batch.width)
    assert np.array_equal(padded[batch.inside], flat)
    assert not padded[~batch.inside].any()
    assert np.array_equal(batch.frame[:, 0], batch.first_frame)
