"""What can be heard at this machine: outputs by what they play, and microphones."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from hackles.errors import UsageError

_SAID_BY: Final = "`hackles devices` says what there is"

_TELEPHONES: Final = (
    *("3cx", "avaya", "baresip", "blink", "bria", "discord", "ekiga", "five9", "genesys", "jabber"),
    *("jami", "jitsi", "linphone", "microsip", "mumble", "onsip", "phone", "pjsua", "ringcentral"),
    *(
        "sflphone",
        "sip",
        "skype",
        "slack",
        "softphone",
        "talkdesk",
        "teams",
        "telephone",
        "twinkle",
    ),
    *("webex", "yate", "zoiper", "zoom"),
)
_BROWSERS: Final = (
    "brave",
    "chrome",
    "chromium",
    "edge",
    "firefox",
    "msedge",
    "opera",
    "safari",
    "vivaldi",
)
"""Telephones run in them, too; but so does all else that makes a sound."""

_STAND_IN: Final = "auto_null"
"""What PulseAudio and PipeWire call the output that they make up where there is none."""


@dataclass(frozen=True, slots=True)
class Source:
    """One of them.

    Attributes:
        name: that never changes for the same device; what the settings hold.
        description: for people ("Jabra Evolve2 30 Analog Stereo").
        is_output: it is what a headset or loudspeaker plays, not a microphone.
        is_default: the system takes it where nobody chose.
        is_running: something is played (or recorded) there now.
        sample_rate: its own, in Hz, where the system says it (pulsectl tells it from freed memory).
        players: the programs that play there now, as far as the system says it.
        has_telephone: one of them is a telephone.
    """

    name: str
    description: str
    is_output: bool
    is_default: bool = False
    is_running: bool = False
    sample_rate: int = 48_000
    players: tuple[str, ...] = ()
    has_telephone: bool = False


class SoundSystem(Protocol):
    """Whoever knows the devices of this machine."""

    def server(self) -> str:
        """Return what it is called, with its version if it has one.

        Raises:
            UsageError: if it does not answer.
        """

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


def likely(sources: Sequence[Source]) -> Source | None:
    """Return the output through which the customer is most likely heard, None without any.

    It is one that a telephone plays into now; else one that a browser does, where telephones run,
    too; else one where anything is played; else the system's own. Among several the system's own
    goes first. No microphone is ever likely, nor what stands in where no output is plugged in.
    """
    outputs = [source for source in sources if source.is_output and source.name != _STAND_IN]
    return max(outputs, key=_likelihood, default=None)


def _likelihood(output: Source) -> tuple[bool, ...]:
    has_browser = any(is_browser(player) for player in output.players)
    return output.has_telephone, has_browser, output.is_running, output.is_default


def is_telephone(program: str) -> bool:
    """Return whether a program is a telephone, by its name."""
    return _is_one_of(_TELEPHONES, program)


def is_browser(program: str) -> bool:
    """Return whether a program is a browser, by its name."""
    return _is_one_of(_BROWSERS, program)


def _is_one_of(known: Sequence[str], program: str) -> bool:
    """Return whether a word of the name begins or ends so: "zoiper5", "microsip", "ms-teams"."""
    words = re.split(r"[^a-z0-9]+", program.casefold())
    return any(word.startswith(name) or word.endswith(name) for word in words for name in known)


def _other_kind(name: str, is_output: bool) -> str:
    if is_output:
        return (
            f"{name} is a microphone, and whose voice comes from it hackles cannot know; name the "
            f"output that plays the customer ({_SAID_BY}), or --customer-device if the customer "
            "alone speaks into it."
        )
    return f"{name} is no microphone but what an output plays; {_SAID_BY}."
