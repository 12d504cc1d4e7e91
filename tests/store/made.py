"""Records of calls, and what the tables hold of them."""

import itertools

from sqlalchemy import delete, select, update

from hackles.records import (
    Acknowledgement,
    CallNews,
    CardShown,
    LiveRecord,
    Note,
    Outcome,
    Satisfaction,
)
from hackles.store.chain import START
from hackles.store.rows import row
from hackles.store.tables import calls, chain, entries, gaps, readings
from hackles.types import Alert, Evidence, Gap, Reading, Reason, State, Summary

AT = 4_000_000_000.0
"""Far away, so that nothing is too old to be kept whenever the tests are run."""
AGENT = "agent-label-7f3a"
SECRET = "the-note-says-kowalska"


def record(event, call="call 1", session="s1", at=AT):
    """Return a record as the daemon tells it."""
    return LiveRecord(call, session, "sales", AGENT, at, event)


def alert(time, state=State.RISING):
    """Return an alert."""
    moved = (Evidence("pitch", "semitones", 20.0, 23.25), Evidence("tempo", "%", None, 1.5))
    return Alert(time, time - 2.5, state, 0.6125, 0.25, 0.8, moved)


def call_records(number, readings=6, at=AT, name=None):
    """Yield what is told of a whole call."""
    name, session = name or f"call {number}", f"session {number}"
    events = [
        CallNews("begun", consent=True, customer=f"customer {number % 2}"),
        *(Reading(round(1.1237 * i, 4), 0.2512, 0.5, 0.75) for i in range(readings)),
        Gap(9.5, 7.25, Reason.MUSIC),
        alert(12.0),
        CardShown(12.0, "venting-1", "venting", "pl"),
        Acknowledgement(13.0, "abc", "seen"),
        alert(20.5, State.IRRITATED),
        Note(21.0, f"{SECRET} {number}"),
        alert(30.0, State.EASED),
        Summary(40.0, 20.5, 0.75, 0.5, 1, None),
        Outcome(40.0, "promised", "a late parcel", "a call back", "Monday", "delivery", "helped"),
    ]
    for place, event in enumerate(events):
        yield record(event, name, session, at + place)
    yield record(Satisfaction(0.75, "4 of 1 to 5"), name, "", at + len(events))


def rows(records, names):
    """Return the rows of some records."""
    made = (row(one, names, "model hash", "configuration hash") for one in records)
    return [one for one in made if one is not None]


def several(names, count=3):
    """Return the rows of several calls that go on at the same time."""
    told = [list(call_records(number)) for number in range(1, count + 1)]
    mixed = itertools.chain.from_iterable(itertools.zip_longest(*told))
    return rows([one for one in mixed if one is not None], names)


def batches(items, size):
    """Return items in batches."""
    return [items[at : at + size] for at in range(0, len(items), size)]


def content(database, order="seq"):
    """Return all that a record says, without keys, digests and links."""
    with database.reading() as connection:
        found = {
            "calls": select(*(c for c in calls.c if c.name != "key")).order_by(calls.c.id),
            "readings": select(readings).order_by(readings.c.call, readings.c.time),
            "gaps": select(gaps).order_by(gaps.c.call, gaps.c.time),
            "entries": select(*(c for c in entries.c if c.name not in ("digest", "link"))).order_by(
                entries.c.seq
            ),
        }
        return {name: [tuple(r) for r in connection.execute(q)] for name, q in found.items()}


def empty(database):
    """Let a record be as if nothing had ever been written, which is faster than a new one."""
    with database.writing() as connection:
        for table in (entries, readings, gaps, calls):
            connection.execute(delete(table))
        connection.execute(update(chain).values(seq=0, link=START, calls=0))
    database.head.path.unlink(missing_ok=True)
