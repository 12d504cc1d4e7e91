"""The tables as this version needs them: Alembic's steps, run when a database is opened."""

import logging
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, func, inspect, select, text

from hackles.errors import UsageError

LAST: Final = "0001"
"""The step after which the tables are as in `tables.py`."""

_FOLDER: Final = Path(__file__).with_name("migrations")
_LOCK: Final = 7_211_403
"""By this number PostgreSQL knows that somebody makes tables."""


def is_up_to_date(connection: Connection) -> bool:
    """Return whether the tables are as this version needs them."""
    return _current(connection) == LAST


def upgrade(connection: Connection) -> None:
    """Make or change the tables, all of it or nothing.

    Raises:
        UsageError: if they were made by a later version.
    """
    # Both are slow to import, and seldom needed; and at a lower level it tells of every plugin.
    logging.getLogger("alembic").setLevel(logging.WARNING)
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    steps = {step.revision for step in ScriptDirectory.from_config(config).walk_revisions()}
    current = _current(connection)
    if current is not None and current not in steps:
        raise UsageError(
            f"The record's tables (step {current}) were made by a later version of hackles than "
            "this; install that one."
        )
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _current(connection: Connection) -> str | None:
    """Return the last step that was made, or None."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return found
