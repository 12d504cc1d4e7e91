"""When the record was last found to be whole: kept beside it, for whoever looks after it."""

import os
from pathlib import Path
from typing import Final

_NAME: Final = "verified"
_FILE_MODE: Final = 0o600


def note(folder: Path) -> bool:
    """Note that the record was found whole just now; return whether that could be done."""
    try:
        os.close(os.open(folder / _NAME, os.O_WRONLY | os.O_CREAT, _FILE_MODE))
        os.utime(folder / _NAME)
    except OSError:
        return False
    return True


def last(folder: Path) -> float | None:
    """Return when it was last found whole, in seconds since 1970; None if never."""
    try:
        return (folder / _NAME).stat().st_mtime
    except OSError:
        return None
