"""What `hackles score` shows: JSON lines for machines, a table and a progress bar for people."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from hackles import batch
from hackles.capture.files import Channels, find_recordings
from hackles.errors import AudioError
from hackles.models import Model
from hackles.records import line
from hackles.sinks.output import Lines, screen
from hackles.types import Summary
from hackles.wording import because, clock

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be scored, and how."""

    paths: Sequence[str]
    channels: Channels
    model: Model
    jobs: int

    def scored(self) -> Iterator[batch.Scored]:
        """Yield the recordings, scored, in their order."""
        return batch.score_many(self.paths, self.channels, self.jobs, self.model)


def run(
    paths: Sequence[str], channels: Channels, model: Model, jsonl: bool, jobs: int | None
) -> int:
    """Score recordings and folders, show the results, and return the exit code.

    Raises:
        OutputError: if the results cannot be written.
    """
    found, missing = find(paths)
    order = Order(found, channels, model, jobs or batch.cores())
    try:
        if jsonl:
            with Lines() as out:
                return _write_lines(out, order, missing)
        return _show_table(order, missing)
    except KeyboardInterrupt:
        return 130


def find(paths: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """Return the recordings below the paths, and for each path without one the reason."""
    found: list[str] = []
    missing: dict[str, str] = {}
    for path in paths:
        try:
            found += find_recordings(path)
        except AudioError as error:
            missing[path] = str(error)
    return list(dict.fromkeys(found)), missing


def _write_lines(out: Lines, order: Order, missing: dict[str, str]) -> int:
    """Write every event as it is decided, or file by file where several are scored at a time."""
    faults = len(missing)
    for path, error in missing.items():
        out.write(line(path, batch.failed(error)))
    if order.jobs == 1 or len(order.paths) == 1:
        for path in order.paths:
            for event in batch.score(path, order.channels, classifier=order.model.load()):
                out.write(line(path, event))
                faults += isinstance(event, Summary) and event.error is not None
    else:
        for scored in order.scored():
            out.write(scored.lines)
            faults += scored.summary.error is not None
    return 1 if faults else 0


def _show_table(order: Order, missing: dict[str, str]) -> int:
    """Show a row per file as a table, and what went wrong below it."""
    console = screen()
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("call", overflow="fold", ratio=1)
    for name in ("length", "speech", "warnings", "first", "peak"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("what moved", overflow="fold", ratio=1)
    faults = dict(missing)
    for scored in with_progress(order.scored(), len(order.paths), "scoring"):
        if scored.summary.error is not None:
            faults[scored.path] = scored.summary.error
        if scored.summary.duration_s > 0:
            _add_row(table, scored)
    if table.row_count:
        console.print(table)
    say_faults(faults)
    return 1 if faults else 0


def say_faults(faults: Mapping[str, str]) -> None:
    """Say on standard error what is wrong with recordings, a line each."""
    errors = Console(stderr=True, soft_wrap=True)
    for path, error in faults.items():
        errors.print(Text(f"{path}: {error}"), style="red", highlight=False)


def with_progress(done: Iterable[T], total: int, what: str) -> Iterator[T]:
    """Yield what is done with a progress bar on standard error, if that is a terminal."""
    console = Console(stderr=True)
    columns = (
        TextColumn(what),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task(what, total=total)
        for one in done:
            bar.advance(task)
            yield one


def _add_row(table: Table, scored: batch.Scored) -> None:
    """Add one recording to the table."""
    summary, first = scored.summary, scored.first_alert
    peak = summary.irritation_max
    table.add_row(
        Text(scored.path),
        clock(summary.duration_s),
        clock(summary.speech_s or 0.0),
        Text(str(summary.alerts), style="bold yellow" if summary.alerts else "green"),
        clock(first.time) if first else "–",
        f"{peak:.2f}" if peak is not None else "–",
        because(first) if first else "",
    )
