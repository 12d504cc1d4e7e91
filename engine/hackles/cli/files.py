"""What a command gives out: to standard output, or into a file for its owner alone."""

import os
from pathlib import Path

from hackles.errors import UsageError
from hackles.sinks.output import Lines

_OWNER_ALONE = 0o600


def give_out(content: bytes, path: Path | None) -> None:
    """Write something that is nobody else's business.

    Raises:
        UsageError: if the file is there already, or cannot be written.
        OutputError: if standard output cannot be written.
    """
    if path is None:
        with Lines() as out:
            out.write(content)
        return
    try:
        place = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ALONE)
        with os.fdopen(place, "wb") as file:
            file.write(content)
    except FileExistsError as error:
        raise UsageError(f"{path} is there already; name another file.") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(f"{path} cannot be written ({reason}); name another file.") from error
