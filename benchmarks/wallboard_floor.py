"""A floor of made-up calls, told to a wallboard as an engine tells it: each once a second."""

import http.client
import random
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final
from uuid import uuid4

import msgspec

from hackles.exchange.messages import Answer, Beat, Heard, Message, Said

QUEUES: Final = ("Billing", "Deliveries", "Contracts", "Repairs")
_WARNED: Final = 0.06
"""So many of a hundred calls are in an episode at a time, about."""

_EPISODE_S: Final = 60.0
_EVIDENCE: Final = [
    {"measure": "pitch", "unit": "semitones", "baseline": 30.1, "now": 33.4},
    {"measure": "tempo", "unit": "syllables/s", "baseline": 4.1, "now": 4.9},
]


class Floor:
    """So many calls at a time; each tells one reading a second, and some an alert."""

    def __init__(self, n_calls: int, begun: float, seed: int = 0) -> None:
        """Let them begin, one after the other within a second.

        Args:
            n_calls: at a time.
            begun: when time 0 of all calls is, in seconds since 1970.
            seed: of levels and alerts.
        """
        self._random, self._begun, self._seq = random.Random(seed), begun, 0
        self._run = uuid4().hex
        self._sessions = [f"s{number:04d}" for number in range(n_calls)]
        self._levels = dict.fromkeys(self._sessions, 0.1)
        self._states: dict[str, tuple[str, float]] = {}

    def beginnings(self) -> list[Message]:
        """Return that all calls have begun."""
        return [
            self._message(self._line(session, "call", state="begun", reason=None, consent=None))
            for session in self._sessions
        ]

    def beat(self) -> Message:
        """Return that the engine is there."""
        return self._told(Beat(calls=len(self._sessions)))

    def readings(self, number: int, parts: int) -> Iterator[Message]:
        """Yield what every `parts`-th call says now, from the one of this number on."""
        for session in self._sessions[number % parts :: parts]:
            yield self._reading(session)
            yield from self._alerts(session)

    def _reading(self, session: str) -> Message:
        is_warned = session in self._states
        aim = 0.75 if is_warned else 0.12
        level = self._levels[session]
        level += 0.2 * (aim - level) + self._random.gauss(0, 0.03)
        self._levels[session] = min(max(level, 0.0), 1.0)
        values = {"irritation": round(self._levels[session], 4), "arousal": 0.4, "confidence": 0.8}
        return self._message(self._line(session, "reading", **values))

    def _alerts(self, session: str) -> Iterator[Message]:
        now = time.time()
        state, since = self._states.get(session, ("calm", now))
        chance = _WARNED / _EPISODE_S
        if state == "calm" and self._random.random() < chance:
            yield self._alert(session, "rising")
        elif state == "rising" and now - since > _EPISODE_S / 3:
            yield self._alert(session, "irritated")
        elif state == "irritated" and now - since > _EPISODE_S:
            yield self._alert(session, "eased")
            del self._states[session]

    def _alert(self, session: str, state: str) -> Message:
        self._states[session] = state, time.time()
        values = {"since": self._time() - 3.0, "state": state, "level": 0.6, "confidence": 0.8}
        more = {"trend_per_min": 0.4, "evidence": _EVIDENCE, "withheld": None}
        return self._message(self._line(session, "alert", **values, **more))

    def _time(self) -> float:
        return round(time.time() - self._begun, 4)

    def _line(self, session: str, kind: str, **values: object) -> Heard:
        number = self._sessions.index(session)
        at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        line: dict[str, Any] = {"schema": 1, "type": kind, "call": f"call-{number}"}
        line |= {"session": session, "at": at, **values}
        if kind != "call":
            line |= {"id": uuid4().hex[:24], "time": self._time()}
        queue = QUEUES[number % len(QUEUES)]
        return Heard(line=line, queue=queue, agent=f"a-{number:03d}")

    def _message(self, said: Said) -> Message:
        self._seq += 1
        return self._told(said)

    def _told(self, said: Said) -> Message:
        return Message(
            engine="bench", run=self._run, seq=self._seq, at=round(time.time(), 4), said=said
        )


class Feeding:
    """A connection to a board's feed."""

    def __init__(self, port: int) -> None:
        """Connect to a board on this machine."""
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)

    def send(self, messages: list[Message]) -> Answer:
        """Send messages, and return what the board says.

        Raises:
            RuntimeError: if it refuses them.
        """
        headers = {"Content-Type": "application/json"}
        self._connection.request("POST", "/feed", msgspec.json.encode(messages), headers)
        answer = self._connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{answer.status}: {body.decode(errors='replace')}")
        return msgspec.json.decode(body, type=Answer)

    def close(self) -> None:
        """Close it."""
        self._connection.close()


def feed(port: int, n_calls: int, begun: float, seconds: float, parts: int = 10) -> None:
    """Tell a floor for so long, each call once a second, `parts` times a second some of them."""
    floor, feeding = Floor(n_calls, begun), Feeding(port)
    feeding.send(floor.beginnings())
    start, number = time.monotonic(), 0
    while time.monotonic() - start < seconds:
        feeding.send([*floor.readings(number, parts), floor.beat()])
        number += 1
        time.sleep(max(start + number / parts - time.monotonic(), 0))
    feeding.close()
