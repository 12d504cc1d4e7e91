"""The command line: recordings (`score`), live calls (`live`, `call`), their record (`calls`), ….

Exit codes: 0 all well, 1 something failed (a file, the output, a chain that is not whole), 2 wrong
usage, 130 interrupted. What a command needs is imported as it runs, so that `--help` is there at
once.
"""

import os
import sys
from typing import Annotated

# Many small products on one core: threads inside numpy would only get in each other's way.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import typer

from hackles import __version__
from hackles.cli.calibration import calibrate
from hackles.cli.call import call
from hackles.cli.daemon import configuration, doctor, live
from hackles.cli.devices import devices
from hackles.cli.models import models
from hackles.cli.record import calls, export, purge, satisfaction, verify
from hackles.cli.recordings import demo, score
from hackles.cli.simulation import simulate
from hackles.errors import HacklesError, UsageError

app = typer.Typer(
    help="Warns a telephone agent while the customer's irritation is still rising.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"hackles {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Hear a customer's irritation while it is still rising."""


_COMMANDS = (
    *(score, demo, calibrate),
    *(live, devices, simulate, doctor),
    *(calls, export, purge, verify, satisfaction),
)
for _command in _COMMANDS:
    app.command()(_command)
app.add_typer(call, name="call")
app.add_typer(configuration, name="config")
app.add_typer(models, name="models")


def main() -> None:
    """Run the command line; every foreseen fault is one sentence and an exit code."""
    try:
        app()
    except HacklesError as error:
        print(f"hackles: {error}", file=sys.stderr)  # noqa: T201
        sys.exit(2 if isinstance(error, UsageError) else 1)
    except KeyboardInterrupt:
        sys.exit(130)
