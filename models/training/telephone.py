"""What a telephone does to a voice, from the room to the far end; all of it made of a seed."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.signal import butter, oaconvolve, sosfilt

from hackles.config import SAMPLE_RATE
from hackles.types import Array
from models.training.coding import coded
from models.training.noise import NOISES, babble, pink_noise

PACKET = SAMPLE_RATE // 50
"""Samples in a packet: 20 ms."""

_BAND_HZ = (300.0, 3400.0)
_CONCEALED = 3
_AGC_TARGET_DB, _AGC_MOST_DB, _AGC_FLOOR_DB = -22.0, 15.0, -50.0
_ROUGH_CODECS = ("mu-law", "A-law", "GSM 6.10", "Opus 12 kbit/s", "Opus 6 kbit/s")
_AGC_FALLS, _AGC_RISES = 0.3, 0.02


@dataclass(frozen=True, slots=True)
class Line:
    """One telephone line, from the caller's room to the far end.

    Attributes:
        codec: one of `coding.CODECS`.
        gain_db: of voice and noise alike, in float: nothing clips by it unless full scale is left.
        noise: "pink", "white", "hum" or "babble".
        snr_db: level of the voice over the noise; infinite for none.
        loss: share of the packets of 20 ms that never arrive.
        room_s: reverberation time of the caller's room, to -60 dB; 0 for none.
        clipped_db: how far under its highest peak the voice is clipped; 0 for not at all.
        agc: whether an automatic gain control evens the level out.
    """

    codec: str = "mu-law"
    gain_db: float = 0.0
    noise: str = "pink"
    snr_db: float = np.inf
    loss: float = 0.0
    room_s: float = 0.0
    clipped_db: float = 0.0
    agc: bool = False


def transmit(
    rng: np.random.Generator,
    samples: Array,
    level_db: float,
    line: Line,
    voices: Sequence[Array] = (),
) -> Array:
    """Return what arrives at the far end of a line.

    Args:
        rng: draws the noise, the room and what is lost.
        samples: a voice at 8 kHz, shape (n_samples,).
        level_db: its level where it sounds, in dBFS, which `snr_db` counts from.
        line: what is done to it.
        voices: clips of other speakers, where the noise is babble.
    """
    sound = room(rng, samples, line.room_s) if line.room_s else samples
    if np.isfinite(line.snr_db):
        noise = (
            babble(rng, len(sound), voices)
            if line.noise == "babble"
            else NOISES[line.noise](rng, len(sound))
        )
        sound = sound + noise * _ratio(level_db - line.snr_db)
    if line.clipped_db:
        sound = clipped(sound, line.clipped_db)
    sound = band_pass(sound) * _ratio(line.gain_db)
    if line.agc:
        sound = gain_controlled(sound)
    arrived = coded(sound, line.codec)
    return lossy(rng, arrived, line.loss) if line.loss else arrived


def telephone(
    rng: np.random.Generator,
    samples: Array,
    level_db: float,
    snr_db: float,
    codec: str = "mu-law",
) -> Array:
    """Return a clip as the usual telephone would give it: level, pink noise, mu-law."""
    clip = at_level(samples, level_db)
    noise = pink_noise(rng, len(clip)) * _ratio(level_db - snr_db)
    return coded(clip + noise, codec)


def rough_line(rng: np.random.Generator) -> Line:
    """Return a random line that is worse than most: to train on."""
    return Line(
        codec=str(rng.choice(_ROUGH_CODECS, p=(0.4, 0.15, 0.2, 0.15, 0.1))),
        noise=str(rng.choice(("pink", "babble", "white", "hum"), p=(0.4, 0.35, 0.15, 0.1))),
        snr_db=rng.uniform(8.0, 40.0),
        loss=0.02 if rng.random() < 0.15 else 0.0,
        room_s=rng.uniform(0.1, 0.5) if rng.random() < 0.2 else 0.0,
        clipped_db=rng.uniform(2.0, 10.0) if rng.random() < 0.08 else 0.0,
        agc=bool(rng.random() < 0.15),
    )


def at_level(samples: Array, level_db: float) -> Array:
    """Return samples scaled so that their loudest quarter (of 0.1 s each) has an RMS in dBFS."""
    level = level_of(samples)
    return samples if level is None else (samples * _ratio(level_db - level)).astype(np.float32)


def level_of(samples: Array) -> float | None:
    """Return the RMS in dBFS of the loudest quarter (of 0.1 s each), None under 0.1 s.

    Measured there, and not over the whole clip, so that pauses do not count.
    """
    n = len(samples) // 800
    if n == 0:
        return None
    power = np.sort(np.mean(samples[: n * 800].reshape(n, 800) ** 2, axis=1))
    return float(20 * np.log10(np.sqrt(np.mean(power[-max(1, n // 4) :])) + 1e-9))


def band_pass(samples: Array) -> Array:
    """Return what a telephone's filters pass: 300 to 3400 Hz, 24 dB an octave beside it."""
    sections = butter(4, _BAND_HZ, "bandpass", fs=SAMPLE_RATE, output="sos")
    result: Array = sosfilt(sections, samples).astype(np.float32)
    return result


