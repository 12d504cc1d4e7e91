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
        self._rest += some
        while (found := self._first()) is not None:
            yield found

    def _first(self) -> bytes | None:
        digits, colon, _ = self._rest[: _DIGITS + 1].partition(b":")
        if not (digits.isdigit() or (not digits and not colon)) or len(digits) > _DIGITS:
            raise ValueError("a netstring begins with its length")
        if not colon:
            return None
        length = int(digits)
        if length > _LONGEST:
            raise ValueError(f"a netstring of {length} bytes is too long")
        begins = len(digits) + 1
        if len(self._rest) <= begins + length:
            return None
        content, comma = self._rest[begins : begins + length], self._rest[begins + length]
        if comma != ord(","):
            raise ValueError("a netstring ends with a comma")
        self._rest = self._rest[begins + length + 1 :]
        return content
