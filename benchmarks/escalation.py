"""Are escalating calls warned of, and calm ones left alone? On speakers the model never heard.

    python -m benchmarks.escalation --corpora DIR [--hours 10] [--out FILE] [--plot FILE]

Calls of two to four minutes are composed from one speaker's clips over a random telephone line
(`models/training/calls.py`). They are synthetic, and so is every figure from them. Two populations,
each at each sensitivity of the shipped model:

- *unheard speakers*: those held out from training, judged by the shipped model,
- *unheard corpora*: all others, each corpus judged by a model fitted in the same way without it;
  one that is never trained on, by the shipped model.
"""

import argparse
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from math import ceil
from pathlib import Path
from typing import Any, TypeAlias

from joblib import Parallel, delayed

from benchmarks import cache
from benchmarks.calls import Heard, Order, hear
from benchmarks.escalation_plot import plot
from benchmarks.populations import Population, populations
from benchmarks.record import command, commit, show, write
from benchmarks.warned import Curve, figures
from hackles.classifier import DEFAULT_SENSITIVITY, SENSITIVITIES, default_classifier
from hackles.errors import UsageError
from hackles.rejudging import at_threshold
from hackles.tracker import Settings
from models.training.corpora import read_clips
from models.training.telephone import Line
from models.training.truth import Truth, Verdict

THRESHOLDS = (
    0.5,
    0.75,
    1,
    1.5,
    2,
    2.5,
    3,
    4,
    5,
    6.5,
    8,
    10,
    13,
    16,
    20,
    25,
    32,
    40,
    50,
    65,
    80,
    100,
)
"""Of `rising`, from bold to shy; `irritated` keeps its distance."""

Sensitivities: TypeAlias = Mapping[str, Settings]

OTHER_KINDS = ("angry_start", "taken_over")
_CALM_CALL_S = 75.0
"""Speech in a calm call, about: `--hours` are counted out by it."""

_CLEAN = Line(snr_db=40.0)
_CHANGED: dict[str, dict[str, Any]] = {
    "mu-law, 40 dB": {},
    "12 dB softer": {"gain_db": -12.0},
    "GSM 6.10": {"codec": "GSM 6.10"},
    "Opus 12 kbit/s": {"codec": "Opus 12 kbit/s"},
    "Opus 6 kbit/s": {"codec": "Opus 6 kbit/s"},
    "pink noise, 12 dB": {"snr_db": 12.0},
    "babble, 20 dB": {"noise": "babble", "snr_db": 20.0},
    "hum, 12 dB": {"noise": "hum", "snr_db": 12.0},
    "5 % of packets lost": {"loss": 0.05},
    "a room of 0.5 s": {"room_s": 0.5},
    "clipped by 12 dB": {"clipped_db": 12.0},
    "gain control": {"agc": True},
}
"""The same calls over a clean line, and over one with a single thing changed."""

LINES = {name: replace(_CLEAN, **change) for name, change in _CHANGED.items()}


def orders(population: Population, kind: str, calls_per_corpus: float) -> list[Order]:
    """Return calls of every speaker, about as many from each corpus."""
    return [
        Order(population.speakers, speaker, kind, max(1, ceil(calls_per_corpus / len(speakers))))
        for speakers in population.corpora().values()
        for speaker in speakers
    ]


def calls_per_corpus(population: Population, hours: float) -> float:
    """Return how many calm calls of each corpus make so many hours of speech."""
    return hours * 3600 / _CALM_CALL_S / len(population.corpora())


def hear_all(some: Sequence[Order], folder: Path) -> list[Heard]:
    """Compose and measure calls on all cores, or find them in the cache."""
    done = Parallel(n_jobs=-1)(delayed(hear)(order, folder) for order in some)
    return [call for calls in done for call in calls]


def judge_population(
    population: Population, sensitivities: Sensitivities, hours: float, folder: Path
) -> dict[str, Any]:
    """Return all figures of a population at every sensitivity, and medium's curve."""
    each = calls_per_corpus(population, hours)
    calls = [
        call
        for kind in ("escalating", "calm")
        for call in hear_all(orders(population, kind, each), folder)
    ]
    _say(f"{population.name}: {len(calls)} calls")
    by_name = {name: population.verdicts(calls, own) for name, own in sensitivities.items()}
    settings, shipped = sensitivities[DEFAULT_SENSITIVITY], by_name[DEFAULT_SENSITIVITY]
    swept = [population.verdicts(calls, at_threshold(settings, rising)) for rising in THRESHOLDS]
    truths = [call.truth for call in calls]
    return {
        "sensitivities": {name: figures(verdicts) for name, verdicts in by_name.items()},
        **_curve(swept),
        "delays_s": [round(v.delay_s, 2) for v in shipped if v.delay_s is not None],
        "by": {name: table(truths, shipped, key) for name, key in KEYS.items()},
        "by_noise_at_sensitivities": {
            name: table(truths, verdicts, KEYS["noise"]) for name, verdicts in by_name.items()
        },
        "by_noise": {
            noise: _curve([_of(noise, truths, some) for some in swept])
            for noise in sorted({truth.noise for truth in truths})
        },
    }


