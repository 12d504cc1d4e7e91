"""Recordings to events: one file, or many on all cores.

A file is scored by the same pipeline that a live call goes through.
"""

import os
import signal
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from itertools import islice
from multiprocessing import get_context

from hackles.capture.files import Channels, open_recording
from hackles.errors import AudioError
from hackles.pipeline import CallPipeline
from hackles.records import line
from hackles.types import Alert, Event, Reading, State, Summary

_AHEAD = 4
"""Files that wait per process: enough to keep it busy, few enough to hold in memory."""


@dataclass(slots=True)
class Tally:
    """What a recording has come to so far."""

    alerts: int = 0
    first_alert: Alert | None = None
    _inside: bool = False
    _readings: int = 0
    _sum: float = 0.0
    _max: float | None = field(default=None)

    def count(self, event: Event) -> Event:
        """Take in one event, and pass it on."""
        if isinstance(event, Reading):
            self._readings += 1
            self._sum += event.irritation
            self._max = max(self._max or 0.0, event.irritation)
        elif isinstance(event, Alert):
            inside = event.state in (State.RISING, State.IRRITATED)
            if inside and not self._inside:
                self.alerts += 1
                self.first_alert = self.first_alert or event
            self._inside = inside
        return event

    def summary(self, pipeline: CallPipeline, error: str | None) -> Summary:
        """Return the summary of the recording."""
        return Summary(
            duration_s=round(pipeline.duration_s, 4),
            speech_s=round(pipeline.speech_s, 2),
            irritation_max=self._max,
            irritation_mean=round(self._sum / self._readings, 4) if self._readings else None,
            alerts=self.alerts,
            error=error,
        )


def score(path: str, channels: Channels, tally: Tally | None = None) -> Iterator[Event | Summary]:
    """Yield the events of one recording as they are decided, then its summary.

    A file that cannot be read, or not to its end, gives what could be read, and a summary that
    says why.
    """
    tally = tally or Tally()
    pipeline = CallPipeline()
    error: str | None = None
    try:
        with open_recording(path, channels) as recording:
            for customer, _ in recording.blocks():
                for event in pipeline.push(customer):
                    yield tally.count(event)
    except AudioError as fault:
        error = str(fault)
    if pipeline.duration_s > 0:
        for event in pipeline.flush():
            yield tally.count(event)
    yield tally.summary(pipeline, error)


def failed(error: str) -> Summary:
    """Return the summary of a recording that could not be opened at all."""
    return Summary(0.0, 0.0, None, None, 0, error)


@dataclass(frozen=True, slots=True)
class Scored:
    """A whole recording, scored: its lines of JSON, and what a table shows of it."""

    path: str
    lines: bytes
    summary: Summary
    first_alert: Alert | None


def score_whole(path: str, channels: Channels) -> Scored:
    """Score one recording and return everything at once."""
    tally = Tally()
    events = list(score(path, channels, tally))
    lines = b"".join(line(path, event) for event in events)
    summary = events[-1]
    if not isinstance(summary, Summary):
        raise TypeError(f"the last event of a recording is its summary, not {summary!r}")
    return Scored(path, lines, summary, tally.first_alert)


def score_many(paths: Sequence[str], channels: Channels, jobs: int) -> Iterator[Scored]:
    """Yield scored recordings in the order given, working on `jobs` at a time."""
    if jobs == 1 or len(paths) == 1:
        for path in paths:
            yield score_whole(path, channels)
        return
    rest = iter(paths)
    waiting: deque[tuple[str, Future[Scored]]] = deque()
    pool = _pool(min(jobs, len(paths)))
    try:
        while True:
            room = _AHEAD * jobs - len(waiting)
            waiting += [(p, pool.submit(score_whole, p, channels)) for p in islice(rest, room)]
            if not waiting:
                return
            path, future = waiting.popleft()
            try:
                yield future.result()
            except BrokenProcessPool:
                # Whose fault it was cannot be told: each that was under way gets a process alone.
                for again in [path, *(p for p, _ in waiting)]:
                    yield _score_alone(again, channels)
                waiting.clear()
                pool = _pool(min(jobs, len(paths)))
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        for process in list((getattr(pool, "_processes", None) or {}).values()):
            process.terminate()


def _pool(jobs: int) -> ProcessPoolExecutor:
    """Return a pool whose processes leave Ctrl-C to their parent."""
    return ProcessPoolExecutor(jobs, get_context("spawn"), initializer=_ignore_interrupts)


def _ignore_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _score_alone(path: str, channels: Channels) -> Scored:
    """Score one recording in a process of its own."""
    with _pool(1) as pool:
        try:
            return pool.submit(score_whole, path, channels).result()
        except BrokenProcessPool:
            summary = failed("its process was ended from outside; is there enough memory?")
            return Scored(path, line(path, summary), summary, None)


def cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
