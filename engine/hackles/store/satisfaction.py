"""Customers' answers to a survey, brought to the calls that they speak of."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
from sqlalchemy import Column, select

from hackles.records import LiveRecord, Satisfaction
from hackles.store.answers import Answer
from hackles.store.database import Database
from hackles.store.rows import EntryRow, row
from hackles.store.tables import calls, entries
from hackles.store.writing import Writer

_AT_ONCE: Final = 500


@dataclass(slots=True)
class Taken:
    """What became of answers.

    Attributes:
        new: so many were written.
        known: so many were there already.
        unknown: so many are of calls that are not in the record.
    """

    new: int = 0
    known: int = 0
    unknown: int = 0


def take(database: Database, answers: Sequence[Answer], source: str) -> Taken:
    """Write answers; one that is there already, of the same call and survey, adds nothing.

    Raises:
        StoreError: if the record cannot be reached or written now; what was written stays, and
            adds nothing when it is tried again.
    """
    taken, writer = Taken(), Writer(database)
    for at in range(0, len(answers), _AT_ONCE):
        rows = [_row(database, answer, source) for answer in answers[at : at + _AT_ONCE]]
        kept = _present(database, calls.c.call, {one.call for one in rows})
        written = _present(database, entries.c.id, {one.id for one in rows})
        ours = [one for one in rows if one.call in kept]
        new = {one.id: one for one in ours if one.id not in written}
        writer.write(list(new.values()))
        taken.new += len(new)
        taken.known += len(ours) - len(new)
        taken.unknown += len(rows) - len(ours)
    return taken


def _row(database: Database, answer: Answer, source: str) -> EntryRow:
    """Return what is written. Its id hangs on what was answered, not on when it was read."""
    event = Satisfaction(answer.score, answer.said, answer.comment, source)
    made = row(LiveRecord(answer.call, "", "", "", time.time(), event), database.names)
    if not isinstance(made, EntryRow):
        raise TypeError(f"{made} is no entry")
    own = "\0".join((event.type, answer.call, answer.said, answer.comment, source))
    return msgspec.structs.replace(made, id=database.names.entry(own))


def _present(database: Database, column: Column[str], values: set[str]) -> set[str]:
    """Return which of some values a column has."""
    with database.reading() as connection:
        return set(connection.scalars(select(column).where(column.in_(values)).distinct()))
