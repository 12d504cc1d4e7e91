"""Descriptors that need the frames before: which octave a pitch lies in, and flux.

They look at the past alone, and only so far, so they are the same however the samples were cut.
"""

import numpy as np

from hackles.features import LLD, Described, Pitches
from hackles.features.pitch import N_VOTES, VOTE_FRAMES
from hackles.features.spectrum import N_MELS, flux_db
from hackles.framing import Batch
from hackles.types import AnyArray, Array, Ints

_BACK = np.arange(1, VOTE_FRAMES + 1)
_NOT_DESCRIBED = -1


class Following:
    """The last votes, and the last frame's bands, of every call."""

    def __init__(self, n_slots: int, max_frames: int) -> None:
        """Make room for the votes of `max_frames` new frames of each call."""
        self._length = VOTE_FRAMES + max_frames
        self._votes: AnyArray = np.zeros((n_slots, self._length, N_VOTES), dtype=np.int16)
        self._mel_db: Array = np.zeros((n_slots, N_MELS), dtype=np.float32)
        self._next: Ints = np.full(n_slots, _NOT_DESCRIBED, dtype=np.int64)
        """The frame that follows on the clock the last one, if that was described."""

    def clear(self, slot: int) -> None:
        """Forget a call."""
        self._votes[slot] = 0
        self._mel_db[slot] = 0.0
        self._next[slot] = _NOT_DESCRIBED

    def finish(self, batch: Batch, found: Described) -> Array:
        """Return all descriptors of the new frames, shape (n_frames, N_LLDS), flat.

        Args:
            batch: whose frames they are.
            found: what was described of them; finished in place.
        """
        llds, voiced = found.llds, found.pitches.frame
        llds[voiced, LLD["f0_st"]] = found.pitches.f0_st(self._heard(batch, found.pitches))
        self._flux(batch, found)
        return llds

    def _heard(self, batch: Batch, pitches: Pitches) -> AnyArray:
        """Return the sum of the votes before each voiced frame, and keep the new ones."""
        slot = np.repeat(batch.slots, batch.counts)
        place = (batch.taken[:, None] + np.arange(batch.width))[batch.inside] % self._length
        self._votes[slot, place] = 0
        slot, place = slot[pitches.frame], place[pitches.frame]
        self._votes[slot, place] = pitches.votes
        earlier = self._votes[slot[:, None], (place[:, None] - _BACK) % self._length]
        result: AnyArray = earlier.sum(axis=1, dtype=np.int32)
        return result

    def _flux(self, batch: Batch, found: Described) -> None:
        """Write the flux of frames that follow a described one."""
        frame, mel_db = found.frame, found.mel_db
        after = np.cumsum(batch.counts)
        first, last = after - batch.counts, after - 1
        # The first frame of a call in this tick follows the last of the tick before.
        n_described = len(frame)
        at = np.searchsorted(frame, first)
        here = at < n_described
        here[here] = frame[at[here]] == first[here]
        begins = np.zeros(n_described, dtype=np.bool_)
        begins[at[here]] = True
        follows = np.flatnonzero((frame[1:] - frame[:-1] == 1) & ~begins[1:]) + 1
        column = LLD["flux_db"]
        found.llds[frame[follows], column] = flux_db(mel_db[follows], mel_db[follows - 1])
        here &= self._next[batch.slots] == batch.first_frame
        slots = batch.slots[here]
        found.llds[first[here], column] = flux_db(mel_db[at[here]], self._mel_db[slots])
        at = np.minimum(np.searchsorted(frame, last), max(n_described - 1, 0))
        ends = frame[at] == last if n_described else np.zeros(len(last), dtype=np.bool_)
        self._mel_db[batch.slots[ends]] = mel_db[at[ends]]
        self._next[batch.slots] = np.where(ends, batch.first_frame + batch.counts, _NOT_DESCRIBED)
