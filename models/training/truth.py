"""What is true of a composed call, and what its alerts were worth by that."""

from collections.abc import Sequence
from dataclasses import dataclass

from hackles.types import Alert, State

ALERTED = frozenset({State.RISING, State.IRRITATED})


@dataclass(frozen=True, slots=True)
class Truth:
    """What is true of a composed call; times in seconds since it began.

    Attributes:
        kind, number: which of the speaker's calls it is.
        agent: speaker on the other leg.
        second: who took the call over from the customer; None if nobody did.
        escalates: whether there is anger at all.
        onset_s: where the first angry clip begins; None if there is none.
        plateau_s: from here on every clip is angry; None if there is none.
        end_s: where the anger ends; in a call without any, the call.
        speech_s: seconds of the customer's clips.
        handed_over_s: where the second person took over.
        gain_db, noise, snr_db, codec, loss: of the line, see `Line`.
        segments: (start, end, emotion) of each clip of the customer.
    """

    corpus: str
    speaker: str
    sex: str
    language: str
    agent: str
    second: str | None
    kind: str
    number: int
    escalates: bool
    onset_s: float | None
    plateau_s: float | None
    end_s: float
    speech_s: float
    handed_over_s: float | None
    gain_db: float
    noise: str
    snr_db: float
    codec: str
    loss: float
    segments: tuple[tuple[float, float, str], ...]

    def speech_between(self, start_s: float, end_s: float) -> float:
        """Return the seconds of the customer's clips between two times."""
        return sum(max(0.0, min(b, end_s) - max(a, start_s)) for a, b, _ in self.segments)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the alerts of one call were worth.

    Attributes:
        speaker, corpus: whose call.
        escalates: whether it could be warned of.
        false_alerts: episodes that begin before the onset, or in a call without one.
        calm_s: seconds of the customer's clips in which an alert is false.
        delay_s: seconds of the customer's clips from the onset to the first alert before the anger
            ends; None if there is none.
        early: whether that came before the plateau; None where no anger did.
    """

    speaker: str
    corpus: str
    escalates: bool
    false_alerts: int
    calm_s: float
    delay_s: float | None
    early: bool | None


def verdict(truth: Truth, alerts: Sequence[Alert]) -> Verdict:
    """Judge the alerts of one call."""
    starts = episodes(alerts)
    onset_s = truth.end_s if truth.onset_s is None else truth.onset_s
    # What is still decided at the end of a call was heard before it.
    false = [s for s in starts if truth.onset_s is None or s < onset_s]
    true = [s for s in starts if truth.onset_s is not None and onset_s <= s <= truth.end_s]
    return Verdict(
        speaker=truth.speaker,
        corpus=truth.corpus,
        escalates=truth.escalates,
        false_alerts=len(false),
        calm_s=truth.speech_between(0.0, onset_s),
        delay_s=truth.speech_between(onset_s, true[0]) if true else None,
        early=_early(truth, true),
    )


def _early(truth: Truth, starts: Sequence[float]) -> bool | None:
    if truth.onset_s is None or truth.plateau_s is None or truth.onset_s >= truth.plateau_s:
        return None
    return bool(starts) and starts[0] < truth.plateau_s


def episodes(alerts: Sequence[Alert]) -> list[float]:
    """Return when each stay outside calm and eased began."""
    starts, inside = [], False
    for alert in alerts:
        entered = alert.state in ALERTED
        if entered and not inside:
            starts.append(alert.time)
        inside = entered
    return starts
