"""Whose turn it is, and when both talk at once: the timing of speech alone.

The law forbids to infer a worker's emotions (EU AI Act, Art. 5(1)(f)), so of the agent nothing is
made but whether there is speech. Through loudspeakers the agent's microphone hears the customer as
well: that is found as an echo in a telephone line is (`leak`), and is nobody's turn.
"""

import numpy as np

from hackles.config import FRAME_LENGTH, FRAMES_PER_S, HOP_LENGTH, SAMPLE_RATE
from hackles.hearing import Hearing, held
from hackles.history import trailing_count
from hackles.types import Array, Bools, Ints

_SPAN = 4 * SAMPLE_RATE
"""What is looked at in one go: nothing here is urgent, and a look costs what a second does."""
_CUSTOMER, _AGENT = 0, 1

_LATE_FRAMES = 6
"""The microphone is heard so much later than it came: of two devices either may be late, and an
echo is looked for behind its source, up to 320 ms."""
_ECHO_FRAMES = 40

_LEAST_FRAMES = FRAMES_PER_S
_SAME_FRAMES = 3 * FRAMES_PER_S // 10
"""Frames in which both speak, with pauses so long, from which on it is no more than a "mhm"."""

_REMEMBERED_FRAMES = 30 * FRAMES_PER_S
_LEAST_ECHO = 3 * FRAMES_PER_S // 2
_HEARD_SHARE, _UNHEARD_SHARE = 0.15, 0.05


class Turns:
    """Times two parties' speech; time is the sample count, blocks may be of any length.

    Attributes:
        customer_s: seconds of the customer's speech.
        agent_s: seconds of the agent's. It becomes smaller, as `talk_over_s` does, when it comes
            out that the microphone hears the customer, by what was thought to be the agent before.
        talk_over_s: seconds in which both spoke, where that came to a second or more with pauses of
            up to 0.3 s: "mhm" and "yes, yes" are no talk-over.
        hears_customer: the microphone hears the customer, as from loudspeakers.
    """

    def __init__(self) -> None:
        """Begin with nothing heard."""
        self.customer_s = self.agent_s = self.talk_over_s = 0.0
        self.hears_customer = False
        self._hearing = Hearing(2, _SPAN // HOP_LENGTH + FRAME_LENGTH // HOP_LENGTH, agents=True)
        self._late: Array = np.zeros(_LATE_FRAMES * HOP_LENGTH, dtype=np.float32)
        self._left = _SPAN
        self._before: Bools = np.zeros(_LATE_FRAMES + _ECHO_FRAMES, dtype=np.bool_)
        """Which of the customer's last frames were speech."""
        self._talk_over = _TalkOver()
        self._found = False
        self._doubtful: Ints = np.zeros(2, dtype=np.int64)
        """Frames of the agent's, and of talk-over, that may be an echo not found as yet."""
        self._spoke = self._echoed = 0.0
        """Frames of the customer's and of their echo; those of long ago count less."""

    def push(self, customer: Array, agent: Array) -> None:
        """Take in what both said at the same time.

        Args:
            customer: shape (n_samples,), float32 at the engine's rate.
            agent: of the same shape; their clocks may be 50 ms apart.

        Raises:
            ValueError: if one is longer than the other.
        """
        if len(customer) != len(agent):
            raise ValueError("Both parties' samples must be of the same time.")
        customer, late = held(customer), np.concatenate([self._late, held(agent)])
        self._late = late[len(customer) :]
        at = 0
        while at < len(customer):
            some = slice(at, at + self._left)
            new = customer[some]
            self._hearing.write(_CUSTOMER, new)
            self._hearing.write(_AGENT, late[: len(customer)][some], new)
            at += len(new)
            self._left -= len(new)
            if not self._left:
                self._left = _SPAN
                self._look()

    def flush(self) -> None:
        """Count what was pushed last, too, at the end of a call."""
        self._look()

    def _look(self) -> None:
        """Look at what is new."""
        sounds = self._hearing.tick()
        if sounds is None or sounds.found is None:
            return
        customer, agent = sounds.activity.speech
        echo = sounds.activity.leak[_AGENT]
        self._found |= bool(sounds.found.any())
        heard = np.concatenate([self._before, customer])
        self._before = heard[len(customer) :]
        then = heard[_ECHO_FRAMES : _ECHO_FRAMES + len(customer)]
        self.customer_s += int(customer.sum()) / FRAMES_PER_S
        self.agent_s += int(agent.sum()) / FRAMES_PER_S
        over = self._talk_over.add(then & agent)
        self.talk_over_s += over / FRAMES_PER_S
        lately = trailing_count(heard, _ECHO_FRAMES + 1)[: len(customer)] > 0
        if not self._found:
            self._doubtful += np.array([(agent & lately).sum(), over])
        self._judge(int(then.sum()), int((echo & lately).sum()))

    def _judge(self, spoke: int, echoed: int) -> None:
        """Decide whether the microphone hears the customer."""
        kept = 1.0 - spoke / _REMEMBERED_FRAMES
        self._spoke = kept * self._spoke + spoke
        self._echoed = kept * self._echoed + echoed
        if self.hears_customer:
            self.hears_customer = self._echoed >= _UNHEARD_SHARE * self._spoke
        elif self._echoed >= max(_LEAST_ECHO, _HEARD_SHARE * self._spoke):
            self.hears_customer = True
            agent, over = self._doubtful.tolist()
            self.agent_s -= agent / FRAMES_PER_S
            self.talk_over_s -= over / FRAMES_PER_S
            self._doubtful[:] = 0


class _TalkOver:
    """Counts the frames in which both speak for long enough."""

    def __init__(self) -> None:
        """Begin with nobody speaking."""
        self._frames, self._since = 0, _SAME_FRAMES + 1
        """Frames in which both spoke, one soon after the other, and frames since the last."""

    def add(self, both: Bools) -> int:
        """Return how many more frames of talk-over there are with some new ones."""
        told, end = 0, -self._since
        edges = np.flatnonzero(np.diff(both, prepend=False, append=False))
        for first, after in edges.reshape(-1, 2).tolist():
            before = self._frames if first - end <= _SAME_FRAMES else 0
            self._frames, end = before + after - first, after
            if self._frames >= _LEAST_FRAMES:
                told += self._frames - (before if before >= _LEAST_FRAMES else 0)
        self._since = len(both) - end
        return told
