"""Stretches of a call in which there was nothing to score, and why."""

import numpy as np

from hackles.activity import Activity
from hackles.config import FRAMES_PER_S
from hackles.framing import Batch
from hackles.types import AnyArray, Bools, Ints, Reason

REASONS = tuple(Reason)
_CODE = {reason: code for code, reason in enumerate(REASONS)}
_NOTHING = -1
_NEVER = -(10**9)

_PAUSE_FRAMES = FRAMES_PER_S // 2
"""An agent who pauses for so long between words has not stopped leaking."""

_SHORTEST: dict[Reason, int] = {
    Reason.SILENCE: 10 * FRAMES_PER_S,
    Reason.MUSIC: 1 * FRAMES_PER_S,
    Reason.TONE: FRAMES_PER_S // 4,
    Reason.AGENT_LEAK: FRAMES_PER_S + _PAUSE_FRAMES,
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
        self._last_speech: Ints = np.full(n_slots, _NEVER, dtype=np.int64)
        self._last_leak: Ints = np.full(n_slots, _NEVER, dtype=np.int64)
        self._shortest: Ints = np.full(len(REASONS) + 1, 2**62, dtype=np.int64)
        for reason, frames in _SHORTEST.items():
            self._shortest[_CODE[reason]] = frames

    def clear(self, slot: int) -> None:
        """Forget a call."""
        self._code[slot] = _NOTHING
        self._since[slot] = 0
        self._last_speech[slot] = self._last_leak[slot] = _NEVER

    def update(self, batch: Batch, activity: Activity) -> tuple[AnyArray, ...]:
        """Return the stretches that ended: slot, reason code, first frame, frame after the last."""
        code = np.full(activity.speech.shape, _CODE[Reason.SILENCE], dtype=np.int64)
        code[self._leaking(batch, activity)] = _CODE[Reason.AGENT_LEAK]
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

    def _leaking(self, batch: Batch, activity: Activity) -> Bools:
        """Return where the agent has leaked within a pause's time, and nobody spoke since."""
        spoke = _last(batch, activity.speech, self._last_speech)
        leaked = _last(batch, activity.leak, self._last_leak)
        result: Bools = (leaked > spoke) & (batch.frame - leaked < _PAUSE_FRAMES)
        return result

    def rest(self, slot: int, frame: int) -> list[tuple[int, int]]:
        """Return (reason code, first frame) of the stretch that lasts at the end of a call."""
        code, since = int(self._code[slot]), int(self._since[slot])
        return [(code, since)] if frame - since >= self._shortest[code] else []


def _last(batch: Batch, flags: Bools, kept: Ints) -> Ints:
    """Return when each frame's call last had a flag; keep what it is at the end in `kept`."""
    at = np.where(flags & batch.inside, batch.frame, _NEVER)
    at[:, 0] = np.maximum(at[:, 0], kept[batch.slots])
    last: Ints = np.maximum.accumulate(at, axis=1)
    kept[batch.slots] = last[:, -1]
    return last
