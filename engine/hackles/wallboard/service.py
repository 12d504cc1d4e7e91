"""The wallboard as a program: its rooms put together, and run until told to stop."""

import asyncio
import contextlib
import logging
from collections.abc import Coroutine
from typing import Any, Final

from hackles.live import logs
from hackles.live.pages import Page
from hackles.live.system import on_signals
from hackles.wallboard import access, access_roads, audit, floor, pages, watching, webhooks
from hackles.wallboard.application import application
from hackles.wallboard.board_roads import roads as board_roads
from hackles.wallboard.book import Book
from hackles.wallboard.happenings import Happening
from hackles.wallboard.hub import Hub
from hackles.wallboard.intake import Intake
from hackles.wallboard.patience import Patient
from hackles.wallboard.roads import Road
from hackles.wallboard.settings import Settings
from hackles.wallboard.webhooks.roads import roads as webhook_roads

_log = logging.getLogger(__name__)

_MOST: Final = 1000
"""Connections at a time: viewers, engines, and who asks."""

_PATIENCE_S: Final = 0.25
"""Whoever else writes into the book must not hold up the loop; what cannot be written waits."""

TABLES: Final = (access.TABLES, audit.TABLES, floor.TABLES, webhooks.TABLES)


def run(settings: Settings) -> int:
    """Show the board until told to stop; return the exit code.

    Raises:
        HacklesError: if it cannot begin.
    """
    logs.begin(settings.log)
    return asyncio.run(Service(settings).run())


class Service:
    """All rooms of the board, on one loop."""

    def __init__(self, settings: Settings) -> None:
        """Open the book, and build what stands on it.

        Raises:
            UsageError: if that cannot be done.
        """
        self._settings = settings
        self.book = Book(settings.board.folder, TABLES, _PATIENCE_S)
        self.audit = audit.Audit(self.book)
        self.access = access.Access(settings, self.book, self.audit)
        self.webhooks = webhooks.Webhooks(settings, self.book, audit=self.audit)
        self.intake = Intake(lambda message: self.floor.take(message))
        self.floor = floor.Floor(settings, self.book, self._tell, self.intake.acknowledge)
        self.hub = Hub(self.floor)

    def roads(self) -> list[Road]:
        """Return all roads of the board."""
        language = self._settings.board.language
        return [
            *pages.roads(language),
            *access_roads.roads(self.access),
            *board_roads(self.floor, self.hub, self.audit, language),
            *self.intake.roads(),
            *webhook_roads(self.webhooks),
            *watching.roads(self.floor, self.hub, self.webhooks),
        ]

    async def run(self) -> int:
        """Show the board until told to stop; return the exit code."""
        board, stop = self._settings.board, asyncio.Event()
        on_signals(asyncio.get_running_loop(), stop.set, _say_that_nothing_is_read)
        with contextlib.ExitStack() as stack:
            stack.callback(self.book.close)
            app = application(self.roads(), self.access)
            page = Page(
                app,
                stack,
                board.listen,
                most=_MOST,
                certificate=board.certificate,
                key=board.key,
                http=Patient,
            )
            tasks = [asyncio.create_task(work) for work in self._works()]
            serving = asyncio.create_task(page.serve())
            self._say_where()
            told = asyncio.create_task(stop.wait())
            done, _ = await asyncio.wait([told, *tasks], return_when=asyncio.FIRST_COMPLETED)
            self.hub.close()
            page.end()
            for task in (told, *tasks):
                task.cancel()
            ends = await asyncio.gather(*tasks, return_exceptions=True)
            await serving
        return _exit_code(told in done, ends)

    def _works(self) -> list[Coroutine[Any, Any, None]]:
        works = [self.hub.run(), self.webhooks.run()]
        feed = self._settings.feed
        if feed.broker:
            secret = access.engines_secret(feed.token_file) or b""
            works.append(self.intake.run(feed.broker, secret.decode(errors="surrogateescape")))
        return works

    def _tell(self, happening: Happening) -> None:
        """Pass on what happened; what people did is in the audit log already."""
        if happening.kind == "alert.escalated":
            self.audit.note("", f"escalated: {happening.escalated}", happening.alert)
        self.webhooks.put(happening)

    def _say_where(self) -> None:
        board, feed = self._settings.board, self._settings.feed
        scheme = "https" if board.certificate else "http"
        _log.info(
            "The board: %s; engines by %s; %s signs in.",
            board.public_url or f"{scheme}://{board.listen}",
            "Redis" if feed.broker else "their own feed",
            "nobody" if self._settings.sign_in.by == "nobody" else "everybody",
        )


def _say_that_nothing_is_read() -> None:
    _log.warning("The board reads its settings as it begins; start it again for other ones.")


def _exit_code(is_well: bool, ends: list[Any]) -> int:
    """Return 0 if it was told to stop, 1 if a part of it broke, and say so."""
    for end in ends:
        if isinstance(end, Exception):
            _log.error("A part of the board broke: %r.", end, exc_info=end)
    _log.info("Stopped.")
    return 0 if is_well else 1
