"""Where the agent's voice leaks into the customer's channel: sidetone, echo, a loudspeaker.

A leak is the agent's sound again, later by a delay and quieter by a gain that hardly change within
a call. So the fine structure of each customer's frame is compared with the agent's of the last
300 ms; where one delay explains the last seconds, frames that have the agent's structure at that
delay, and no more than the level that follows from it, are the agent's. A customer who talks over
the leak is louder than that, or unlike.

Of the agent's channel only this likeness and the timing of speech are made: the law forbids to
infer a worker's emotions (EU AI Act, Art. 5(1)(f)), so it has no descriptors, windows or readings.
"""

from dataclasses import dataclass

import numpy as np

from hackles.activity import Standing
from hackles.config import FRAMES_PER_S, TILE_FRAMES
from hackles.features import Spectra
from hackles.features.energy import level_db
from hackles.features.spectrum import N_BINS, power_spectrum
from hackles.features.statistics import trailing
from hackles.features.structure import N_STRUCTURE, likeness, structure
from hackles.framing import Batch, SampleRing
from hackles.history import SPAN_FRAMES, History, Lately, trailing_count
from hackles.types import AnyArray, Array, Bools, Ints

_N_LAGS = 33
"""Delays of 0 to 320 ms are looked for."""
_PAST = _N_LAGS - 1
_N_LEADS = 3
"""Where the customer comes first, by up to 30 ms, it is the customer who leaks into the agent's."""

_STEP = np.float32(1 / 8192)
"""The agent's samples are kept in half the room, up to 12 dB over full scale."""

_SILENCE_DB = -100.0
_UNHEARD_DB = -200.0
_BELOW_PEAK_DB = 30.0
_PEAK_SPANS = 5 * FRAMES_PER_S // SPAN_FRAMES
_EVIDENCE_SPANS = 3 * FRAMES_PER_S // SPAN_FRAMES

_UNDECIDED, _MOST_AGAINST, _MOST_FOR = 22, 6, 50
_ENOUGH = 250
"""Likeness in percent speaks for a delay above the first of these, and against it below, though
little: it may be the customer who speaks. The sum over three seconds that is enough: without a
leak, while both talk at a time, some delay may come to it by chance, but then hardly a frame is
explained by it."""

_SMOOTH_FRAMES = 5
_HARDLY_ALIKE, _FAIRLY_ALIKE, _PLAINLY_ALIKE = 20, 30, 50
_PERCENT_PER_DB = np.float32(6.0)
_MOST_EXCESS_DB = np.float32(6.0)
"""How much louder than the leak a frame may be that is no more than that: the more alike, the more,
because noise and the grain of frames make a leak fluctuate."""

_TURN_FRAMES = 25
_LOUD_DB = 15.0
_LEAST_SHARE = 0.25
"""Of the loud frames of a quarter second: where fewer are likely the leak, the customer speaks."""
_MOST_SHARE = 0.75
"""Where more are, the agent does."""

_ENOUGH_WEIGHT = 100
_LARGEST_GAIN_DB = 100.0
_UNKNOWN = -1

_BLOCK_FRAMES = 32
_BLOCKS = 16


@dataclass(frozen=True, slots=True)
class _Heard:
    """Levels in dB of some frames: the customer's, flat, and the agent's, padded, with the past."""

    level_db: Array
    snr_db: Array
    agent_db: AnyArray


