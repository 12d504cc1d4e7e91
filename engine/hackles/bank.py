"""Many calls, one batch: from samples to decisions.

All state of all calls lives in arrays with a row ("slot") per call. A tick takes the new frames
of all calls through each stage together; no step of it loops over calls. There is no clock,
thread, file or socket in here: time is the sample count.
"""

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from hackles.baseline import Baseline
from hackles.classifier import Classifier
from hackles.config import FRAMES_PER_S, HOP_LENGTH, READING_FRAMES
from hackles.decisions import ALERT, GAP, READING, Decisions, table
from hackles.errors import RoleError, UsageError
from hackles.evidence import COLUMNS
from hackles.gaps import code_of
from hackles.listening import NOT_WITHHELD, Listener, Measured
from hackles.tracker import Settings, Tracker, logit, probability
from hackles.types import AnyArray, Array, Block, Bools, Ints, Reason, Role

_NO_READINGS, _NO_ALERTS = np.empty(0, READING), np.empty(0, ALERT)


class Bank:
    """The engine for up to `n_slots` calls at a time."""

    def __init__(
        self, n_slots: int, classifier: Classifier, max_frames: int = 32, agents: bool = False
    ) -> None:
        """Make room for calls.

        Args:
            n_slots: how many calls at a time.
            classifier: the model that judges all of them.
            max_frames: the most frames of one call that a tick looks at (32 are 320 ms).
            agents: whether there is room for the agents' samples beside the customers', so
                that the agent's voice can be told where it leaks into the customer's channel.
        """
        self.max_samples = (max_frames - 1) * HOP_LENGTH
        """The most samples of one call that a tick surely has room for."""
        self._classifier = classifier
        self._listener = Listener(n_slots, max_frames, agents)
        self._baseline = Baseline(
            n_slots,
            classifier.baseline_prior,
            classifier.tracker.calm_logit,
            classifier.tracker.own_share,
            classifier.tracker.calm_spread,
        )
        self._tracker = Tracker(n_slots, classifier.tracker)
        self._heard_speech: Bools = np.zeros(n_slots, dtype=np.bool_)
        self._listening: Bools = np.zeros(n_slots, dtype=np.bool_)
        self._free = list(range(n_slots - 1, -1, -1))

    def open(self, role: Role) -> int:
        """Give a new call a slot.

        Raises:
            RoleError: unless the role is `customer`: nobody else is scored.
            UsageError: if all slots are taken.
        """
        if role is not Role.CUSTOMER:
            raise RoleError(
                f"A channel with the role '{role}' cannot be scored; name the channel that "
                "holds the customer alone."
            )
        if not self._free:
            raise UsageError("All slots are taken; close a call or make a larger bank.")
        slot = self._free.pop()
        self._listening[slot] = True
        return slot

    def close(self, slot: int) -> None:
        """Forget a call: nothing of it stays, and its slot is free.

        Raises:
            UsageError: if it was forgotten already.
        """
        if slot in self._free:
            raise UsageError(f"The call in slot {slot} has been closed already.")
        self._listening[slot] = False
        for stage in (self._listener, self._baseline, self._tracker):
            stage.clear(slot)
        self._heard_speech[slot] = False
        self._free.append(slot)

    def push(self, slot: int, block: Block, agent: Block | None = None) -> int:
        """Take in samples; see `Listener.push`.

        Raises:
            UsageError: if the call has ended, none was opened, or the bank has no room for agents.
        """
        self._check(slot)
        return self._listener.push(slot, block, agent)

    def receive(
        self, slots: Ints, counts: Ints, samples: Array, agents: Array | None = None
    ) -> None:
        """Take in the next samples of many calls at once, as telephone systems send them.

        Args:
            slots: whose, shape (n_calls,), each once.
            counts: samples of each, shape (n_calls,), at most `max_samples`.
            samples: shape (sum of counts,), call after call, decoded from integers: they are
                taken to be finite and within full scale.
            agents: the agents' of the same time and shape; they are silent if None.

        Raises:
            UsageError: if one of the calls has ended, or has no room for as many, or the bank has
                no room for agents.
        """
        if not self._listening[slots].all():
            raise UsageError("Samples came of a call that is not open; open it first.")
        self._listener.receive(slots, counts, samples, agents)

    def skip(self, slot: int, n_samples: int) -> None:
        """Go on after so many samples that were lost; call it right after a `tick`.

        Raises:
            UsageError: if the call has ended, or samples of it wait to be looked at.
        """
        self._check(slot)
        self._listener.skip_to(slot, self.heard(slot) + n_samples)

    def set_tracker(self, settings: Settings) -> None:
        """Decide from now on by other settings; what is known of each call stays."""
        self._tracker.settings = settings

    def tick(self) -> Decisions:
        """Look at all new frames of all calls."""
        return self.decide(*self._listener.tick())

    def flush(self, slot: int) -> Decisions:
        """End a call: a last reading from what is left, and the gap that it ends in.

        Call it after a `tick` that found nothing new. Only `close` can follow.

        Raises:
            UsageError: if the call has ended, or none was opened.
        """
        self._check(slot)
        self._listening[slot] = False
        measured, gaps = self._listener.flush(slot)
        if not self._heard_speech[slot] and not len(measured.slot):
            heard = self.heard(slot)
            nothing = [(slot, heard, 0, code_of(Reason.TOO_LITTLE_SPEECH))]
            gaps = np.concatenate([gaps, np.array(nothing, dtype=GAP)])
        return self.decide(measured, gaps)

    def _check(self, slot: int) -> None:
        if not self._listening[slot]:
            raise UsageError(f"There is no call in slot {slot}; open one first.")

    def speech_s(self, slot: int) -> float:
        """Return the seconds of speech heard of a call."""
        return self._listener.speech_s(slot)

    def heard(self, slot: int) -> int:
        """Return the samples heard of a call."""
        return int(self._listener.ring.heard[slot])

    def heard_all(self, slots: Ints) -> Ints:
        """Return the samples heard of each of some calls."""
        return self._listener.ring.heard[slots]

    def decide(self, measured: Measured, gaps: AnyArray) -> Decisions:
        """Judge measured windows: each call's first, then each call's second, and so on.

        A call's second reading needs the baseline and the state that its first one left.
        """
        self._heard_speech[measured.slot] = True
        judged = measured.withheld == NOT_WITHHELD
        if not judged.all():
            withheld, measured = measured.rows(~judged), measured.rows(judged)
            gap = table(
                GAP,
                slot=withheld.slot,
                position=withheld.position,
                since=withheld.since,
                reason=withheld.withheld,
            )
            gaps = np.concatenate([gaps, gap])
        if not len(measured.slot):
            return Decisions(_NO_READINGS, _NO_ALERTS, gaps)
        rounds = np.flatnonzero(np.diff(measured.round, prepend=-1, append=-1)).tolist()
        turns = [self._judge(measured.rows(slice(*turn))) for turn in itertools.pairwise(rounds)]
        judgement = Judgement(*(_one(column) for column in zip(*turns, strict=True)))
        return Decisions(_readings(measured, judgement), _alerts(measured, judgement), gaps)

    def _judge(self, now: Measured) -> "Judgement":
        """Judge one reading of each of some calls."""
        slots, values = now.slot, now.values
        known = self._baseline.readings[slots]
        own = self._baseline.own(slots)[:, COLUMNS]
        quality = np.stack([known, now.covered / FRAMES_PER_S, now.snr_db], axis=1)
        said = self._classifier.run(
            values, now.contours, self._baseline.shrunk(slots), quality.astype(np.float32)
        )
        heard = logit(said.irritation)
        irritation = probability(self._baseline.relative(slots, heard))
        step = self._tracker.update(slots, irritation, now.fresh, now.covered, now.since)
        self._baseline.learn(slots, values, heard, step.calm)
        confidence = said.confidence * np.minimum(0.5 + 0.5 * now.fresh / READING_FRAMES, 1.0)
        return Judgement(
            irritation,
            said.arousal,
            confidence,
            step.entered,
            step.since,
            step.level,
            step.trend_per_min,
            known > 0,
            own,
        )


