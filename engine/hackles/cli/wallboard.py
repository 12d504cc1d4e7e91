"""The supervisors' wallboard: `wallboard`, its settings, its accounts, its webhooks."""

from typing import Annotated

import typer

from hackles.cli.wallboard_accounts import audit, users
from hackles.cli.wallboard_settings import USUAL, Config, lacks, settled
from hackles.cli.wallboard_webhooks import webhooks
from hackles.errors import UsageError

wallboard = typer.Typer(
    help="The supervisors' wallboard of live calls. It needs the extra `wallboard`.",
    invoke_without_command=True,
)


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
        if config or broker:
            raise UsageError(f"Put --config behind {context.invoked_subcommand} and what it does.")
        return
    settings = settled(config, broker)
    try:
        from hackles.wallboard import service
    except ModuleNotFoundError as error:
        raise lacks(error) from error
    raise typer.Exit(service.run(settings))


@wallboard.command()
def check(
    path: Annotated[str, typer.Argument(help="The board's settings.")] = USUAL,
) -> None:
    """Say everything that is wrong with the board's settings, or that they are well."""
    from hackles.wallboard.configuration import check as judged
    from hackles.wallboard.configuration import summary

    checked = judged(path)
    for line in checked.lines(are_warnings=False) + checked.lines(are_warnings=True):
        typer.echo(line, err=True)
    if checked.settings is None:
        raise typer.Exit(2)
    typer.echo(f"{path} is well: {summary(checked.settings)}.")


@wallboard.command()
def example() -> None:
    """Print settings with every key, and what it means."""
    from hackles.wallboard.configuration import example as printed

    typer.echo(printed(), nl=False)


wallboard.command()(audit)
wallboard.add_typer(users, name="user")
wallboard.add_typer(webhooks, name="webhooks")
