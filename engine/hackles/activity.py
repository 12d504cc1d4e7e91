"""When somebody speaks, and when what is heard is music, a tone or nothing.

A call has to prove first that somebody talks: a second of what sounded more like talk than like
music or tones (`talk`). From then on a frame counts as speech by how it stands to the noise floor,
to the loudest of late and to the voiced frames before it; and only if it is not too far under the
caller's own voice (`foreground`). Nothing here depends on gain, or on what comes later.
"""

from dataclasses import dataclass, replace

import numpy as np

from hackles import talk
from hackles.config import FRAMES_PER_S
from hackles.features import LLD, VOICED
from hackles.foreground import Foreground, Heard
from hackles.framing import Batch
from hackles.history import SPAN_FRAMES, History, Lately
from hackles.types import AnyArray, Array, Bools, Ints

_FLOOR_SPANS = 3 * FRAMES_PER_S // SPAN_FRAMES
_MUSIC_SPANS = 2 * FRAMES_PER_S // SPAN_FRAMES
_HIGH_SPANS = FRAMES_PER_S // SPAN_FRAMES
_STEADY_FRAMES = 8
_NEAR_FRAMES = 16
_RECENT_FRAMES = 32

_SILENCE_DB = -100.0
"""Digital silence; the quietest G.711 line noise lies near -75."""

_OUT_OF_NOISE_DB = 6.0
_STILL_OUT_OF_NOISE_DB = 3.0
_BELOW_PEAK_DB = 30.0
_ASSUMED_SNR_DB = 20.0
"""A caller who has not paused yet shows no floor: it is taken to lie this far below the peak."""
_LEAST_SNR_DB = 12.0
"""What is held for three seconds leaves no floor either; noise under speech is seldom nearer."""

_NOISE_RANGE_DB = (1.6, 6.0)
"""How far the level of steady noise moves in three seconds: it is its own floor. Whoever speaks
moves it by more; a tone that stands 10 dB out of noise, by less."""

_FLAT_DB = 6.0
_STILL_HZ = 40.0
_TONE_FRAMES = 20
_ENOUGH_LOUD_FRAMES = FRAMES_PER_S

_PROOF_SPANS, _HALF_SECOND_SPANS = 6, 5
_PROOF = 120 * talk.UNIT
"""A quarter of a second of clear talk, or half a second of likely talk; music seldom gets there.
Of four values tried on the tuning half, the one with the least music."""
_DISPROOF = -200 * talk.UNIT
"""Over two seconds: whoever talked does so no longer."""
_TRUSTED_FRAMES = 30 * FRAMES_PER_S
"""Whoever has not been heard for so long, nor since a hold, must prove it again."""

_STRENGTH = 16.0
_NEVER = -(2**62)

# What a frame is told by to be speech, once somebody talks, and the weights of it and of its
# square: levels over the floor in dB, now, and the mean and highest of the last 80 and 320 ms;
# shares are of the range from floor to peak. Fitted by benchmarks/fit_activity.py.
LEVEL_TRAITS = {
    "snr": (-0.022376, 0.00088308),
    "snr, at most 12": (0.017832, 0.0080724),
    "under the peak": (-0.21326, -0.0049103),
    "range": (-0.18072, 0.0031496),
    "share": (0.77179, -2.4167),
    "mean of 8": (-0.070735, -0.0010269),
    "mean of 32": (-0.26305, 0.0013071),
    "highest of 8": (0.15793, 0.0013678),
    "highest of 8, at most 15": (-0.21396, 0.016554),
    "highest of 32": (0.0093278, -0.00045699),
    "highest of 8, share": (3.2013, -2.2808),
    "highest of 32, share": (10.339, -3.2198),
}
VOICE_TRAITS = {
    "voicing of 32": (-9.1317, 11.208),
    "voicing of 32, at most a quarter": (-12.971, 43.093),
    "highest voicing of 32": (-3.5691, 7.5383),
}
_BIAS = -4.171
_MEAN_SNR, _HIGH_SNR = (list(LEVEL_TRAITS).index(name) for name in ("mean of 32", "highest of 32"))

