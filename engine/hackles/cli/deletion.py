"""Deleting by hand: asked once, and said plainly what went and what stays."""

import sys
from collections.abc import Sequence
from datetime import datetime
from typing import Final

import typer

from hackles.errors import UsageError
from hackles.settings import Output
from hackles.store import search
from hackles.store.database import Database
from hackles.store.purging import purge
from hackles.store.search import Kept
from hackles.store.standing import is_waiting

_STAYS: Final = (
    "What stays: that so many entries stood there, by digests that lead back to nothing, and a "
    "tombstone that says when they were deleted."
)
_NOT_ENDED: Final = (
    "Not all of it had ended: what is still told of a call under way is kept anew. To have it "
    "listened to no longer, tell the control API that consent is withdrawn."
)


class Deletion:
    """Deletes from one record."""

    def __init__(self, database: Database, output: Output, is_sure: bool) -> None:
        """Prepare to delete.

        Args:
            database: the record.
            output: where else calls are told of, which is not touched.
            is_sure: whether nobody need be asked.
        """
        self._database, self._output, self._is_sure = database, output, is_sure

    def call(self, text: str) -> None:
        """Delete a call, by its name or by how one of its sessions begins.

        Raises:
            UsageError: if nothing is kept of it, or nobody can be asked.
            StoreError: if the record cannot be reached or written now.
        """
        found = search.named(self._database, text)
        if not found and is_waiting(self._database):
            # It may be among what waits for the database, by its name.
            purge(self._database, self._database.names.call(text), "purged")
            typer.echo(
                "The database has nothing by that name; what waited for it on disk, if there was "
                "anything, is deleted."
            )
            return
        self._delete(found, f"by the name {text!r}")

    def customer(self, number: str) -> None:
        """Delete all calls of a customer.

        Raises:
            UsageError: if nothing is kept of them, or nobody can be asked.
            StoreError: if the record cannot be reached or written now.
        """
        self._delete(search.of_customer(self._database, number), "of this customer")
        if is_waiting(self._database):
            typer.echo(
                "Something still waits for the database on disk, and may be this customer's: once "
                "`hackles live` has written it, run this again."
            )

    def _delete(self, found: Sequence[str], whose: str) -> None:
        sessions = search.sessions(self._database, found)
        if not sessions:
            raise UsageError(f"Nothing is kept {whose}; `hackles calls` lists what there is.")
        calls = _count(len(found), "call")
        if not self._is_sure:
            _ask(f"{calls} ({_count(len(sessions), 'session')}, {_days(sessions)})")
        deleted = sum(purge(self._database, call, "purged") for call in found)
        typer.echo(f"Deleted: {_count(deleted, 'session')} of {calls}. {_STAYS}")
        if any(kept.ended_at is None for kept in sessions):
            typer.echo(_NOT_ENDED)
        lines = self._output.jsonl
        also = f"the JSON lines in {lines}, and backups" if lines not in ("", "-") else "backups"
        typer.echo(f"Not touched: {also}.")


def _ask(what: str) -> None:
    """Ask once whether it is meant.

    Raises:
        UsageError: if nobody can be asked.
        Exit: if it is not.
    """
    if not sys.stdin.isatty():
        raise UsageError(f"This would delete {what}; add --yes, since nobody can be asked here.")
    if not typer.confirm(f"Delete all that is kept of {what}?"):
        typer.echo("Nothing was deleted.")
        raise typer.Exit(1)


def _count(n: int, what: str) -> str:
    return f"{n} {what}{'' if n == 1 else 's'}"


def _days(sessions: Sequence[Kept]) -> str:
    """Return from when to when they were."""
    begun = sorted(datetime.fromtimestamp(kept.begun_at) for kept in sessions)
    first, last = begun[0].strftime("%Y-%m-%d %H:%M"), begun[-1].strftime("%Y-%m-%d %H:%M")
    return f"of {first}" if first == last else f"from {first} to {last}"
