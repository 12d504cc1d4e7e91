"""Outputs and microphones with their levels: live on a terminal, else once."""

import math
import os
import shlex
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Final

import msgspec
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from hackles.capture.sources import SoundSystem, Source, likely
from hackles.sinks.output import Lines, screen
from hackles.types import SCHEMA

_ONCE_S: Final = 1.0
_LIVE_S: Final = 0.2
"""How often the levels are drawn anew."""

_IN_A_PIPE: Final = 200
_BAR_WIDTH: Final = 12
_FLOOR_DB: Final = -60.0
_FALL_DB: Final = 6.0
"""How far a bar falls from one picture to the next, so that a syllable can be seen."""

_LOOKS: Final = ((-6.0, "red"), (-20.0, "yellow"), (_FLOOR_DB, "green"))


def show(system: SoundSystem, seconds: float | None, microphones: bool, as_lines: bool) -> None:
    """Show what can be heard.

    Args:
        system: who knows.
        seconds: how long it is metered; None on a terminal until Ctrl-C, else a second.
        microphones: whether to open these, too.
        as_lines: as JSON lines.

    Raises:
        UsageError: if the system cannot be asked.
        OutputError: if standard output cannot be written.
    """
    if as_lines:
        sources, peaks = _metered(system, seconds or _ONCE_S, microphones)
        with Lines() as out:
            for source in sources:
                out.write(_line(source, sources, peaks))
        return
    console = screen()
    if console.is_terminal:
        sources, levels = _live(console, system, seconds, microphones)
    else:
        if "COLUMNS" not in os.environ:
            console.width = _IN_A_PIPE
        sources, peaks = _metered(system, seconds or _ONCE_S, microphones)
        levels = {name: _decibels(peak) for name, peak in peaks.items()}
    printed(console, sources, levels)


def _metered(
    system: SoundSystem, seconds: float, microphones: bool
) -> tuple[list[Source], dict[str, float]]:
    names = [source.name for source in system.sources() if source.is_output or microphones]
    peaks = system.peaks(names, seconds)
    return system.sources(), peaks


def _live(
    console: Console, system: SoundSystem, seconds: float | None, microphones: bool
) -> tuple[list[Source], dict[str, float]]:
    """Draw the levels until it is enough; return the last of them."""
    end = math.inf if seconds is None else time.monotonic() + seconds
    levels: dict[str, float] = {}
    with (
        Live(console=console, auto_refresh=False, transient=True) as live,
        _interruptions() as interruptions,
    ):
        while True:
            sources, peaks = _metered(system, _LIVE_S, microphones)
            levels = {
                name: max(_decibels(peak), levels.get(name, -math.inf) - _FALL_DB)
                for name, peak in peaks.items()
            }
            if interruptions or time.monotonic() >= end:
                return sources, levels
            until = "" if seconds else "Ctrl-C ends this."
            live.update(view(console, sources, levels, until), refresh=True)


@contextmanager
def _interruptions() -> Iterator[list[int]]:
    """Note Ctrl-C instead of raising it, which would be lost within a call of the sound server."""
    noted: list[int] = []

    def note(number: int, _frame: FrameType | None) -> None:
        noted.append(number)

    before = signal.signal(signal.SIGINT, note)
    try:
        yield noted
    finally:
        signal.signal(signal.SIGINT, before)


def _decibels(peak: float) -> float:
    """Return a level from 0 to 1 in decibels below the highest there is."""
    return 20 * math.log10(peak) if peak > 0 else -math.inf


def printed(console: Console, sources: Sequence[Source], levels: Mapping[str, float]) -> None:
    """Print the table, its names whole, so that they can be copied."""
    for part in _parts(console, sources, levels, may_fold=False):
        console.print(part, soft_wrap=isinstance(part, Text), highlight=False)
    console.print()
    console.print(_advice(sources), soft_wrap=True, highlight=False)


def view(
    console: Console, sources: Sequence[Source], levels: Mapping[str, float], until: str
) -> RenderableType:
    """Return the table as it is drawn again and again, and how it ends."""
    return Group(*_parts(console, sources, levels, may_fold=True), Text(until, style="dim"))


