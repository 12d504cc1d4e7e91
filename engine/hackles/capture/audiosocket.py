"""AudioSocket, Asterisk's own format: the messages of all calls taken apart together.

A message is one byte that says its kind, two that say how many bytes follow (big-endian), and
these. What a tick finds of one need not be whole: the audio that is there is handed on, and a
line remembers how much is to come. So no message is too long for a line's memory, and at most
18 bytes (a name that is not whole) ever wait for more.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import DTypeLike, NDArray

from hackles.types import AnyArray, Array, Bools, Ints

Bytes: TypeAlias = NDArray[np.uint8]

HANG_UP: Final = 0x00
DTMF: Final = 0x03
SLIN: Final = 0x10
ERROR: Final = 0xFF
TOO_MANY: Final = 0x100
"""No message, but what is noted of a line that brings more of them in a tick than any call can."""

_MOST_MESSAGES: Final = 512
"""Each costs a round over all lines: nobody may hold up the others with thousands of empty ones."""

RATES_HZ: Final = dict(
    enumerate((8000, 12_000, 16_000, 24_000, 32_000, 44_100, 48_000, 96_000, 192_000), start=SLIN)
)
"""The kinds that hold audio: 16 bits, little-endian, one channel, at these rates."""

NAME_HEAD: Final = bytes((0x01, 0, 16))
NAME_BYTES: Final = 3 + 16
"""The first message is the call's UUID."""

MAX_READ: Final = 2**16
"""The most bytes that a line can take in a tick; 192 kHz needs 38,400 in 100 ms."""

_MARGIN: Final = 32
"""Bytes kept from the last tick go right before this place, so what comes is always put here."""

_WIDTH: Final = _MARGIN + MAX_READ + 32
"""Bytes from one line to the next: no power of two, or all would share a few sets of the cache."""

_TAIL: Final = np.dtype(f"V{NAME_BYTES - 1}")
"""The most bytes that are ever kept, as one item."""

_IS_AUDIO: Final[Bools] = np.isin(np.arange(256), list(RATES_HZ))
_GOES_ON: Final[Bools] = _IS_AUDIO | np.isin(np.arange(256), (DTMF, ERROR))
"""Kinds with which a line goes on; behind any other there is nothing to be read."""

_DIGITS: Final = "0123456789*#ABCD"
_SCALE: Final = np.float32(1 / 32768)


@dataclass(frozen=True, slots=True)
class Note:
    """A message that is not whole samples alone: another kind, or audio of an odd length.

    Attributes:
        line: which brought it.
        kind: of the message, or `TOO_MANY`.
        digit: the key that was pressed, one of "0123456789*#ABCD"; "" if it tells of none.
    """

    line: int
    kind: int
    digit: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """Where the audio lies in what some lines brought, piece by piece.

    Attributes:
        lines: shape (n_lines,).
        starts: of the pieces, a place in memory each, shape (n_lines, n_pieces).
        sizes: of the pieces in bytes, even, 0 where there is none; the same shape.
        kinds: of the pieces, keys of `RATES_HZ` where there is one; the same shape.
        notes: the messages that somebody must look at, each line's in their order.
    """

    lines: Ints
    starts: Ints
    sizes: Ints
    kinds: Ints
    notes: Sequence[Note]


@dataclass(frozen=True, slots=True)
class Run:
    """Audio that came in messages of one kind.

    Attributes:
        line: which brought it.
        kind: of the messages, a key of `RATES_HZ`.
        length: of the longest message that begins here, in bytes; 0 if none does.
        coded: shape (n_bytes,), of even length.
    """

    line: int
    kind: int
    length: int
    coded: Bytes


