"""Earlier calls of a customer, looked up beside the loop by a record that may hang.

The loop's own executor would not do: a program waits at its end for the threads of those.
"""

import asyncio
import contextlib
import logging
import queue
import threading
from collections.abc import Callable, Sequence
from typing import TypeAlias

from hackles.records import Earlier

_log = logging.getLogger(__name__)

Ask: TypeAlias = Callable[[str, str], Sequence[Earlier]]
Found: TypeAlias = Callable[[Sequence[Earlier]], None]


class Lookups:
    """Asks one thing after the other; whatever hangs holds up nobody but those behind it."""

    def __init__(self, ask: Ask) -> None:
        """Ask by this function, which may take its time, or never return.

        It is given the digest of a customer's number, and the session that is under way.
        """
        self._ask = ask
        self._wanted: queue.SimpleQueue[tuple[str, str, asyncio.AbstractEventLoop, Found]]
        self._wanted = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def put(self, customer: str, session: str, found: Found) -> None:
        """Look up what came of a customer's earlier calls; `found` is called on this loop."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="lookups", daemon=True)
            self._thread.start()
        self._wanted.put((customer, session, asyncio.get_running_loop(), found))

    def _run(self) -> None:
        while True:
            customer, session, loop, found = self._wanted.get()
            try:
                earlier = self._ask(customer, session)
            except Exception:  # noqa: BLE001 - what nobody foresaw must not end the thread
                _log.debug("A lookup: a fault of ours.", exc_info=True)
                continue
            with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
                loop.call_soon_threadsafe(found, earlier)
