"""The low-level descriptors (LLDs): one row of numbers for each frame.

In three steps. Most frames of a call are silence: the power spectrum and the level of every frame,
then all else for those that are worth it. And two need the frames before: F0 (which octave?) and
flux. What those need is given beside the rest (`Described`), to whoever knows the order of frames.

To add one: write a pure function `(n_frames, ...) -> (n_frames,)` in the module of its kind,
add its name here and its column in `_describe`, and its functionals in `functionals` (after
which a model must be trained again).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from hackles.config import TILE_FRAMES
from hackles.features import clipping, energy, harmonicity, pitch, spectrum
from hackles.types import AnyArray, Array, Bools, Ints

LLD_NAMES: tuple[str, ...] = (
    "level_db",
    "f0_st",
    "voicing",
    "alpha_ratio_db",
    "hammarberg_db",
    "centroid_hz",
    "spread_hz",
    "clipped_ratio",
    "flux_db",
    *(f"mfcc{order}" for order in range(1, spectrum.N_MFCCS + 1)),
)
N_LLDS = len(LLD_NAMES)
LLD = {name: column for column, name in enumerate(LLD_NAMES)}
"""Column of each descriptor in the array that `low_level_descriptors` returns."""
_MFCC_COLUMNS = slice(LLD["mfcc1"], LLD["mfcc1"] + spectrum.N_MFCCS)


class Frames(Protocol):
    """Frames in rows, or what gives them tile by tile."""

    def __len__(self) -> int:
        """Return how many there are."""

    def __getitem__(self, rows: slice, /) -> Array:
        """Return some, shape (n, FRAME_LENGTH)."""


@dataclass(frozen=True, slots=True)
class Spectra:
    """What is worked out of every frame.

    Attributes:
        power: as `spectrum.power_spectrum`, shape (n_frames, N_BINS).
        level_db: shape (n_frames,).
        clipped_ratio: shape (n_frames,).
    """

    power: Array
    level_db: Array
    clipped_ratio: Array


@dataclass(frozen=True, slots=True)
class Pitches:
    """What voiced frames say of their pitch; the first axis is the voiced frame.

    Attributes:
        frame: which of all frames each is, shape (n,).
        evidence: as `pitch.evidence`.
        votes: as `pitch.votes`.
        correlation: as `harmonicity.autocorrelation`.
    """

    frame: Ints
    evidence: Array
    votes: AnyArray
    correlation: Array

    def f0_st(self, heard: AnyArray) -> Array:
        """Return F0 in semitones re 27.5 Hz, shape (n,); 0 where there is none after all.

        Args:
            heard: the sum of the votes of the frames before each, shape (n, N_VOTES).
        """
        result = np.empty(len(self.frame), dtype=np.float32)
        for tile in _tiles(len(result)):
            lag = pitch.chosen_lag(self.evidence[tile], heard[tile])
            period, strength = harmonicity.at_period(self.correlation[tile], lag)
            result[tile] = pitch.semitones(period) * (strength >= harmonicity.REPEATS)
        return result


@dataclass(frozen=True, slots=True)
class Described:
    """The descriptors of some frames, but for those that need the frames before.

    Attributes:
        llds: shape (n_frames, N_LLDS), columns as `LLD_NAMES`; `f0_st` and `flux_db` are 0 as yet.
        frame: which frames were described, shape (n,), in order.
        mel_db: of those, as `spectrum.log_mel_db`.
        pitches: of the voiced ones.
    """

    llds: Array
    frame: Ints
    mel_db: Array
    pitches: Pitches


def spectra(frames: Frames) -> Spectra:
    """Return the spectra and levels of any number of frames.

    Args:
        frames: shape (n_frames, FRAME_LENGTH), samples; a row's result depends on no other row.
    """
    n_frames = len(frames)
    power = np.empty((n_frames, spectrum.N_BINS), dtype=np.float32)
    level_db, clipped = (np.empty(n_frames, dtype=np.float32) for _ in range(2))
    for tile in _tiles(n_frames):
        some = frames[tile]
        power[tile] = spectrum.power_spectrum(some)
        level_db[tile] = energy.level_db(power[tile])
        clipped[tile] = clipping.clipped_ratio(some)
    return Spectra(power, level_db, clipped)


def low_level_descriptors(frames: Spectra, chosen: Bools) -> Described:
    """Return the descriptors of the chosen frames; of the others, level and flat tops alone.

    Args:
        frames: output of `spectra`.
        chosen: shape (n_frames,).

    Returns:
        Descriptors, float32, finite for finite input; where a frame is not chosen, all but these
        two are 0.
    """
    result = np.zeros((len(chosen), N_LLDS), dtype=np.float32)
    rows = np.flatnonzero(chosen)
    mel_db = np.empty((len(rows), spectrum.N_MELS), dtype=np.float32)
    parts: list[Pitches] = []
    for tile in _tiles(len(rows)):
        some = rows[tile]
        power = frames.power[some]
        correlation = harmonicity.autocorrelation(power)
        voicing = harmonicity.voicing(correlation)
        mel_db[tile] = spectrum.log_mel_db(power)
        result[some] = _describe(power, voicing, mel_db[tile])
        # A pitch means something in voiced frames alone, and takes a third of all the time.
        voiced = np.flatnonzero(voicing >= harmonicity.VOICED)
        parts.append(_pitches(some[voiced], power[voiced], correlation[voiced]))
    result[:, LLD["level_db"]] = frames.level_db
    result[:, LLD["clipped_ratio"]] = frames.clipped_ratio
    if not parts:
        parts = [_pitches(rows, frames.power[:0], np.zeros((0, 1), np.float32))]
    return Described(result, rows, mel_db, _joined(parts))


def _describe(power: Array, voicing: Array, mel_db: Array) -> Array:
    """Return the descriptors of one tile of frames; those known before, or later, hold zero."""
    result = np.zeros((len(power), N_LLDS), dtype=np.float32)
    result[:, LLD["voicing"]] = voicing
    result[:, LLD["alpha_ratio_db"]] = spectrum.alpha_ratio_db(power)
    result[:, LLD["hammarberg_db"]] = spectrum.hammarberg_db(power)
    centroid_hz, result[:, LLD["spread_hz"]] = spectrum.centre_and_spread_hz(power)
    result[:, LLD["centroid_hz"]] = centroid_hz
    result[:, _MFCC_COLUMNS] = spectrum.mfcc(mel_db)
    return result


def _pitches(frame: Ints, power: Array, correlation: Array) -> Pitches:
    evidence = pitch.evidence(power)
    return Pitches(frame, evidence, pitch.votes(evidence), correlation)


def _joined(parts: list[Pitches]) -> Pitches:
    """Return the pitches of all tiles as one."""
    if len(parts) == 1:
        return parts[0]
    return Pitches(
        *(np.concatenate([getattr(p, name) for p in parts]) for name in Pitches.__slots__)
    )


def _tiles(n_rows: int) -> Iterator[slice]:
    """Yield stretches of rows, few enough to stay in the processor's cache."""
    return (slice(at, at + TILE_FRAMES) for at in range(0, n_rows, TILE_FRAMES))


def in_tiles(frames: Frames) -> Array:
    """Return all descriptors of consecutive frames of one voice."""
    found = low_level_descriptors(spectra(frames), np.ones(len(frames), dtype=np.bool_))
    result, pitches = found.llds, found.pitches
    votes = np.zeros((len(frames), pitch.N_VOTES), dtype=np.int16)
    votes[pitches.frame] = pitches.votes
    heard = pitch.votes_heard(votes)[pitches.frame]
    result[pitches.frame, LLD["f0_st"]] = pitches.f0_st(heard)
    result[1:, LLD["flux_db"]] = spectrum.flux_db(found.mel_db[1:], found.mel_db[:-1])
    return result
