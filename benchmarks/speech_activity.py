"""Is what somebody says found, and nothing else? Beside webrtcvad and Silero, on the same samples.

    python -m benchmarks.speech_activity --corpora DIR --asterisk DIR [--out FILE]

Calls of one minute are made up of clips of one speaker and noise. The truth is the clean clip's
level: within 30 dB of its own speech level, gaps under 0.2 s closed. Speakers are split in two
by a hash of their name; the engine's numbers were chosen on the other half only.
"""

import os

# Read when numpy and onnxruntime are imported.
os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")

import argparse
import importlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import TypeAlias

import numpy as np

from benchmarks import speech_material as material
from benchmarks.others import silero
from benchmarks.record import ROOT, Figures, command, commit, show, write
from benchmarks.speech_material import NOISES, SNRS_DB, SpeechCall
from hackles.activity import Levels, SpeechActivity
from hackles.config import HOP_LENGTH, SAMPLE_RATE
from hackles.features import low_level_descriptors, spectra
from hackles.following import Following
from hackles.framing import SampleRing
from hackles.types import AnyArray, Array, Bools
from models.training.coding import mu_law

Detector: TypeAlias = Callable[[Array], Bools]
"""From samples to a flag for each hop of 10 ms."""

_BLOCK = 40 * SAMPLE_RATE
_SILERO_FIRST, _SILERO_LENGTH = 32, 256
_THRESHOLDS = np.arange(0.1, 0.95, 0.05)
_WEBRTC = [(mode, ms) for mode in range(4) for ms in (10, 20, 30)]
_PROMPTS = 80
_MOODS = "anger", "happiness", "fear", "surprise", "sadness", "neutral", "calm"


