"""What people said of the alerts that they were shown."""

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec
from sqlalchemy import Connection, select

from hackles.calibration import Answers
from hackles.store.database import Database
from hackles.store.tables import entries

_AT_ONCE: Final = 500


def answers(database: Database, model: str) -> Answers:
    """Return what was said of a model's alerts, as far as it is kept; of each, what came last.

    Args:
        database: the record.
        model: the digest of the model's file.

    Raises:
        StoreError: if the record cannot be read now.
    """
    query = select(entries.c.payload).where(entries.c.kind == "acknowledgement")
    said: dict[str, str] = {}
    with database.reading() as connection:
        for payload in connection.scalars(query.order_by(entries.c.seq)):
            answer = msgspec.json.decode(payload)
            said[answer["alert"]] = answer["verdict"]
        models = dict(_models(connection, list(said)))
    own = [said[alert] for alert, whose in models.items() if whose == model]
    false_alarms = own.count("false_alarm")
    return Answers(false_alarms, len(own) - false_alarms, len(models) - len(own))


def _models(connection: Connection, alerts: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield the alerts that are kept, each with the digest of its model."""
    for at in range(0, len(alerts), _AT_ONCE):
        its = entries.c.id.in_(alerts[at : at + _AT_ONCE]), entries.c.kind == "alert"
        for row in connection.execute(select(entries.c.id, entries.c.payload).where(*its)):
            yield row.id, msgspec.json.decode(row.payload).get("model", "")
