"""Calls of the record as a table for people, or as lines for machines. Nobody is ranked."""

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

import msgspec
from rich.table import Table
from rich.text import Text

from hackles.sinks.output import Lines, screen
from hackles.store.search import SESSION_SHOWN, Kept
from hackles.types import SCHEMA, State
from hackles.wording import clock

_WIDE: Final = 100
_IN_A_PIPE: Final = 200
"""Columns where nobody's screen has to hold them, so that a line stays a line."""

_NOTHING: Final = "–"
_PEAKS: Final = {State.RISING: ("rising", "yellow"), State.IRRITATED: ("high", "red")}


def show(found: Sequence[Kept], limit: int, as_lines: bool) -> None:
    """Show calls, or say that there are none.

    Raises:
        OutputError: if standard output cannot be written.
    """
    if as_lines:
        with Lines() as out:
            for kept in found:
                out.write(_line(kept))
        return
    console = screen()
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = _IN_A_PIPE
    if not found:
        console.print("No call of the record is like that.", highlight=False)
        return
    console.print(_table(found, space=2 if console.width >= _WIDE else 1))
    if len(found) == limit and console.is_terminal:
        console.print(Text(f"These are the newest {limit}; --limit shows more.", style="dim"))


def _table(found: Sequence[Kept], space: int) -> Table:
    table = Table(box=None, header_style="bold", padding=(0, space, 0, 0), pad_edge=False)
    table.add_column("begun", no_wrap=True)
    table.add_column("length", justify="right", no_wrap=True)
    table.add_column("queue", overflow="fold")
    table.add_column("agent", overflow="fold")
    table.add_column("warnings", no_wrap=True)
    table.add_column("result", no_wrap=True)
    table.add_column("answer", justify="right", no_wrap=True)
    table.add_column("session", no_wrap=True)
    for kept in found:
        table.add_row(*_cells(kept))
    return table


def _cells(kept: Kept) -> tuple[str | Text, ...]:
    return (
        datetime.fromtimestamp(kept.begun_at).strftime("%Y-%m-%d %H:%M"),
        "no end" if kept.duration_s is None else clock(kept.duration_s),
        Text(kept.queue or _NOTHING),
        Text(kept.agent or _NOTHING),
        _warnings(kept),
        kept.result.replace("_", " ") or _NOTHING,
        _NOTHING if kept.satisfaction is None else f"{100 * kept.satisfaction:.0f} %",
        kept.session[:SESSION_SHOWN],
    )


def _warnings(kept: Kept) -> Text:
    """Return how many warnings there were, and how far it went: "2 high"."""
    count = "" if kept.warnings is None else str(kept.warnings)
    peak, colour = _PEAKS.get(kept.peak, ("", ""))
    return Text(f"{count} {peak}".strip() or _NOTHING, style=colour)


def _line(kept: Kept) -> bytes:
    """Return a call as a line of JSON, with its line end."""
    said = {
        "schema": SCHEMA,
        "type": "kept_call",
        "session": kept.session,
        "queue": kept.queue,
        "agent": kept.agent,
        "begun": _utc(kept.begun_at),
        "ended": None if kept.ended_at is None else _utc(kept.ended_at),
        "duration_s": kept.duration_s,
        "warnings": kept.warnings,
        "peak": kept.peak,
        "error": kept.error,
        "result": kept.result or None,
        "satisfaction": kept.satisfaction,
    }
    return msgspec.json.encode(said) + b"\n"


def _utc(at: float) -> str:
    told = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
    return told.replace("+00:00", "Z")
