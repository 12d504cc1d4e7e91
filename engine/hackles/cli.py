"""The command line: `hackles score` and `hackles demo`.

Exit codes: 0 all well, 1 some files failed (or the output could not be written), 2 wrong usage,
130 interrupted.
"""

import os
import sys
from enum import StrEnum
from typing import Annotated

# Many small products on one core: threads inside numpy would only get in each other's way.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import typer

from hackles import __version__
from hackles.errors import HacklesError, UsageError

app = typer.Typer(
    help="Warns a telephone agent while the customer's irritation is still rising.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


class Format(StrEnum):
    """How `score` writes."""

    TABLE = "table"
    JSONL = "jsonl"


_NO_CUSTOMER = (
    "Say whose voice is where: add --customer left, right or a channel's number (1 is left), or "
    "--customer mono if each file holds the customer alone. A mono recording of both people "
    "cannot be scored: only the customer may be, and the agent cannot be taken out of it."
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


@app.command()
def score(
    paths: Annotated[list[str], typer.Argument(metavar="PATH", help="Recordings, or folders.")],
    customer: Annotated[
        str | None,
        typer.Option(help="The customer's channel: left, right, its number (1 is left), or mono."),
    ] = None,
    agent: Annotated[
        str | None,
        typer.Option(
            help="The agent's channel, to leave out what leaks over from it. It is never scored."
        ),
    ] = None,
    format: Annotated[Format, typer.Option(help="A table, or JSON lines.")] = Format.TABLE,  # noqa: A002
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Files scored at a time.", show_default="one per core")
    ] = None,
) -> None:
    """Score recorded calls: where the customer's irritation rose, and what moved in the voice."""
    if customer is None:
        raise UsageError(_NO_CUSTOMER)
    from hackles.capture.files import parse_channels
    from hackles.sinks import report

    channels = parse_channels(customer, agent)
    raise typer.Exit(report.run(paths, channels, format == Format.JSONL, jobs))


@app.command()
def demo(
    speed: Annotated[
        float, typer.Option(min=0.1, max=1000.0, help="How many times as fast as it was spoken.")
    ] = 1.0,
) -> None:
    """Play a sample call through the engine and watch the warning come."""
    from hackles.sinks import meter

    raise typer.Exit(meter.demo(speed))


configuration = typer.Typer(help="The daemon's configuration file.", no_args_is_help=True)
app.add_typer(configuration, name="config")


@configuration.command("check")
def config_check(
    path: Annotated[str, typer.Argument(help="The configuration file.")] = "hackles.toml",
) -> None:
    """Say everything that is wrong with a configuration file, or that it is well."""
    from hackles.configuration import check, summary

    checked = check(path)
    for line in checked.lines(are_warnings=False) + checked.lines(are_warnings=True):
        typer.echo(line, err=True)
    if checked.settings is None:
        raise typer.Exit(2)
    typer.echo(f"{path} is well: {summary(checked.settings)}.")


@configuration.command("example")
def config_example() -> None:
    """Print a configuration file with every key, and what it means."""
    from hackles.configuration import example

    typer.echo(example(), nl=False)


@app.command()
def doctor(
    config: Annotated[
        str | None,
        typer.Option(help="The configuration file.", show_default="hackles.toml, if it is here"),
    ] = None,
) -> None:
    """Say where this installation stands, and what to do about it."""
    from hackles.doctor import run

    raise typer.Exit(run(config))


def main() -> None:
    """Run the command line; every foreseen fault is one sentence and an exit code."""
    try:
        app()
    except HacklesError as error:
        print(f"hackles: {error}", file=sys.stderr)  # noqa: T201
        sys.exit(2 if isinstance(error, UsageError) else 1)
    except KeyboardInterrupt:
        sys.exit(130)
