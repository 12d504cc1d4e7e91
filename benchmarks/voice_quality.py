"""Is anything left of jitter, shimmer and formants on a telephone, and does it tell anger?

    python benchmarks/voice_quality.py --corpora DIR [--praat CLIPS_OF_A_SPEAKER] [--out FILE]

Praat hears a seeded choice of clips as they are ("clean") and on several roads; the engine hears
all clips clean and over a telephone. Everything is compared within a speaker, and every range is
the middle 95 % of 1,000 draws of speakers. All speech is acted.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from time import process_time

import numpy as np
from scipy.stats import rankdata

from benchmarks import voice_candidates as candidates
from benchmarks.record import Figures, command, show, write
from benchmarks.voice_clips import ENGINE_ROADS, FORMANT_RANGES_HZ, PRAAT, ROADS, Heard, listen
from benchmarks.voice_table import Table, short
from hackles.config import TILE_FRAMES
from hackles.errors import UsageError
from hackles.features import FUNCTIONAL, harmonicity
from hackles.types import AnyArray, Array
from models.training.corpora import ANGER, CALM, NEVER_TRAINED, Clip, read_clips

_CODED = "ased"
"""Published as Opus: its voices have been through a codec, so Praat is not asked about them."""
_SEED = 2026
_TOLD_ON = ("clean", "noisy_telephone")
_BESIDE = ("alpha_ratio_db_mean", "voicing_mean", "f0_st_p50")
_IRREGULARITY = (
    "hnr_voiced_db",
    "f0_bend_st",
    "level_bend_db",
    "two_periods",
    "voicing_slope",
    "prominence_db",
)
_LPC = ("lpc_f1_mean", "lpc_f1_sd", "lpc_f2_mean", "lpc_f2_sd")
_CENTROIDS = ("low_centroid_mean", "low_centroid_sd", "high_centroid_mean", "high_centroid_sd")
_PRAAT_FORMANTS = ("praat_f1_mean", "praat_f1_sd", "praat_f2_mean", "praat_f2_sd")
_BASE = [column for name, column in FUNCTIONAL.items() if name != "level_db_mean"]


def survival(table: Table) -> dict[str, Figures]:
    """Return how Praat's measures of each road stand to those of the clean clips."""
    rows: dict[str, Figures] = {}
    for name in PRAAT:
        clean = table.column("clean", name)
        for road in ROADS:
            there = table.column(road, name)
            good = np.isfinite(clean) & np.isfinite(there)
            ratio = there[good] / clean[good]
            rows[f"{name} {road}"] = {
                "clips": int(good.sum()),
                "undefined": short(float(np.mean(np.isfinite(clean) & ~np.isfinite(there)))),
                "clean_median": short(np.median(clean[good])),
                "median": short(np.median(there[good])),
                "ratio": short(np.median(ratio)),
                "pearson": short(np.corrcoef(clean[good], there[good])[0, 1]),
                "spearman": short(np.corrcoef(rankdata(clean[good]), rankdata(there[good]))[0, 1]),
                "within_speaker": table.correlation(clean, there),
            }
    return rows


def prediction(table: Table) -> dict[str, Figures]:
    """Return what the engine's measures say of Praat's jitter and shimmer of the clean clip.

    Alone, given the mean voicing strength, and given all of `_BESIDE` (but the measure itself).
    """
    rows: dict[str, Figures] = {}
    for road in ENGINE_ROADS:
        beside = {name: table.column(road, name) for name in _BESIDE}
        for name in (*_BESIDE, *_IRREGULARITY):
            mine, row = table.column(road, name), {}
            others = [column for other, column in beside.items() if other != name]
            for other in ("jitter", "shimmer"):
                truth = table.column("clean", f"praat_{other}")
                row[other] = table.correlation(mine, truth)
                if name != "voicing_mean":
                    given = beside["voicing_mean"]
                    row[f"{other}_given_voicing"] = table.correlation(mine, truth, given)
                row[f"{other}_given_engine"] = table.correlation(mine, truth, *others)
            rows[f"{road} {name}"] = row
    return rows


