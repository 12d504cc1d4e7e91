"""Alerts as notifications on the desktop, and the answers that people give there."""

import asyncio
import contextlib
import logging
import threading
from collections.abc import Sequence
from typing import Any, Final

from hackles.guidance import Guidance
from hackles.records import Acknowledgement, LiveRecord
from hackles.sinks.notices import Notices
from hackles.sinks.notifications import Server, check_installed
from hackles.sinks.screen import Answer, Screen
from hackles.types import Alert, Summary
from hackles.wording import system_language

_log = logging.getLogger(__name__)

_RETRY_S: Final = 1.0
_DOUBLINGS: Final = 6
"""Of the pause between attempts: a minute at last."""

_PATIENCE_S: Final = 5.0
"""After so long it is said of a server that hangs; it is waited for all the same."""

_FAREWELL_S: Final = 0.3
_JOIN_S: Final = 0.5
_COMPLAINT: Final = (
    "Notifications cannot be shown (%s). They need a desktop session with a notification server: "
    "GNOME and KDE bring one, elsewhere install dunst. It is tried again; the agent's page goes on."
)


class DesktopSink:
    """Shows warnings on the desktop of whoever is signed in, and hands on the answers.

    D-Bus has its event loop on a thread of its own. `write`, `forget` and `close` only leave
    word there, so that a desktop that hangs holds up nobody.
    """

    name = "desktop"
    for_people = True

    def __init__(
        self, agent: str, language: str, guidance: Guidance | None, answer: Answer
    ) -> None:
        """Begin to look for a notification server.

        Args:
            agent: whose calls are shown; "" for everybody's.
            language: "" for the system's.
            guidance: where the cards are; None for those that travel with hackles.
            answer: is called, on the thread of D-Bus, with the alert that a person answered.

        Raises:
            UsageError: if this system can show no notifications at all.
        """
        check_installed()
        self._changed = asyncio.Event()
        notices = Notices(language or system_language(), guidance)
        self._screen = Screen(agent, notices, answer, self._changed.set)
        self._server: Server | None = None
        self._failures, self._has_complained, self._is_over = 0, False, False
        self._loop = asyncio.new_event_loop()
        self._loop.set_exception_handler(_note)
        self._serving = self._loop.create_task(self._serve())
        self._thread = threading.Thread(target=self._run, name="D-Bus", daemon=True)
        self._thread.start()

    def write(self, records: Sequence[LiveRecord]) -> None:
        """Have shown or cleared what these records ask for."""
        for record in records:
            if isinstance(record.event, Alert | Summary | Acknowledgement):
                self._loop.call_soon_threadsafe(self._screen.take, record)

    def rest(self) -> None:
        """Do nothing: this sink has a clock of its own."""

    def forget(self, call: str) -> None:
        """Have cleared what is shown of a call."""
        self._loop.call_soon_threadsafe(self._screen.forget, call)

    def close(self) -> None:
        """Clear everything, for nobody would hear the buttons any more."""
        self._loop.call_soon_threadsafe(self._end)
        self._thread.join(_JOIN_S)

    # On the thread of D-Bus.

    def _run(self) -> None:
        with contextlib.closing(self._loop), contextlib.suppress(asyncio.CancelledError):
            self._loop.run_until_complete(self._serving)

    def _end(self) -> None:
        self._is_over = True
        self._screen.end()
        self._changed.set()
        self._loop.call_later(_FAREWELL_S, self._serving.cancel)

    async def _serve(self) -> None:
        """Keep the screen in line with the calls, until told to end."""
        try:
            while not self._is_over:
                self._changed.clear()
                await self._settle()
                with contextlib.suppress(TimeoutError):  # then it is time to try again
                    async with asyncio.timeout(self._pause_s()):
                        await self._changed.wait()
            if self._server is not None:
                with contextlib.suppress(OSError):  # gone, and with it what it showed
                    await self._screen.clear(self._server)
        finally:
            await self._leave()

    def _pause_s(self) -> float | None:
        """Return after how long it is tried again; None if all is well."""
        return _RETRY_S * 2 ** min(self._failures - 1, _DOUBLINGS) if self._failures else None

    async def _settle(self) -> None:
        """Bring the screen in line with the calls, or say why that cannot be done."""
        late = self._loop.call_later(_PATIENCE_S, self._complain, "the server does not answer")
        try:
            server = await self._reached()
            await self._screen.settle(server)
        except OSError as error:
            await self._leave()
            self._failures += 1
            # One that is started again at once is no news.
            if self._failures > 1 or self._screen.is_behind():
                self._complain(str(error))
        else:
            if self._has_complained:
                _log.info("Notifications are shown again, by %s.", server.name)
            self._failures, self._has_complained = 0, False
        finally:
            late.cancel()

    def _complain(self, why: str) -> None:
        """Say why nothing is shown, once until something is shown again."""
        if not self._has_complained:
            self._has_complained = True
            _log.warning(_COMPLAINT, why)

    async def _reached(self) -> Server:
        """Return the server, by a new connection if the last one was lost."""
        if self._server is not None and self._server.is_lost:
            await self._leave()
        if self._server is None:
            self._server = Server(self._changed.set)
            await self._server.connect()
        return self._server

    async def _leave(self) -> None:
        """Give up the connection, and with it what it showed."""
        server, self._server = self._server, None
        self._screen.lose()
        if server is not None:
            await server.close()


def _note(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Take what asyncio complains of: a bus that dies leaves writes behind that nobody awaits."""
    _log.debug("D-Bus: %s", context.get("message"), exc_info=context.get("exception"))