class AgentLeak:
    """Which of the customer's frames are the agent's voice, for many calls."""

    def __init__(self, n_slots: int, max_frames: int) -> None:
        """Start every call knowing nothing; see `SampleRing` for `max_frames`."""
        self._ring = SampleRing(n_slots, max_frames, np.int16)
        self._sounded: Bools = np.zeros(n_slots, dtype=np.bool_)
        self._peak = Lately(n_slots, (1, _PEAK_SPANS), np.minimum, np.inf, np.float32)
        self._level = History(n_slots, _PAST, _UNHEARD_DB)
        self._agent = History(n_slots, _PAST, 0, np.int8, (N_STRUCTURE,))
        self._customer = History(n_slots, _N_LEADS, 0, np.int8, (N_STRUCTURE,))
        n_sums = _N_LAGS + _N_LEADS
        self._evidence = Lately(n_slots, (n_sums, _EVIDENCE_SPANS), np.add, 0, np.int16)
        self._gains = Lately(n_slots, (2, _EVIDENCE_SPANS), np.add, 0, np.int32)
        self._alike = History(n_slots, _SMOOTH_FRAMES, 0, np.int16)
        self._likely = History(n_slots, _TURN_FRAMES, 0, np.int8)
        self._loud = History(n_slots, _TURN_FRAMES, 0, np.int8)
        self._lag: Ints = np.full(n_slots, _UNKNOWN, dtype=np.int64)
        self._gain: Array = np.full(n_slots, _UNHEARD_DB, dtype=np.float32)

    def clear(self, slot: int) -> None:
        """Forget a call."""
        self._sounded[slot] = False
        self._lag[slot] = _UNKNOWN
        self._gain[slot] = _UNHEARD_DB
        for stage in vars(self).values():
            if not isinstance(stage, np.ndarray):
                stage.clear(slot)

    def write(self, slot: int, samples: Array) -> None:
        """Take in the agent's samples, as many as were taken of the customer's."""
        self._sounded[slot] |= samples.any()
        self._ring.write(slot, _whole(samples))

    def write_all(self, slots: Ints, counts: Ints, samples: Array) -> None:
        """Take in the agents' samples of many calls, as `SampleRing.write_all`."""
        self._sounded[np.repeat(slots, counts)[samples != 0.0]] = True
        self._ring.write_all(slots, counts, _whole(samples))

    def skip_to(self, slot: int, position: int) -> None:
        """Go on at a later position."""
        self._ring.skip_to(slot, position)

    def update(self, batch: Batch, heard: Spectra, standing: Standing) -> tuple[Bools, Bools]:
        """Return which of the customer's new frames are the agent's voice.

        Args:
            batch: whose frames they are.
            heard: of the customer's.
            standing: of the customer's.

        Returns:
            Two arrays of shape (n_frames,), flat: which are the agent's, and with which it came out
            that there is a leak in the call at all. What was heard before that is in doubt.
        """
        self._ring.take()
        leak, found = (np.zeros(len(standing.worth), dtype=np.bool_) for _ in range(2))
        # An agent who has not made a sound yet leaves everything as it was at the start.
        with_agent = self._sounded[batch.slots]
        if with_agent.any():
            own, mine = batch.rows(with_agent), np.repeat(with_agent, batch.counts)
            levels, structures = self._listen(own)
            spoke = trailing(np.maximum, levels, _N_LAGS)[own.inside] > _UNHEARD_DB
            looked = standing.worth[mine] & spoke
            customer = np.zeros((len(looked), N_STRUCTURE), dtype=np.int8)
            at = np.flatnonzero(mine)[looked]
            for tile in range(0, len(at), TILE_FRAMES):
                some = slice(tile, tile + TILE_FRAMES)
                customer[np.flatnonzero(looked)[some]] = structure(heard.power[at[some]])
            alike = self._compare(own, looked, customer, structures)
            untold = np.repeat(self._lag[own.slots] == _UNKNOWN, own.counts)
            sure, lag = self._delay(own, looked, alike)
            found[mine] = untold & _first(own, sure)
            both = _Heard(heard.level_db[mine], standing.snr_db[mine], levels)
            leak[mine] = self._explained(own, looked, lag, sure, alike, both)
        return leak, found

    def _listen(self, own: Batch) -> tuple[AnyArray, AnyArray]:
        """Return the agent's level and structure, of the frames before and of the new ones.

        Returns:
            Shapes (n_rows, _PAST + width) and (n_rows, _PAST + width, N_STRUCTURE); where the
            agent does not speak, _UNHEARD_DB and zero.
        """
        frames = self._ring.frames(own)
        power = np.empty((len(frames), N_BINS), dtype=np.float32)
        level = np.empty(len(frames), dtype=np.float32)
        for at in range(0, len(frames), TILE_FRAMES):
            tile = slice(at, at + TILE_FRAMES)
            power[tile] = power_spectrum(frames[tile] * _STEP)
            level[tile] = level_db(power[tile])
        peak = -self._peak.update(own, -level[None])[0]
        spoke = (level > _SILENCE_DB) & (level > peak - _BELOW_PEAK_DB)
        level[~spoke] = _UNHEARD_DB
        structures = np.zeros((len(frames), N_STRUCTURE), dtype=np.int8)
        rows = np.flatnonzero(spoke)
        for at in range(0, len(rows), TILE_FRAMES):
            some = rows[at : at + TILE_FRAMES]
            structures[some] = structure(power[some])
        return self._level.extend(own, own.pad(level)), self._agent.extend(own, own.pad(structures))

    def _compare(self, own: Batch, looked: Bools, customer: AnyArray, agent: AnyArray) -> AnyArray:
        """Return how alike each frame is to the agent's at each lag, and the other way round.

        Returns:
            Percent, shape (_N_LAGS + _N_LEADS, n_frames); zero where nothing was looked at.
        """
        customer = self._customer.extend(own, own.pad(customer))
        block = min(own.width, _BLOCK_FRAMES)
        n_blocks = -(-own.width // block)
        beyond = n_blocks * block - own.width
        customer, agent = (np.pad(a, ((0, 0), (0, beyond), (0, 0))) for a in (customer, agent))
        looked = np.pad(own.pad(looked), ((0, 0), (0, beyond)))
        looked = looked.reshape(-1, n_blocks, block)
        result = np.zeros((*looked.shape, _N_LAGS + _N_LEADS), dtype=np.int16)
        rows, blocks = np.nonzero(looked.any(axis=2))
        now = np.arange(block)[:, None]
        lags, leads = now + _PAST - np.arange(_N_LAGS), now + _N_LEADS - np.arange(1, _N_LEADS + 1)
        for at in range(0, len(rows), _BLOCKS):
            r, b = (which[at : at + _BLOCKS, None] for which in (rows, blocks))
            theirs = agent[r, b * block + np.arange(_PAST + block)].astype(np.float32)
            ours = customer[r, b * block + np.arange(_N_LEADS + block)].astype(np.float32)
            # Of whole numbers, so that these products are exact.
            later = ours[:, _N_LEADS:] @ theirs.transpose(0, 2, 1)
            earlier = theirs[:, _PAST:] @ ours.transpose(0, 2, 1)
            both = np.concatenate([later[:, now, lags], earlier[:, now, leads]], axis=2)
            result[r[:, 0], b[:, 0]] = likeness(both)
        result *= looked[..., None]
        flat = result.reshape(len(own.slots), n_blocks * block, -1)[:, : own.width][own.inside]
        return np.ascontiguousarray(flat.T)

    def _delay(self, own: Batch, looked: Bools, alike: AnyArray) -> tuple[Bools, Ints]:
        """Return whether one delay explains the last seconds, and the last that did, in frames."""
        said = np.clip(alike - _UNDECIDED, -_MOST_AGAINST, _MOST_FOR)
        sums = self._evidence.update(own, np.where(alike != 0, said, 0))
        forward = sums[:_N_LAGS]
        best = forward.argmax(axis=0)
        strength = forward[best, np.arange(len(best))]
        sure = looked & (strength >= _ENOUGH) & (strength > sums[_N_LAGS:].max(axis=0))
        return sure, _held(own, sure, best, self._lag)

    def _explained(
        self,
        own: Batch,
        looked: Bools,
        lag: Ints,
        sure: Bools,
        alike: AnyArray,
        heard: _Heard,
    ) -> Bools:
        """Return where the agent's sound at the delay explains the customer's."""
        known = lag != _UNKNOWN
        lag = np.maximum(lag, 0)
        now = np.where(known, alike[lag, np.arange(len(lag))], 0)
        lately = self._alike.extend(own, own.pad(now))[:, 1:]
        smooth = trailing_count(lately, _SMOOTH_FRAMES)[own.inside] / np.float32(_SMOOTH_FRAMES)
        row, column = np.nonzero(own.inside)
        source_db = heard.agent_db[row, column + _PAST - lag]
        gain_db = self._gain_db(own, sure, now, source_db, heard.level_db)
        expected_db = np.maximum(source_db + gain_db, heard.level_db - heard.snr_db)
        excess_db = heard.level_db - expected_db
        quiet = excess_db < np.minimum(smooth / _PERCENT_PER_DB, _MOST_EXCESS_DB)
        # Two lines without a delay between them look alike whoever leaks into the other's.
        known &= (lag > 0) | (gain_db < 0.0)
        unsure = gain_db == _UNHEARD_DB
        quiet &= smooth >= _HARDLY_ALIKE
        likely = looked & known & np.where(unsure, smooth >= _PLAINLY_ALIKE, quiet)
        # A customer who talks over the leak pauses, and the leak is heard by itself: that is not
        # taken out of the customer's turn unless it is plain.
        loud = looked & (heard.snr_db > _LOUD_DB)
        n_likely, n_loud = (
            trailing_count(history.extend(own, own.pad(flags))[:, 1:], _TURN_FRAMES)[own.inside]
            for history, flags in ((self._likely, likely & loud), (self._loud, loud))
        )
        result: Bools = likely & ((n_likely >= _LEAST_SHARE * n_loud) | (smooth >= _PLAINLY_ALIKE))
        # And amid the agent's, what noise made unlike is hardly the customer's.
        result |= looked & known & (n_likely > _MOST_SHARE * n_loud)
        return result

    def _gain_db(
        self, own: Batch, sure: Bools, now: AnyArray, source_db: Array, level_db: Array
    ) -> Array:
        """Return by how much the leak has been louder than its source, the more alike the surer."""
        weight = np.where(source_db > _UNHEARD_DB, np.maximum(now - _FAIRLY_ALIKE, 0), 0)
        over = np.rint(np.clip(level_db - source_db, -_LARGEST_GAIN_DB, _LARGEST_GAIN_DB))
        weights, weighted = self._gains.update(own, np.stack([weight, over * weight]))
        mean = weighted / np.maximum(weights, 1).astype(np.float32)
        return _held(own, sure & (weights >= _ENOUGH_WEIGHT), mean, self._gain)


def _whole(samples: Array) -> AnyArray:
    """Return samples as 16-bit multiples of _STEP."""
    result: AnyArray = np.rint(np.clip(samples / _STEP, -32768, 32767)).astype(np.int16)
    return result


def _held(own: Batch, fresh: Bools, values: AnyArray, kept: AnyArray) -> AnyArray:
    """Return at each frame the last fresh value; keep each call's last one in `kept`."""
    place = np.where(own.pad(fresh), np.arange(own.width), -1)
    last = np.maximum.accumulate(place, axis=1)
    values = np.take_along_axis(own.pad(values), np.maximum(last, 0), axis=1)
    held = np.where(last >= 0, values, kept[own.slots][:, None]).astype(kept.dtype)
    kept[own.slots] = held[np.arange(len(own.slots)), own.counts - 1]
    result: AnyArray = held[own.inside]
    return result


def _first(own: Batch, flags: Bools) -> Bools:
    """Return the first flag of each call in this tick."""
    padded = own.pad(flags)
    first: Bools = (padded & (np.cumsum(padded, axis=1) == 1))[own.inside]
    return first
