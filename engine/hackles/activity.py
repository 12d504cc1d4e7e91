"""When somebody speaks, and when what is heard is music, a tone or nothing.

Simple and adaptive: a frame counts as speech while it stands out of the noise floor and enough
of the last quarter second was periodic. Nothing here depends on gain, or on what comes later.
"""

from dataclasses import dataclass

import numpy as np

from hackles.config import FRAMES_PER_S
from hackles.features import LLD, VOICED
from hackles.features.statistics import trailing
from hackles.framing import Batch
from hackles.history import SPAN_FRAMES, History, Lately, trailing_count
from hackles.types import AnyArray, Array, Bools

_FLOOR_SPANS = 3 * FRAMES_PER_S // SPAN_FRAMES
_MUSIC_SPANS = 2 * FRAMES_PER_S // SPAN_FRAMES
_STEADY_FRAMES = 8
_HANGOVER_FRAMES = 25

_SILENCE_DB = -100.0
"""Digital silence; the quietest G.711 line noise lies near -75."""

_OUT_OF_NOISE_DB = 6.0
_STILL_OUT_OF_NOISE_DB = 3.0
_BELOW_PEAK_DB = 30.0
_ASSUMED_SNR_DB = 20.0
"""A caller who has not paused yet shows no floor: it is taken to lie this far below the peak."""

_NOISE_RANGE_DB = (1.6, 6.0)
"""How far the level of steady noise moves in three seconds: it is its own floor. Whoever speaks
moves it by more; a tone that stands 10 dB out of noise, by less."""

_FLAT_DB = 6.0
_STILL_HZ = 40.0
_TONE_FRAMES = 20
_ENOUGH_LOUD_FRAMES = FRAMES_PER_S

_VOICED_OF_LAST = 5


@dataclass(frozen=True, slots=True)
class Activity:
    """What each frame is; all arrays have shape (n_rows, width), padded.

    Attributes:
        speech: somebody talks.
        music: sustained notes (hold music).
        tone: one steady tone (ring-back, busy, DTMF, a beep).
        leak: the agent's voice in the customer's channel.
        snr_db: level over the noise floor.
    """

    speech: Bools
    music: Bools
    tone: Bools
    leak: Bools
    snr_db: Array


@dataclass(frozen=True, slots=True)
class Standing:
    """How each frame's level stands to the last seconds'; shape (n_frames,), flat.

    Attributes:
        snr_db: level over the noise floor.
        worth: it stands out enough to be speech, and so to be described.
        loud: it stands out clearly.
        flat: the level has hardly moved for 80 ms.
    """

    snr_db: Array
    worth: Bools
    loud: Bools
    flat: Bools


class Levels:
    """The noise floor and the speech peak of many calls."""

    def __init__(self, n_slots: int) -> None:
        """Start every call knowing nothing."""
        self._extremes = Lately(n_slots, (2, _FLOOR_SPANS), np.minimum, np.inf, np.float32)
        self._last = History(n_slots, _STEADY_FRAMES, -200.0)

    def clear(self, slot: int) -> None:
        """Forget a call."""
        self._extremes.clear(slot)
        self._last.clear(slot)

    def update(self, batch: Batch, level_db: Array) -> Standing:
        """Return how each new frame stands; `level_db` has shape (n_frames,)."""
        floor, peak = self._extremes.update(batch, np.stack([level_db, -level_db]))
        np.negative(peak, out=peak)
        # Speech swings by 13 dB within 80 ms in the median, music by 1 to 5.
        recent = self._last.extend(batch, batch.pad(level_db))[:, 1:]
        swing = _spread(recent, _STEADY_FRAMES)[batch.inside]
        noise = (peak - floor > _NOISE_RANGE_DB[0]) & (peak - floor < _NOISE_RANGE_DB[1])
        known = batch.taken[:, None] + np.arange(batch.width) >= _FLOOR_SPANS * SPAN_FRAMES
        noise &= known[batch.inside]
        assumed = np.where(noise, floor, np.minimum(floor, peak - _ASSUMED_SNR_DB))
        snr_db = level_db - assumed
        sound = level_db > _SILENCE_DB
        loud = sound & (snr_db > _OUT_OF_NOISE_DB) & (level_db > peak - _BELOW_PEAK_DB)
        flat: Bools = swing < _FLAT_DB
        return Standing(snr_db, sound & (snr_db > _STILL_OUT_OF_NOISE_DB), loud, flat)


