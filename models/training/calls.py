"""Calls composed from clips of one speaker: a calm stretch, then anger, or never.

They are synthetic, and every figure from them says so.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from hackles.errors import UsageError
from hackles.types import Array
from models.training.coding import coded
from models.training.corpora import ANGER, CALM, Clip
from models.training.dialogue import LEVEL_DB, Dialogue, Stretch, sound
from models.training.noise import pink_noise
from models.training.telephone import Line, transmit
from models.training.truth import Truth

KINDS = ("escalating", "calm", "angry_start", "taken_over")
"""Anger after a calm stretch; never; from the first word; after another took over, in half."""

_AGENT_NOISE_DB = -34.0
_CODECS = ("mu-law", "A-law", "GSM 6.10", "Opus 12 kbit/s")
_BABBLE_CLIPS = 40


@dataclass(frozen=True, slots=True)
class Call:
    """A composed call: both legs at the engine's rate, shape (n_samples,), and what is true."""

    customer: Array
    agent: Array
    truth: Truth


Speakers = Mapping[str, Sequence[Clip]]


def speakers_of(clips: Sequence[Clip]) -> dict[str, list[Clip]]:
    """Return the clips of each speaker of whom there are angry and calm ones, in sorted order."""
    every: dict[str, list[Clip]] = {}
    for clip in clips:
        every.setdefault(clip.speaker, []).append(clip)
    emotions = {speaker: {clip.emotion for clip in own} for speaker, own in every.items()}
    both = [name for name, found in sorted(emotions.items()) if ANGER in found and found & CALM]
    return {name: every[name] for name in both}


def compose(
    speakers: Speakers,
    customer: str,
    kind: str,
    number: int,
    seed: int,
    line: Line | None = None,
    keep_levels: bool = False,
) -> Call:
    """Compose a call; the same arguments give the same samples.

    The customer takes turns of one to three clips; the agent, another speaker (of the same corpus,
    if there is one), talks for 2 to 8 s between them. What is said does not depend on the line.

    Args:
        speakers: the clips of each speaker who may be heard, two at the least.
        customer: which of them calls.
        kind: one of `KINDS`.
        number: which of the speaker's calls of that kind.
        seed: of the whole set of calls.
        line: the customer's telephone line; drawn if None. Babble is calm speech of other speakers.
        keep_levels: leave a speaker's clips at the levels that they have to each other; else each
            clip's level is random by +-6 dB, so that loudness does not tell the mood.

    Raises:
        UsageError: if nobody else can be the agent.
    """
    own = speakers[customer]
    corpus = own[0].corpus
    company = [name for name in sorted(speakers) if name != customer]
    others = [name for name in company if speakers[name][0].corpus == corpus] or company
    if not others:
        raise UsageError(
            f"{customer} is the only one to be calm and angry; a call needs two people."
        )
    # What is said, and what the line does to it, are drawn apart.
    key = hashlib.sha256(f"{seed} {customer} {kind} {number}".encode()).digest()
    said, sent = (np.random.default_rng([*key, part]) for part in range(2))
    agent, second = (others[int(said.integers(len(others)))] for _ in range(2))
    talk = Dialogue(said, (own, speakers[second]), speakers[agent], keep_levels)
    talk.answer()
    for stretch in plan(said, kind):
        talk.play(stretch)
    drawn = draw_line(sent)
    line = drawn if line is None else line
    voices = []
    if line.noise == "babble":
        every = [clip for other in others for clip in speakers[other] if clip.emotion in CALM]
        voices = [sound(every[i]) for i in sent.permutation(len(every))[:_BABBLE_CLIPS]]
    law = "A-law" if line.codec == "A-law" else "mu-law"
    heard = transmit(sent, talk.leg(0), LEVEL_DB, line, voices)
    quiet = pink_noise(sent, len(heard)) * np.float32(10 ** ((LEVEL_DB + _AGENT_NOISE_DB) / 20))
    return Call(
        # A telephone system hands on as G.711 what reached it in another codec.
        heard if line.codec == law else coded(heard, law),
        coded(talk.leg(1) + quiet, law),
        Truth(
            corpus=corpus,
            speaker=customer,
            sex=own[0].sex,
            language=own[0].language,
            agent=agent,
            second=second if kind == "taken_over" else None,
            kind=kind,
            number=number,
            gain_db=line.gain_db,
            noise=line.noise,
            snr_db=line.snr_db,
            codec=line.codec,
            loss=line.loss,
            **talk.times(),
        ),
    )


def plan(rng: np.random.Generator, kind: str) -> tuple[Stretch, ...]:
    """Return the stretches of a call of some kind; in 40 % the anger is eased again.

    Raises:
        ValueError: if there is no such kind.
    """
    calm = Stretch(rng.uniform(30, 40))
    rise = tuple(Stretch(rng.uniform(5, 8), share) for share in (0.34, 0.67))
    plateau = Stretch(rng.uniform(20, 35), 1.0)
    after = (Stretch(rng.uniform(8, 15)),) if rng.random() < 0.4 else ()
    if kind == "escalating":
        return (calm, *rise, plateau, *after)
    if kind == "calm":
        return (Stretch(rng.uniform(60, 95)),)
    if kind == "angry_start":
        return (plateau, *after)
    if kind == "taken_over":
        then = (*rise, plateau) if rng.random() < 0.5 else ()
        taken = (Stretch(rng.uniform(30, 40)), *then)
        return (calm, *(Stretch(s.speech_s, s.anger, second=True) for s in taken))
    raise ValueError(f"there is no kind of call {kind!r}; known are {', '.join(KINDS)}")


def draw_line(rng: np.random.Generator) -> Line:
    """Return a random line: gain, codec, noise, and lost packets in every third."""
    return Line(
        codec=str(rng.choice(_CODECS)),
        gain_db=rng.uniform(-12.0, 3.0),
        noise=str(rng.choice(["pink", "babble"])),
        snr_db=rng.uniform(12.0, 30.0),
        loss=0.01 if rng.random() < 1 / 3 else 0.0,
    )
