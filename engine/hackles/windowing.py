"""Windows of the customer's speech: when a reading is due, and what it covers.

Windows are counted in speech frames, not on the clock. A reading is due with every second of
new speech, and where a turn ends with at least half a second of it. A window never reaches
over a hold (music, a tone) and never further back than 30 s.
"""

from dataclasses import dataclass, fields

import numpy as np

from hackles.activity import Activity
from hackles.config import (
    MIN_READING_FRAMES,
    READING_FRAMES,
    TURN_END_FRAMES,
    WINDOW_FRAMES,
    WINDOW_REACH_FRAMES,
)
from hackles.features import N_CONTOURS, N_LLDS
from hackles.framing import Batch
from hackles.types import AnyArray, Array, Bools, Ints

_NEVER = -(10**9)


@dataclass(frozen=True, slots=True)
class Due:
    """Readings that are due; all arrays have shape (n_due,).

    Attributes:
        slot: whose.
        frame: the frame at which it became due.
        end: speech frames of the call up to and including that one.
        origin: speech frames of the call before which the window must not reach.
        fresh: speech frames that no earlier reading has covered.
        round: 0 for a call's first due reading in this tick, 1 for its second, and so on.
    """

    slot: Ints
    frame: Ints
    end: Ints
    origin: Ints
    fresh: Ints
    round: Ints

    def rows(self, chosen: slice) -> "Due":
        """Return some of the rows."""
        return Due(*(getattr(self, field.name)[chosen] for field in fields(self)))


@dataclass(frozen=True, slots=True)
class Windowed:
    """What due readings cover; the first axis is the reading, the second its speech frames.

    Attributes:
        llds: shape (n_due, WINDOW_FRAMES, N_LLDS), oldest first.
        codes: of the contours, shape (n_due, WINDOW_FRAMES, N_CONTOURS).
        frame: shape (n_due, WINDOW_FRAMES), each one's place on the clock.
        snr_db: shape (n_due, WINDOW_FRAMES).
        valid: shape (n_due, WINDOW_FRAMES), which belong to the window.
    """

    llds: Array
    codes: AnyArray
    frame: Ints
    snr_db: Array
    valid: Bools


