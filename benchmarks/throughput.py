"""How fast the engine is on one core, where its time goes, and what others need.

Everything is measured in CPU seconds of this process, pinned to one core, on the same audio and
in the same run: `--repeats` rounds, each of which runs everything once, so that whatever else
the machine does meets all of them alike.

    PYTHONPATH=engine:models:. python benchmarks/throughput.py
"""

import os

# Read when numpy and numba are imported.
os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
os.environ.update(MKL_NUM_THREADS="1", NUMBA_NUM_THREADS="1")

import argparse
import itertools
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import median
from time import process_time

import numpy as np
import scipy.fft
import soundfile

from benchmarks.others import NOT_INSTALLED, others
from benchmarks.record import ROOT, Figures, command, commit, show, write
from benchmarks.stages import in_stages, stage_figures
from hackles.capture.files import Channels, open_recording, parse_channels
from hackles.config import FRAME_LENGTH, HOP_LENGTH, N_FFT, SAMPLE_RATE, TILE_FRAMES
from hackles.features import clipping, descriptors, energy, harmonicity, pitch, spectrum
from hackles.pipeline import CallPipeline
from hackles.types import Array, Block, Event, Reading

_BLOCK = 40 * SAMPLE_RATE
"""As files are read."""
_PYIN_SAMPLES = 30 * SAMPLE_RATE
_RECORDING = 30 * 60 * SAMPLE_RATE
_SPEECH = 0.45
_LINE_NOISE = 2e-4
_WARM_UP_SAMPLES = 5 * SAMPLE_RATE
_TILE_RUNS = 20


@dataclass
class Job:
    """Something to time: `run` on `samples`, which is some of the audio."""

    name: str
    run: Callable[[Array], object]
    samples: Array
    cpu_s: list[float] = field(default_factory=list)

    clock: Callable[[], float] = process_time

    def measure(self) -> None:
        """Run it once more."""
        began = self.clock()
        self.run(self.samples)
        self.cpu_s.append(self.clock() - began)

    @property
    def speed(self) -> float:
        """Seconds of audio per CPU second, by the median run."""
        return len(self.samples) / SAMPLE_RATE / median(self.cpu_s)

    def figures(self, engine: "Job | None" = None) -> Figures:
        """Return its times and speed, and how many times as fast the engine is."""
        result = {
            "audio_s": round(len(self.samples) / SAMPLE_RATE, 1),
            "cpu_s_median": round(median(self.cpu_s), 4),
            "cpu_s_min": round(min(self.cpu_s), 4),
            "x_real_time": round(self.speed, 1),
        }
        return result if engine is None else result | {"ratio": round(engine.speed / self.speed, 1)}


def from_memory(samples: Array) -> tuple[list[Event], float]:
    """Return a call's events, pushed in blocks of 40 s, and its seconds of speech."""
    call = CallPipeline()
    starts = range(0, len(samples), _BLOCK)
    pushed = [call.push(Block(samples[at : at + _BLOCK], at)) for at in starts]
    return [*itertools.chain(*pushed), *call.flush()], call.speech_s


def read(path: Path, channels: Channels) -> list[Block]:
    """Return the customer's blocks of a recording."""
    with open_recording(str(path), channels) as recording:
        return [block for block, _ in recording.blocks()]


def from_file(path: Path) -> list[Event]:
    """Return the events of a recording whose right channel holds the customer."""
    call = CallPipeline()
    with open_recording(str(path), Channels(customer=1)) as recording:
        events = [event for block, _ in recording.blocks() for event in call.push(block)]
    return events + call.flush()


