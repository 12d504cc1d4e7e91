"""Choose the tracker's settings by cost, on composed calls of training speakers.

Each call is judged by a detector that never saw its corpus (of one corpus alone: its speaker),
because a customer's line is not in the corpora either: thresholds that suit seen corpora would be
too bold.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from types import MappingProxyType

import msgspec
import numpy as np
from joblib import Parallel, delayed

from hackles.classifier import SENSITIVITIES, Classifier
from hackles.errors import UsageError
from hackles.listening import Measured
from hackles.rejudging import judge
from hackles.tracker import Settings
from hackles.types import Array
from models.training.calls import Speakers, compose, speakers_of
from models.training.corpora import Clip
from models.training.export import export, metadata, unmeasured
from models.training.fit import PRIOR, PRIOR_LOGIT, Model
from models.training.measure import measure
from models.training.splits import Fold
from models.training.truth import Truth, Verdict, verdict

TARGETS: Mapping[str, float] = MappingProxyType(
    dict(zip(SENSITIVITIES, (1.0, 4.0, 10.0), strict=True))
)
"""False alerts per hour of speech that each sensitivity may come to."""

MISSED_S = 60.0
"""A call that is not warned of costs as much as one that is warned of so late."""

START = Settings(
    prior=PRIOR,
    calm_logit=-2.4,
    own_share=1.0,
    calm_spread=0.7,
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
DRIFTS = (-0.6, -0.3, 0.0, 0.3)
LIMITS = (2.0, 4.0)
SETTLING_BELOW = (0.35, 0.6)
CALM_BELOW = (0.07, 0.15)
THRESHOLDS = (2.0, 2.5, 3.0, 4.0, 5.0, 6.5, 8.0, 10.0, 13.0)
_IRRITATED = 1.7
"""How many times as high as that of `rising` the threshold of `irritated` is."""

KINDS: Mapping[str, float] = MappingProxyType({"escalating": 1.0, "calm": 1.0, "angry_start": 0.25})
"""How many of each kind there are to one that escalates."""
SEED = 7
CALLS = 40
"""Of each kind, from each fold, or one of each speaker where there are more."""

Heard = tuple[list[Truth], list[Measured]]


@dataclass(frozen=True, slots=True)
class Result:
    """How composed calls were judged.

    Attributes:
        calls: escalating calls.
        warned: of those, with an episode that begins between onset and end.
        early: of those, before the plateau.
        false_alerts: episodes before an onset, or in a call that never escalates.
        hours: of customer speech in which an alert is false.
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
        """What is minimised: seconds of anger that nobody was warned of, per call."""
        unheard = sum(min(delay, MISSED_S) for delay in self.delays_s)
        return (unheard + MISSED_S * (self.calls - self.warned)) / max(self.calls, 1)


@dataclass(frozen=True, slots=True)
class Tuned:
    """The settings of one sensitivity, and what they were worth to the strangers of each fold."""

    settings: Settings
    verdicts: Mapping[str, Sequence[Verdict]]

    @property
    def result(self) -> Result:
        """The counts of all folds together."""
        return count([one for some in self.verdicts.values() for one in some])


def composed(
    speakers: Speakers,
    customers: Sequence[str],
    calls: int,
    kinds: Mapping[str, float] = KINDS,
    seed: int = SEED,
) -> Heard:
    """Compose calls of some customers; return what is true, and what was measured, of each."""
    truths: list[Truth] = []

    def heard() -> Iterator[Array]:
        for speaker, (kind, share) in product(customers, kinds.items()):
            for number in range(max(1, round(share * calls / len(customers)))):
                call = compose(speakers, speaker, kind, number, seed)
                truths.append(call.truth)
                yield call.customer

    measured = list(measure(heard()))
    return truths, measured


