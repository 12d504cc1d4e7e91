"""Tells supervisors' wallboards what happens, and brings back what people do there."""

import logging
import random
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Final, NamedTuple

import msgspec

from hackles import records as of_call
from hackles.exchange.link import Link, LinkError
from hackles.exchange.messages import (
    BEAT_S,
    Answer,
    Beat,
    Earlier,
    Heard,
    Message,
    Order,
    Said,
    Standing,
)
from hackles.exchange.outbox import Outbox
from hackles.records import CallNews, LiveEvent, LiveRecord, Outcome, Satisfaction, live_line
from hackles.types import Gap, Reading

_log = logging.getLogger(__name__)

_AT_ONCE: Final = 200
_GATHERED_S: Final = 0.2
"""Readings and gaps wait so long for others; all else is sent at once."""

_REST_S: Final = (0.1, 0.2, 0.4, 0.8, 1.6)
"""After each failure in a row, plus up to a quarter by chance: 2 s at most."""

_PATIENCE_S: Final = (5.0, 10.0, 20.0, 40.0, 60.0)
"""What nobody confirms for so long is sent again: a broker may have lost it, unseen by us."""

_WITHDRAWN: Final = "withdrawn"
_SAID_EVERY_S: Final = 60.0
_MOST_BOARDS: Final = 8
_LONGEST_NAME: Final = 200


class Stands(NamedTuple):
    """How the engine stands; see `Beat`."""

    calls: int = 0
    shadow: bool = False
    behind_s: float = 0.0