class Lines:
    """The bytes of many lines, a row of memory each, and where each stands in its messages."""

    def __init__(self, n_lines: int) -> None:
        """Make room for so many lines, 64 KiB each."""
        self._bytes: Bytes = np.empty(n_lines * _WIDTH, dtype=np.uint8)
        self._heads = _windows(self._bytes, ">u4")
        self._kept: Ints = np.zeros(n_lines, dtype=np.int64)
        self._tails: AnyArray = np.zeros(n_lines, dtype=_TAIL)
        self._kind: Ints = np.zeros(n_lines, dtype=np.int64)
        self._left: Ints = np.zeros(n_lines, dtype=np.int64)

    def clear(self, line: int) -> None:
        """Begin anew."""
        self._kept[line] = self._kind[line] = self._left[line] = 0

    def room(self, line: int, n_bytes: int) -> memoryview:
        """Return where to put a line's next bytes, at most `MAX_READ`; it is always the same."""
        start = line * _WIDTH + _MARGIN
        return self._bytes.data[start : start + n_bytes]

    def waiting(self, line: int, count: int) -> bytes:
        """Return what was kept of a line and the `count` bytes that came now."""
        self._recall(np.array([line]))
        start = line * _WIDTH + _MARGIN
        return self._bytes[start - self._kept[line] : start + count].tobytes()

    def skip(self, line: int, n_bytes: int) -> None:
        """Pass over the first of the bytes that wait."""
        self._kept[line] -= n_bytes

    def keep(self, line: int, count: int) -> None:
        """Leave all that waits of a line, `count` bytes that came now among it, as it is."""
        self._keep(np.array([line]), np.array([count]), self._kept[[line]] + count)

    def _keep(self, lines: Ints, counts: Ints, kept: Ints) -> None:
        """Put the last bytes aside: where they go, there may be samples yet to be taken."""
        ends = lines * _WIDTH + _MARGIN + counts
        self._tails[lines] = _windows(self._bytes, _TAIL)[ends - _TAIL.itemsize]
        self._kept[lines] = kept

    def _recall(self, lines: Ints) -> None:
        """Put the bytes that were kept before those that came."""
        starts = lines * _WIDTH + _MARGIN
        _windows(self._bytes, _TAIL)[starts - _TAIL.itemsize] = self._tails[lines]

    def cut(self, lines: Ints, counts: Ints) -> Found:
        """Find the audio in what came, message by message of all lines at once.

        Args:
            lines: which brought something, shape (n_lines,), each at most once.
            counts: how many bytes, the same shape.
        """
        self._recall(lines)
        ends = lines * _WIDTH + _MARGIN + counts
        at = ends - counts - self._kept[lines]
        kind, left, torn = self._kind[lines], self._left[lines], np.zeros_like(lines)
        pieces: list[tuple[Ints, Ints, Ints]] = []
        notes: list[Note] = []
        for n_messages in itertools.count():
            step = np.minimum(left, ends - at)
            step -= step & 1 & (step != left)  # the two bytes of a sample stay together
            pieces.append((at, np.where(_IS_AUDIO[kind], step & ~1, 0), kind))
            at, left = at + step, left - step
            ready = (left == 0) & (ends - at >= 3)
            if not ready.any():
                break
            if n_messages == _MOST_MESSAGES:
                notes += [Note(line, TOO_MANY) for line in lines[ready].tolist()]
                ends = np.where(ready, at, ends)
                break
            head = self._heads[at]
            kind = np.where(ready, head >> 24, kind)
            left = np.where(ready, head >> 8 & 0xFFFF, left)
            at += 3 * ready
            noted = ready & ~(_IS_AUDIO[kind] & (left & 1 == 0))
            if noted.any():
                is_torn = noted & (kind == DTMF) & (left == 1) & (at == ends)
                torn += 3 * is_torn  # read again when the digit is there
                left[is_torn] = 0
                noted &= ~is_torn
                notes += self._notes(*(of[noted] for of in (lines, kind, left, at)))
                is_last = noted & ~_GOES_ON[kind]
                left[is_last], ends[is_last] = 0, at[is_last]
        self._kind[lines], self._left[lines] = kind, left
        self._keep(lines, counts, ends - at + torn)
        starts, sizes, kinds = (np.stack(of, axis=1) for of in zip(*pieces, strict=True))
        return Found(lines, starts, sizes, kinds, notes)

    def _notes(self, lines: Ints, kinds: Ints, left: Ints, at: Ints) -> Iterator[Note]:
        """Yield what is noted of some messages, by their heads and where they go on."""
        for line, kind, n_bytes, place in zip(
            *(of.tolist() for of in (lines, kinds, left, at)), strict=True
        ):
            digit = chr(self._bytes[place]) if kind == DTMF and n_bytes == 1 else ""
            yield Note(line, kind, digit if digit in _DIGITS else "")

    def runs(self, found: Found, rows: Bools) -> Iterator[Run]:
        """Yield the audio of some rows, shape (n_lines,), one by one; each line's in its order."""
        there = (found.sizes > 0) & rows[:, None]
        row, piece = np.nonzero(there)
        starts, sizes, kinds = (of[there] for of in (found.starts, found.sizes, found.kinds))
        lines, places = found.lines[row], np.cumsum(sizes) - sizes
        # The first piece may be the rest of a message; any other comes right behind a head.
        lengths = np.where(piece > 0, self._heads[starts - 3] >> 8 & 0xFFFF, 0)
        coded = self._gather(starts, sizes).view(np.uint8)
        first = np.flatnonzero(np.diff(lines * 256 + kinds, prepend=-1))
        parts = np.split(coded, places[first][1:])
        columns = lines[first], kinds[first], np.maximum.reduceat(lengths, first)
        for line, kind, length, part in zip(*(of.tolist() for of in columns), parts, strict=False):
            yield Run(line, kind, length, part)

    def samples(self, starts: Ints, sizes: Ints) -> Array:
        """Return the samples of some pieces, one after the other.

        Args:
            starts: shape (n_pieces,).
            sizes: in bytes, even, shape (n_pieces,).

        Returns:
            Shape (sum of sizes / 2,), float32 in [-1, 1).
        """
        samples: Array = self._gather(starts, sizes).view("<i2").astype(np.float32)
        samples *= _SCALE
        return samples

    def _gather(self, starts: Ints, sizes: Ints) -> AnyArray:
        """Return the bytes of some pieces, one after the other.

        They are copied as items of a piece's size: an index for each byte would be far slower.
        """
        if len(sizes) and sizes.min() == sizes.max():
            pieces: AnyArray = _windows(self._bytes, f"V{sizes[0]}")[starts]
            return pieces
        gathered: Bytes = np.empty(sizes.sum(), dtype=np.uint8)
        places = np.cumsum(sizes) - sizes
        by_size = np.argsort(sizes)
        changes = np.flatnonzero(np.diff(sizes[by_size], prepend=0))
        for same in np.split(by_size, changes)[1:]:
            dtype = f"V{sizes[same[0]]}"
            _windows(gathered, dtype)[places[same]] = _windows(self._bytes, dtype)[starts[same]]
        return gathered


def _windows(flat: Bytes, dtype: DTypeLike) -> AnyArray:
    """Return the item of type `dtype` that begins at each byte, shape (n_places,), not copied."""
    size = np.dtype(dtype).itemsize
    return np.ndarray((len(flat) - size + 1,), dtype, flat, strides=(1,))
