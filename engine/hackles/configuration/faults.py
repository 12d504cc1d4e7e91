"""What may be wrong with a configuration, and where."""

from dataclasses import dataclass, field
from typing import TypeAlias

import msgspec

from hackles.configuration.positions import Path


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One thing that is wrong.

    Attributes:
        line: counted from 1; 0 if it is the whole file.
        text: a sentence that says what to do.
        is_warning: whether hackles can work all the same.
    """

    line: int
    text: str
    is_warning: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with a section, before it is known on which line.

    Attributes:
        section: its path; () if it is about no section.
        text: what follows the section's name.
        keys: those that were looked at; the first is the one to point at.
        is_warning: whether hackles can work all the same.
    """

    section: Path
    text: str
    keys: tuple[str, ...] = ()
    is_warning: bool = False

    def fault(self, line: int) -> Fault:
        """Return it as it is told."""
        return Fault(line, f"{title(self.section)} {self.text}".lstrip(), self.is_warning)


@dataclass(frozen=True, slots=True)
class Section:
    """A section as far as it could be read.

    Attributes:
        path: ("media",), or ("pipe", 0).
        values: its struct; what is not well has its default, or something harmless.
        bad: the keys that are not well, or are missing.
    """

    path: Path
    values: msgspec.Struct
    bad: frozenset[str] = field(default=frozenset())


Sections: TypeAlias = dict[Path, Section]


def title(section: Path) -> str:
    """Return how a section is written."""
    if not section:
        return ""
    return f"[[{section[0]}]]" if len(section) > 1 else f"[{section[0]}]"
