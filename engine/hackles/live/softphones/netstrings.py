"""Netstrings: `5:hello,` is five bytes, however they were cut on their way."""

from collections.abc import Iterator
from typing import Final

_LONGEST: Final = 2**17
_DIGITS: Final = len(str(_LONGEST))


def netstring(content: bytes) -> bytes:
    """Return bytes as a netstring."""
    return b"%d:%b," % (len(content), content)


class Netstrings:
    """What comes over one connection."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._rest = b""

    def push(self, some: bytes) -> Iterator[bytes]:
        """Yield the contents that are whole by now.

        Raises:
            ValueError: if this is no netstring; nothing after it can be understood.
        """
        come, at = self._rest + some, 0
        try:
            while (span := _first(come, at)) is not None:
                yield come[slice(*span)]
                at = span[1] + 1
        finally:
            self._rest = come[at:]


def _first(come: bytes, at: int) -> tuple[int, int] | None:
    """Return where the content of the netstring lies that begins there; None if it is not whole.

    Raises:
        ValueError: if it is none.
    """
    digits, colon, _ = come[at : at + _DIGITS + 1].partition(b":")
    if not digits.isdigit() and (digits or colon):
        raise ValueError("a netstring begins with its length")
    if len(digits) > _DIGITS or int(digits or b"0") > _LONGEST:
        raise ValueError("a netstring may not be that long")
    if not colon:
        return None
    begins = at + len(digits) + 1
    ends = begins + int(digits)
    if ends >= len(come):
        return None
    if come[ends] != ord(","):
        raise ValueError("a netstring ends with a comma")
    return begins, ends
