"""Busy and congestion tones, told by their cadence: whoever hears one has nobody on the line.

One pitch (or two at a time) between 340 and 680 Hz, on as long as off. Ring-back is on for longer
and off for longer still, call waiting is two or three beeps and then nothing for seconds, and the
keys of a telephone sound above 680 Hz as well.

Source:
    ITU-T E.180 supplement 2, "Various tones used in national networks".
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from hackles.config import FRAME_LENGTH, FRAMES_PER_S, HOP_LENGTH
from hackles.features.spectrum import BINS_HZ, total
from hackles.types import AnyArray, Array, Bools

_BAND = slice(*np.searchsorted(BINS_HZ, (340.0, 680.0)).tolist())
_WIDTH = 3
"""Bins to either side of a pitch that hold all of it, as wide as the window makes it."""
_AROUND = np.arange(2 * _WIDTH + 1)
_MOST_REST = np.float32(0.1)
_LEAST_POWER = np.float32(1e-12)

_SHORTEST, _LONGEST = 15, 65
_EDGE_FRAMES = FRAME_LENGTH // HOP_LENGTH - 1
"""Frames that a tone reaches into before it fills one, and after ..."""
_OVER_FRAMES = 2
"""... and by which it seems longer than it is, as a frame counts ..."""
_OFF_DB = 10.0
"""... while it is not so far under the tone: a line has noise, and if that began with the tone
nobody knows yet that it is noise."""
_ALIKE_FRAMES, _ALIKE_HZ, _ALIKE_DB = 4, 15.0, 3.0
_OFF_SHARE = 0.15
_LEAST_PULSES = 3
_LEAST_FRAMES = 2 * FRAMES_PER_S
_KEPT_FRAMES = 2 * _LONGEST


class Tones(NamedTuple):
    """Frames as a busy tone is told by them; arrays of shape (n_frames,).

    Attributes:
        loud: something sounds.
        pure: it is nothing but one pitch, or two, such as those of busy and ring-back tones.
        centre_hz: of the power in their band.
        level_db: of all power.
    """

    loud: Bools
    pure: Bools
    centre_hz: Array
    level_db: Array

    def part(self, frames: slice) -> "Tones":
        """Return some of the frames."""
        some: list[AnyArray] = [column[frames] for column in self]
        return Tones(*some)


def tones(loud: Bools, power: Array, level_db: Array) -> Tones:
    """Return what tells a busy tone.

    Args:
        loud: which frames stand out.
        power: as `spectrum.power_spectrum`.
        level_db: of each frame.
    """
    whole = np.maximum(total(power), _LEAST_POWER)
    band = np.pad(power[:, _BAND], ((0, 0), (_WIDTH, _WIDTH)))
    inside = band[:, _WIDTH:-_WIDTH]
    centre_hz = np.einsum("ij,j->i", inside, BINS_HZ[_BAND])
    centre_hz /= np.maximum(total(inside), _LEAST_POWER)
    rest, rows = whole.copy(), np.arange(len(band))[:, None]
    for _ in range(2):
        near = inside.argmax(axis=1)[:, None] + _AROUND
        rest -= band[rows, near].sum(axis=1)
        band[rows, near] = 0.0
    return Tones(loud, loud & (rest < _MOST_REST * whole), centre_hz, level_db)


@dataclass(frozen=True, slots=True)
class _Pulse:
    """A stretch of sound between two of silence: frames `first` up to `after`."""

    first: int
    after: int
    tone: bool
    centre_hz: float
    level_db: float

    @property
    def length(self) -> int:
        """Return how long it sounds, in frames."""
        return self.after - self.first - _OVER_FRAMES

    def follows(self, other: "_Pulse") -> bool:
        """Return whether this is the next of one tone, which is off as long as on.

        Every third pause in Spain's congestion tone is three times as long.
        """
        off = self.first - other.after + _OVER_FRAMES
        unlike = min(abs(off - self.length), abs(off - 3 * self.length))
        return (
            self.tone
            and other.tone
            and unlike <= max(_ALIKE_FRAMES, _OFF_SHARE * self.length)
            and abs(self.length - other.length) <= _ALIKE_FRAMES
            and abs(self.centre_hz - other.centre_hz) <= _ALIKE_HZ
            and abs(self.level_db - other.level_db) <= _ALIKE_DB
        )


class BusyTone:
    """Hears one call's frames, and tells when a busy tone has come two or three times."""

    def __init__(self) -> None:
        """Start with nothing heard."""
        self._train: list[_Pulse] = []
        self._rest: Tones | None = None
        """The sound that has not come to its end."""
        self._tone_db = -np.inf
        """Level of the last pure frame."""

    def hear(self, frame: int, new: Tones) -> int | None:
        """Return the hop in which a busy tone began, once it is one.

        Args:
            frame: the first new one's place on the clock; they follow those of before.
            new: of the new frames.
        """
        new = self._over_noise(new)
        if self._rest is not None:
            frame -= len(self._rest.loud)
            both: list[AnyArray] = [np.concatenate(p) for p in zip(self._rest, new, strict=True)]
            new = Tones(*both)
        edges = np.flatnonzero(np.diff(new.loud, prepend=False, append=False))
        for first, after in edges.reshape(-1, 2).tolist():
            if after == len(new.loud):
                first = max(first, after - _KEPT_FRAMES)
                self._rest = new.part(slice(first, None))
                return None
            self._add(_pulse(frame, slice(first, after), new))
            if self._is_busy():
                return self._train[0].first + _EDGE_FRAMES
        self._rest = None
        return None

    def _over_noise(self, new: Tones) -> Tones:
        """Return the frames, those not loud that are far under the tone before them."""
        before = np.concatenate([[self._tone_db], np.where(new.pure, new.level_db, np.nan)])
        last = np.maximum.accumulate(np.where(np.isnan(before), 0, np.arange(len(before))))
        tone_db = before[last]
        self._tone_db = float(tone_db[-1])
        return new._replace(loud=new.loud & (new.level_db > tone_db[1:] - _OFF_DB))

    def _add(self, pulse: _Pulse) -> None:
        if not (self._train and pulse.follows(self._train[-1])):
            self._train = []
        self._train.append(pulse)

    def _is_busy(self) -> bool:
        lasting = self._train[-1].after - self._train[0].first
        return len(self._train) >= _LEAST_PULSES and lasting >= _LEAST_FRAMES


def _pulse(frame: int, where: slice, heard: Tones) -> _Pulse:
    """Return a stretch of sound; `frame` is the place on the clock of what was heard first."""
    within = slice(where.start + _EDGE_FRAMES, where.stop - _EDGE_FRAMES)
    own = heard.part(within)
    tone = (
        _SHORTEST <= where.stop - where.start - _OVER_FRAMES <= _LONGEST
        and bool(own.pure.all())
        and float(np.ptp(own.centre_hz)) <= _ALIKE_HZ
        and float(np.ptp(own.level_db)) <= _ALIKE_DB
    )
    middle: AnyArray = np.median([own.centre_hz, own.level_db], axis=1) if tone else np.zeros(2)
    return _Pulse(frame + where.start, frame + where.stop, tone, *middle.tolist())
