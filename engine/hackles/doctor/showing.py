"""All checks in their order, shown a line each."""

import os
import sys
from typing import Final

from rich.text import Text

from hackles.configuration import Checked, check
from hackles.doctor import (
    board,
    compliance,
    desktop,
    devices,
    installation,
    machine,
    network,
    record,
)
from hackles.doctor.told import Mark, Telling
from hackles.settings import Settings
from hackles.sinks.output import screen

DEFAULT_PATH: Final = "hackles.toml"
_COLOURS: Final = {Mark.WELL: "green", Mark.DOUBT: "yellow", Mark.FAULT: "bold red"}
_PLAIN: Final = {Mark.WELL: "ok", Mark.DOUBT: "!", Mark.FAULT: "X"}
"""Where the signs cannot be shown."""


def run(path: str | None) -> int:
    """Look at everything and show it.

    Args:
        path: the configuration file; None for the one that lies here, if any.

    Returns:
        The exit code: 1 if something will not work.

    Raises:
        OutputError: if the results cannot be written.
    """
    console = screen()
    signs = {mark: mark.value if _can_show(mark.value) else _PLAIN[mark] for mark in Mark}
    counts = dict.fromkeys(Mark, 0)
    for told in everything(_checked(path)):
        counts[told.mark] += 1
        line = Text(signs[told.mark], style=_COLOURS[told.mark])
        line.append(f" {told.topic}: ", style="default").append(told.text, style="default")
        console.print(line, soft_wrap=True, highlight=False)
    faults, doubts = counts[Mark.FAULT], counts[Mark.DOUBT]
    console.print(
        f"{faults} thing{'' if faults == 1 else 's'} will not work, {doubts} to look at.",
        highlight=False,
    )
    return 1 if faults else 0


def everything(checked: Checked[Settings] | None) -> Telling:
    """Yield what there is to say; without well settings, what can be said without."""
    settings = checked.settings if checked else None
    yield from installation.program()
    yield from installation.model(settings)
    yield from installation.parts(settings)
    yield from compliance.configuration(checked)
    if settings:
        yield from _of_settings(settings)
    yield from machine.clock()


def _of_settings(settings: Settings) -> Telling:
    yield from compliance.compliance(settings)
    yield from network.ports(settings)
    if settings.media:
        yield from network.certificate(settings.media)
    yield from record.record(settings)
    yield from board.board(settings)
    yield from desktop.notifications(settings)
    yield from devices.devices(settings)
    yield from machine.permissions(settings)
    yield from machine.capacity(settings)


def _checked(path: str | None) -> Checked[Settings] | None:
    if path is None and not os.path.exists(DEFAULT_PATH):
        return None
    return check(path or DEFAULT_PATH)


def _can_show(sign: str) -> bool:
    try:
        sign.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True
