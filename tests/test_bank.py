"""Calls that come and go in one bank: each gives what it would give alone."""

import itertools

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from hackles.bank import Bank
from hackles.classifier import default_classifier
from hackles.config import HOP_LENGTH
from hackles.errors import RoleError, UsageError
from hackles.pipeline import CallPipeline
from hackles.types import Block, Role
from tests.conftest import NAMES, customer
from tests.events import assert_same

N_SLOTS = 4
MAX_FRAMES = 64


class Call:
    """A call in the bank: what it says, what has been heard of it, and what was decided."""

    def __init__(self, samples: np.ndarray, agent: np.ndarray | None):
        self.samples = samples
        self.agent = agent
        self.at = 0
        self.lost: list[tuple[int, int]] = []
        self.events: list = []

    def alone(self) -> list:
        """Return what the same blocks give in a pipeline of their own, whole pieces at a time."""
        pipeline, events, at = CallPipeline(), [], 0
        for begin, end in [*self.lost, (self.at, self.at)]:
            events += pipeline.push(Block(self.samples[at:begin], at), self.beside(at, begin))
            at = end
        return events + pipeline.flush()

    def beside(self, begin: int, end: int) -> Block | None:
        """Return what the agent said meanwhile, if there is one."""
        return None if self.agent is None else Block(self.agent[begin:end], begin)


class Calls(RuleBasedStateMachine):
    """Joins, leaves, rejoins, packets of any length, lost audio, at any moment."""

    def __init__(self):
        super().__init__()
        self.bank = Bank(N_SLOTS, default_classifier(), MAX_FRAMES, agents=True)
        self.calls: dict[int, Call] = {}

    @precondition(lambda self: len(self.calls) < N_SLOTS)
    @rule(
        name=st.sampled_from(NAMES),
        start=st.integers(0, 60),
        gain=st.sampled_from([1.0, 0.3]),
        leak=st.sampled_from([None, 0.0, 0.1]),
    )
    def join(self, name, start, gain, leak):
        slot = self.bank.open(Role.CUSTOMER)
        assert slot not in self.calls
        own, agent = customer(name)[start * 8000 :] * np.float32(gain), None
        if leak is not None:
            agent = np.roll(customer("es_calm_1"), -start * 8000)[: len(own)]
            own = own[: len(agent)] + np.float32(leak) * np.roll(agent, 700)
        self.calls[slot] = Call(own, agent)

    @precondition(lambda self: self.calls)
    @rule(
        n_ticks=st.integers(1, 25),
        seed=st.integers(0, 2**32 - 1),
        unit=st.sampled_from([1, 7, 80, 160]),
    )
    def speak(self, n_ticks, seed, unit):
        """All speak; in each tick, some bring nothing and some as much as there is room for."""
        chance = np.random.default_rng(seed)
        for _ in range(n_ticks):
            counts = chance.integers(0, self.bank.max_samples // unit + 1, len(self.calls)) * unit
            self.receive(dict(zip(self.calls, counts.tolist(), strict=True)))
            self.tick()

    @precondition(lambda self: self.calls)
    @rule(data=st.data(), length=st.integers(1, 4000))
    def push(self, data, length):
        """One speaks, block by block."""
        slot = data.draw(st.sampled_from(sorted(self.calls)))
        call, end = self.calls[slot], 0
        end = min(call.at + length, len(call.samples))
        while call.at < end:
            own = Block(call.samples[call.at : end], call.at)
            call.at += self.bank.push(slot, own, call.beside(call.at, end))
            self.tick()

    @precondition(lambda self: self.calls)
    @rule(data=st.data(), length=st.integers(1, 20_000))
    def lose(self, data, length):
        """Audio is lost; the next block begins later."""
        slot = data.draw(st.sampled_from(sorted(self.calls)))
        call = self.calls[slot]
        begin, end = call.at, call.at + length
        if end + 800 > len(call.samples) or (call.lost and call.lost[-1][1] == begin):
            return
        call.lost.append((begin, end))
        own = Block(call.samples[end : end + 800], end)
        assert self.bank.push(slot, own, call.beside(end, end + 800)) == 800
        call.at = end + 800
        self.tick()

    @precondition(lambda self: self.calls)
    @rule(data=st.data())
    def leave(self, data):
        self.end(data.draw(st.sampled_from(sorted(self.calls))))

    @invariant()
    def nobody_else_is_scored(self):
        with pytest.raises(RoleError):
            self.bank.open(Role.AGENT)

    @invariant()
    def free_slots_take_nothing(self):
        for slot in set(range(N_SLOTS)) - set(self.calls):
            with pytest.raises(UsageError):
                self.bank.receive(np.array([slot]), np.array([80]), np.zeros(80, np.float32))

    def receive(self, lengths: dict[int, int]) -> None:
        parts, beside = {}, {}
        for slot, length in lengths.items():
            call = self.calls[slot]
            parts[slot] = call.samples[call.at : call.at + length]
            beside[slot] = np.zeros_like(parts[slot])
            if call.agent is not None:
                beside[slot] = call.agent[call.at : call.at + length]
            call.at += len(parts[slot])
        self.bank.receive(
            np.array(list(parts), dtype=np.int64),
            np.array([len(part) for part in parts.values()], dtype=np.int64),
            np.concatenate([np.empty(0, np.float32), *parts.values()]),
            np.concatenate([np.empty(0, np.float32), *beside.values()]),
        )

    def tick(self) -> None:
        for slot, event in self.bank.tick().events():
            self.calls[slot].events.append(event)

    def end(self, slot: int) -> None:
        call = self.calls.pop(slot)
        call.events += [event for _, event in self.bank.flush(slot).events()]
        self.bank.close(slot)
        assert_same(call.events, call.alone())

    def teardown(self):
        for slot in sorted(self.calls):
            self.end(slot)


TestCalls = Calls.TestCase
TestCalls.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)


