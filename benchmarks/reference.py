"""The reference to beat: eGeMAPS functionals and the best of three usual classifiers.

88 functionals of a whole clip, standardised, to a logistic regression, a linear support vector
machine or one with a Gaussian kernel. Which of them, and how strongly held back, is chosen on
corpora left out of the training side, one at a time; so is its calibration.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import TypeAlias

import numpy as np
from joblib import Parallel, delayed
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.svm import LinearSVC

from benchmarks.gaussian import GaussianMachine, Kernels
from hackles.types import AnyArray, Array, Bools
from models.training.baselines import COLD, calm_mean, draw_baselines
from models.training.examples import Examples
from models.training.fit import LIMIT, balance

Decide: TypeAlias = Callable[[AnyArray], AnyArray]

_LOGISTIC, _LINEAR, _GAUSSIAN = "logistic regression", "linear SVM", "RBF SVM"


@dataclass(frozen=True, slots=True)
class Recipe:
    """A classifier and how strongly it is held back; `gamma` only of the Gaussian kernel."""

    family: str
    strength: float
    gamma: float = 0.0

    def train(self, kernels: Kernels, angry: Bools, weight: AnyArray) -> Decide:
        """Return what gives decision values, fitted to the clips of `kernels`."""
        if self.family == _GAUSSIAN:
            some = (self.gamma, self.strength, angry, weight)
            return GaussianMachine.fit(kernels, *some).decide
        machine = (
            LinearSVC(C=self.strength, dual=False, max_iter=5000)
            if self.family == _LINEAR
            else LogisticRegression(C=self.strength, max_iter=5000)
        )
        machine.fit(kernels.inputs.astype(np.float64), angry, sample_weight=weight)
        decide: Decide = machine.decision_function
        return decide


LOGISTIC = tuple(Recipe(_LOGISTIC, c) for c in (1e-4, 1e-3, 1e-2, 1e-1, 1.0))
RECIPES = (
    *LOGISTIC,
    *(Recipe(_LINEAR, c) for c in (1e-5, 1e-4, 1e-3, 1e-2, 1e-1)),
    *(Recipe(_GAUSSIAN, c, g) for g in (3e-4, 1e-3, 3e-3, 1e-2) for c in (0.1, 1.0, 10.0)),
)


@dataclass(frozen=True, slots=True)
class Material:
    """Clips to train or judge, and whether the caller's baseline is looked at.

    Attributes:
        data: a row per clip.
        seconds: how long each is.
        relative: give the differences to the baseline beside the 88 values.
    """

    data: Examples
    seconds: Array
    relative: bool

    def rows(self, chosen: Bools) -> "Material":
        """Return some of the clips."""
        return Material(self.data.rows(chosen), self.seconds[chosen], self.relative)

    def inputs(self, prior_mean: Array, cold: float, seed: int) -> AnyArray:
        """Return what the classifier sees, shape (n, 88) or (n, 176)."""
        values = self.data.values
        if not self.relative:
            return values
        drawn = draw_baselines(self.data, prior_mean, cold, seed, self.seconds)
        return np.concatenate([values, values - drawn], axis=1)


@dataclass(frozen=True, slots=True)
class Reference:
    """A fitted and calibrated reference; see `hackles`' own `Model`."""

    recipe: Recipe
    prior_mean: Array
    mean: AnyArray
    scale: AnyArray
    decide: Decide
    slope: float = 1.0
    offset: float = 0.0

    def logits(self, test: Material, cold: float, seed: int = 1) -> AnyArray:
        """Return calibrated logits at even odds, shape (n,)."""
        standard = (test.inputs(self.prior_mean, cold, seed) - self.mean) / self.scale
        return self.slope * self.decide(np.clip(standard, -LIMIT, LIMIT)) + self.offset


def fit(train: Material, recipe: Recipe) -> Reference:
    """Fit a reference, not yet calibrated, as hackles' own model is fitted."""
    return next(iter(_fits(train, [recipe])))


def _fits(train: Material, recipes: Sequence[Recipe]) -> Iterable[Reference]:
    """Yield references of several recipes, fitted on the same inputs."""
    data = train.data
    prior_mean = calm_mean(data)
    seen = train.inputs(prior_mean, COLD, seed=0)
    mean, scale = seen.mean(axis=0), seen.std(axis=0) + 1e-6
    kernels = Kernels(np.clip((seen - mean) / scale, -LIMIT, LIMIT))
    weight = balance(data.corpus, data.angry)
    for recipe in recipes:
        decide = recipe.train(kernels, data.angry, weight)
        yield Reference(recipe, prior_mean, mean, scale, decide)


@dataclass(frozen=True, slots=True)
class Chosen:
    """The recipe of a training side, and its calibration; `auc` is that of every recipe."""

    recipe: Recipe
    slope: float
    offset: float
    auc: Mapping[Recipe, float]

    def apply(self, fitted: Reference) -> Reference:
        """Return a fitted reference with this calibration."""
        return replace(fitted, slope=self.slope, offset=self.offset)


def choose(
    material: Material, processes: int, recipes: Sequence[Recipe] = RECIPES
) -> dict[str, Chosen]:
    """Return what to use where one corpus is left out, by its name, and "" for all of them.

    The model with corpus A left out is chosen on fits without A and B, judged on B, for each B.
    The same fits serve B's side, judged on A.
    """
    names = sorted(set(material.data.corpus))
    outs = [frozenset(some) for size in (2, 1) for some in combinations(names, size)]
    found = Parallel(processes)(delayed(_judged)(material, out, recipes) for out in outs)
    scores = dict(zip(outs, found, strict=True))
    return {
        left: _best(
            material,
            {b: scores[frozenset({b, left} - {""})] for b in names if b != left},
            recipes,
        )
        for left in ("", *names)
    }


def _judged(material: Material, out: frozenset[str], recipes: Sequence[Recipe]) -> AnyArray:
    """Return the decision values of every recipe, fitted without some corpora, on those.

    Returns:
        Shape (n_recipes, n_clips), nan where a clip was trained on.
    """
    test = np.isin(material.data.corpus, list(out))
    result = np.full((len(recipes), len(test)), np.nan)
    for number, fitted in enumerate(_fits(material.rows(~test), recipes)):
        result[number, test] = fitted.logits(material.rows(test), COLD)
    return result


def _best(material: Material, scores: Mapping[str, AnyArray], recipes: Sequence[Recipe]) -> Chosen:
    """Return the recipe with the best mean AUC over the inner corpora, and its calibration.

    Args:
        material: all clips.
        scores: by inner corpus, from fits without it (and without the outer one).
        recipes: that the scores are of.
    """
    data = material.data
    unseen = np.full((len(recipes), len(data.clip)), np.nan)
    for corpus, values in scores.items():
        unseen[:, data.corpus == corpus] = values[:, data.corpus == corpus]
    aucs = [
        float(np.mean([roc_auc_score(data.angry[own], row[own]) for own in owns]))
        for owns in [[data.corpus == corpus for corpus in scores]]
        for row in unseen
    ]
    best = int(np.argmax(aucs))
    inner = np.isin(data.corpus, list(scores))
    angry = data.angry[inner]
    affine = LogisticRegression(C=1e6).fit(
        unseen[best, inner][:, None], angry, sample_weight=balance(data.corpus[inner], angry)
    )
    slope, offset = float(affine.coef_[0, 0]), float(affine.intercept_[0])
    return Chosen(recipes[best], slope, offset, dict(zip(recipes, aucs, strict=True)))
