"""The front's desk: news of all workers becomes records, and goes to the sinks and the metrics."""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final

from hackles.capture.complaints import Complaints
from hackles.exchange.messages import Acknowledge, Order, Tell
from hackles.live.cue import Cue
from hackles.live.cues import Cues
from hackles.live.lookups import Lookups
from hackles.live.metrics import Metrics
from hackles.live.news import (
    Begun,
    Ended,
    Forgotten,
    News,
    Refused,
    Report,
    Session,
    Timed,
    Told,
    Unheard,
)
from hackles.live.showing import Withheld
from hackles.records import CallNews, Deed, Earlier, LiveEvent, LiveRecord, Timing, Verdict
from hackles.sinks.sink import Feed
from hackles.tally import Tally
from hackles.types import Alert, Event, Reading, State, Summary
from hackles.wording import system_language

_log = logging.getLogger(__name__)

_LOUD: Final = (
    "The agent's microphone hears the customer: a loudspeaker? With a headset hackles hears "
    "better, and turns are timed truly."
)


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
        cues: Cues,
        metrics: Metrics,
        on_forgotten: Callable[[str], None],
        has_withdrawn: Callable[[str], bool],
        digest: Callable[[str], str] = lambda _: "",
        clock: Callable[[], float] = time.time,
        *,
        board: Feed | None = None,
        lookups: Lookups | None = None,
    ) -> None:
        """Begin with no call.

        Args:
            feeds: where records go.
            cues: what agents are shown.
            metrics: what is counted.
            on_forgotten: is told of a call that a worker may hear no longer.
            has_withdrawn: whether a call's caller withdrew consent: news of it may be under way.
            digest: makes of a customer's number what may be kept of it, or "".
            clock: seconds since 1970.
            board: where supervisors' wallboards are told; people look at those, but not the agent
                of the call.
            lookups: looks up customers' earlier calls.
        """
        self._digest, self._lookups = digest, lookups
        self._on_forgotten, self._has_withdrawn = on_forgotten, has_withdrawn
        self.cues, self.showing, self.metrics = cues, cues.showing, metrics
        self._board, self._clock = board, clock
        self._feeds = (*feeds, board) if board else tuple(feeds)
        self._has_people = any(feed.for_people for feed in feeds)
        self._calls: dict[str, LiveCall] = {}
        self._complaints = Complaints(_log)

    def calls(self) -> Iterator[LiveCall]:
        """Yield the calls that are listened to."""
        return iter(list(self._calls.values()))

    def knows(self, name: str) -> bool:
        """Return whether a call of that name is listened to, or waits for its form."""
        known = (*self.calls(), *self.cues)
        return any(one.session.call == name for one in known)

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
            self._close(call, call.time, error=why)
        return len(lost)

    def withdraw(self, call: str) -> None:
        """Delete what is kept of a call; what stays is that its caller withdrew consent."""
        for known in self.calls():
            if known.session.call == call:
                del self._calls[known.session.id]
                self.showing.end(known.session)
        others = self.cues.forget(call)
        for feed in self._feeds:
            feed.forget(call)
        _log.info(
            "Call %r: the caller withdrew consent; whatever is kept of it is being deleted.", call
        )
        self._put(Session("", call, "", ""), CallNews("withdrawn"))
        for cue in others:
            self._stand(cue)

    # What wallboards are told beside, and ask for.

    def obey(self, order: Order) -> None:
        """Do what was asked for at a wallboard."""
        match order:
            case Acknowledge(session=session, alert=alert, verdict=verdict, by=by):
                self.answer(session, alert, verdict, by)
            case Tell():
                self.stand()

    def stand(self) -> None:
        """Tell the wallboards all that is known of every live call."""
        for cue in self.cues:
            self._stand(cue)

    def _stand(self, cue: Cue) -> None:
        if self._board is None or cue.session.id not in self._calls:
            return
        standing = cue.standing()
        if self.showing.alerts.shadow:
            standing = replace(standing, state=State.CALM, points=(), alert=None, since_alert="")
        self._board.put(self._record(cue.session, standing))

    def _time(self, session: str, timing: Timing) -> None:
        """Tell who speaks for how long in a call that goes on; what is kept comes at its end."""
        if self._board is None or session not in self._calls or not self._is_for_board(timing):
            return
        self._board.put(self._record(self._calls[session].session, timing))

    def look_up(self, cue: Cue) -> None:
        """Find what came of this customer's earlier calls, if nobody has asked for that yet."""
        if cue.earlier is None and cue.session.customer and self._lookups is not None:
            cue.earlier = asked = list[Earlier]()
            found = partial(self._on_earlier, cue, asked)
            self._lookups.put(cue.session.customer, cue.session.id, found)

    def _on_earlier(self, cue: Cue, asked: Sequence[Earlier], earlier: Sequence[Earlier]) -> None:
        if cue.earlier is asked:  # or one of these calls was forgotten meanwhile
            cue.earlier = earlier
            self.cues.version += 1
            if earlier:
                self._stand(cue)

    # What people do about calls.

    def answer(self, session: str, alert: str, verdict: Verdict, by: str = "") -> None:
        """Record what is said of an alert that was shown: by its agent, or at a wallboard."""
        cue, said = self.cues.known(session), self.cues.answer(session, alert, verdict, by)
        if cue is not None and said is not None:
            self._put(cue.session, said)

    def show_card(self, session: str, language: str) -> None:
        """Record that people are shown the card of a call, if that was not yet said."""
        cue = self.cues.find(session)
        shown = self.cues.card_shown(cue, language) if cue is not None else None
        if cue is not None and shown is not None:
            self._put(cue.session, shown)

    def record(self, session: Session, deed: Deed) -> None:
        """Record what was done about a call, unless its caller withdrew consent."""
        if not self._has_withdrawn(session.call):
            self._put(session, deed)

    def sinks(self) -> dict[str, tuple[int, int]]:
        """Return of each sink how many records wait, and how many it dropped."""
        return {feed.name: (feed.waiting(), feed.dropped) for feed in self._feeds}

    def close(self, patience_s: float) -> None:
        """Let the sinks take in what waits."""
        until = time.monotonic() + patience_s
        for feed in self._feeds:  # at once: one that hangs takes no other's time
            feed.end()
        for feed in self._feeds:
            feed.close(max(until - time.monotonic(), 0.1))

    def _take(self, worker: int, news: News) -> None:
        match news:
            case Told(session=id_, event=event, delay_s=delay_s):
                if id_ in self._calls:
                    self._tell(self._calls[id_], event, delay_s)
            case Timed(session=id_, timing=timing):
                self._time(id_, timing)
            case Begun(session=session) if not self._has_withdrawn(session.call):
                self._begin(worker, replace(session, customer=self._digest(session.customer)))
            case Ended(session=id_, duration_s=duration_s, speech_s=speech_s, timing=timing):
                if id_ in self._calls:
                    self.metrics.call("ended")
                    self._close(self._calls[id_], duration_s, speech_s, timing)
            case Refused(call=call, reason=reason):
                self._refuse(call, str(reason))
                self.metrics.refused(reason)
            case Forgotten(call=call):
                self._on_forgotten(call)
            case Unheard(why=why):
                self.metrics.device(not why)
                self.cues.tell_unheard(why)

    def _begin(self, worker: int, session: Session) -> None:
        self._calls[session.id] = LiveCall(session, worker, self._clock())
        self.metrics.call("begun")
        _log.info("Call %r is listened to.", session.call)
        cue = self.cues.begin(session)
        self._put(session, CallNews("begun", consent=session.consent, customer=session.customer))
        if self._board is not None:
            self.look_up(cue)

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
        card = self.cues.tell(call.session.id, event, withheld)
        self._put(call.session, event, withheld, card)
        if card and self._has_people:
            self.show_card(call.session.id, self.cues.language or system_language())

    def _close(
        self,
        call: LiveCall,
        duration_s: float,
        speech_s: float | None = None,
        timing: Timing | None = None,
        error: str | None = None,
    ) -> None:
        """Tell what a call came to, and forget it."""
        if timing is not None:
            self._put(call.session, timing)
        summary = call.tally.summary(duration_s, speech_s, error)
        self._put(call.session, summary)
        is_loud = timing is not None and timing.is_loud
        self.cues.end(call.session.id, duration_s, error, is_loud)
        self.showing.end(call.session)
        del self._calls[call.session.id]
        _log.info(
            "Call %r has ended after %.0f s; warnings: %d%s.",
            call.session.call,
            duration_s,
            summary.alerts,
            f" ({error})" if error else "",
        )
        if is_loud:
            _log.warning(_LOUD)

    def _refuse(self, call: str, reason: str) -> None:
        self.metrics.call("refused")
        self._complaints.warning("Call %r is not listened to: %s.", call, reason)
        self._put(Session("", call, "", ""), CallNews("refused", reason))

    def _put(
        self,
        session: Session,
        event: LiveEvent,
        withheld: Withheld | None = None,
        card: str = "",
    ) -> None:
        record = self._record(session, event, withheld, card)
        for feed in self._feeds:
            if withheld is not None and feed.for_people:
                continue
            if feed is not self._board or self._is_for_board(event):
                feed.put(record)

    def _is_for_board(self, event: LiveEvent) -> bool:
        """Return whether supervisors may see it: in shadow mode, that there are calls."""
        return not self.showing.alerts.shadow or isinstance(event, CallNews | Summary)

    def _record(
        self,
        session: Session,
        event: LiveEvent,
        withheld: Withheld | None = None,
        card: str = "",
    ) -> LiveRecord:
        return LiveRecord(
            session.call,
            session.id,
            session.queue,
            session.agent,
            self._clock(),
            event,
            withheld,
            card,
        )
