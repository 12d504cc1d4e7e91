"""Is the agent's voice left out where it leaks into the customer's channel, and the customer kept?

    python benchmarks/agent_leak.py --corpora DIR [--out FILE]

Two speakers' clips are laid with pauses on two lines with noise, coded by G.711. One's voice is
then put into the other's line, later and quieter, half of the time through a random line or room.
The guard's numbers were chosen on the other half of the speakers (`--half developed`).
"""

import argparse
import hashlib
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

from benchmarks.record import command, write
from hackles.activity import Activity, SpeechActivity
from hackles.capture import g711
from hackles.config import FRAMES_PER_S, SAMPLE_RATE
from hackles.errors import UsageError
from hackles.pipeline import CallPipeline
from hackles.types import AnyArray, Array, Block, Bools, Gap, Reading, Reason
from models.training.corpora import Clip, read_clips, read_samples

DELAYS_S = (0.0, 0.02, 0.037, 0.12, 0.25, 0.3)
LEAKS_DB = (-10.0, -20.0, -30.0)
_SECONDS = 30.0
_SPEECH_DB, _CLIP_DB = -26.0, 3.0
_PAUSE_S = (0.2, 1.2)
_CUSTOMER_NOISE_DB = (-60.0, -45.0)
_AGENT_NOISE_DB = -60.0
_ECHO_S, _ECHO_DECAY_S = 0.03, 0.0075
_SEED = 2026


@dataclass(frozen=True, slots=True)
class Pair:
    """Two speakers, what they say, and the lines they say it on."""

    agent: Array
    customer: Array
    agent_noise: Array
    customer_noise: Array
    same_sex: bool | None
    delay_s: float
    echo: AnyArray
    law: g711.Encoding

    def line(self, *sounds: Array) -> Array:
        """Return what a line carries."""
        return coded(np.sum(sounds, axis=0, dtype=np.float32), self.law)

    def leak(self, samples: Array, db: float) -> Array:
        """Return somebody's voice as it comes back in the other's line."""
        n = len(samples)
        turned = np.exp(-2j * np.pi * np.fft.rfftfreq(2 * n, 1 / SAMPLE_RATE) * self.delay_s)
        later = np.fft.irfft(np.fft.rfft(samples, 2 * n) * turned)[:n]
        later = np.convolve(later, self.echo)[:n]
        scale = np.sqrt(np.sum(samples**2) / np.sum(later**2)) * 10 ** (db / 20)
        result: Array = (later * scale).astype(np.float32)
        return result


@dataclass(frozen=True, slots=True)
class Heard:
    """What the engine made of a line."""

    speech: Bools
    readings: int
    leak_s: float


def hear(customer: Array, agent: Array | None = None) -> Heard:
    """Run one call through the engine."""
    seen: list[Activity] = []
    update = SpeechActivity.update

    def keep(self: SpeechActivity, *arguments: Any) -> Activity:
        seen.append(update(self, *arguments))
        return seen[-1]

    with patch.object(SpeechActivity, "update", keep):
        pipeline = CallPipeline()
        events = pipeline.push(Block(customer, 0), None if agent is None else Block(agent, 0))
        events += pipeline.flush()
    gaps = [e for e in events if isinstance(e, Gap) and e.reason is Reason.AGENT_LEAK]
    return Heard(
        speech=np.concatenate([activity.speech[0] for activity in seen]),
        readings=sum(isinstance(event, Reading) for event in events),
        leak_s=sum(gap.time - gap.since for gap in gaps),
    )


def coded(samples: Array, law: g711.Encoding) -> Array:
    """Return samples as they leave a G.711 line: each the nearest that the law has."""
    values = np.sort(g711.decode(np.arange(256, dtype=np.uint8), law))
    between = (values[1:] + values[:-1]) / 2
    result: Array = values[np.searchsorted(between, samples)]
    return result


def is_developed(speaker: str) -> bool:
    """Return whether the guard's numbers were chosen with this speaker."""
    return hashlib.sha256(f"leak {speaker}".encode()).digest()[0] % 2 == 0


def talk(clips: Sequence[Clip], chance: np.random.Generator) -> Array:
    """Return somebody's clips, one after the other, with pauses."""
    whole = np.zeros(round(_SECONDS * SAMPLE_RATE), dtype=np.float32)
    at = SAMPLE_RATE // 2
    while True:
        said = _levelled(read_samples(clips[int(chance.integers(len(clips)))]), chance)
        if at + len(said) > len(whole):
            return whole
        whole[at : at + len(said)] = said
        at += len(said) + round(chance.uniform(*_PAUSE_S) * SAMPLE_RATE)


def _levelled(samples: Array, chance: np.random.Generator) -> Array:
    power: AnyArray = np.convolve(samples**2, np.full(160, 1 / 160), "same")
    loud = np.flatnonzero(power > 1e-3 * power.max())
    rms = np.sqrt(np.mean(samples[power > 3e-3 * power.max()] ** 2))
    db = _SPEECH_DB + chance.uniform(-_CLIP_DB, _CLIP_DB)
    result: Array = samples[loud[0] : loud[-1] + 1] * np.float32(10 ** (db / 20) / rms)
    return result


