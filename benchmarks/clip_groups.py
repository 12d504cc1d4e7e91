"""Which clips are looked at apart: by sex, language, how high a voice is; some for the codecs."""

from collections.abc import Mapping, Sequence

import numpy as np

from benchmarks.clip_features import Heard
from benchmarks.clip_tables import Judged
from hackles.features import FUNCTIONAL_NAMES
from hackles.types import Bools
from models.training.corpora import ANGER, CALM, Clip

PITCHES = ("low", "middle", "high")
_EACH = 40


def by_sex(judged: Judged) -> dict[str, Bools]:
    """Return the clips of women and of men; those of whom it was not published are of neither."""
    sex = np.array([clip.sex for clip in judged.clips])
    return {name: sex == name for name in ("female", "male")}


def by_language(judged: Judged) -> dict[str, Bools]:
    """Return the clips of each language."""
    language = np.array([clip.language for clip in judged.clips])
    return {name: language == name for name in np.unique(language).tolist()}


def by_pitch(judged: Judged, f0_hz: Mapping[str, float]) -> dict[str, Bools]:
    """Return the clips of the third of the speakers with the lowest voices, and so on."""
    bounds = tercile_bounds(f0_hz)
    place = {who: PITCHES[int(np.searchsorted(bounds, hz))] for who, hz in f0_hz.items()}
    own = np.array([place.get(who, "") for who in judged.speaker.tolist()])
    return {name: own == name for name in PITCHES}


def tercile_bounds(f0_hz: Mapping[str, float]) -> tuple[float, float]:
    """Return where the middle third of the speakers begins and ends."""
    low, high = np.quantile(list(f0_hz.values()), [1 / 3, 2 / 3])
    return float(low), float(high)


def speakers_f0_hz(heard: Heard) -> dict[str, float]:
    """Return the median F0 of each speaker's calm clips, of those who have any."""
    calm = heard.windows.rows(heard.windows.calm)
    semitones = calm.values[:, FUNCTIONAL_NAMES.index("f0_st_p50")]
    return {
        who: 27.5 * 2 ** (float(np.median(semitones[calm.speaker == who])) / 12)
        for who in np.unique(calm.speaker).tolist()
    }


def for_codecs(clips: Sequence[Clip], each: int = _EACH, seed: int = 0) -> list[int]:
    """Return the places of the clips that go through every codec, in order.

    Of each corpus as many angry, calm and other ones; always the same.
    """
    kinds: dict[tuple[str, int], list[int]] = {}
    for place in np.random.default_rng(seed).permutation(len(clips)).tolist():
        clip = clips[place]
        kind = 0 if clip.emotion == ANGER else 1 if clip.emotion in CALM else 2
        kinds.setdefault((clip.corpus, kind), []).append(place)
    return sorted(place for places in kinds.values() for place in places[:each])
