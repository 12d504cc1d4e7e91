"""Are escalating calls warned of, and calm ones left alone? On speakers the model never heard.

    python benchmarks/escalation.py --corpora DIR [--out FILE]

Calls of ninety seconds are composed from a speaker's neutral, then angry clips, each clip's level
random by +-6 dB; as many calls of the same speakers never turn angry but hold happy, sad,
afraid and surprised clips. They are synthetic, and so is every figure from them.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.record import command, write
from hackles.classifier import default_classifier
from hackles.config import SAMPLE_RATE
from hackles.errors import UsageError
from hackles.pipeline import CallPipeline
from hackles.types import Alert, Block, Event, Gap
from hackles.wording import STATES, because, clock
from models.training.calls import Call
from models.training.corpora import read_clips
from models.training.tune import compose_calls, episodes

ESCALATING = ((45.0, 0.0, 0.0), (45.0, 1.0, 0.0))
NEVER = ((90.0, 0.0, 0.3),)
_SEED = 2026


@dataclass(frozen=True, slots=True)
class Heard:
    """A call and what the engine made of it."""

    call: Call
    events: list[Event]
    speech_s: float

    @property
    def starts(self) -> list[float]:
        """When each episode began, in seconds."""
        return episodes([event for event in self.events if isinstance(event, Alert)])


def hear(call: Call) -> Heard:
    """Run one call through the engine, a second at a time."""
    pipeline = CallPipeline()
    events: list[Event] = []
    for start in range(0, len(call.samples), SAMPLE_RATE):
        events += pipeline.push(Block(call.samples[start : start + SAMPLE_RATE], start))
    events += pipeline.flush()
    return Heard(call, events, pipeline.speech_s)


def angry_s(call: Call, until: float) -> float:
    """Return the seconds of clips between the onset and a time."""
    onset = call.onset_s or 0.0
    return sum(max(0.0, min(end, until) - max(start, onset)) for start, end, _ in call.segments)


def figures(escalating: Sequence[Heard], calm: Sequence[Heard]) -> dict[str, Any]:
    """Return the counts, and the delay in seconds of customer speech after the onset."""
    before = [h for h in escalating if any(s < _onset(h) for s in h.starts)]
    after = {id(h): next((s for s in h.starts if s >= _onset(h)), None) for h in escalating}
    delays = [angry_s(h.call, t) for h in escalating if (t := after[id(h)]) is not None]
    false = sum(sum(s < _onset(h) for s in h.starts) for h in escalating)
    hours = sum(h.speech_s for h in calm) / 3600
    return {
        "speakers": len({h.call.speaker for h in escalating}),
        "escalating_calls": len(escalating),
        "warned_after_onset": len(delays),
        "warned_before_onset": len(before),
        "episodes_before_onset": false,
        "never_warned": sum(not h.starts for h in escalating),
        "delay_of_speech_median_s": _percentile(delays, 50),
        "delay_of_speech_p90_s": _percentile(delays, 90),
        "calm_calls": len(calm),
        "calm_calls_warned": sum(bool(h.starts) for h in calm),
        "calm_hours_of_speech": round(hours, 3),
        "false_alerts_per_hour_of_speech": round(sum(len(h.starts) for h in calm) / hours, 2),
    }


def _onset(heard: Heard) -> float:
    return heard.call.onset_s if heard.call.onset_s is not None else float("inf")


def _percentile(values: Sequence[float], percent: float) -> float | None:
    return round(float(np.percentile(values, percent)), 1) if values else None


def show(heard: Heard) -> None:
    """Print a call's events but its readings, and its onset among them."""
    print(f"\n{heard.call.speaker}: onset at {_onset(heard):.1f} s")
    for event in heard.events:
        if isinstance(event, Alert):
            print(
                f"  {event.time:6.2f} s  {STATES[event.state]} since {event.since:.2f} s, "
                f"level {event.level:.2f}, confidence {event.confidence:.2f}: {because(event)}"
            )
        elif isinstance(event, Gap):
            print(f"  {event.time:6.2f} s  not scored since {clock(event.since)}: {event.reason}")
    readings = [event for event in heard.events if event.type == "reading"]
    print("  readings: " + " ".join(f"{r.time:.0f}:{r.irritation:.2f}" for r in readings))


def main(arguments: list[str] | None = None) -> int:
    """Compose, hear, count, print and keep."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--corpora", type=Path, required=True, help="folder of labelled speech")
    parser.add_argument("--calls", type=int, default=20, help="calls of each kind, about")
    parser.add_argument("--out", type=Path, help="where the figures go, as JSON")
    options = parser.parse_args(arguments)
    held_out = default_classifier().metadata.held_out
    try:
        clips = [clip for clip in read_clips(options.corpora) if clip.speaker in held_out]
    except UsageError as error:
        print(error, file=sys.stderr)
        return 2
    escalating = [hear(call) for call in compose_calls(clips, [ESCALATING], _SEED, options.calls)]
    calm = [hear(call) for call in compose_calls(clips, [NEVER], _SEED + 1, options.calls)]
    found: dict[str, Any] = {"all": figures(escalating, calm)}
    for corpus in sorted({clip.corpus for clip in clips}):
        own, quiet = (
            [h for h in some if h.call.speaker.startswith(f"{corpus}:")]
            for some in (escalating, calm)
        )
        found[corpus] = figures(own, quiet)
    for name, numbers in found.items():
        print(f"\n{name}")
        for key, value in numbers.items():
            print(f"  {key:34} {value}")
    for heard in (escalating[0], escalating[len(escalating) // 2], escalating[-1]):
        show(heard)
    if options.out:
        write(options.out, command("benchmarks/escalation.py", options), found)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
