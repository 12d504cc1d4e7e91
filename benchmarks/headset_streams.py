"""What a headset plays all day, composed: silence, ring-back, a call, silence, a call, a busy tone.

Where each call begins and ends is known, and so is what `Conversation` should say of it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from benchmarks import speech_material as material
from benchmarks.record import Figures
from hackles.config import SAMPLE_RATE
from hackles.conversation import Begins, Conversation, Ends
from hackles.types import AnyArray, Array
from models.training.calls import KINDS, Speakers, compose
from models.training.coding import mu_law
from models.training.truth import Truth

BLOCK = SAMPLE_RATE // 2
NOT_BUSY = frozenset({"congestion UK"})
"""Its pulses are not on for as long as off: nobody claims to find it."""
SINGLE_WORDS = "turev"
_BETWEEN_S = 40.0
_AFTER_S = 3.0
_BUSY_WITHIN_S = 12.0
_SLACK = SAMPLE_RATE


@dataclass(frozen=True, slots=True)
class Told:
    """What was told of a sound, and how many samples had been pushed by then."""

    event: Begins | Ends
    at: int


@dataclass(frozen=True, slots=True)
class Placed:
    """A call in a stream, in samples: its sound, and from the first of its words to the last."""

    truth: Truth
    connected: int
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Stream:
    """Two calls, what lies around them, and where the busy tone begins."""

    samples: Array = field(repr=False)
    calls: tuple[Placed, ...]
    busy: str
    busy_at: int


def hear(samples: Array, block: int = BLOCK) -> list[Told]:
    """Return what is told of a sound, pushed half a second at a time."""
    conversation = Conversation()
    return [
        Told(event, min(at + block, len(samples)))
        for at in range(0, len(samples), block)
        for event in conversation.push(samples[at : at + block])
    ]


def busy_tones() -> dict[str, AnyArray]:
    """Return the busy and congestion tones of several countries."""
    every = material.call_progress()
    return {name: tone for name, tone in every.items() if name.startswith(("busy", "congestion"))}


def pairs(speakers: Speakers, each: int) -> list[tuple[tuple[str, str, int], ...]]:
    """Return who calls in each stream, (speaker, kind, number): as many of each corpus."""
    corpora: dict[str, list[str]] = {}
    for name in sorted(speakers):
        corpora.setdefault(speakers[name][0].corpus, []).append(name)
    calls = [
        (names[number % len(names)], KINDS[number % 3], number)
        for number in range(each)
        for _, names in sorted(corpora.items())
    ]
    return [tuple(calls[i : i + 2]) for i in range(0, len(calls) - 1, 2)]


def stream(
    speakers: Speakers, pair: Sequence[tuple[str, str, int]], number: int, seed: int
) -> Stream:
    """Compose one: the same arguments give the same samples."""
    chance = np.random.default_rng([seed, number])
    progress = material.call_progress()
    rings = [name for name in progress if name.startswith("ring")]
    busies = sorted(set(busy_tones()) - NOT_BUSY)
    parts: list[AnyArray] = [np.zeros(_samples(chance.uniform(3, 6)))]
    placed: list[Placed] = []
    for which, (name, kind, own_number) in enumerate(pair):
        if chance.random() < 0.5:
            ring = progress[rings[int(chance.integers(len(rings)))]]
            ring = ring[: _samples(float(chance.integers(5, 15)))] * chance.uniform(0.02, 0.2)
            parts.append(_line(ring))
        call = compose(speakers, name, kind, own_number, seed)
        at, segments = sum(map(len, parts)), call.truth.segments
        first, last = (at + _samples(s) for s in (segments[0][0], segments[-1][1]))
        placed.append(Placed(call.truth, at, first, last))
        parts.append(call.customer)
        if which == 0:
            hiss = 10 ** (-chance.uniform(45, 65) / 20) if number % 2 else 0.0
            parts.append(_line(hiss * chance.standard_normal(_samples(_BETWEEN_S))))
    parts.append(np.zeros(_samples(chance.uniform(0.05, 2.0))))
    busy, busy_at = busies[number % len(busies)], sum(map(len, parts))
    tone = _line(progress[busy][: _samples(10)] * 10 ** (-chance.uniform(0, 30) / 20))
    whole = np.concatenate([*parts, tone, np.zeros(_samples(_BETWEEN_S))])
    return Stream(whole.astype(np.float32), tuple(placed), busy, busy_at)


def _samples(seconds: float) -> int:
    return int(seconds * SAMPLE_RATE)


def _line(samples: AnyArray) -> Array:
    return mu_law(samples.astype(np.float32))


def judged(of: Stream) -> tuple[list[Figures], Figures]:
    """Return what became of each call, and of the stream around them."""
    told = hear(of.samples)
    begins = [one for one in told if isinstance(one.event, Begins)]
    ends = [one for one in told if isinstance(one.event, Ends)]
    rows = [_call(call, begins, ends) for call in of.calls]
    theirs = sum(_within(one, call) for one in begins for call in of.calls)
    one, other = of.calls
    between = [e for e in ends if one.last - _SLACK < e.event.position < other.first]
    hung_up = [e for e in ends if 0 < e.at - of.busy_at < _BUSY_WITHIN_S * SAMPLE_RATE]
    about: Figures = {
        "spurious": len(begins) - theirs,
        "merged": int(not between),
        "busy": of.busy,
        "busy_told_s": (hung_up[0].at - of.busy_at) / SAMPLE_RATE if hung_up else None,
        "busy_off_s": (
            abs(hung_up[0].event.position - of.busy_at) / SAMPLE_RATE if hung_up else None
        ),
        "silence_told_s": (between[0].at - one.last) / SAMPLE_RATE if between else None,
    }
    return rows, about


def _within(told: Told, call: Placed) -> bool:
    """Return whether something was told while a call lasted."""
    return call.connected < told.at < call.last + _AFTER_S * SAMPLE_RATE


def _call(call: Placed, begins: Sequence[Told], ends: Sequence[Told]) -> Figures:
    own = [one for one in begins if _within(one, call)]
    row: Figures = {
        "corpus": call.truth.corpus,
        "noise": call.truth.noise,
        "missed": not own,
        "cut": any(call.first < one.event.position < call.last - _SLACK for one in ends),
    }
    if own:
        position = (own[0].event.position - call.connected) / SAMPLE_RATE
        row |= {
            "late_s": (own[0].at - call.first) / SAMPLE_RATE,
            "lost_s": call.truth.speech_between(0.0, position),
        }
    return row


def quantiles(values: Sequence[float]) -> Figures:
    """Return the median, 75 %, 95 % and the worst."""
    if not len(values):
        return {}
    found = np.percentile(values, [50, 75, 95, 100]).round(2).tolist()
    return dict(zip(("median", "p75", "p95", "worst"), found, strict=True))


def summed(rows: Sequence[Figures]) -> Figures:
    """Return the figures of some calls."""
    known = [row for row in rows if "late_s" in row]
    return {
        "calls": len(rows),
        "missed": sum(row["missed"] for row in rows),
        "cut": sum(row["cut"] for row in rows),
        "before_the_first_word": sum(row["late_s"] < 0 for row in known),
        "late_s": quantiles([row["late_s"] for row in known]),
        "words_lost": sum(row["lost_s"] > 0.1 for row in known),
        "lost_s": quantiles([row["lost_s"] for row in known]),
    }


def groups(rows: Sequence[Figures]) -> Iterator[tuple[str, list[Figures]]]:
    """Yield all calls, and those by noise and corpus."""
    yield "all", list(rows)
    for noise in sorted({row["noise"] for row in rows}):
        yield noise, [row for row in rows if row["noise"] == noise]
    yield "sentences", [row for row in rows if row["corpus"] != SINGLE_WORDS]
    yield "single words", [row for row in rows if row["corpus"] == SINGLE_WORDS]


def flat(row: Figures) -> Figures:
    """Return a row for a table: quantiles one after the other."""
    return {
        key: " ".join(map(str, value.values())) if isinstance(value, dict) else value
        for key, value in row.items()
    }
