"""One call, as the board knows it."""

from collections import deque
from dataclasses import dataclass, field
from typing import Final

from hackles.exchange.messages import Earlier, Standing
from hackles.live.curve import EASED_S, Point, draw
from hackles.types import Alert, Reason, State
from hackles.wallboard.heard import AlertLine, GapLine, ReadingLine, read_alert
from hackles.wallboard.life import AlertLife
from hackles.wallboard.order import NEW, Place
from hackles.wallboard.whole_curve import WholeCurve

SILENCE_S: Final = 5.0
"""Without a reading for so long, the customer is told as silent; readings come once a second."""

_MOST_KEPT: Final = 200


@dataclass(slots=True)
class Warned:
    """An alert that was shown, and when."""

    id: str
    at: float
    alert: Alert


@dataclass(slots=True)
class LiveCall:
    """One call.

    Attributes:
        engine: which listens to it.
        session: names it.
        call: the telephone system's name.
        begun_at: in seconds since 1970, as all that ends in `_at`.
        queue: which it waited in, or "".
        agent: an opaque name of who takes it, or "".
        teams: whose it is.
        state: as people are shown it.
        since_at: since when.
        rising_at: since when irritation has been rising, or more ...
        irritated_at: ... and since when it has been more.
        line: of the last three minutes.
        n_drawn: how many points were ever added to it.
        redrawn: the version in which it was drawn anew.
        curve: the whole call, thinned out where it is long.
        heard_at: when the customer last said something that could be scored.
        silent_since_at: the same, once that is some time ago.
        quiet: why nothing was scored last.
        alert: the newest alert of this episode.
        told: all alerts that were shown, by their ids.
        gaps: what was not scored.
        cards: time and id of each that the agent was shown.
        notes: time and text.
        earlier: what came of the customer's earlier calls.
        talk_over_s: seconds in which both spoke.
        lives: of this call's alerts, the oldest first.
        by_alert: the life that an alert is of, by its id.
        episode: the life of the present episode.
        place: where it stands on the board.
        version: of the board when this changed last.
        over_at: when it left the board.
        was_lost: whether it left it because its engine was not heard.
    """

    engine: str
    session: str
    call: str
    begun_at: float
    queue: str = ""
    agent: str = ""
    teams: frozenset[str] = frozenset()
    time: float = 0.0
    state: State = State.CALM
    since_at: float = 0.0
    rising_at: float = 0.0
    irritated_at: float = 0.0
    line: deque[Point] = field(default_factory=deque)
    n_drawn: int = 0
    redrawn: int = 0
    curve: WholeCurve = field(default_factory=WholeCurve)
    heard_at: float = 0.0
    silent_since_at: float | None = None
    quiet: Reason | None = None
    alert: Alert | None = None
    told: dict[str, Warned] = field(default_factory=dict)
    gaps: deque[GapLine] = field(default_factory=lambda: deque(maxlen=_MOST_KEPT))
    cards: deque[tuple[float, str]] = field(default_factory=lambda: deque(maxlen=_MOST_KEPT))
    notes: deque[tuple[float, str]] = field(default_factory=lambda: deque(maxlen=_MOST_KEPT))
    earlier: list[Earlier] = field(default_factory=list)
    talk_over_s: float | None = None
    lives: list[AlertLife] = field(default_factory=list)
    by_alert: dict[str, AlertLife] = field(default_factory=dict)
    episode: AlertLife | None = None
    place: Place = NEW
    version: int = 0
    over_at: float | None = None
    was_lost: bool = False

    def __post_init__(self) -> None:
        """Begin calm."""
        self.since_at = self.heard_at = self.begun_at

    @property
    def life(self) -> AlertLife | None:
        """That of the newest alert."""
        return self.lives[-1] if self.lives else None

    def read(self, line: ReadingLine, at: float) -> None:
        """Take in a reading."""
        if not self.line or line.time > self.line[-1][0]:
            self._add(draw(self.line, line.time, min(max(line.irritation, 0.0), 1.0)))
        self.heard_at, self.silent_since_at, self.quiet = at, None, None
        self._hear(line.time, at)

    def miss(self, line: GapLine, at: float) -> None:
        """Take in a stretch that was not scored."""
        self.gaps.append(line)
        self.quiet = line.reason
        self._hear(line.time, at)

    def warn(self, line: AlertLine, at: float) -> None:
        """Take in an alert that people are shown."""
        self.time = max(self.time, line.time)
        self.alert = line.alert
        self.told[line.id] = Warned(line.id, at, line.alert)
        while len(self.told) > _MOST_KEPT:
            del self.told[next(iter(self.told))]
        self.enter(line.state, at)

    def enter(self, state: State, at: float) -> None:
        """Be shown in a state from now on."""
        if state is self.state:
            return
        if self.state not in (State.RISING, State.IRRITATED):
            self.rising_at = at
        if state is State.IRRITATED:
            self.irritated_at = at
        self.state, self.since_at = state, at
        if state is State.CALM:
            self.alert = None

    def stand(self, said: Standing, at: float) -> bool:
        """Take in how the call stands, and return whether its line was drawn anew."""
        self.time = max(self.time, said.time)
        self.earlier = list(said.earlier)
        known = {text for _, text in self.notes}
        self.notes.extend((said.time, text) for text in said.notes if text not in known)
        if said.card and not self.cards:
            self.cards.append((said.time, said.card))
        is_redrawn = self._redraw(said, at)
        alert = read_alert(said.alert)
        state = State(said.state) if said.state in set(State) else State.CALM
        since_at = min(max(alert.at.timestamp(), 0.0), at) if alert is not None else at
        if alert is not None and state is not State.CALM:
            self.warn(alert, since_at)
        self.enter(state, since_at)
        return is_redrawn

    def _redraw(self, said: Standing, at: float) -> bool:
        """Draw the line as the engine has it; what was drawn before it stays."""
        if not said.points or list(self.line) == said.points:
            return False
        self.curve.cut(said.points[0][0])
        self.line.clear()
        for point in said.points:
            self.line.append(point)
            self._add(point)
        self.heard_at = min(at - (said.time - said.points[-1][0]), at)
        return True

    def _add(self, point: Point) -> None:
        self.n_drawn += 1
        self.curve.add(point)

    def _hear(self, time: float, at: float) -> None:
        self.time = max(self.time, time)
        if self.state is State.EASED and self.alert and self.time > self.alert.time + EASED_S:
            self.enter(State.CALM, at)
