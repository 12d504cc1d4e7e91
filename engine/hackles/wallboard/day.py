"""The counts of the day: of calls and alerts of teams, never of one person.

Each call and each alert of the day has a row in the board's book, without the call's name, so that
counts outlive a restart; they go at midnight.
"""

import statistics
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import msgspec

from hackles.wallboard.book import Book
from hackles.wallboard.scope import Scope, Teams
from hackles.wallboard.shapes import Day, Step

TABLES: Final = """
CREATE TABLE IF NOT EXISTS day_calls (
    session TEXT PRIMARY KEY, teams TEXT NOT NULL, begun_at REAL NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS day_alerts (
    alert TEXT PRIMARY KEY,
    session TEXT NOT NULL,
    teams TEXT NOT NULL,
    raised_at REAL NOT NULL,
    seen_at REAL,
    step TEXT NOT NULL
) STRICT;
"""

FEWEST: Final = 10
"""Of fewer, a rate or a median says nothing."""

_ANSWERS: Final = (Step.RESOLVED, Step.FALSE_ALARM)
_TEAMS: Final = msgspec.json.Decoder(frozenset[str])


@dataclass(slots=True)
class _Alert:
    session: str
    teams: Teams
    raised_at: float
    seen_at: float | None = None
    step: Step = Step.RAISED


@dataclass(slots=True)
class _Tally:
    """What is counted of the calls of the same teams."""

    calls: int = 0
    warned: set[str] = field(default_factory=set)
    alerts: int = 0
    answered: int = 0
    false_alarms: int = 0
    seen_after_s: list[float] = field(default_factory=list)


class Counts:
    """What is counted since midnight; `version` grows with each change."""

    def __init__(self, book: Book, clock: Callable[[], float]) -> None:
        """Go on where this day's rows end."""
        self._book, self._clock = book, clock
        self._waiting: list[tuple[str, tuple[Any, ...]]] = []
        self.version = 0
        self._told: dict[Scope, Day] = {}
        self._load()

    def begin(self, session: str, teams: Teams, at: float) -> None:
        """Count a call, once."""
        if session in self._calls or at < self.midnight:
            return
        self._count_call(session, teams)
        self._put("INSERT OR IGNORE INTO day_calls VALUES (?, ?, ?)", session, _json(teams), at)

    def raised(self, alert: str, session: str, teams: Teams, at: float) -> None:
        """Count an alert, once."""
        if alert in self._alerts or at < self.midnight:
            return
        self.begin(session, teams, at)
        self._count_alert(alert, _Alert(session, teams, at))
        self._put(
            "INSERT OR IGNORE INTO day_alerts VALUES (?, ?, ?, ?, NULL, 'raised')",
            alert,
            session,
            _json(teams),
            at,
        )

    def step(self, alert: str, step: Step, at: float) -> None:
        """Count what people did about an alert."""
        known = self._alerts.get(alert)
        if known is None:
            return
        if step is not Step.ENDED and known.seen_at is None:
            known.seen_at = at
            self._tallies[known.teams].seen_after_s.append(max(at - known.raised_at, 0.0))
        known.step = step
        self._count_answer(known)
        said = "UPDATE day_alerts SET seen_at = ?, step = ? WHERE alert = ?"
        self._put(said, known.seen_at, step.value, alert)

    def forget(self, sessions: Iterable[str]) -> None:
        """Count a call no longer."""
        self.flush()
        for session in sessions:
            self._book.do("DELETE FROM day_calls WHERE session = ?", session)
            self._book.do("DELETE FROM day_alerts WHERE session = ?", session)
        self._load()

    def tick(self) -> None:
        """Write down what is new, and begin anew at midnight."""
        self.flush()
        if self._clock() >= self._next_midnight:
            self._load()

    def flush(self) -> None:
        """Write down what is new: many calls may begin at once, and each write waits for a disk."""
        if self._waiting:
            with self._book.together():
                for sql, values in self._waiting:
                    self._book.do(sql, *values)
            self._waiting = []

    def of(self, scope: Scope) -> Day | None:
        """Return the counts of whatever calls are counted for somebody."""
        if not scope.counted:
            return None
        if scope not in self._told:
            self._told[scope] = self._sum(scope)
        return self._told[scope]

    def _sum(self, scope: Scope) -> Day:
        seen = [tally for teams, tally in self._tallies.items() if scope.counts(teams)]
        after_s = [after_s for tally in seen for after_s in tally.seen_after_s]
        answered = sum(tally.answered for tally in seen)
        false_alarms = sum(tally.false_alarms for tally in seen)
        return Day(
            since_at=self.midnight,
            calls=sum(tally.calls for tally in seen),
            warned=sum(len(tally.warned) for tally in seen),
            alerts=sum(tally.alerts for tally in seen),
            seen=len(after_s),
            answered=answered,
            false_alarms=false_alarms,
            seen_after_s=round(statistics.median(after_s), 1) if len(after_s) >= FEWEST else None,
            false_alarm_rate=round(false_alarms / answered, 3) if answered >= FEWEST else None,
        )

    def _put(self, sql: str, *values: object) -> None:
        self._change()
        self._waiting.append((sql, values))

    def _change(self) -> None:
        self.version += 1
        self._told = {}

    def _load(self) -> None:
        """Take up this day's rows, and delete those of the days before."""
        self._change()
        self.midnight, self._next_midnight = _day_of(self._clock())
        self._calls: set[str] = set()
        self._alerts: dict[str, _Alert] = {}
        self._tallies: defaultdict[Teams, _Tally] = defaultdict(_Tally)
        self._book.do("DELETE FROM day_calls WHERE begun_at < ?", self.midnight)
        self._book.do("DELETE FROM day_alerts WHERE raised_at < ?", self.midnight)
        for row in self._book.rows("SELECT * FROM day_calls"):
            self._count_call(row["session"], _TEAMS.decode(row["teams"]))
        for row in self._book.rows("SELECT * FROM day_alerts"):
            teams, step = _TEAMS.decode(row["teams"]), Step(row["step"])
            alert = _Alert(row["session"], teams, row["raised_at"], row["seen_at"], step)
            self._count_alert(row["alert"], alert)

    def _count_call(self, session: str, teams: Teams) -> None:
        self._calls.add(session)
        self._tallies[teams].calls += 1

    def _count_alert(self, id_: str, alert: _Alert) -> None:
        self._alerts[id_] = alert
        tally = self._tallies[alert.teams]
        tally.alerts += 1
        tally.warned.add(alert.session)
        if alert.seen_at is not None:
            tally.seen_after_s.append(max(alert.seen_at - alert.raised_at, 0.0))
        self._count_answer(alert)

    def _count_answer(self, alert: _Alert) -> None:
        tally = self._tallies[alert.teams]
        tally.answered += alert.step in _ANSWERS
        tally.false_alarms += alert.step is Step.FALSE_ALARM


def _day_of(now: float) -> tuple[float, float]:
    """Return this and the next midnight of the board's time zone."""
    today = datetime.fromtimestamp(now).replace(hour=0, minute=0, second=0, microsecond=0)
    # From noon to noon: a day of which clocks are changed has 23 or 25 hours.
    tomorrow = datetime.fromtimestamp(today.timestamp() + 36 * 3600.0)
    following = tomorrow.replace(hour=0, minute=0, second=0, microsecond=0)
    return today.timestamp(), following.timestamp()


def _json(teams: Teams) -> str:
    return msgspec.json.encode(sorted(teams)).decode()
