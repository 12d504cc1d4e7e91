"""Reading the configuration file: everything that is wrong with it at once, or the settings."""

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Generic, TypeVar

import msgspec

from hackles.configuration import sections
from hackles.configuration.faults import Fault, Finding, Sections
from hackles.configuration.form import FORM
from hackles.configuration.positions import Positions
from hackles.configuration.sections import Form
from hackles.errors import UsageError
from hackles.settings import Settings

_Read = TypeVar("_Read", bound=msgspec.Struct)
_NO_KEYS: Final[Mapping[str, str]] = MappingProxyType({})
_NOTHING: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Checked(Generic[_Read]):
    """What came of a file.

    Attributes:
        path: as it was given.
        faults: what is wrong, by line; warnings among them.
        settings: None if one of them is more than a warning.
    """

    path: str
    faults: tuple[Fault, ...]
    settings: _Read | None

    def lines(self, are_warnings: bool) -> list[str]:
        """Return the warnings, or all other faults, each as one line with its place."""
        return [
            f"{self.path}{f':{fault.line}' if fault.line else ''}: "
            f"{'warning: ' if fault.is_warning else ''}{_in_one_line(fault.text)}"
            for fault in self.faults
            if fault.is_warning == are_warnings
        ]


def _in_one_line(text: str) -> str:
    """Return a text without what a quoted key may hold: newlines, and signs that move a cursor."""
    return "".join(sign if sign.isprintable() else "\ufffd" for sign in text)


def load(path: str | Path, device: Mapping[str, str] | None = None) -> Settings:
    """Return what a configuration file says; paths in it begin at its folder.

    Args:
        path: of the file.
        device: keys of [device] that were chosen elsewhere, instead of the file's.

    Raises:
        UsageError: which names every fault and its line, if there is any but warnings.
    """
    return settled(check(path, device or {}))


def settled(checked: Checked[_Read]) -> _Read:
    """Return the settings of a file.

    Raises:
        UsageError: which names every fault and its line, if there is any but warnings.
    """
    if checked.settings is None:
        lines = checked.lines(are_warnings=False)
        head = [] if len(lines) == 1 else [f"{checked.path} has {len(lines)} faults:"]
        raise UsageError("\n".join(head + lines))
    return checked.settings


def check(path: str | Path, device: Mapping[str, str] = _NO_KEYS) -> Checked[Settings]:
    """Return what is wrong with the daemon's file, and the settings if they are well."""
    return judged(FORM, path, {"device": device} if device else {})


def judged(
    form: Form[_Read], path: str | Path, chosen: Mapping[str, Mapping[str, str]] = _NOTHING
) -> Checked[_Read]:
    """Return what is wrong with a configuration file, and the settings if they are well.

    Args:
        form: what it should hold.
        path: of the file.
        chosen: keys of sections that were chosen elsewhere, instead of the file's.
    """
    try:
        text = _text(Path(path), form.example)
        raw = _parsed(text)
    except _FileError as error:
        return Checked(str(path), (error.fault,), None)
    for name, keys in chosen.items():
        if isinstance(raw.get(name, {}), dict):
            raw[name] = {**raw.get(name, {}), **keys}
    found, findings = sections.read(form, raw, os.path.dirname(os.path.abspath(path)))
    findings += _known(found, list(form.findings(raw, found)))
    positions = Positions(text)
    faults = [one.fault(positions.line(one.section + one.keys[:1])) for one in findings]
    is_well = all(fault.is_warning for fault in faults)
    return Checked(str(path), tuple(sorted(faults)), _settings(form, found) if is_well else None)


class _FileError(UsageError):
    """Nothing of a file can be judged."""

    def __init__(self, line: int, text: str) -> None:
        super().__init__(text)
        self.fault = Fault(line, text)


def _text(path: Path, example: str) -> str:
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        text = f"is not there; `{example}` prints one to begin with"
        raise _FileError(0, text) from error
    except (OSError, ValueError) as error:  # no name of a file may have a NUL
        reason = getattr(error, "strerror", None) or error
        raise _FileError(0, f"cannot be read ({reason}); name a file") from error
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = 1 + content.count(b"\n", 0, error.start)
        raise _FileError(line, "is not UTF-8; save the file as UTF-8") from error


def _parsed(text: str) -> dict[str, Any]:
    """Return the file's tables."""
    try:
        return tomllib.loads(text)
    except RecursionError as error:
        raise _FileError(0, "has brackets too deep within brackets; no key wants that") from error
    except ValueError as error:  # TOMLDecodeError is one; a number of 5,000 digits is another
        reason, _, place = str(error).partition(" (at ")
        at = re.match(r"line (\d+), column (\d+)", place)
        line = int(at[1]) if at else 1 + text.count("\n")
        column = f" at column {at[2]}" if at else ""
        raise _FileError(line, f"This is not TOML{column}: {reason}") from error


def _known(found: Sections, findings: list[Finding]) -> list[Finding]:
    """Leave out what was concluded from a key that is not well itself."""
    return [
        one
        for one in findings
        if one.section not in found or not found[one.section].bad & set(one.keys)
    ]


def _settings(form: Form[_Read], found: Sections) -> _Read:
    """Return the settings, once everything is well."""
    values: dict[str, Any] = {}
    for path, section in found.items():
        name = str(path[0])
        if len(path) > 1:
            values[name] = (*values.get(name, ()), section.values)
        else:
            values[name] = section.values
    return form.settings(**values)
