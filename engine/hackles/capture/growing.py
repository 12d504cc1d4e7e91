"""A recording that is still being written: where its samples lie, and those that are new.

The length in the header of a WAV is what its writer knew last: nothing, a placeholder, or how
much there was a while ago. The file's own length is what counts, unless the header's is followed
by something else than sound.
"""

import io
import os
import struct
from dataclasses import dataclass
from typing import Final

from hackles.capture.bare import BareSamples, Coding, Form
from hackles.capture.headers import is_chunk
from hackles.config import SAMPLE_RATE
from hackles.types import Array

HEAD_BYTES: Final = 2**16
"""A WAV's samples begin within so much, or it is read when it is whole."""

_RAW: Final[dict[str, tuple[Coding, int]]] = {
    **dict.fromkeys((".ulaw", ".ul", ".ulw", ".mu"), ("ulaw", 8000)),
    **dict.fromkeys((".alaw", ".al", ".alw"), ("alaw", 8000)),
    **dict.fromkeys((".sln", ".slin"), ("slin", 8000)),
    **{f".sln{khz}": ("slin", 1000 * khz) for khz in (8, 12, 16, 24, 32, 48, 96, 192)},
    ".sln44": ("slin", 44_100),
}
"""Endings that Asterisk gives to bare samples, of one channel."""

_CODINGS: Final[dict[tuple[int, int], Coding]] = {
    (1, 16): "slin",
    (6, 8): "alaw",
    (7, 8): "ulaw",
}
"""By a WAV's format and its bits in a sample."""

_EXTENSIBLE: Final = 0xFFFE


@dataclass(frozen=True, slots=True)
class Layout:
    """Where samples lie in a file.

    Attributes:
        form: how they are written; `column` is not known here.
        start: the first byte.
        length_at: where the header states how many bytes there are; None without a header.
    """

    form: Form
    start: int = 0
    length_at: int | None = None


def is_raw_name(name: str) -> bool:
    """Return whether a file's ending says that it holds bare samples."""
    return _ending(name) in _RAW


def layout_of(name: str, head: bytes) -> Layout | None:
    """Return where the samples lie, or None if that cannot be told (yet).

    Args:
        name: of the file.
        head: its first bytes, at most `HEAD_BYTES`.
    """
    if is_raw_name(name):
        return Layout(Form(*_RAW[_ending(name)]))
    if head[:4] != b"RIFF" or head[8:12] != b"WAVE":
        return None
    form: Form | None = None
    position = 12
    while position + 8 <= len(head):
        title, length = struct.unpack_from("<4sI", head, position)
        if title == b"data":
            return None if form is None else Layout(form, position + 8, position + 4)
        if title == b"fmt ":
            form = _wav_form(head[position + 8 : position + 8 + length])
        position += 8 + length + length % 2
    return None


def _ending(name: str) -> str:
    return os.path.splitext(name)[1].lower()


def _wav_form(described: bytes) -> Form | None:
    """Return the form that a WAV's format chunk describes, if it is one that can be read here."""
    if len(described) < 16:
        return None
    kind, n_channels, sample_rate, _, frame_bytes, bits = struct.unpack_from("<HHIIHH", described)
    if kind == _EXTENSIBLE and len(described) >= 26:
        (kind,) = struct.unpack_from("<H", described, 24)
    coding = _CODINGS.get((kind, bits))
    if coding is None or not n_channels:
        return None
    form = Form(coding, sample_rate, n_channels)
    return form if form.frame_bytes == frame_bytes else None


class GrowingRecording:
    """The customer's samples of a file, as far as it has been written.

    Attributes:
        is_ended: whether somebody said that it grows no more.
        was_cut: whether the file lost what had been read of it, and more cannot be told.
    """

    def __init__(self, path: str, layout: Layout, column: int) -> None:
        """Open a file; the customer is in a column, from 0.

        Raises:
            OSError: if it cannot be opened.
        """
        self._file = io.FileIO(path)
        self._layout = layout
        form = layout.form
        self._form = Form(form.coding, form.sample_rate, form.n_channels, column)
        self._samples = BareSamples(self._form)
        self._position = layout.start
        self.is_ended = False
        self.was_cut = False

    def take(self, n_samples: int) -> Array:
        """Return the customer's next samples at the engine's rate, at most so many.

        Raises:
            OSError: if the file cannot be read.
        """
        size = self.size
        self.was_cut = self.was_cut or size < self._position
        if not self.was_cut and not self.is_ended and len(self._samples) < n_samples:
            room = min(self._form.bytes_for(n_samples), self._limit(size) - self._position)
            data = os.pread(self._file.fileno(), max(0, room), self._position)
            self._position += len(data)
            self._samples.push(data)
        return self._samples.take(n_samples)

    def skip_to(self, n_samples: int) -> int:
        """Pass over all but about the last samples; return about how many that were."""
        frame_bytes = self._form.frame_bytes
        # A position within a frame belongs to the bytes that wait for the rest of it.
        ahead = self._limit(self.size) - self._position - self._form.bytes_for(n_samples)
        passed = max(0, ahead // frame_bytes)
        self._position += passed * frame_bytes
        return passed * SAMPLE_RATE // self._form.sample_rate + self._samples.keep(n_samples)

    def end(self) -> None:
        """Say that the file grows no more: what was held back is let go."""
        if not self.is_ended:
            self.is_ended = True
            self._samples.end()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    @property
    def size(self) -> int:
        """Bytes of the file."""
        return os.fstat(self._file.fileno()).st_size

    @property
    def is_removed(self) -> bool:
        """Whether nobody can find the file any longer."""
        return os.fstat(self._file.fileno()).st_nlink == 0

    @property
    def is_read(self) -> bool:
        """Whether all that is there has been taken."""
        is_at_end = self.is_ended or self.was_cut or self._position >= self._limit(self.size)
        return is_at_end and not len(self._samples)

    def _limit(self, size: int) -> int:
        """Return where the samples end, in a file of `size` bytes."""
        layout = self._layout
        if layout.length_at is None:
            return size
        said = os.pread(self._file.fileno(), 4, layout.length_at)
        stated = layout.start + int.from_bytes(said, "little")
        for end in (stated, stated + stated % 2):
            if layout.start < end < size and is_chunk(os.pread(self._file.fileno(), 8, end), size):
                return stated
        return size
