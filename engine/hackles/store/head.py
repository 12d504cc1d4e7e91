"""The head of the chain, kept outside of the database: it tells if entries were cut off."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from hackles.errors import StoreError

_MODE: Final = 0o600


class Position(NamedTuple):
    """A place in the chain, and its link."""

    seq: int
    link: bytes


class Head:
    """A file with the last place that was written."""

    def __init__(self, path: Path) -> None:
        """Keep it there."""
        self.path = path

    def read(self) -> Position | None:
        """Return the place, or None if there is no such file yet.

        Raises:
            StoreError: if it cannot be read.
        """
        try:
            seq, link = self.path.read_text("ascii").split()
            return Position(int(seq), bytes.fromhex(link))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StoreError(
                f"the head of the chain in {self.path} cannot be read ({error.strerror})."
            ) from error
        except ValueError as error:
            raise StoreError(
                f"{self.path} holds no head of a chain; it was damaged or altered."
            ) from error

    def write(self, position: Position) -> None:
        """Keep a place, unless a later one is kept already by somebody else who writes.

        Raises:
            OSError: if it cannot be written.
            StoreError: if what is there is no head.
        """
        with self._alone():
            before = self.read()
            if before is not None and before.seq >= position.seq:
                return
            other = self.path.with_name(f"{self.path.name}.new")
            file = os.open(other, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _MODE)
            try:
                os.write(file, f"{position.seq} {position.link.hex()}\n".encode("ascii"))
                os.fsync(file)
            finally:
                os.close(file)
            other.replace(self.path)

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep others who share the file out meanwhile."""
        lock = os.open(self.path.with_name(f"{self.path.name}.lock"), os.O_RDWR | os.O_CREAT, _MODE)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)
