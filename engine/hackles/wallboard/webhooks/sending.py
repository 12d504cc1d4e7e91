"""One attempt: a POST, and what came of it. Nothing is followed, and hardly anything is read."""

import asyncio
import contextlib
import ssl
from collections.abc import Callable, Sequence
from typing import Final
from urllib.parse import urlsplit

import httpcore

from hackles import __version__
from hackles.wallboard.settings import Webhook
from hackles.wallboard.webhooks.connecting import Guarded, RefusedError, Resolve
from hackles.wallboard.webhooks.outcome import AT_ONCE, Outcome, retry_after_s
from hackles.wallboard.webhooks.signing import signed

TIMEOUT_S: Final = 15.0

_READ_S: Final = 1.0
_READ_BYTES: Final = 4096
"""Of an answer's body nothing is used; a short one is read, so that the connection can stay."""

_KEPT_S: Final = 30.0


class Sender:
    """Posts to one webhook's address."""

    def __init__(
        self,
        webhook: Webhook,
        secrets: Sequence[str],
        resolve: Resolve,
        clock: Callable[[], float],
    ) -> None:
        """Take where to, and what signs."""
        self._url, self._secrets, self._clock = webhook.url, secrets, clock
        is_encrypted = urlsplit(webhook.url).scheme == "https"
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=ssl.create_default_context(),
            max_connections=AT_ONCE,
            max_keepalive_connections=AT_ONCE,
            keepalive_expiry=_KEPT_S,
            network_backend=Guarded(webhook.allow_private, is_encrypted, resolve),
        )

    async def post(self, id_: str, media_type: str, body: bytes) -> Outcome:
        """Send it, and return what came of it."""
        headers = {
            "content-type": media_type,
            "user-agent": f"hackles/{__version__}",
        }
        if self._secrets:
            headers |= signed(self._secrets, id_, self._clock(), body)
        try:
            async with asyncio.timeout(TIMEOUT_S):
                return await self._post([*headers.items()], body)
        except (TimeoutError, httpcore.TimeoutException):
            return Outcome(None, f"no answer within {TIMEOUT_S:.0f} s")
        except RefusedError as refused:
            return Outcome(None, f"not sent: {refused}")
        except (httpcore.NetworkError, httpcore.ProtocolError) as error:
            return Outcome(None, f"no answer ({str(error) or type(error).__name__})")

    async def close(self) -> None:
        """Close what is still open."""
        await self._pool.aclose()

    async def _post(self, headers: list[tuple[str, str]], body: bytes) -> Outcome:
        timeout = {"connect": TIMEOUT_S, "pool": TIMEOUT_S}
        async with self._pool.stream(
            "POST", self._url, headers=headers, content=body, extensions={"timeout": timeout}
        ) as answer:
            await _read_a_little(answer)
            return self._outcome(answer)

    def _outcome(self, answer: httpcore.Response) -> Outcome:
        if 200 <= answer.status < 300:
            return Outcome(answer.status, "")
        said = dict(answer.headers).get(b"retry-after", b"")
        seconds = retry_after_s(said.decode("ascii", "replace"), self._clock())
        return Outcome(answer.status, f"answered {answer.status}", seconds)


async def _read_a_little(answer: httpcore.Response) -> None:
    """Read a short body; whatever is wrong with it, the status stands."""
    size = 0
    with contextlib.suppress(TimeoutError, httpcore.NetworkError, httpcore.ProtocolError):
        async with asyncio.timeout(_READ_S):
            async for part in answer.aiter_stream():
                size += len(part)
                if size > _READ_BYTES:
                    return
