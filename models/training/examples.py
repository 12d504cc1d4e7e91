"""Readings with their labels: what a detector is fitted to and judged by."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from hackles.types import AnyArray, Array, Bools, Ints
from models.training.corpora import ANGER, CALM, Clip
from models.training.measure import Readings


@dataclass(frozen=True, slots=True)
class Examples:
    """Readings with their labels; arrays of n rows.

    Attributes:
        values: functionals, shape (n, n_functionals).
        contours: shape (n, CONTOUR_FRAMES, N_CONTOURS), uint8.
        clip: index of the clip that each reading is of.
        part: which clips share audio with it: those of the same part may not be its baseline.
        corpus, speaker, emotion: of that clip.
    """

    values: Array
    contours: AnyArray
    clip: Ints
    part: Ints
    corpus: AnyArray
    speaker: AnyArray
    emotion: AnyArray

    @property
    def angry(self) -> Bools:
        """Which rows are anger."""
        result: Bools = self.emotion == ANGER
        return result

    @property
    def calm(self) -> Bools:
        """Which rows a caller's baseline may be made of."""
        return np.isin(self.emotion, list(CALM))

    def spoken_by(self, speakers: Collection[str]) -> Bools:
        """Return which rows are of some speakers."""
        return np.isin(self.speaker, list(speakers))

    def rows(self, chosen: Bools) -> "Examples":
        """Return some of the rows."""
        return Examples(*(getattr(self, name)[chosen] for name in self.__slots__))


def examples(clips: Sequence[Clip], *readings: Readings) -> Examples:
    """Put labels to readings."""
    clip = np.concatenate([r.clip for r in readings])
    labels = [
        np.array([getattr(c, name) for c in clips])[clip]
        for name in ("corpus", "speaker", "emotion")
    ]
    part = np.concatenate([r.part for r in readings])
    values, contours = (
        np.concatenate([getattr(r, name) for r in readings]) for name in ("values", "contours")
    )
    return Examples(values, contours, clip, part, *labels)
