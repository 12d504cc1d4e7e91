"""Whose calls are judged, and by which model: never by one that heard them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from benchmarks.cache import digest
from benchmarks.calls import SOURCES, Heard, apart
from benchmarks.record import ROOT
from hackles.classifier import Classifier
from hackles.rejudging import judge
from hackles.tracker import Settings
from models.training.calls import Speakers
from models.training.corpora import NEVER_TRAINED, Clip
from models.training.crossed import crossed
from models.training.examples import examples
from models.training.export import export, metadata, unmeasured
from models.training.fit import Model
from models.training.measure import training_readings
from models.training.truth import Verdict, verdict
from models.training.tune import settings_of

_TRAINING = ROOT / "models" / "training"
_NAMES = (
    "baselines",
    "calibrating",
    "crossed",
    "examples",
    "export",
    "fit",
    "graph",
    "learning",
    "network",
)
_FITTED_BY = (*SOURCES, *(_TRAINING / f"{name}.py" for name in _NAMES))


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
            alerts = judge(
                [calls[i].measured for i in own], model.with_tracker(_own(model, settings))
            )
            for index, some in zip(own, alerts, strict=True):
                found[index] = verdict(calls[index].truth, some)
        return [found[index] for index in range(len(calls))]


def _own(model: Classifier, settings: Settings) -> Settings:
    """Return settings with what belongs to a model's own scale."""
    own = model.tracker
    return msgspec.structs.replace(settings, calm_logit=own.calm_logit, own_share=own.own_share)


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
        trained = [c for c in clips if c.corpus not in NEVER_TRAINED]
        models |= fold_models(trained, held_out, cache)
        found.append(Population("unheard corpora", speakers, models))
    return found


def fold_models(
    clips: Sequence[Clip], unheard: Collection[str], cache: Path
) -> dict[str, Classifier]:
    """Return a model for each corpus, fitted on all the others but for some speakers."""
    facts = [f"{c.path.name} {c.path.stat().st_size} {c.speaker} {c.emotion}" for c in clips]
    key = digest(_FITTED_BY, ("numpy", "scipy", "scikit-learn", "onnx", "soxr"), facts)
    paths = {
        corpus: cache / f"without-{corpus}-{key}.onnx"
        for corpus in sorted({clip.corpus for clip in clips})
    }
    if not all(path.is_file() for path in paths.values()):
        data = examples(clips, *training_readings(clips, unheard))
        models = crossed(data.rows(~data.spoken_by(unheard)))
        cache.mkdir(parents=True, exist_ok=True)
        for corpus, path in paths.items():
            _write(models[corpus], sorted(set(paths) - {corpus}), path)
    return {corpus: Classifier(path) for corpus, path in paths.items()}


def _write(model: Model, used: Sequence[str], path: Path) -> None:
    about = metadata(model, unmeasured(settings_of(model)), used, [])
    unfinished = path.with_suffix(".part")
    export(model, about, unfinished)
    unfinished.replace(path)
