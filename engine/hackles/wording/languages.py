"""Which language somebody reads: as their browser or their system says."""

import os
import sys
from collections.abc import Iterator, Mapping
from typing import Final

LANGUAGES: Final = ("en", "pl", "es")

_LONGEST_HEADER: Final = 1000
_PLAIN: Final = ("C", "POSIX")


def best_language(accept_language_header: str, default: str = "en") -> str:
    """Return the one of our languages that a browser likes best.

    Args:
        accept_language_header: as in "pl-PL,pl;q=0.9,en;q=0.8".
        default: if it likes none of ours, or all of them.
    """
    liked: dict[str, float] = {}
    for language, quality in _ranges(accept_language_header[:_LONGEST_HEADER]):
        liked.setdefault(language, quality)
    others = liked.pop("*", 0.0)
    if others > 0:
        liked.setdefault(default, others)
        liked |= {language: others / 2 for language in LANGUAGES if language not in liked}
    best = max(LANGUAGES, key=lambda language: liked.get(language, 0.0))
    return best if liked.get(best, 0.0) > 0 else default


def _ranges(header: str) -> Iterator[tuple[str, float]]:
    """Yield each language and how much it is liked, the first mention of each being the best."""
    found: list[tuple[str, float]] = []
    for item in header.split(","):
        tag, *parameters = (part.strip() for part in item.split(";"))
        language = _ours(tag)
        if language or tag == "*":
            found.append((language or "*", _quality(parameters)))
    yield from sorted(found, key=lambda pair: -pair[1])


def _quality(parameters: list[str]) -> float:
    """Return 0 to 1; 0 also where it cannot be read."""
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "q":
            try:
                quality = float(value)
            except ValueError:
                return 0.0
            return quality if 0.0 <= quality <= 1.0 else 0.0
    return 1.0


def system_language(environment: Mapping[str, str] | None = None) -> str:
    """Return the one of our languages in which this desktop speaks; English if it is another.

    Args:
        environment: instead of the process's own.
    """
    known = os.environ if environment is None else environment
    locale = next((known[n] for n in ("LC_ALL", "LC_MESSAGES", "LANG") if known.get(n)), "")
    if locale.partition(".")[0] in _PLAIN:
        return "en"
    wanted = [*known.get("LANGUAGE", "").split(":"), locale]
    if not any(wanted) and environment is None:
        wanted = [_of_windows()]
    return next((language for name in wanted if (language := _ours(name))), "en")


def _of_windows() -> str:
    """Return the locale of the user's Windows, such as "pl_PL"; "" elsewhere."""
    if sys.platform != "win32":
        return ""
    import ctypes
    import locale

    return locale.windows_locale.get(ctypes.windll.kernel32.GetUserDefaultUILanguage(), "")


def _ours(tag: str) -> str:
    """Return our language of a tag such as "pl-PL" or a locale such as "es_MX.UTF-8"; or ""."""
    language = tag.strip().replace("_", "-").partition("-")[0].partition(".")[0].lower()
    return language if language in LANGUAGES else ""