def hear(bank: Bank, slot: int, samples: np.ndarray) -> list:
    """Return the events of one call; if there is room for agents, it is an echo of the agent."""
    events = []
    for at in range(0, len(samples), bank.max_samples):
        some = samples[at : at + bank.max_samples]
        beside = 10 * some if bank._listener._leak is not None else None
        bank.receive(np.array([slot]), np.array([len(some)]), some, beside)
        events += [event for _, event in bank.tick().events()]
    return events + [event for _, event in bank.flush(slot).events()]


@pytest.mark.parametrize("agents", [False, True])
def test_a_freed_row_holds_nothing_of_the_call_before(agents):
    """Bit for bit: every array of a bank is as if the call had never been."""
    bank, fresh = (Bank(2, default_classifier(), MAX_FRAMES, agents) for _ in range(2))
    slot = bank.open(Role.CUSTOMER)
    assert hear(bank, slot, customer("en_rising_1"))
    bank.close(slot)
    found, expected = arrays(bank), arrays(fresh)
    assert found.keys() == expected.keys()
    for name, array in found.items():
        assert np.array_equal(array, expected[name]), name


def arrays(thing: object, path: str = "") -> dict[str, np.ndarray]:
    """Return all arrays inside something, by their path."""
    if isinstance(thing, np.ndarray):
        return {path: thing}
    if not type(thing).__module__.startswith("hackles"):
        return {}
    members = getattr(thing, "__dict__", {}).items()
    return dict(itertools.chain.from_iterable(arrays(v, f"{path}.{k}").items() for k, v in members))


def test_the_arrays_of_a_call_are_found():
    assert len(arrays(Bank(2, default_classifier()))) > 20


@pytest.mark.parametrize("agents", [False, True])
def test_state_is_at_most_64_kib_a_call(agents):
    sizes = [
        sum(array.nbytes for array in arrays(Bank(n, default_classifier(), agents=agents)).values())
        for n in (10, 110)
    ]
    assert (sizes[1] - sizes[0]) / 100 <= 64 * 1024


def test_no_more_samples_are_taken_than_there_is_room_for():
    bank = Bank(1, default_classifier(), MAX_FRAMES)
    slot = bank.open(Role.CUSTOMER)
    too_many = bank.max_samples + 10 * HOP_LENGTH
    with pytest.raises(UsageError, match="tick first"):
        bank.receive(np.array([slot]), np.array([too_many]), np.zeros(too_many, np.float32))
    assert bank.heard(slot) == 0


@pytest.mark.parametrize(("agents", "more"), [(False, 20), (True, 90)])
def test_the_work_of_a_tick_does_not_grow_with_the_calls(agents, more):
    """Function calls, Python's and numpy's, counted in ticks of other numbers of calls.

    A few more are for tiles: sixteen calls at a time are compared with their agents.
    """
    counted = [calls_of_a_tick(n_calls, agents) for n_calls in (10, 50)]
    assert counted[1] <= counted[0] + more


def calls_of_a_tick(n_calls: int, agents: bool) -> int:
    """Return the most function calls of a tick in which readings fall due."""
    import sys

    bank = Bank(n_calls, default_classifier(), agents=agents)
    slots = np.array([bank.open(Role.CUSTOMER) for _ in range(n_calls)])
    speech, most = customer("en_rising_1"), 0
    for at in range(5 * 8000, 15 * 8000, 800):
        some = np.concatenate([speech[at + 80 * i : at + 80 * i + 800] for i in range(n_calls)])
        beside = some[::-1].copy() if agents else None
        count = 0

        def profile(frame: object, event: str, argument: object) -> None:
            nonlocal count
            count += event in ("call", "c_call")

        sys.setprofile(profile)
        bank.receive(slots, np.full(n_calls, 800), some, beside)
        readings = bank.tick().readings
        sys.setprofile(None)
        if len(readings):
            most = max(most, count)
    assert most > 0
    return most