def room(rng: np.random.Generator, samples: Array, reverberation_s: float) -> Array:
    """Return a voice as a microphone hears it in a room: direct, then a tail 6 dB under it.

    Source:
        Polack 1988: the tail of a room is Gaussian noise under an exponential, -60 dB after the
        reverberation time.
    """
    t = np.arange(max(1, int(reverberation_s * SAMPLE_RATE))) / SAMPLE_RATE
    tail = rng.standard_normal(len(t)) * np.exp(-3 * np.log(10) * t / reverberation_s)
    tail[: PACKET // 4] = 0.0  # the first wall is some metres away
    tail *= 0.5 / (np.sqrt(np.sum(tail**2)) + 1e-12)
    tail[0] = 1.0
    result: Array = oaconvolve(samples, tail)[: len(samples)].astype(np.float32)
    return result


def clipped(samples: Array, under_peak_db: float) -> Array:
    """Return samples cut off so many dB under their highest peak."""
    limit = float(np.max(np.abs(samples), initial=0.0)) * float(_ratio(-under_peak_db))
    result: Array = np.clip(samples, -limit, limit)
    return result


def gain_controlled(samples: Array) -> Array:
    """Return samples whose level an automatic gain control has evened out to -22 dBFS.

    The gain falls within tenths of a second, rises within seconds, by 15 dB at the most, and stands
    still in silence.
    """
    n = -(-len(samples) // PACKET)
    padded = np.zeros(n * PACKET, dtype=np.float32)
    padded[: len(samples)] = samples
    power = np.mean(padded.reshape(n, PACKET).astype(np.float64) ** 2, axis=1)
    gain_db, gains = 0.0, np.empty(n)
    for index, level_db in enumerate(10 * np.log10(power + 1e-12)):
        if level_db > _AGC_FLOOR_DB:
            wanted = np.clip(_AGC_TARGET_DB - level_db, -_AGC_MOST_DB, _AGC_MOST_DB)
            gain_db += (_AGC_FALLS if wanted < gain_db else _AGC_RISES) * (wanted - gain_db)
        gains[index] = gain_db
    # Between packets the gain glides: a step would click.
    at = np.arange(len(samples)) / PACKET
    result: Array = (samples * 10 ** (np.interp(at, np.arange(n), gains) / 20)).astype(np.float32)
    return result


def lossy(rng: np.random.Generator, samples: Array, share: float) -> Array:
    """Return samples of which packets were lost, and concealed as simple receivers do.

    The last packet that came is said again, each time at half of its amplitude, and after
    60 ms there is silence.
    """
    result = samples.copy()
    repeated = _CONCEALED
    for at in range(0, len(result) - PACKET + 1, PACKET):
        if rng.random() >= share:
            repeated = 0
            continue
        repeated += 1
        said = result[at - PACKET : at] * np.float32(0.5)
        result[at : at + PACKET] = said if repeated <= _CONCEALED else 0.0
    return result


def _ratio(db: float) -> np.float32:
    """Return the ratio of amplitudes that decibels stand for."""
    return np.float32(10 ** (db / 20))
