"""An engine of made-up calls that tells a board what happens, as `hackles live` does."""

import time
from datetime import UTC, datetime
from uuid import uuid4

import httpx
import msgspec

from hackles.exchange.messages import Answer, Beat, Earlier, Heard, Message, Said, Standing

EVIDENCE = [
    {"measure": "pitch", "unit": "semitones", "baseline": 30.1, "now": 36.3},
    {"measure": "tempo", "unit": "syllables/s", "baseline": 4.1, "now": 5.3},
]


class Telling:
    """Calls of one engine; each says what it is told to, at once."""

    def __init__(self, address: str, name: str = "krk-1") -> None:
        self.name, self.run, self.seq = name, uuid4().hex, 0
        self.calls: dict[str, tuple[str, str, str, float]] = {}
        self._http = httpx.Client(base_url=address, timeout=10)

    def begin(self, call: str, queue: str = "", agent: str = "", ago_s: float = 60.0) -> str:
        """Let a call begin that has gone on for a while, and return its session."""
        session = uuid4().hex[:16]
        begun = time.time() - ago_s
        self.calls[session] = call, queue, agent, begun
        points = [(float(second), 0.1) for second in range(0, int(ago_s), 3)]
        standing = Standing(
            call=call,
            session=session,
            begun_at=begun,
            queue=queue,
            agent=agent,
            time=ago_s,
            points=points[-60:],
        )
        self.tell(standing)
        return session

    def begin_known(self, call: str, earlier: Earlier) -> str:
        """Let a call begin of a customer who has called before."""
        session = uuid4().hex[:16]
        self.calls[session] = call, "", "", time.time() - 30
        began = self.calls[session][3]
        self.tell(Standing(call=call, session=session, begun_at=began, earlier=[earlier]))
        return session

    def level(self, *sessions: str, level: float = 0.1) -> None:
        """Let calls be scored once more."""
        values = {"irritation": level, "arousal": 0.4, "confidence": 0.8}
        self.tell(*[self._heard(session, "reading", **values) for session in sessions])

    def alert(self, session: str, state: str, level: float = 0.6) -> str:
        """Raise an alert, and return its id."""
        values = {"since": self._time(session) - 3.0, "state": state, "level": level}
        values |= {"confidence": 0.84, "trend_per_min": 0.4, "evidence": EVIDENCE}
        heard = self._heard(session, "alert", **values, withheld=None)
        self.tell(heard)
        return heard.line["id"]

    def note(self, session: str, text: str) -> None:
        """Write something down."""
        self.tell(self._heard(session, "note", text=text))

    def gap(self, session: str, reason: str, length_s: float) -> None:
        """Let a stretch go unscored."""
        since = self._time(session) - length_s
        self.tell(self._heard(session, "gap", since=since, reason=reason))

    def withdraw(self, session: str) -> None:
        """Let the caller withdraw consent."""
        heard = self._heard(session, "call", state="withdrawn", reason=None, consent=None)
        self.tell(Heard(line=heard.line | {"session": ""}))

    def beat(self) -> None:
        """Say that the engine is there."""
        beat = Beat(calls=len(self.calls))
        self._send([self._message(beat)])

    def tell(self, *said: Said) -> Answer:
        """Send, and return what the board answers."""
        messages = []
        for one in said:
            self.seq += 1
            messages.append(self._message(one))
        return self._send(messages)

    def close(self) -> None:
        """Say nothing any more."""
        self._http.close()

    def _send(self, messages: list[Message]) -> Answer:
        body = msgspec.json.encode(messages)
        answer = self._http.post(
            "/feed", content=body, headers={"Content-Type": "application/json"}
        )
        assert answer.status_code == 200, answer.text
        return msgspec.json.decode(answer.content, type=Answer)

    def _message(self, said: Said) -> Message:
        return Message(engine=self.name, run=self.run, seq=self.seq, at=time.time(), said=said)

    def _time(self, session: str) -> float:
        return round(time.time() - self.calls[session][3], 4)

    def _heard(self, session: str, kind: str, **values: object) -> Heard:
        call, queue, agent, _ = self.calls[session]
        at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        line = {"schema": 1, "type": kind, "call": call, "session": session, "at": at, **values}
        if kind != "call":
            line |= {"id": uuid4().hex[:24], "time": self._time(session)}
        return Heard(line=line, queue=queue, agent=agent)
