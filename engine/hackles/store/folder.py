"""The folder of the record: the key of all digests, the head of the chain, and what waits."""

import os
import secrets
from functools import cached_property
from pathlib import Path
from typing import Final

from hackles.errors import UsageError
from hackles.settings import Store
from hackles.store.chain import KEY_BYTES, Links
from hackles.store.head import Head
from hackles.store.names import Names

_FOLDER_MODE: Final = 0o700
_FILE_MODE: Final = 0o600


class Folder:
    """What lies beside the database, and is needed to read or write it."""

    def __init__(self, section: Store) -> None:
        """Make the folder and its key, if they are not there yet.

        Raises:
            UsageError: if that cannot be done, or the key is none.
        """
        self.path = Path(section.folder)
        try:
            self.path.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
            self.key = _key(self.path / "key")
        except OSError as error:
            raise UsageError(
                f"{self.path} cannot hold the record ({error.strerror}); name another folder "
                "under [store]."
            ) from error
        self.names = Names(self.key)
        self.links = Links(self.names)
        self.head = Head(Path(section.head) if section.head else self.path / "head")
        self.spool = self.path / "spool"

    @cached_property
    def database(self) -> Path:
        """The file of the database, made so that nobody else can read it.

        Raises:
            UsageError: if it cannot be made.
        """
        path = self.path / "hackles.db"
        try:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, _FILE_MODE))
        except OSError as error:
            raise UsageError(
                f"{path} cannot be opened ({error.strerror}); name another folder under [store]."
            ) from error
        return path


def _key(path: Path) -> bytes:
    """Return the key; the first to come makes it, whole or not at all."""
    if not path.exists():
        mine = path.with_name(f"key.{secrets.token_hex(4)}")
        file = os.open(mine, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _FILE_MODE)
        try:
            os.write(file, secrets.token_hex(KEY_BYTES).encode("ascii") + b"\n")
            os.fsync(file)
        finally:
            os.close(file)
        try:
            os.link(mine, path)
        except FileExistsError:
            pass  # another process was faster: its key is the key
        finally:
            mine.unlink()
    try:
        key = bytes.fromhex(path.read_text("ascii"))
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise UsageError(
            f"{path} is not the key of a record (64 hexadecimal digits); put back the copy that "
            "was kept of it."
        )
    return key
