"""The command line: recordings (`score`, `demo`), live calls (`live`, `simulate`, `config`, …).

Exit codes: 0 all well, 1 some files failed (or the output could not be written), 2 wrong usage,
130 interrupted.
"""

import os
import sys
from enum import StrEnum
from pathlib import Path
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


class Dialect(StrEnum):
    """Whose media streams `simulate` sends."""

    TWILIO = "twilio"
    TELNYX = "telnyx"
    PLIVO = "plivo"
    EXOTEL = "exotel"
    BANDWIDTH = "bandwidth"


class Consent(StrEnum):
    """What `simulate` tells of the callers' consent."""

    TRUE = "true"
    FALSE = "false"


class Kind(StrEnum):
    """The linear samples that `simulate` sends: 16 bits, at 8, 16 or 48 kHz."""

    SLIN8 = "slin8"
    SLIN16 = "slin16"
    SLIN48 = "slin48"


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


@app.command()
def simulate(
    paths: Annotated[list[str], typer.Argument(metavar="RECORDING", help="Files, or folders.")],
    to: Annotated[
        str,
        typer.Option(
            help="audiosocket://HOST:PORT, ws://HOST:PORT/media or wss://HOST:PORT/media."
        ),
    ],
    customer: Annotated[
        str | None,
        typer.Option(help="The customer's channel: left, right, its number (1 is left), or mono."),
    ] = None,
    calls: Annotated[
        int | None,
        typer.Option(min=1, help="Calls at a time.", show_default="one per recording"),
    ] = None,
    speed: Annotated[
        float, typer.Option(min=0.1, max=1000.0, help="How many times as fast as it was spoken.")
    ] = 1.0,
    dialect: Annotated[Dialect, typer.Option(help="Of a media stream.")] = Dialect.TWILIO,
    kind: Annotated[
        Kind | None,
        typer.Option(help="Of linear samples, where there is a choice.", show_default="as usual"),
    ] = None,
    jitter_ms: Annotated[
        float, typer.Option(min=0.0, max=10_000.0, help="Packets come up to so much late.")
    ] = 0.0,
    loss: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="The share of the packets that never comes.")
    ] = 0.0,
    register: Annotated[
        str, typer.Option(metavar="URL", help="Tell the control API there of each call first.")
    ] = "",
    consent: Annotated[
        Consent, typer.Option(help="What it is told of the callers' consent.")
    ] = Consent.TRUE,
    name: Annotated[str, typer.Option(help="What the calls' names begin with.")] = "sim",
    token: Annotated[str, typer.Option(help="A secret that each media stream brings.")] = "",
    insecure: Annotated[
        bool, typer.Option("--insecure", help="Take any certificate for good.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Decides what is late, and what is lost.")] = 0,
    format: Annotated[Format, typer.Option(help="A table, or JSON lines.")] = Format.TABLE,  # noqa: A002
) -> None:
    """Play recordings as live calls, to try a daemon: it hears what a telephone system sends."""
    if customer is None:
        raise UsageError(_NO_CUSTOMER)
    from hackles.capture.files import parse_channels
    from hackles.simulator import run
    from hackles.simulator.target import Order, parse_target

    order = Order(
        paths=tuple(paths),
        channels=parse_channels(customer, None),
        target=parse_target(to),
        n_calls=calls,
        speed=speed,
        dialect=dialect,
        kind=kind or "",
        jitter_s=jitter_ms / 1000,
        loss=loss,
        register=register,
        consent=consent is Consent.TRUE,
        prefix=name,
        token=token,
        insecure=insecure,
        seed=seed,
    )
    raise typer.Exit(run.simulate(order, format == Format.JSONL))


@app.command()
def live(
    config: Annotated[
        Path, typer.Option(metavar="PATH", help="The settings; see `hackles config example`.")
    ] = Path("hackles.toml"),
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes, instead of what the settings say.")
    ] = None,
    shadow: Annotated[
        bool, typer.Option("--shadow", help="Score and record, but show nobody any alert.")
    ] = False,
) -> None:
    """Listen to live calls and warn: the daemon. It needs the extra `live`."""
    if sys.platform == "win32":
        raise UsageError("hackles live needs Linux or macOS; on Windows, run it in WSL.")
    from hackles.configuration import load

    try:
        from hackles.live import daemon
    except ModuleNotFoundError as error:
        raise UsageError(
            f"The daemon needs {error.name}, which is not installed; pip install 'hackles[live]'."
        ) from error
    raise typer.Exit(daemon.run(lambda: daemon.chosen(load(config), workers, shadow)))


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