class SpeechActivity:
    """Speech activity of many calls. State: a few seconds of flags per call."""

    def __init__(self, n_slots: int) -> None:
        """Start every call knowing nothing."""
        self._f0 = History(n_slots, _STEADY_FRAMES, 0.0)
        self._centroid = History(n_slots, _STEADY_FRAMES, 0.0)
        self._voicing = History(n_slots, _STEADY_FRAMES, 0.0)
        self._voiced = History(n_slots, _HANGOVER_FRAMES, 0, np.int8)
        self._notes = Lately(n_slots, (4, _MUSIC_SPANS), np.add, 0, np.int16)
        self._lasting = Lately(n_slots, (2, _MUSIC_SPANS), np.add, 0, np.int16)

    def clear(self, slot: int) -> None:
        """Forget a call."""
        for history in vars(self).values():
            history.clear(slot)

    def update(
        self, batch: Batch, standing: Standing, llds: Array, leak: Bools | None = None
    ) -> Activity:
        """Return what each new frame is.

        Args:
            batch: whose frames they are.
            standing: how loud they are.
            llds: shape (n_frames, N_LLDS), flat; those not worth describing may be zero.
            leak: which are the agent's voice, shape (n_frames,); none if None.
        """
        if leak is None:
            leak = np.zeros(len(llds), dtype=np.bool_)
        loud, flat = standing.loud, standing.flat
        steady = self._steady_pitch(batch, llds)
        still = flat & self._steady_timbre(batch, llds)
        music, tone = self._music_and_tone(batch, loud, flat, steady, still)
        voiced = loud & (llds[:, LLD["voicing"]] >= VOICED) & ~steady & ~still & ~leak
        lately = trailing_count(self._voiced.extend(batch, batch.pad(voiced)), _HANGOVER_FRAMES)
        enough = lately[:, -batch.width :][batch.inside] >= _VOICED_OF_LAST
        speech = standing.worth & enough & ~music & ~tone & ~leak
        return Activity(*map(batch.pad, (speech, music, tone, leak, standing.snr_db)))

    def _steady_pitch(self, batch: Batch, llds: Array) -> Bools:
        """Return where a note has been held for 80 ms."""
        f0s, voicings = (
            history.extend(batch, batch.pad(llds[:, LLD[name]]))[:, 1:]
            for history, name in ((self._f0, "f0_st"), (self._voicing, "voicing"))
        )
        held = _spread(f0s, _STEADY_FRAMES) < 0.3
        held &= trailing(np.minimum, voicings, _STEADY_FRAMES) > VOICED
        return held[batch.inside]

    def _steady_timbre(self, batch: Batch, llds: Array) -> Bools:
        """Return where the spectrum's centre has not moved for 80 ms.

        A pure tone has no harmonics to find a pitch by, but its centre stands still, even in
        noise; that of speech moves by hundreds of hertz.
        """
        centroids = self._centroid.extend(batch, batch.pad(llds[:, LLD["centroid_hz"]]))[:, 1:]
        return (_spread(centroids, _STEADY_FRAMES) < _STILL_HZ)[batch.inside]

    def _music_and_tone(
        self, batch: Batch, loud: Bools, flat: Bools, steady: Bools, still: Bools
    ) -> tuple[Bools, Bools]:
        """Return where the last two seconds were mostly sustained notes, or one tone."""
        flags = np.stack([loud, flat & loud, steady & loud, still & loud])
        n_loud, n_flat, n_steady, n_still = self._notes.update(batch, flags)
        enough = n_loud >= _ENOUGH_LOUD_FRAMES
        music = enough & (n_steady >= 0.15 * n_loud) & (n_flat >= 0.55 * n_loud)
        held = np.maximum(n_steady, n_still)
        enough = held >= _TONE_FRAMES
        tone = enough & (held >= 0.8 * n_loud)
        # Music breathes between its notes: it is over when no frame of two seconds was music. A
        # tone does not end because a little is missing: notes would come as tones by turns.
        was_music, was_tone = self._lasting.update(batch, np.stack([music & ~tone, tone])) > 0
        return was_music, tone | (was_tone & enough & (held >= 0.65 * n_loud))


def _spread(values: AnyArray, width: int) -> AnyArray:
    """Return the largest minus the smallest of each `width` neighbours."""
    highest: AnyArray = trailing(np.maximum, values, width)
    return highest - trailing(np.minimum, values, width)
