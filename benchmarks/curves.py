"""What Praat, openSMILE and librosa say of the same samples, at the centres of our frames.

They are asked here and nowhere else: Praat is GPL and openSMILE for research only, so neither is
a dependency of the package or of its tests. A curve has one value for each frame of `hackles`,
whose centres lie at `(80 i + 160) / 8000` seconds.
"""

from functools import cache
from typing import Any

import librosa
import numpy as np
import opensmile
import parselmouth

from hackles.config import (
    BAND_HZ,
    FRAME_LENGTH,
    FRAMES_PER_S,
    HOP_LENGTH,
    N_FFT,
    SAMPLE_RATE,
)
from hackles.features.spectrum import N_MELS
from hackles.types import AnyArray

_AIR_DB = 20.0 * np.log10(1.0 / 2e-5)
"""Praat takes samples for pascals and tells dB re 20 micropascals."""
_F0_HZ = (70.0, 500.0)
_STEP_S = 1.0 / FRAMES_PER_S

# Praat weighs with a Kaiser window and we with a Hann window of 40 ms: with this one, both are
# equally wide (the 95th percentile of the difference has its minimum here).
_LEVEL_HZ = 120.0

# openSMILE's frame i spans 20 ms (or 60 ms) from 10 i ms on: its centre is that of ours when it is
# the next one (or the one before).
_SHORT, _LONG = 1, -1
_SMILE = {
    "alpha_ratio_db": ("alphaRatio_sma3", _SHORT),
    "hammarberg_db": ("hammarbergIndex_sma3", _SHORT),
    "flux_db": ("spectralFlux_sma3", _SHORT),
    **{f"mfcc{order}": (f"mfcc{order}_sma3", _SHORT) for order in range(1, 5)},
    "f0_st": ("F0semitoneFrom27.5Hz_sma3nz", _LONG),
    "hnr_db": ("HNRdBACF_sma3nz", _LONG),
}


def n_frames(samples: AnyArray) -> int:
    """Return how many whole frames there are."""
    return max(len(samples) - FRAME_LENGTH, -HOP_LENGTH) // HOP_LENGTH + 1


def praat(samples: AnyArray) -> dict[str, AnyArray]:
    """Return Praat's curves.

    Returns:
        `f0_hz`: `to_pitch_ac`, 10 ms, 70-500 Hz, else Praat's defaults; 0 where unvoiced.
        `hnr_db`: `to_harmonicity_ac`, 10 ms, from 75 Hz with 3 periods a window, which is 40 ms
            like ours; -200 in silence.
        `hnr_cc_db`: `to_harmonicity_cc`, 10 ms, 70 Hz, silence threshold 0.01; likewise.
        `level_db`: `to_intensity`, 120 Hz, in dB re full scale.
    """
    sound = parselmouth.Sound(np.asarray(samples, np.float64), SAMPLE_RATE)
    at = (np.arange(n_frames(samples)) * HOP_LENGTH + FRAME_LENGTH / 2) / SAMPLE_RATE
    low, high = _F0_HZ
    pitch = sound.to_pitch_ac(time_step=_STEP_S, pitch_floor=low, pitch_ceiling=high)
    acf = sound.to_harmonicity_ac(
        time_step=_STEP_S, minimum_pitch=75.0, silence_threshold=0.01, periods_per_window=3.0
    )
    ccf = sound.to_harmonicity_cc(time_step=_STEP_S, minimum_pitch=low, silence_threshold=0.01)
    level = sound.to_intensity(minimum_pitch=_LEVEL_HZ, time_step=_STEP_S, subtract_mean=False)
    nearest = parselmouth.ValueInterpolation.NEAREST
    return {
        "f0_hz": _defined([pitch.get_value_at_time(t) for t in at], 0.0),
        "hnr_db": _defined([acf.get_value(t, nearest) for t in at], -200.0),
        "hnr_cc_db": _defined([ccf.get_value(t, nearest) for t in at], -200.0),
        "level_db": _defined([level.get_value(t) - _AIR_DB for t in at], -200.0),
    }


