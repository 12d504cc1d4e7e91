"""Where in a TOML file its sections and keys stand, which `tomllib` does not tell.

Only text that `tomllib` has read is scanned, so it is well formed. A key within an inline table
or list has no line of its own; it is found where that begins.
"""

import re
import tomllib
from collections.abc import Iterator
from typing import Final, TypeAlias

Path: TypeAlias = tuple[str | int, ...]
"""As in ("media", "listen"), or ("pipe", 0, "path"): the first of the sections [[pipe]]."""

_STRING: Final = (
    r'"""(?:\\.|[^\\])*?"{3,5}'  # up to two quotes may stand before the three that close
    r"|'''.*?'{3,5}"
    r'|"(?:\\.|[^"\\])*"'
    r"|'[^']*'"
)
_STATEMENT: Final = re.compile(
    r"(?:\s|#[^\n]*)*+"
    rf"(?:\[(?P<array>\[?)(?P<table>(?:{_STRING}|[^\"'\]])+)\]\]?"
    rf"|(?P<key>(?:{_STRING}|[^\"'=#\n])+)=)",
    re.DOTALL,
)
_PIECE: Final = re.compile(rf"{_STRING}|#[^\n]*|.", re.DOTALL)


class Positions:
    """The line of each section and key."""

    def __init__(self, text: str) -> None:
        """Scan the text of a file."""
        self._lines: dict[Path, int] = {}
        self._last: dict[Path, int] = {}
        section: Path = ()
        for line, match in _statements(text):
            if match["key"] is None:
                section = self._section(_names(match["table"]), is_array=bool(match["array"]))
                self._note(section, line)
            else:
                self._note(section + _names(match["key"]), line)

    def line(self, path: Path) -> int:
        """Return the line, from 1, where a section or a key begins, or else what it is part of."""
        while path and path not in self._lines:
            path = path[:-1]
        return self._lines.get(path, 1)

    def _section(self, names: Path, is_array: bool) -> Path:
        """Return the path of a section, numbered if there may be several of its name."""
        section: Path = ()
        for name in names[:-1] if is_array else names:
            section += (name,)
            if section in self._last:
                section += (self._last[section],)
        if is_array:
            section += names[-1:]
            self._last[section] = self._last.get(section, -1) + 1
            section += (self._last[section],)
        return section

    def _note(self, path: Path, line: int) -> None:
        """Note a line, also of what is there because of it."""
        for end in range(1, len(path) + 1):
            self._lines.setdefault(path[:end], line)


def _statements(text: str) -> Iterator[tuple[int, re.Match[str]]]:
    """Yield each section and each key, and its line."""
    end, line, counted = 0, 1, 0
    while match := _STATEMENT.match(text, end):
        start = match.start("table" if match["key"] is None else "key")
        line += text.count("\n", counted, start)
        counted = start
        yield line, match
        end = _end_of_statement(text, match.end())


def _end_of_statement(text: str, start: int) -> int:
    """Return where the line ends that is neither within a string nor within brackets."""
    depth = 0
    for piece in _PIECE.finditer(text, start):
        found = piece[0]
        depth += (found in "[{") - (found in "]}")
        if found == "\n" and depth == 0:
            return piece.end()
    return len(text)


def _names(key: str) -> Path:
    """Return the parts of a key, which may be quoted or have dots."""
    value: object = tomllib.loads(f"{key.strip()} = 0")
    names: Path = ()
    while isinstance(value, dict):
        name, value = next(iter(value.items()))
        names += (name,)
    return names
