"""Fit the weights of speech activity, on what no figure is reported of.

    python -m benchmarks.fit_activity --corpora DIR --music DIR

Two logistic rules: what a half second of talk sounds like beside music, tones and noise
(`hackles.talk`), and which frames of a call are speech once somebody talks (`hackles.activity`).
Prints the tables to put there. `--music` holds music without singing (the weights in use come from
45 s each of 64 pieces of free games, none of them reported on).
"""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression

from benchmarks import speech_material as material
from hackles import talk
from hackles.activity import (
    LEVEL_TRAITS,
    VOICE_TRAITS,
    Levels,
    SpeechActivity,
    Standing,
    all_traits,
)
from hackles.config import HOP_LENGTH
from hackles.features import low_level_descriptors, spectra
from hackles.following import Following
from hackles.framing import Batch, SampleRing
from hackles.types import AnyArray, Array, Bools

_EVERY = 5


class Watched(SpeechActivity):
    """Speech activity that shows what it decides by."""

    means: AnyArray
    traits: Array

    def _judged(self, batch: Batch, sums: AnyArray, loud: Bools) -> tuple[Bools, ...]:
        self.means = talk.means(sums[-talk.N_SUMS :])
        return super()._judged(batch, sums, loud)

    def _stands_out(self, batch: Batch, standing: Standing, strength: AnyArray) -> Bools:
        self.traits = all_traits(batch, standing, strength)
        return super()._stands_out(batch, standing, strength)


def watch(samples: Array) -> tuple[Standing, AnyArray, Array]:
    """Return how a whole call's frames stand, their marks' means and their traits."""
    n_frames = len(samples) // HOP_LENGTH
    ring, levels, activity = SampleRing(1, n_frames), Levels(1), Watched(1)
    ring.write(0, samples)
    batch, frames = ring.take()
    heard = spectra(frames)
    standing = levels.update(batch, heard.level_db)
    found = low_level_descriptors(heard, standing.worth)
    llds = Following(1, n_frames).finish(batch, found)
    activity.update(batch, standing, llds)
    return standing, activity.means, activity.traits


def others(music: Path) -> Iterator[AnyArray]:
    """Yield what is no speech."""
    yield from material.tones().values()
    yield from material.noises().values()
    for path in sorted(music.rglob("*.wav")):
        yield material.read(path)


def fit(values: AnyArray, truth: Bools, weight: AnyArray) -> tuple[AnyArray, float]:
    """Return a logistic rule's weights and bias."""
    mean, spread = values.mean(axis=0), values.std(axis=0) + 1e-6
    rule = LogisticRegression(C=0.1, max_iter=500)
    rule.fit((values - mean) / spread, truth, sample_weight=weight)
    weights = rule.coef_[0] / spread
    return weights, float(rule.intercept_[0] - mean @ weights)


def main(arguments: Sequence[str] | None = None) -> None:
    """Fit and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--corpora", type=Path, required=True)
    parser.add_argument("--music", type=Path, required=True)
    parser.add_argument("--calls", type=int, default=35)
    options = parser.parse_args(arguments)
    speakers = material.speakers_of(options.corpora, "tune")
    talks, traits, truths = [], [], []
    for number, call in enumerate(material.clean_calls(speakers, options.calls)):
        rng = np.random.default_rng(number)
        kind = material.NOISES[number % len(material.NOISES)]
        sound = material.noise(kind, len(call.clean), speakers, rng)
        for snr_db in material.SNRS_DB:
            standing, means, trait = watch(material.at_snr(call, sound, snr_db))
            truth = call.truth[1 : 1 + len(standing.loud)]
            talks.append(means[:, truth & standing.loud][:, ::_EVERY])
            traits.append(trait[:, standing.worth][:, ::_EVERY])
            truths.append(truth[standing.worth][::_EVERY])
    rest = []
    for number, sound in enumerate(others(options.music)):
        for samples in material.conditions(sound, np.random.default_rng(number)).values():
            standing, means, _ = watch(samples)
            rest.append(means[:, standing.loud][:, ::_EVERY])
    mean = np.concatenate([*talks, *rest], axis=1).T / 64.0
    is_talk = np.arange(len(mean)) < sum(part.shape[1] for part in talks)
    weight = len(mean) * 0.5 * np.where(is_talk, 1 / is_talk.sum(), 1 / (~is_talk).sum())
    weights, bias = fit(np.concatenate([mean, mean**2], axis=1), is_talk, weight)
    print("talk")
    for mark, linear, square in zip(talk.MARKS, *np.split(weights, 2), strict=True):
        print(f'    "{mark}": ({linear:.5g}, {square:.5g}),')
    print(f"_BIAS = {bias:.4g}")
    every = np.concatenate(traits, axis=1).T.astype(np.float64)
    both = np.concatenate([every, every**2], axis=1)
    weights, bias = fit(both, np.concatenate(truths), np.ones(len(every)))
    print("activity")
    names = [*LEVEL_TRAITS, *VOICE_TRAITS]
    for name, linear, square in zip(names, *np.split(weights, 2), strict=True):
        print(f'    "{name}": ({linear:.5g}, {square:.5g}),')
    print(f"_BIAS = {bias:.4g}")


if __name__ == "__main__":
    main()
