"""What speech activity is measured on: calls with a known truth, and what is no speech at all."""

import hashlib
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
import soundfile
import soxr
from scipy.signal import butter, sosfilt

from hackles.config import BAND_HZ, HOP_LENGTH, SAMPLE_RATE
from hackles.types import AnyArray, Array, Bools
from models.training.coding import mu_law
from models.training.corpora import Clip, read_clips, read_samples

Part: TypeAlias = tuple[tuple[float, ...], float]
"""The frequencies of a tone in Hz (none is a pause), and its seconds."""

CALL_S = 60.0
SNRS_DB = (5.0, 10.0, 15.0, 20.0, 30.0)
NOISES = ("white", "pink", "babble", "hum", "street")
HALVES = ("report", "tune")

_SEED = 2026
_ACTIVE_DB = 30.0
"""A frame of a clip counts for its level if it lies at most this far below the loudest."""
_CLEAN_DB = 40.0
_SPEECH_BELOW_DB = 30.0
_SHORTEST_GAP_FRAMES = 20
_SPEECH_LEVEL_DB = -26.0
_LEVELS_DB = 4.0
_BABBLERS = 12
_BAND = butter(4, BAND_HZ, "bandpass", fs=SAMPLE_RATE, output="sos")


@dataclass(frozen=True, slots=True)
class SpeechCall:
    """The customer's side of a made-up call.

    Attributes:
        clean: samples without noise.
        truth: which hops of 10 ms are speech, shape (n_hops,).
        clip: the clip that each hop belongs to, as an index into `clips`; -1 in pauses.
        clips: what was laid in.
    """

    clean: Array
    truth: Bools
    clip: AnyArray
    clips: Sequence[Clip]


def half_of(name: str) -> str:
    """Return whether a speaker is for reporting or for developing: by a hash of the name."""
    return HALVES[hashlib.sha256(name.encode()).digest()[0] % 2]


def in_band(samples: AnyArray) -> AnyArray:
    """Return samples as they leave a telephone's filter."""
    result: AnyArray = sosfilt(_BAND, samples)
    return result


