"""Recordings to events: one file, or many on all cores.

A file is scored by the same pipeline that a live call goes through.
"""

import os
import signal
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context, parent_process
from threading import Thread, current_thread, main_thread
from typing import TypeVar

from hackles.capture.files import Channels, open_recording
from hackles.classifier import Classifier
from hackles.errors import AudioError
from hackles.listening import Listener, Measured
from hackles.models import Model
from hackles.pipeline import CALL_FRAMES, CallPipeline
from hackles.records import line
from hackles.tally import Tally
from hackles.types import Alert, Event, Summary

T = TypeVar("T")

_AHEAD = 4
"""Files that wait per process: enough to keep it busy, few enough to hold in memory."""


def score(
    path: str,
    channels: Channels,
    tally: Tally | None = None,
    classifier: Classifier | None = None,
) -> Iterator[Event | Summary]:
    """Yield the events of one recording as they are decided, then its summary.

    A file that cannot be read, or not to its end, gives what could be read, and a summary that
    says why.

    Args:
        path: of the recording.
        channels: whom to hear where.
        tally: counts the events as well.
        classifier: the model; the one that travels with hackles if None.
    """
    tally = tally or Tally()
    pipeline = CallPipeline(classifier)
    error: str | None = None
    try:
        with open_recording(path, channels) as recording:
            for customer, agent in recording.blocks():
                for event in pipeline.push(customer, agent):
                    yield tally.count(event)
    except AudioError as fault:
        error = str(fault)
    if pipeline.duration_s > 0:
        for event in pipeline.flush():
            yield tally.count(event)
    yield tally.summary(pipeline.duration_s, pipeline.speech_s, error)


@dataclass(frozen=True, slots=True)
class Heard:
    """A whole recording, measured but not judged; see `rejudging`.

    Attributes:
        path: of the recording.
        measured: its windows.
        speech_s: seconds of the customer's speech.
        error: why it was not heard to its end, if so.
    """

    path: str
    measured: Measured
    speech_s: float
    error: str | None


def hear(path: str, channels: Channels) -> Heard:
    """Measure one recording, just as `score` does before it judges."""
    listener = Listener(1, CALL_FRAMES, agents=True)
    windows: list[Measured] = []
    error: str | None = None
    try:
        with open_recording(path, channels) as recording:
            for customer, agent in recording.blocks():
                done = 0
                while done < len(customer.samples):
                    rest = customer.part(done, len(customer.samples))
                    done += listener.push(0, rest, agent)
                    windows.append(listener.tick()[0])
    except AudioError as fault:
        error = str(fault)
    if listener.ring.heard[0]:
        windows.append(listener.flush(0)[0])
    return Heard(path, Measured.join(windows), listener.speech_s(0), error)


def hear_many(paths: Sequence[str], channels: Channels, jobs: int) -> Iterator[Heard]:
    """Yield measured recordings in the order given, working on `jobs` at a time."""
    return each(partial(hear, channels=channels), _unheard, paths, jobs)


def _unheard(path: str, error: str) -> Heard:
    return Heard(path, Measured.join([]), 0.0, error)


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


def score_whole(path: str, channels: Channels, model: Model | None = None) -> Scored:
    """Score one recording and return everything at once."""
    tally = Tally()
    events = list(score(path, channels, tally, model.load() if model else None))
    lines = b"".join(line(path, event) for event in events)
    summary = events[-1]
    if not isinstance(summary, Summary):
        raise TypeError(f"the last event of a recording is its summary, not {summary!r}")
    return Scored(path, lines, summary, tally.first_alert)


def score_many(
    paths: Sequence[str], channels: Channels, jobs: int, model: Model | None = None
) -> Iterator[Scored]:
    """Yield scored recordings in the order given, working on `jobs` at a time."""
    return each(partial(score_whole, channels=channels, model=model), _killed, paths, jobs)


def _killed(path: str, error: str) -> Scored:
    summary = failed(error)
    return Scored(path, line(path, summary), summary, None)


def each(
    work: Callable[[str], T], killed: Callable[[str, str], T], paths: Sequence[str], jobs: int
) -> Iterator[T]:
    """Yield what came of each recording in the order given, working on `jobs` at a time.

    Args:
        work: is done in other processes, so it must be picklable, as what it returns.
        killed: what is yielded of a recording whose process died, with a sentence about it.
        paths: of the recordings.
        jobs: processes.
    """
    if jobs == 1 or len(paths) == 1:
        for path in paths:
            yield work(path)
        return
    rest = deque(paths)
    while rest:
        with _pool(min(jobs, len(rest))) as pool:
            under_way = yield from _work_in(pool, rest, work, _AHEAD * jobs)
        # Whose fault it was cannot be told: each that was under way gets a process alone.
        for path in under_way:
            yield _work_alone(path, work, killed)


def _work_in(
    pool: ProcessPoolExecutor, rest: deque[str], work: Callable[[str], T], most: int
) -> Generator[T, None, list[str]]:
    """Work until none is left, or a process dies; return the paths under way by then."""
    waiting: deque[tuple[str, Future[T]]] = deque()
    try:
        while rest or waiting:
            while rest and len(waiting) < most:
                waiting.append((rest[0], _submit(pool, work, rest[0])))
                rest.popleft()
            done = waiting[0][1].result()
            waiting.popleft()
            yield done
    except BrokenProcessPool:
        return [path for path, _ in waiting]
    return []


@contextmanager
def _pool(jobs: int) -> Iterator[ProcessPoolExecutor]:
    """Give a pool of processes that end at once when it is left, whatever they are doing."""
    pool = ProcessPoolExecutor(jobs, get_context("spawn"), initializer=_begin_process)
    try:
        yield pool
    finally:
        for process in list((getattr(pool, "_processes", None) or {}).values()):
            process.terminate()
        # Waits for the thread that looks after them: met by the program's end half-way through
        # closing its pipe, it would leave a traceback.
        pool.shutdown(cancel_futures=True)


def _submit(pool: ProcessPoolExecutor, work: Callable[[str], T], path: str) -> Future[T]:
    """Hand a recording to a pool, deaf to Ctrl-C: a process born here stays so from its birth."""
    if not hasattr(signal, "pthread_sigmask"):
        return pool.submit(work, path)
    with _later(signal.SIGINT):
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            return pool.submit(work, path)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _later(number: signal.Signals) -> Iterator[None]:
    """Let a signal wait until the end: blocked in this thread, it may still come to another's.

    Python would then break off the birth of a process half-way, which says so with a traceback.
    """
    before, came = signal.getsignal(number), []
    if before is None or current_thread() is not main_thread():
        yield
        return
    signal.signal(number, lambda *_: came.append(number))
    try:
        yield
    finally:
        signal.signal(number, before)
        if came:
            signal.raise_signal(number)


def _begin_process() -> None:
    """Leave Ctrl-C to the parent, and do not outlive it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _work_alone(path: str, work: Callable[[str], T], killed: Callable[[str, str], T]) -> T:
    """Work on one recording in a process of its own."""
    with _pool(1) as pool:
        try:
            return _submit(pool, work, path).result()
        except BrokenProcessPool:
            return killed(path, "its process was ended from outside; is there enough memory?")


def cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
