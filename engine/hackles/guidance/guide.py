"""The guide of one call: which card is shown now.

It has no clock: whoever asks says when, in seconds of the call. So a replay repeats it.
"""

from hackles.guidance.rules import VOICES, Rules, Situation
from hackles.types import State

_REST = VOICES[State.CALM]
_EASED = VOICES[State.EASED]


class Guide:
    """Chooses by the rules; of the cards that they allow, the one that was not seen for longest."""

    def __init__(self, rules: Rules) -> None:
        """Begin before the call."""
        self._rules = rules
        self._situation: Situation | None = None
        self._voice, self._since, self._place = _REST, 0.0, 0
        self._rung, self._is_on_ladder, self._stepped = -1, False, 0.0
        self._is_over = False
        self._card = ""
        self._shown: dict[str, int] = {}
        self._turns = 0

    @property
    def card(self) -> str:
        """The id of the card that is shown, or "" before the first."""
        return self._card

    @property
    def allowed(self) -> tuple[str, ...]:
        """The cards that may be shown now."""
        return self._situation.cards if self._situation else ()

    def begin(self, time: float) -> str:
        """Return the card with which a call begins."""
        self._voice, self._since, self._place = _REST, time, 0
        return self._show(self._rules.voices[_REST][0])

    def hear(self, state: State, time: float) -> str | None:
        """Return the card for a state that people are told of; None if nothing changes.

        That the voice is calm again changes nothing: what was begun is brought to its end.
        """
        voice = VOICES[state]
        if self._is_over or voice in (_REST, self._voice):
            return None
        self._voice, self._since, self._place = voice, time, 0
        if voice != _EASED and self._is_held(time):
            return None
        return self._show(self._rules.voices[voice][0])

    def rest(self, time: float) -> str | None:
        """Return a card for a call in which nothing is the matter after all: a false alarm."""
        if self._is_over or self._voice == _REST:
            return None
        situations = self._rules.voices[_REST]
        self._voice, self._since, self._place = _REST, time, len(situations) - 1
        return None if self._is_held(time) else self._show(situations[-1])

    def wait(self, time: float) -> str | None:
        """Return the next card if the time for it has come; None if nothing changes."""
        if self._is_over or self._situation is None or self._is_held(time):
            return None
        situations = self._rules.voices[self._voice]
        due = sum(situation.after_s <= time - self._since for situation in situations) - 1
        if due <= self._place and not self._is_on_ladder:
            return None
        self._place = max(due, self._place)
        return self._show(situations[self._place])

    def next(self, time: float) -> str:
        """Return another card, as the agent asks for one."""
        if self._situation is None:
            return self.begin(time)
        if self._is_on_ladder:
            self._stepped = time
        return self._turn(self._situation)

    def abuse(self, time: float) -> str:
        """Return the card for the next step of the ladder, as the agent asks for it."""
        if self._is_over:
            return self.next(time)
        self._rung = min(self._rung + 1, len(self._rules.ladder) - 1)
        card = self._show(self._rules.ladder[self._rung])
        self._is_on_ladder, self._stepped = True, time
        return card

    def end(self, warned: bool) -> str | None:
        """Return the card for after the call; None if there is none.

        Args:
            warned: whether the agent was shown a warning in this call.
        """
        if self._is_over:
            return None
        self._is_over = True
        situation = self._rules.after_warned if warned else self._rules.after_calm
        return self._show(situation) if situation.cards else None

    def _is_held(self, time: float) -> bool:
        """Return whether the last step of the ladder still has its time."""
        return self._is_on_ladder and time - self._stepped < self._rules.abuse_hold_s

    def _show(self, situation: Situation) -> str:
        self._situation, self._is_on_ladder = situation, False
        return self._turn(situation)

    def _turn(self, situation: Situation) -> str:
        """Show the card of a situation that was not seen for longest, and not the present one."""
        others = [card for card in situation.cards if card != self._card]
        self._card = min(others, key=lambda card: self._shown.get(card, 0))
        self._turns += 1
        self._shown[self._card] = self._turns
        return self._card
