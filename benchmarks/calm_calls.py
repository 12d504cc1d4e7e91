"""Calls in which nobody is irritated, of one voice each, and hold music, over random lines.

Turns of one to three prompts with pauses of 0.1 to 0.4 s, 3 to 9 s between turns in which the
agent would talk. Every prompt is said once, in a random order, at a level of its own (+-6 dB).
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np

from benchmarks.cache import digest, kept
from benchmarks.calls import SOURCES
from benchmarks.calm_voices import Voice, read
from hackles.config import SAMPLE_RATE
from hackles.listening import Measured
from hackles.types import AnyArray, Array
from models.training.calls import draw_line
from models.training.coding import coded
from models.training.dialogue import LEVEL_DB
from models.training.measure import measure
from models.training.telephone import Line, band_pass, level_of, transmit

SEED = 2027
CALL_S = (120.0, 240.0)
LEVELS_DB = 6.0
TURN_PROMPTS = 3
PAUSE_S, BETWEEN_TURNS_S = (0.1, 0.4), (3.0, 9.0)
MUSIC_LINES = 8
"""How many random lines each piece of music is heard over; before them, plain."""

_BABBLE_PROMPTS = 40
_OWN_SOURCES = [Path(__file__).with_name(f"{name}.py") for name in ("calm_calls", "calm_voices")]
_PACKAGES = ("numpy", "scipy", "soundfile", "soxr", "av")


class Told(msgspec.Struct, frozen=True):
    """What is true of a call; times in seconds since it began.

    Attributes:
        number: which of the voice's calls.
        clock_s: how long it is.
        said: (start, end, name) of each prompt; none in music.
        line: what it came over; None if plain: mu-law and nothing else.
    """

    number: int
    clock_s: float
    said: tuple[tuple[float, float, str], ...]
    line: Line | None

    @property
    def said_s(self) -> float:
        """Seconds of prompts, with the short silences in them."""
        return sum(end - start for start, end, _ in self.said)


@dataclass(frozen=True, slots=True)
class CalmCall:
    """Samples at the engine's rate, and what is true of them."""

    samples: Array
    told: Told


@dataclass(frozen=True, slots=True)
class HeardCall:
    """A call, and what was measured of it."""

    voice: Voice
    told: Told
    measured: Measured


def speech_calls(voice: Voice, company: Sequence[Path], seed: int = SEED) -> Iterator[CalmCall]:
    """Yield calls of a voice until every prompt was said; the last may be short.

    Args:
        voice: whose; the draws depend on its name, not on how it sounds.
        company: what babble is made of; the voice itself if there is nothing else.
        seed: of the draws.
    """
    order = _rng(seed, voice.name, "order").permutation(len(voice.paths)).tolist()
    number = 0
    while order:
        # What is said, and what the line does to it, are drawn apart.
        said, sent = (_rng(seed, voice.name, str(number), part) for part in ("said", "sent"))
        samples, times = _talk(said, order, voice.paths)
        line = draw_line(sent)
        babble = _babble(sent, line, company or voice.paths)
        arrived = _arrived(sent, samples, line, babble)
        yield CalmCall(arrived, Told(number, len(arrived) / SAMPLE_RATE, times, line))
        number += 1


def music_calls(piece: Voice, company: Sequence[Path], seed: int = SEED) -> Iterator[CalmCall]:
    """Yield a piece of music plain, then over several random lines."""
    samples = _at_level(read(piece.paths[0]), LEVEL_DB)
    for number in range(1 + MUSIC_LINES):
        sent = _rng(seed, piece.name, str(number), "sent")
        line = draw_line(sent) if number else None
        arrived = (
            coded(samples, "mu-law")
            if line is None
            else _arrived(sent, samples, line, _babble(sent, line, company))
        )
        yield CalmCall(arrived, Told(number, len(arrived) / SAMPLE_RATE, (), line))


