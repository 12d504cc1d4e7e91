"""How often is an agent warned where nobody is irritated? On prompts, espeak-ng and hold music.

    python -m benchmarks.false_alarms --asterisk DIR [--music DIR] [--out FILE] [--cache DIR]

Calls of two to four minutes of one voice over random lines (`calm_calls.py`, `calm_voices.py`),
judged by the shipped model as it is shipped. Whoever records prompts has no customer's quarrel,
so every warning is a false one. None of the voices was trained on.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from joblib import Parallel, delayed

from benchmarks import cache
from benchmarks.calm_calls import HeardCall, hear
from benchmarks.calm_voices import ESPEAK, PROMPTS, RAW, Voice, music, prompts, spoken_texts
from benchmarks.record import ROOT, Figures, command, commit, show, write
from benchmarks.warned import upper_count
from hackles.classifier import Classifier, default_classifier
from hackles.config import FRAMES_PER_S
from hackles.errors import UsageError
from hackles.rejudging import decisions
from hackles.types import Alert, Event, Reading
from models.training.telephone import Line
from models.training.truth import ALERTED, episodes

_BEFORE_S = 15.0
"""What was said for so long before an alert is kept beside it."""


_HALF_DB = 20
"""Noise is quiet or loud on this side and that."""

_SHOWN = (
    "calls",
    "clock_hours",
    "said_hours",
    "heard_hours",
    "false_alerts",
    "calls_with_one",
    "per_hour",
    "per_hour_below",
    "alerted_share",
    "readings",
    "mean",
    "p95",
)


@dataclass(frozen=True, slots=True)
class Judged:
    """A call, its readings of irritation, and its false alerts.

    Attributes:
        alerts: when each began.
        alerted_s: for how long they lasted, all together.
    """

    call: HeardCall
    readings: tuple[float, ...]
    alerts: tuple[float, ...]
    alerted_s: float


def hear_all(voices: Sequence[Voice], babblers: Sequence[Voice], folder: Path) -> list[HeardCall]:
    """Compose and measure the calls of some voices on all cores, or find them in the cache.

    Args:
        voices: or pieces of music.
        babblers: whose prompts may be heard in the background, but for the voice's own.
        folder: of the cache.
    """
    jobs = [
        delayed(hear)(voice, [p for o in babblers if o.name != voice.name for p in o.paths], folder)
        for voice in voices
    ]
    return [call for calls in Parallel(n_jobs=-1)(jobs) for call in calls]


def judge(calls: Sequence[HeardCall], classifier: Classifier) -> list[Judged]:
    """Return what the model says of each call."""
    told: list[list[Event]] = [[] for _ in calls]
    for slot, event in decisions([call.measured for call in calls], classifier).events():
        told[slot].append(event)
    found = []
    for call, own in zip(calls, told, strict=True):
        readings = tuple(event.irritation for event in own if isinstance(event, Reading))
        entered = [event for event in own if isinstance(event, Alert)]
        lasted_s = alerted_s(entered, call.told.clock_s)
        found.append(Judged(call, readings, tuple(episodes(entered)), lasted_s))
    return found


def alerted_s(entered: Sequence[Alert], end_s: float) -> float:
    """Return for how long a call was neither calm nor eased."""
    times = [*(alert.time for alert in entered), end_s]
    stays = zip(entered, times, times[1:], strict=False)
    return sum(until - since for alert, since, until in stays if alert.state in ALERTED)


def figures(judged: Sequence[Judged], by_clock: bool = False) -> Figures:
    """Return the false alerts of some calls, and of how many hours.

    `said_hours` are the prompts, `heard_hours` what the engine took for speech: without the
    silences, but with what babble it cannot tell from the caller. The rate is per hour of
    prompts, as in composed calls, for babble would thin it. `alerted_share` is of the clock: an
    episode that begins at once and never ends counts as one.

    Args:
        judged: the calls.
        by_clock: count per hour of the clock, as for music, and not of prompts.
    """
    readings = np.array([value for one in judged for value in one.readings])
    alerts = sum(len(one.alerts) for one in judged)
    frames = sum(int(one.call.measured.fresh.sum()) for one in judged)
    hours = {
        "clock_hours": sum(one.call.told.clock_s for one in judged) / 3600,
        "said_hours": sum(one.call.told.said_s for one in judged) / 3600,
        "heard_hours": frames / FRAMES_PER_S / 3600,
    }
    per = hours["clock_hours" if by_clock else "said_hours"]
    return {
        "calls": len(judged),
        **{name: round(value, 2) for name, value in hours.items()},
        "false_alerts": alerts,
        "calls_with_one": sum(bool(one.alerts) for one in judged),
        "per_hour": round(alerts / per, 1) if per else None,
        "per_hour_below": round(upper_count(alerts) / per, 1) if per else None,
        "per_heard_hour": round(alerts / hours["heard_hours"], 1) if frames else None,
        "alerted_share": round(
            sum(one.alerted_s for one in judged) / 3600 / hours["clock_hours"], 3
        ),
        "readings": len(readings),
        "mean": round(float(readings.mean()), 3) if len(readings) else None,
        "p95": round(float(np.percentile(readings, 95)), 3) if len(readings) else None,
    }


def table(
    judged: Sequence[Judged], key: Callable[[HeardCall], str], by_clock: bool = False
) -> dict[str, Figures]:
    """Return the figures of each group of calls, and of all."""
    names = [key(one.call) for one in judged]
    rows = {
        name: figures([j for j, own in zip(judged, names, strict=True) if own == name], by_clock)
        for name in sorted(set(names))
    }
    return rows | {"all": figures(judged, by_clock)}


def _noise(call: HeardCall) -> str:
    return call.told.line.noise if call.told.line else "plain"


def _line(call: HeardCall) -> str:
    line = call.told.line
    side = (
        "" if line is None else f", {'under' if line.snr_db < _HALF_DB else 'over'} {_HALF_DB} dB"
    )
    return _noise(call) + side


KEYS: dict[str, Callable[[HeardCall], str]] = {
    "voice": lambda call: call.voice.name,
    "language": lambda call: call.voice.language,
    "voice and noise": lambda call: f"{call.voice.name}, {_noise(call)}",
    "line": _line,
    "codec": lambda call: call.told.line.codec if call.told.line else "plain",
}


_MUSIC_KEYS = ("voice", "line")


def alerts(judged: Sequence[Judged]) -> list[Figures]:
    """Return each false alert: whose, when, over what line, and what had been said."""
    return [
        {
            "voice": one.call.voice.name,
            "call": one.call.told.number,
            "time_s": time_s,
            "line": _line_in_words(one.call.told.line),
            "said": ", ".join(
                name
                for start, end, name in one.call.told.said
                if end > time_s - _BEFORE_S and start < time_s
            ),
        }
        for one in judged
        for time_s in one.alerts
    ]


def _line_in_words(line: Line | None) -> str:
    if line is None:
        return "plain"
    lost = f", {100 * line.loss:g} % lost" if line.loss else ""
    return f"{line.noise} {line.snr_db:.1f} dB, {line.codec}, gain {line.gain_db:+.1f} dB{lost}"


def report(title: str, judged: Sequence[Judged], keys: Sequence[str], by_clock: bool) -> Figures:
    """Print a kind's tables; return them, with every alert."""
    tables = {name: table(judged, KEYS[name], by_clock) for name in keys}
    for name, rows in tables.items():
        unlike = {"said_hours"} if by_clock else {"clock_hours", "readings"}
        columns = [column for column in _SHOWN if column not in unlike]
        shown = {row: {column: own[column] for column in columns} for row, own in rows.items()}
        show(f"{title} by {name}", shown)
    return {"by": tables, "alerts": alerts(judged)}


