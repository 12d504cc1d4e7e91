"""The alerts of all calls: their lives, what falls due, and who is told of it."""

from collections.abc import Callable, Iterable
from typing import Final

from hackles.wallboard.book import Book
from hackles.wallboard.day import Counts
from hackles.wallboard.escalation import due
from hackles.wallboard.happenings import Happening
from hackles.wallboard.hosts import GONE_S
from hackles.wallboard.life import AlertLife, Entry
from hackles.wallboard.live_call import LiveCall
from hackles.wallboard.lives import Lives
from hackles.wallboard.saying import Saying
from hackles.wallboard.settings import Escalation
from hackles.wallboard.shapes import Step
from hackles.wallboard.writing import Writing

_LOOK_S: Final = 3600.0


class Alerts:
    """Each change of a life is written down, counted and told."""

    def __init__(
        self,
        rules: tuple[Escalation, ...],
        book: Book,
        on_happening: Callable[[Happening], None],
        clock: Callable[[], float],
    ) -> None:
        """Go on where the book ends.

        Args:
            rules: the escalation policy.
            book: holds lives and counts.
            on_happening: is told what happens.
            clock: seconds since 1970.
        """
        self._rules, self._writing = rules, Writing(book)
        self._lives = Lives(self._writing)
        self.counts = Counts(self._writing, clock)
        # Who is told writes into the book, too: to the audit log, and what webhooks send.
        self.say = Saying(lambda happening: self._writing.do(lambda _book: on_happening(happening)))
        self._orphans = {life.alert: life for life in self._lives.open()}
        self._orphans_end_at = clock() + GONE_S
        self._expire_at = 0.0

    def adopt(self, call: LiveCall) -> None:
        """Give a call the lives that its alerts had before this board began."""
        call.lives = self._lives.of(call.session)
        call.by_alert = {life.alert: life for life in call.lives}
        for alert in call.by_alert:
            self._orphans.pop(alert, None)

    def start(self, call: LiveCall, alert: str, at: float) -> AlertLife:
        """Return the life of an episode that begins with this alert; new if it is not known."""
        life = call.by_alert.get(alert)
        if life is None:
            caller = self._lives.caller(call.engine, call.call)
            life = AlertLife(alert, call.engine, call.session, call.teams, caller)
            call.lives.append(life)
            call.by_alert[alert] = life
            self._add(life, Entry(what=Step.RAISED.value, by="", at=at), call)
            self.counts.raised(alert, call.session, call.teams, at)
        return life

    def step(self, call: LiveCall | None, life: AlertLife, step: Step, by: str, at: float) -> bool:
        """Take a step, and return whether that changed anything.

        Raises:
            NotPossible: if the alert has come further, or to another end.
        """
        if not life.take(step, by, at):
            return False
        self._keep(life, life.entries[-1], call)
        self.counts.step(life.alert, step, at)
        return True

    def end(self, call: LiveCall, at: float) -> None:
        """End what is open of a call."""
        for life in call.lives:
            if not life.is_over:
                self.step(call, life, Step.ENDED, "", at)

    def escalate(self, call: LiveCall, heard_at: float, now: float) -> bool:
        """Tell what falls due of a call's alert, and return whether anything did."""
        life = call.episode
        if life is None or life.is_over:
            return False
        found = list(due(self._rules, call, life, heard_at, now))
        for name, rule in found:
            self._add(life, Entry(what=rule.do, by="", at=now, rule=name, left=rule.left), call)
        return bool(found)

    def withdraw(self, engine: str, call: str, sessions: Iterable[str], at: float) -> None:
        """Delete what is kept of a call, and have others delete it."""
        gone = self._lives.forget(self._lives.caller(engine, call), sessions)
        self.counts.forget(gone)
        for life in list(self._orphans.values()):
            if life.session in gone:
                del self._orphans[life.alert]
        # What was deleted still stands in the log beside the book, until that is written anew.
        self._writing.do(lambda book: book.rows("PRAGMA wal_checkpoint(TRUNCATE)"))
        for session in sorted(gone):
            self.say.withdrawn(engine, session, at)

    def tick(self, now: float) -> None:
        """End what no call came back for, and delete what is old enough."""
        if self._orphans and now >= self._orphans_end_at:
            for life in self._orphans.values():
                self.step(None, life, Step.ENDED, "", now)
            self._orphans = {}
        if now >= self._expire_at:
            self._expire_at = now + _LOOK_S
            self._lives.expire(now)
        self._writing.retry()
        self.counts.tick()

    def _add(self, life: AlertLife, entry: Entry, call: LiveCall) -> None:
        life.entries.append(entry)
        self._keep(life, entry, call)

    def _keep(self, life: AlertLife, entry: Entry, call: LiveCall | None) -> None:
        self._lives.keep(life)
        self.say.entry(life, entry, call)