def _parts(
    console: Console, sources: Sequence[Source], levels: Mapping[str, float], may_fold: bool
) -> Iterator[RenderableType]:
    """Yield the table line by line: a name has a line of its own, for it may be a long one."""
    is_plain = console.options.ascii_only
    best = likely(sources)
    outputs = [source for source in sources if source.is_output]
    microphones = [source for source in sources if not source.is_output]
    opened = any(source.name in levels for source in microphones)
    for title, devices in (
        ("Outputs: what is played to whoever sits here", outputs),
        (f"\nMicrophones{'' if opened else ': not opened'}", microphones),
    ):
        yield Text(title, style="bold")
        for source in devices:
            yield _name(source, source == best, is_plain, may_fold)
            yield _described(source, source == best, levels.get(source.name), is_plain)
        if not devices:
            yield Text("  none")


def _name(source: Source, is_likely: bool, is_plain: bool, may_fold: bool) -> RenderableType:
    """Return the line of a name; what is printed for good is left to the terminal to break."""
    style = "bold cyan" if is_likely else "cyan"
    mark = Text((">" if is_plain else "▶") if is_likely else " ", style=style)
    if not may_fold:
        return mark.append(f" {source.name}")
    line = Table.grid(padding=(0, 1, 0, 0))
    line.add_column(width=1)
    line.add_column(overflow="fold")
    line.add_row(mark, Text(source.name, style=style))
    return line


def _described(
    source: Source, is_likely: bool, level: float | None, is_plain: bool
) -> RenderableType:
    about = Table.grid(padding=(0, 2, 0, 0))
    about.add_column(width=2)
    if level is not None:
        about.add_column(no_wrap=True)
        about.add_column(no_wrap=True, justify="right", width=6)
    about.add_column(overflow="fold")
    bar = () if level is None else (_bar(level, is_plain), _told(level))
    about.add_row("", *bar, _about(source, is_likely))
    return about


def _about(source: Source, is_likely: bool) -> Text:
    said = [source.description if source.description != source.name else ""]
    if source.players:
        said.append(f"plays: {', '.join(source.players)}")
    elif source.is_running:
        said.append("plays now" if source.is_output else "is listened to")
    said.append("the system's own" if source.is_default else "")
    said.append("likely the customer" if is_likely else "")
    return Text(" · ".join(filter(None, map(_printable, said))))


def _printable(said: str) -> str:
    """Return what somebody else wrote, without what would move the cursor."""
    return "".join(sign if sign.isprintable() else " " for sign in said)


def _bar(level: float, is_plain: bool) -> Text:
    full = round((max(level, _FLOOR_DB) / -_FLOOR_DB + 1) * _BAR_WIDTH)
    look = next((look for floor, look in _LOOKS if level >= floor), "")
    signs = "#-" if is_plain else "━─"
    bar = Text(signs[0] * full, style=look)
    return bar.append(signs[1] * (_BAR_WIDTH - full), style="bright_black")


def _told(level: float) -> str:
    return "silent" if level < _FLOOR_DB else f"{level:.0f} dB"


def _advice(sources: Sequence[Source]) -> Text:
    """Return what to do now."""
    best = likely(sources)
    if best is None:
        return Text("Nothing is played here; plug in the headset, and look again.")
    return Text(f"Listen to it: hackles live --device {shlex.quote(best.name)}")


def _line(source: Source, sources: Sequence[Source], peaks: Mapping[str, float]) -> bytes:
    """Return a device as a line of JSON, with its line end."""
    said = {
        "schema": SCHEMA,
        "type": "device",
        "name": source.name,
        "description": source.description,
        "kind": "output" if source.is_output else "microphone",
        "likely": source == likely(sources),
        "default": source.is_default,
        "running": source.is_running,
        "players": source.players,
        "peak": peaks.get(source.name),
    }
    return msgspec.json.encode(said) + b"\n"
