"""The vocabulary: what goes in (`Block`), what comes out (`Event`), and who is who (`Role`).

Everything else is written against these few types. Times are seconds of audio since the
call began; numbers in events are finite or None.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[np.float32]
Ints: TypeAlias = NDArray[np.int64]
Bools: TypeAlias = NDArray[np.bool_]
AnyArray: TypeAlias = NDArray[Any]

SCHEMA = 1


class Role(StrEnum):
    """Who speaks in a channel. Only `customer` is ever scored."""

    CUSTOMER = "customer"
    AGENT = "agent"
    MIXED = "mixed"
    UNKNOWN = "unknown"


class State(StrEnum):
    """Where a caller stands: `rising` is the early warning."""

    CALM = "calm"
    RISING = "rising"
    IRRITATED = "irritated"
    EASED = "eased"


class Reason(StrEnum):
    """Why a stretch of the call was not scored. The list is fixed."""

    SILENCE = "silence"
    TONE = "tone"
    MUSIC = "music"
    NOISE = "noise"
    CLIPPING = "clipping"
    LOST_AUDIO = "lost_audio"
    AGENT_LEAK = "agent_leak"
    TOO_LITTLE_SPEECH = "too_little_speech"


@dataclass(frozen=True, slots=True)
class Block:
    """Samples of one party, of any length.

    Attributes:
        samples: shape (n_samples,), float32 in [-1, 1], at the engine's rate.
        start: position of the first sample, in samples since the call began. A start
            beyond the end of the last block means lost audio.
    """

    samples: Array
    start: int

    def part(self, begin: int, end: int) -> "Block":
        """Return the samples from `begin` up to `end`, counted within the block."""
        return Block(self.samples[begin:end], self.start + begin)


@dataclass(frozen=True, slots=True)
class Evidence:
    """One measure that moved: from the caller's own `baseline` to `now`.

    `baseline` is None while the caller has not been heard calm.
    """

    measure: str
    unit: str
    baseline: float | None
    now: float


@dataclass(frozen=True, slots=True)
class Reading:
    """The detector's view of the last few seconds of the customer's speech."""

    time: float
    irritation: float
    arousal: float
    confidence: float
    type: Literal["reading"] = field(default="reading", init=False)


@dataclass(frozen=True, slots=True)
class Alert:
    """A change of state, with its evidence.

    Attributes:
        time: the last audio heard when it was decided.
        since: the estimated onset of the change.
        state: the state entered.
        level: smoothed irritation, 0 to 1.
        trend_per_min: change of the level per minute of speech.
        confidence: 0 to 1.
        evidence: the measures that moved, the most telling first.
    """

    time: float
    since: float
    state: State
    level: float
    trend_per_min: float
    confidence: float
    evidence: tuple[Evidence, ...]
    type: Literal["alert"] = field(default="alert", init=False)


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch, from `since` to `time`, that was not scored, and why."""

    time: float
    since: float
    reason: Reason
    type: Literal["gap"] = field(default="gap", init=False)


Event: TypeAlias = Reading | Alert | Gap


@dataclass(frozen=True, slots=True)
class Summary:
    """What a whole call came to; `error` says why it could not be heard to its end.

    `speech_s` is None where whoever heard it can no longer be asked.
    """

    duration_s: float
    speech_s: float | None
    irritation_max: float | None
    irritation_mean: float | None
    alerts: int
    error: str | None
    type: Literal["summary"] = field(default="summary", init=False)
