"""`hackles live` as services call it, read without the library that reads command lines.

That, and what it imports, would stay in memory as long as the daemon runs: 17 MB, and an eighth of
a second of its start. What is not plain is left to it: help, faults, values that must be checked.
"""

from collections.abc import Sequence
from typing import Any, Final

_VALUES: Final = ("--config", "--model", "--device", "--customer-device")
_FLAGS: Final = ("--shadow",)


def live(arguments: Sequence[str]) -> dict[str, Any] | None:
    """Return the options of `listen`, or None if typer is to read the command line.

    Args:
        arguments: behind the program's name.
    """
    if list(arguments[:1]) != ["live"]:
        return None
    given: dict[str, Any] = {}
    rest = iter(arguments[1:])
    for argument in rest:
        name, equals, value = argument.partition("=")
        if name in _FLAGS and not equals:
            given[_key(name)] = True
            continue
        if name not in _VALUES:
            return None
        value = value if equals else next(rest, "")
        if not value or value.startswith("-"):
            return None
        given[_key(name)] = value
    return given


def _key(option: str) -> str:
    return option.removeprefix("--").replace("-", "_")
