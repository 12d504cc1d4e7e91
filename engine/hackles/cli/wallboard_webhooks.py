"""`hackles wallboard webhooks`: what waits, what could not be delivered, and a new secret.

All of it works on the board's book, whether or not the board runs; a board that runs looks there
every ten seconds.
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, NamedTuple

import typer

from hackles.cli.wallboard_settings import Config, lacks, settled
from hackles.errors import UsageError

if TYPE_CHECKING:
    from hackles.wallboard.settings import Webhook
    from hackles.wallboard.webhooks.endpoints import Endpoints
    from hackles.wallboard.webhooks.outbox import Outbox

webhooks = typer.Typer(help="What the board tells others, and what became of it.")

_SHOWN: Final = 1000

Name = Annotated[str, typer.Argument(metavar="NAME", help="Of a webhook of the settings.")]


class _Opened(NamedTuple):
    """The settings' webhooks, and what is known of them."""

    named: "dict[str, Webhook]"
    outbox: "Outbox"
    endpoints: "Endpoints"

    def known(self, name: str) -> str:
        """Return a name that there is.

        Raises:
            UsageError: if it is another.
        """
        if name not in self.named:
            names = ", ".join(self.named) or "none"
            raise UsageError(f"There is no webhook {name!r}; the settings have {names}.")
        return name


@webhooks.command("list")
def list_(config: Config = "") -> None:
    """Say of each webhook whether it gets through, what waits, and what could not be delivered."""
    with _opened(config) as opened:
        for name in opened.named:
            typer.echo(f"{name}: {_told(opened, name)}")


@webhooks.command()
def dead(name: Name, config: Config = "") -> None:
    """List what could not be delivered: since when, id, kind, attempts, and why."""
    with _opened(config) as opened:
        for one in opened.outbox.dead(opened.known(name), _SHOWN):
            since = f"{datetime.fromtimestamp(one.since_at):%Y-%m-%d %H:%M}"
            typer.echo(f"{since}  {one.id}  {one.kind}  {one.attempts}  {one.last_error}")


@webhooks.command()
def replay(
    name: Name,
    id_: Annotated[
        str, typer.Argument(metavar="[ID]", help="One, as `dead` lists it.", show_default=False)
    ] = "",
    everything: Annotated[bool, typer.Option("--all", help="All of them.")] = False,
    config: Config = "",
) -> None:
    """Send what could not be delivered anew, by the ids that it had."""
    import time

    if bool(id_) == everything:
        raise UsageError("Say what to send anew: an ID, or --all.")
    with _opened(config) as opened:
        ids = None if everything else [id_]
        count = opened.outbox.replay(opened.known(name), ids, time.time())
        if not count and id_:
            raise UsageError(
                f"There is no dead letter {id_!r}; `hackles wallboard webhooks dead {name}` "
                "lists all."
            )
    typer.echo(f"To be sent anew: {count}.")


@webhooks.command()
def enable(name: Name, config: Config = "") -> None:
    """Send again to a receiver that had answered 410, or do not wait until one is tried again."""
    with _opened(config) as opened:
        opened.endpoints.enable(opened.known(name), True)
    typer.echo(f"{name} is switched on; replay sends what it missed.")


@webhooks.command()
def secret() -> None:
    """Print a new signing secret, for a file that only the board may read, and for the receiver."""
    from hackles.wallboard.webhooks.signing import new_secret

    typer.echo(new_secret())


def _told(opened: _Opened, name: str) -> str:
    health = opened.endpoints.health(name)
    waiting = opened.outbox.count(name, "waiting")
    dead_letters = opened.outbox.count(name, "dead")
    does = "gets through" if health.last_at is not None else "nothing was sent yet"
    if health.failing_since is not None:
        does = f"fails since {datetime.fromtimestamp(health.failing_since):%Y-%m-%d %H:%M}"
    if not health.is_enabled:
        does = "switched off, since it answered 410"
    return f"{does}; waiting: {waiting}; not delivered: {dead_letters}"


@contextmanager
def _opened(config: str) -> Iterator[_Opened]:
    """Open the book of a board.

    Raises:
        UsageError: if there is none yet, or the settings cannot be read.
    """
    try:
        from hackles.wallboard.book import Book
        from hackles.wallboard.webhooks import TABLES
        from hackles.wallboard.webhooks.endpoints import Endpoints
        from hackles.wallboard.webhooks.outbox import Outbox
    except ModuleNotFoundError as error:
        raise lacks(error) from error
    settings = settled(config)
    folder = Path(settings.board.folder)
    if not (folder / "board.db").exists():
        raise UsageError(f"There is no board in {folder} yet; `hackles wallboard` begins it.")
    with closing(Book(folder, [TABLES])) as book:
        named = {webhook.name: webhook for webhook in settings.webhook}
        yield _Opened(named, Outbox(book), Endpoints(book))