def telling(table: Table) -> dict[str, Figures]:
    """Return how each measure tells anger from calm and from happy clips of the same speaker."""
    rows: dict[str, Figures] = {}
    for road in _TOLD_ON:
        for name in (*_BESIDE, *_IRREGULARITY, *_LPC, *_CENTROIDS, *PRAAT, *_PRAAT_FORMANTS):
            score = table.column(road, name)
            if not np.isfinite(score).any():
                continue
            calm, happy = (table.auc(score, some) for some in (table.calm, table.happy))
            row: Figures = {}
            for other, by_speaker in (("calm", calm), ("happy", happy)):
                corpora = table.by_corpus(by_speaker)
                row[f"against_{other}"] = table.over_speakers(by_speaker)
                row[f"{other}_one_way"] = len({value > 0.5 for value in corpora.values()}) == 1
                row[f"{other}_corpora"] = corpora
            rows[f"{road} {name}"] = row
    return rows


def gain(table: Table, road: str, groups: dict[str, tuple[str, ...]]) -> dict[str, Figures]:
    """Return what each group adds to all functionals, on corpora that the model has not seen.

    Praat's measures are those of the clean clip, whatever the road: more than could be had.
    """
    base = np.stack([h.base[road][_BASE] for h in table.heard]).astype(np.float64)
    others, before = {"all": ~table.angry, "happy": table.happy}, np.zeros(2)
    rows: dict[str, Figures] = {}
    for title, names in ({"functionals alone": ()} | groups).items():
        extra = [table.column("clean" if n.startswith("praat") else road, n) for n in names]
        extra = [np.where(np.isfinite(c), c, np.nanmedian(c)) for c in extra]
        logit = _unseen_logits(table, table.relative(np.column_stack([base, *extra])))
        now = np.stack([table.auc(logit, some) for some in others.values()])
        row: Figures = {}
        for other, values in zip(others, now - (before if names else 0.0), strict=True):
            row[f"against_{other}"] = table.over_speakers(values)
            row[f"{other}_corpora"] = table.by_corpus(values)
        rows[f"{road} {title}"] = row
        before = before if names else now
    return rows


def _unseen_logits(table: Table, values: AnyArray) -> AnyArray:
    """Return anger's logit of every clip from a model fitted on the other corpora."""
    from sklearn.linear_model import LogisticRegression

    corpus, logit = table.corpus_of[table.speaker], np.zeros(len(values))
    for held_out in np.unique(corpus):
        fit, out = corpus != held_out, corpus == held_out
        scale = values[fit].std(axis=0) + 1e-9
        model = LogisticRegression(C=0.05, class_weight="balanced", max_iter=1000)
        model.fit(values[fit] / scale, table.angry[fit])
        logit[out] = model.decision_function(values[out] / scale)
    return logit


def formants(heard: Sequence[Heard]) -> dict[str, Figures]:
    """Return how near estimates of F1 and F2 come to Praat's on the unfiltered clip, by frame."""
    asked = [h for h in heard if h.voiced]
    truth, limited, power, mel = (np.concatenate([h.voiced[k] for h in asked]) for k in range(4))
    corpus = np.concatenate([[h.clip.corpus] * len(h.voiced[0]) for h in asked])
    lpc = np.concatenate(
        [candidates.formants_lpc(power[at : at + 512]) for at in range(0, len(power), 512)]
    )
    centroids = np.stack(
        [candidates.centroid_between(power, *ends) for ends in FORMANT_RANGES_HZ], axis=1
    )
    from_mel, known = np.zeros_like(truth), np.isfinite(truth).all(axis=1)
    bands = np.column_stack([mel, np.ones(len(mel))]).astype(np.float64)
    for held_out in np.unique(corpus):
        fit = (corpus != held_out) & known
        weights = np.linalg.lstsq(bands[fit], truth[fit], rcond=None)[0]
        from_mel[corpus == held_out] = bands[corpus == held_out] @ weights
    estimates = {"Praat 300-3400 Hz": limited, "LPC peaks": lpc, "centroids": centroids}
    rows: dict[str, Figures] = {}
    for name, estimate in (estimates | {"linear in 20 mel bands": from_mel}).items():
        for k, formant in enumerate(("F1", "F2")):
            good = np.isfinite(truth[:, k]) & np.isfinite(estimate[:, k])
            mine, real = estimate[good, k], truth[good, k]
            rows[f"{formant} {name}"] = {
                "frames": int(good.sum()),
                "error_hz": round(float(np.median(np.abs(mine - real)))),
                "error_percent": round(float(100 * np.median(np.abs(mine - real) / real)), 1),
                "bias_hz": round(float(np.median(mine - real))),
                "pearson": short(np.corrcoef(mine, real)[0, 1]),
                "spearman": short(np.corrcoef(rankdata(mine), rankdata(real))[0, 1]),
            }
    return rows