def pairs(clips: Sequence[Clip], count: int) -> Iterator[Pair]:
    """Yield pairs of speakers who talk at the same time."""
    own = defaultdict(list)
    for clip in clips:
        own[clip.speaker].append(clip)
    chance = np.random.default_rng(_SEED)
    for number in range(count):
        one, other = (own[s] for s in chance.choice(sorted(own), 2, replace=False))
        agent, customer = talk(one, chance), talk(other, chance)
        noises = chance.standard_normal((2, len(agent)))
        db = np.array([_AGENT_NOISE_DB, chance.uniform(*_CUSTOMER_NOISE_DB)])
        noises *= 10 ** (db[:, None] / 20)
        echo = np.zeros(round(_ECHO_S * SAMPLE_RATE))
        echo[0] = 1.0
        if number // len(DELAYS_S) % 2:
            decay = np.exp(-np.arange(len(echo)) / (_ECHO_DECAY_S * SAMPLE_RATE))
            echo += 0.5 * chance.standard_normal(len(echo)) * decay
        sexes = {one[0].sex, other[0].sex}
        yield Pair(
            agent,
            customer,
            noises[0].astype(np.float32),
            noises[1].astype(np.float32),
            None if "" in sexes else len(sexes) == 1,
            DELAYS_S[number % len(DELAYS_S)],
            echo,
            (g711.Encoding.MU_LAW, g711.Encoding.A_LAW)[number % 2],
        )


class Tally:
    """Seconds and readings, summed up by what they are of."""

    def __init__(self) -> None:
        """Start with nothing."""
        self.sums: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))

    def silent(self, names: Sequence[str], without: Heard, found: Heard) -> None:
        """Count what was taken of a customer who says nothing."""
        for name in names:
            row = self.sums[name]
            row["calls"] += 1
            row["speech_s_without_guard"] += without.speech.sum() / FRAMES_PER_S
            row["readings_without_guard"] += without.readings
            row["speech_s"] += found.speech.sum() / FRAMES_PER_S
            row["readings"] += found.readings
            row["calls_with_readings"] += found.readings > 0
            row["agent_leak_s"] += found.leak_s

    def kept(self, names: Sequence[str], before: Heard, found: Heard) -> None:
        """Count what was kept of a customer's speech."""
        for name in names:
            row = self.sums[name]
            row["calls"] += 1
            row["speech_s"] += before.speech.sum() / FRAMES_PER_S
            row["kept_s"] += (before.speech & found.speech).sum() / FRAMES_PER_S
            row["kept_share"] = row["kept_s"] / row["speech_s"]

    def figures(self) -> dict[str, dict[str, float]]:
        """Return all sums."""
        return {name: {k: round(v, 4) for k, v in row.items()} for name, row in self.sums.items()}


def measure(pair: Pair, tally: Tally) -> None:
    """Hear a pair in every way."""
    sex = {True: " same sex", False: " other sex", None: " sex unknown"}[pair.same_sex]
    agent = pair.line(pair.agent, pair.agent_noise)
    customer = pair.line(pair.customer, pair.customer_noise)
    before = hear(customer)
    tally.kept(["no leak", "no leak," + sex], before, hear(customer, agent))
    for db in LEAKS_DB:
        leak = pair.leak(pair.agent, db)
        level, delay = f"{db:.0f} dB", f", {1000 * pair.delay_s:.0f} ms"
        alone = pair.line(leak, pair.customer_noise)
        name = f"customer silent, {level}"
        tally.silent([name, name + delay], hear(alone), hear(alone, agent))
        over = pair.line(pair.customer, leak, pair.customer_noise)
        name = f"customer over it, {level}"
        tally.kept([name, name + delay, f"{name},{sex}"], before, hear(over, agent))
        back = pair.leak(pair.customer, db)
        for who, sounds in (("silent", ()), ("speaks", (pair.agent,))):
            line = pair.line(*sounds, back, pair.agent_noise)
            names = [f"customer in the agent's line, agent {who}, {level}"]
            tally.kept(names, before, hear(customer, line))


def main(arguments: list[str] | None = None) -> int:
    """Compose, hear, count, print and keep."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--corpora", type=Path, required=True, help="folder of labelled speech")
    parser.add_argument("--pairs", type=int, default=60, help="pairs of speakers")
    parser.add_argument(
        "--half", choices=("reported", "developed"), default="reported", help="of the speakers"
    )
    parser.add_argument("--out", type=Path, help="where the figures go, as JSON")
    options = parser.parse_args(arguments)
    try:
        clips = read_clips(options.corpora)
    except UsageError as error:
        print(error, file=sys.stderr)
        return 2
    wanted = options.half == "developed"
    clips = [clip for clip in clips if is_developed(clip.speaker) == wanted]
    tally = Tally()
    for pair in pairs(clips, options.pairs):
        measure(pair, tally)
    found = tally.figures()
    for name, row in sorted(found.items()):
        print(f"{name:55} " + "  ".join(f"{key} {value:g}" for key, value in row.items()))
    if options.out:
        speakers = len({clip.speaker for clip in clips})
        figures = {"speakers": speakers, "seconds_a_call": _SECONDS, "found": found}
        write(options.out, command("benchmarks/agent_leak.py", options), figures)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
