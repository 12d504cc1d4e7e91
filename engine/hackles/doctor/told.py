"""What the doctor says of one thing."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias


class Mark(StrEnum):
    """How something is."""

    WELL = "✓"
    DOUBT = "!"
    FAULT = "✗"


@dataclass(frozen=True, slots=True)
class Told:
    """One line.

    Attributes:
        mark: how it is.
        topic: what it is about, in a word or two.
        text: what was found, and what to do if it is not well.
    """

    mark: Mark
    topic: str
    text: str


Telling: TypeAlias = Iterator[Told]


def well(topic: str, text: str) -> Told:
    """Return that something is as it should be."""
    return Told(Mark.WELL, topic, text)


def doubt(topic: str, text: str) -> Told:
    """Return that something should be looked at, or cannot be told."""
    return Told(Mark.DOUBT, topic, text)


def fault(topic: str, text: str) -> Told:
    """Return that something will not work."""
    return Told(Mark.FAULT, topic, text)