def smile(samples: AnyArray) -> dict[str, AnyArray]:
    """Return openSMILE's eGeMAPSv02 descriptors under our names, each a running mean of three.

    They are made for the full band and keep their own limits, as far as 4 kHz go: alphaRatio parts
    50-1000 from 1000-5000 Hz (what is above over what is below, like ours), MFCC begin at 20 Hz.
    Its flux is of amplitudes, and so rises with loudness as well.
    """
    table = _smile("LowLevelDescriptors").process_signal(
        np.asarray(samples, np.float32), SAMPLE_RATE
    )
    wanted = np.arange(n_frames(samples))
    result = {}
    for name, (column, shift) in _SMILE.items():
        curve = table[column].to_numpy(np.float64)
        result[name] = curve[np.clip(wanted + shift, 0, len(curve) - 1)]
    return result


def smile_functionals(samples: AnyArray) -> dict[str, float]:
    """Return openSMILE's eGeMAPSv02 functionals of a whole clip, under openSMILE's names."""
    table = _smile("Functionals").process_signal(np.asarray(samples, np.float32), SAMPLE_RATE)
    return {str(name): float(table[name].iloc[0]) for name in table}


def librosas(samples: AnyArray) -> dict[str, AnyArray]:
    """Return what librosa and numpy make of librosa's own STFT, bins outside the band set to zero.

    Returns:
        `centroid_hz`, `spread_hz`, `mel_db` (HTK mel, triangles of height 1, shape
        (n_frames, N_MELS)), and of that `flux_db` (0 in the first frame) and `mfcc1` to `mfcc4`.
    """
    hz = librosa.fft_frequencies(sr=SAMPLE_RATE, n_fft=N_FFT)
    window = np.hanning(FRAME_LENGTH + 2)[1:-1]
    around = (N_FFT - FRAME_LENGTH) // 2
    spectrum = librosa.stft(
        np.pad(np.asarray(samples, np.float64), around),
        n_fft=N_FFT,
        hop_length=HOP_LENGTH,
        win_length=FRAME_LENGTH,
        window=window,
        center=False,
    )[:, : n_frames(samples)]
    power = 2.0 * np.abs(spectrum) ** 2 / (N_FFT * np.sum(window**2))
    power[(hz < BAND_HZ[0]) | (hz > BAND_HZ[1])] = 0.0
    mel = librosa.filters.mel(
        sr=SAMPLE_RATE,
        n_fft=N_FFT,
        n_mels=N_MELS,
        fmin=BAND_HZ[0],
        fmax=BAND_HZ[1],
        htk=True,
        norm=None,
        dtype=np.float64,
    )
    log_mel = np.log(np.maximum(mel @ power, 1e-12))
    mfcc = librosa.feature.mfcc(S=log_mel, n_mfcc=5, dct_type=2, norm="ortho")
    centroid = librosa.feature.spectral_centroid(S=power, freq=hz)
    spread = librosa.feature.spectral_bandwidth(S=power, freq=hz, centroid=centroid, p=2)
    mel_db = 10.0 / np.log(10.0) * log_mel.T
    return {
        "centroid_hz": centroid[0],
        "spread_hz": spread[0],
        "mel_db": mel_db,
        "flux_db": np.abs(np.diff(mel_db, axis=0, prepend=mel_db[:1])).mean(axis=1),
        **{f"mfcc{order}": mfcc[order] for order in range(1, 5)},
    }


def praat_balance(samples: AnyArray) -> dict[str, AnyArray]:
    """Return the balance of each frame by Praat's own spectrum of it: `alpha_ratio_db`."""
    window = np.hanning(FRAME_LENGTH + 2)[1:-1]
    alpha = []
    for i in range(n_frames(samples)):
        some = np.asarray(samples[i * HOP_LENGTH :][:FRAME_LENGTH], np.float64) * window
        spectrum = parselmouth.Sound(some, SAMPLE_RATE).to_spectrum()
        low = spectrum.get_band_energy(BAND_HZ[0], 1000.0)
        high = spectrum.get_band_energy(1000.0, BAND_HZ[1])
        alpha.append(10.0 * np.log10(max(high, 1e-15) / max(low, 1e-15)))
    return {"alpha_ratio_db": np.array(alpha)}


@cache
def _smile(level: str) -> Any:
    return opensmile.Smile(opensmile.FeatureSet.eGeMAPSv02, opensmile.FeatureLevel[level])


def _defined(values: list[float], undefined: float) -> AnyArray:
    """Return `values` with Praat's "undefined" replaced."""
    result = np.array(values, dtype=np.float64)
    return np.where(np.isnan(result), undefined, result)
