"""The record: the chain, calls, readings, gaps and entries."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "chain",
        sa.Column("id", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("key_check", sa.LargeBinary, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("link", sa.LargeBinary, nullable=False),
        sa.Column("calls", sa.BigInteger, nullable=False),
    )
    _make_calls()
    op.create_table(
        "readings",
        sa.Column("call", sa.BigInteger, sa.ForeignKey("calls.id"), nullable=False),
        sa.Column("time", sa.BigInteger, nullable=False),
        sa.Column("irritation", sa.SmallInteger, nullable=False),
        sa.Column("arousal", sa.SmallInteger, nullable=False),
        sa.Column("confidence", sa.SmallInteger, nullable=False),
        sa.PrimaryKeyConstraint("call", "time"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "gaps",
        sa.Column("call", sa.BigInteger, sa.ForeignKey("calls.id"), nullable=False),
        sa.Column("time", sa.BigInteger, nullable=False),
        sa.Column("since", sa.BigInteger, nullable=False),
        sa.Column("reason", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("call", "time", "reason"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "entries",
        sa.Column(
            "seq",
            sa.BigInteger().with_variant(sa.Integer, "sqlite"),
            primary_key=True,
            autoincrement=False,
        ),
        sa.Column("call", sa.BigInteger),
        sa.Column("id", sa.String(64), unique=True),
        sa.Column("kind", sa.String(16)),
        sa.Column("at", sa.Double),
        sa.Column("time", sa.Double),
        sa.Column("payload", sa.Text),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("link", sa.LargeBinary, nullable=False),
    )
    op.create_index("ix_entries_call_seq", "entries", ["call", "seq"])


def _make_calls() -> None:
    op.create_table(
        "calls",
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("session", sa.String(64), nullable=False, unique=True),
        sa.Column("call", sa.String(32), nullable=False),
        sa.Column("queue", sa.Text, nullable=False),
        sa.Column("agent", sa.Text, nullable=False),
        sa.Column("customer", sa.String(64)),
        sa.Column("consent", sa.Boolean),
        sa.Column("begun_at", sa.Double, nullable=False),
        sa.Column("ended_at", sa.Double),
        sa.Column("duration_s", sa.Double),
        sa.Column("speech_s", sa.Double),
        sa.Column("alerts", sa.Integer),
        sa.Column("irritation_max", sa.Double),
        sa.Column("irritation_mean", sa.Double),
        sa.Column("error", sa.Text),
        sa.Column("peak", sa.String(16), nullable=False),
        sa.Column("result", sa.String(32)),
        sa.Column("satisfaction", sa.Double),
        sa.Column("key", sa.LargeBinary, nullable=False),
    )
    for column in ("call", "customer", "begun_at"):
        op.create_index(f"ix_calls_{column}", "calls", [column])
