"""Where a daemon's events go. A sink that is slow, or dead, holds up nobody but itself."""

import contextlib
import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, TypeAlias

from hackles.records import LiveRecord

_log = logging.getLogger(__name__)

_ROOM: Final = 20_000
"""Records that wait for a sink; at a thousand calls these are some twenty seconds."""

_AT_ONCE: Final = 500
_SAID_EVERY_S: Final = 60.0
_RETRY_S: Final = 1.0
_REST_S: Final = 0.5
_NOT_DELETED: Final = (
    "Sink %s: a call whose caller withdrew consent was NOT deleted; delete the call %r by hand."
)


class Sink(Protocol):
    """Takes what happens in live calls; called on a thread of its own.

    Attributes:
        name: for logs and metrics.
        for_people: whether people see it: withheld alerts are kept from such a sink.
    """

    name: str
    for_people: bool

    def write(self, records: Sequence[LiveRecord]) -> None:
        """Take in some records.

        Raises:
            OSError: if that cannot be done now; they are counted as dropped.
        """

    def forget(self, call: str) -> None:
        """Delete whatever is kept of a call.

        Raises:
            OSError: if that cannot be done now; it is tried again until it can.
        """

    def rest(self) -> None:
        """Do what was put off, if anything.

        Called about twice a second: when nothing else comes, and between batches.
        """

    def close(self) -> None:
        """Take in no more."""


@dataclass(frozen=True, slots=True)
class _Forget:
    call: str


_Item: TypeAlias = LiveRecord | _Forget | None


class Feed:
    """A sink on its own thread, behind a queue that counts what it has no room for."""

    def __init__(self, sink: Sink, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin to feed it."""
        self.name, self.for_people = sink.name, sink.for_people
        self.dropped = 0
        self._sink, self._clock = sink, clock
        self._queue: queue.Queue[_Item] = queue.Queue()
        self._said = -_SAID_EVERY_S
        self._unsaid = 0
        self._withdrawn: set[str] = set()
        self._at_hand: Sequence[_Item] = ()
        self._is_closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"sink {sink.name}", daemon=True)
        self._thread.start()

    def put(self, record: LiveRecord) -> None:
        """Hand over a record, or count it as dropped."""
        if self._queue.qsize() >= _ROOM:
            self._drop(1, "it does not keep up")
        else:
            self._queue.put(record)

    def forget(self, call: str) -> None:
        """Have what is kept of a call deleted, and nothing told that waits of it."""
        self._withdrawn.add(call)
        self._queue.put(_Forget(call))

    def waiting(self) -> int:
        """Return how many records wait."""
        return self._queue.qsize()

    def end(self) -> None:
        """Let it take in what waits, and nothing more."""
        self._is_closing.set()
        self._queue.put(None)

    def close(self, patience_s: float) -> None:
        """End it, and wait no longer than `patience_s`; what it leaves is counted and said."""
        if not self._is_closing.is_set():
            self.end()
        self._thread.join(patience_s)
        if self._thread.is_alive():
            self._give_up()

    def _run(self) -> None:
        is_over = False
        rested = self._clock()
        while not is_over:
            items, is_over = self._some()
            self._at_hand = items
            at = 0
            for place, item in enumerate(items):
                if isinstance(item, _Forget):
                    self._write(items[at:place])
                    self._delete(item.call)
                    self._withdrawn.discard(item.call)
                    at = place + 1
            self._write(items[at:])
            self._at_hand = ()
            if self._clock() - rested >= _REST_S and not is_over:
                self._rest()
                rested = self._clock()
        self._sink.close()

    def _rest(self) -> None:
        try:
            self._sink.rest()
        except Exception as error:  # noqa: BLE001 - nor must this end the thread
            _log.debug("Sink %s: a fault of ours.", self.name, exc_info=True)
            self._say(f"what was put off cannot be done ({error!r})")

    def _some(self) -> tuple[list[LiveRecord | _Forget], bool]:
        """Wait a while for the next items; return them, and whether no more will come."""
        items: list[LiveRecord | _Forget] = []
        try:
            item = self._queue.get(timeout=_REST_S)
        except queue.Empty:
            return items, False
        while item is not None:
            items.append(item)
            if len(items) == _AT_ONCE or self._queue.empty():
                return items, False
            item = self._queue.get()
        return items, True

    def _write(self, items: Sequence[LiveRecord | _Forget]) -> None:
        # Whatever comes of a call before the order to delete it is not told any more.
        records = [
            item
            for item in items
            if isinstance(item, LiveRecord) and item.call not in self._withdrawn
        ]
        if not records:
            return
        try:
            self._sink.write(records)
        except OSError as error:
            self._drop(len(records), str(error))
        except Exception as error:  # noqa: BLE001 - what nobody foresaw must not end the thread
            _log.debug("Sink %s: a fault of ours.", self.name, exc_info=True)
            self._drop(len(records), repr(error))

    def _delete(self, call: str) -> None:
        """Delete a call; a caller's wish is not dropped because a disk is full for a while."""
        while True:
            try:
                self._sink.forget(call)
            except Exception as error:  # noqa: BLE001 - nor let anything stay
                self._say(f"what is kept of a call cannot be deleted yet ({error!r})")
            else:
                return
            if self._is_closing.wait(_RETRY_S):
                _log.error(_NOT_DELETED, self.name, call)
                return

    def _give_up(self) -> None:
        """Say what is lost with a sink that hangs."""
        left = [*self._at_hand]
        with contextlib.suppress(queue.Empty):
            while True:
                left.append(self._queue.get_nowait())
        self._queue.put(None)  # for the thread, should it ever come back
        for call in dict.fromkeys(item.call for item in left if isinstance(item, _Forget)):
            _log.error(_NOT_DELETED, self.name, call)
        count = sum(isinstance(item, LiveRecord) for item in left)
        self.dropped += count
        if count:
            _log.error(
                "Sink %s hangs: %d records are lost, as the end came first.", self.name, count
            )

    def _drop(self, count: int, why: str) -> None:
        self.dropped += count
        self._unsaid += count
        self._say(f"{self._unsaid} records were dropped ({why})")

    def _say(self, what: str) -> None:
        """Say something, at most once a minute."""
        if self._clock() - self._said >= _SAID_EVERY_S:
            self._said, self._unsaid = self._clock(), 0
            _log.warning("Sink %s: %s.", self.name, what)
