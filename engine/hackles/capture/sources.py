"""What can be heard at this machine: outputs by what they play, and microphones."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from hackles.errors import UsageError

_SAID_BY = "`hackles devices` says what there is"


@dataclass(frozen=True, slots=True)
class Source:
    """One of them.

    Attributes:
        name: that never changes for the same device; what the settings hold.
        description: for people ("Jabra Evolve2 30 Analog Stereo").
        is_output: it is what a headset or loudspeaker plays, not a microphone.
        is_default: the system takes it where nobody chose.
        is_running: something is played (or recorded) there now.
        sample_rate: its own, in Hz.
    """

    name: str
    description: str
    is_output: bool
    is_default: bool = False
    is_running: bool = False
    sample_rate: int = 48_000


class SoundSystem(Protocol):
    """Whoever knows the devices of this machine."""

    def sources(self) -> list[Source]:
        """Return what can be heard now, outputs first.

        Raises:
            UsageError: if the system cannot be asked, and what to do about it.
        """

    def peaks(self, names: Sequence[str], seconds: float) -> dict[str, float]:
        """Return the highest level (0 to 1) of each in the next seconds; none of what is gone."""

    def close(self) -> None:
        """Let go of it."""


def find(name: str, sources: Sequence[Source], is_output: bool) -> Source | None:
    """Return what somebody named, None if it is not there now.

    Args:
        name: a source's name, or its description; capitals do not matter.
        sources: all there are.
        is_output: whether an output was meant; else a microphone.

    Raises:
        UsageError: if it is of the other kind, or several are called so.
    """
    wanted = name.casefold()
    found = [source for source in sources if source.name.casefold() == wanted] or [
        source for source in sources if source.description.casefold() == wanted
    ]
    right = [source for source in found if source.is_output is is_output]
    if len(right) > 1:
        names = ", ".join(source.name for source in right)
        raise UsageError(f"Several devices are called {name}; name one of {names}.")
    if found and not right:
        raise UsageError(_other_kind(name, is_output))
    return right[0] if right else None


def _other_kind(name: str, is_output: bool) -> str:
    if is_output:
        return (
            f"{name} is a microphone, and whose voice comes from it hackles cannot know; name the "
            f"output that plays the customer ({_SAID_BY}), or --customer-device if the customer "
            "alone speaks into it."
        )
    return f"{name} is no microphone but what an output plays; {_SAID_BY}."
