"""The one small interface of all ways from an engine to wallboards."""

from collections.abc import Iterable, Sequence
from typing import Final, Protocol

import msgspec

from hackles.exchange.messages import Answer, Message

TIMEOUT_S: Final = 2.0
"""Whoever does not answer for so long is taken to be away."""


class LinkError(OSError):
    """Nothing can be sent now, or nobody knows whether it arrived."""


class Link(Protocol):
    """Carries messages to boards and brings back what these say; it blocks for a while at most."""

    def send(self, messages: Sequence[Message]) -> Sequence[Answer]:
        """Send messages, and return what boards have to say.

        Raises:
            LinkError: if that cannot be done now; perhaps some of them arrived.
        """

    def forget(self, seqs: Iterable[int]) -> None:
        """Have what was sent by these numbers deleted wherever it lies on its way."""

    def close(self) -> None:
        """Send no more."""


def answer(said: bytes) -> Answer:
    """Return what a board said.

    Raises:
        LinkError: if that is no answer.
    """
    try:
        return msgspec.json.decode(said, type=Answer)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise LinkError(f"what answers there is no board of this version ({error})") from error
