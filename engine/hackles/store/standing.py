"""How a record stands, looked at without making or changing anything."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import func, select

from hackles.errors import UsageError
from hackles.settings import Store
from hackles.store.database import Database, opened
from hackles.store.folder import Folder
from hackles.store.spool import Spool
from hackles.store.steps import is_up_to_date
from hackles.store.tables import calls, chain

_PATIENCE_S: Final = 3.0


@dataclass(frozen=True, slots=True)
class Standing:
    """What is in a record.

    Attributes:
        calls: how many sessions of calls.
        oldest: when the oldest of them began, in seconds since 1970; None if there is none.
    """

    calls: int
    oldest: float | None


def look(section: Store) -> Standing | None:
    """Return how the record stands; None if its tables are not those of this version.

    The folder and its key must be there.

    Raises:
        UsageError: if it cannot be opened with these settings, or with this key.
        StoreError: if it cannot be reached now.
    """
    if not section.database and not (Path(section.folder) / "hackles.db").exists():
        return None
    database = opened(Folder(section), section, _PATIENCE_S)
    try:
        with database.reading() as connection:
            if not is_up_to_date(connection):
                return None
            check = connection.scalar(select(chain.c.key_check))
            found = connection.execute(select(func.count(), func.min(calls.c.begun_at))).one()
    finally:
        database.close()
    if check is not None and bytes(check) != database.links.check:
        raise UsageError(
            f"it was begun with another key than that in {section.folder}; put that key there"
        )
    return Standing(*found)


def is_waiting(database: Database) -> bool:
    """Return whether something is not in the database yet, but waits on disk."""
    return not Spool(database.folder.spool).is_empty()
