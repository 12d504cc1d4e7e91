"""Which alerts people are shown. All are recorded; one that is withheld says why."""

import time
from collections import deque
from collections.abc import Callable
from enum import StrEnum
from typing import Final

from hackles.live.news import Session
from hackles.settings import Alerts
from hackles.types import Alert, State

_HOUR_S: Final = 3600.0


class Withheld(StrEnum):
    """Why an alert is not shown."""

    SHADOW = "shadow"
    SNOOZED = "snoozed"
    HOURLY_CAP = "hourly_cap"
    FALSE_ALARM = "false_alarm"


class Showing:
    """Decides once for each episode; what follows within it goes the same way."""

    def __init__(self, alerts: Alerts, clock: Callable[[], float] = time.monotonic) -> None:
        """Show by these settings, which may change at any time."""
        self.alerts = alerts
        self._clock = clock
        self._shown: dict[str, deque[float]] = {}
        self._snoozed: dict[str, float] = {}
        self._episodes: dict[str, Withheld | None] = {}

    def snooze(self, who: str, seconds: float) -> None:
        """Show no new warnings for an agent, or of a call, for a while; 0 ends it."""
        now = self._clock()
        self._snoozed = {other: until for other, until in self._snoozed.items() if until > now}
        self._snoozed[who] = now + seconds

    def withheld(self, session: Session, alert: Alert) -> Withheld | None:
        """Return why an alert is not shown; None if it is."""
        if session.id not in self._episodes:
            self._episodes[session.id] = self._decide(session)
        # Whatever was shown before: from now on nobody is shown anything.
        why = Withheld.SHADOW if self.alerts.shadow else self._episodes[session.id]
        if alert.state is State.EASED:
            del self._episodes[session.id]
        return why

    def silence(self, session: str) -> None:
        """Show nothing more of an episode that the agent says is a false alarm."""
        if session in self._episodes:
            self._episodes[session] = Withheld.FALSE_ALARM

    def end(self, session: Session) -> None:
        """Forget a call."""
        self._episodes.pop(session.id, None)
        self._snoozed.pop(session.call, None)
        if not session.agent:
            self._shown.pop(session.call, None)

    def _decide(self, session: Session) -> Withheld | None:
        """Return why a new warning is not shown, and count one that is."""
        now = self._clock()
        if self.alerts.shadow:
            return Withheld.SHADOW
        if any(self._snoozed.get(who, now) > now for who in (session.agent, session.call)):
            return Withheld.SNOOZED
        shown = self._shown.setdefault(session.agent or session.call, deque())
        while shown and shown[0] <= now - _HOUR_S:
            shown.popleft()
        if self.alerts.most_per_hour and len(shown) >= self.alerts.most_per_hour:
            return Withheld.HOURLY_CAP
        shown.append(now)
        return None
