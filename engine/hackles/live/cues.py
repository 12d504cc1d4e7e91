"""The cues of all calls: what the desk tells of them, and whose page looks at which."""

import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Final

from hackles.guidance import Guidance, Guide
from hackles.live.cue import Cue, Ended
from hackles.live.news import Session
from hackles.live.showing import Showing, Withheld
from hackles.records import Acknowledgement, CardShown, Verdict, event_id
from hackles.types import Alert, Event, State

_KEPT_S: Final = 3600.0
"""So long a call waits for its form."""

_MOST_OVER: Final = 200
"""Calls that have just ended: what is done about one at a wallboard may be under way."""

_URGENCY: Final = {State.IRRITATED: 0, State.RISING: 1}


class Cues:
    """What agents are shown; `version` grows with each change.

    Attributes:
        guidance: the cards.
        showing: which alerts people are shown.
        language: of everything that is shown; "" for each reader's own.
        unheard: why the device is not heard, for people; "" if it is, or there is none.
        is_held: whether a call is on the line, unheard until its caller agrees.
        version: of all there is to see.
    """

    def __init__(
        self,
        guidance: Guidance,
        showing: Showing,
        language: str = "",
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Begin with no call.

        Args:
            guidance: the cards.
            showing: which alerts people are shown.
            language: of everything that is shown; "" for each reader's own.
            clock: seconds since 1970.
        """
        self.guidance, self.showing, self.language = guidance, showing, language
        self._clock = clock
        self.unheard, self.is_held = "", False
        self.version = 0
        self._cues: OrderedDict[str, Cue] = OrderedDict()
        self._over: OrderedDict[str, Cue] = OrderedDict()

    def begin(self, session: Session) -> Cue:
        """Take in a call."""
        self.expire()
        self.version += 1
        cue = Cue(session, Guide(self.guidance.rules), self._clock())
        self._cues[session.id] = cue
        return cue

    def tell(self, session: str, event: Event, withheld: Withheld | None) -> str:
        """Take in an event, and return the card that goes with an alert that is shown, or ""."""
        self.version += 1
        cue = self._cues.get(session)
        if cue is None:
            return ""
        if not isinstance(event, Alert):
            cue.hear(event)
            return ""
        if withheld is not None:
            cue.withhold(event)
            return ""
        return cue.warn(event, event_id(session, event), self._clock())

    def tell_unheard(self, why: str) -> None:
        """Take in that the device is not heard, and why; or that it is heard again ("")."""
        self.version += 1
        self.unheard = why

    def tell_held(self, is_held: bool) -> None:
        """Take in whether a call is on the line, unheard until its caller agrees."""
        self.version += 1
        self.is_held = is_held

    def end(
        self, session: str, duration_s: float, error: str | None, is_loud: bool = False
    ) -> None:
        """Keep a call for its form, if a page showed it."""
        self.version += 1
        cue = self._cues.get(session)
        if cue is not None and cue.was_seen:
            cue.end(Ended(self._clock(), duration_s, error, is_loud))
        elif cue is not None:
            self._over[session] = self._cues.pop(session)
            if len(self._over) > _MOST_OVER:
                self._over.popitem(last=False)

    def forget(self, call: str) -> list[Cue]:
        """Show nothing more of a call, and return those others of which less is known now."""
        self.version += 1
        gone = [
            self._cues.pop(id_) for id_, cue in list(self._cues.items()) if cue.session.call == call
        ]
        for id_ in [id_ for id_, cue in self._over.items() if cue.session.call == call]:
            del self._over[id_]
        customers = {cue.session.customer for cue in gone} - {""}
        others = [cue for cue in self._cues.values() if cue.session.customer in customers]
        for cue in others:
            cue.earlier = ()  # among which that call may have been
        return others

    def drop(self, session: str) -> None:
        """Let a call go whose form was filled in, or will not be."""
        self.version += 1
        self._cues.pop(session, None)

    def known(self, session: str) -> Cue | None:
        """Return a call's cue, also if the call has just ended and is shown no longer."""
        return self._cues.get(session) or self._over.get(session)

    def find(self, session: str) -> Cue | None:
        """Return a call's cue, if it is shown."""
        return self._cues.get(session)

    def answer(
        self, session: str, alert: str, verdict: Verdict, by: str = ""
    ) -> Acknowledgement | None:
        """Note what somebody says of an alert; a false alarm is not shown any longer."""
        cue = self.known(session)
        answer = cue.answer(alert, verdict, by) if cue is not None else None
        if answer is not None:
            self.version += 1
            if cue is not None and cue.alert and cue.alert.verdict == "false_alarm":
                self.showing.silence(session)
        return answer

    def card_shown(self, cue: Cue, language: str) -> CardShown | None:
        """Return that a call's card was shown, if that was not yet said."""
        if not cue.card:
            return None
        deck = self.guidance.deck(language)
        return cue.shown(deck.card(cue.card).stage, deck.language)

    def of(self, agent: str, most: int) -> list[Cue]:
        """Return the calls of an agent ("" for all), who needs help now first."""
        found = [cue for cue in self._cues.values() if agent in ("", cue.session.agent)]
        return sorted(found, key=_place)[:most]

    def __iter__(self) -> Iterator[Cue]:
        """Yield all of them."""
        return iter(list(self._cues.values()))

    def expire(self) -> None:
        """Let calls go that have waited for their forms for long enough."""
        oldest = self._clock() - _KEPT_S
        for id_ in [id_ for id_, cue in self._cues.items() if cue.ended and cue.ended.at < oldest]:
            self.drop(id_)


def _place(cue: Cue) -> tuple[bool, int, float]:
    return cue.ended is not None, _URGENCY.get(cue.state, 2), cue.begun
