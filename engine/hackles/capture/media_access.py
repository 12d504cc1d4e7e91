"""Who may send media streams: what a request shows before it is let in, or a start after it.

Sources:
    Twilio, "Secure webhooks" (HMAC-SHA1 of the URL, keyed by the auth token, in base64),
    https://www.twilio.com/docs/usage/webhooks/webhooks-security; "Media Streams Configuration"
    (streams carry the header too),
    https://www.twilio.com/docs/global-infrastructure/firewall-configurations/media-streams-configuration;
    for streams the URL has wss: https://github.com/twilio-labs/twilio-aspnet/issues/162.
    Twilio, error 31920: the URL of a stream has no query; parameters come with the start.
    Exotel, "Working with the Stream and Voicebot Applet" (HTTP Basic in the URL).

Not verified: how Telnyx shows its `stream_auth_token`, taken to be a bearer token; whether Twilio
signs a URL with a slash at its end as it was given, so that with and without are accepted.
"""

import base64
import hashlib
import hmac
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from urllib.parse import parse_qsl, unquote, urlsplit

from hackles.errors import UsageError


class Admission(Enum):
    """What becomes of a request."""

    GRANTED = auto()
    PENDING = auto()
    """It has shown nothing: its start must."""
    REFUSED = auto()
    ELSEWHERE = auto()
    """It asks for a place that is not here."""


@dataclass(frozen=True, slots=True)
class Access:
    """What is asked of a stream; with nothing set, nothing is. One of what is set is enough.

    Attributes:
        twilio_token: the auth token of a Twilio account, which signs its requests.
        public_url: where Twilio was told to connect, wss://…
        token: a secret that is shown as a bearer token, as the password of HTTP Basic, as
            `?token=`, as what follows the path, or as the custom parameter `token`.
    """

    twilio_token: str = field(default="", repr=False)
    public_url: str = ""
    token: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        """Look at the settings.

        Raises:
            UsageError: if signatures cannot be checked with them.
        """
        if self.twilio_token and not self.public_url.startswith(("wss://", "ws://")):
            raise UsageError(
                "Twilio signs the address that it was given: set the public URL, wss://…, too."
            )

    def at_upgrade(self, target: str, path: str, headers: Mapping[str, str]) -> Admission:
        """Return what becomes of a request.

        Args:
            target: what it asks for, with its query.
            path: where streams are let in; what lies below it is here too.
            headers: its headers; names in any case.
        """
        try:
            asked = urlsplit(target)
        except ValueError:
            return Admission.ELSEWHERE
        below = asked.path.removeprefix(path.rstrip("/"))
        if not asked.path.startswith(path.rstrip("/")) or below[:1] not in ("", "/"):
            return Admission.ELSEWHERE
        signature = headers.get("X-Twilio-Signature", "")
        if self.twilio_token and signature:
            return Admission.GRANTED if self._is_signed(signature) else Admission.REFUSED
        if not self.token:
            return Admission.REFUSED if self.twilio_token else Admission.GRANTED
        shown = list(_tokens(below, asked.query, headers.get("Authorization", "")))
        if any(self.is_token(token) for token in shown):
            return Admission.GRANTED
        return Admission.REFUSED if shown else Admission.PENDING

    def is_token(self, shown: str) -> bool:
        """Return whether this is the token."""
        return hmac.compare_digest(shown.encode(errors="replace"), self.token.encode())

    def _is_signed(self, signature: str) -> bool:
        bare = self.public_url.rstrip("/")
        return any(
            hmac.compare_digest(signature.encode(errors="replace"), self._sign(url))
            for url in (bare, bare + "/")
        )

    def _sign(self, url: str) -> bytes:
        signed = hmac.new(self.twilio_token.encode(), url.encode(), hashlib.sha1)
        return base64.b64encode(signed.digest())


def _tokens(below: str, query: str, authorization: str) -> Iterator[str]:
    """Yield what a request shows as a token, wherever it shows it."""
    yield from (value for name, value in parse_qsl(query) if name == "token")
    if place := below.strip("/"):
        yield unquote(place.rpartition("/")[2])
    scheme, _, shown = authorization.partition(" ")
    if scheme.lower() == "bearer":
        yield shown.strip()
    elif scheme.lower() == "basic":
        yield _password(shown)


def _password(credentials: str) -> str:
    """Return the password of HTTP Basic, or "" if it is none (RFC 7617)."""
    try:
        return base64.b64decode(credentials).decode().partition(":")[2]
    except ValueError:
        return ""
