"""The daemon and what it needs: `live`, `config` and `doctor`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hackles.cli.options import Model, Sensitivity
from hackles.errors import UsageError

if TYPE_CHECKING:
    from hackles.settings import Settings


def live(
    config: Annotated[
        Path, typer.Option(metavar="PATH", help="The settings; see `hackles config example`.")
    ] = Path("hackles.toml"),
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes, instead of what the settings say.")
    ] = None,
    model: Model = "",
    sensitivity: Annotated[
        Sensitivity | None,
        typer.Option(help="From few warnings to early ones, instead of what the settings say."),
    ] = None,
    device: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="Listen to what this output plays: the customer, beside any softphone.",
            show_default="what the settings say; `hackles devices` tells what there is",
        ),
    ] = "",
    customer_device: Annotated[
        str,
        typer.Option(
            metavar="NAME", help="Listen to a microphone into which the customer alone speaks."
        ),
    ] = "",
    shadow: Annotated[
        bool, typer.Option("--shadow", help="Score and record, but show nobody any alert.")
    ] = False,
) -> None:
    """Listen to live calls and warn: the daemon. It needs the extra `live`."""
    from hackles.configuration import load

    try:
        from hackles.live import daemon, system
    except ModuleNotFoundError as error:
        raise UsageError(
            f"The daemon needs {error.name}, which is not installed; pip install 'hackles[live]'."
        ) from error
    engine = {
        "workers": workers,
        "model": model or None,
        "sensitivity": None if sensitivity is None else sensitivity.value,
    }
    heard = _heard(device, customer_device)

    def settings() -> "Settings":
        return system.supported(daemon.chosen(load(config, heard), shadow, **engine))

    raise typer.Exit(daemon.run(settings))


def _heard(device: str, customer_device: str) -> dict[str, str]:
    """Return the keys of [device] that were chosen on the command line."""
    if device and customer_device:
        raise UsageError(
            "Name either --device (what an output plays) or --customer-device (a microphone), "
            "not both: one customer at a time is listened to."
        )
    if not device and not customer_device:
        return {}
    return {"output": device, "customer_microphone": customer_device}


configuration = typer.Typer(help="The daemon's configuration file.", no_args_is_help=True)


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


def doctor(
    config: Annotated[
        str | None,
        typer.Option(help="The configuration file.", show_default="hackles.toml, if it is here"),
    ] = None,
) -> None:
    """Say where this installation stands, and what to do about it."""
    from hackles.doctor import run

    raise typer.Exit(run(config))