def tile_jobs(samples: Array) -> list[Job]:
    """Return the groups of descriptors, each on one tile of frames from all over the audio."""
    every = np.lib.stride_tricks.sliding_window_view(samples, FRAME_LENGTH)
    frames = every[np.linspace(0, len(every) - 1, TILE_FRAMES).astype(np.int64)]
    power = spectrum.power_spectrum(frames)
    mel_db = spectrum.log_mel_db(power)
    correlation = harmonicity.autocorrelation(power)
    evidence = pitch.evidence(power)
    votes = pitch.votes(evidence)
    pitches = descriptors.Pitches(np.arange(TILE_FRAMES), evidence, votes, correlation)
    heard = pitch.votes_heard(votes)
    padded = np.zeros((TILE_FRAMES, N_FFT), dtype=np.float32)
    padded[:, :FRAME_LENGTH] = frames
    groups: dict[str, Callable[[], object]] = {
        "power spectrum": lambda: spectrum.power_spectrum(frames),
        "mel": lambda: spectrum.log_mel_db(power),
        "autocorrelation": lambda: harmonicity.autocorrelation(power),
        "voicing": lambda: harmonicity.voicing(correlation),
        "f0: evidence": lambda: pitch.evidence(power),
        "f0: votes": lambda: pitch.votes(evidence),
        "f0: the path": lambda: pitches.f0_st(heard),
        "level": lambda: energy.level_db(power),
        "balance: alpha ratio": lambda: spectrum.alpha_ratio_db(power),
        "balance: hammarberg": lambda: spectrum.hammarberg_db(power),
        "balance: centroid and spread": lambda: spectrum.centre_and_spread_hz(power),
        "mfcc": lambda: spectrum.mfcc(mel_db),
        "flux": lambda: spectrum.flux_db(mel_db[1:], mel_db[:-1]),
        "clipping": lambda: clipping.clipped_ratio(frames),
        "all descriptors, every frame": lambda: descriptors.in_tiles(frames),
        "floor: one rfft + irfft": lambda: scipy.fft.irfft(scipy.fft.rfft(padded, axis=1), axis=1),
    }

    def often(group: Callable[[], object]) -> Callable[[Array], object]:
        return lambda _: [group() for _ in range(_TILE_RUNS)]

    return [Job(name, often(group), samples) for name, group in groups.items()]


def load(path: Path | None, customer: str, seconds: float) -> Array:
    """Return the customer's samples, repeated or cut to `seconds`; 0 leaves them as they are."""
    paths = [path] if path else sorted((ROOT / "audio_samples").glob("*.wav"))
    channels = parse_channels(customer, None)
    heard = [block.samples for name in paths for block in read(name, channels)]
    samples = np.concatenate(heard)
    return np.resize(samples, round(seconds * SAMPLE_RATE)) if seconds else samples


def traffic() -> tuple[Array, float]:
    """Return a long stretch of a customer's side, and which share of it is speech."""
    speech = load(None, "right", 0.0)
    noise = np.random.default_rng(0).standard_normal(SAMPLE_RATE * 60).astype(np.float32)
    _, heard_s = from_memory(speech)
    pause = np.resize(
        _LINE_NOISE * noise, max(0, round(heard_s / _SPEECH * SAMPLE_RATE) - len(speech))
    )
    # Between the samples, in pieces: a caller listens now and then.
    pieces = zip(np.array_split(speech, 30), np.array_split(pause, 30), strict=True)
    whole = np.concatenate([*itertools.chain.from_iterable(pieces)])
    _, heard_s = from_memory(whole)
    return whole, heard_s * SAMPLE_RATE / len(whole)


