"""The report of `clip_accuracy`: which figures of which clips."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from itertools import product

import numpy as np
from sklearn.metrics import roc_auc_score

from benchmarks.clip_features import CODECS, MU_LAW, Heard
from benchmarks.clip_groups import by_language, by_pitch, by_sex, speakers_f0_hz, tercile_bounds
from benchmarks.clip_judging import BY_CORPUS, BY_SPEAKER, TRAINED, UNTRAINED, WAYS, Logits
from benchmarks.clip_tables import Judged, against, by_codec, by_group, gap, in_every_group
from benchmarks.record import Figures
from benchmarks.reference import Chosen
from hackles.types import AnyArray
from models.training.corpora import ANGER, Clip

SYSTEMS = ("hackles", "reference")
_GAPS = ("sex", "pitch")
"""Kinds of speakers of which the first group is compared with the last."""


def report(
    sets: Mapping[str, Heard],
    logits: Mapping[str, Logits],
    chosen: Mapping[str, Mapping[str, Chosen]],
) -> Figures:
    """Return every figure, by split."""
    found: Figures = {"reference": {way: _recipes(some) for way, some in chosen.items()}}
    known, others = sets[TRAINED].clips, sets[UNTRAINED].clips if UNTRAINED in sets else ()
    f0_hz = speakers_f0_hz(sets[TRAINED])
    found["f0_terciles_hz"] = [round(hz, 1) for hz in tercile_bounds(f0_hz)]
    for split, clips in ((BY_CORPUS, known), (BY_SPEAKER, known), (UNTRAINED, others)):
        if not clips:
            continue
        judged = Judged(clips, _said(logits, split))
        found[split] = {"not_judged": judged.unjudged, "all": _compared(judged)}
        if split == BY_CORPUS:
            kinds = {"sex": by_sex(judged), "pitch": by_pitch(judged, f0_hz)}
            alike = {kind: in_every_group(judged, groups) for kind, groups in kinds.items()}
            found[split] |= _apart(judged, alike)
    said = {name: _joined(logits, name, bool(others)) for name in _names()}
    strangers = Judged([*known, *others], said)
    found[BY_CORPUS]["language"] = _apart(strangers, {"": by_language(strangers)})[""]
    found["families"] = _families(known, logits["hackles"][BY_CORPUS])
    found["codecs"] = _codecs(sets[MU_LAW].clips, logits)
    return found


def _families(clips: Sequence[Clip], said: Mapping[str, AnyArray]) -> Figures:
    """Return what the parts of hackles' model are worth alone, beside both together."""
    judged = Judged(clips, said)
    found: Figures = {}
    for way in WAYS:
        for part in ("regression", "network"):
            found |= against(judged, way, f"{part} {way}")
    return found


def _names() -> list[str]:
    return [f"{system} {way}" for way in WAYS for system in SYSTEMS]


def _said(logits: Mapping[str, Logits], test: str) -> dict[str, AnyArray]:
    """Return what was said of a test, by system and way."""
    return {f"{s} {way}": logits[s][test][way] for way in WAYS for s in SYSTEMS}


def _joined(logits: Mapping[str, Logits], name: str, others: bool) -> AnyArray:
    """Return what was said of corpora that the model did not see, all of them."""
    tests = (BY_CORPUS, UNTRAINED) if others else (BY_CORPUS,)
    return np.concatenate([_said(logits, test)[name] for test in tests])


def _recipes(chosen: Mapping[str, Chosen]) -> Figures:
    """Return which classifier was chosen with each corpus left out, and how well each kind did."""
    found: Figures = {}
    for left, one in chosen.items():
        best: dict[str, float] = {}
        for recipe, auc in one.auc.items():
            best[recipe.family] = max(best.get(recipe.family, 0.0), round(auc, 4))
        found[left or "none"] = asdict(one.recipe) | {"inner_auc": best}
    return found


def _compared(judged: Judged) -> Figures:
    found: Figures = {}
    for way in WAYS:
        found |= against(judged, *(f"{system} {way}" for system in SYSTEMS))
    return found


def _apart(judged: Judged, kinds: Mapping[str, Mapping[str, AnyArray]]) -> Figures:
    """Return the figures of groups of clips, of every system."""
    found: Figures = {}
    for kind, groups in kinds.items():
        found[kind] = {}
        for name in judged.scores:
            rows = by_group(judged, groups, name)
            first, *_, last = groups
            if kind in _GAPS and {first, last} <= set(rows):
                rows[f"{first} less {last}"] = gap(judged, groups[first], groups[last], name)
            found[kind][name] = rows
    return found


def _codecs(clips: Sequence[Clip], logits: Mapping[str, Logits]) -> Figures:
    """Return the figures by codec, every codec of the same clips."""
    codecs = (MU_LAW, *CODECS)
    said = {f"{codec} {name}": of for codec in codecs for name, of in _said(logits, codec).items()}
    judged = Judged(clips, said)
    found: Figures = {"clips": len(judged.clips)}
    for name in _names():
        found[name] = by_codec(judged, {codec: f"{codec} {name}" for codec in codecs}, MU_LAW)
    return found


def chances(
    found: Sequence[tuple[Sequence[Clip], Mapping[str, Logits]]], seeds: Sequence[int]
) -> Figures:
    """Return the AUC of each permutation, their mean, and its standard error.

    Args:
        found: for each seed, the clips with permuted emotions, and what was said of them.
        seeds: of the permutations.
    """
    result: Figures = {}
    for split in (BY_CORPUS,):
        for system, way in product(found[0][1], WAYS):
            if split not in found[0][1][system]:
                continue
            each = [_aucs(clips, logits[system][split][way]) for clips, logits in found]
            result.setdefault(split, {})[f"{system} {way}"] = {
                what: _summary([one[what] for one in each]) for what in each[0]
            }
    return {"seeds": list(seeds), **result}


def _aucs(clips: Sequence[Clip], logit: AnyArray) -> dict[str, float]:
    """Return the AUC, as the mean over corpora and pooled, of the clips that were judged."""
    some = np.isfinite(logit)
    angry = np.array([clip.emotion == ANGER for clip in clips])[some]
    corpus = np.array([clip.corpus for clip in clips])[some]
    own = [corpus == name for name in np.unique(corpus)]
    each = [float(roc_auc_score(angry[one], logit[some][one])) for one in own]
    return {"mean": float(np.mean(each)), "pooled": float(roc_auc_score(angry, logit[some]))}


def _summary(values: Sequence[float]) -> Figures:
    error = np.std(values, ddof=1) / np.sqrt(len(values)) if len(values) > 1 else np.nan
    found = {"each": [round(value, 4) for value in values], "mean": round(np.mean(values), 4)}
    return found | ({"standard_error": round(float(error), 4)} if len(values) > 1 else {})
