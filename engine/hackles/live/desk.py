"""The front's desk: news of all workers becomes records, and goes to the sinks and the metrics."""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from hackles.capture.complaints import Complaints
from hackles.live.metrics import Metrics
from hackles.live.news import Begun, Ended, Forgotten, News, Refused, Report, Session, Told
from hackles.live.showing import Showing, Withheld
from hackles.records import CallNews, LiveRecord
from hackles.sinks.sink import Feed
from hackles.tally import Tally
from hackles.types import Alert, Event, Reading, State, Summary

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class LiveCall:
    """What is known of a call that is listened to."""

    session: Session
    worker: int
    begun: float
    state: State = State.CALM
    level: float | None = None
    time: float = 0.0
    tally: Tally = field(default_factory=Tally)


class Desk:
    """All calls of all workers."""

    def __init__(
        self,
        feeds: Sequence[Feed],
        showing: Showing,
        metrics: Metrics,
        on_forgotten: Callable[[str], None],
        has_withdrawn: Callable[[str], bool],
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Begin with no call.

        Args:
            feeds: where records go.
            showing: which alerts people are shown.
            metrics: what is counted.
            on_forgotten: is told of a call that a worker may hear no longer.
            has_withdrawn: whether a call's caller withdrew consent: news of it may be under way.
            clock: seconds since 1970.
        """
        self._on_forgotten, self._has_withdrawn = on_forgotten, has_withdrawn
        self.showing, self.metrics = showing, metrics
        self._feeds, self._clock = tuple(feeds), clock
        self._calls: dict[str, LiveCall] = {}
        self._complaints = Complaints(_log)

    def calls(self) -> Iterator[LiveCall]:
        """Yield the calls that are listened to."""
        return iter(list(self._calls.values()))

    def find(self, name: str) -> LiveCall | None:
        """Return the call of that name, if it is listened to."""
        return next((call for call in self.calls() if call.session.call == name), None)

    def take(self, worker: int, report: Report) -> None:
        """Take in what a worker says."""
        self.metrics.report(worker, report)
        for news in report.news:
            self._take(worker, news)

    def lose(self, worker: int, why: str) -> int:
        """Report the calls of a worker that died as lost, and return how many they were."""
        lost = [call for call in self.calls() if call.worker == worker]
        for call in lost:
            self.metrics.call("lost")
            self._close(call, call.time, None, why)
        return len(lost)

    def withdraw(self, call: str) -> None:
        """Delete what is kept of a call; what stays is that its caller withdrew consent."""
        for known in self.calls():
            if known.session.call == call:
                del self._calls[known.session.id]
                self.showing.end(known.session)
        for feed in self._feeds:
            feed.forget(call)
        _log.info("Call %r: the caller withdrew consent; what was kept of it is deleted.", call)
        self._put(Session("", call, "", ""), CallNews("withdrawn"))

    def sinks(self) -> dict[str, tuple[int, int]]:
        """Return of each sink how many records wait, and how many it dropped."""
        return {feed.name: (feed.waiting(), feed.dropped) for feed in self._feeds}

    def close(self, patience_s: float) -> None:
        """Let the sinks take in what waits."""
        until = time.monotonic() + patience_s
        for feed in self._feeds:
            feed.close(max(until - time.monotonic(), 0.1))

    def _take(self, worker: int, news: News) -> None:
        match news:
            case Told(session=id_, event=event, delay_s=delay_s):
                if id_ in self._calls:
                    self._tell(self._calls[id_], event, delay_s)
            case Begun(session=session) if not self._has_withdrawn(session.call):
                self._calls[session.id] = LiveCall(session, worker, self._clock())
                self._begin(session)
            case Ended(session=id_, duration_s=duration_s, speech_s=speech_s):
                if id_ in self._calls:
                    self.metrics.call("ended")
                    self._close(self._calls[id_], duration_s, speech_s, None)
            case Refused(call=call, reason=reason):
                self._refuse(call, str(reason))
                self.metrics.refused(reason)
            case Forgotten(call=call):
                self._on_forgotten(call)

    def _begin(self, session: Session) -> None:
        self.metrics.call("begun")
        _log.info("Call %r is listened to.", session.call)
        self._put(session, CallNews("begun"))

    def _tell(self, call: LiveCall, event: Event, delay_s: float) -> None:
        """Pass an event on, to people if they are to see it."""
        withheld: Withheld | None = None
        call.time = max(call.time, event.time)
        call.tally.count(event)
        if isinstance(event, Reading):
            call.level = event.irritation
        elif isinstance(event, Alert):
            call.state = event.state
            withheld = self.showing.withheld(call.session, event)
        self.metrics.event(event, delay_s, withheld)
        self._put(call.session, event, withheld)

    def _close(
        self, call: LiveCall, duration_s: float, speech_s: float | None, error: str | None
    ) -> None:
        """Tell what a call came to, and forget it."""
        summary = call.tally.summary(duration_s, speech_s, error)
        self._put(call.session, summary)
        self.showing.end(call.session)
        del self._calls[call.session.id]
        _log.info(
            "Call %r has ended after %.0f s; warnings: %d%s.",
            call.session.call,
            duration_s,
            summary.alerts,
            f" ({error})" if error else "",
        )

    def _refuse(self, call: str, reason: str) -> None:
        self.metrics.call("refused")
        self._complaints.warning("Call %r is not listened to: %s.", call, reason)
        self._put(Session("", call, "", ""), CallNews("refused", reason))

    def _put(
        self, session: Session, event: Event | Summary | CallNews, withheld: Withheld | None = None
    ) -> None:
        record = LiveRecord(
            session.call,
            session.id,
            session.queue,
            session.agent,
            self._clock(),
            event,
            withheld,
        )
        for feed in self._feeds:
            if withheld is None or not feed.for_people:
                feed.put(record)