def main(arguments: list[str] | None = None) -> int:
    """Compose, hear, judge, print and keep."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--asterisk", type=Path, required=True, help="unpacked asterisk-*-sounds-*, -moh-*"
    )
    parser.add_argument("--music", type=Path, help="a folder of other music, without singing")
    parser.add_argument("--cache", type=Path, default=cache.DEFAULT, help="where to keep features")
    parser.add_argument(
        "--out", type=Path, default=ROOT / "benchmarks/results/false_alarms.json", help="as JSON"
    )
    options = parser.parse_args(arguments)
    found: dict[str, Any] = {"commit": commit()}
    classifier = default_classifier()
    try:
        recorded = prompts(options.asterisk)
        pieces = music([options.asterisk, *([options.music] if options.music else [])])
        spoken = spoken_texts(options.cache)
    except UsageError as error:
        print(error, file=sys.stderr)
        return 2
    by_kind = {
        PROMPTS: (recorded, recorded),
        **{kind: ([v for v in spoken if v.kind == kind],) * 2 for kind in (ESPEAK, RAW)},
        "music": (pieces, recorded),
    }
    for kind, (voices, babblers) in by_kind.items():
        judged = judge(hear_all(voices, babblers, options.cache), classifier)
        is_music = kind == "music"
        if judged:
            keys = _MUSIC_KEYS if is_music else tuple(KEYS)
            found[kind] = report(kind, judged, keys, by_clock=is_music)
    write(options.out, command("benchmarks/false_alarms.py", options), found)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
