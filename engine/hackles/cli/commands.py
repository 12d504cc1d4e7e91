"""All commands, as typer reads them; what each needs is imported as it runs."""

from typing import Annotated

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
from hackles.cli.wallboard import wallboard

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
app.add_typer(wallboard, name="wallboard")
