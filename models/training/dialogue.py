"""Two people on the telephone, turn by turn, out of clips of each."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from hackles.config import SAMPLE_RATE
from hackles.types import Array
from models.training.corpora import ANGER, CALM, Clip, read_samples
from models.training.telephone import band_pass, level_of

LEVEL_DB = -26.0
"""Mean level of a party's clips before the line's gain: in dBFS, in the band, where they sound."""

_DISTRACTORS = frozenset({"happiness", "sadness", "fear", "surprise"})
_DISTRACTED = 0.3
_CLIP_DB = 6.0
_AGENT_CLIP_DB = 3.0


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a call.

    Attributes:
        speech_s: least length, in seconds of the customer's clips.
        anger: share of angry clips; 1 is the plateau.
        second: whether another person speaks.
    """

    speech_s: float
    anger: float = 0.0
    second: bool = False


class Dialogue:
    """Two legs of a call as they grow, turn by turn."""

    def __init__(
        self,
        rng: np.random.Generator,
        customers: tuple[Sequence[Clip], Sequence[Clip]],
        agent: Sequence[Clip],
        keep_levels: bool,
    ) -> None:
        """Begin in silence.

        Args:
            rng: draws clips, their levels and the pauses.
            customers: clips of the customer, and of whoever may take over.
            agent: clips of the agent, of which the calm ones are said.
            keep_levels: see `compose`.
        """
        self._rng = rng
        self._pools = [_pools(clips) for clips in customers]
        self._agent = [clip for clip in agent if clip.emotion in CALM]
        self._mean_db = [_mean_level_db(own) if keep_levels else None for own in customers]
        self._parts: list[tuple[int, int, Array]] = []  # leg, first sample, sound
        self._end = 0
        self._segments: list[tuple[float, float, str]] = []
        self._marks: dict[str, float] = {}

    def play(self, stretch: Stretch) -> None:
        """Let customer and agent talk in turn until the customer has said enough."""
        if stretch.anger == 1.0:
            self._marks["plateau_s"] = self._now
        if stretch.second:
            self._marks.setdefault("handed_over_s", self._now)
        elif stretch.anger == 0.0 and "plateau_s" in self._marks:
            self._marks["end_s"] = self._now
        said_s = 0.0
        while said_s < stretch.speech_s:
            for _ in range(int(self._rng.integers(1, 4))):
                if said_s < stretch.speech_s:
                    said_s += self._say(stretch)
            self.answer()

    def answer(self) -> None:
        """Let the agent talk for 2 to 8 s."""
        self._end += int(SAMPLE_RATE * self._rng.uniform(0.2, 0.5))
        last = self._end + int(SAMPLE_RATE * self._rng.uniform(2.0, 8.0))
        while self._end < last:
            said = self._spoken(_one_of(self._rng, self._agent), _AGENT_CLIP_DB)
            self._add(1, said[: last - self._end])
        self._end += int(SAMPLE_RATE * self._rng.uniform(0.2, 0.5))

    def leg(self, leg: int) -> Array:
        """Return the samples of the customer (0) or the agent (1)."""
        samples = np.zeros(self._end, dtype=np.float32)
        for whose, start, said in self._parts:
            if whose == leg:
                samples[start : start + len(said)] += said
        return samples

    def times(self) -> dict[str, Any]:
        """Return what is true of the times of the call."""
        angry = [start for start, _, emotion in self._segments if emotion == ANGER]
        return {
            "escalates": bool(angry),
            "onset_s": angry[0] if angry else None,
            "plateau_s": self._marks.get("plateau_s"),
            "end_s": self._marks.get("end_s", self._now),
            "speech_s": round(sum(end - start for start, end, _ in self._segments), 3),
            "handed_over_s": self._marks.get("handed_over_s"),
            "segments": tuple(self._segments),
        }

    @property
    def _now(self) -> float:
        return round(self._end / SAMPLE_RATE, 4)

    def _say(self, stretch: Stretch) -> float:
        """Let the customer say one clip; return how long it is."""
        pools, mean_db = self._pools[stretch.second], self._mean_db[stretch.second]
        angry = self._rng.random() < stretch.anger
        kind = "strong" if stretch.anger == 1.0 else "angry"
        if not angry:
            other = self._rng.random() < _DISTRACTED and pools["other"]
            kind = "other" if other else "calm"
        clip = _one_of(self._rng, pools[kind])
        said = self._spoken(clip, _CLIP_DB, mean_db)
        start = self._now
        self._add(0, said)
        self._segments.append((start, self._now, clip.emotion))
        self._end += int(SAMPLE_RATE * self._rng.uniform(0.1, 0.4))
        return len(said) / SAMPLE_RATE

    def _spoken(self, clip: Clip, spread_db: float, mean_db: float | None = None) -> Array:
        """Return a clip at its level in the call."""
        over_mean_db = self._rng.uniform(-spread_db, spread_db)
        own_db = _level_db(clip)
        if mean_db is not None:
            over_mean_db = own_db - mean_db
        gain = 10 ** ((LEVEL_DB + over_mean_db - own_db) / 20)
        return (sound(clip) * gain).astype(np.float32)

    def _add(self, leg: int, said: Array) -> None:
        self._parts.append((leg, self._end, said))
        self._end += len(said)


def _pools(clips: Sequence[Clip]) -> dict[str, list[Clip]]:
    """Return a speaker's clips by their part in a call; strong anger, where known, comes last."""
    anger = [c for c in clips if c.emotion == ANGER]
    strong = [c for c in anger if c.intensity == "strong"]
    weaker = [c for c in anger if c.intensity != "strong"]
    return {
        "angry": weaker or anger,
        "strong": strong or anger,
        "calm": [c for c in clips if c.emotion in CALM],
        "other": [c for c in clips if c.emotion in _DISTRACTORS],
    }


def _mean_level_db(clips: Sequence[Clip]) -> float:
    return float(np.mean([_level_db(clip) for clip in clips]))


@lru_cache(maxsize=16384)
def _level_db(clip: Clip) -> float:
    """Return how loud a clip is within the telephone's band.

    Over the whole band angry clips would come out louder: less of them lies below 300 Hz.
    """
    level = level_of(band_pass(sound(clip)))
    return LEVEL_DB if level is None else level


def _one_of(rng: np.random.Generator, clips: Sequence[Clip]) -> Clip:
    return clips[int(rng.integers(len(clips)))]


@lru_cache(maxsize=1024)
def sound(clip: Clip) -> Array:
    """Return a clip without the silence at its ends (100 ms frames 35 dB below its loudest)."""
    samples = read_samples(clip)
    n = len(samples) // 800
    if n < 3:
        return samples
    power = np.mean(samples[: n * 800].reshape(n, 800) ** 2, axis=1)
    loud = np.flatnonzero(power > power.max() * 10**-3.5)
    return samples[max(int(loud[0]) - 1, 0) * 800 : (int(loud[-1]) + 2) * 800]
