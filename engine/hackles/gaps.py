"""Stretches of a call in which there was nothing to score, and why."""

import numpy as np

from hackles.activity import Activity
from hackles.config import FRAMES_PER_S
from hackles.framing import Batch
from hackles.types import AnyArray, Ints, Reason

REASONS = tuple(Reason)
_CODE = {reason: code for code, reason in enumerate(REASONS)}
_NOTHING = -1

_SHORTEST: dict[Reason, int] = {
    Reason.SILENCE: 10 * FRAMES_PER_S,
    Reason.MUSIC: 1 * FRAMES_PER_S,
    Reason.TONE: FRAMES_PER_S // 4,
}


def code_of(reason: Reason) -> int:
    """Return the number that stands for a reason in arrays."""
    return _CODE[reason]


class Stretches:
    """What each call has been doing, and since when, where that is not speech."""

    def __init__(self, n_slots: int) -> None:
        """Start every call with speech, so that a silent start counts as silence."""
        self._code: Ints = np.full(n_slots, _NOTHING, dtype=np.int64)
        self._since: Ints = np.zeros(n_slots, dtype=np.int64)
        self._shortest: Ints = np.full(len(REASONS) + 1, 2**62, dtype=np.int64)
        for reason, frames in _SHORTEST.items():
            self._shortest[_CODE[reason]] = frames

    def clear(self, slot: int) -> None:
        """Forget a call."""
        self._code[slot] = _NOTHING
        self._since[slot] = 0

    def update(self, batch: Batch, activity: Activity) -> tuple[AnyArray, ...]:
        """Return the stretches that ended: slot, reason code, first frame, frame after the last."""
        code = np.full(activity.speech.shape, _CODE[Reason.SILENCE], dtype=np.int64)
        code[activity.speech] = _NOTHING
        code[activity.music] = _CODE[Reason.MUSIC]
        code[activity.tone] = _CODE[Reason.TONE]
        before = np.concatenate([self._code[batch.slots][:, None], code[:, :-1]], axis=1)
        change = (code != before) & batch.inside
        start = np.where(change, batch.frame, -1)
        start = np.concatenate([self._since[batch.slots][:, None], start], axis=1)
        since = np.maximum.accumulate(start, axis=1)
        rows, columns = np.nonzero(change)
        ended = before[rows, columns], since[rows, columns], batch.frame[rows, columns]
        final = np.arange(len(batch.slots)), batch.counts
        self._since[batch.slots] = since[final]
        self._code[batch.slots] = code[final[0], batch.counts - 1]
        long = ended[2] - ended[1] >= self._shortest[ended[0]]
        return tuple(column[long] for column in (batch.slots[rows], *ended))

    def rest(self, slot: int, frame: int) -> list[tuple[int, int]]:
        """Return (reason code, first frame) of the stretch that lasts at the end of a call."""
        code, since = int(self._code[slot]), int(self._since[slot])
        return [(code, since)] if frame - since >= self._shortest[code] else []
