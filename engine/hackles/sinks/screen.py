"""Which warnings are on the screen, and which should be: one for each call, until it is over."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final, Literal, TypeAlias

from hackles.records import Acknowledgement, LiveEvent, LiveRecord, record_id
from hackles.sinks.notices import SHAPES, Notices
from hackles.sinks.notifications import Notice, Server
from hackles.types import Alert

_log = logging.getLogger(__name__)

Verdict: TypeAlias = Literal["seen", "false_alarm"]
Answer: TypeAlias = Callable[[LiveRecord, Verdict], None]

_TOO_LATE_S: Final = 60.0
"""A warning that could not be shown for so long is none any more."""


@dataclass(slots=True, eq=False)
class _Warning:
    """The newest warning of a call.

    Attributes:
        record: as it came.
        alert: its event.
        since: when it came, by a steady clock.
        was_shown: whether it was; it is not shown again.
        number: its notification's, 0 while there is none.
        is_forgotten: whether nothing may be told of its call any more.
    """

    record: LiveRecord
    alert: Alert
    since: float
    was_shown: bool = False
    number: int = 0
    is_forgotten: bool = False


class Screen:
    """Keeps what is shown in line with what happens in the calls; all of it on one thread."""

    def __init__(
        self, agent: str, notices: Notices, answer: Answer, on_change: Callable[[], None]
    ) -> None:
        """Begin with nothing shown.

        Args:
            agent: whose calls are shown; "" for everybody's.
            notices: puts warnings into words.
            answer: is called with the alert that a person answered.
            on_change: is called when `settle` has something to do.
        """
        self._agent, self._notices = agent, notices
        self._answer, self._on_change = answer, on_change
        self._warnings: dict[str, _Warning] = {}
        self._obsolete: list[_Warning] = []

    def take(self, record: LiveRecord) -> None:
        """Take in an alert, the end of a call, or what somebody says of an alert."""
        event, known = record.event, self._warnings.get(record.call)
        if isinstance(event, Alert) and event.state in SHAPES:
            if self._agent in ("", record.agent):
                self._drop(record.call)
                self._warnings[record.call] = _Warning(record, event, time.monotonic())
                self._on_change()
        elif known is not None and _ends(event, record.session, known.record):
            self._drop(record.call)

    def forget(self, call: str) -> None:
        """Have what is shown of a call cleared, and take no answer to it any more."""
        for known in (*self._warnings.values(), *self._obsolete):
            known.is_forgotten |= known.record.call == call
        self._drop(call)

    def end(self) -> None:
        """Have everything cleared."""
        for call in list(self._warnings):
            self._drop(call)

    def lose(self) -> None:
        """Take it that nothing is shown any more: the server is gone, or the way to it."""
        self._obsolete.clear()
        for known in self._warnings.values():
            known.number = 0

    def is_behind(self) -> bool:
        """Return whether a warning waits to be shown."""
        return any(not known.was_shown for known in self._warnings.values())

    async def settle(self, server: Server) -> None:
        """Show and clear what is to be shown and cleared.

        A new notification is shown before the one that it replaces is cleared: no blinking.

        Raises:
            OSError: if the server does not take it.
        """
        for call, known in list(self._warnings.items()):
            if known.was_shown or self._warnings.get(call) is not known:
                continue
            if time.monotonic() - known.since > _TOO_LATE_S:
                self._drop(call)
                continue
            known.number = await server.show(self._notice(known))
            known.was_shown = True
            if self._warnings.get(call) is not known:  # it was over while it was being shown
                self._obsolete.append(known)
        await self.clear(server)

    async def clear(self, server: Server) -> None:
        """Clear what is to be cleared.

        Raises:
            OSError: if the server is gone.
        """
        while self._obsolete:
            await server.clear(self._obsolete[0].number)
            del self._obsolete[0]  # others may have come behind it

    def _drop(self, call: str) -> None:
        """Have what is shown of a call cleared, and know of it no more."""
        known = self._warnings.pop(call, None)
        if known is not None and known.number:
            self._obsolete.append(known)
            self._on_change()

    def _notice(self, known: _Warning) -> Notice:
        return self._notices.notice(
            known.record.card,
            known.alert,
            partial(self._on_answer, known, "seen"),
            partial(self._on_answer, known, "false_alarm"),
        )

    def _on_answer(self, known: _Warning, verdict: Verdict) -> None:
        if known.is_forgotten:
            return
        if self._warnings.get(known.record.call) is known:  # else it was about to be cleared
            self._drop(known.record.call)
        try:
            self._answer(known.record, verdict)
        except Exception:  # noqa: BLE001 - what nobody foresaw must not end the notifications
            _log.error("A person's answer to a warning (%s) was lost.", verdict)
            _log.debug("A fault of ours.", exc_info=True)


def _ends(event: LiveEvent, session: str, warning: LiveRecord) -> bool:
    """Return whether a warning is over by an event of that session of its call."""
    if isinstance(event, Acknowledgement) and event.by:  # a supervisor sees no agent's screen
        return event.verdict == "false_alarm" and session == warning.session
    if isinstance(event, Acknowledgement):
        return event.alert == record_id(warning)  # not if it is of one before
    return session == warning.session