class BoardSink:
    """Numbers what happens, sends it, and keeps it until a board has confirmed it.

    Attributes:
        stands: how the engine stands; set from any thread.
    """

    name = "board"
    for_people = True

    def __init__(
        self,
        link: Link,
        outbox: Outbox,
        obey: Callable[[Order], bool],
        clock: Callable[[], float] = time.monotonic,
        today: Callable[[], float] = time.time,
    ) -> None:
        """Begin with nothing said.

        Args:
            link: the way to the boards.
            outbox: keeps what they have not confirmed.
            obey: takes each of their orders once, on this sink's thread; gives whether it could.
            clock: seconds from any start.
            today: seconds since 1970.
        """
        self.stands = Stands()
        self._link, self._outbox, self._obey = link, outbox, obey
        self._clock, self._today = clock, today
        # Its own: what others draw from the common one does not hang on when a board is away.
        self._random = random.Random()  # noqa: S311
        self._done: OrderedDict[str, int] = OrderedDict()
        self._talked = self._beaten = self._not_before = clock() - BEAT_S
        self._confirmed, self._impatience = clock(), 0
        self._failures, self._is_away = 0, False
        self._said = dict.fromkeys(("away", "lost"), clock() - _SAID_EVERY_S)
        self._told_lost = 0

    def write(self, records: Sequence[LiveRecord]) -> None:
        """Take in some records."""
        if not self._outbox:
            self._confirmed = self._clock()
        for record in records:
            if _is_to_tell(record.event):
                self._outbox.say(said(record), record.at)
        is_urgent = any(not isinstance(record.event, Reading | Gap) for record in records)
        if is_urgent or self._clock() - self._talked >= _GATHERED_S:
            self._talk()

    def forget(self, call: str) -> None:
        """Say nothing of a call but this, and have deleted what lies on its way."""
        self._link.forget(self._outbox.forget(call))
        gone = LiveRecord(call, "", "", "", self._today(), CallNews(_WITHDRAWN))
        self._outbox.say(said(gone), gone.at)
        self._talk()

    def rest(self) -> None:
        """Send what waits, and say that the engine is there."""
        waited_s = self._clock() - self._confirmed
        if self._outbox and waited_s >= _step(_PATIENCE_S, self._impatience):
            self._confirmed, self._impatience = self._clock(), self._impatience + 1
            self._outbox.again()
        self._talk()
        self._say_lost()

    def close(self) -> None:
        """Send what waits, if there is anybody, and nothing more."""
        self._talk()
        self._link.close()

    def _talk(self) -> None:
        """Send what was not sent, unless that has just failed."""
        if self._clock() < self._not_before:
            return
        try:
            while messages := self._next():
                answers = self._link.send(messages)
                self._arrive()
                for answer in answers:
                    self._take(answer)
        except LinkError as error:
            self._fail(error)
        self._talked = self._clock()

    def _arrive(self) -> None:
        """Take it that there is a way to the boards."""
        self._failures = 0
        if self._is_away:
            self._is_away = False
            _log.info("Wallboard: it is reached again.")

    def _next(self) -> list[Message]:
        """Return what is to be sent next, with a beat behind it if one is due."""
        messages = self._outbox.next(_AT_ONCE)
        if self._clock() - self._beaten >= BEAT_S:
            self._beaten = self._clock()
            stands, lost = self.stands._asdict(), self._outbox.lost
            beat = Beat(**stands, lost=lost, done=dict(self._done))
            messages.append(self._outbox.beat(beat, self._today()))
        return messages

    def _take(self, answer: Answer) -> None:
        """Let go what a board has confirmed, and do what it asks for."""
        if answer.run != self._outbox.run:
            return
        if self._outbox.confirm(answer.heard):
            self._confirmed, self._impatience = self._clock(), 0
        done = self._done.pop(answer.board, 0)
        for order in answer.orders:
            if order.seq > done and self._obey(order):
                done = order.seq
        self._done[answer.board] = done
        if len(self._done) > _MOST_BOARDS:
            self._done.popitem(last=False)

    def _fail(self, error: LinkError) -> None:
        """Take it that nothing arrived, and try again in a while."""
        self._outbox.again()
        rest_s = _step(_REST_S, self._failures) * self._random.uniform(1.0, 1.25)
        self._failures += 1
        self._not_before = self._clock() + rest_s
        self._is_away = True
        self._say(
            "away",
            "Wallboard: it cannot be reached (%s). It is tried again; what happens is kept for it, "
            "%d messages by now.",
            error,
            len(self._outbox),
        )

    def _say_lost(self) -> None:
        lost = self._outbox.lost - self._told_lost
        if lost and self._say(
            "lost",
            "Wallboard: it was away for long; %d messages it did not hear were let go.",
            lost,
        ):
            self._told_lost += lost

    def _say(self, what: str, sentence: str, *args: object) -> bool:
        """Say something once a minute at most, and return whether it was said."""
        is_due = self._clock() - self._said[what] >= _SAID_EVERY_S
        if is_due:
            self._said[what] = self._clock()
            _log.warning(sentence, *args)
        return is_due


def _is_to_tell(event: LiveEvent) -> bool:
    """Return whether boards are told: not of what none shows, nor again of a caller's wish."""
    is_wish = isinstance(event, CallNews) and event.state == _WITHDRAWN
    return not is_wish and not isinstance(event, Outcome | Satisfaction)


def said(record: LiveRecord) -> Said:
    """Return what boards are told of a record."""
    queue, agent = record.queue[:_LONGEST_NAME], record.agent[:_LONGEST_NAME]
    if isinstance(record.event, of_call.Standing):
        return _standing(record, record.event, queue, agent)
    return Heard(line=_line(record), queue=queue, agent=agent, card=record.card)


def _standing(record: LiveRecord, event: of_call.Standing, queue: str, agent: str) -> Standing:
    return Standing(
        call=record.call[:_LONGEST_NAME],
        session=record.session,
        begun_at=event.begun_at,
        queue=queue,
        agent=agent,
        time=event.time,
        state=event.state,
        points=list(event.points),
        alert=_line(event.alert) if event.alert else None,
        since_alert=event.since_alert,
        card=event.card,
        notes=list(event.notes),
        earlier=[Earlier(**asdict(one)) for one in event.earlier],
    )


def _line(record: LiveRecord) -> dict[str, object]:
    line: dict[str, object] = msgspec.json.decode(live_line(record))
    return line


def _step(steps: Sequence[float], count: int) -> float:
    return steps[min(count, len(steps) - 1)]
