"""Choose the tracker's settings by cost, on composed calls of training speakers.

Each call is judged by a model that never saw its corpus (of one corpus alone: its speaker), because
a customer's line is not in the corpora either: thresholds that suit seen corpora would be too bold.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from types import MappingProxyType

import numpy as np

from hackles.bank import Bank
from hackles.classifier import Classifier
from hackles.config import SAMPLE_RATE
from hackles.decisions import GAP
from hackles.errors import UsageError
from hackles.listening import Measured
from hackles.tracker import Settings
from hackles.types import Alert, State
from models.training.calls import Call, compose
from models.training.corpora import ANGER, CALM, Clip
from models.training.export import export, metadata
from models.training.fit import PRIOR, Examples, fit_calibrated, strangers
from models.training.measure import measure

FALSE_ALERT_COST = 0.02
"""One false alert per hour of speech costs as much as missing 2 % of the escalations."""

START = Settings(
    prior=PRIOR,
    calm_logit=-2.4,
    llr_limit=3.0,
    drift=-0.3,
    rising=3.0,
    irritated=5.0,
    irritated_level=0.35,
    eased=2.0,
    calm_below=0.07,
    settling=6,
    settling_below=0.6,
    level_gain=0.4,
)

ESCALATING = ((45.0, 0.0, 0.2), (8.0, 0.34, 0.2), (8.0, 0.67, 0.1), (35.0, 1.0, 0.0))
NEVER = ((100.0, 0.0, 0.2),)


@dataclass(frozen=True, slots=True)
class Result:
    """How composed calls were judged.

    Attributes:
        calls: escalating calls.
        warned: of those, with an episode that begins after the onset.
        early: of those, with one that begins before it.
        false_alerts: episodes before an onset, or in a call that never escalates.
        hours: hours of customer speech in which an alert is false.
        delays_s: seconds of customer speech from onset to warning.
    """

    calls: int
    warned: int
    early: int
    false_alerts: int
    hours: float
    delays_s: tuple[float, ...]

    @property
    def recall(self) -> float:
        """Share of the escalating calls that were warned after the onset."""
        return self.warned / max(self.calls, 1)

    @property
    def false_per_hour(self) -> float:
        """False alerts per hour of customer speech."""
        return self.false_alerts / max(self.hours, 1e-9)

    @property
    def cost(self) -> float:
        """What is minimised."""
        return 1 - self.recall + FALSE_ALERT_COST * self.false_per_hour


def compose_calls(
    clips: Sequence[Clip],
    plans: Sequence[Sequence[tuple[float, float, float]]],
    seed: int,
    per_plan: int = 20,
) -> list[Call]:
    """Compose calls of each plan for each speaker who has calm and angry clips.

    One of each, or more where there are fewer speakers than calls wanted `per_plan`.
    """
    by_speaker: dict[str, list[Clip]] = {}
    for clip in clips:
        by_speaker.setdefault(clip.speaker, []).append(clip)
    rounds = range(max(1, per_plan // len(by_speaker)))
    calls = []
    for number, (_, own) in enumerate(sorted(by_speaker.items())):
        emotions = {clip.emotion for clip in own}
        if ANGER in emotions and emotions & CALM:
            for again, (kind, plan) in product(rounds, enumerate(plans)):
                rng = np.random.default_rng([seed, number, kind, again])
                calls.append(compose(own, rng, plan, snr_db=float(rng.uniform(15, 35))))
    return calls


def episodes(alerts: Sequence[Alert]) -> list[float]:
    """Return when each stay outside calm and eased began."""
    starts, inside = [], False
    for alert in alerts:
        entered = alert.state in (State.RISING, State.IRRITATED)
        if entered and not inside:
            starts.append(alert.time)
        inside = entered
    return starts


def judge(
    calls: Sequence[Call], measured: Sequence[Measured], classifier: Classifier
) -> list[list[Alert]]:
    """Return the alerts of each call, all calls in one bank."""
    bank = Bank(len(calls), classifier)
    alerts: list[list[Alert]] = [[] for _ in calls]
    for slot, event in bank.decide(_together(measured), np.empty(0, GAP)).events():
        if isinstance(event, Alert):
            alerts[slot].append(event)
    return alerts


def _together(measured: Sequence[Measured]) -> Measured:
    """Return the windows of several calls as one batch, a slot per call."""
    some = [(slot, m) for slot, m in enumerate(measured) if len(m.slot)]
    columns = {
        name: np.concatenate([getattr(m, name) for _, m in some]) for name in Measured.__slots__
    }
    columns["slot"] = np.concatenate([np.full(len(m.slot), slot) for slot, m in some])
    columns["round"] = np.concatenate([np.arange(len(m.slot)) for _, m in some])
    return Measured(**columns)


def speech_s(measured: Measured, start_s: float, end_s: float) -> float:
    """Return the seconds of speech that were heard between two times."""
    time = measured.position / SAMPLE_RATE
    return float(measured.fresh[(time > start_s) & (time <= end_s)].sum()) / 100


def result(
    calls: Sequence[Call], measured: Sequence[Measured], alerts: Sequence[Sequence[Alert]]
) -> Result:
    """Count what was warned, what was not, and what was warned of for nothing."""
    delays: list[float] = []
    n_calls = n_early = n_false = 0
    calm_s = 0.0
    for call, heard, own in zip(calls, measured, alerts, strict=True):
        onset = call.onset_s if call.onset_s is not None else np.inf
        starts = episodes(own)
        early = [start for start in starts if start < onset]
        n_false += len(early)
        calm_s += speech_s(heard, 0.0, onset)
        if call.onset_s is not None:
            n_calls += 1
            n_early += bool(early)
            after = [start for start in starts if start >= onset]
            delays += [speech_s(heard, onset, after[0])] if after else []
    return Result(n_calls, len(delays), n_early, n_false, calm_s / 3600, tuple(delays))


def add(results: Sequence[Result]) -> Result:
    """Return the sum of several results."""
    return Result(
        calls=sum(r.calls for r in results),
        warned=sum(r.warned for r in results),
        early=sum(r.early for r in results),
        false_alerts=sum(r.false_alerts for r in results),
        hours=sum(r.hours for r in results),
        delays_s=tuple(delay for r in results for delay in r.delays_s),
    )


def tune(
    clips: Sequence[Clip], data: Examples, scratch: Path
) -> tuple[Settings, Mapping[str, Result]]:
    """Return the settings of least cost, and what they did to the strangers of each fold.

    Args:
        clips: of training speakers.
        data: their readings.
        scratch: a folder for the model of a fold.

    Raises:
        UsageError: if nobody is calm at times and angry at others, so that no call can be composed.
    """
    folds = {}
    for out in strangers(data):
        own = [clip for clip in clips if clip.speaker in out.speakers]
        calls = compose_calls(own, [ESCALATING, NEVER], seed=7)
        if calls:
            measured = list(measure(call.samples for call in calls))
            others = data.rows(~data.spoken_by(out.speakers))
            folds[out.name] = calls, measured, fit_calibrated(others)
    if not folds:
        raise UsageError(
            "nobody in the corpora is calm in some clips and angry in others; add some."
        )
    best: tuple[float, Settings, Mapping[str, Result]] | None = None
    for drift, rising in product((-0.6, -0.3, 0.0, 0.3), (1.5, 2.0, 2.5, 3.0, 4.0, 5.0)):
        values = {n: getattr(START, n) for n in START.__struct_fields__}
        settings = Settings(
            **values | {"drift": drift, "rising": rising, "irritated": 1.7 * rising}
        )
        found = {}
        for name, (calls, measured, model) in folds.items():
            path = scratch / "fold.onnx"
            export(model, metadata(model, settings, [], []), path)
            found[name] = result(calls, measured, judge(calls, measured, Classifier(path)))
        # Every fold weighs the same, as in the fit: which one a customer is like is not known.
        cost = float(np.mean([one.cost for one in found.values()]))
        if best is None or cost < best[0]:
            best = cost, settings, found
    if best is None:
        raise ValueError("there are no settings to choose from")
    return best[1], MappingProxyType(best[2])