class Windows:
    """The last seconds of speech of every call."""

    def __init__(self, n_slots: int, max_frames: int) -> None:
        """Make room for a window and `max_frames` new speech frames of each call."""
        self._length = WINDOW_FRAMES + max_frames
        self._llds: Array = np.zeros((n_slots, self._length, N_LLDS), dtype=np.float32)
        self._codes: AnyArray = np.zeros((n_slots, self._length, N_CONTOURS), dtype=np.uint8)
        self._snr: Array = np.zeros((n_slots, self._length), dtype=np.float32)
        self._frame: AnyArray = np.zeros((n_slots, self._length), dtype=np.int32)
        self.spoken: Ints = np.zeros(n_slots, dtype=np.int64)
        """Speech frames of each call so far."""
        self._origin: Ints = np.zeros(n_slots, dtype=np.int64)
        self._read: Ints = np.zeros(n_slots, dtype=np.int64)
        self._last_speech: Ints = np.full(n_slots, _NEVER, dtype=np.int64)

    def clear(self, slot: int) -> None:
        """Forget a call."""
        for array in (self._llds, self._codes, self._snr, self._frame):
            array[slot] = 0
        for array in (self.spoken, self._origin, self._read):
            array[slot] = 0
        self._last_speech[slot] = _NEVER

    def update(
        self,
        batch: Batch,
        llds: Array,
        codes: AnyArray,
        activity: Activity,
        doubt: Bools | None = None,
    ) -> Due:
        """Take in the speech among the new frames and return the readings that became due.

        Args:
            batch: whose frames they are.
            llds: shape (n_frames, N_LLDS), flat.
            codes: of the contours, shape (n_frames, N_CONTOURS), flat.
            activity: what they are.
            doubt: where it came out that what was heard before may not be the customer's, shape
                (n_frames,); nowhere if None.
        """
        slots = batch.slots
        count = self.spoken[slots][:, None] + np.cumsum(activity.speech, axis=1)
        self._store(batch, llds, codes, activity, count)
        heard = np.where(activity.speech, batch.frame, _NEVER)
        heard[:, 0] = np.maximum(heard[:, 0], self._last_speech[slots])
        last_speech = np.maximum.accumulate(heard, axis=1)
        # Not "equal": lost audio may leap over the frame. What was read is not fresh again.
        turn_end = (batch.frame - last_speech >= TURN_END_FRAMES) & batch.inside
        over = activity.music | activity.tone
        hold = np.where(over if doubt is None else over | batch.pad(doubt), count, 0)
        hold[:, 0] = np.maximum(hold[:, 0], self._origin[slots])
        origin = np.maximum.accumulate(hold, axis=1)
        due = self._due(batch, count, origin, activity.speech, turn_end)
        final = (np.arange(len(slots)), batch.counts - 1)
        self.spoken[slots] = count[final]
        self._last_speech[slots] = last_speech[final]
        self._origin[slots] = origin[final]
        return due

    def _store(
        self, batch: Batch, llds: Array, codes: AnyArray, activity: Activity, count: AnyArray
    ) -> None:
        """Write the speech frames into the rings."""
        rows, columns = np.nonzero(activity.speech)
        slots, place = batch.slots[rows], (count[rows, columns] - 1) % self._length
        spoken = activity.speech[batch.inside]
        self._llds[slots, place] = llds[spoken]
        self._codes[slots, place] = codes[spoken]
        self._snr[slots, place] = activity.snr_db[rows, columns]
        self._frame[slots, place] = batch.frame[rows, columns]

    def _due(
        self, batch: Batch, count: AnyArray, origin: AnyArray, speech: Bools, turn_end: Bools
    ) -> Due:
        """Find the due readings: for all calls the first, then for all the second, and so on."""
        rows = np.arange(len(batch.slots))
        read = self._read[batch.slots]
        found: list[tuple[AnyArray, ...]] = []
        while True:
            fresh = count - np.maximum(origin, read[:, None])
            due = speech & (fresh >= READING_FRAMES)
            due |= turn_end & (fresh >= MIN_READING_FRAMES)
            some = rows[due.any(axis=1)]
            if not len(some):
                break
            at = due[some].argmax(axis=1)
            end = count[some, at]
            read[some] = end
            found.append(
                (
                    batch.slots[some],
                    batch.frame[some, at],
                    end,
                    origin[some, at],
                    fresh[some, at],
                    np.full(len(some), len(found)),
                )
            )
        self._read[batch.slots] = read
        columns = [np.concatenate(column) for column in zip(*found, strict=True)]
        return Due(*columns) if found else Due(*[np.zeros(0, dtype=np.int64)] * 6)

    def rest(self, slot: int, frame: int) -> Due:
        """Return the reading that is left at the end of a call, if there is speech for one."""
        end, origin = self.spoken[slot], self._origin[slot]
        fresh = end - max(origin, self._read[slot])
        if fresh < MIN_READING_FRAMES:
            return Due(*[np.zeros(0, dtype=np.int64)] * 6)
        self._read[slot] = end
        return Due(*(np.array([value]) for value in (slot, frame, end, origin, fresh, 0)))

    def gather(self, due: Due) -> Windowed:
        """Return what due readings cover."""
        count = due.end[:, None] - np.arange(WINDOW_FRAMES - 1, -1, -1)
        place = (count - 1) % self._length
        slots = due.slot[:, None]
        frame = self._frame[slots, place].astype(np.int64)
        valid = (count > due.origin[:, None]) & (frame > due.frame[:, None] - WINDOW_REACH_FRAMES)
        return Windowed(
            self._llds[slots, place],
            self._codes[slots, place],
            frame,
            self._snr[slots, place],
            valid,
        )
