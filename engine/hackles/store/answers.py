"""A survey's answers, as a CSV file has them: every line a customer's, or why it is none."""

import csv
import io
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hackles.errors import UsageError

_CALL: Final = ("call", "call_name", "call_id", "callid", "uniqueid", "call_sid", "id")
_SCORE: Final = ("score", "rating", "csat", "satisfaction", "answer")
_DELIMITERS: Final = ",;\t"
_LONGEST_COMMENT: Final = 4000
_LONGEST_SHOWN: Final = 30
_NUMBER: Final = re.compile(r"[+-]?[0-9]{1,9}([.,][0-9]{1,9})?")


@dataclass(frozen=True, slots=True)
class Scale:
    """What could be answered; which end is the good one differs from survey to survey."""

    best: float
    worst: float

    def __post_init__(self) -> None:
        """Refuse what is no scale.

        Raises:
            UsageError: if its ends are the same, or not finite.
        """
        if self.best == self.worst or not math.isfinite(self.best - self.worst):
            raise UsageError(
                f"From {self.worst:g} to {self.best:g} is no scale; give --best and --worst as "
                "the two ends of what could be answered."
            )

    def __str__(self) -> str:
        """Return it from its lower end to its upper one."""
        return f"{min(self.best, self.worst):g} to {max(self.best, self.worst):g}"

    def score(self, answer: float) -> float | None:
        """Return where an answer lies, from 0 (worst) to 1 (best); None if it is outside."""
        score = (answer - self.worst) / (self.best - self.worst)
        return round(score, 4) if 0 <= score <= 1 else None


@dataclass(frozen=True, slots=True)
class Columns:
    """Which columns of a survey's file are read; "" takes one with a usual name, if any."""

    call: str = ""
    score: str = ""
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """One customer's answer.

    Attributes:
        call: the name of the call, as the telephone system has it.
        score: from 0 (worst) to 1 (best).
        said: as it was answered, with the scale.
        comment: in the customer's words, or "".
    """

    call: str
    score: float
    said: str
    comment: str


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that is not taken, and why."""

    line: int
    why: str


def read(path: Path, columns: Columns, scale: Scale) -> Iterator[Answer | BadLine]:
    """Yield each line's answer, or what is wrong with it.

    Raises:
        UsageError: if the file is none that can be read, or lacks a column.
    """
    text = _text(path)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text))
    header = _header(rows, path)
    call, score, comment = _places(header, columns)
    before = rows.line_num
    for row in _rows(rows, path):
        line, before = before + 1, rows.line_num
        if any(cell.strip() for cell in row[len(header) :]):
            yield BadLine(line, "has more cells than the first line; a comma in one needs quotes")
        elif any(cell.strip() for cell in row):
            yield _answer(line, row, (call, score, comment), scale)


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(
            f"{path} is not UTF-8 (byte {error.start}); save it as “CSV UTF-8”."
        ) from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(f"{path} cannot be read ({reason}); name a CSV file.") from error


def _delimiter(text: str) -> str:
    """Return which sign parts the columns: the one that the first line has most of."""
    first = text.lstrip("\r\n").partition("\n")[0]
    return max(_DELIMITERS, key=first.count)


def _rows(rows: Iterator[list[str]], path: Path) -> Iterator[list[str]]:
    try:
        yield from rows
    except csv.Error as error:
        raise UsageError(f"{path} is no CSV file ({error}); export it again.") from error


def _header(rows: Iterator[list[str]], path: Path) -> list[str]:
    for row in _rows(rows, path):
        if any(cell.strip() for cell in row):
            return [cell.strip() for cell in row]
    raise UsageError(f"{path} is empty; export it again.")


def _places(header: Sequence[str], columns: Columns) -> tuple[int, int, int | None]:
    """Return where call, score and comment are."""
    call = _place(header, columns.call, _CALL, "--call-column")
    score = _place(header, columns.score, _SCORE, "--score-column")
    if columns.comment:
        return call, score, _place(header, columns.comment, (), "--comment-column")
    return call, score, None


def _place(header: Sequence[str], wanted: str, usual: Sequence[str], option: str) -> int:
    """Return where a column is; capitals do not matter."""
    names = [cell.casefold() for cell in header]
    for name in (wanted.strip().casefold(),) if wanted else usual:
        if name in names:
            return names.index(name)
    there = ", ".join(cell for cell in header if cell) or "none"
    missing = f"There is no column {wanted!r}" if wanted else f"Name a column with {option}"
    raise UsageError(f"{missing}; the file's first line has: {there}.")


def _answer(
    line: int, row: Sequence[str], places: tuple[int, int, int | None], scale: Scale
) -> Answer | BadLine:
    call, given, comment = (
        row[place].strip() if place is not None and place < len(row) else "" for place in places
    )
    if not call:
        return BadLine(line, "names no call")
    if not given:
        return BadLine(line, "has no answer")
    value = _number(given)
    if value is None:
        return BadLine(line, f"has {_short(given)!r}, which is no number")
    score = scale.score(value)
    if score is None:
        return BadLine(line, f"has {given}, which is not on the scale of {scale}")
    return Answer(call, score, f"{value:g} of {scale}", comment[:_LONGEST_COMMENT])


def _number(text: str) -> float | None:
    """Return a number as people write it: 4, 4.5 or 4,5."""
    return float(text.replace(",", ".")) if _NUMBER.fullmatch(text) else None


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_SHOWN else f"{text[: _LONGEST_SHOWN - 1]}…"