def count(verdicts: Sequence[Verdict]) -> Result:
    """Count what was warned of, what was not, and what was warned of for nothing."""
    escalating = [v for v in verdicts if v.escalates]
    return Result(
        calls=len(escalating),
        warned=sum(v.delay_s is not None for v in escalating),
        early=sum(bool(v.early) for v in escalating),
        false_alerts=sum(v.false_alerts for v in verdicts),
        hours=sum(v.calm_s for v in verdicts) / 3600,
        delays_s=tuple(v.delay_s for v in escalating if v.delay_s is not None),
    )


def tune(
    clips: Sequence[Clip],
    models: Mapping[str, Model],
    folds: Sequence[Fold],
    scratch: Path,
    calls: int = CALLS,
) -> dict[str, Tuned]:
    """Return the settings of each sensitivity.

    Those of least cost among the ones that come to no more false alerts than it may; if there are
    none, those with the fewest false alerts.

    Args:
        clips: of training speakers.
        models: by the fold that each left out.
        folds: who was left out of each.
        scratch: a folder for files of the models.
        calls: of each kind, from each fold.

    Raises:
        UsageError: if nobody is calm at times and angry at others, so that no call can be composed.
    """
    speakers = speakers_of(clips)
    whose = {fold.name: sorted(fold.speakers & set(speakers)) for fold in folds}
    some = [name for name, customers in whose.items() if customers]
    if not some:
        raise UsageError(
            "nobody in the corpora is calm in some clips and angry in others; add some."
        )
    # A customer's calls in one job, whoever else is of the fold: the same calls on any machine.
    heard = Parallel(-1)(delayed(composed)(speakers, whose[name], calls) for name in some)
    paths = {name: scratch / f"{number}.onnx" for number, name in enumerate(some)}
    for name, path in paths.items():
        about = metadata(models[name], unmeasured(settings_of(models[name])), [], [])
        export(models[name], about, path, listened=True)
    grid = [
        {
            "drift": drift,
            "llr_limit": limit,
            "settling_below": settling,
            "calm_below": calm,
            "rising": rising,
            "irritated": _IRRITATED * rising,
        }
        for drift, limit, settling, calm, rising in product(
            DRIFTS, LIMITS, SETTLING_BELOW, CALM_BELOW, THRESHOLDS
        )
    ]
    by_fold = Parallel(-1)(
        delayed(_judged)(models[name], paths[name], own, grid)
        for name, own in zip(some, heard, strict=True)
    )
    tuned = [
        Tuned(
            msgspec.structs.replace(START, **changed),
            {name: found[index] for name, found in zip(some, by_fold, strict=True)},
        )
        for index, changed in enumerate(grid)
    ]
    return {name: _best(tuned, target) for name, target in TARGETS.items()}


def settings_of(model: Model, settings: Settings = START) -> Settings:
    """Return settings that go with a detector."""
    calm_logit = model.calm_logit + PRIOR_LOGIT
    return msgspec.structs.replace(settings, calm_logit=calm_logit, own_share=model.own_share)


def _judged(
    model: Model, path: Path, heard: Heard, grid: Sequence[Mapping[str, float]]
) -> list[list[Verdict]]:
    """Return what the alerts of calls are worth at each of some settings."""
    classifier, (truths, measured) = Classifier(path), heard
    if network := model.network:
        measured = [
            replace(one, contours=network.logits(one.contours).astype(np.float32))
            for one in measured
        ]
    found = []
    for changed in grid:
        settings = msgspec.structs.replace(classifier.tracker, **changed)
        alerts = judge(measured, classifier.with_tracker(settings))
        found.append([verdict(*pair) for pair in zip(truths, alerts, strict=True)])
    return found


def _best(tuned: Sequence[Tuned], target: float) -> Tuned:
    allowed = [one for one in tuned if one.result.false_per_hour <= target]
    if not allowed:
        return min(tuned, key=lambda one: one.result.false_per_hour)
    # Every fold weighs the same, as in the fit: which one a customer is like is not known.
    return min(
        allowed, key=lambda one: np.mean([count(some).cost for some in one.verdicts.values()])
    )
