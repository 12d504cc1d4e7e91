"""Calls composed from clips of one speaker: a calm stretch, then anger, or never.

They are synthetic, and every figure from them says so.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hackles.config import SAMPLE_RATE
from hackles.types import Array
from models.training.corpora import ANGER, CALM, Clip, read_samples
from models.training.telephone import at_level, mu_law, pink_noise

DISTRACTORS = frozenset({"happiness", "sadness", "fear", "surprise"})
_LEVEL_DB = -26.0
_CLIP_DB = 6.0


@dataclass(frozen=True, slots=True)
class Call:
    """The customer's side of a composed call.

    Attributes:
        samples: at the engine's rate.
        onset_s: where the first angry clip begins; None if there is none.
        segments: (start in s, end in s, emotion) of each clip.
    """

    speaker: str
    samples: Array
    onset_s: float | None
    segments: tuple[tuple[float, float, str], ...]


def compose(
    clips: Sequence[Clip],
    rng: np.random.Generator,
    plan: Sequence[tuple[float, float, float]],
    snr_db: float = 30.0,
) -> Call:
    """Compose a call of one speaker's clips.

    The customer takes turns of one to three clips; 2 to 8 s of agent's speech (here: line noise)
    lie between. Each clip's level is random by +-6 dB, so that loudness does not tell the mood.

    Args:
        clips: of one speaker, calm and angry ones among them.
        rng: draws clips, levels and pauses.
        plan: stretches of the call: length on the clock in seconds, share of angry clips, share
            of distractors (happy, sad, afraid, surprised clips) among the others.
        snr_db: of the line's pink noise against the mean level.
    """
    pools = {
        "anger": [c for c in clips if c.emotion == ANGER],
        "calm": [c for c in clips if c.emotion in CALM],
        "other": [c for c in clips if c.emotion in DISTRACTORS],
    }
    parts: list[Array] = []
    segments: list[tuple[float, float, str]] = []
    heard = end_s = 0.0
    for length_s, anger, distractors in plan:
        end_s += length_s
        while heard < end_s:
            for _ in range(int(rng.integers(1, 4))):
                kind = _draw(rng, pools, anger, distractors)
                clip = pools[kind][int(rng.integers(len(pools[kind])))]
                level = _LEVEL_DB + rng.uniform(-_CLIP_DB, _CLIP_DB)
                sound = at_level(_trimmed(read_samples(clip)), level)
                seconds = len(sound) / SAMPLE_RATE
                segments.append((heard, heard + seconds, clip.emotion))
                pause = np.zeros(int(SAMPLE_RATE * rng.uniform(0.1, 0.4)), dtype=np.float32)
                parts += [sound, pause]
                heard += seconds + len(pause) / SAMPLE_RATE
            turn = np.zeros(int(SAMPLE_RATE * rng.uniform(2.0, 8.0)), dtype=np.float32)
            parts.append(turn)
            heard += len(turn) / SAMPLE_RATE
    clean = np.concatenate(parts)
    noise = pink_noise(rng, len(clean)) * np.float32(10 ** ((_LEVEL_DB - snr_db) / 20))
    onset = next((start for start, _, emotion in segments if emotion == ANGER), None)
    return Call(clips[0].speaker, mu_law(clean + noise), onset, tuple(segments))


def _draw(
    rng: np.random.Generator, pools: dict[str, list[Clip]], anger: float, distractors: float
) -> str:
    """Draw what the next clip is."""
    if rng.random() < anger:
        return "anger"
    return "other" if pools["other"] and rng.random() < distractors else "calm"


def _trimmed(samples: Array) -> Array:
    """Return a clip without the silence at its ends (100 ms frames 35 dB below its loudest)."""
    n = len(samples) // 800
    if n < 3:
        return samples
    power = np.mean(samples[: n * 800].reshape(n, 800) ** 2, axis=1)
    loud = np.flatnonzero(power > power.max() * 10**-3.5)
    return samples[max(int(loud[0]) - 1, 0) * 800 : (int(loud[-1]) + 2) * 800]
