"""What the agent of one call is shown: a level, a state, why, and one card."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from hackles.guidance import Guide
from hackles.live import curve
from hackles.live.news import Session
from hackles.records import Acknowledgement, CardShown, Earlier, LiveRecord, Standing, Verdict
from hackles.types import Alert, Event, Gap, Reading, Reason, State

_MOST_NOTES: Final = 50


@dataclass(slots=True)
class ShownAlert:
    """An alert that the agent was shown, when (since 1970), and what was said of it."""

    id: str
    alert: Alert
    at: float
    verdict: Literal["", "seen", "false_alarm"] = ""


@dataclass(slots=True)
class Ended:
    """How a call ended; `is_loud`: the agent's microphone heard the customer."""

    at: float
    duration_s: float
    error: str | None
    is_loud: bool = False


@dataclass(slots=True)
class Cue:
    """One call, as its agent sees it.

    Attributes:
        session: the call.
        guide: which card comes next.
        begun: when, in seconds since 1970.
        time: the last audio heard of, in seconds of the call.
        state: what the agent is shown; calm in an episode that nobody is shown.
        line: (time, smoothed level), the last three minutes.
        quiet: why nothing was scored just now, if so.
        alert: the newest of this episode, or the easing that ended it.
        since_alert: the id of the first alert of this episode that was shown, or "".
        is_between: whether the next alert begins an episode.
        verdicts: what was said last of each alert that was shown, "" for nothing yet.
        card: the id of the card on the page, or "".
        told: the languages in which that card was recorded as shown.
        was_seen: whether a page showed this call.
        warned: whether the agent was warned in this call.
        notes: what the agent wrote down.
        earlier: what came of this customer's earlier calls; None while nobody has asked.
    """

    session: Session
    guide: Guide
    begun: float
    time: float = 0.0
    state: State = State.CALM
    line: deque[curve.Point] = field(default_factory=deque)
    quiet: Reason | None = None
    alert: ShownAlert | None = None
    since_alert: str = ""
    is_between: bool = True
    verdicts: dict[str, str] = field(default_factory=dict)
    card: str = ""
    told: set[str] = field(default_factory=set)
    was_seen: bool = False
    warned: bool = False
    notes: list[str] = field(default_factory=list)
    earlier: Sequence[Earlier] | None = None
    ended: Ended | None = None

    def __post_init__(self) -> None:
        """Begin with the card for the opening."""
        self._turn(self.guide.begin(0.0))

    def hear(self, event: Event) -> None:
        """Take in what was heard, an alert excepted."""
        self.time = max(self.time, event.time)
        if isinstance(event, Reading):
            self.quiet = None
            curve.draw(self.line, event.time, event.irritation)
        elif isinstance(event, Gap):
            self.quiet = event.reason
        if (
            self.state is State.EASED
            and self.alert
            and self.time > self.alert.alert.time + curve.EASED_S
        ):
            self.state, self.alert, self.since_alert = State.CALM, None, ""
        if self.ended is None:
            self._turn(self.guide.wait(self.time))

    def warn(self, alert: Alert, id_: str, at: float) -> str:
        """Take in an alert that the agent is shown, and return the card that goes with it."""
        self.time = max(self.time, alert.time)
        self.state = alert.state
        self.warned = True
        if self.is_between:
            self.since_alert = id_
        self.is_between = alert.state is State.EASED
        self.alert = ShownAlert(id_, alert, at)
        self.verdicts[id_] = ""
        self._turn(self.guide.hear(alert.state, alert.time))
        return self.card

    def withhold(self, alert: Alert) -> None:
        """Take in an alert that nobody is shown."""
        self.is_between = alert.state is State.EASED
        self.rest()

    def rest(self) -> None:
        """Show calm again: nobody is shown what goes on, or somebody says that it is nothing."""
        self.state = State.CALM

    def answer(self, alert: str, verdict: Verdict, by: str = "") -> Acknowledgement | None:
        """Note what somebody says of an alert; None if it was not shown, or the agent said so.

        Args:
            alert: its id; at a wallboard, which tells whole episodes, that of the first.
            verdict: what was said.
            by: who said it at a wallboard; "" for the agent.
        """
        said = self.verdicts.get(alert)
        if said is None or (said == verdict and not by):
            return None
        self.verdicts[alert] = verdict
        # An answer to an alert that has just been overtaken is no answer to the one after it.
        if self.alert is not None and alert in (self.alert.id, self.since_alert if by else ""):
            is_false = "false_alarm" in (verdict, self.alert.verdict)
            self.alert.verdict = "false_alarm" if is_false else "seen"
            if verdict == "false_alarm":
                self.rest()
                self._turn(self.guide.rest(self.time))
        return Acknowledgement(round(self.time, 4), alert, verdict, by)

    def ask(self, wish: Literal["next", "abuse"]) -> None:
        """Show another card: the next one, or the next step with a caller who is abusive."""
        self._turn(self.guide.next(self.time) if wish == "next" else self.guide.abuse(self.time))

    def end(self, ended: Ended) -> None:
        """Note that the call is over: a card for afterwards."""
        self.ended = ended
        self.time = max(self.time, ended.duration_s)
        self.state = State.CALM
        self.quiet = None
        self._turn(self.guide.end(self.warned) or "")

    def shown(self, stage: str, language: str) -> CardShown | None:
        """Return that the card was shown, once for each card and language."""
        if language in self.told or not self.card:
            return None
        self.told.add(language)
        return CardShown(round(self.time, 4), self.card, stage, language)

    def note(self, text: str) -> None:
        """Keep a note on the page."""
        self.notes = [*self.notes[-_MOST_NOTES + 1 :], text]

    def standing(self) -> Standing:
        """Return all that is known of the call."""
        of, shown = self.session, self.alert
        alert = None
        if shown is not None:
            alert = LiveRecord(of.call, of.id, of.queue, of.agent, shown.at, shown.alert)
        return Standing(
            time=round(self.time, 4),
            begun_at=self.begun,
            state=self.state,
            points=tuple(self.line),
            alert=alert,
            since_alert=self.since_alert,
            card=self.card,
            notes=tuple(self.notes),
            earlier=tuple(self.earlier or ()),
        )

    @property
    def trend(self) -> curve.Trend:
        """Where the level goes."""
        return curve.trend(self.line)

    def _turn(self, card: str | None) -> None:
        """Show a card, if it is another."""
        if card is not None and card != self.card:
            self.card, self.told = card, set()
