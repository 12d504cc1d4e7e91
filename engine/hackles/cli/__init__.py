"""The command line: recordings (`score`), live calls (`live`, `call`), their record (`calls`), ….

Exit codes: 0 all well, 1 something failed (a file, the output, a chain that is not whole), 2 wrong
usage, 130 interrupted. What a command needs is imported as it runs, so that `--help` is there at
once; `hackles live`, which stays for a day, does without the library that reads command lines.
"""

import os
import sys

# Many small products on one core: threads inside numpy would only get in each other's way.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from hackles.errors import HacklesError, UsageError


def main() -> None:
    """Run the command line; every foreseen fault is one sentence and an exit code."""
    try:
        _run(sys.argv[1:])
    except HacklesError as error:
        print(f"hackles: {error}", file=sys.stderr)  # noqa: T201
        sys.exit(2 if isinstance(error, UsageError) else 1)
    except KeyboardInterrupt:
        sys.exit(130)


def _run(arguments: list[str]) -> None:
    from hackles.cli import plain

    options = plain.live(arguments)
    if options is not None:
        from hackles.cli.listening import listen

        sys.exit(listen(**options))
    from hackles.cli.commands import app

    app()
