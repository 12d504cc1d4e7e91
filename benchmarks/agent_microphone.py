"""Does the agent's microphone hear the customer? What `Turns` says of headsets and loudspeakers."""

from collections.abc import Sequence
from itertools import product
from typing import Final

import numpy as np

from benchmarks.record import Figures
from hackles.config import SAMPLE_RATE
from hackles.turns import Turns
from hackles.types import AnyArray, Array
from models.training.calls import Call

LEVELS_DB: Final = (-10.0, -15.0, -20.0, -25.0)
"""Of the customer in the microphone, under the customer on the line."""
DELAYS_S: Final = (0.02, 0.1, 0.18, 0.25)
_SECONDS: Final = 60
_SPAN: Final = 4 * SAMPLE_RATE
_SHIFT: Final = 7 * SAMPLE_RATE
_ROOM_S, _DECAY_S = 0.1, 0.015


def found_s(customer: Array, agent: Array) -> float | None:
    """Return when the microphone was first said to hear the customer; None if never."""
    turns = Turns()
    for at in range(0, len(customer), _SPAN):
        some = slice(at, at + _SPAN)
        turns.push(customer[some], agent[some])
        if turns.hears_customer:
            return min(at + _SPAN, len(customer)) / SAMPLE_RATE
    return None


def loudspeakers(customer: Array, db: float, delay_s: float, room: AnyArray) -> Array:
    """Return the customer as loudspeakers and a room bring them into the microphone."""
    late = np.concatenate([np.zeros(round(delay_s * SAMPLE_RATE), np.float32), customer])
    there = np.convolve(late[: len(customer)], room)[: len(customer)]
    scale = np.sqrt(np.sum(customer**2) / max(float(np.sum(there**2)), 1e-12))
    result: Array = (there * scale * 10 ** (db / 20)).astype(np.float32)
    return result


def heard(call: Call, number: int) -> list[Figures]:
    """Return what is found in one call's first minute with each microphone."""
    n = _SECONDS * SAMPLE_RATE
    customer, agent = call.customer[:n], call.agent[:n]
    chance = np.random.default_rng([2026, number])
    wall = chance.standard_normal(round(_ROOM_S * SAMPLE_RATE))
    wall *= 0.4 * np.exp(-np.arange(len(wall)) / (_DECAY_S * SAMPLE_RATE))
    wall[0] = 1.0
    rooms = {"straight": np.ones(1), "through a room": wall}
    # Both at once, and the customer's clips where the agent's were: chance likeness.
    ways = {"headset": customer, "headset, both talk": np.roll(customer, _SHIFT)}
    # Babble is made of other speakers' clips, the agent's among them.
    about = {"noise": call.truth.noise, "who": f"{call.truth.speaker} {call.truth.kind}"}
    rows: list[Figures] = [
        {"way": way, **about, "found_s": found_s(line, agent)} for way, line in ways.items()
    ]
    name = list(rooms)[number % 2]
    for place, db in enumerate(LEVELS_DB):
        delay_s = DELAYS_S[(number // 2 + place) % len(DELAYS_S)]
        microphone = agent + loudspeakers(customer, db, delay_s, rooms[name])
        rows.append(
            {
                "way": "loudspeakers",
                "db": f"{db:.0f} dB",
                "delay": f"{1000 * delay_s:.0f} ms",
                "room": name,
                **about,
                "found_s": found_s(customer, microphone.astype(np.float32)),
            }
        )
    return rows


def summed(rows: Sequence[Figures]) -> dict[str, Figures]:
    """Return how many were found, and when, by condition; of headsets whose, too."""
    result: dict[str, Figures] = {}
    for key, row in product(("way", "noise", "db", "delay", "room"), rows):
        if key not in row:
            continue
        name = f"{row['way']}, {row['noise']}" if key == "noise" else row[key]
        mine = result.setdefault(name, {"calls": 0, "found": 0, "times": [], "whose": []})
        mine["calls"] += 1
        if row["found_s"] is not None:
            mine["found"] += 1
            mine["times"].append(row["found_s"])
            mine["whose"].append(row["who"])
    for name, mine in result.items():
        times, whose = mine.pop("times"), mine.pop("whose")
        if times:
            mine["found_s_median"] = round(float(np.median(times)), 1)
        if name.startswith("headset"):
            mine["whose"] = whose
    return result
