"""What engines say, handed on once and in order; and what they are asked to do."""

import asyncio
import itertools
import logging
import secrets
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Literal

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from hackles.exchange.messages import Acknowledge, Answer, Beat, Message, Order, Tell
from hackles.wallboard.hearing import Run
from hackles.wallboard.roads import ENGINE, Road
from hackles.wallboard.viewer import Viewer

_log = logging.getLogger(__name__)

LARGEST_BODY: Final = 8 * 2**20
"""Of the feed, in bytes: an engine that was away for long has much to say."""

_LARGEST: Final = 2**20
"""Of one message."""

_BODY_S: Final = 10.0
_MOST_ORDERS: Final = 1000
_MOST_RUNS: Final = 8
_SAID_EVERY_S: Final = 60.0
_STRAY: Final = 10

_decoder = msgspec.json.Decoder(Message)
_pieces = msgspec.json.Decoder(list[msgspec.Raw])


@dataclass(slots=True)
class _Engine:
    """One engine: its run, those before, and the orders that it did not confirm.

    `n_stray` counts beats of runs before, since this one began: what a run leaves behind has few.
    """

    run: Run | None = None
    before: deque[str] = field(default_factory=lambda: deque(maxlen=_MOST_RUNS))
    n_stray: int = 0
    orders: deque[Order] = field(default_factory=lambda: deque(maxlen=_MOST_ORDERS))


class Intake:
    """Hears all engines, by whichever way they come.

    Attributes:
        board: an id of this run of the board.
        unsaid: engines that were not yet told of their newest orders.
    """

    def __init__(
        self, take: Callable[[Message], None], clock: Callable[[], float] = time.time
    ) -> None:
        """Begin with no engine.

        Args:
            take: is given each message of each run once, in its order.
            clock: seconds since 1970.
        """
        self.board = secrets.token_hex(6)
        self.unsaid: set[str] = set()
        self._take, self._clock = take, clock
        self._engines: dict[str, _Engine] = {}
        self._seqs = itertools.count(1)
        self._left_out, self._said = 0, -_SAID_EVERY_S

    def acknowledge(
        self,
        engine: str,
        session: str,
        alert: str,
        verdict: Literal["seen", "helping", "resolved", "false_alarm"],
        by: str,
        at: float,
    ) -> None:
        """Have an engine record what somebody did about an alert."""
        order = Acknowledge(
            seq=next(self._seqs), session=session, alert=alert, verdict=verdict, by=by, at=at
        )
        self._engines.setdefault(engine, _Engine()).orders.append(order)
        self.unsaid.add(engine)

    def roads(self) -> list[Road]:
        """Return the direct way in."""
        return [
            Road(
                method="POST",
                path="/feed",
                who=ENGINE,
                answer=self._feed,
                says="Take in what an engine says (a list of messages), and answer it.",
                gives=Answer,
                faults={
                    408: "The body did not come in time.",
                    413: "The body is too large.",
                    422: "None of it is a message.",
                },
                is_documented=False,  # it is between the two of us
                limit=60_000,
            )
        ]

    async def run(self, broker: str, password: str = "") -> None:
        """Hear the engines that come by way of a broker; this never ends by itself.

        Args:
            broker: its URL, redis://… or rediss://….
            password: which it asks for; "" for none, or for the one in the URL.
        """
        from hackles.wallboard.broker import Listening

        await Listening(broker, password, self).run()

    def read(self, said: bytes) -> str:
        """Take in what came as JSON; return whose it was, or "" if it is no message."""
        if len(said) > _LARGEST:
            self._leave_out(f"one has {len(said)} bytes")
            return ""
        try:
            message = _decoder.decode(said)
        except (ValueError, RecursionError) as error:  # DecodeError is one, of UTF-8, too
            self._leave_out(str(error))
            return ""
        self.hear(message)
        return message.engine

    def hear(self, message: Message) -> None:
        """Take in a message, and hand on whatever's turn it is."""
        engine = self._engines.setdefault(message.engine, _Engine())
        if engine.run is None or engine.run.id != message.run:
            if message.run in engine.before:
                # A broker may have kept it, from before the engine began again.
                self._note_stray(engine, message)
                return
            self._begin(engine, message.run)
        run = engine.run
        if run is None:
            raise RuntimeError("an engine that is heard has a run")
        for one in run.put(message, self._clock()):
            self._hand_on(one)
        if isinstance(message.said, Beat):
            done = message.said.done.get(self.board, 0)
            while engine.orders and engine.orders[0].seq <= done:
                engine.orders.popleft()
        if run.has_missed:
            run.has_missed = False
            self._tell(engine)

    def answer(self, engine: str) -> Answer | None:
        """Return what an engine is to be told, if it has been heard."""
        self.unsaid.discard(engine)
        known = self._engines.get(engine)
        if known is None or known.run is None:
            return None
        return Answer(
            board=self.board, run=known.run.id, heard=known.run.heard, orders=list(known.orders)
        )

    def _begin(self, engine: _Engine, run: str) -> None:
        """Begin to hear another run of an engine; nothing is left to do about calls of before."""
        if engine.run is not None:
            engine.before.append(engine.run.id)
            engine.orders.clear()
        engine.run, engine.n_stray = Run(run), 0
        self._tell(engine)

    def _note_stray(self, engine: _Engine, message: Message) -> None:
        """Say so, once, if a run goes on that ought to be over: its calls are not on the board."""
        engine.n_stray += isinstance(message.said, Beat)
        if engine.n_stray == _STRAY:
            _log.warning(
                "Two engines are named %r, so the calls of one are not on the board; give each a "
                "name of its own under [board].",
                message.engine,
            )

    def _tell(self, engine: _Engine) -> None:
        """Ask for all that is known, anew: what was asked before may be told by now."""
        for order in [order for order in engine.orders if isinstance(order, Tell)]:
            engine.orders.remove(order)
        engine.orders.append(Tell(seq=next(self._seqs)))

    def _hand_on(self, message: Message) -> None:
        try:
            self._take(message)
        except Exception as error:  # noqa: BLE001 - one message must not keep out all others
            _log.debug("A message: a fault of ours.", exc_info=True)
            self._leave_out(repr(error))

    def _leave_out(self, why: str) -> None:
        """Say, once a minute at most, that messages were left out."""
        self._left_out += 1
        if time.monotonic() - self._said >= _SAID_EVERY_S:
            _log.warning("Left out %d messages of engines (%s).", self._left_out, why)
            self._left_out, self._said = 0, time.monotonic()

    async def _feed(self, request: Request, _viewer: Viewer | None) -> Response:
        """Take in what an engine sends, and answer it."""
        try:
            async with asyncio.timeout(_BODY_S):
                pieces = _pieces.decode(await _body(request))
        except TimeoutError as error:
            raise HTTPException(408, f"The body did not come within {_BODY_S:.0f} s.") from error
        except ClientDisconnect as error:
            raise HTTPException(400, "The body did not come.") from error
        except (ValueError, RecursionError) as error:
            raise HTTPException(422, f"Send a list of messages as JSON: {error}.") from error
        engines = [engine for piece in pieces if (engine := self.read(bytes(piece)))]
        answer = self.answer(engines[-1]) if engines else None
        if answer is None:
            raise HTTPException(422, "None of this is a message of an engine of this version.")
        return Response(msgspec.json.encode(answer), media_type="application/json")


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for some in request.stream():
        body += some
        if len(body) > LARGEST_BODY:
            raise HTTPException(413, f"The body may have {LARGEST_BODY} bytes, not more.")
    return bytes(body)