def cost(heard: Sequence[Heard]) -> dict[str, Figures]:
    """Return CPU microseconds per voiced frame, in tiles as the engine works."""
    tile = np.concatenate([h.voiced[2] for h in heard if h.voiced][:40])[:TILE_FRAMES]
    runs: dict[str, Callable[[Array], object]] = {
        "autocorrelation of the engine": harmonicity.autocorrelation,
        "two_periods": candidates.two_periods,
        "voicing_slope": candidates.voicing_slope,
        "prominence_db": candidates.prominence_db,
        "formants_lpc": candidates.formants_lpc,
        "one centroid": lambda power: candidates.centroid_between(power, 300, 1000),
    }
    rows: dict[str, Figures] = {}
    for name, run in runs.items():
        spent = []
        for _ in range(60):
            began = process_time()
            run(tile)
            spent.append(process_time() - began)
        rows[name] = {"us_per_frame": round(1e6 * float(np.median(spent)) / len(tile), 2)}
    return rows


def _flat(rows: dict[str, Figures]) -> dict[str, Figures]:
    """Return the rows with ranges in words."""

    def text(value: object) -> object:
        if not isinstance(value, dict):
            return value
        if "low" in value:
            return f"{value['value']:.3f} [{value['low']:.3f} {value['high']:.3f}]"
        return " ".join(f"{name[:3]} {number:.3f}" for name, number in value.items())

    return {name: {key: text(value) for key, value in row.items()} for name, row in rows.items()}


def choose(clips: Sequence[Clip], each: int) -> set[int]:
    """Return the clips that Praat hears: of every speaker the same number per kind of emotion."""
    rng = np.random.default_rng(_SEED)
    groups: dict[tuple[str, str], list[int]] = {}
    for index in rng.permutation(len(clips)):
        clip = clips[index]
        kinds = {ANGER, "happiness"}
        kind = "calm" if clip.emotion in CALM else clip.emotion if clip.emotion in kinds else "rest"
        if clip.corpus != _CODED:
            groups.setdefault((clip.speaker, kind), []).append(int(index))
    return {index for group in groups.values() for index in group[: max(1, each // 4)]}


def main(arguments: list[str] | None = None) -> int:
    """Listen, compare, print and keep."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--corpora", type=Path, required=True, help="folder of labelled speech")
    parser.add_argument("--praat", type=int, default=20, help="clips of a speaker for Praat")
    parser.add_argument("--every", type=int, default=1, help="of the other clips, every n-th")
    parser.add_argument("--out", type=Path, help="where the figures go, as JSON")
    options = parser.parse_args(arguments)
    try:
        clips = [clip for clip in read_clips(options.corpora) if clip.corpus not in NEVER_TRAINED]
    except UsageError as error:
        print(error, file=sys.stderr)
        return 2
    asked = choose(clips, options.praat)
    some = [i for i in range(len(clips)) if i in asked or i % options.every == 0]
    heard = [h for i in some if (h := listen(clips[i], i, i in asked)) is not None]
    praats, whole = Table([h for h in heard if h.voiced]), Table(heard)
    groups: dict[str, tuple[str, ...]] = {name: (name,) for name in _IRREGULARITY}
    groups |= {"all irregularity": _IRREGULARITY, "LPC": _LPC, "centroids": _CENTROIDS}
    ideal = {"Praat jitter, shimmer": PRAAT[:2], "Praat F1, F2": _PRAAT_FORMANTS}
    found: dict[str, dict[str, Figures]] = {
        "survival": survival(praats),
        "prediction": prediction(praats),
        "telling": telling(whole),
        "gain": gain(whole, "clean", groups) | gain(whole, "noisy_telephone", groups),
        "gain_of_praat": gain(praats, "noisy_telephone", groups | ideal),
        "formants": formants(heard),
        "cost": cost(heard),
    }
    for title, rows in found.items():
        show(title, _flat(rows))
    counts = {"clips": len(heard), "clips_praat": len(praats.heard)}
    if options.out:
        write(options.out, command("benchmarks/voice_quality.py", options), counts | found)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
