"""Whether the record's log is whole, said in a line, or in one for each thing that is not."""

from datetime import datetime
from pathlib import Path

import typer

from hackles.errors import UsageError
from hackles.store import verified
from hackles.store.database import Database
from hackles.store.head import Head
from hackles.store.verifying import Verified, verify


def run(database: Database, head: Path | None) -> int:
    """Look at all of the log, say what was found, and return the exit code.

    Args:
        database: the record.
        head: a copy of the head that was kept elsewhere; None for the head as it is kept.

    Raises:
        UsageError: if the copy is not there.
        StoreError: if the record cannot be read now.
    """
    if head is not None:
        if not head.is_file():
            raise UsageError(f"{head} is no file; name a copy of the head.")
        database.head = Head(head)
    found = verify(database)
    for fault in found.faults:
        typer.echo(fault)
    if found.more_faults:
        typer.echo(f"And {found.more_faults:,} more.")
    if not found.is_whole:
        return 1
    verified.note(database.folder.path)
    typer.echo(_whole(found, database.head))
    return 0


def _whole(found: Verified, head: Head) -> str:
    looked_at = [_count(found.entries, "entry", "entries"), _count(found.calls, "call", "calls")]
    if found.deleted:
        looked_at.append(f"{_count(found.deleted, 'entry', 'entries')} of deleted calls")
    if found.lost:
        looked_at.append(f"{_count(found.lost, 'loss', 'losses')} told of")
    if found.entries:
        kept = datetime.fromtimestamp(head.path.stat().st_mtime).strftime("%Y-%m-%d %H:%M")
        looked_at.append(f"head of {kept}")
    return f"The chain is whole: {', '.join(looked_at)}."


def _count(n: int, one: str, several: str) -> str:
    return f"{n:,} {one if n == 1 else several}"
