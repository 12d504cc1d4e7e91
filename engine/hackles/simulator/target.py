"""Where calls are sent, and what was asked for: checked before anything is sent."""

import math
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from hackles.capture.files import Channels
from hackles.errors import UsageError
from hackles.simulator.audiosocket import KINDS
from hackles.simulator.calls import Coding
from hackles.simulator.media import DIALECTS

_SLIN_RATES: Final = {"slin8": 8000, "slin16": 16_000, "slin48": 48_000}
_SCHEMES: Final = ("audiosocket", "ws", "wss")


@dataclass(frozen=True, slots=True)
class Target:
    """Where the daemon listens.

    Attributes:
        scheme: "audiosocket", "ws" or "wss".
        host: a name or an address.
        port: of TCP.
        path: of the URL, with its query; "" for AudioSocket.
    """

    scheme: str
    host: str
    port: int
    path: str

    @property
    def address(self) -> str:
        """Host and port in one."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is to be played, where to, and how; `check` says what cannot be.

    Attributes:
        paths: recordings, or folders.
        channels: the customer's.
        target: where the daemon listens.
        n_calls: how many; None for one of each recording.
        speed: how many times as fast as it was spoken.
        dialect: of a media stream.
        kind: of the samples; "" for what is usual.
        jitter_s: a packet comes up to so much late.
        loss: this share of the packets is never sent.
        register: the URL of the daemon's control API, or "".
        consent: what is registered.
        prefix: of the calls' names.
        token: a secret that each stream brings, or "".
        insecure: whether to take any certificate for good.
        seed: decides what is late, and what is lost.
    """

    paths: tuple[str, ...]
    channels: Channels
    target: Target
    n_calls: int | None = None
    speed: float = 1.0
    dialect: str = "twilio"
    kind: str = ""
    jitter_s: float = 0.0
    loss: float = 0.0
    register: str = ""
    consent: bool = True
    prefix: str = "sim"
    token: str = ""
    insecure: bool = False
    seed: int = 0

    @property
    def written_as(self) -> tuple[Coding, int]:
        """How samples are written, and at which rate.

        Raises:
            UsageError: if this target, or dialect, knows no such kind.
        """
        if self.target.scheme == "audiosocket":
            return Coding.SLIN, KINDS[self.kind or "slin8"][1]
        codings = DIALECTS[self.dialect].codings
        if not self.kind:
            usual = next(iter(codings))
            return usual, codings[usual][0]
        sample_rate = _SLIN_RATES[self.kind]
        if sample_rate not in codings.get(Coding.SLIN, ()):
            raise UsageError(f"{self.dialect} does not send {self.kind}; leave out --kind")
        return Coding.SLIN, sample_rate

    def check(self) -> None:
        """Say what cannot be.

        Raises:
            UsageError: if there is anything.
        """
        if not (math.isfinite(self.speed) and self.speed > 0):
            raise UsageError(f"--speed {self.speed} is no pace; give a number above 0")
        if not 0 <= self.loss <= 1:
            raise UsageError(f"--loss {self.loss} is no share; give a number from 0 to 1")
        if self.register and urlsplit(self.register).scheme not in ("http", "https"):
            raise UsageError(
                f"--register {self.register!r} is no URL; give one like http://127.0.0.1:9300"
            )
        if "\r" in self.token or "\n" in self.token:
            raise UsageError("--token holds a line break; give it without")
        _ = self.written_as


def parse_target(url: str) -> Target:
    """Return where a URL points.

    Raises:
        UsageError: if it is none of ours.
    """
    fault = UsageError(
        f"--to {url!r} is no target; give audiosocket://HOST:PORT, ws://HOST:PORT/media "
        "or wss://HOST:PORT/media"
    )
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise fault from error
    port = port or {"ws": 80, "wss": 443}.get(parts.scheme)
    if parts.scheme not in _SCHEMES or not host or not port or not url.isprintable() or " " in url:
        raise fault
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme, host, port, path)
