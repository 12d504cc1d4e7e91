"""Receivers of webhooks on real sockets, and a clock that a test turns.

`verified` is written from the Standard Webhooks specification, without its library.
"""

import base64
import hashlib
import hmac
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

from hackles.wallboard.book import Book
from hackles.wallboard.happenings import Happening
from hackles.wallboard.settings import Board, Settings, Webhook
from hackles.wallboard.webhooks import TABLES, Webhooks
from hackles.wallboard.webhooks.signing import new_secret

NOON = 1_800_000_000.0
TOLERANCE_S = 300


class Got(NamedTuple):
    """One request."""

    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]


class Receiver:
    """An HTTP server; `answer` says what comes back: a status, and headers."""

    def __init__(self) -> None:
        self.got: list[Got] = []
        self.answer: Callable[[Got], tuple[int, dict[str, str], bytes]] = lambda _: (200, {}, b"")
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                got = Got({name.lower(): value for name, value in self.headers.items()}, body)
                receiver.got.append(got)
                status, headers, answer = receiver.answer(got)
                self.send_response(status)
                for name, value in ({"content-length": str(len(answer))} | headers).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            block_on_close = False

            def handle_error(self, *_: object) -> None:
                pass  # somebody hung up

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hook"

    @property
    def ids(self) -> list[str]:
        return [got.id for got in self.got]

    def down(self) -> None:
        """Have it answer as a proxy does for a server that is down."""
        self.answer = lambda _: (502, {}, b"")

    def up(self) -> None:
        """Have it answer again."""
        self.answer = lambda _: (200, {}, b"")


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Start a receiver."""
    receiver = Receiver()
    thread = threading.Thread(target=receiver.server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        receiver.server.shutdown()
        receiver.server.server_close()
        thread.join()


def verified(got: Got, secret: str, now: float | None = None) -> bool:
    """Return whether a request is from whoever has the secret, and new."""
    at = int(got.headers["webhook-timestamp"])
    if abs((time.time() if now is None else now) - at) > TOLERANCE_S:
        return False
    key = base64.b64decode(secret.removeprefix("whsec_"))
    content = f"{got.headers['webhook-id']}.{at}.".encode() + got.body
    expected = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest())
    sent = [one.partition(",") for one in got.headers["webhook-signature"].split(" ")]
    return any(
        version == "v1" and hmac.compare_digest(signature.encode(), expected)
        for version, _, signature in sent
    )


class Clock:
    """A clock that stands until it is turned; resting turns it."""

    def __init__(self, now: float = NOON) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    async def rest(self, seconds: float) -> None:
        self.now += seconds


def webhook(url: str, tmp_path, **given: object) -> Webhook:
    """Return a webhook to a receiver on this machine, with a secret of its own."""
    name = str(given.pop("name", "crm"))
    secret = tmp_path / f"{name}.secret"
    if not secret.exists():
        secret.write_text(new_secret() + "\n")
    fields = {"allow_private": True, "secret_file": str(secret)} | given
    return Webhook(name=name, url=url, **fields)


@contextmanager
def opened(tmp_path, *hooks: Webhook, clock=None, public_url: str = "", **given: object):
    """Open the webhooks of a board."""
    settings = Settings(board=Board(public_url=public_url), webhook=hooks)
    clock = clock or Clock()
    given = {"random": lambda: 0.5, "rest": clock.rest} | given
    with closing(Book(tmp_path / "board", [TABLES])) as book:
        book.do("PRAGMA synchronous = OFF")  # nobody pulls the plug
        yield Webhooks(settings, book, clock, **given)


async def until(webhooks: Webhooks, clock: Clock, at: float) -> None:
    """Let the time go by as `run` would, from one delivery to the next."""
    while True:
        await webhooks.settle()
        due = webhooks.next_at()
        if due is None or due > at:
            clock.now = max(clock.now, at)
            return
        clock.now = max(clock.now, due)


def raised(number: int = 1, **given: object) -> Happening:
    """Return an alert that was raised."""
    fields = {
        "id": f"alert{number}:raised",
        "kind": "alert.raised",
        "at": NOON,
        "host": "engine-1",
        "call": "+48 22 123 45 67",
        "session": f"session{number}",
        "queue": "billing",
        "agent": "a7",
        "teams": ("north",),
        "alert": f"alert{number}",
        "step": "raised",
        "state": "rising",
        "level": 0.61,
        "confidence": 0.8,
        "because": {"en": ("18 % faster",), "pl": ("mówi szybciej",), "es": ("más rápido",)},
        "raised_at": NOON,
    }
    return Happening(**(fields | given))


def withdrawn(number: int = 1) -> Happening:
    """Return that a caller withdrew consent."""
    return Happening(
        id=f"session{number}:withdrawn", kind="call.withdrawn", at=NOON, session=f"session{number}"
    )
