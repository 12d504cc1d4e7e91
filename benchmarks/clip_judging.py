"""Who judges whom: hackles' model and the reference, each clip by a model that did not hear it.

- leave one corpus out: each corpus by a model of the others, calibrated within them,
- leave one speaker out: each speaker by a model of all others. Its calibration, and what kind of
  classifier the reference is, come from leaving corpora out of everything: three or so numbers
  that the speaker, one of a hundred, had a part in,
- never trained on: other corpora, by the model of all that may be trained on.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TypeAlias

import numpy as np
from joblib import Parallel, delayed

from benchmarks import reference
from benchmarks.clip_features import PROCESSES, Heard
from benchmarks.reference import RECIPES, Chosen, Material, Recipe
from hackles.types import AnyArray
from models.training.corpora import Clip
from models.training.fit import Examples, Model, draw_baselines, fit, fit_calibrated
from models.training.splits import Fold, divide, leave_one_corpus_out, leave_one_speaker_out

WAYS: Mapping[str, float] = MappingProxyType({"cold": 1.0, "baseline": 0.0})
"""Share of clips that are judged without a caller's baseline."""

BY_CORPUS = "leave one corpus out"
BY_SPEAKER = "leave one speaker out"
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


def folds(clips: Sequence[Clip]) -> dict[str, tuple[Fold, ...]]:
    """Return who is left out in turn.

    Raises:
        ValueError: if a speaker or a recording would be on both sides.
    """
    found = {BY_CORPUS: leave_one_corpus_out(clips), BY_SPEAKER: leave_one_speaker_out(clips)}
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


def judge_hackles(heard: Heard, runs: Examples, todo: Sequence[Task]) -> Logits:
    """Return what hackles' kind of model says of every test.

    Args:
        heard: clips to train on.
        runs: runs of the same clips, to train on too.
        todo: which models, and what they judge.
    """
    data = joined(heard.windows, runs)
    whole = fit_calibrated(data) if any(task.split == BY_SPEAKER for task in todo) else None
    found = Parallel(PROCESSES)(delayed(_by_hackles)(data, whole, task) for task in todo)
    return _together(found)


def joined(*some: Examples) -> Examples:
    """Return the rows of several."""
    names = Examples.__slots__
    return Examples(*(np.concatenate([getattr(one, name) for one in some]) for name in names))


def _by_hackles(data: Examples, whole: Model | None, task: Task) -> list[_Part]:
    train = data.rows(~data.spoken_by(task.fold.speakers))
    if whole is not None and task.split == BY_SPEAKER:
        model = replace(fit(train), slope=whole.slope, offset=whole.offset)
    else:
        model = fit_calibrated(train)
    found = []
    for name, heard in task.tests.items():
        test = heard.windows
        if task.fold.speakers:
            test = test.rows(test.spoken_by(task.fold.speakers))
        for way, cold in WAYS.items():
            drawn = draw_baselines(test, model.prior_mean, cold, seed=1)
            logits = model.logits(test.values, drawn)[:, 0]
            found.append((name, way, by_clip(test.clip, logits, len(heard.clips))))
    return found


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