class Judgement(NamedTuple):
    """What was made of some readings; arrays of n rows, named as in the tables of `decisions`.

    `entered` is the state entered, or -1; `baseline` are the caller's own values of `MEASURES`.
    """

    irritation: AnyArray
    arousal: AnyArray
    confidence: AnyArray
    entered: AnyArray
    since: AnyArray
    level: AnyArray
    trend_per_min: AnyArray
    known: AnyArray
    baseline: AnyArray


def _readings(measured: Measured, judgement: Judgement) -> AnyArray:
    """Return the table of readings."""
    return table(
        READING,
        slot=measured.slot,
        position=measured.position,
        irritation=judgement.irritation,
        arousal=judgement.arousal,
        confidence=judgement.confidence,
    )


def _alerts(measured: Measured, judgement: Judgement) -> AnyArray:
    """Return the table of alerts: the readings with which a state was entered."""
    at = np.flatnonzero(judgement.entered >= 0)
    if not len(at):
        return _NO_ALERTS
    some = Judgement(*(column[at] for column in judgement))
    return table(
        ALERT,
        slot=measured.slot[at],
        position=measured.position[at],
        since=some.since,
        state=some.entered,
        level=some.level,
        trend_per_min=some.trend_per_min,
        confidence=some.confidence,
        known=some.known,
        baseline=some.baseline,
        now=measured.values[at][:, COLUMNS],
    )


def _one(columns: Sequence[AnyArray]) -> AnyArray:
    """Return the rows of several arrays as one."""
    return columns[0] if len(columns) == 1 else np.concatenate(columns)
