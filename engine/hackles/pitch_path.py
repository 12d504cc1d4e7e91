"""The path of each call's pitch: what the frames before say of the next.

It looks at the past alone, and only so far, so the path is the same however the samples were cut.
"""

import numpy as np

from hackles.features import LLD, Pitches
from hackles.features.pitch import N_VOTES, VOTE_FRAMES
from hackles.framing import Batch
from hackles.types import AnyArray, Array

_BACK = np.arange(1, VOTE_FRAMES + 1)


class PitchPath:
    """The last votes of every call, in rings."""

    def __init__(self, n_slots: int, max_frames: int) -> None:
        """Make room for the votes of `max_frames` new frames of each call."""
        self._length = VOTE_FRAMES + max_frames
        self._votes: AnyArray = np.zeros((n_slots, self._length, N_VOTES), dtype=np.int16)

    def clear(self, slot: int) -> None:
        """Forget a call."""
        self._votes[slot] = 0

    def follow(self, batch: Batch, llds: Array, pitches: Pitches) -> None:
        """Write F0 into the descriptors of the voiced frames.

        Args:
            batch: whose frames they are.
            llds: shape (n_frames, N_LLDS), flat.
            pitches: of the voiced ones.
        """
        slot = np.repeat(batch.slots, batch.counts)
        place = (batch.taken[:, None] + np.arange(batch.width))[batch.inside] % self._length
        self._votes[slot, place] = 0
        slot, place = slot[pitches.frame], place[pitches.frame]
        self._votes[slot, place] = pitches.votes
        earlier = self._votes[slot[:, None], (place[:, None] - _BACK) % self._length]
        heard = earlier.sum(axis=1, dtype=np.int32)
        llds[pitches.frame, LLD["f0_st"]] = pitches.f0_st(heard)
