"""Who judges whom: hackles' model and the reference, each clip by a model that did not hear it.

- leave one corpus out: each corpus by a model of the others, calibrated within them,
- held-out speakers: those whom the model that travels with hackles has never heard, by that model,
  and by a reference that was fitted without them,
- never trained on: other corpora, by the model of all that may be trained on.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias

import numpy as np
from joblib import Parallel, delayed

from benchmarks import reference
from benchmarks.clip_features import PROCESSES, Heard
from benchmarks.reference import RECIPES, Chosen, Material, Recipe
from hackles.baseline import known
from hackles.classifier import default_classifier
from hackles.tracker import logit
from hackles.types import AnyArray
from models.training.baselines import draw_baselines, own_calm
from models.training.corpora import Clip
from models.training.crossed import crossed
from models.training.examples import Examples
from models.training.fit import PRIOR_LOGIT, Model
from models.training.learning import STEPS
from models.training.splits import Fold, divide, leave_one_corpus_out

WAYS: Mapping[str, float] = MappingProxyType({"cold": 1.0, "baseline": 0.0})
"""Share of clips that are judged without a caller's baseline."""

BY_CORPUS = "leave one corpus out"
BY_SPEAKER = "held-out speakers"
UNTRAINED = "never trained on"
TRAINED = "trained on"

Logits: TypeAlias = dict[str, dict[str, AnyArray]]
"""By split (or codec) and way: calibrated logits, shape (n_clips,), nan where none was said."""
_Part: TypeAlias = tuple[str, str, AnyArray]


@dataclass(frozen=True, slots=True)
class Task:
    """One model, and what it judges.

    Attributes:
        split: one of the three.
        fold: who is left out, and judged; if nobody is, everybody is judged.
        tests: the sets of clips to judge, by the name that the logits go by.
    """

    split: str
    fold: Fold
    tests: Mapping[str, Heard]


def folds(
    clips: Sequence[Clip], held_out: Collection[str] = frozenset()
) -> dict[str, tuple[Fold, ...]]:
    """Return who is left out in turn.

    Args:
        clips: all that may be trained on.
        held_out: speakers who are left out together besides; none if it is empty.

    Raises:
        ValueError: if a speaker or a recording would be on both sides.
    """
    found = {BY_CORPUS: leave_one_corpus_out(clips)}
    if held_out:
        found[BY_SPEAKER] = (Fold(BY_SPEAKER, frozenset(held_out)),)
    for fold in (fold for some in found.values() for fold in some):
        train, test = divide(clips, fold)
        if both := {clip.speaker for clip in train} & {clip.speaker for clip in test}:
            raise ValueError(f"{min(both)} is on both sides of the fold {fold.name}")
    return found


def tasks(sets: Mapping[str, Heard], splits: Mapping[str, Sequence[Fold]]) -> list[Task]:
    """Return which models are fitted, and what each judges.

    Args:
        sets: what was heard: `TRAINED`, `UNTRAINED` if there is any, and others (codecs) of the
            same speakers as `TRAINED`.
        splits: from `folds`.
    """
    codecs = {name: heard for name, heard in sets.items() if name not in (TRAINED, UNTRAINED)}
    known = sets[TRAINED]
    found = [Task(BY_CORPUS, one, {BY_CORPUS: known, **codecs}) for one in splits[BY_CORPUS]]
    found += [Task(BY_SPEAKER, one, {BY_SPEAKER: known}) for one in splits.get(BY_SPEAKER, ())]
    if UNTRAINED in sets:
        everybody = Fold("", frozenset())
        found.append(Task(UNTRAINED, everybody, {UNTRAINED: sets[UNTRAINED]}))
    return found


def judge_hackles(heard: Heard, runs: Examples, todo: Sequence[Task], steps: int = STEPS) -> Logits:
    """Return what hackles' kind of model says of every test.

    Args:
        heard: clips to train on.
        runs: runs of the same clips, to train on too.
        todo: which models, and what they judge.
        steps: how long networks learn; 0 for none.
    """
    models = crossed(joined(heard.windows, runs), steps, PROCESSES)
    return _together(
        _by_shipped(task) if task.split == BY_SPEAKER else _by_hackles(models[task.fold.name], task)
        for task in todo
    )


