"""Fit the weights that tell the caller's speech from that of people behind the caller.

    python -m benchmarks.fit_foreground --corpora DIR [--calls 144]

Calls composed of speakers that neither `speech_activity` nor the model is reported on, through
G.711, with noise or people behind them, 5 to 30 dB down. Prints the tables to put into
`hackles.foreground`.
"""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from sklearn.preprocessing import PolynomialFeatures

from benchmarks import speech_material as material
from benchmarks.fit_activity import fit
from hackles.activity import Levels, SpeechActivity
from hackles.classifier import default_classifier
from hackles.config import FRAMES_PER_S, HOP_LENGTH
from hackles.features import low_level_descriptors, spectra
from hackles.following import Following
from hackles.foreground import FRACTION, TRAITS, Foreground, Heard, traits
from hackles.framing import Batch, SampleRing
from hackles.types import AnyArray, Array, Bools
from models.training.calls import Call, Speakers, compose, speakers_of
from models.training.coding import mu_law
from models.training.corpora import CALM, NEVER_TRAINED
from models.training.dialogue import LEVEL_DB, sound
from models.training.noise import NOISES, babble
from models.training.telephone import Line, band_pass

_SEED = 99
_EVERY = 7
_TALKERS = {"one talker": 1, "two talkers": 2}
_BEHIND = ("pink", "white", "hum", "babble", "babble", "babble", "one talker", "two talkers")
"""What is heard behind the caller, call by call."""
_WEIGHTS = {"pink": 3, "white": 1, "hum": 1, "babble": 8, "one talker": 4, "two talkers": 4}
_SNRS_DB = (5.0, 30.0)
_FAVOUR = 0.7
"""What is lost of the caller weighs more than what is heard of others."""
_CLEAN = Line()


class Watched(Foreground):
    """A foreground that shows what it decides by."""

    talk: Bools
    traits: AnyArray

    def update(self, batch: Batch, talk: Bools, hold: Bools, heard: Heard) -> Bools:
        """Return which frames are the caller's, and keep what it is told by."""
        self.talk = talk
        self.traits = traits(self.marks(batch, talk, hold, heard.held_db), heard)
        return talk


def watch(samples: Array) -> tuple[Bools, AnyArray]:
    """Return which frames of a whole call sound like speech, and the traits of all."""
    n_frames = len(samples) // HOP_LENGTH
    ring, levels, activity = SampleRing(1, n_frames), Levels(1), SpeechActivity(1)
    activity.foreground = watched = Watched(1)
    ring.write(0, samples)
    batch, frames = ring.take()
    heard = spectra(frames)
    standing = levels.update(batch, heard.level_db)
    found = low_level_descriptors(heard, standing.worth)
    activity.update(batch, standing, Following(1, n_frames).finish(batch, found))
    return watched.talk, watched.traits


def truth_of(clean: Call, n_frames: int) -> tuple[Bools, Bools]:
    """Return which frames are the caller's speech, and which lie within what the caller says."""
    level_db = material.levels_db(clean.customer)
    speech, said = (np.zeros(len(level_db), dtype=np.bool_) for _ in range(2))
    for start_s, end_s, _ in clean.truth.segments:
        place = slice(*(int(FRAMES_PER_S * at_s) for at_s in (start_s, end_s)))
        speech[place] = material.speech_truth(level_db[place])
        said[place] = True
    # A frame counts for the hop after its first: its middle.
    return speech[1 : n_frames + 1], said[1 : n_frames + 1]


def behind(kind: str, speakers: Speakers, names: Sequence[str], length: int, seed: int) -> AnyArray:
    """Return what is heard behind a caller, 0 dB under the caller's level.

    Args:
        kind: one of `_BEHIND`.
        speakers: everybody.
        names: who talks there, in the order of who comes first.
        length: in samples.
        seed: of what is drawn.
    """
    rng = np.random.default_rng(seed)
    if kind in _TALKERS:
        legs = [
            compose(speakers, name, "calm", 0, seed, _CLEAN).customer
            for name in names[: _TALKERS[kind]]
        ]
        result: AnyArray = np.sum([np.resize(leg, length) for leg in legs], axis=0)
        return result
    if kind == "babble":
        voices = [sound(clip) for name in names for clip in speakers[name] if clip.emotion in CALM]
        some = [voices[at] for at in rng.permutation(len(voices))[:40]]
        noise = babble(rng, length, some)
    else:
        noise = NOISES[kind](rng, length)
    return band_pass(noise) * np.float32(10.0 ** (LEVEL_DB / 20.0))


def heard_calls(speakers: Speakers, n_calls: int) -> Iterator[tuple[str, AnyArray, Bools]]:
    """Yield what is behind each call, the traits of what is speech or not the caller's, and which.

    Corpora and what is behind come in turn.
    """
    rng = np.random.default_rng(_SEED)
    corpora: dict[str, list[str]] = {}
    for name in sorted(speakers):
        corpora.setdefault(speakers[name][0].corpus, []).append(name)
    for number in range(n_calls):
        kind = _BEHIND[number % len(_BEHIND)]
        own = list(corpora.values())[number % len(corpora)]
        caller = own[int(rng.integers(len(own)))]
        mood = ("calm", "escalating")[int(rng.integers(2))]
        clean = compose(speakers, caller, mood, number, _SEED, _CLEAN)
        others = [name for name in rng.permutation(sorted(speakers)).tolist() if name != caller]
        sounds = behind(kind, speakers, others, len(clean.customer), number)
        gain = 10.0 ** (-rng.uniform(*_SNRS_DB) / 20.0)
        talk, told = watch(mu_law((clean.customer + gain * sounds).astype(np.float32)))
        speech, said = truth_of(clean, len(talk))
        chosen = np.flatnonzero(talk & (speech | ~said))[::_EVERY]
        yield kind, told[:, chosen], speech[chosen]


def main(arguments: Sequence[str] | None = None) -> None:
    """Fit and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--corpora", type=Path, required=True)
    parser.add_argument("--calls", type=int, default=144)
    options = parser.parse_args(arguments)
    held_out = frozenset(default_classifier().metadata.held_out)
    tuned = material.speakers_of(options.corpora, "tune")
    clips = [clip for name, own in tuned.items() if name not in held_out for clip in own]
    speakers = speakers_of([clip for clip in clips if clip.corpus not in NEVER_TRAINED])
    kinds, told, truths = [], [], []
    for kind, some, truth in heard_calls(speakers, options.calls):
        told.append(some / FRACTION)
        truths.append(truth)
        kinds += [kind] * len(truth)
    of_kind = np.array(kinds)
    share = {kind: weight / (of_kind == kind).sum() for kind, weight in _WEIGHTS.items()}
    weight = np.array([share[kind] for kind in kinds])
    products = PolynomialFeatures(2, include_bias=False)
    every = products.fit_transform(np.concatenate(told, axis=1).T)
    weights, bias = fit(every, np.concatenate(truths), weight * len(weight) / weight.sum())
    print(f"_BIAS = {bias + _FAVOUR:.4g}")
    rows = np.split(weights, np.cumsum([len(TRAITS), *range(len(TRAITS), 1, -1)]))
    for row in rows:
        print(f"    ({', '.join(f'{value:.4g}' for value in row)}),")


if __name__ == "__main__":
    main()
