"""Moments as people type them: a day, a day and an hour, or how long ago."""

import re
from datetime import datetime, timedelta
from typing import Final

from hackles.errors import UsageError

_AGO: Final = re.compile(r"(\d{1,4})\s*([hdw])")
_UNITS: Final = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_YEARS: Final = range(1971, 9000)
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")


def since(text: str, now: datetime) -> float:
    """Return the moment from which on, in seconds since 1970.

    Args:
        text: "2026-11-20", "2026-11-20 14:30", or "36h", "7d", "2w" for so long ago.
        now: the moment from which is counted, in local time.

    Raises:
        UsageError: if the text is none of these.
    """
    return _moment(text, now).timestamp()


def until(text: str, now: datetime) -> float:
    """Return the moment up to which, in seconds since 1970; a day counts to its end.

    Raises:
        UsageError: if the text is none of those that `since` takes.
    """
    moment = _moment(text, now)
    if _DAY.fullmatch(text.strip()):
        moment += timedelta(days=1)
    return moment.timestamp()


def _moment(text: str, now: datetime) -> datetime:
    ago = _AGO.fullmatch(text.strip())
    try:
        # Without a zone it is local time.
        moment = now - int(ago[1]) * _UNITS[ago[2]] if ago else datetime.fromisoformat(text.strip())
    except (ValueError, OverflowError) as error:
        raise _refusal(text) from error
    if moment.year not in _YEARS:
        raise _refusal(text)
    return moment


def _refusal(text: str) -> UsageError:
    return UsageError(f'"{text}" is no date; write it as in 2026-11-20, "2026-11-20 14:30" or 7d.')
