"""From samples to measured windows of speech, for many calls at once.

The first half of the engine: framing, descriptors, speech activity, windows, functionals.
Training runs this very code over its corpora, so that a model is fed what it was trained on.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from hackles.config import (
    CONTOUR_FRAMES,
    FRAME_LENGTH,
    FRAMES_PER_S,
    HOP_LENGTH,
    MIN_READING_FRAMES,
)
from hackles.decisions import GAP, table
from hackles.errors import UsageError
from hackles.features import (
    LLD,
    N_CONTOURS,
    N_FUNCTIONALS,
    Described,
    contour_codes,
    contours,
    functionals,
)
from hackles.features.statistics import mean
from hackles.framing import SampleRing
from hackles.gaps import Stretches, code_of
from hackles.hearing import Hearing, held
from hackles.leak import AgentLeak
from hackles.types import AnyArray, Array, Block, Ints, Reason
from hackles.windowing import Due, Windowed, Windows

_LEAST_SNR_DB = 4.0
_FLAT_TOP_RATIO = 0.03
_MOST_CLIPPED = 0.3

_GATHERED = 128
"""Windows whose functionals are worked out together: few enough to stay in cache."""

NOT_WITHHELD = -1


@dataclass(frozen=True, slots=True)
class Measured:
    """Windows of speech that became due, measured; arrays of n_due rows.

    Attributes:
        slot: whose.
        position: the last sample heard when it became due.
        since: the first sample of its fresh speech.
        fresh: speech frames that no earlier window covered.
        covered: speech frames in the window.
        round: 0 for a call's first in this tick, 1 for its second, and so on.
        snr_db: mean level over the noise floor.
        withheld: code of the reason for which it must not be judged, or NOT_WITHHELD.
        values: functionals, shape (n_due, N_FUNCTIONALS).
        contours: of bands, pitch and voicing, shape (n_due, CONTOUR_FRAMES, N_CONTOURS), uint8.
    """

    slot: Ints
    position: Ints
    since: Ints
    fresh: Ints
    covered: Ints
    round: Ints
    snr_db: Array
    withheld: Ints
    values: Array
    contours: AnyArray

    def rows(self, chosen: AnyArray | slice) -> "Measured":
        """Return some of the rows."""
        return Measured(*(getattr(self, name)[chosen] for name in _COLUMNS))

    @staticmethod
    def join(parts: "Sequence[Measured]") -> "Measured":
        """Return the rows of several as one; none at all if there are none."""
        if len(parts) == 1:
            return parts[0]
        columns = ([getattr(part, name) for part in parts or [_NOTHING]] for name in _COLUMNS)
        return Measured(*(np.concatenate(column) for column in columns))


_COLUMNS = tuple(field.name for field in fields(Measured))


_NONE: Ints = np.zeros(0, dtype=np.int64)
_NOTHING = Measured(
    slot=_NONE,
    position=_NONE,
    since=_NONE,
    fresh=_NONE,
    covered=_NONE,
    round=_NONE,
    snr_db=np.zeros(0, dtype=np.float32),
    withheld=_NONE,
    values=np.zeros((0, N_FUNCTIONALS), dtype=np.float32),
    contours=np.zeros((0, CONTOUR_FRAMES, N_CONTOURS), dtype=np.uint8),
)


class Listener:
    """Hears up to `n_slots` calls at a time."""

    def __init__(self, n_slots: int, max_frames: int, agents: bool = False) -> None:
        """Make room for calls, and for `max_frames` new frames a tick of each.

        Args:
            n_slots: how many calls at a time.
            max_frames: the most frames of one call that a tick looks at.
            agents: whether there is room for the agents' samples beside the customers'.
        """
        self._hearing = Hearing(n_slots, max_frames, agents)
        self.windows = Windows(n_slots, max_frames)
        self._stretches = Stretches(n_slots)
        self._lost: list[tuple[int, int, int, int]] = []

    @property
    def ring(self) -> SampleRing:
        """Return the samples of all calls."""
        return self._hearing.ring

    @property
    def _leak(self) -> AgentLeak | None:
        return self._hearing.leak

    def clear(self, slot: int) -> None:
        """Forget a call."""
        for stage in (self._hearing, self._stretches, self.windows):
            stage.clear(slot)
        self._lost = [lost for lost in self._lost if lost[0] != slot]

    def trust(self, slot: int) -> None:
        """Take for granted, at the start of a call, that somebody talks: training knows it."""
        self._hearing.trust(slot)

    def push(self, slot: int, block: Block, agent: Block | None = None) -> int:
        """Take in samples, as many as there is room for before the next tick.

        The agent's are those of the same time; where there are none, the agent is silent.

        Samples are held within 18 dB over full scale, and what is no number counts as silence: one
        broken sample must not deafen the call.

        Returns:
            How many samples of the block are done with; push the rest after a tick. Samples
            from before what was already heard are done with unheard.

        Raises:
            UsageError: if there is an agent's block, but no room was made for agents.
        """
        self._check_room(agent)
        heard = int(self.ring.heard[slot])
        late = min(max(heard - block.start, 0), len(block.samples))
        if block.start > heard:
            if self.ring.pending(slot):
                return 0
            self.skip_to(slot, block.start)
        position = block.start + late
        written = self.ring.write(slot, held(block.samples[late:]))
        if self._leak is not None:
            self._leak.write(slot, _beside(position, written, agent))
        return late + written

    def skip_to(self, slot: int, position: int) -> None:
        """Go on at a later position: the audio in between is lost, and told as a gap.

        Raises:
            UsageError: if samples wait to be looked at, which would be lost with it.
        """
        if self.ring.pending(slot):
            raise UsageError("Samples wait that are not lost; tick first.")
        heard = int(self.ring.heard[slot])
        self._lost += self._lasting(slot)[1]
        self._lost.append((slot, position, heard, code_of(Reason.LOST_AUDIO)))
        self._stretches.clear(slot)
        self._hearing.skip_to(slot, position)

    def receive(self, slots: Ints, counts: Ints, samples: Array, agents: Array | None) -> None:
        """Take in samples of many calls; see `Bank.receive`."""
        self._check_room(agents)
        self.ring.write_all(slots, counts, samples)
        if self._leak is not None:
            self._leak.write_all(
                slots, counts, np.zeros_like(samples) if agents is None else agents
            )

    def _check_room(self, agents: object | None) -> None:
        if agents is not None and self._leak is None:
            raise UsageError("There is no room for agents here; make the bank with agents=True.")

    def tick(self) -> tuple[Measured, AnyArray]:
        """Return the windows that became due, and the gaps that ended, a table of `GAP`."""
        lost, self._lost = np.array(self._lost, dtype=GAP), []
        sounds = self._hearing.tick()
        if sounds is None:
            return _NOTHING, lost
        batch, described, activity = sounds.batch, sounds.described, sounds.activity
        slot, code, first, after = self._stretches.update(batch, activity)
        ended = table(
            GAP,
            slot=slot,
            position=after * HOP_LENGTH + FRAME_LENGTH,
            since=first * HOP_LENGTH,
            reason=code,
        )
        due = self.windows.update(batch, described.llds, _codes(described), activity, sounds.found)
        measured = self._measure(due, due.frame * HOP_LENGTH + FRAME_LENGTH)
        return measured, np.concatenate([lost, ended])

    def flush(self, slot: int) -> tuple[Measured, AnyArray]:
        """Return what is left at the end of a call, after a last tick."""
        frame, gaps = self._lasting(slot)
        due = self.windows.rest(slot, frame - 1)
        heard = np.full(len(due.slot), self.ring.heard[slot])
        return self._measure(due, heard), np.array(gaps, dtype=GAP)

    def _lasting(self, slot: int) -> tuple[int, list[tuple[int, int, int, int]]]:
        """Return the frame after the last, and the gap that lasts until there, if any."""
        heard = int(self.ring.heard[slot])
        frame = max(heard - FRAME_LENGTH, 0) // HOP_LENGTH + 1
        lasting = self._stretches.rest(slot, frame)
        return frame, [(slot, heard, since * HOP_LENGTH, code) for code, since in lasting]

    def speech_s(self, slot: int) -> float:
        """Return the seconds of speech heard of a call."""
        return float(self.windows.spoken[slot]) / FRAMES_PER_S

    def _measure(self, due: Due, position: Ints) -> Measured:
        """Work out the functionals of due windows, some at a time."""
        somes = (slice(at, at + _GATHERED) for at in range(0, len(due.slot), _GATHERED))
        return Measured.join([self._measure_some(due.rows(s), position[s]) for s in somes])

    def _measure_some(self, due: Due, position: Ints) -> Measured:
        window = self.windows.gather(due)
        # Speech that lies beyond a window's reach on the clock is not part of it, fresh or not.
        covered = window.valid.sum(axis=1)
        fresh = np.minimum(due.fresh, covered)
        snr_db = mean(window.snr_db, window.valid.astype(np.float32))
        return Measured(
            slot=due.slot,
            position=position,
            since=window.frame[np.arange(len(due.slot)), -np.maximum(fresh, 1)] * HOP_LENGTH,
            fresh=fresh,
            covered=covered,
            round=due.round,
            snr_db=snr_db,
            withheld=_withheld(window, snr_db),
            values=functionals(window.llds, window.frame, window.valid),
            contours=contours(window.codes, window.valid),
        ).rows(covered >= MIN_READING_FRAMES)


def _beside(position: int, count: int, agent: Block | None) -> Array:
    """Return the agent's samples from a position on, silence where there are none."""
    samples = np.zeros(count, dtype=np.float32)
    if agent is not None:
        begin = max(position, agent.start)
        some = agent.samples[begin - agent.start : max(position + count - agent.start, 0)]
        samples[begin - position : begin - position + len(some)] = held(some)
    return samples


def _codes(described: Described) -> AnyArray:
    """Return the codes of the contours of each frame, zeros where it was not described."""
    llds, rows = described.llds, described.frame
    result: AnyArray = np.zeros((len(llds), N_CONTOURS), dtype=np.uint8)
    f0_st, voicing = llds[rows, LLD["f0_st"]], llds[rows, LLD["voicing"]]
    result[rows] = contour_codes(described.mel_db, f0_st, voicing)
    return result


def _withheld(window: Windowed, snr_db: Array) -> Ints:
    """Return the code of the reason for which each window must not be judged."""
    clipped = window.llds[:, :, LLD["clipped_ratio"]] > _FLAT_TOP_RATIO
    share = mean(clipped.astype(np.float32), window.valid.astype(np.float32))
    noisy = np.where(snr_db < _LEAST_SNR_DB, code_of(Reason.NOISE), NOT_WITHHELD)
    result: Ints = np.where(share > _MOST_CLIPPED, code_of(Reason.CLIPPING), noisy)
    return result