def hear(voice: Voice, company: Sequence[Path], cache: Path) -> list[HeardCall]:
    """Measure the calls of a voice or a piece of music, or find them measured in `cache`."""
    facts = [voice.kind, voice.name, *(_fact(path) for path in (*voice.paths, *company))]
    key = digest((*SOURCES, *_OWN_SOURCES), _PACKAGES, facts)
    name = f"calm-{voice.kind.partition(',')[0]}-{voice.name}"
    entry = kept(cache, name, key, lambda: _measured(voice, company))
    told = msgspec.json.decode(entry.pop("told").tobytes(), type=list[Told])
    ends = np.cumsum(entry.pop("rows")).tolist()
    return [
        HeardCall(voice, own, Measured(**{what: col[start:end] for what, col in entry.items()}))
        for own, start, end in zip(told, [0, *ends], ends, strict=False)
    ]


def _measured(voice: Voice, company: Sequence[Path]) -> dict[str, AnyArray]:
    told: list[Told] = []
    calls = music_calls if voice.kind == "music" else speech_calls

    def samples() -> Iterator[Array]:
        for call in calls(voice, company):
            told.append(call.told)
            yield call.samples

    measured = list(measure(samples()))
    every = Measured.join(measured)
    columns = {name: getattr(every, name) for name in Measured.__slots__}
    text = np.frombuffer(msgspec.json.encode(told), dtype=np.uint8)
    return columns | {"told": text, "rows": np.array([len(m.slot) for m in measured])}


def _fact(path: Path) -> str:
    return f"{'/'.join(path.parts[-3:])} {path.stat().st_size}"


def _talk(
    rng: np.random.Generator, order: list[int], paths: Sequence[Path]
) -> tuple[Array, tuple[tuple[float, float, str], ...]]:
    """Return the voice's side of a call of prompts taken from the front of `order`."""
    most = SAMPLE_RATE * rng.uniform(*CALL_S)
    parts: list[tuple[int, Array]] = []
    said: list[tuple[float, float, str]] = []
    end = _between(rng, BETWEEN_TURNS_S)
    while order and end < most:
        for _ in range(int(rng.integers(1, TURN_PROMPTS + 1))):
            if not order or end >= most:
                break
            path = paths[order.pop(0)]
            samples = _at_level(read(path), LEVEL_DB + rng.uniform(-LEVELS_DB, LEVELS_DB))
            parts.append((end, samples))
            times = (end / SAMPLE_RATE, (end + len(samples)) / SAMPLE_RATE)
            said.append((*times, f"{path.parent.name}/{path.stem}"))
            end += len(samples) + _between(rng, PAUSE_S)
        end += _between(rng, BETWEEN_TURNS_S)
    leg = np.zeros(end, dtype=np.float32)
    for start, samples in parts:
        leg[start : start + len(samples)] = samples
    return leg, tuple(said)


def _babble(rng: np.random.Generator, line: Line, company: Sequence[Path]) -> list[Array]:
    """Return what others say in the background, if they do."""
    if line.noise != "babble":
        return []
    return [read(company[i]) for i in rng.permutation(len(company))[:_BABBLE_PROMPTS]]


def _arrived(
    rng: np.random.Generator, samples: Array, line: Line, babble: Sequence[Array]
) -> Array:
    """Return what is heard over a line; a telephone system hands it on as G.711."""
    heard = transmit(rng, samples, LEVEL_DB, line, babble)
    law = "A-law" if line.codec == "A-law" else "mu-law"
    return heard if line.codec == law else coded(heard, law)


def _at_level(samples: Array, level_db: float) -> Array:
    """Return samples at a level within the telephone's band, where they sound."""
    level = level_of(band_pass(samples))
    gain = 1.0 if level is None else 10 ** ((level_db - level) / 20)
    result: Array = (samples * gain).astype(np.float32)
    return result


def _between(rng: np.random.Generator, edges_s: tuple[float, float]) -> int:
    return int(SAMPLE_RATE * rng.uniform(*edges_s))


def _rng(seed: int, *words: str) -> np.random.Generator:
    key: Iterable[int] = hashlib.sha256(" ".join([str(seed), *words]).encode()).digest()
    return np.random.default_rng([*key])
