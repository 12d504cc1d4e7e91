"""What moved in the voice, in units that a person understands."""

from dataclasses import dataclass

import numpy as np

from hackles.features import FUNCTIONAL
from hackles.types import Array, Evidence


@dataclass(frozen=True, slots=True)
class Measure:
    """One thing people are told about a voice.

    Attributes:
        name: as in `Evidence.measure`.
        unit: as in `Evidence.unit`.
        functional: where the number comes from.
        noticeable: the change from which it is worth telling (about one standard deviation
            of neutral speech within a speaker, over 3 s).
    """

    name: str
    unit: str
    functional: str
    noticeable: float


MEASURES: tuple[Measure, ...] = (
    Measure("pitch", "semitones", "f0_st_p50", 1.5),
    Measure("tempo", "syllables/s", "syllable_rate", 0.6),
    Measure("loudness", "dB", "level_db_mean", 3.0),
    Measure("tension", "dB", "alpha_ratio_db_mean", 1.5),
    Measure("liveliness", "semitones", "f0_st_range", 2.0),
)
COLUMNS = [FUNCTIONAL[measure.functional] for measure in MEASURES]


def evidence(baseline: Array, now: Array, known: bool) -> tuple[Evidence, ...]:
    """Return the measures that moved, the most telling first; at least one.

    Args:
        baseline: the caller's own calm values, shape (len(MEASURES),).
        now: the values of the reading, same shape.
        known: whether the caller has been heard calm; if not, every measure is told as it is.
    """
    change = np.abs(now - baseline) / np.array([m.noticeable for m in MEASURES])
    order = np.argsort(-change, kind="stable") if known else range(len(MEASURES))
    told = [i for rank, i in enumerate(order) if not known or rank == 0 or change[i] >= 1.0]
    return tuple(
        Evidence(
            measure=MEASURES[i].name,
            unit=MEASURES[i].unit,
            baseline=round(float(baseline[i]), 3) if known else None,
            now=round(float(now[i]), 3),
        )
        for i in told
    )
