"""Clips over several roads, and what Praat and the engine measure of them: for `voice_quality`."""

import importlib
from dataclasses import dataclass, field

import numpy as np

from benchmarks import voice_candidates as candidates
from hackles.config import BAND_HZ, FRAME_LENGTH, HOP_LENGTH, SAMPLE_RATE
from hackles.features import (
    FUNCTIONAL_NAMES,
    LLD,
    functionals,
    in_tiles,
    spectra,
)
from hackles.features.spectrum import log_mel_db
from hackles.types import AnyArray, Array, Bools
from models.training.coding import mu_law
from models.training.corpora import Clip, read_samples
from models.training.noise import pink_noise
from models.training.telephone import at_level

PRAAT = ("praat_jitter", "praat_shimmer", "praat_hnr_db", "praat_f0_hz")
ROADS = ("mu_law", "band", "band_mu_law", "noisy_telephone")
"""G.711 alone, 300-3400 Hz alone, both, and both with pink noise 20 dB below; beside "clean"."""
ENGINE_ROADS = ("clean", "band_mu_law", "noisy_telephone")
FORMANT_RANGES_HZ = ((300.0, 1000.0), (1000.0, 2600.0))
_LEVEL_DB, _SNR_DB, _SPEECH_DB = -26.0, 20.0, 25.0
_SEED = 2026


@dataclass(slots=True)
class Heard:
    """A clip, and by road what was measured of it."""

    clip: Clip
    values: dict[str, dict[str, float]] = field(default_factory=dict)
    base: dict[str, Array] = field(default_factory=dict)
    voiced: list[AnyArray] = field(default_factory=list)


def _band_limited(samples: Array) -> Array:
    """Return samples with everything outside the telephone band set to zero."""
    spectrum = np.fft.rfft(samples.astype(np.float64))
    hz = np.fft.rfftfreq(len(samples), 1 / SAMPLE_RATE)
    spectrum[(hz < BAND_HZ[0]) | (hz > BAND_HZ[1])] = 0.0
    return np.fft.irfft(spectrum, len(samples)).astype(np.float32)


def _frames(samples: Array) -> Array:
    """Return all whole frames, shape (n_frames, FRAME_LENGTH)."""
    return np.lib.stride_tricks.sliding_window_view(samples, FRAME_LENGTH)[::HOP_LENGTH]


def roads(samples: Array, rng: np.random.Generator) -> dict[str, Array]:
    """Return a clip as it comes over each road, the same level on all of them."""
    clean = at_level(samples, _LEVEL_DB)
    band = _band_limited(clean)
    noise = _band_limited(pink_noise(rng, len(clean)))
    noise *= np.float32(10 ** ((_LEVEL_DB - _SNR_DB) / 20)) / np.sqrt(np.mean(noise**2))
    return {
        "clean": clean,
        "mu_law": mu_law(clean),
        "band": band,
        "band_mu_law": mu_law(band),
        "noisy_telephone": mu_law(band + noise),
    }


def praat(samples: Array) -> dict[str, float]:
    """Return Praat's answers about a clip; nan where it has none."""
    parselmouth = importlib.import_module("parselmouth")
    call = importlib.import_module("parselmouth.praat").call
    sound = parselmouth.Sound(samples.astype(np.float64), SAMPLE_RATE)
    pitch = sound.to_pitch_ac(time_step=0.01, pitch_floor=70.0, pitch_ceiling=500.0)
    pulses = call([sound, pitch], "To PointProcess (cc)")
    harmonicity = sound.to_harmonicity_cc(time_step=0.01, minimum_pitch=70.0)
    periods = (0, 0, 0.0001, 0.02, 1.3)
    answers = (
        call(pulses, "Get jitter (local)", *periods),
        call([sound, pulses], "Get shimmer (local)", *periods, 1.6),
        call(harmonicity, "Get mean", 0, 0),
        call(pitch, "Get quantile", 0, 0, 0.5, "Hertz"),
    )
    return dict(zip(PRAAT, map(float, answers), strict=True))


