"""The tables of the record.

`entries` is the log: what was told of calls and done about them, append-only, each entry linked to
the one before it (`chain.py`). `calls` is what its entries come to, for searching; `verify` holds
the two against each other. Readings and gaps lie beside the chain, because they go earlier.

No name of a call and no number of a customer is in any of them, only keyed digests (`names.py`).
Moments (`at`, `…_at`) are seconds since 1970.
"""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    String,
    Table,
    Text,
)

metadata: Final = MetaData()

_Serial: Final = BigInteger().with_variant(Integer, "sqlite")
"""The one type that makes a column the row's own number in SQLite."""

chain: Final = Table(
    "chain",
    metadata,
    # There is one row. Whoever writes locks it, so that links come one after the other.
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    Column("key_check", LargeBinary, nullable=False),  # a digest by the key of all digests
    Column("seq", BigInteger, nullable=False),  # of the last entry
    Column("link", LargeBinary, nullable=False),  # of the last entry
    Column("calls", BigInteger, nullable=False),  # the last number given to a call
)

calls: Final = Table(
    "calls",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),  # never given twice
    Column("session", String(64), nullable=False, unique=True),
    Column("call", String(32), nullable=False, index=True),  # a keyed digest of its name
    Column("queue", Text, nullable=False),
    Column("agent", Text, nullable=False),
    Column("customer", String(64), index=True),  # a keyed digest of the number, if known
    Column("consent", Boolean),  # NULL: nobody said
    Column("begun_at", Double, nullable=False, index=True),
    Column("ended_at", Double),  # this and what follows: NULL until it has ended
    Column("duration_s", Double),
    Column("speech_s", Double),
    Column("alerts", Integer),  # episodes
    Column("irritation_max", Double),
    Column("irritation_mean", Double),
    Column("error", Text),
    Column("peak", String(16), nullable=False),  # the highest state: calm, rising or irritated
    Column("result", String(32)),  # of the latest outcome
    Column("satisfaction", Double),  # the latest score, 0 to 1
    Column("key", LargeBinary, nullable=False),  # by which its entries are digested
)

readings: Final = Table(
    "readings",
    metadata,
    Column("call", BigInteger, ForeignKey("calls.id"), nullable=False),
    Column("time", BigInteger, nullable=False),  # see units.py
    Column("irritation", SmallInteger, nullable=False),
    Column("arousal", SmallInteger, nullable=False),
    Column("confidence", SmallInteger, nullable=False),
    PrimaryKeyConstraint("call", "time"),
    sqlite_with_rowid=False,
)

gaps: Final = Table(
    "gaps",
    metadata,
    Column("call", BigInteger, ForeignKey("calls.id"), nullable=False),
    Column("time", BigInteger, nullable=False),  # when it ended
    Column("since", BigInteger, nullable=False),
    Column("reason", String(32), nullable=False),
    PrimaryKeyConstraint("call", "time", "reason"),
    sqlite_with_rowid=False,
)

entries: Final = Table(
    "entries",
    metadata,
    Column("seq", _Serial, primary_key=True, autoincrement=False),
    Column("call", BigInteger),  # its number; NULL if it speaks of none
    # These five are NULL once the call was deleted; its number, digests and links stay.
    Column("id", String(64), unique=True),
    Column("kind", String(16)),
    Column("at", Double),
    Column("time", Double),
    Column("payload", Text),  # JSON
    Column("digest", LargeBinary, nullable=False),
    Column("link", LargeBinary, nullable=False),
    Index("ix_entries_call_seq", "call", "seq"),
)