# In whole numbers, whose sums are exact in whichever order.
_FINE, _BITS = 64, 30
_WHOLE: Ints = np.rint(
    2.0**_BITS
    * np.array([*LEVEL_TRAITS.values(), *VOICE_TRAITS.values()]).T
    / np.array([[_FINE], [_FINE**2]])
).astype(np.int64)
_WHOLE_BIAS = round(2.0**_BITS * _BIAS)


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
        worth: it stands out enough to be speech, or follows what did, and so is described.
        loud: it stands out clearly.
        flat: the level has hardly moved for 80 ms.
        below_db: how far it lies under the loudest of the last 320 ms.
        step_db: how the level has changed within 20 ms.
        held_db: mean level of the last 80 ms.
        high_db, low_db: highest of these in the last second, lowest in the last three.
        traits: what tells speech by the level alone, shape (len(LEVEL_TRAITS), n_frames).
    """

    snr_db: Array
    worth: Bools
    loud: Bools
    flat: Bools
    below_db: Array
    step_db: Array
    held_db: Array
    high_db: Array
    low_db: Array
    traits: Array


class Levels:
    """The noise floor and the speech peak of many calls."""

    def __init__(self, n_slots: int) -> None:
        """Start every call knowing nothing."""
        self._extremes = Lately(n_slots, (2, _FLOOR_SPANS), np.minimum, np.inf, np.float32)
        self._high = Lately(n_slots, (1, _HIGH_SPANS), np.minimum, np.inf, np.float32)
        self._last = History(n_slots, _RECENT_FRAMES, -200.0)
        self._snr = History(n_slots, _RECENT_FRAMES, 0.0)

    def clear(self, slot: int) -> None:
        """Forget a call."""
        for history in vars(self).values():
            history.clear(slot)

    def update(self, batch: Batch, level_db: Array) -> Standing:
        """Return how each new frame stands; `level_db` has shape (n_frames,)."""
        heard = batch.taken[:, None] + np.arange(batch.width)
        last = self._last.extend(batch, batch.pad(level_db))[:, 1:]
        highest = _doubled(np.maximum, last)
        lowest_of_8: AnyArray = -_doubled(np.maximum, -last[:, -batch.width - 7 :], 8)[8]
        mean_of_8 = _doubled(np.add, last[:, -batch.width - 7 :], 8)[8] / np.float32(8)
        # The mean of noise, not its lowest moment: that lies some 5 dB lower.
        smooth = np.where(heard < _STEADY_FRAMES - 1, last[:, -batch.width :], mean_of_8)
        inside = batch.inside
        held = smooth[inside]
        floor, peak = self._extremes.update(batch, np.stack([held, -level_db]))
        np.negative(peak, out=peak)
        low = floor
        known = (heard >= _FLOOR_SPANS * SPAN_FRAMES)[inside]
        noise = (peak - floor > _NOISE_RANGE_DB[0]) & (peak - floor < _NOISE_RANGE_DB[1]) & known
        assumed = np.where(known, np.float32(_LEAST_SNR_DB), np.float32(_ASSUMED_SNR_DB))
        floor = np.where(noise, floor, np.minimum(floor, peak - assumed))
        snr_db = level_db - floor
        sound = level_db > _SILENCE_DB
        loud = sound & (snr_db > _OUT_OF_NOISE_DB) & (level_db > peak - _BELOW_PEAK_DB)
        # Speech swings by 13 dB within 80 ms in the median, music by 1 to 5.
        flat: Bools = (highest[8][:, -batch.width :] - lowest_of_8 < _FLAT_DB)[inside]
        before = last[:, -batch.width - 2 : -2]
        near, traits = self._traits(batch, snr_db, peak - floor)
        # A stop closes the mouth for a tenth of a second; that is speech still.
        worth = sound & ((snr_db > _STILL_OUT_OF_NOISE_DB) | (near > _OUT_OF_NOISE_DB))
        return Standing(
            snr_db=snr_db,
            worth=worth,
            loud=loud,
            flat=flat,
            below_db=highest[32][inside] - level_db,
            step_db=level_db - before[inside],
            held_db=held,
            high_db=-self._high.update(batch, -held[None])[0],
            low_db=low,
            traits=np.concatenate([[snr_db, np.minimum(snr_db, 12.0), level_db - peak], traits]),
        )

    def _traits(self, batch: Batch, snr_db: Array, wide_db: Array) -> tuple[Array, Array]:
        """Return the highest SNR of 160 ms, and the traits that come from SNRs and their range."""
        # Digital silence lies 60 dB under any floor, and says no more than 40 would.
        held = np.minimum(np.maximum(snr_db, np.float32(0.0)), np.float32(40.0))
        last = self._snr.extend(batch, batch.pad(held))[:, 1:]
        highest, sums = _doubled(np.maximum, last), _doubled(np.add, last)
        result = np.empty((9, len(snr_db)), dtype=np.float32)
        result[0] = np.minimum(wide_db, np.float32(40.0))
        for row, (found, n) in enumerate(((sums, 8), (sums, 32), (highest, 8), (highest, 32))):
            result[2 + row + (row == 3)] = found[n][:, -batch.width :][batch.inside]
        result[2:4] /= np.array([[8.0], [32.0]], dtype=np.float32)
        result[5] = np.minimum(result[4], np.float32(15.0))
        # Shares of the range, of the frame and of the highest.
        range_db = np.maximum(wide_db, np.float32(5.0))
        for row, of in ((1, held), (7, result[4]), (8, result[6])):
            result[row] = np.minimum(of / range_db, np.float32(1.0))
        return highest[16][:, -batch.width :][batch.inside], result


class SpeechActivity:
    """Speech activity of many calls. State: a few seconds of marks per call."""

    def __init__(self, n_slots: int) -> None:
        """Start every call knowing nothing."""
        self._recent = History(n_slots, _RECENT_FRAMES, 0.0, shape=(5,))
        self._marks = Lately(
            n_slots,
            (4 + talk.N_SUMS, _MUSIC_SPANS),
            np.add,
            0,
            np.int32,
            (talk.N_SUMS, _HALF_SECOND_SPANS),
        )
        self._lasting = Lately(n_slots, (4, _MUSIC_SPANS), np.add, 0, np.int32, (1, _PROOF_SPANS))
        self.foreground = Foreground(n_slots)
        self._proved: Ints = np.full(n_slots, _NEVER, dtype=np.int64)
        """The last frame at which talk was proved; none after a hold."""

    def clear(self, slot: int) -> None:
        """Forget a call."""
        for stage in (self._recent, self._marks, self._lasting, self.foreground):
            stage.clear(slot)
        self._proved[slot] = _NEVER

    def trust(self, slot: int) -> None:
        """Take for granted, at the start of a call, that somebody talks."""
        self._proved[slot] = 0

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
        else:
            standing = replace(standing, loud=standing.loud & ~leak, worth=standing.worth & ~leak)
        loud = standing.loud
        recent = self._heard(batch, loud, llds)
        f0, voicing, centre, alpha = (recent[:, k, -batch.width - 15 :] for k in range(4))
        steady = _spread(f0[:, 8:]) < 0.3
        steady &= -_doubled(np.maximum, -voicing[:, 8:], 8)[8] > VOICED
        # A pure tone has no harmonics to find a pitch by, but its centre stands still, even in
        # noise; that of speech moves by hundreds of hertz.
        still = (_spread(centre[:, 8:]) < _STILL_HZ)[batch.inside] & standing.flat
        shown = talk.marks(batch, standing, llds, f0[:, 12:], alpha)
        held = np.stack([loud, standing.flat, steady[batch.inside], still]) & loud
        sums = self._marks.update(batch, np.concatenate([held, shown]))
        music, tone, proof, disproof = self._judged(batch, sums, loud)
        trusted = self._trusted(batch, proof, disproof)
        speech = standing.worth & trusted & self._stands_out(batch, standing, recent[:, 4])
        hold = music | tone
        heard = _heard(standing, sums[0])
        speech = self.foreground.update(batch, speech & ~hold, hold, heard)
        return Activity(*map(batch.pad, (speech, music, tone, leak, standing.snr_db)))

    def _heard(self, batch: Batch, loud: Bools, llds: Array) -> AnyArray:
        """Return pitch, voicing, centre, alpha ratio and loud voicing of the last frames."""
        columns = [LLD[name] for name in ("f0_st", "voicing", "centroid_hz", "alpha_ratio_db")]
        new = np.empty((len(llds), 5), dtype=np.float32)
        new[:, :4] = llds[:, columns]
        # Whole numbers, whose sums are exact.
        new[:, 4] = np.rint(_STRENGTH * new[:, 1]) * loud
        recent = self._recent.extend(batch, batch.pad(new))[:, 1:]
        return np.ascontiguousarray(recent.transpose(0, 2, 1))

    def _judged(self, batch: Batch, sums: AnyArray, loud: Bools) -> tuple[Bools, ...]:
        """Return where the last two seconds were mostly notes, or one tone; proof and disproof."""
        n_loud, n_flat, n_steady, n_still = sums[:4]
        enough = n_loud >= _ENOUGH_LOUD_FRAMES
        music = enough & (n_steady >= 0.15 * n_loud) & (n_flat >= 0.55 * n_loud)
        held = np.maximum(n_steady, n_still)
        enough = held >= _TONE_FRAMES
        tone = enough & (held >= 0.8 * n_loud)
        like_talk = talk.likeness(sums[4:]) * loud
        # Music breathes between its notes: it is over when no frame of two seconds was music. A
        # tone does not end because a little is missing: notes would come as tones by turns.
        new = np.stack([music & ~tone, tone, like_talk, like_talk])
        was_music, was_tone, like_talk, proof = self._lasting.update(batch, new)
        tone |= (was_tone > 0) & enough & (held >= 0.65 * n_loud)
        # Whoever shouts holds notes, too, but does not sound like music otherwise.
        other = like_talk < 0
        music, tone = (was_music > 0) & other, tone & other
        hold = music | tone
        return music, tone, (proof > _PROOF) & ~hold, hold | (like_talk < _DISPROOF)

    def _trusted(self, batch: Batch, proof: Bools, disproof: Bools) -> Bools:
        """Return where talk was proved within the last half minute, and not disproved since."""
        place = batch.taken[:, None] + np.arange(batch.width)
        last = np.where(batch.pad(proof), place, _NEVER)
        last[:, 0] = np.maximum(last[:, 0], self._proved[batch.slots])
        last = np.maximum.accumulate(last, axis=1)
        held = np.maximum.accumulate(np.where(batch.pad(disproof), place, _NEVER), axis=1)
        last[held > last] = _NEVER
        self._proved[batch.slots] = last[np.arange(len(last)), batch.counts - 1]
        result: Bools = (place - last <= _TRUSTED_FRAMES)[batch.inside]
        return result

    def _stands_out(self, batch: Batch, standing: Standing, strength: AnyArray) -> Bools:
        """Return where somebody who talks in this call does so now."""
        whole = np.rint(_FINE * all_traits(batch, standing, strength)).astype(np.int64)
        result: Bools = _WHOLE[0] @ whole + _WHOLE[1] @ (whole * whole) + _WHOLE_BIAS > 0
        return result


def _heard(standing: Standing, n_loud: AnyArray) -> Heard:
    """Return what tells the caller's speech from others'."""
    high_snr_db, mean_snr_db = standing.traits[_HIGH_SNR], standing.traits[_MEAN_SNR]
    levels = standing.held_db, standing.high_db, standing.low_db
    return Heard(*levels, high_snr_db, mean_snr_db, n_loud)


def all_traits(batch: Batch, standing: Standing, strength: AnyArray) -> Array:
    """Return `LEVEL_TRAITS` and `VOICE_TRAITS` of each frame.

    Args:
        batch: whose frames they are.
        standing: how they stand.
        strength: voicing of loud frames in sixteenths, the last 31 and the new ones.
    """
    mean = _doubled(np.add, strength)[32][batch.inside] / np.float32(32 * _STRENGTH)
    highest = _doubled(np.maximum, strength)[32][batch.inside] / np.float32(_STRENGTH)
    return np.concatenate([standing.traits, [mean, np.minimum(mean, 0.25), highest]])


def _doubled(combine: np.ufunc, values: AnyArray, width: int = 32) -> dict[int, AnyArray]:
    """Return what each 2, 4, 8, ... up to `width` neighbours come to, by their number.

    Always added up in the same order, whatever came in the same tick.
    """
    result, covered = {1: values}, 1
    while covered < width:
        one = result[covered]
        result[2 * covered] = combine(one[..., covered:], one[..., :-covered])
        covered *= 2
    return result


def _spread(values: AnyArray) -> AnyArray:
    """Return the largest minus the smallest of each eight neighbours."""
    result: AnyArray = _doubled(np.maximum, values, 8)[8] + _doubled(np.maximum, -values, 8)[8]
    return result