def children_s() -> float:
    """Return the CPU seconds of all processes that were started from here and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def score_jobs(folder: Path, samples: Array) -> tuple[Job, Job]:
    """Return `hackles score` of a recording as people have them, and of one second of it."""

    def job(name: str, some: Array) -> Job:
        path = folder / f"{len(some)}.wav"
        soundfile.write(path, np.stack([some, some], axis=1), SAMPLE_RATE, subtype="ULAW")
        program = [sys.executable, "-c", "from hackles.cli import main; main()"]
        score = [*program, "score", str(path), "--customer", "right", "--format", "jsonl"]
        return Job(
            name,
            lambda _: subprocess.run(score, check=True, stdout=subprocess.DEVNULL),
            some,
            clock=children_s,
        )

    return job("hackles score", samples), job("  its start, and one second", samples[:SAMPLE_RATE])


def command_figures(whole: Job, start: Job) -> Figures:
    """Return what the command took, and what it did once it had started."""
    started_s = median(whole.cpu_s) - median(start.cpu_s)
    audio_s = len(whole.samples) / SAMPLE_RATE
    return {
        "hackles score, with its start": whole.figures(),
        "hackles score, once started": {
            "audio_s": round(audio_s, 1),
            "cpu_s_median": round(started_s, 4),
            "x_real_time": round(audio_s / started_s, 1),
        },
    }


def measure(samples: Array, repeats: int) -> Figures:
    """Return all figures on this audio."""
    events, speech_s = from_memory(samples)
    frames = max(len(samples) - FRAME_LENGTH, 0) // HOP_LENGTH + 1
    readings = sum(isinstance(event, Reading) for event in events)
    tiles = tile_jobs(samples)
    runs, packages = others()
    rivals = [
        Job(name, run, samples[:_PYIN_SAMPLES] if "pyin" in name else samples)
        for name, run in runs.items()
    ]
    for job in rivals:
        job.run(samples[:_WARM_UP_SAMPLES])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "call.wav"
        soundfile.write(path, np.stack([samples, samples], axis=1), SAMPLE_RATE, subtype="ULAW")
        memory = Job("hackles, 40 s blocks from memory", from_memory, samples)
        file = Job("hackles, µ-law stereo WAV to events", lambda _: from_file(path), samples)
        reading = Job("  of this, reading", lambda _: read(path, Channels(customer=1)), samples)
        engine = [memory, file, reading]
        ordinary, share = traffic()
        recording = np.resize(ordinary, _RECORDING)
        scores = score_jobs(Path(folder), recording)
        stages: dict[str, list[dict[str, float]]] = {memory.name: [], file.name: []}
        for _ in range(repeats):
            for job in (memory, file):
                stages[job.name].append(in_stages(partial(job.run, samples)))
            for job in (*engine, *scores, *tiles, *rivals):
                job.measure()
    scale = 1e6 / (_TILE_RUNS * TILE_FRAMES)
    return {
        "audio_s": round(len(samples) / SAMPLE_RATE, 3),
        "speech_s": round(speech_s, 2),
        "frames": frames,
        "readings": readings,
        "engine": {job.name.strip(): job.figures() for job in engine},
        "command": command_figures(*scores),
        "command_speech_share": round(share, 3),
        "others": {job.name: job.figures(memory) for job in rivals},
        "packages": packages,
        "stages": {name: stage_figures(runs, frames, readings) for name, runs in stages.items()},
        "descriptors_us_per_frame": {
            job.name: {
                "median": round(scale * median(job.cpu_s), 3),
                "min": round(scale * min(job.cpu_s), 3),
            }
            for job in tiles
        },
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print and write the results."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--audio", type=Path, help="a recording; default: audio_samples/*.wav")
    parser.add_argument("--customer", default="right", help="left, right, a number or mono")
    parser.add_argument("--seconds", type=float, default=600.0, help="cut or repeated to this")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks/results/throughput.json")
    options = parser.parse_args(arguments)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    begun = {"commit": commit()}
    samples = load(options.audio, options.customer, options.seconds)
    figures: Figures = {**begun, **measure(samples, options.repeats)}
    gone = {k: {"audio_s": v} for k, v in figures["packages"].items() if v == NOT_INSTALLED}
    rows = {**figures["engine"], **figures["command"], **figures["others"], **gone}
    show("Speed on one core", rows)
    for name, stages in figures["stages"].items():
        show(f"Stages: {name}", stages)
    tiles = figures["descriptors_us_per_frame"]
    show(f"Descriptors, µs per frame in a tile of {TILE_FRAMES}", tiles)
    write(options.out, command("benchmarks/throughput.py", options), figures)


if __name__ == "__main__":
    main()