def joined(*some: Examples) -> Examples:
    """Return the rows of several."""
    names = Examples.__slots__
    return Examples(*(np.concatenate([getattr(one, name) for one in some]) for name in names))


def _by_hackles(model: Model, task: Task) -> list[_Part]:
    found = []
    for name, heard, test in _tests(task):
        for way, cold in WAYS.items():
            drawn = draw_baselines(test, model.prior_mean, cold, seed=1)
            parts = model.parts(test.values, test.contours, drawn)[:, :, 0]
            logits = parts @ np.array(model.slopes) + model.offset
            logits = model.relative(logits, *own_calm(test, logits, cold, seed=1))
            said = {way: logits, **dict(zip(_families(way), parts.T, strict=True))}
            found += [
                (name, which, by_clip(test.clip, of, len(heard.clips)))
                for which, of in said.items()
            ]
    return found


def _families(way: str) -> tuple[str, str]:
    return f"regression {way}", f"network {way}"


def _by_shipped(task: Task) -> list[_Part]:
    """Return what the model that travels with hackles says, run as the engine runs it."""
    model = default_classifier()
    found = []
    for name, heard, test in _tests(task):
        for way, cold in WAYS.items():
            drawn = draw_baselines(test, model.baseline_prior, cold, seed=1)
            quality = np.tile(np.array([40.0, 3.0, 30.0], np.float32), (len(drawn), 1))
            said = logit(model.run(test.values, test.contours, drawn, quality).irritation)
            own, count = own_calm(test, said, cold, seed=1)
            apart = known(count) * (own - model.tracker.calm_logit)
            said = said - model.tracker.own_share * apart - PRIOR_LOGIT
            found.append((name, way, by_clip(test.clip, said, len(heard.clips))))
    return found


def _tests(task: Task) -> Iterator[tuple[str, Heard, Examples]]:
    """Yield what is judged: the set's name, its clips, and the readings of those left out."""
    for name, heard in task.tests.items():
        test = heard.windows
        if task.fold.speakers:
            test = test.rows(test.spoken_by(task.fold.speakers))
        yield name, heard, test


def by_clip(clip: AnyArray, logits: AnyArray, n_clips: int) -> AnyArray:
    """Return the mean logit of each clip's readings, nan where there are none."""
    count = np.bincount(clip, minlength=n_clips)
    total = np.bincount(clip, logits, minlength=n_clips)
    result: AnyArray = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return result


def judge_reference(
    heard: Heard, todo: Sequence[Task], recipes: Sequence[Recipe] = RECIPES
) -> tuple[Logits, dict[str, dict[str, Chosen]]]:
    """Return what the reference says of every test, and what it was chosen to be.

    Cold and with the baseline are two references, each at its best: one sees the 88 values, one
    the differences too.

    Args:
        heard: clips to train on.
        todo: which models, and what they judge.
        recipes: that it is chosen from.
    """
    logits: Logits = {}
    used = {}
    for way in WAYS:
        relative = way == "baseline"
        material = Material(heard.wholes, heard.seconds, relative)
        chosen = used[way] = reference.choose(material, PROCESSES, recipes)
        found = Parallel(PROCESSES)(
            delayed(_by_reference)(material, chosen, task, way) for task in todo
        )
        for name, said in _together(found).items():
            logits.setdefault(name, {}).update(said)
    return logits, used


def _by_reference(
    material: Material, chosen: Mapping[str, Chosen], task: Task, way: str
) -> list[_Part]:
    train = material.rows(~material.data.spoken_by(task.fold.speakers))
    use = chosen[task.fold.name if task.split == BY_CORPUS else ""]
    fitted = use.apply(reference.fit(train, use.recipe))
    found = []
    for name, heard in task.tests.items():
        test = Material(heard.wholes, heard.seconds, material.relative)
        if task.fold.speakers:
            test = test.rows(test.data.spoken_by(task.fold.speakers))
        logits = fitted.logits(test, WAYS[way])
        found.append((name, way, by_clip(test.data.clip, logits, len(heard.clips))))
    return found


def _together(found: Iterable[Iterable[_Part]]) -> Logits:
    """Put together what models said of the clips that each judged."""
    logits: Logits = {}
    for name, way, said in (part for some in found for part in some):
        before = logits.setdefault(name, {}).get(way)
        logits[name][way] = said if before is None else np.where(np.isnan(said), before, said)
    return logits
