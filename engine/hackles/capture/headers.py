"""What the bytes of a file say of its length, where libsndfile would not say it, or say it wrong.

Writers that could not know the length left a 0 or the largest number in its place; files that
were cut keep the length they had.
"""

import io
import re
import struct
from typing import Any, Final

_LENGTH_SLACK_BYTES: Final = 64
"""Some writers count the header into the length of the samples."""

_WAV_HEAD_BYTES: Final = 2**16
_OGG_PAGE_BYTES: Final = 65_307
"""An Ogg page is at most so long (RFC 3533, section 6)."""


class UnfinishedWav(io.FileIO):
    """A WAV whose writer left the length of the samples 0; shows "unknown" in its place."""

    def __init__(self, descriptor: int, length_at: int):
        """Read from `descriptor`, whose four bytes at `length_at` are the length."""
        super().__init__(descriptor, closefd=False)
        self._length_at = length_at

    def readinto(self, buffer: Any) -> int:
        """Read into `buffer` and return how many bytes."""
        start = self.tell()
        n_bytes = super().readinto(buffer) or 0
        view = memoryview(buffer).cast("B")
        for position in range(self._length_at, self._length_at + 4):
            if start <= position < start + n_bytes:
                view[position - start] = 0xFF
        return n_bytes


def missing_length_at(file: io.FileIO, size: int) -> int | None:
    """Return where a WAV states 0 bytes of samples though there are some; None elsewhere.

    Args:
        file: at its beginning, where it is left.
        size: of the file, in bytes.
    """
    head = file.read(_WAV_HEAD_BYTES)
    file.seek(0)
    if head[:4] != b"RIFF" or head[8:12] != b"WAVE":
        return None
    position = 12
    while position + 8 <= len(head):
        name, length = struct.unpack_from("<4sI", head, position)
        if name == b"data":
            behind = head[position + 8 : position + 16]
            return position + 4 if length == 0 and behind and not is_chunk(behind, size) else None
        position += 8 + length + length % 2
    return None


def is_chunk(head: bytes, size: int) -> bool:
    """Return whether these 8 bytes begin a chunk (a name, a length) of a file of `size` bytes."""
    return (
        len(head) == 8 and head[:4].rstrip().isalnum() and struct.unpack("<I", head[4:])[0] < size
    )


def promised_ratio(log: str) -> float:
    """Return how many times as long as the file is its header says it is.

    Args:
        log: libsndfile's notes on the header, with lines like "data : 160000 (should be 95982)".
    """
    lengths = re.findall(
        r"^ *(?:data|SSND|Data Size|Riff size|riff) *: (\d+) \(should be (\d+)\)", log, re.MULTILINE
    )
    for promised, there in ((int(a), int(b)) for a, b in lengths):
        if there > 0 and promised - there > _LENGTH_SLACK_BYTES and not _is_placeholder(promised):
            return promised / there
    return 1.0


def _is_placeholder(length: int) -> bool:
    """Return whether a writer that could not know the length put this: 0, or about 2 or 4 GiB."""
    return length % 2**31 == 0 or length % 2**31 >= 2**31 - 4096


def has_length_tag(file: io.FileIO) -> bool:
    """Return whether an MP3 begins with a Xing or Info tag, which states its length.

    Args:
        file: at its beginning, where it is left.
    """
    head = file.read(10)
    offset = 0
    if head.startswith(b"ID3") and len(head) == 10:
        offset = 10 + sum(
            byte << shift for byte, shift in zip(head[6:], (21, 14, 7, 0), strict=True)
        )
    file.seek(offset)
    first_frame = file.read(256)
    file.seek(0)
    tag = re.search(rb"(?:Xing|Info)\0\0\0(.)(....)", first_frame, re.DOTALL)
    return tag is not None and bool(tag[1][0] & 1) and any(tag[2])


def is_cut_ogg(file: io.FileIO, size: int) -> bool:
    """Return whether this is an Ogg file whose last page is not whole.

    Args:
        file: anywhere; it is left at another place.
        size: of the file, in bytes.
    """
    file.seek(0)
    if file.read(4) != b"OggS":
        return False
    file.seek(max(0, size - _OGG_PAGE_BYTES))
    tail = file.read(_OGG_PAGE_BYTES)
    page = tail[tail.rfind(b"OggS") :]
    n_segments = page[26] if len(page) > 26 else 255
    return len(page) < 27 + n_segments + sum(page[27 : 27 + n_segments])
