"""Looking for words in what people wrote down of calls.

Not asked of the database: in JSON it would find the keys as well, and of letters beyond ASCII
SQLite does not know which are small and which are capital.
"""

import unicodedata
from collections.abc import Sequence
from typing import Final

import msgspec
from sqlalchemy import ColumnElement, Connection, select

from hackles.store.tables import calls, entries

_TEXTS: Final = {"note": ("text",), "outcome": ("what", "promised", "by_when")}
_STROKES: Final = str.maketrans("łøđ", "lod")
"""Which are no accents to Unicode."""


def found(
    connection: Connection, words: Sequence[str], conditions: Sequence[ColumnElement[bool]]
) -> set[int]:
    """Return the numbers of the calls of which all the words were written down.

    Args:
        connection: to the record.
        words: in any order; capitals and accents do not matter.
        conditions: which calls are looked at.
    """
    query = (
        select(entries.c.call, entries.c.kind, entries.c.payload)
        .join(calls, entries.c.call == calls.c.id)
        .where(entries.c.kind.in_(_TEXTS), *conditions)
    )
    texts: dict[int, list[str]] = {}
    for row in connection.execute(query):
        said = msgspec.json.decode(row.payload)
        texts.setdefault(row.call, []).extend(said.get(name) or "" for name in _TEXTS[row.kind])
    plain = {call: _plain("\n".join(parts)) for call, parts in texts.items()}
    wanted = [_plain(word) for word in words]
    return {call for call, text in plain.items() if all(word in text for word in wanted)}


def _plain(text: str) -> str:
    """Return a text without capitals and accents, as people type when they search."""
    apart = unicodedata.normalize("NFKD", text.casefold().translate(_STROKES))
    return "".join(sign for sign in apart if not unicodedata.combining(sign))
