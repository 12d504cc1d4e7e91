"""Where a call begins and ends by the sound: how late, how often wrongly, and at what cost.

    python -m benchmarks.call_bounds --corpora DIR [--asterisk DIR] [--music DIR] [--out FILE]

Streams of two composed calls each, as a headset would play them (`headset_streams.py`); busy and
other tones behind talk; tones, noise, beeps and music alone. Beside it what `Turns` says of the
agent's microphone (`agent_microphone.py`). Calls are composed of acted clips.
"""

import os

# Read when numpy is imported.
os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any, Final

import numpy as np
from joblib import Parallel, delayed

from benchmarks import agent_microphone, calm_voices
from benchmarks import headset_streams as streams
from benchmarks import speech_material as material
from benchmarks.calls import SEED
from benchmarks.floor import transforms_us
from benchmarks.record import ROOT, Figures, command, commit, show, write
from benchmarks.throughput import load
from hackles.config import FRAMES_PER_S, SAMPLE_RATE
from hackles.conversation import Begins, Ends
from hackles.errors import UsageError
from hackles.types import AnyArray, Array
from models.training.calls import Speakers, compose, speakers_of
from models.training.coding import mu_law
from models.training.corpora import read_clips

_EU = (425.0,)
_MORE_TONES: Final[dict[str, list[material.Part]]] = {
    "call waiting DE": [*[(_EU, 0.2), ((), 0.2)] * 2, ((), 4.8)],
    "call waiting ES": [*[(_EU, 0.175), ((), 0.175)] * 2, ((), 3.3)],
    "call waiting PL": [*[(_EU, 0.15), ((), 0.15)] * 2, ((), 3.85)],
    "three beeps": [*[(_EU, 0.2), ((), 0.2)] * 3, ((), 4.8)],
    "recall US": [*[((350.0, 440.0), 0.1), ((), 0.1)] * 3, ((350.0, 440.0), 3.0)],
}
"""Tones that come within a call, and are no busy tone though they begin like one."""
_TALK = slice(4 * SAMPLE_RATE, 20 * SAMPLE_RATE)
_DRAWS: Final = 20
_PIECE: Final = 20 * SAMPLE_RATE
_OFF_S: Final = 0.5


def composed(speakers: Speakers, each: int) -> Figures:
    """Return what becomes of composed calls."""

    def one(number: int, pair: Sequence[tuple[str, str, int]]) -> tuple[list[Figures], Figures]:
        return streams.judged(streams.stream(speakers, pair, number, SEED))

    jobs = (delayed(one)(n, pair) for n, pair in enumerate(streams.pairs(speakers, each)))
    done = Parallel(-1)(jobs)
    rows = [row for own, _ in done for row in own]
    about = [own for _, own in done]

    def known(key: str) -> list[float]:
        return [own[key] for own in about if own[key] is not None]

    return {
        "by": {name: streams.summed(some) for name, some in streams.groups(rows)},
        "merged": sum(own["merged"] for own in about),
        "spurious": sum(own["spurious"] for own in about),
        "silence_told_s": streams.quantiles(known("silence_told_s")),
        "busy_tones": len(about),
        "busy_found": len(known("busy_told_s")),
        "busy_told_s": streams.quantiles(known("busy_told_s")),
        "busy_off_s": streams.quantiles(known("busy_off_s")),
    }


def ends_behind(talk: Array, tone: AnyArray) -> list[float]:
    """Return when a call ends behind some talk, in seconds from where a tone begins."""
    whole = np.concatenate([talk, tone]).astype(np.float32)
    told = [one.event for one in streams.hear(whole)]
    return [(e.position - len(talk)) / SAMPLE_RATE for e in told if isinstance(e, Ends)]


def busy(talk: Array) -> dict[str, Figures]:
    """Return how often each busy tone is found, softly, in noise and after any pause."""
    found: dict[str, Figures] = {}
    chance = np.random.default_rng(SEED)
    for name, tone in streams.busy_tones().items():
        hits = wrong = 0
        for number in range(_DRAWS):
            soft = tone * 10 ** (-chance.uniform(0, 40) / 20)
            snr = 10 ** (-chance.uniform(15, 40) / 20)
            soft = soft + snr * np.std(soft) * chance.standard_normal(len(soft))
            line = mu_law(soft.astype(np.float32)) if number % 2 else soft
            pause = 1e-4 * chance.standard_normal(int(chance.integers(2 * SAMPLE_RATE)))
            ends = ends_behind(np.concatenate([talk, pause]), line)
            hits += bool(ends) and abs(ends[0]) <= _OFF_S
            wrong += bool(ends) and abs(ends[0]) > _OFF_S
        found[name] = {"tones": _DRAWS, "found": hits, "end_elsewhere": wrong}
    return found


def other_tones() -> dict[str, AnyArray]:
    """Return tones that are no busy tones."""
    more = {name: material.cadence(parts) for name, parts in _MORE_TONES.items()}
    busy_too = streams.busy_tones()
    return {name: t for name, t in (material.tones() | more).items() if name not in busy_too}


def false_ends(talk: Array) -> Figures:
    """Return how many other tones behind talk end the call."""
    chance = np.random.default_rng(SEED)
    pause = np.zeros(round(0.3 * SAMPLE_RATE), np.float32)
    behind = np.concatenate([talk, pause])
    ended: list[str] = []
    tried = 0
    for name, tone in other_tones().items():
        for way, sound in material.conditions(tone, chance).items():
            tried += 1
            ended += [f"{name}, {way}"] * bool(ends_behind(behind, sound))
    return {"tried": tried, "ended": ended}


