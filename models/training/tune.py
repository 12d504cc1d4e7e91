"""Choose the tracker's settings by cost, on composed calls of training speakers.

Each call is judged by a model that never saw its corpus (of one corpus alone: its speaker), because
a customer's line is not in the corpora either: thresholds that suit seen corpora would be too bold.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from types import MappingProxyType

import msgspec
import numpy as np

from hackles.classifier import Classifier
from hackles.errors import UsageError
from hackles.listening import Measured
from hackles.rejudging import judge
from hackles.tracker import Settings
from hackles.types import Array
from models.training.calls import Speakers, compose, speakers_of
from models.training.corpora import Clip
from models.training.export import export, metadata, unmeasured
from models.training.fit import PRIOR, Examples, fit_calibrated, strangers
from models.training.measure import measure
from models.training.truth import Truth, Verdict, verdict

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

KINDS = ("escalating", "calm")
_SEED = 7
CALLS = 20
"""Of each kind, from each fold, or one of each speaker where there are more."""


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
        """What is minimised."""
        return 1 - self.recall + FALSE_ALERT_COST * self.false_per_hour


def composed(
    speakers: Speakers, customers: Sequence[str], calls: int
) -> tuple[list[Truth], list[Measured]]:
    """Compose calls of some customers; return what is true, and what was measured, of each."""
    truths: list[Truth] = []

    def heard() -> Iterator[Array]:
        for speaker, kind, number in product(
            customers, KINDS, range(max(1, calls // len(customers)))
        ):
            call = compose(speakers, speaker, kind, number, _SEED)
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
    clips: Sequence[Clip], data: Examples, scratch: Path, calls: int = CALLS
) -> tuple[Settings, Mapping[str, Sequence[Verdict]]]:
    """Return the settings of least cost, and what they were worth to the strangers of each fold.

    Args:
        clips: of training speakers.
        data: their readings.
        scratch: a folder for the models of the folds.
        calls: of each kind, from each fold.

    Raises:
        UsageError: if nobody is calm at times and angry at others, so that no call can be composed.
    """
    folds: dict[str, tuple[list[Truth], list[Measured], Classifier]] = {}
    speakers = speakers_of(clips)
    for out in strangers(data):
        customers = sorted(out.speakers & set(speakers))
        if customers:
            model = fit_calibrated(data.rows(~data.spoken_by(out.speakers)))
            path = scratch / f"{len(folds)}.onnx"
            export(model, metadata(model, unmeasured(START), [], []), path)
            folds[out.name] = *composed(speakers, customers, calls), Classifier(path)
    if not folds:
        raise UsageError(
            "nobody in the corpora is calm in some clips and angry in others; add some."
        )
    best: tuple[float, Settings, Mapping[str, Sequence[Verdict]]] | None = None
    for drift, rising in product((-0.6, -0.3, 0.0, 0.3), (1.5, 2.0, 2.5, 3.0, 4.0, 5.0)):
        settings = msgspec.structs.replace(
            START, drift=drift, rising=rising, irritated=1.7 * rising
        )
        found = {}
        for name, (truths, measured, classifier) in folds.items():
            alerts = judge(measured, classifier.with_tracker(settings))
            found[name] = [verdict(*pair) for pair in zip(truths, alerts, strict=True)]
        # Every fold weighs the same, as in the fit: which one a customer is like is not known.
        cost = float(np.mean([count(one).cost for one in found.values()]))
        if best is None or cost < best[0]:
            best = cost, settings, found
    if best is None:
        raise ValueError("there are no settings to choose from")
    return best[1], MappingProxyType(best[2])
