"""When what did not get through is tried again, over about a day.

Standard Webhooks asks for a backoff with jitter over a day or more. Ours grows to half an hour and
stays there: what is worth knowing of a call is worth little a day later, so an address that is back
is to be found soon, and one attempt every half hour is no burden.
"""

from collections.abc import Callable
from itertools import accumulate
from typing import Final

DAY_S: Final = 24 * 3600.0

_FIRST_STEPS_S: Final = (5.0, 25.0, 90.0, 180.0, 300.0, 600.0, 600.0)
_LONGEST_STEP_S: Final = 1800.0
_STEPS_S: Final = _FIRST_STEPS_S + 46 * (_LONGEST_STEP_S,)

AFTER_S: Final = tuple(accumulate(_STEPS_S))
"""After the first attempt: 5 s, 30 s, 2, 5, 10, 20, 30 min, then each half hour up to 23.5 h."""

JITTER: Final = 0.2
"""Up to so much of the step before it, an attempt comes later."""

_FIRST_GAP_S: Final = 5.0
_LONGEST_GAP_S: Final = 60.0


def next_at(since_at: float, now: float, random: Callable[[], float]) -> float | None:
    """Return when to try next what has just failed.

    Which attempt it was does not matter, only how late it is: an attempt that came between, since
    the address seemed to be back, costs nothing.

    Args:
        since_at: when it was tried, or could have been, for the first time.
        now: when it failed.
        random: gives a number from 0 to 1.

    Returns:
        None if that was the last attempt.
    """
    for after_s, step_s in zip(AFTER_S, _STEPS_S, strict=True):
        if since_at + after_s > now:
            return since_at + after_s + random() * JITTER * step_s
    return None


def gap_s(failures: int) -> float:
    """Return how long an address that fails is left in peace, whatever waits for it.

    Args:
        failures: in a row, 1 or more.
    """
    return float(min(_FIRST_GAP_S * 2.0 ** min(failures - 1, 10), _LONGEST_GAP_S))
