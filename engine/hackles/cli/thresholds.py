"""What `calibrate` found: a section of the settings, and the figures to expect, in words."""

import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path

from hackles.calibration import FEW, LITTLE_H, Answers, Found, Rate, Sweep
from hackles.models import SHOWN, Model

_WIDTH = 98


def comments(
    model: Model, sweep: Sweep, found: Found, wanted: float, said: Answers
) -> Iterator[str]:
    """Yield what is to be known of thresholds, a sentence or two each."""
    alerts = _count(wanted, "false alert")
    yield f"For at most {alerts} per hour of the customers' speech, found by `hackles calibrate`."
    yield (
        f"They belong to the model {model.name} ({model.digest[:SHOWN]}) with [engine] sensitivity "
        f'= "{model.sensitivity}"; after a change of either, calibrate anew.'
    )
    yield (
        f"Heard: {_count(sweep.calls, 'call')} with {_hours(sweep.hours)} of the customers' "
        "speech. Ordinary calls are mostly calm, so every alert in them counts as false."
    )
    own = _count(found.own.alerts, "alert")
    left = found.rate.alerts
    yield f"In these calls: {own} at the sensitivity's own thresholds, {left} at these."
    yield f"To expect: {_per_hour(found.rate, 'alert')}."
    yield from _answered(found.rate, said)
    yield from _doubts(sweep, found, wanted)


def _answered(rate: Rate, said: Answers) -> Iterator[str]:
    """Yield what the record says, if there are answers in it."""
    if said.of_others:
        were = "was" if said.of_others == 1 else "were"
        answers = _count(said.of_others, "answer")
        yield f"{answers} in the record {were} left out: about alerts of other models."
    if not said.answered:
        return
    (low, high), (least, most) = said.range, rate.range
    yield (
        f"People answered {_count(said.answered, 'alert')} of this model, and called "
        f"{said.false_alarms} of them false: {100 * said.share:.0f} % "
        f"(95 %: {100 * low:.0f} to {100 * high:.0f} %)."
    )
    yield (
        f"So to expect: {_number(rate.per_hour * said.share)} false alerts per hour "
        f"(95 %: {_number(least * low)} to {_number(most * high)}). The thresholds reckon with "
        f"{100 * high:.0f} % false."
    )


def _doubts(sweep: Sweep, found: Found, wanted: float) -> Iterator[str]:
    """Yield why the figures may not be worth much."""
    if sweep.hours < LITTLE_H:
        yield (
            f"CAUTION: {_hours(sweep.hours)} of speech is too little to rely on; take "
            f"{60 * LITTLE_H:.0f} minutes at least, better many hours."
        )
    if not found.can_show:
        yield (
            f"CAUTION: {_number(wanted)} per hour cannot be shown by so little speech: only "
            f"{_number(wanted * sweep.hours)} alerts would be expected in it. It takes "
            f"{_hours(FEW / wanted)}. So the thresholds are not lower than the sensitivity's own."
        )
    if not found.is_reached:
        yield (
            "CAUTION: no threshold alerts as seldom as that in these calls; these are the highest "
            "that were tried. Listen to the calls that alert: they may not be calm."
        )


def document(lines: Sequence[str], found: Found) -> bytes:
    """Return the section of the settings, with sentences above it."""
    told = [
        part
        for line in lines
        for part in textwrap.wrap(line, _WIDTH, initial_indent="# ", subsequent_indent="#   ")
    ]
    values = ["[thresholds]", f"rising = {found.rising:.4g}", f"irritated = {found.irritated:.4g}"]
    return "\n".join([*told, *values, ""]).encode()


def written(path: Path) -> str:
    """Return what to do with a file of thresholds."""
    return (
        f"Written to {path}. Put its lines into the daemon's settings, in place of [thresholds] "
        "there, and let it read them again (SIGHUP)."
    )


def _per_hour(rate: Rate, what: str) -> str:
    """Return a rate and its range."""
    low, high = rate.range
    between = f"{_number(low)} to {_number(high)}" if rate.alerts else f"at most {_number(high)}"
    return f"{_number(rate.per_hour)} {what}s per hour (95 %: {between})"


def _number(value: float) -> str:
    return f"{value:.2g}" if value < 10 else f"{value:.0f}"


def _hours(hours: float) -> str:
    if hours < 1:
        return _count(round(60 * hours), "minute")
    return "1 hour" if _number(hours) == "1" else f"{_number(hours)} hours"


def _count(n: float, what: str) -> str:
    return f"{n:g} {what}{'' if n == 1 else 's'}"