def levels_db(samples: AnyArray) -> AnyArray:
    """Return the level of each hop, over the 20 ms around it."""
    power = np.square(samples[: len(samples) // HOP_LENGTH * HOP_LENGTH], dtype=np.float64)
    hops = np.pad(power.reshape(-1, HOP_LENGTH).mean(axis=1), 1, mode="edge")
    around = 0.25 * hops[:-2] + 0.5 * hops[1:-1] + 0.25 * hops[2:]
    result: AnyArray = 10.0 * np.log10(np.maximum(around, 1e-12))
    return result


def active_db(level_db: AnyArray) -> float:
    """Return the mean level of what is not far below the loudest."""
    active = level_db[level_db > level_db.max() - _ACTIVE_DB]
    return float(10.0 * np.log10(np.mean(10.0 ** (active / 10.0))))


def speech_truth(level_db: AnyArray) -> Bools:
    """Return which hops of a clean clip are speech: within 30 dB of its level, gaps closed."""
    speech = level_db > active_db(level_db) - _SPEECH_BELOW_DB
    at = np.flatnonzero(speech)
    for before, after in itertools.pairwise(at):
        if after - before <= _SHORTEST_GAP_FRAMES:
            speech[before:after] = True
    result: Bools = speech
    return result


def speakers_of(corpora: Path, half: str) -> dict[str, list[Clip]]:
    """Return the clips of each speaker of a half, in a fixed order."""
    found: dict[str, list[Clip]] = {}
    for clip in sorted(read_clips(corpora), key=lambda clip: clip.path):
        if half_of(clip.speaker) == half:
            found.setdefault(clip.speaker, []).append(clip)
    return found


def clean_calls(speakers: dict[str, list[Clip]], n_calls: int) -> Iterator[SpeechCall]:
    """Yield calls of one speaker each, as many of each corpus as of the others."""
    rng = np.random.default_rng(_SEED)
    corpora: dict[str, list[str]] = {}
    for speaker in sorted(speakers):
        corpora.setdefault(speaker.split(":")[0], []).append(speaker)
    orders = [rng.permutation(names).tolist() for _, names in sorted(corpora.items())]
    for number in range(n_calls):
        order = orders[number % len(orders)]
        yield _call(speakers[order[number // len(orders) % len(order)]], rng)


def _call(clips: Sequence[Clip], rng: np.random.Generator) -> SpeechCall:
    """Lay clips and pauses one after the other."""
    n_hops = round(CALL_S * SAMPLE_RATE) // HOP_LENGTH
    clean, truth = np.zeros(n_hops * HOP_LENGTH), np.zeros(n_hops, dtype=np.bool_)
    owner = np.full(n_hops, -1)
    used: list[Clip] = []
    at = round(rng.uniform(0.3, 3.0) * 100)
    # Twice the order of the clips: few of some corpora are clean enough.
    for index in np.tile(rng.permutation(len(clips)), 8):
        sound = _clip_sound(clips[index])
        if sound is None:
            continue
        samples, speech = sound
        if at + len(speech) > n_hops:
            break
        gain_db = _SPEECH_LEVEL_DB + rng.uniform(-_LEVELS_DB, _LEVELS_DB)
        place = slice(at * HOP_LENGTH, at * HOP_LENGTH + len(samples))
        clean[place] = 10.0 ** (gain_db / 20.0) * samples
        truth[at : at + len(speech)] = speech
        owner[at : at + len(speech)] = len(used)
        used.append(clips[index])
        at += len(speech) + round(rng.uniform(0.3, 3.0) * 100)
    return SpeechCall(clean.astype(np.float32), truth, owner, used)


def _clip_sound(clip: Clip) -> tuple[AnyArray, Bools] | None:
    """Return a clip in the band at a level of 0 dB with its truth; None if it is not clean.

    Its ends that are no speech are cut off but for a tenth of a second.
    """
    samples = in_band(read_samples(clip).astype(np.float64))
    level_db = levels_db(samples)
    level = active_db(level_db)
    # The first hops are the filter's own start.
    if len(level_db) < 30 or np.percentile(level_db[2:], 5) > level - _CLEAN_DB:
        return None
    truth = speech_truth(level_db)
    at = np.flatnonzero(truth)
    kept = slice(max(at[0] - 10, 0), at[-1] + 11)
    cut = samples[kept.start * HOP_LENGTH : kept.stop * HOP_LENGTH]
    truth = truth[kept]
    return cut[: len(truth) * HOP_LENGTH] * 10.0 ** (-level / 20.0), truth


def noise(kind: str, n: int, speakers: dict[str, list[Clip]], rng: np.random.Generator) -> AnyArray:
    """Return `n` samples of noise in the band, of unit RMS."""
    white = rng.standard_normal(n)
    at = np.arange(n) / SAMPLE_RATE
    if kind == "white":
        result = white
    elif kind == "pink":
        result = _sloped(white, 0.5)
    elif kind == "hum":
        hz = rng.choice([50.0, 60.0])
        partials = np.arange(2, 20)
        phases = rng.uniform(0, 2 * np.pi, len(partials))
        hum = sum(
            np.sin(2 * np.pi * hz * k * at + p) / k for k, p in zip(partials, phases, strict=True)
        )
        result = in_band(hum) / np.std(in_band(hum)) + 0.3 * in_band(white)
    elif kind == "babble":
        names = rng.choice(sorted(speakers), _BABBLERS)
        result = np.sum([_talker(speakers[name], n, rng) for name in names], axis=0)
    else:  # wheels that come and go
        seconds = np.arange(n // SAMPLE_RATE + 2)
        swell = np.interp(at, seconds, rng.uniform(-5, 5, len(seconds)))
        result = _sloped(white, 1.0) * 10.0 ** (swell / 20.0)
    result = in_band(result)
    result /= np.sqrt(np.mean(np.square(result)))
    return result


def _sloped(white: AnyArray, power: float) -> AnyArray:
    """Return noise whose amplitude falls with frequency to the power of `power`."""
    spectrum = np.fft.rfft(white)
    hz = np.fft.rfftfreq(len(white), 1 / SAMPLE_RATE)
    result: AnyArray = np.fft.irfft(spectrum / np.maximum(hz, 100.0) ** power, len(white))
    return result


def _talker(clips: Sequence[Clip], n: int, rng: np.random.Generator) -> AnyArray:
    """Return one speaker talking without a pause."""
    parts: list[AnyArray] = []
    while sum(map(len, parts)) < n:
        sound = _clip_sound(clips[int(rng.integers(len(clips)))])
        parts += [] if sound is None else [sound[0]]
        if not parts and rng.random() < 0.05:
            return np.zeros(n)
    return np.concatenate(parts)[:n]


def at_snr(call: SpeechCall, sound: AnyArray, snr_db: float) -> Array:
    """Return a call in noise: the level of its speech over that of the noise, through G.711."""
    power = np.mean(np.square(call.clean.reshape(-1, HOP_LENGTH)[call.truth], dtype=np.float64))
    gain = np.sqrt(power / 10.0 ** (snr_db / 10.0))
    return mu_law((call.clean + gain * sound).astype(np.float32))


# ---- what is no speech


def _tone(hz: Sequence[float], seconds: float) -> AnyArray:
    at = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    return sum((np.sin(2 * np.pi * f * at) for f in hz), np.zeros(len(at))) / max(len(hz), 1)


def cadence(parts: Sequence[Part], seconds: float = 20.0) -> AnyArray:
    """Return tones, each with its frequencies (none is a pause) and duration, over and over."""
    once = np.concatenate([_tone(hz, length) for hz, length in parts])
    return np.resize(once, round(seconds * SAMPLE_RATE))


_US, _UK, _EU = (440.0, 480.0), (400.0, 450.0), (425.0,)
_BUSY_US, _SIT = (480.0, 620.0), ((950.0,), (1400.0,), (1800.0,))
_ROWS_HZ, _COLUMNS_HZ = (697.0, 770.0, 852.0, 941.0), (1209.0, 1336.0, 1477.0, 1633.0)


def call_progress() -> dict[str, AnyArray]:
    """Return dial, ring-back, busy, congestion and information tones.

    Source:
        ITU-T E.180 supplement 2, "Various tones used in national networks".
    """
    # The Japanese ring-back is 400 Hz modulated by 16 Hz.
    japan = 0.5 * (1.0 + _tone((16.0,), 1.0)) * _tone((400.0,), 1.0)
    once: dict[str, list[Part]] = {
        "dial US": [((350.0, 440.0), 1.0)],
        "dial UK": [((350.0, 450.0), 1.0)],
        "dial DE PL ES": [(_EU, 1.0)],
        "dial FR": [((440.0,), 1.0)],
        "dial JP": [((400.0,), 1.0)],
        "stutter dial US": [*[((350.0, 440.0), 0.1), ((), 0.1)] * 10, ((350.0, 440.0), 3.0)],
        "ring US": [(_US, 2.0), ((), 4.0)],
        "ring UK": [(_UK, 0.4), ((), 0.2), (_UK, 0.4), ((), 2.0)],
        "ring DE PL": [(_EU, 1.0), ((), 4.0)],
        "ring ES": [(_EU, 1.5), ((), 3.0)],
        "ring FR": [((440.0,), 1.5), ((), 3.5)],
        "busy US": [(_BUSY_US, 0.5), ((), 0.5)],
        "busy UK": [((400.0,), 0.375), ((), 0.375)],
        "busy DE": [(_EU, 0.48), ((), 0.48)],
        "busy PL": [(_EU, 0.5), ((), 0.5)],
        "busy ES": [(_EU, 0.2), ((), 0.2)],
        "busy FR": [((440.0,), 0.5), ((), 0.5)],
        "busy JP": [((400.0,), 0.5), ((), 0.5)],
        "congestion US": [(_BUSY_US, 0.25), ((), 0.25)],
        "congestion UK": [((400.0,), 0.4), ((), 0.35), ((400.0,), 0.225), ((), 0.525)],
        "congestion DE": [(_EU, 0.24), ((), 0.24)],
        "congestion ES": [*[(_EU, 0.2), ((), 0.2)] * 2, (_EU, 0.2), ((), 0.6)],
        "information SIT": [*[(hz, 0.33) for hz in _SIT], ((), 1.0)],
        "information SIT short": [*[(hz, 0.274) for hz in _SIT], ((), 2.0)],
        "call waiting US": [((440.0,), 0.3), ((), 9.7)],
        "recording beep": [((1400.0,), 0.5), ((), 14.5)],
        "howler US": [((1400.0, 2060.0, 2450.0, 2600.0), 0.1), ((), 0.1)],
        "fax CNG": [((1100.0,), 0.5), ((), 3.0)],
        "fax CED": [((2100.0,), 3.3), ((), 1.0)],
        "key clicks": [((1000.0,), 0.02), ((), 0.3)],
    }
    ring_japan = np.resize(np.concatenate([japan, np.zeros(2 * SAMPLE_RATE)]), 20 * SAMPLE_RATE)
    return {**{name: cadence(parts) for name, parts in once.items()}, "ring JP": ring_japan}


def keypad(press_s: float, rest_s: float, rng: np.random.Generator) -> AnyArray:
    """Return twenty seconds of random DTMF digits."""
    keys = rng.integers(16, size=int(20.0 / (press_s + rest_s)))
    both = [((_ROWS_HZ[key // 4], _COLUMNS_HZ[key % 4]), press_s) for key in keys]
    return cadence([part for key in both for part in (key, ((), rest_s))])


def noises() -> dict[str, AnyArray]:
    """Return hum, hiss, silence and comfort noise, twenty seconds each."""
    rng, n = np.random.default_rng(_SEED), 20 * SAMPLE_RATE
    at = np.arange(n) / SAMPLE_RATE
    white = rng.standard_normal(n)
    hums = {
        f"hum {hz} Hz": sum(np.sin(2 * np.pi * hz * k * at + k * k) / k for k in range(1, 30))
        for hz in (50, 60)
    }
    # Comfort noise comes and goes with the other side's voice activity, and its level is guessed.
    steps = rng.uniform(-12, 0, 200)[np.minimum((at / rng.uniform(0.3, 1.0)).astype(int), 199)]
    return {
        **hums,
        "hiss white": white,
        "hiss pink": _sloped(white, 0.5),
        "comfort noise": white * 10.0 ** (steps / 20.0),
        "comfort noise and silence": white * (np.sin(2 * np.pi * 0.31 * at) > 0),
        "digital silence": np.zeros(n),
        "offset": np.full(n, 0.1),
        "bursts of noise": white * np.where(at % 1.3 < 0.5, 1.0, 0.05),
    }


def tones() -> dict[str, AnyArray]:
    """Return everything synthetic that is a tone."""
    rng = np.random.default_rng(_SEED)
    cadences = ((0.05, 0.05), (0.07, 0.07), (0.1, 0.1), (0.08, 0.3), (0.2, 0.2), (0.5, 0.5))
    keys = {f"DTMF {on:g}/{off:g} s": keypad(on, off, rng) for on, off in cadences}
    return {**call_progress(), **keys}


def conditions(sound: AnyArray, rng: np.random.Generator) -> dict[str, Array]:
    """Return one sound plain, through G.711 loud and soft, and in line noise of 25 dB SNR."""
    peak = np.max(np.abs(sound), initial=1e-9)
    plain = (0.25 * sound / peak if peak > 1e-6 else sound).astype(np.float32)
    line = rng.standard_normal(len(sound)).astype(np.float32)
    rms = np.sqrt(np.mean(np.square(plain)))
    return {
        "plain": plain,
        "mu-law": mu_law(plain),
        "mu-law, 20 dB softer": mu_law(np.float32(0.1) * plain),
        "mu-law, in noise": mu_law(plain + np.float32(10.0 ** (-25.0 / 20.0)) * rms * line),
    }


def read(path: Path) -> Array:
    """Return a file's samples at the engine's rate, all channels together."""
    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    result: Array = soxr.resample(samples.mean(axis=1), rate, SAMPLE_RATE).astype(np.float32)
    return result


BEEPS = (
    "beep",
    "beeperr",
    "ascending-2tone",
    "descending-2tone",
    "confbridge-join",
    "confbridge-leave",
)


def asterisk_files(folder: Path) -> tuple[dict[str, Path], dict[str, Path], dict[str, Path]]:
    """Return hold music, beeps and prompts below a folder, by name."""
    found = sorted(folder.rglob("*.wav"))
    music = {path.stem: path for path in found if path.parent.name == "moh"}
    voices = {f"{path.parent.name}/{path.stem}": path for path in found if "sounds" in path.parts}
    beeps = {name: path for name, path in voices.items() if path.stem in BEEPS}
    silent = {"silence"}
    prompts = {
        name: path
        for name, path in voices.items()
        if name not in beeps and not silent & set(path.parts)
    }
    return music, beeps, prompts
