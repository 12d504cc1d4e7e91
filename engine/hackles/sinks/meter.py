"""`hackles demo`: a sample call played through the live path, with a meter in the terminal."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import resources
from typing import Any

from rich import box
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from hackles.capture.files import Channels, Recording, open_recording
from hackles.classifier import Classifier
from hackles.guidance import tip
from hackles.pace import paced
from hackles.pipeline import CallPipeline
from hackles.sinks.output import screen
from hackles.tally import Tally
from hackles.types import Alert, Event, Reading, State
from hackles.wording import STATES, because, clock

# Shape and word beside the colour: a glance must do, whatever the eyes or the terminal.
_LOOK = {
    State.CALM: ("●", "green"),
    State.RISING: ("▲", "yellow"),
    State.IRRITATED: ("■", "red"),
    State.EASED: ("▽", "cyan"),
}
_BARS = "▁▂▃▄▅▆▇█"
_BAR_WIDTH = 44
_WIDTH, _HEIGHT = 80, 17
_CUSTOMER, _AGENT = 1, 0


@dataclass(slots=True)
class Meter:
    """What the terminal shows of a call."""

    duration_s: float
    turns: list[list[Any]]
    time: float = 0.0
    state: State = State.CALM
    readings: list[tuple[float, State]] = field(default_factory=list)
    alerts: list[Alert] = field(default_factory=list)

    def take(self, event: Event) -> None:
        """Take in one event."""
        if isinstance(event, Reading):
            self.readings.append((event.irritation, self.state))
        elif isinstance(event, Alert):
            self.state = event.state
            self.alerts.append(event)

    def __rich__(self) -> RenderableType:
        """Draw the meter."""
        parts: list[RenderableType] = [self._gauges(), Text(), self._said()]
        # What is said takes one line or two; the alert below it must not jump.
        parts += [Text("\n" if len(self._said()) < _WIDTH - 6 else "")]
        parts += [_alert_panel(self.alerts[-1])] if self.alerts else []
        _, colour = _LOOK[self.state]
        return Panel(
            Group(*parts),
            title="[bold]hackles demo[/] · a call made with a speech synthesiser",
            subtitle=f"{clock(self.time)} / {clock(self.duration_s)}",
            border_style=colour,
            box=box.ROUNDED,
            padding=(1, 2),
            width=_WIDTH,
            height=_HEIGHT,
        )

    def _gauges(self) -> Table:
        symbol, colour = _LOOK[self.state]
        level = self.readings[-1][0] if self.readings else 0.0
        full = round(level * _BAR_WIDTH)
        bar = Text("━" * full, style=colour) + Text("─" * (_BAR_WIDTH - full), style="bright_black")
        line = Text()
        for value, state in self.readings[-_BAR_WIDTH:]:
            line.append(_BARS[min(int(value * 8), 7)], style=_LOOK[state][1])
        gauges = Table.grid(padding=(0, 2))
        gauges.add_column(style="bright_black", justify="right")
        gauges.add_row("customer", Text(f"{symbol} {STATES[self.state]}", style=f"bold {colour}"))
        gauges.add_row("level", bar + Text(f"  {level:.2f} {self._trend()}"))
        gauges.add_row("so far", line)
        return gauges

    def _trend(self) -> str:
        values = [value for value, _ in self.readings[-6:]]
        change = values[-1] - values[0] if values else 0.0
        return "↗" if change > 0.08 else "↘" if change < -0.08 else "→"

    def _said(self) -> Text:
        for start, end, who, words in self.turns:
            if start <= self.time < end + 0.5:
                style = "bold" if who == "customer" else "bright_black"
                return Text(f"{who}: “{words}”", style=style)
        return Text("…", style="bright_black")


def _alert_panel(alert: Alert) -> Panel:
    symbol, colour = _LOOK[alert.state]
    head = Text(f"{symbol} {STATES[alert.state]}", style=f"bold {colour}")
    head.append(
        f"  at {clock(alert.time)}, since {clock(alert.since)}, confidence {alert.confidence:.0%}",
        style="default",
    )
    lines = [head, Text(because(alert), style=colour)]
    lines.append(Text(f"→ {tip(alert.state)}", style="bold"))
    return Panel(Group(*lines), border_style=colour, box=box.HEAVY)


@contextmanager
def opened() -> Iterator[tuple[Recording, dict[str, Any]]]:
    """Open the sample that travels with hackles, and give its truth with it."""
    folder = resources.files("hackles") / "samples"
    truth = json.loads((folder / "call.json").read_text(encoding="utf-8"))
    with (
        resources.as_file(folder / "call.wav") as path,
        open_recording(str(path), Channels(_CUSTOMER, _AGENT)) as recording,
    ):
        yield recording, truth


def demo(speed: float, classifier: Classifier) -> int:
    """Play the sample at `speed` times real time and show the meter; return the exit code."""
    console = screen()
    try:
        with opened() as (recording, truth):
            _play(console, recording, truth, speed, classifier)
    except KeyboardInterrupt:
        console.show_cursor()  # which rich leaves hidden if it comes with the first frame
        return 130
    return 0


def _play(
    console: Console,
    recording: Recording,
    truth: dict[str, Any],
    speed: float,
    classifier: Classifier,
) -> None:
    pipeline, tally = CallPipeline(classifier), Tally()
    meter = Meter(recording.duration_s or 0.0, truth["turns"])
    with Live(meter, console=console, auto_refresh=False) as live:
        for customer, agent in paced(recording.blocks(), speed):
            for event in pipeline.push(customer, agent):
                _show(console, live, meter, tally.count(event))
            meter.time = pipeline.duration_s
            live.refresh()
        for event in pipeline.flush():
            _show(console, live, meter, tally.count(event))
        live.refresh()
    _close(console, tally, pipeline, truth)


def _show(console: Console, live: Live, meter: Meter, event: Event) -> None:
    meter.take(event)
    if isinstance(event, Alert) and not console.is_terminal:
        live.console.print(f"{clock(event.time)}  {STATES[event.state]}: {because(event)}")


def _close(console: Console, tally: Tally, pipeline: CallPipeline, truth: dict[str, Any]) -> None:
    """Say in a few lines what the call came to."""
    summary = tally.summary(pipeline.duration_s, pipeline.speech_s, None)
    first = tally.first_alert
    console.print()
    console.print(
        f"{clock(summary.duration_s)} of call, {pipeline.speech_s:.0f} s of it the customer's "
        f"speech; {summary.alerts} warning{'s' if summary.alerts != 1 else ''}."
    )
    if first:
        spoken = sum(
            max(0.0, min(end, first.time) - max(start, truth["onset_s"]))
            for start, end, _ in truth["segments"]
        )
        console.print(
            f"The script turns sour at {clock(truth['onset_s'])} and is in full swing at "
            f"{clock(truth['plateau_s'])}; the warning came at {clock(first.time)}, after "
            f"{spoken:.0f} s of the customer's speech."
        )
    console.print(
        "Only the customer was listened to. Score your own calls: "
        "[bold]hackles score CALLS/ --customer right[/]"
    )
