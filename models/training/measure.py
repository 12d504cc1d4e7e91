"""Clips to functionals, through the engine's own first half."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np
from joblib import Parallel, delayed

from hackles.config import SAMPLE_RATE
from hackles.listening import NOT_WITHHELD, Listener, Measured
from hackles.types import AnyArray, Array, Block, Ints
from models.training.corpora import CALM, Clip, read_samples
from models.training.telephone import at_level, rough_line, telephone, transmit

_SLOTS = 32
_MAX_FRAMES = 256
_PAUSE_SAMPLES = 4000
_VOICES = 8
_REPLAYED = 0.7
ROUGH_SEEDS = (2, 3)


@dataclass(frozen=True, slots=True)
class Readings:
    """Measured windows of labelled speech; every array has one row per window.

    `clip` is the index of the (first) clip under the window, `part` the run of clips that it
    belongs to, whether it was heard in it or alone.
    """

    clip: Ints
    part: Ints
    covered: Ints
    snr_db: Array
    values: Array
    contours: AnyArray


def on_telephone(
    clip: Clip, index: int, seed: int, codec: str = "mu-law", snr_db: float | None = None
) -> Array:
    """Return a clip as heard on a telephone: level -26 dBFS +- 6 dB, SNR 12 to 40 dB.

    Args:
        clip: which.
        index: its place in the list of clips; with `seed`, what level and noise are drawn by.
        seed: of the draws.
        codec: one of `coding.CODECS`.
        snr_db: in place of the one that is drawn.
    """
    rng = np.random.default_rng([seed, index])
    samples = read_samples(clip)
    level_db, drawn_db = rng.uniform(-32, -20), rng.uniform(12, 40)
    return telephone(rng, samples, level_db, drawn_db if snr_db is None else snr_db, codec)


def as_telephone(clips: Sequence[Clip], seed: int) -> Iterator[Array]:
    """Yield each clip as heard on a telephone."""
    return (on_telephone(clip, index, seed) for index, clip in enumerate(clips))


def roughly(clips: Sequence[Clip], unheard: Collection[str], seed: int) -> Iterator[Array]:
    """Yield each clip as heard over a bad line, in another voice: what training must not mind.

    Most are played up to 14 % faster or slower, which moves pitch and formants too. Who talks
    behind a speaker is of the same corpus, so that leaving out a corpus leaves out its voices.

    Args:
        clips: of which.
        unheard: speakers who are not heard behind others.
        seed: of all that is drawn.
    """
    calm: dict[str, list[Clip]] = {}
    for clip in clips:
        if clip.emotion in CALM and clip.speaker not in unheard:
            calm.setdefault(clip.corpus, []).append(clip)
    for index, clip in enumerate(clips):
        rng = np.random.default_rng([seed, index])
        samples = _replayed(rng, read_samples(clip))
        line = rough_line(rng)
        others = [one for one in calm.get(clip.corpus, []) if one.speaker != clip.speaker]
        # Drawn whatever the noise is, so that all that is drawn later does not hang on it.
        picked = [others[i] for i in rng.integers(0, max(len(others), 1), _VOICES) if others]
        voices = [read_samples(one) for one in picked] if line.noise == "babble" else []
        if line.noise == "babble" and not voices:
            line = replace(line, noise="pink")
        level_db = rng.uniform(-32, -20)
        silence = np.zeros(_PAUSE_SAMPLES // 4, dtype=np.float32)
        said = np.concatenate([silence, at_level(samples, level_db), silence])
        yield transmit(rng, said, level_db, line, voices)


def _replayed(rng: np.random.Generator, samples: Array) -> Array:
    import soxr

    if rng.random() >= _REPLAYED:
        return samples
    speed = rng.uniform(0.88, 1.14)
    result: Array = soxr.resample(samples, SAMPLE_RATE * speed, SAMPLE_RATE).astype(np.float32)
    return result


def measure(calls: Iterable[Array], trusted: bool = False) -> Iterator[Measured]:
    """Yield the measured windows of each call (samples of one speaker), in order.

    Args:
        calls: samples of each.
        trusted: take for granted that each holds talk; a clip may be too short to prove it.
    """
    source = iter(calls)
    while some := list(islice(source, _SLOTS)):
        yield from _measure_some(some, trusted)


def _measure_some(calls: list[Array], trusted: bool) -> list[Measured]:
    listener = Listener(len(calls), _MAX_FRAMES)
    for slot in range(len(calls) if trusted else 0):
        listener.trust(slot)
    found: list[list[Measured]] = [[] for _ in calls]
    done = [0] * len(calls)
    while any(at < len(call) for at, call in zip(done, calls, strict=True)):
        for slot, call in enumerate(calls):
            done[slot] += listener.push(slot, Block(call[done[slot] :], done[slot]))
        _share(listener.tick()[0], found)
    while len((rest := listener.tick()[0]).slot):
        _share(rest, found)
    for slot in range(len(calls)):
        _share(listener.flush(slot)[0], found)
    return [Measured.join(parts) for parts in found]


def _share(measured: Measured, found: list[list[Measured]]) -> None:
    for slot in np.unique(measured.slot):
        found[slot].append(measured.rows(measured.slot == slot))


def measure_clips(clips: Sequence[Clip], seed: int = 0) -> Readings:
    """Return the readings of each clip alone: the cold start of a call."""
    return readings_of(clips, as_telephone(clips, seed))


def readings_of(clips: Sequence[Clip], heard: Iterable[Array]) -> Readings:
    """Return the readings of each clip alone, from its samples as they were heard."""
    return _readings(list(measure(heard, trusted=True)), np.arange(len(clips)), runs_of(clips))


def training_readings(clips: Sequence[Clip], unheard: Collection[str]) -> tuple[Readings, ...]:
    """Return what a detector is trained on: clips alone and in runs, over good lines and bad.

    Args:
        clips: all that may be trained on.
        unheard: speakers whose rows will be left out; nor are they heard behind others.
    """
    jobs = [delayed(measure_clips)(clips), delayed(measure_runs)(clips)]
    jobs += [delayed(measure_rough)(clips, unheard, seed) for seed in ROUGH_SEEDS]
    return tuple(Parallel(-1)(jobs))


def measure_rough(clips: Sequence[Clip], unheard: Collection[str], seed: int) -> Readings:
    """Return readings of runs of clips as `roughly` gives them."""
    return _measure_runs(clips, roughly(clips, unheard, seed), seed)


def measure_runs(clips: Sequence[Clip], seed: int = 1) -> Readings:
    """Return readings of runs of clips of one speaker and emotion, as a longer call has them."""
    return _measure_runs(clips, as_telephone(clips, seed), seed)


def _measure_runs(clips: Sequence[Clip], sounds: Iterable[Array], seed: int) -> Readings:
    rng = np.random.default_rng(seed)
    runs = _runs(clips)

    def joined() -> Iterator[Array]:
        heard = dict(enumerate(sounds))
        for run in runs:
            pauses = [_pause(rng) for _ in run]
            yield np.concatenate(
                [p for i, q in zip(run, pauses, strict=True) for p in (heard[i], q)]
            )

    return _readings(
        list(measure(joined(), trusted=True)), np.array([run[0] for run in runs]), runs_of(clips)
    )


def _runs(clips: Sequence[Clip]) -> list[list[int]]:
    """Return the clips, by index, in runs of up to five of one speaker and emotion."""
    groups: dict[tuple[str, str], list[int]] = {}
    for index in np.random.default_rng(1).permutation(len(clips)):
        groups.setdefault((clips[index].speaker, clips[index].emotion), []).append(int(index))
    return [g[at : at + 5] for g in groups.values() for at in range(0, len(g), 5)]


def runs_of(clips: Sequence[Clip]) -> Ints:
    """Return the number of the run that each clip is heard in."""
    result = np.zeros(len(clips), dtype=np.int64)
    for number, run in enumerate(_runs(clips)):
        result[run] = number
    return result


def _pause(rng: np.random.Generator) -> Array:
    """Return line noise at about -70 dBFS, up to a second of it."""
    length = int(rng.integers(1600, 2 * _PAUSE_SAMPLES))
    return (rng.standard_normal(length) * 3e-4).astype(np.float32)


def _readings(measured: list[Measured], clip: Ints, part: Ints) -> Readings:
    some = [(m.rows(m.withheld == NOT_WITHHELD), c) for m, c in zip(measured, clip, strict=True)]
    every = Measured.join([m for m, _ in some])
    own = np.repeat([c for _, c in some], [len(m.slot) for m, _ in some])
    return Readings(own, part[own], every.covered, every.snr_db, every.values, every.contours)
