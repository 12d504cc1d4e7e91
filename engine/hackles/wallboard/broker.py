"""Engines that come by way of Redis Streams: heard from the oldest that is kept, and answered."""

import asyncio
import logging
import random
import time
from collections.abc import Iterable
from typing import Any, Final, Protocol

import msgspec

from hackles.errors import UsageError
from hackles.exchange.broker import EVENTS, FIELD, answers
from hackles.exchange.messages import Answer

_log = logging.getLogger(__name__)

_BLOCK_MS: Final = 200
"""An order waits no longer than this before it is written."""

_TIMEOUT_S: Final = 3.0
_AT_ONCE: Final = 200
_ANSWERS: Final = 16
_KEPT_S: Final = 15 * 60
_REST_S: Final = 2.0
_SAID_EVERY_S: Final = 60.0
_BEGINNING: Final = b"0-0"


class Ear(Protocol):
    """Who hears the engines.

    Attributes:
        unsaid: engines that were not yet told of their newest orders.
    """

    unsaid: set[str]

    def read(self, said: bytes) -> str:
        """Take in what came; return whose it was, or "" if it is no message."""

    def answer(self, engine: str) -> Answer | None:
        """Return what an engine is to be told, if it has been heard."""


class Listening:
    """Reads the stream of all engines, and writes a stream of answers for each."""

    def __init__(self, url: str, password: str, ear: Ear) -> None:
        """Say where; nothing is connected as yet.

        Args:
            url: of the broker, redis://… or rediss://….
            password: which it asks for; "" for none, or for the one in the URL.
            ear: takes what engines say.

        Raises:
            UsageError: if that is no such URL, or redis is not installed.
        """
        try:
            from redis.asyncio import Redis
            from redis.asyncio.retry import Retry
            from redis.backoff import NoBackoff
        except ImportError as error:
            raise UsageError("A broker needs redis: pip install 'hackles[wallboard]'.") from error
        given: dict[str, Any] = {"password": password} if password else {}
        try:
            self._redis: Any = Redis.from_url(
                url,
                socket_timeout=_TIMEOUT_S,
                socket_connect_timeout=_TIMEOUT_S,
                retry=Retry(NoBackoff(), 0),
                **given,
            )
        except ValueError as error:
            raise UsageError(
                "The broker must be as rediss://broker.example:6379 is; correct it."
            ) from error
        self._ear, self._random = ear, random.Random()  # noqa: S311
        self._server, self._at = "", _BEGINNING
        self._said, self._is_away = -_SAID_EVERY_S, False

    async def run(self) -> None:
        """Listen, and connect again whenever the broker was away."""
        from redis.exceptions import RedisError

        try:
            while True:
                try:
                    await self._listen()
                except (RedisError, OSError, TimeoutError) as error:
                    self._complain(error)
                    await self._redis.connection_pool.disconnect()
                    await asyncio.sleep(self._random.uniform(0.1, _REST_S))
        finally:
            await self._redis.aclose()

    async def _listen(self) -> None:
        """Read and answer until the broker goes away."""
        await self._find_place()
        if self._is_away:
            self._is_away = False
            _log.info("The broker is there again.")
        while True:
            found = await self._redis.xread({EVENTS: self._at}, count=_AT_ONCE, block=_BLOCK_MS)
            heard = {self._read(*entry) for _, entries in found for entry in entries}
            await self._answer((heard | self._ear.unsaid) - {""})

    async def _find_place(self) -> None:
        """Begin anew at a broker that has begun anew: its numbers say nothing of what was read."""
        server = str((await self._redis.info("server")).get("run_id"))
        if server != self._server:
            self._server, self._at = server, _BEGINNING

    def _read(self, id_: bytes, entry: dict[bytes, bytes]) -> str:
        self._at = id_
        return self._ear.read(entry.get(FIELD.encode(), b""))

    async def _answer(self, engines: Iterable[str]) -> None:
        pipe = self._redis.pipeline(transaction=False)
        for engine in engines:
            answer = self._ear.answer(engine)
            if answer is not None:
                entry = {FIELD: msgspec.json.encode(answer)}
                pipe.xadd(answers(engine), entry, maxlen=_ANSWERS, approximate=False)
                pipe.expire(answers(engine), _KEPT_S)
        await pipe.execute()

    def _complain(self, error: Exception) -> None:
        """Say, once a minute at most, that engines cannot be heard."""
        self._is_away = True
        if time.monotonic() - self._said >= _SAID_EVERY_S:
            self._said = time.monotonic()
            _log.warning(
                "The broker cannot be reached (%s); it is tried again.", str(error) or repr(error)
            )
