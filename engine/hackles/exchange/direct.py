"""The direct way to a wallboard: HTTP over one connection that is kept."""

import http.client
import ssl
from collections.abc import Iterable, Iterator, Sequence
from typing import Final
from urllib.parse import urlsplit

import msgspec

from hackles.errors import UsageError
from hackles.exchange.link import TIMEOUT_S, LinkError, answer
from hackles.exchange.messages import Answer, Message

_MOST: Final = 2**20
"""Of an answer, and of what is sent in one go, in bytes; a board takes more."""

_encoder = msgspec.json.Encoder()


class DirectLink:
    """Posts messages to a board; see `link.Link`."""

    def __init__(self, url: str, token: str) -> None:
        """Say where to; nothing is connected as yet.

        Args:
            url: of the board, "http(s)://host:port".
            token: the secret of the engines' feed, or "".

        Raises:
            UsageError: if that is no URL of a board.
        """
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise UsageError('[board] url must be as "https://board.example:9310" is; correct it.')
        self._base = parts.path.rstrip("/")
        self._headers = {"Content-Type": "application/json"}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"
        self._connection = (
            http.client.HTTPSConnection(
                parts.hostname,
                parts.port,
                timeout=TIMEOUT_S,
                context=ssl.create_default_context(),
            )
            if parts.scheme == "https"
            else http.client.HTTPConnection(parts.hostname, parts.port, timeout=TIMEOUT_S)
        )

    def send(self, messages: Sequence[Message]) -> Sequence[Answer]:
        """See `Link`."""
        return [self._ask(body) for body in _bodies(messages)]

    def _ask(self, body: bytes) -> Answer:
        is_kept = self._connection.sock is not None
        try:
            status, said = self._post(body, may_be_stale=is_kept)
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            raise LinkError(_reason(error)) from error
        if status != http.HTTPStatus.OK:
            raise LinkError(_refusal(status))
        return answer(said)

    def ask(self, road: str) -> int:
        """Return the status with which a board answers on another of its roads.

        Raises:
            LinkError: if nobody answers.
        """
        try:
            self._connection.request("GET", self._base + road, headers=self._headers)
            return self._connection.getresponse().status
        except (OSError, http.client.HTTPException) as error:
            raise LinkError(str(error) or repr(error)) from error
        finally:
            self._connection.close()

    def _post(self, body: bytes, may_be_stale: bool) -> tuple[int, bytes]:
        try:
            self._connection.request("POST", f"{self._base}/feed", body, self._headers)
            response = self._connection.getresponse()
        except (ConnectionError, http.client.BadStatusLine):
            # A server closes whom it has not heard for a while, or as it is started again.
            self._connection.close()
            if not may_be_stale:
                raise
            return self._post(body, may_be_stale=False)
        said = response.read(_MOST)
        if not response.isclosed():
            self._connection.close()
        return response.status, said

    def forget(self, seqs: Iterable[int]) -> None:
        """See `Link`: nothing lies on this way."""

    def close(self) -> None:
        """See `Link`."""
        self._connection.close()


def _bodies(messages: Sequence[Message]) -> Iterator[bytes]:
    """Yield lists of messages, each as large as a board takes with ease."""
    some: list[bytes] = []
    size = 0
    for message in messages:
        said = _encoder.encode(message)
        if some and size + len(said) > _MOST:
            yield b"[" + b",".join(some) + b"]"
            some, size = [], 0
        some.append(said)
        size += len(said) + 1
    yield b"[" + b",".join(some) + b"]"


def _reason(error: Exception) -> str:
    if isinstance(error, http.client.RemoteDisconnected):
        return (
            "what listens there hangs up; see whether url under [board] is to begin with https://"
        )
    return str(error) or repr(error)


def _refusal(status: int) -> str:
    if status in (http.HTTPStatus.UNAUTHORIZED, http.HTTPStatus.FORBIDDEN):
        return "the board does not know the secret in token_file; give both the same"
    if status == http.HTTPStatus.NOT_FOUND:
        return "what answers there is no board; correct url under [board]"
    return f"the board answered with the status {status}"
