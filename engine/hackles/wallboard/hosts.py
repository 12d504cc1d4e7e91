"""The engines, as the board hears them."""

from dataclasses import dataclass
from typing import Final

from hackles.exchange.messages import SILENT_S, Beat

GONE_S: Final = 60.0
"""The calls of an engine that was not heard for so long leave the board."""

FORGOTTEN_S: Final = 3600.0
"""An engine that was not heard for so long is told of no longer."""


_NOTHING_YET: Final = Beat(calls=0)


@dataclass(slots=True)
class Engine:
    """One engine.

    Attributes:
        name: as its settings have it.
        run: the id of its present run.
        arrived_at: when something of it came last, by the board's clock.
        said_at: the latest time that it told, by its own clock.
        is_heard: whether something came lately.
        since_at: since when that is so.
        back_at: when it was heard again after it was not; 0 if it always was.
        beat: what it last said of itself.
    """

    name: str
    run: str
    arrived_at: float
    said_at: float
    since_at: float
    is_heard: bool = True
    back_at: float = 0.0
    beat: Beat = _NOTHING_YET

    def is_silent(self, now: float) -> bool:
        """Return whether nothing came of it lately."""
        return now - self.arrived_at >= SILENT_S

    def say(self, beat: Beat) -> bool:
        """Take in what it says of itself, and return whether that is another than before."""
        was, self.beat = self.beat, beat
        return (was.shadow, was.lost, round(was.behind_s, 1)) != (
            beat.shadow,
            beat.lost,
            round(beat.behind_s, 1),
        )

    def lose(self, now: float) -> None:
        """Note that it is not heard."""
        self.is_heard, self.since_at = False, now

    def come_back(self, now: float) -> None:
        """Note that it is heard again."""
        self.is_heard, self.since_at, self.back_at = True, now, now
