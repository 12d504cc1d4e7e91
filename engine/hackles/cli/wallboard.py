"""The supervisors' wallboard: `wallboard`, its settings, its accounts, its webhooks."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hackles.errors import UsageError

if TYPE_CHECKING:
    from hackles.wallboard.settings import Settings

_USUAL = "wallboard.toml"

wallboard = typer.Typer(
    help="The supervisors' wallboard of live calls. It needs the extra `wallboard`.",
    invoke_without_command=True,
)

Config = Annotated[
    str,
    typer.Option(
        metavar="PATH", help="The board's settings.", show_default=f"{_USUAL}, if it is here"
    ),
]


@wallboard.callback()
def board(
    context: typer.Context,
    config: Config = "",
    broker: Annotated[
        str,
        typer.Option(
            metavar="URL",
            help="The Redis of engines on other machines, such as redis://127.0.0.1:6379.",
            show_default="what the settings say",
        ),
    ] = "",
) -> None:
    """Show a floor of live calls, and the few that need a person, until Ctrl-C."""
    if context.invoked_subcommand is not None:
        return
    settings = settled(config, broker)
    try:
        from hackles.wallboard import service
    except ModuleNotFoundError as error:
        raise _lacks(error) from error
    raise typer.Exit(service.run(settings))


@wallboard.command()
def check(
    path: Annotated[str, typer.Argument(help="The board's settings.")] = _USUAL,
) -> None:
    """Say everything that is wrong with the board's settings, or that they are well."""
    from hackles.wallboard.configuration import check as judged

    checked = judged(path)
    for line in checked.lines(are_warnings=False) + checked.lines(are_warnings=True):
        typer.echo(line, err=True)
    if checked.settings is None:
        raise typer.Exit(2)
    typer.echo(f"{path} is well.")


@wallboard.command()
def example() -> None:
    """Print settings with every key, and what it means."""
    from hackles.wallboard.configuration import example as printed

    typer.echo(printed(), nl=False)


def settled(config: str, broker: str = "") -> "Settings":
    """Return the settings that are named, those that are here, or what holds without any.

    Raises:
        UsageError: which names every fault.
    """
    try:
        from hackles.wallboard.configuration import load, without_file
    except ModuleNotFoundError as error:
        raise _lacks(error) from error
    if config or Path(_USUAL).exists():
        return load(config or _USUAL, broker)
    return without_file(broker)


def _lacks(error: ModuleNotFoundError) -> UsageError:
    return UsageError(
        f"The wallboard needs {error.name}, which is not installed; "
        "pip install 'hackles[wallboard]'."
    )
