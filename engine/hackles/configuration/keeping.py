"""The rules for what is kept: how long, and with which secrets."""

import os
from collections.abc import Iterator
from typing import Final
from urllib.parse import parse_qs, urlsplit

from hackles.configuration.faults import Finding, Section
from hackles.settings import Store

SIX_MONTHS_DAYS: Final = 183


def findings(part: Section, store: Store) -> Iterator[Finding]:
    """Yield what is wrong with the record's section."""
    if store.scores_days > store.alerts_days:
        text = (
            f"scores_days ({store.scores_days}) is more than alerts_days ({store.alerts_days}), "
            "but a call goes as a whole after alerts_days; make one less or the other more"
        )
        yield Finding(part.path, text, ("scores_days", "alerts_days"))
    if store.alerts_days < SIX_MONTHS_DAYS:
        text = (
            f"alerts_days ({store.alerts_days}) is under six months, so long logs must be kept at "
            f"least (EU AI Act, Art. 26(6)); set {SIX_MONTHS_DAYS} or more"
        )
        yield Finding(part.path, text, ("alerts_days",), is_warning=True)
    above = os.path.dirname(store.head)
    if above and not os.path.isdir(above):
        text = f"head lies in a folder that is not there: {above}; make it before you start"
        yield Finding(part.path, text, ("head",), is_warning=True)
    yield from _database(part, store.database)


def _database(part: Section, url: str) -> Iterator[Finding]:
    """Yield what is wrong with a URL; what it says is not repeated, for a secret may be in it."""
    try:
        parts = urlsplit(url)
        has_password = bool(parts.password) or "password" in parse_qs(parts.query)
        _ = parts.port
    except ValueError:
        text = 'database is no URL such as "postgresql://hackles@db.example/hackles"'
        yield Finding(part.path, text, ("database",))
        return
    if has_password:
        text = (
            "database has a password in it, which whoever may read this file sees; "
            "move it to ~/.pgpass"
        )
        yield Finding(part.path, text, ("database",), is_warning=True)