def _curve(swept: Sequence[Sequence[Verdict]]) -> dict[str, Any]:
    curve = Curve(THRESHOLDS, swept)
    return {"at_rates": curve.at_rates(), "curve": curve.points()}


def _of(noise: str, truths: Sequence[Truth], verdicts: Sequence[Verdict]) -> list[Verdict]:
    return [v for v, truth in zip(verdicts, truths, strict=True) if truth.noise == noise]


def table(
    truths: Sequence[Truth], verdicts: Sequence[Verdict], key: Callable[[Truth], str]
) -> dict[str, dict[str, Any]]:
    """Return the figures of each group of calls."""
    names = [key(truth) for truth in truths]
    return {
        name: figures([v for v, own in zip(verdicts, names, strict=True) if own == name])
        for name in sorted(set(names))
    }


def _between(edges: Iterable[float], unit: str, value: float) -> str:
    """Return which stretch between two edges a value lies in, in words."""
    low, *rest = edges
    high = next((edge for edge in rest if value < edge), rest[-1])
    low = max([edge for edge in (low, *rest) if edge < high])
    return f"{low:+g} to {high:+g} {unit}"


KEYS: dict[str, Callable[[Truth], str]] = {
    "corpus": lambda t: t.corpus,
    "language": lambda t: t.language,
    "sex": lambda t: t.sex or "not published",
    "codec": lambda t: t.codec,
    "noise": lambda t: t.noise,
    "noise and SNR": lambda t: f"{t.noise}, {_between((12, 18, 24, 30), 'dB', t.snr_db)}",
    "gain": lambda t: _between((-12, -7, -2, 3), "dB", t.gain_db),
    "packets lost": lambda t: f"{100 * t.loss:g} %",
}


def other_kinds(
    population: Population, sensitivities: Sensitivities, hours: float, folder: Path
) -> dict[str, Any]:
    """Return figures of calls that begin angry, and of those that another person takes over."""
    each = calls_per_corpus(population, hours / 4)
    heard = {kind: hear_all(orders(population, kind, each), folder) for kind in OTHER_KINDS}
    return {
        f"{kind}, {name}": figures(population.verdicts(some, own))
        for kind, some in heard.items()
        for name, own in sensitivities.items()
    }


def same_calls(
    population: Population, settings: Settings, calls: float, folder: Path
) -> dict[str, Any]:
    """Return figures of the same calls over a clean line and over worse ones."""
    some = [o for kind in ("escalating", "calm") for o in orders(population, kind, calls)]
    heard = {
        name: hear_all([replace(order, line=line) for order in some], folder)
        for name, line in LINES.items()
    }
    kept = [replace(order, line=_CLEAN, keep_levels=True) for order in some]
    heard["levels as recorded"] = hear_all(kept, folder)
    return {name: figures(population.verdicts(h, settings)) for name, h in heard.items()}


_SHOWN = (
    "escalating_calls",
    "recall",
    "recall_range",
    "early_share",
    "delay_median_s",
    "delay_p90_s",
    "calm_hours",
    "false_per_hour",
    "false_per_hour_range",
)


def _show(title: str, rows: dict[str, dict[str, Any]]) -> None:
    show(title, {name: {key: row.get(key) for key in _SHOWN} for name, row in rows.items()})


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main(arguments: list[str] | None = None) -> int:
    """Compose, hear, judge, print and keep."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--corpora", type=Path, required=True, help="folder of labelled speech")
    parser.add_argument("--hours", type=float, default=10.0, help="calm speech, each population")
    parser.add_argument("--paired", type=int, default=1, help="calls per corpus over every line")
    parser.add_argument("--cache", type=Path, default=cache.DEFAULT, help="where to keep features")
    parser.add_argument("--out", type=Path, help="where the figures go, as JSON")
    parser.add_argument("--plot", type=Path, help="where the picture goes, as PNG")
    options = parser.parse_args(arguments)
    found: dict[str, Any] = {"commit": commit()}
    shipped = default_classifier()
    sensitivities = {name: shipped.at(name).tracker for name in SENSITIVITIES}
    try:
        every = populations(read_clips(options.corpora), shipped, options.cache)
    except UsageError as error:
        print(error, file=sys.stderr)
        return 2
    for population in every:
        own = judge_population(population, sensitivities, options.hours, options.cache)
        found[population.name] = own
        _show(population.name, own["sensitivities"] | own["at_rates"])
        for noise, curve in own["by_noise"].items():
            _show(f"{population.name}, {noise} alone", curve["at_rates"])
        for name, rows in own["by"].items():
            _show(f"{population.name} by {name}", rows)
    found["other_kinds"] = other_kinds(every[0], sensitivities, options.hours, options.cache)
    _show(f"{every[0].name}: other kinds of calls", found["other_kinds"])
    if options.paired:
        medium = sensitivities[DEFAULT_SENSITIVITY]
        found["same_calls"] = same_calls(every[0], medium, options.paired, options.cache)
        _show("the same calls over several lines", found["same_calls"])
    if options.plot:
        plot({population.name: found[population.name] for population in every}, options.plot)
    if options.out:
        write(options.out, command("benchmarks/escalation.py", options), found)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
