"""When somebody speaks, and when what is heard is music, a tone or nothing.

Simple and adaptive: a frame counts as speech while it stands out of the noise floor and enough
of the last quarter second was periodic. Nothing here depends on gain, or on what comes later.
"""

from dataclasses import dataclass

import numpy as np

from hackles.config import FRAMES_PER_S
from hackles.features import LLD, VOICED
from hackles.framing import Batch
from hackles.history import History, trailing, trailing_count
from hackles.types import AnyArray, Array, Bools

_FLOOR_FRAMES = 3 * FRAMES_PER_S
_STEADY_FRAMES = 8
_MUSIC_FRAMES = 2 * FRAMES_PER_S
_HANGOVER_FRAMES = 25

_SILENCE_DB = -100.0
"""Digital silence; the quietest G.711 line noise lies near -75."""

_OUT_OF_NOISE_DB = 6.0
_STILL_OUT_OF_NOISE_DB = 3.0
_BELOW_PEAK_DB = 30.0
_ASSUMED_SNR_DB = 20.0
"""A caller who has not paused yet shows no floor: it is taken to lie this far below the peak."""

_STILL_HZ = 40.0
_TONE_FRAMES = 20

_VOICED_OF_LAST = 5


@dataclass(frozen=True, slots=True)
class Activity:
    """What each frame is; all arrays have shape (n_rows, width), padded.

    Attributes:
        speech: somebody talks.
        music: sustained notes (hold music).
        tone: one steady tone (ring-back, busy, DTMF, a beep).
        snr_db: level over the noise floor.
    """

    speech: Bools
    music: Bools
    tone: Bools
    snr_db: Array


class SpeechActivity:
    """Speech activity of many calls. State: a few seconds of levels and flags per call."""

    def __init__(self, n_slots: int) -> None:
        """Start every call knowing nothing."""
        self._level = History(n_slots, _FLOOR_FRAMES, np.inf)
        self._f0 = History(n_slots, _STEADY_FRAMES, 0.0)
        self._centroid = History(n_slots, _STEADY_FRAMES, 0.0)
        self._voicing = History(n_slots, _STEADY_FRAMES, 0.0)
        self._voiced = History(n_slots, _HANGOVER_FRAMES, 0, np.int8)
        self._loud = History(n_slots, _MUSIC_FRAMES, 0, np.int8)
        self._flat = History(n_slots, _MUSIC_FRAMES, 0, np.int8)
        self._steady = History(n_slots, _MUSIC_FRAMES, 0, np.int8)
        self._still = History(n_slots, _MUSIC_FRAMES, 0, np.int8)
        self._music = History(n_slots, _MUSIC_FRAMES, 0, np.int8)

    def clear(self, slot: int) -> None:
        """Forget a call."""
        for history in vars(self).values():
            history.clear(slot)

    def update(self, batch: Batch, llds: Array) -> Activity:
        """Return what each new frame is.

        Args:
            batch: whose frames they are.
            llds: shape (n_frames, N_LLDS), flat.
        """
        level, voicing = batch.pad(llds[:, LLD["level_db"]]), batch.pad(llds[:, LLD["voicing"]])
        levels = self._level.extend(batch, level)
        width = batch.width
        floor, peak = _floor_and_peak(levels, width)
        sound = level > _SILENCE_DB
        loud = sound & (level > floor + _OUT_OF_NOISE_DB) & (level > peak - _BELOW_PEAK_DB)
        flat = _swing(levels, width) < 6.0
        steady = self._steady_pitch(batch, llds, voicing)
        still = flat & self._steady_timbre(batch, llds)
        music, tone = self._music_and_tone(batch, loud, flat & loud, steady & loud, still & loud)
        voiced = self._voiced.extend(batch, loud & (voicing >= VOICED) & ~steady & ~still)
        lately = trailing_count(voiced, _HANGOVER_FRAMES)[:, -width:]
        speech = (lately >= _VOICED_OF_LAST) & sound & (level > floor + _STILL_OUT_OF_NOISE_DB)
        speech &= ~music & ~tone & batch.inside
        return Activity(speech, music & batch.inside, tone & batch.inside, level - floor)

    def _steady_pitch(self, batch: Batch, llds: Array, voicing: AnyArray) -> Bools:
        """Return where a note has been held for 80 ms."""
        f0s = self._f0.extend(batch, batch.pad(llds[:, LLD["f0_st"]]))
        voicings = self._voicing.extend(batch, voicing)
        glide = _spread(f0s, _STEADY_FRAMES)[:, -batch.width :]
        sure = trailing(np.minimum, voicings, _STEADY_FRAMES)[:, -batch.width :]
        held: Bools = (glide < 0.3) & (sure > VOICED)
        return held

    def _steady_timbre(self, batch: Batch, llds: Array) -> Bools:
        """Return where the spectrum's centre has not moved for 80 ms.

        A pure tone has no harmonics to find a pitch by, but its centre stands still, even in
        noise; that of speech moves by hundreds of hertz.
        """
        centroids = self._centroid.extend(batch, batch.pad(llds[:, LLD["centroid_hz"]]))
        still: Bools = _spread(centroids, _STEADY_FRAMES)[:, -batch.width :] < _STILL_HZ
        return still

    def _music_and_tone(
        self, batch: Batch, loud: Bools, flat: Bools, steady: Bools, still: Bools
    ) -> tuple[Bools, Bools]:
        """Return where the last two seconds were mostly sustained notes, or one tone."""
        width = batch.width
        n_loud, n_flat, n_steady, n_still = (
            trailing_count(history.extend(batch, flags), _MUSIC_FRAMES)[:, -width:]
            for history, flags in (
                (self._loud, loud),
                (self._flat, flat),
                (self._steady, steady),
                (self._still, still),
            )
        )
        enough = n_loud >= _MUSIC_FRAMES // 2
        notes = enough & (n_steady >= 0.15 * n_loud) & (n_flat >= 0.55 * n_loud)
        held = np.maximum(n_steady, n_still)
        tone = (held >= _TONE_FRAMES) & (held >= 0.8 * n_loud)
        # Music breathes between its notes: it is over when no frame of two seconds was music.
        lasting = trailing_count(self._music.extend(batch, notes & ~tone), _MUSIC_FRAMES)
        return lasting[:, -width:] > 0, tone


def _floor_and_peak(levels: AnyArray, width: int) -> tuple[AnyArray, AnyArray]:
    """Return the noise floor and the speech peak of the last seconds, shape (n, width)."""
    floor = trailing(np.minimum, levels, _FLOOR_FRAMES)[:, -width:]
    known = np.where(np.isfinite(levels), levels, -200.0)
    peak = trailing(np.maximum, known, _FLOOR_FRAMES)[:, -width:]
    return np.minimum(floor, peak - _ASSUMED_SNR_DB), peak


def _swing(levels: AnyArray, width: int) -> AnyArray:
    """Return how far the level has swung within 80 ms, shape (n, width).

    Speech swings by 13 dB in the median, music by 1 to 5.
    """
    recent = levels[:, -(width + _STEADY_FRAMES - 1) :]
    return _spread(np.where(np.isfinite(recent), recent, -200.0), _STEADY_FRAMES)


def _spread(values: AnyArray, width: int) -> AnyArray:
    """Return the largest minus the smallest of each `width` neighbours."""
    highest: AnyArray = trailing(np.maximum, values, width)
    return highest - trailing(np.minimum, values, width)