def praat_formants(samples: Array, n_frames: int, low_voice: bool) -> AnyArray:
    """Return Praat's F1 and F2 (Burg) at the centres of the engine's frames, shape (n, 2)."""
    parselmouth = importlib.import_module("parselmouth")
    sound = parselmouth.Sound(samples.astype(np.float64), SAMPLE_RATE)
    found = sound.to_formant_burg(
        time_step=0.01, max_number_of_formants=4.0 if low_voice else 3.5, maximum_formant=4000.0
    )
    centres = (np.arange(n_frames) * HOP_LENGTH + FRAME_LENGTH / 2) / SAMPLE_RATE
    return np.array([[found.get_value_at_time(k, t) for k in (1, 2)] for t in centres])


def _bend(curve: Array, usable: Bools, most: float) -> float:
    """Return the mean size of the second difference over three usable frames in a row."""
    bend = np.abs(curve[2:] - 2.0 * curve[1:-1] + curve[:-2])
    good = usable[2:] & usable[1:-1] & usable[:-2] & (bend < most)
    return float(bend[good].mean()) if good.any() else np.nan


def listen(clip: Clip, index: int, ask_praat: bool) -> Heard | None:
    """Return all measures of a clip, or None if it holds less than a second of speech."""
    ways = roads(read_samples(clip), np.random.default_rng([_SEED, index]))
    heard, speech = Heard(clip), np.zeros(0, dtype=np.bool_)
    for road, samples in ways.items():
        values = praat(samples) if ask_praat else {}
        if road in ENGINE_ROADS:
            frames = _frames(samples)
            spectrum, llds = spectra(frames), in_tiles(frames)
            if road == "clean":  # which frames are speech is not the question here
                level = llds[:, LLD["level_db"]]
                speech = level > np.percentile(level, 95) - _SPEECH_DB
            voiced = speech & (llds[:, LLD["f0_st"]] > 0.0)
            if speech.sum() < 100 or voiced.sum() < 20:
                return None
            rows = np.flatnonzero(speech)
            base = functionals(llds[None, rows], rows[None], np.ones((1, len(rows)), np.bool_))[0]
            heard.base[road] = base
            values |= dict(zip(FUNCTIONAL_NAMES, map(float, base), strict=True))
            values |= _measures(spectrum.power, llds, voiced)
            if ask_praat and road == "clean":
                low = 27.5 * 2 ** (values["f0_st_p50"] / 12) < 160.0
                truth = praat_formants(samples, len(llds), low)[voiced]
                limited = praat_formants(ways["band"], len(llds), low)[voiced]
                power, mel = spectrum.power[voiced], log_mel_db(spectrum.power[voiced])
                heard.voiced = [truth, limited, power, mel - mel.mean(axis=1, keepdims=True)]
                values |= _spreads(truth, ("praat_f1", "praat_f2"))
        heard.values[road] = values
    return heard


def _measures(power: Array, llds: Array, voiced: Bools) -> dict[str, float]:
    """Return the means of the candidates over the voiced frames."""
    own, strength = power[voiced], np.clip(llds[voiced, LLD["voicing"]], 0.5, 0.999)
    centroids = [candidates.centroid_between(own, *ends) for ends in FORMANT_RANGES_HZ]
    two = candidates.two_periods(own)
    return {
        "hnr_voiced_db": float(np.mean(10 * np.log10(strength / (1 - strength)))),
        "f0_bend_st": _bend(llds[:, LLD["f0_st"]], voiced, 3.0),
        "level_bend_db": _bend(llds[:, LLD["level_db"]], voiced, np.inf),
        "two_periods": float(np.nanmean(two)) if np.isfinite(two).sum() > 10 else np.nan,
        "voicing_slope": float(candidates.voicing_slope(own).mean()),
        "prominence_db": float(candidates.prominence_db(own).mean()),
        **_spreads(candidates.formants_lpc(own), ("lpc_f1", "lpc_f2")),
        **_spreads(np.stack(centroids, axis=1), ("low_centroid", "high_centroid")),
    }


def _spreads(values: AnyArray, names: tuple[str, str]) -> dict[str, float]:
    some = {name: values[:, k] for k, name in enumerate(names)}
    means = {f"{name}_mean": float(np.nanmean(of)) for name, of in some.items()}
    return means | {f"{name}_sd": float(np.nanstd(of)) for name, of in some.items()}
