"""What the events of a call come to: the figures of its summary."""

from dataclasses import dataclass, field

from hackles.types import Alert, Event, Reading, State, Summary


@dataclass(slots=True)
class Tally:
    """What a call has come to so far."""

    alerts: int = 0
    first_alert: Alert | None = None
    _inside: bool = False
    _readings: int = 0
    _sum: float = 0.0
    _max: float | None = field(default=None)

    def count(self, event: Event) -> Event:
        """Take in one event, and pass it on."""
        if isinstance(event, Reading):
            self._readings += 1
            self._sum += event.irritation
            self._max = max(self._max or 0.0, event.irritation)
        elif isinstance(event, Alert):
            inside = event.state in (State.RISING, State.IRRITATED)
            if inside and not self._inside:
                self.alerts += 1
                self.first_alert = self.first_alert or event
            self._inside = inside
        return event

    def summary(self, duration_s: float, speech_s: float | None, error: str | None) -> Summary:
        """Return the summary of the call.

        Args:
            duration_s: of its audio, as far as it was heard.
            speech_s: the customer's speech in it; None where nobody knows any longer.
            error: why it was not heard to its end, if so.
        """
        return Summary(
            duration_s=round(duration_s, 4),
            speech_s=None if speech_s is None else round(speech_s, 2),
            irritation_max=self._max,
            irritation_mean=round(self._sum / self._readings, 4) if self._readings else None,
            alerts=self.alerts,
            error=error,
        )