def hackles(samples: Array) -> Bools:
    """Return what the engine takes for speech; a frame of 40 ms counts for its middle."""
    ring = SampleRing(1, _BLOCK // HOP_LENGTH + 4)
    levels, activity = Levels(1), SpeechActivity(1)
    following = Following(1, _BLOCK // HOP_LENGTH + 4)
    found = [np.zeros((1, 1), dtype=np.bool_)]
    for at in range(0, len(samples), _BLOCK):
        ring.write(0, samples[at : at + _BLOCK])
        batch, frames = ring.take()
        if not len(frames):
            continue
        heard = spectra(frames)
        standing = levels.update(batch, heard.level_db)
        llds = following.finish(batch, low_level_descriptors(heard, standing.worth))
        found.append(activity.update(batch, standing, llds).speech)
    return _fitted(np.concatenate(found, axis=1)[0], len(samples))


def _fitted(flags: Bools, n_samples: int) -> Bools:
    """Return flags for all hops: what no frame covers the middle of is no speech."""
    result = np.zeros(n_samples // HOP_LENGTH, dtype=np.bool_)
    result[: len(flags)] = flags[: len(result)]
    return result


def webrtcvad(mode: int, frame_ms: int, samples: Array) -> Bools:
    """Return what webrtcvad takes for speech."""
    vad = importlib.import_module("webrtcvad").Vad(mode)
    length = SAMPLE_RATE * frame_ms // 1000
    coded = np.clip(np.rint(samples * 32767.0), -32768, 32767).astype("<i2")
    flags = [
        vad.is_speech(coded[at : at + length].tobytes(), SAMPLE_RATE)
        for at in range(0, len(coded) - length + 1, length)
    ]
    return _fitted(np.repeat(np.array(flags, dtype=np.bool_), length // HOP_LENGTH), len(samples))


def silero_probability(samples: Array) -> Array:
    """Return Silero's probability of speech at the middle of each hop."""
    (run,) = silero().values()
    frames = np.array(run(samples))
    middle = np.arange(len(samples) // HOP_LENGTH) * HOP_LENGTH + HOP_LENGTH // 2
    at = np.clip((middle - _SILERO_FIRST) // _SILERO_LENGTH, 0, len(frames) - 1)
    result: Array = frames[at]
    return result


class Score:
    """Frames counted: found and missed speech, false alarms."""

    def __init__(self) -> None:
        """Start with none."""
        self.speech = self.other = self.missed = self.false = 0

    def add(self, flags: Bools, truth: Bools) -> None:
        """Count one call."""
        self.speech += int(truth.sum())
        self.other += int((~truth).sum())
        self.missed += int((truth & ~flags).sum())
        self.false += int((flags & ~truth).sum())

    def figures(self) -> Figures:
        """Return percentages."""
        return {
            "error": _percent(self.missed + self.false, self.speech + self.other),
            "miss": _percent(self.missed, self.speech),
            "false_alarm": _percent(self.false, self.other),
        }


def _percent(part: float, whole: float) -> float:
    return round(100.0 * part / max(whole, 1), 2)


class SpeechScores:
    """All detectors' scores over many calls at one SNR, and where the engine misses speech."""

    def __init__(self, rivals: bool) -> None:
        """Start with none."""
        self._rivals = rivals
        self._scores: dict[str, Score] = {}
        self._kept: dict[str, list[int]] = {}

    def add(self, noise: str, call: SpeechCall, samples: Array) -> None:
        """Run everything on one call."""
        flags = {"hackles": hackles(samples)}
        if self._rivals:
            flags |= {
                f"webrtcvad mode {mode}, {ms} ms": webrtcvad(mode, ms, samples)
                for mode, ms in _WEBRTC
            }
            sure = silero_probability(samples)
            flags |= {f"Silero {level:.2f}": sure >= level for level in _THRESHOLDS}
        for name, own in flags.items():
            for key in (name, f"{name} | {noise}"):
                self._scores.setdefault(key, Score()).add(own, call.truth)
        plain = {k: v for k, v in flags.items() if k in ("hackles", "Silero 0.50")}
        for name, own in plain.items():
            self._keep(name, call, own)

    def _keep(self, name: str, call: SpeechCall, flags: Bools) -> None:
        """Count how much speech is kept by mood, and where a call or a turn begins."""
        moods = np.array([*(clip.emotion for clip in call.clips), ""])[call.clip]
        parts = {mood: call.truth & (moods == mood) for mood in _MOODS}
        spoken = np.cumsum(call.truth)
        begins = np.flatnonzero(call.truth & ~np.roll(call.truth, 1))
        turn = np.zeros(len(call.truth), dtype=np.bool_)
        for begin in begins:
            turn[begin : begin + 30] = True
        parts |= {
            "first second of a call": call.truth & (spoken <= 100),
            "first 0.3 s after a pause": call.truth & turn & (spoken > 100),
        }
        for part, chosen in parts.items():
            kept = self._kept.setdefault(f"{name}, {part}", [0, 0])
            kept[0] += int((flags & chosen).sum())
            kept[1] += int(chosen.sum())

    def figures(self) -> Figures:
        """Return each detector's figures; webrtcvad's at its best, Silero's also at its best."""
        every = {name: score.figures() for name, score in self._scores.items() if "|" not in name}
        result = {"hackles": every["hackles"]}
        if self._rivals:
            for family, name in (("webrtcvad", "webrtcvad"), ("Silero", "Silero at its best")):
                own = [key for key in every if key.startswith(family)]
                best = min(own, key=lambda key: float(every[key]["error"]))
                result[name] = {**every[best], "setting": best.removeprefix(family).strip()}
            result["Silero"] = every["Silero 0.50"]
        by_noise = {
            noise: {
                name: self._scores[f"{setting} | {noise}"].figures()["error"]
                for name, setting in self._settings(result)
            }
            for noise in NOISES
            if f"hackles | {noise}" in self._scores
        }
        kept = {part: _percent(*counts) for part, counts in self._kept.items()}
        return {"detectors": result, "error_by_noise": by_noise, "kept": kept}

    def _settings(self, result: Figures) -> Iterable[tuple[str, str]]:
        """Yield what is shown, and the key of its score."""
        yield "hackles", "hackles"
        if self._rivals:
            yield "webrtcvad", f"webrtcvad {result['webrtcvad']['setting']}"
            yield "Silero", "Silero 0.50"


def speech_figures(corpora: Path, half: str, n_calls: int, rivals: bool = True) -> Figures:
    """Return all detectors' errors at each SNR."""
    speakers = material.speakers_of(corpora, half)
    scores = {snr_db: SpeechScores(rivals) for snr_db in SNRS_DB}
    speech_s = 0.0
    corpora_used: dict[str, int] = {}
    for number, call in enumerate(material.clean_calls(speakers, n_calls)):
        rng = np.random.default_rng(number)
        kind = NOISES[number % len(NOISES)]
        sound = material.noise(kind, len(call.clean), speakers, rng)
        speech_s += call.truth.sum() / 100.0
        corpus = call.clips[0].corpus if call.clips else "none"
        corpora_used[corpus] = corpora_used.get(corpus, 0) + 1
        for snr_db, score in scores.items():
            score.add(kind, call, material.at_snr(call, sound, snr_db))
    return {
        "half": half,
        "calls": n_calls,
        "calls_of": corpora_used,
        "speech_s": round(speech_s, 1),
        "snr_db": {f"{snr_db:g}": score.figures() for snr_db, score in scores.items()},
    }


def other_figures(
    sounds: Mapping[str, AnyArray], detectors: Mapping[str, Detector]
) -> dict[str, Figures]:
    """Return how many seconds of each sound are taken for speech, under all conditions."""
    result: dict[str, Figures] = {}
    for name, sound in sounds.items():
        rng = np.random.default_rng(len(result))
        heard = material.conditions(sound, rng)
        row: Figures = {"heard_s": round(sum(map(len, heard.values())) / SAMPLE_RATE, 1)}
        for detector, run in detectors.items():
            seconds = {what: int(run(some).sum()) / 100.0 for what, some in heard.items()}
            row[f"{detector}_s"] = round(sum(seconds.values()), 2)
            if detector == "hackles" and row["hackles_s"]:
                row["of_it"] = {what: s for what, s in seconds.items() if s}
        result[name] = row
    return result


def prompt_figures(prompts: Sequence[Path], detectors: Mapping[str, Detector]) -> Figures:
    """Return how much of the prompts' speech is found, laid one after the other into a call."""
    rng = np.random.default_rng(0)
    chosen = [prompts[i] for i in rng.permutation(len(prompts))[:_PROMPTS]]
    parts, truths = [], []
    for path in chosen:
        sound = material.in_band(material.read(path).astype(np.float64))
        sound = sound[: len(sound) // HOP_LENGTH * HOP_LENGTH]
        truth = material.speech_truth(material.levels_db(sound)) if len(sound) > 800 else None
        if truth is not None:
            pause = round(rng.uniform(0.3, 3.0) * 100)
            parts += [sound, np.zeros(pause * HOP_LENGTH)]
            truths += [truth, np.zeros(pause, dtype=np.bool_)]
    whole = np.concatenate(parts)
    whole += 10.0 ** (-65.0 / 20.0) * rng.standard_normal(len(whole))
    samples = mu_law(whole.astype(np.float32))
    scores = {name: Score() for name in detectors}
    for name, run in detectors.items():
        scores[name].add(run(samples), np.concatenate(truths))
    return {name: score.figures() for name, score in scores.items()}


def cost_figures(samples: Array, repeats: int = 5) -> Figures:
    """Return µs for each 10 ms of audio: of the activity stage, of what it reads, of Silero."""
    runs: dict[str, Callable[[], float]] = {
        "hackles activity, 1 call, 40 s at a time": partial(_stage_s, samples, 1, 4000, True),
        "hackles activity, 250 calls, 0.1 s at a time": partial(_stage_s, samples, 250, 10, True),
        "with spectra and descriptors, 250 calls": partial(_stage_s, samples, 250, 10, False),
    }
    some = samples[: 20 * SAMPLE_RATE]
    (vad,) = silero().values()
    runs["Silero"] = partial(_timed, lambda: vad(some), len(some) // HOP_LENGTH)
    coded = partial(webrtcvad, 2, 10, some)
    runs["webrtcvad"] = partial(_timed, coded, len(some) // HOP_LENGTH)
    taken: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(repeats):
        for name, run in runs.items():
            taken[name].append(run())
    cost = {name: median(times) for name, times in taken.items()}
    return {
        name: {
            "us_per_10_ms": round(1e6 * s, 3),
            "percent_of_silero": round(100.0 * s / cost["Silero"], 2),
        }
        for name, s in cost.items()
    }


def _timed(run: Callable[[], object], frames: int) -> float:
    began = perf_counter()
    run()
    return (perf_counter() - began) / frames


def _stage_s(samples: Array, n_calls: int, n_frames: int, stage_alone: bool) -> float:
    """Return the seconds a frame that the activity stage takes in calls that run side by side."""
    ring = SampleRing(n_calls, n_frames)
    levels, activity = Levels(n_calls), SpeechActivity(n_calls)
    following = Following(n_calls, n_frames)
    shift = len(samples) // n_calls
    spent, frames_seen = 0.0, 0
    for tick in range(40 if n_calls > 1 else 3):
        for slot in range(n_calls):
            at = (slot * shift + tick * n_frames * HOP_LENGTH) % (len(samples) - 400 * HOP_LENGTH)
            room = int(ring.room(np.array([slot]))[0])
            ring.write(slot, samples[at : at + min(room, n_frames * HOP_LENGTH)])
        batch, frames = ring.take()
        began = perf_counter()
        heard = spectra(frames)
        spectra_s = perf_counter() - began
        began = perf_counter()
        standing = levels.update(batch, heard.level_db)
        levels_s = perf_counter() - began
        began = perf_counter()
        llds = following.finish(batch, low_level_descriptors(heard, standing.worth))
        described_s = perf_counter() - began
        began = perf_counter()
        activity.update(batch, standing, llds)
        spent += perf_counter() - began + levels_s
        spent += 0.0 if stage_alone else spectra_s + described_s
        frames_seen += len(frames)
    return spent / frames_seen


def detectors() -> dict[str, Detector]:
    """Return the detectors as they are commonly set."""
    return {
        "hackles": hackles,
        "webrtcvad": partial(webrtcvad, 3, 30),
        "Silero": lambda samples: silero_probability(samples) >= 0.5,
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print and write the results."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--corpora", type=Path, help="folder of labelled speech")
    parser.add_argument(
        "--asterisk", type=Path, help="unpacked asterisk-moh-*, asterisk-*-sounds-*"
    )
    parser.add_argument("--music", type=Path, help="a folder of other music, without singing")
    parser.add_argument("--half", choices=material.HALVES, default=material.HALVES[0])
    parser.add_argument("--calls", type=int, default=35)
    parser.add_argument(
        "--out", type=Path, default=ROOT / "benchmarks/results/speech_activity.json"
    )
    options = parser.parse_args(arguments)
    figures: Figures = {"commit": commit()}
    compared = detectors()
    if options.corpora:
        speech = figures["speech"] = speech_figures(options.corpora, options.half, options.calls)
        for snr_db, at_snr in speech["snr_db"].items():
            show(f"Speech at {snr_db} dB, % of frames", at_snr["detectors"])
            show("  error by noise", at_snr["error_by_noise"])
        some = material.clean_calls(material.speakers_of(options.corpora, options.half), 4)
        samples = np.concatenate([call.clean for call in some])
        noise = np.random.default_rng(0).standard_normal(len(samples)).astype(np.float32)
        figures["cost"] = cost_figures(samples + np.float32(2e-3) * noise)
        show("Cost", figures["cost"])
    others: dict[str, Mapping[str, AnyArray]] = {
        "tones": material.tones(),
        "noises": material.noises(),
    }
    if options.asterisk:
        music, beeps, prompts = material.asterisk_files(options.asterisk)
        others |= {
            "hold music": {name: material.read(path) for name, path in music.items()},
            "beeps": {name: material.read(path) for name, path in beeps.items()},
        }
        voices: dict[str, list[Path]] = {}
        for name, path in prompts.items():
            voices.setdefault(name.split("/")[0], []).append(path)
        figures["prompts"] = {
            voice: prompt_figures(paths, compared) for voice, paths in voices.items()
        }
        for voice, row in figures["prompts"].items():
            show(f"Prompts of {voice}, % of frames", row)
    if options.music:
        files = sorted(p for p in options.music.rglob("*") if p.suffix in (".ogg", ".wav", ".flac"))
        others["other music"] = {path.stem: material.read(path) for path in files}
    figures["seconds_taken_for_speech"] = {}
    for what, sounds in others.items():
        rows = other_figures(sounds, compared)
        figures["seconds_taken_for_speech"][what] = rows
        show(f"Seconds of {what} taken for speech", rows)
    write(options.out, command("benchmarks/speech_activity.py", options), figures)


if __name__ == "__main__":
    main()
