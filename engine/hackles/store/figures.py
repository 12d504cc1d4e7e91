"""What a call's entries come to: the columns of its row, made from them one after the other."""

from typing import Any, Final, TypeAlias

from hackles.types import State

Columns: TypeAlias = dict[str, Any]

_BEGUN: Final = ("session", "call", "queue", "agent", "customer", "consent")
_SUMMARY: Final = (
    "duration_s",
    "speech_s",
    "alerts",
    "irritation_max",
    "irritation_mean",
    "error",
)
CHANGING: Final = ("ended_at", *_SUMMARY, "peak", "result", "satisfaction")
"""The columns that more than the first entry decides."""

_HEIGHT: Final = {State.CALM.value: 0, State.RISING.value: 1, State.IRRITATED.value: 2}


def begun(at: float, payload: Columns) -> Columns:
    """Return the columns of a call that has begun."""
    first: Columns = {name: payload[name] for name in _BEGUN}
    return first | {"begun_at": at} | dict.fromkeys(CHANGING) | {"peak": State.CALM.value}


def changes(kind: str, at: float, payload: Columns, peak: str) -> Columns:
    """Return the columns that an entry changes.

    Args:
        kind: of entry.
        at: when it was told.
        payload: what it says.
        peak: the call's highest state so far.
    """
    match kind:
        case "summary":
            return {"ended_at": at} | {name: payload[name] for name in _SUMMARY}
        case "alert" if _HEIGHT.get(payload["state"], 0) > _HEIGHT[peak]:
            return {"peak": payload["state"]}
        case "outcome":
            return {"result": payload["result"]}
        case "satisfaction":
            return {"satisfaction": payload["score"]}
    return {}
