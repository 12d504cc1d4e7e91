"""Which model is in use: a small file, with those that were before it."""

import os
import tomllib
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from hackles.errors import UsageError
from hackles.models.model import DEFAULT

_NAME: Final = "in_use.toml"
_REMEMBERED: Final = 20


class Uses(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Names of models; `before` has the latest last."""

    in_use: str = DEFAULT
    before: tuple[str, ...] = ()


def read(folder: Path) -> Uses:
    """Return what is in use; where nobody ever chose, that is the default.

    Raises:
        UsageError: if that cannot be told.
    """
    path = folder / _NAME
    try:
        said = tomllib.loads(path.read_text(encoding="utf-8"))
        return msgspec.convert(said, type=Uses)
    except (FileNotFoundError, NotADirectoryError):
        return Uses()
    except OSError as error:
        raise refusal(path, "read", error) from error
    except ValueError as error:  # no TOML, no UTF-8, or something else than what was written
        raise UsageError(
            f"{path} does not say which model is in use; `hackles models use NAME` writes it anew."
        ) from error


def note(folder: Path, uses: Uses) -> None:
    """Write down what is in use; the names are safe in quotes.

    Raises:
        UsageError: if it cannot be written.
    """
    before = ", ".join(f'"{name}"' for name in uses.before[-_REMEMBERED:])
    lines = (
        "# Which model is in use, and those that were before it, the latest last.",
        "# `hackles models use` and `hackles models rollback` write this.",
        f'in_use = "{uses.in_use}"',
        f"before = [{before}]",
    )
    write_whole(folder / _NAME, "\n".join((*lines, "")).encode())


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that whoever reads it finds all of it, or what was there before.

    Raises:
        UsageError: if it cannot be written.
    """
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with unfinished.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except OSError as error:
        with suppress(OSError):
            unfinished.unlink()
        raise refusal(path, "written", error) from error


def refusal(path: Path, verb: str, error: OSError) -> UsageError:
    """Return our error for one of the system's."""
    return UsageError(
        f"{path} cannot be {verb} ({error.strerror}); change its permissions, or name the model to "
        "use, by --model or by model in [engine]."
    )
