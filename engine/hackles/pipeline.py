"""One call: a bank of one."""

from hackles.bank import Bank
from hackles.classifier import Classifier, default_classifier
from hackles.config import SAMPLE_RATE, TILE_FRAMES
from hackles.types import Block, Event, Role

CALL_FRAMES = 8 * TILE_FRAMES
"""The most frames of a call alone that are looked at together."""


class CallPipeline:
    """Takes one customer's samples in blocks of any length; gives events.

    A new call is a new object. How the audio was cut into blocks never changes the events.
    """

    def __init__(self, classifier: Classifier | None = None, role: Role = Role.CUSTOMER) -> None:
        """Start a call.

        Args:
            classifier: the model; the one that travels with hackles if None.
            role: whose voice it is.

        Raises:
            RoleError: unless the role is `customer`.
        """
        model = classifier or default_classifier()
        self._bank = Bank(1, model, max_frames=CALL_FRAMES, agents=True)
        self._slot = self._bank.open(role)

    def push(self, customer: Block, agent: Block | None = None) -> list[Event]:
        """Take in a block and return what was decided on it.

        Args:
            customer: the next samples.
            agent: the agent's of the same time, if there are any. The agent is never scored:
                they tell where the agent's voice leaks into the customer's channel.
        """
        events: list[Event] = []
        done = 0
        while True:
            rest = customer.part(done, len(customer.samples))
            done += self._bank.push(self._slot, rest, agent)
            events += self._tick()
            if done >= len(customer.samples):
                return events

    def flush(self) -> list[Event]:
        """End the call: a last reading from at least half a second of speech, if there is."""
        return [event for _, event in self._bank.flush(self._slot).events()]

    def _tick(self) -> list[Event]:
        return [event for _, event in self._bank.tick().events()]

    @property
    def speech_s(self) -> float:
        """Seconds of speech heard so far."""
        return self._bank.speech_s(self._slot)

    @property
    def duration_s(self) -> float:
        """Seconds since the call began, by the samples heard."""
        return self._bank.heard(self._slot) / SAMPLE_RATE
