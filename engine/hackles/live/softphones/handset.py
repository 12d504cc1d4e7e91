"""The calls of one softphone, and which of them is on the agent's line."""

import logging
import os
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Protocol
from urllib.parse import unquote

from hackles.capture.complaints import Complaints
from hackles.errors import UsageError
from hackles.live.news import Registration

_log = logging.getLogger(__name__)

GRACE_S: Final = 5.0
"""A softphone that says nothing for longer has no call any more: the sound may be anything now."""

_LONGEST: Final = 100
_NOBODY: Final = frozenset({"anonymous", "unknown", "unavailable", "restricted", "private"})


class Line(Protocol):
    """What a handset asks of the agent's line."""

    def begin(self, call: str, *, customer: str, consent: bool | None) -> str:
        """Take a call onto the line and return its name."""

    def end(self, call: str) -> Registration:
        """Let a call go."""


@dataclass(frozen=True, slots=True)
class PhoneCall:
    """A call in which people can speak: somebody has answered.

    Attributes:
        key: tells it from the softphone's others.
        peer: the other side, as a URI.
        id: what all who had to do with the call know it by, or "".
        is_dialled: the agent has called, or nobody knows who has.
        is_held: the agent has put it on hold.
    """

    key: str
    peer: str
    id: str = ""
    is_dialled: bool = False
    is_held: bool = False


@dataclass(slots=True)
class _Known:
    """A call of the softphone, and what became of it on the line."""

    call: PhoneCall
    is_consultation: bool
    name: str = ""
    consent: bool | None = None


class Handset:
    """Of several calls the last that began and is not on hold is the one that the agent hears.

    The other one is then off the line: its customer must not answer for what somebody else says.
    A call that the agent dials beside another is taken for a word with a colleague, who must not
    be heard at all.
    """

    def __init__(self, line: Line, prefix: str) -> None:
        """Begin with no call.

        Args:
            line: takes and lets go the call that is heard.
            prefix: how calls' names begin.
        """
        self._line, self._prefix = line, prefix
        self._known: dict[str, _Known] = {}
        self._on_line: _Known | None = None
        self._away_since: float | None = None
        self._complaints = Complaints(_log)

    def become(self, calls: Sequence[PhoneCall]) -> None:
        """Take in which calls there are now, in the order in which they began."""
        self._away_since = None
        there = {call.key: call for call in calls}
        self._known = {key: one for key, one in self._known.items() if key in there}
        for key, call in there.items():
            if key in self._known:
                self._known[key].call = call
            else:
                self._known[key] = _Known(call, bool(self._known) and call.is_dialled)
        self._settle()

    def away(self, now: float) -> None:
        """Note that the softphone says nothing; its call goes on for a little while."""
        if self._away_since is None:
            self._away_since = now
        elif self._known and now - self._away_since >= GRACE_S:
            _log.warning("The softphone has gone; its call is taken to be over.")
            self._known.clear()
            self._settle()

    def _settle(self) -> None:
        """Have the call on the line that the agent hears."""
        heard = self._heard()
        if heard is self._on_line:
            return
        if self._on_line is not None:
            with suppress(UsageError):  # somebody has ended it by hand
                self._on_line.consent = self._line.end(self._on_line.name).consent
            self._on_line = None
        if heard is not None:
            self._begin(heard)

    def _heard(self) -> _Known | None:
        """Return whom the agent hears, None if it is nobody or must not be heard."""
        active = [one for one in self._known.values() if not one.call.is_held]
        if active:
            return None if active[-1].is_consultation else active[-1]
        return self._on_line if self._on_line in self._known.values() else None

    def _begin(self, known: _Known) -> None:
        name = known.name or (f"{self._prefix}-{_plain(known.call.id)}" if known.call.id else "")
        customer = number_of(known.call.peer)
        try:
            known.name = self._line.begin(name, customer=customer, consent=known.consent)
        except UsageError as error:
            self._complaints.warning("A call on the softphone is not listened to: %s", error)
        else:
            self._on_line = known


def reason(error: Exception) -> str:
    """Return in words why a softphone cannot be reached."""
    number = error.errno if isinstance(error, OSError) else None
    # asyncio says it in words of its own, with the address once more.
    return os.strerror(number) if number else str(error) or "no answer"


def number_of(uri: str) -> str:
    """Return whom a SIP or telephone URI names, "" if it is nobody in particular."""
    rest = uri.strip().strip("<>")
    scheme, colon, after = rest.partition(":")
    if colon and scheme.casefold() in ("sip", "sips", "tel"):
        rest = after
        if scheme.casefold() != "tel" and "@" not in rest:
            return ""  # a host alone
    user = unquote(rest.partition("@")[0].partition(";")[0].partition(":")[0])
    user = user.encode(errors="replace").decode()[:_LONGEST]
    return "" if user.casefold() in _NOBODY else user


def _plain(id_: str) -> str:
    """Return an identifier, which strangers choose, as one that can be read and typed."""
    return re.sub(r"[^!-~]|[/%]", "_", id_)[:_LONGEST]
