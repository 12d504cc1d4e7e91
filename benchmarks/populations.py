"""Whose calls are judged, and by which model: never by one that heard them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.cache import digest
from benchmarks.calls import SOURCES, Heard, apart
from benchmarks.record import ROOT
from hackles.classifier import Classifier
from hackles.rejudging import judge
from hackles.tracker import Settings
from models.training.calls import Speakers
from models.training.corpora import NEVER_TRAINED, Clip
from models.training.export import export, metadata, unmeasured
from models.training.fit import Examples, examples, fit_calibrated
from models.training.measure import measure_clips, measure_runs
from models.training.truth import Verdict, verdict
from models.training.tune import START

_TRAINING = ROOT / "models" / "training"
_FITTED_BY = (*SOURCES, _TRAINING / "fit.py", _TRAINING / "export.py")


@dataclass(frozen=True, slots=True)
class Population:
    """Speakers, and for each corpus the model that judges its calls.

    Attributes:
        name: of the population.
        speakers: who may meet in a call.
        models: by corpus; none of them was fitted on the speakers whom it judges.
    """

    name: str
    speakers: Speakers
    models: Mapping[str, Classifier]

    def __post_init__(self) -> None:
        """Raise ValueError if a model has heard one of those whom it judges."""
        for speaker, clips in self.speakers.items():
            about = self.models[clips[0].corpus].metadata
            if clips[0].corpus in about.training_data and speaker not in about.held_out:
                raise ValueError(f"{speaker} is on both sides: the model was trained on this voice")

    def corpora(self) -> dict[str, list[str]]:
        """Return the speakers of each corpus, sorted."""
        found: dict[str, list[str]] = {}
        for name in sorted(self.speakers):
            found.setdefault(self.speakers[name][0].corpus, []).append(name)
        return found

    def verdicts(self, calls: Sequence[Heard], settings: Settings) -> list[Verdict]:
        """Return what the alerts of each call are worth, in the order of the calls."""
        found: dict[int, Verdict] = {}
        for corpus, model in self.models.items():
            own = [index for index, call in enumerate(calls) if call.truth.corpus == corpus]
            alerts = judge([calls[i].measured for i in own], model.with_tracker(settings))
            for index, some in zip(own, alerts, strict=True):
                found[index] = verdict(calls[index].truth, some)
        return [found[index] for index in range(len(calls))]


def populations(clips: Sequence[Clip], shipped: Classifier, cache: Path) -> list[Population]:
    """Return the speakers that were held out from training, and all the others.

    The first are judged by the shipped model; of the others each corpus by a model fitted in the
    same way without it, kept in `cache`, and one that is never trained on by the shipped model.
    """
    held_out = frozenset(shipped.metadata.held_out)
    found = []
    for speakers in apart(clips, held_out):
        corpora = sorted({own[0].corpus for own in speakers.values()})
        if held_out & set(speakers):
            models = dict.fromkeys(corpora, shipped)
            found.append(Population("unheard speakers", speakers, models))
            continue
        models = dict.fromkeys(set(corpora) & NEVER_TRAINED, shipped)
        trained = [c for c in clips if c.speaker not in held_out and c.corpus not in NEVER_TRAINED]
        models |= fold_models(trained, cache)
        found.append(Population("unheard corpora", speakers, models))
    return found


def fold_models(clips: Sequence[Clip], cache: Path) -> dict[str, Classifier]:
    """Return a model for each corpus, fitted on all the others."""
    facts = [f"{c.path.name} {c.path.stat().st_size} {c.speaker} {c.emotion}" for c in clips]
    key = digest(_FITTED_BY, ("numpy", "scipy", "scikit-learn", "onnx", "soxr"), facts)
    paths = {
        corpus: cache / f"without-{corpus}-{key}.onnx"
        for corpus in sorted({clip.corpus for clip in clips})
    }
    if not all(path.is_file() for path in paths.values()):
        data = examples(clips, measure_clips(clips), measure_runs(clips))
        cache.mkdir(parents=True, exist_ok=True)
        for corpus, path in paths.items():
            _fit_without(data, corpus, path)
    return {corpus: Classifier(path) for corpus, path in paths.items()}


def _fit_without(data: Examples, corpus: str, path: Path) -> None:
    model = fit_calibrated(data.rows(data.corpus != corpus))
    about = metadata(model, unmeasured(START), sorted(set(data.corpus.tolist()) - {corpus}), [])
    unfinished = path.with_suffix(".part")
    export(model, about, unfinished)
    unfinished.replace(path)
