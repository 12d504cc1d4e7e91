"""The sinks that the settings name."""

import sys
from collections.abc import Iterator

from hackles.settings import Settings
from hackles.sinks.console import LiveConsole
from hackles.sinks.jsonl import JsonLines, StandardOutput
from hackles.sinks.sink import Sink


def opened(settings: Settings, model: str, configuration: str) -> Iterator[Sink]:
    """Yield the sinks that the settings name.

    Args:
        settings: of the daemon.
        model: a hash of the model that alerts come from.
        configuration: a hash of the settings.

    Raises:
        UsageError: if one of them cannot be opened.
    """
    output = settings.output
    if output.jsonl == "-":
        yield StandardOutput()
    elif output.jsonl:
        yield JsonLines(output.jsonl, round(output.rotate_mb * 2**20), output.keep)
    if output.console:
        # Standard output is the machine's if it has JSON lines.
        yield LiveConsole(sys.stderr if output.jsonl == "-" else sys.stdout)
    if settings.store is not None:
        # Without a record nobody needs the database's library, nor waits for it to be imported.
        from hackles.sinks.record import RecordSink

        yield RecordSink(settings.store, model, configuration)
