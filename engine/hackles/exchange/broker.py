"""The way over Redis Streams: several engines, several boards, a broker that may forget.

All engines write one stream; each board answers in a stream of each engine. What a board has
confirmed is deleted from the stream, so a caller who withdraws consent finds nothing left there.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec

from hackles.errors import UsageError
from hackles.exchange.link import TIMEOUT_S, LinkError
from hackles.exchange.messages import Answer, Beat, Message

EVENTS: Final = "hackles:events"
"""The stream that all engines write."""

FIELD: Final = "message"
"""The one field of an entry, with a message or an answer as JSON."""

_MOST: Final = 200_000
"""Entries of the stream; beyond that Redis lets the oldest go."""

_KEPT_MS: Final = 15 * 60_000
"""What an engine that died left behind stays no longer."""

_ANSWERS: Final = 8
"""Each answer of a board says all that it has to say; so the last ones are enough."""

_encoder, _decoder = msgspec.json.Encoder(), msgspec.json.Decoder(Answer)


def answers(engine: str) -> str:
    """Return the name of the stream in which boards answer an engine."""
    return f"hackles:answers:{engine}"


class BrokerLink:
    """Writes messages to Redis and reads the answers; see `link.Link`."""

    def __init__(self, url: str, password: str, engine: str) -> None:
        """Say where; nothing is connected as yet.

        Args:
            url: of the broker, redis://… or rediss://….
            password: which it asks for; "" for none, or for the one in the URL.
            engine: the name of this engine.

        Raises:
            UsageError: if that is no such URL, or redis is not installed.
        """
        self._redis = _client(url, password)
        self._answers = answers(engine)
        self._ids: dict[int, bytes] = {}
        """Of entries that no board has confirmed, by the number of the message."""
        self._gone: list[bytes] = []
        """Entries to be deleted at the next chance."""
        self._before: list[bytes] = []
        """Entries that were sent again, and are deleted once all behind them were, too."""
        self._newest_ms = self._last = self._heard = 0

    def send(self, messages: Sequence[Message]) -> Sequence[Answer]:
        """See `Link`."""
        from redis.exceptions import RedisError

        gone, self._gone = self._gone, []
        pipe = self._redis.pipeline(transaction=False)
        for message in messages:
            _add(pipe, message, self._newest_ms)
        if gone:
            pipe.xdel(EVENTS, *gone)
        pipe.expire(EVENTS, _KEPT_MS // 1000)
        pipe.xrevrange(self._answers, count=_ANSWERS)
        try:
            done = pipe.execute()
        except (RedisError, OSError) as error:
            self._gone = gone
            self._redis.connection_pool.disconnect()
            raise LinkError(str(error) or repr(error)) from error
        self._note(messages, done[: len(messages)])
        found = list(_answers_in(done[-1]))
        self._let_go(messages, found)
        return found

    def greet(self) -> None:
        """Find out whether the broker answers; nothing is told.

        Raises:
            LinkError: if it does not.
        """
        from redis.exceptions import RedisError

        try:
            self._redis.ping()
        except (RedisError, OSError) as error:
            raise LinkError(str(error) or repr(error)) from error

    def _note(self, messages: Sequence[Message], ids: Sequence[bytes]) -> None:
        """Keep by which ids messages can be deleted."""
        for message, id_ in zip(messages, ids, strict=True):
            if isinstance(message.said, Beat):
                self._gone.append(id_)  # at the next: boards have had it by then
            else:
                if message.seq in self._ids:
                    self._before.append(self._ids[message.seq])
                self._ids[message.seq] = id_
        if ids:
            self._newest_ms = int(ids[-1].partition(b"-")[0])
            self._last = max(self._last, messages[-1].seq)
            if messages[-1].seq == self._last:
                self._gone += self._before
                self._before = []

    def _let_go(self, messages: Sequence[Message], found: Iterable[Answer]) -> None:
        """Have deleted what a board has confirmed."""
        own = [answer.heard for answer in found if messages and answer.run == messages[0].run]
        heard = max(own, default=0)
        if heard > self._heard:
            self._heard = heard
            self.forget([seq for seq in self._ids if seq <= heard])

    def forget(self, seqs: Iterable[int]) -> None:
        """See `Link`; with what is sent next."""
        self._gone += [self._ids.pop(seq) for seq in seqs if seq in self._ids]

    def close(self) -> None:
        """See `Link`."""
        self._redis.close()


def _client(url: str, password: str) -> Any:
    try:
        import redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry
    except ImportError as error:
        raise UsageError(
            "[board] broker needs redis: pip install 'hackles[wallboard]', or name url instead."
        ) from error
    try:
        return redis.Redis.from_url(
            url,
            socket_timeout=TIMEOUT_S,
            socket_connect_timeout=TIMEOUT_S,
            retry=Retry(NoBackoff(), 0),
            **({"password": password} if password else {}),
        )
    except ValueError as error:
        raise UsageError(
            '[board] broker must be as "rediss://broker.example:6379" is; correct it.'
        ) from error


def _add(pipe: Any, message: Message, newest_ms: int) -> None:
    entry = {FIELD: _encoder.encode(message)}
    if isinstance(message.said, Beat) and newest_ms > _KEPT_MS:
        pipe.xadd(EVENTS, entry, minid=newest_ms - _KEPT_MS, approximate=False)
    else:
        pipe.xadd(EVENTS, entry, maxlen=_MOST, approximate=True)


def _answers_in(entries: Iterable[tuple[bytes, dict[bytes, bytes]]]) -> Iterable[Answer]:
    for _, entry in reversed(list(entries)):
        try:
            yield _decoder.decode(entry.get(FIELD.encode(), b""))
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            continue  # of another version; those that matter come every second
