"""The sinks that the settings name."""

import sys
from collections.abc import Iterator

from hackles.settings import Output
from hackles.sinks.console import LiveConsole
from hackles.sinks.jsonl import JsonLines, StandardOutput
from hackles.sinks.sink import Sink


def opened(output: Output) -> Iterator[Sink]:
    """Yield the sinks that the settings name.

    Raises:
        UsageError: if one of them cannot be opened.
    """
    if output.jsonl == "-":
        yield StandardOutput()
    elif output.jsonl:
        yield JsonLines(output.jsonl, round(output.rotate_mb * 2**20), output.keep)
    if output.console:
        # Standard output is the machine's if it has JSON lines.
        yield LiveConsole(sys.stderr if output.jsonl == "-" else sys.stdout)
