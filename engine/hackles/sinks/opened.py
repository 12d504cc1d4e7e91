"""The sinks that the settings name."""

import secrets
import socket
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from hackles.exchange.messages import Order
from hackles.guidance import Guidance
from hackles.records import LiveRecord
from hackles.settings import Settings
from hackles.sinks.console import LiveConsole
from hackles.sinks.jsonl import JsonLines, StandardOutput
from hackles.sinks.sink import Sink
from hackles.wording import system_language

if TYPE_CHECKING:
    from hackles.sinks.board import BoardSink
    from hackles.sinks.record import RecordSink


def opened(
    settings: Settings,
    guidance: Guidance,
    answer: Callable[[LiveRecord, Literal["seen", "false_alarm"]], None],
) -> list[Sink]:
    """Return the sinks that the settings name, the record excepted.

    Args:
        settings: of the daemon.
        guidance: the cards that people are shown.
        answer: takes what a person says of an alert that a sink showed, on any thread.

    Raises:
        UsageError: if one of them cannot be opened.
    """
    output, found = settings.output, list[Sink]()
    language = settings.guidance.language or system_language()
    if output.jsonl == "-":
        found.append(StandardOutput())
    elif output.jsonl:
        found.append(JsonLines(output.jsonl, round(output.rotate_mb * 2**20), output.keep))
    if output.console:
        # Standard output is the machine's if it has JSON lines.
        file = sys.stderr if output.jsonl == "-" else sys.stdout
        found.append(LiveConsole(file, language, guidance))
    if settings.desktop is not None:
        from hackles.sinks.desktop import DesktopSink

        found.append(DesktopSink(settings.desktop.agent, language, guidance, answer))
    return found


def board_of(settings: Settings, obey: Callable[[Order], bool]) -> "BoardSink | None":
    """Return what tells wallboards, if the settings have any.

    Args:
        settings: of the daemon.
        obey: takes what people do at a board, on any thread; gives whether it could.

    Raises:
        UsageError: if it cannot be opened with these settings.
    """
    if settings.board is None:
        return None
    from hackles.exchange.linked import linked
    from hackles.exchange.outbox import Outbox
    from hackles.sinks.board import BoardSink

    engine = settings.board.name or socket.gethostname()
    return BoardSink(linked(settings.board, engine), Outbox(engine, secrets.token_hex(6)), obey)


def record_of(settings: Settings, model: str, configuration: str) -> "RecordSink | None":
    """Return the record, if the settings have one.

    Args:
        settings: of the daemon.
        model: the hash of the model that alerts come from.
        configuration: the hash of the settings.

    Raises:
        UsageError: if it cannot be opened with these settings.
    """
    if settings.store is None:
        return None
    # Without a record nobody needs the database's library, nor waits for it to be imported.
    from hackles.sinks.record import RecordSink

    return RecordSink(settings.store, model, configuration)
