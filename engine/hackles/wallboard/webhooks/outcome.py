"""What came of an attempt, and what its answer asks for."""

from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final, NamedTuple

from hackles.wallboard.webhooks.schedule import DAY_S

AT_ONCE: Final = 4
"""Deliveries that are under way to one address."""


class Outcome(NamedTuple):
    """What came of an attempt.

    Attributes:
        status: of the answer; None without one.
        error: why it was none, or "" if it got through.
        retry_after_s: for how long nothing more is wanted; None if nothing was said.
    """

    status: int | None
    error: str
    retry_after_s: float | None = None

    @property
    def is_done(self) -> bool:
        """Whether the receiver has it."""
        return not self.error

    @property
    def is_gone(self) -> bool:
        """Whether the receiver wants nothing any more."""
        return self.status == 410


def retry_after_s(said: str, now: float) -> float | None:
    """Return for how long a `Retry-After` asks to wait; a day at most, None if it says nothing.

    Source:
        RFC 9110, section 10.2.3: seconds, or a date.
    """
    text = said.strip()
    if text.isascii() and text.isdigit():
        return float(min(int(text[:9]), DAY_S))
    try:
        until = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return min(max(until.replace(tzinfo=until.tzinfo or UTC).timestamp() - now, 0.0), DAY_S)