def alone(sounds: Mapping[str, AnyArray]) -> Figures:
    """Return which of some sounds begin a call, each in several conditions."""
    chance = np.random.default_rng(SEED)
    begun: list[str] = []
    which: set[str] = set()
    tried, heard_s = 0, 0.0
    for name, sound in sounds.items():
        for way, some in material.conditions(sound, chance).items():
            whole = np.concatenate([np.zeros(SAMPLE_RATE), some]).astype(np.float32)
            told = [one.event for one in streams.hear(whole)]
            tried, heard_s = tried + 1, heard_s + len(some) / SAMPLE_RATE
            if any(isinstance(event, Begins) for event in told):
                begun.append(f"{name}, {way}")
                which.add(name)
    return {
        "sounds": len(sounds),
        "sounds_that_begin": len(which),
        "tried": tried,
        "minutes": round(heard_s / 60, 1),
        "begun": len(begun),
        "which": begun,
    }


def pieces(sounds: Mapping[str, AnyArray]) -> dict[str, AnyArray]:
    """Return music in stretches of twenty seconds."""
    return {
        f"{name} at {at // SAMPLE_RATE} s": sound[at : at + _PIECE]
        for name, sound in sounds.items()
        for at in range(0, len(sound) - _PIECE + 1, _PIECE)
    }


def no_calls(asterisk: Path | None, music: Path | None) -> Iterator[tuple[str, Figures]]:
    """Yield what begins a call though nobody talks.

    Raises:
        UsageError: if a folder is missing.
    """
    yield "tones", alone(material.tones())
    yield "noise", alone(material.noises())
    if asterisk:
        beeps = {name: material.read(p) for name, p in material.asterisk_files(asterisk)[1].items()}
        gap = np.zeros(SAMPLE_RATE, np.float32)
        yield "beeps, twice", alone({n: np.concatenate([b, gap, b]) for n, b in beeps.items()})
    for name, folder in (("hold music", asterisk), ("other music", music)):
        if folder:
            found = calm_voices.music([folder])
            yield name, alone(pieces({v.name: calm_voices.read(v.paths[0]) for v in found}))


def cost() -> dict[str, Figures]:
    """Return CPU time for a second of sound, beside a Fourier transform of each of its frames."""
    chance, n = np.random.default_rng(SEED), 300 * SAMPLE_RATE
    sounds = {
        "talk": load(None, "right", 300.0),
        "noise": (1e-3 * chance.standard_normal(n)).astype(np.float32),
        "silence": np.zeros(n, np.float32),
    }
    rows: dict[str, Figures] = {}
    for name, samples in sounds.items():
        spent = []
        for _ in range(5):
            began = process_time()
            streams.hear(samples)
            spent.append(1e3 * (process_time() - began) * SAMPLE_RATE / len(samples))
        rfft = transforms_us()[0] * FRAMES_PER_S / 1e3
        each = median(spent)
        rows[name] = {
            "ms_per_s": round(each, 3),
            "least": round(min(spent), 3),
            "rfft_ms_per_s": round(rfft, 3),
            "times_rfft": round(each / rfft, 1),
        }
    return rows


def microphones(speakers: Speakers, each: int) -> dict[str, Figures]:
    """Return where the agent's microphone is said to hear the customer."""

    def one(number: int, call: tuple[str, str, int]) -> list[Figures]:
        return agent_microphone.heard(compose(speakers, *call, SEED), number)

    calls = [call for pair in streams.pairs(speakers, each) for call in pair]
    done = Parallel(-1)(delayed(one)(number, call) for number, call in enumerate(calls))
    return agent_microphone.summed([row for rows in done for row in rows])


def main(arguments: list[str] | None = None) -> int:
    """Compose, hear, count, print and keep."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--corpora", type=Path, required=True, help="folder of labelled speech")
    parser.add_argument("--asterisk", type=Path, help="unpacked asterisk-core-sounds-*, -moh-*")
    parser.add_argument("--music", type=Path, help="a folder of other music, without singing")
    parser.add_argument("--calls", type=int, default=10, help="of each corpus")
    parser.add_argument(
        "--out", type=Path, default=ROOT / "benchmarks/results/call_bounds.json", help="as JSON"
    )
    options = parser.parse_args(arguments)
    found: dict[str, Any] = {"commit": commit(), "cost": cost()}
    show("ms of CPU time for a second of sound", found["cost"])
    talk = load(ROOT / "audio_samples/es_rising_1.wav", "right", 0.0)[_TALK]
    try:
        speakers = speakers_of(read_clips(options.corpora))
        found["no_call"] = dict(no_calls(options.asterisk, options.music))
    except UsageError as error:
        print(error, file=sys.stderr)
        return 2
    show("begun though nobody talks", found["no_call"])
    found["busy"], found["false_ends"] = busy(talk), false_ends(talk)
    show("busy tones behind talk", found["busy"])
    show("other tones behind talk", {"all": found["false_ends"]})
    found["composed"] = composed(speakers, options.calls)
    show("composed calls", {n: streams.flat(row) for n, row in found["composed"]["by"].items()})
    print({key: value for key, value in found["composed"].items() if key != "by"})
    found["microphone"] = microphones(speakers, options.calls)
    show("the microphone is said to hear the customer", found["microphone"])
    write(options.out, command("-m benchmarks.call_bounds", options), found)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
