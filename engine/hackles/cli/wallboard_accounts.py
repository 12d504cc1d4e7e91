"""Who may look at the wallboard, and who did what there: `wallboard user` and `wallboard audit`."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, TypeAlias

import typer

from hackles.cli.options import Format
from hackles.cli.wallboard_settings import Config, lacks, settled
from hackles.errors import UsageError
from hackles.wallboard.viewer import ALL_TEAMS, Role, Viewer

if TYPE_CHECKING:
    from hackles.wallboard.book import Book
    from hackles.wallboard.settings import Settings

Name: TypeAlias = Annotated[
    str, typer.Argument(metavar="NAME", help="As it is typed to sign in, or as the proxy says it.")
]

_HERE: Final = "command line"
"""Who does it, to the audit log."""

users = typer.Typer(help="Who may look at the wallboard.", no_args_is_help=True)


@users.command("add")
def user_add(
    name: Name,
    role: Annotated[list[Role], typer.Option(help="What the account is for; may be repeated.")],
    team: Annotated[
        list[str] | None, typer.Option(help="Whose calls it sees; may be repeated.")
    ] = None,
    all_teams: Annotated[
        bool, typer.Option("--all-teams", help="It sees the calls of all teams, and of none.")
    ] = False,
    agent: Annotated[
        str, typer.Option(help="The opaque name under which an agent's own calls come.")
    ] = "",
    no_password: Annotated[
        bool, typer.Option("--no-password", help="A proxy signs this person in.")
    ] = False,
    config: Config = "",
) -> None:
    """Make an account; the password is asked for, or read as a line from standard input."""
    teams = frozenset([ALL_TEAMS] if all_teams else team or ())
    viewer = Viewer(name, frozenset(role), teams, agent)
    with _board(config) as (settings, book):
        from hackles.wallboard.accounts import Accounts
        from hackles.wallboard.audit import Audit

        _check(viewer, settings, no_password)
        accounts = Accounts(book)
        if accounts.find(name):
            raise UsageError(f"There is an account {name} already; remove it first.")
        password = "" if no_password else _password()
        accounts.add(viewer, password)
        roles = ", ".join(sorted(viewer.roles))
        Audit(book).note(_HERE, f"made an account: {roles}", name)
    typer.echo(f"{name} may look at the board as {roles}.")


@users.command("list")
def user_list(config: Config = "") -> None:
    """List all accounts."""
    with _board(config) as (_, book):
        from hackles.wallboard.accounts import Accounts

        rows = [
            (
                account.viewer.name,
                ", ".join(sorted(account.viewer.roles)),
                ", ".join(
                    "all" if team == ALL_TEAMS else team for team in sorted(account.viewer.teams)
                ),
                account.viewer.agent,
                "password" if account.password else "proxy",
            )
            for account in Accounts(book).all()
        ]
    if not rows:
        typer.echo("There are no accounts yet; `hackles wallboard user add` makes one.")
        return
    _show(("name", "roles", "teams", "agent", "signs in by"), rows)


@users.command("password")
def user_password(name: Name, config: Config = "") -> None:
    """Give an account another password; whoever is signed in by the old one is not any longer."""
    with _board(config) as (settings, book):
        from hackles.wallboard.accounts import Accounts
        from hackles.wallboard.audit import Audit
        from hackles.wallboard.sessions import Sessions

        accounts = Accounts(book)
        found = accounts.known(name)
        password = _password()
        with book.together():
            accounts.set_password(name, password)
            Sessions(book, settings.sign_in).end_all(found.viewer.name)
        Audit(book).note(_HERE, "changed the password", found.viewer.name)
    typer.echo(f"{found.viewer.name} has another password, and must sign in anew.")


@users.command("remove")
def user_remove(name: Name, config: Config = "") -> None:
    """Remove an account; whoever is signed in by it is not any longer."""
    with _board(config) as (_, book):
        from hackles.wallboard.accounts import Accounts
        from hackles.wallboard.audit import Audit

        found = Accounts(book).known(name)
        Accounts(book).remove(name)
        Audit(book).note(_HERE, "removed the account", found.viewer.name)
    typer.echo(f"{found.viewer.name} may look at the board no longer.")


def audit(
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="So many at most.")] = 50,
    format: Annotated[Format, typer.Option(help="A table, or JSON lines.")] = Format.TABLE,  # noqa: A002
    config: Config = "",
) -> None:
    """Print who did what at the wallboard, the newest first."""
    with _board(config) as (_, book):
        from hackles.wallboard.audit import Audit

        entries = Audit(book).entries(limit=limit)
    if format == Format.JSONL:
        import msgspec

        for entry in entries:
            typer.echo(msgspec.json.encode(entry))
        return
    from datetime import datetime

    rows = [
        (
            f"{datetime.fromtimestamp(entry.at):%Y-%m-%d %H:%M:%S}",
            *(entry.by, entry.what, entry.about, entry.address),
        )
        for entry in entries
    ]
    _show(("when", "who", "what", "about", "from"), rows)


def _check(viewer: Viewer, settings: "Settings", no_password: bool) -> None:
    """Refuse an account that could see nothing, or not be signed in to."""
    if viewer.roles & {Role.SUPERVISOR, Role.ANALYST} and not viewer.teams:
        raise UsageError("Say whose calls this account sees: --team NAME, or --all-teams.")
    if (Role.AGENT in viewer.roles) != bool(viewer.agent):
        raise UsageError(
            "The role agent and the name of the agent's calls go together: --role agent --agent ID."
        )
    names = {team.name for team in settings.team} | {ALL_TEAMS}
    for team in sorted(viewer.teams - names):
        raise UsageError(f"There is no team {team}; the settings name them, as [[team]].")
    by = settings.sign_in.by
    if by == "header" and not no_password:
        raise UsageError("A proxy signs people in here; add --no-password.")
    if by == "password" and no_password:
        raise UsageError("People sign in by password here; leave out --no-password.")


def _password() -> str:
    """Return the hash of a password that is asked for twice, or comes as one line.

    Raises:
        UsageError: if it is too short or too long, or was not the same twice.
    """
    import sys

    from hackles.wallboard.passwords import check, hashed

    if not sys.stdin.isatty():
        return hashed(sys.stdin.readline().rstrip("\r\n"))
    import getpass

    password = getpass.getpass("Password: ")
    check(password)
    if getpass.getpass("The same again: ") != password:
        raise UsageError("These were two different passwords; nothing was changed.")
    return hashed(password)


@contextmanager
def _board(config: str) -> "Iterator[tuple[Settings, Book]]":
    """Open the book of the board that a file sets up, beside a board that may be running.

    Raises:
        UsageError: if that cannot be done.
    """
    try:
        from hackles.wallboard import access, audit
        from hackles.wallboard.book import Book
    except ModuleNotFoundError as error:
        raise lacks(error) from error
    settings = settled(config)
    folder = Path(settings.board.folder)
    _check_owner(folder)
    book = Book(folder, [access.TABLES, audit.TABLES])
    try:
        yield settings, book
    finally:
        book.close()


def _check_owner(folder: Path) -> None:
    """Refuse to leave files behind that the board's own user could not write."""
    import os
    import sys

    if sys.platform != "win32" and folder.exists() and folder.stat().st_uid != os.geteuid():
        raise UsageError(f"{folder} belongs to {folder.owner()}; run this as that user.")


def _show(heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    """Print a table."""
    from rich.table import Table
    from rich.text import Text

    from hackles.sinks.output import screen

    table = Table(box=None, header_style="bold", padding=(0, 2, 0, 0), pad_edge=False)
    for head in heads:
        table.add_column(head, overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    screen().print(table)
