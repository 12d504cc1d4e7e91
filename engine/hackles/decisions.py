"""What the engine decided in one tick, as tables, and the events they stand for.

The tick fills tables, so that its work does not grow with the number of calls; whoever needs
events as objects makes them outside of it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from hackles.config import SAMPLE_RATE
from hackles.evidence import MEASURES, evidence
from hackles.gaps import REASONS
from hackles.types import Alert, AnyArray, Event, Gap, Reading, State

STATES = tuple(State)

# `position` and `since` are in samples since the call began.
READING = np.dtype(
    [
        ("slot", "i8"),
        ("position", "i8"),
        ("irritation", "f8"),
        ("arousal", "f8"),
        ("confidence", "f8"),
    ]
)
ALERT = np.dtype(
    [
        ("slot", "i8"),
        ("position", "i8"),
        ("since", "i8"),
        ("state", "i8"),
        ("level", "f8"),
        ("trend_per_min", "f8"),
        ("confidence", "f8"),
        ("known", "?"),
        ("baseline", "f4", len(MEASURES)),
        ("now", "f4", len(MEASURES)),
    ]
)
GAP = np.dtype([("slot", "i8"), ("position", "i8"), ("since", "i8"), ("reason", "i8")])


def table(dtype: np.dtype[np.void], **columns: AnyArray) -> AnyArray:
    """Return a table of the given type from its columns, which all have one length."""
    rows = np.empty(len(columns["slot"]), dtype=dtype)
    for name, values in columns.items():
        rows[name] = values
    return rows


@dataclass(frozen=True, slots=True)
class Decisions:
    """The tables of one tick."""

    readings: AnyArray
    alerts: AnyArray
    gaps: AnyArray

    def events(self) -> Iterator[tuple[int, Event]]:
        """Yield (slot, event), each call's in the order in which they were decided."""
        # Decided on the same sample: what was missed, then what was heard, then what follows.
        tables: tuple[tuple[AnyArray, Callable[[AnyArray], Event]], ...] = (
            (self.gaps, _gap),
            (self.readings, _reading),
            (self.alerts, _alert),
        )
        placed = [
            (int(row["position"]), kind, int(row["slot"]), make(row))
            for kind, (rows, make) in enumerate(tables)
            for row in rows
        ]
        for _, _, slot, event in sorted(placed, key=lambda item: item[:3]):
            yield slot, event


def _seconds(position: AnyArray) -> float:
    return round(float(position) / SAMPLE_RATE, 4)


def _reading(row: AnyArray) -> Reading:
    return Reading(
        time=_seconds(row["position"]),
        irritation=round(float(row["irritation"]), 4),
        arousal=round(float(row["arousal"]), 4),
        confidence=round(float(row["confidence"]), 4),
    )


def _alert(row: AnyArray) -> Alert:
    return Alert(
        time=_seconds(row["position"]),
        since=_seconds(row["since"]),
        state=STATES[row["state"]],
        level=round(float(row["level"]), 4),
        trend_per_min=round(float(row["trend_per_min"]), 4),
        confidence=round(float(row["confidence"]), 4),
        evidence=evidence(row["baseline"], row["now"], bool(row["known"])),
    )


def _gap(row: AnyArray) -> Gap:
    return Gap(
        time=_seconds(row["position"]),
        since=_seconds(row["since"]),
        reason=REASONS[row["reason"]],
    )
