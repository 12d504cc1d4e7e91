"""The way in for a device: calls are cut out of a sound that never stops."""

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from hackles.capture.devices import Devices
from hackles.capture.intake import Offer
from hackles.capture.tap import Heard
from hackles.settings import Device
from hackles.turns import Turns
from hackles.types import Role
from tests.conftest import SAMPLES

RATE = 8000
TICK_S = 0.1
LATE_S = 0.4
"""So long the tap holds sound back."""


class Scripted:
    """A device that plays a recording, or whose samples count its seconds."""

    def __init__(self, recording=None):
        self._recording = recording
        self.until = 0.0
        self.is_there = True
        self._lost_s = 0.0
        self._waiting = []

    def pass_to(self, now):
        """Let the device's time go on to `now`; what is sound is known a little later."""
        if not self.is_there:
            return
        end = max(self.until, round(now - LATE_S, 6))
        if end > self.until:
            first, last = round(self.until * RATE), round(end * RATE)
            if self._recording is None:
                samples = (np.arange(first, last) / RATE).astype(np.float32)
            else:
                samples = np.pad(self._recording[first:last], (0, last - first))[: last - first]
            self._waiting.append(Heard(self._lost_s, samples, end))
            self.until, self._lost_s = end, 0.0

    def lose(self, seconds):
        self.until += seconds
        self._lost_s += seconds

    def take(self):
        taken, self._waiting = self._waiting, []
        return taken


class Ears:
    """What hears the devices, as far as the intake knows it."""

    def __init__(self, customer, agent=None):
        self.customer, self.agent = customer, agent
        self.unheard = ""

    def check(self):
        """It never breaks."""

    def close(self):
        """Nothing to close."""


class Room:
    """The intake, a clock, and what of each call was handed over."""

    def __init__(self, slots=1, most=2480, agent=None, **section):
        self.now = 0.0
        self.source = Scripted()
        section = {"output": "headset", "calls": "told", **section}
        self.agent = agent
        self.turns = {}
        ears = Ears(self.source, agent)
        self.devices = Devices(Device(**section), most, ears, lambda: self.now)
        self.is_refused = lambda offer: False
        self.calls, self.ended, self.lost = {}, [], {}
        self._slots, self._free = {}, list(range(slots))

    def pass_s(self, seconds):
        for _ in range(round(seconds / TICK_S)):
            self.now = round(self.now + TICK_S, 6)
            self.source.pass_to(self.now)
            if self.agent is not None:
                self.agent.pass_to(self.now)
            self.tick()
        return self

    def tick(self):
        received = self.devices.receive(self._open)
        assert len(set(received.slots.tolist())) == len(received.slots)
        rows = np.split(received.samples, np.cumsum(received.counts)[:-1])
        for slot, lost, samples in zip(received.slots, received.lost, rows, strict=False):
            call = self._slots[slot]
            self.lost[call] += int(lost)
            self.calls[call] = np.concatenate([self.calls[call], samples])
        self.turns |= {self._slots[slot]: turns for slot, turns in received.turns.items()}
        for slot in received.ended:
            self.ended.append(self._slots.pop(slot))
            self._free.append(slot)

    def _open(self, offer):
        assert offer.role is Role.CUSTOMER
        if self.is_refused(offer) or not self._free:
            return None
        slot = self._free.pop()
        self._slots[slot] = offer.call
        self.calls[offer.call] = np.empty(0, np.float32)
        self.lost[offer.call] = 0
        return slot

    def begin(self, call):
        self.devices.begin(Offer(call, Role.CUSTOMER))

    def forget(self, call):
        slot = next(slot for slot, one in self._slots.items() if one == call)
        del self._slots[slot]
        self._free.append(slot)
        self.devices.forget(slot)


def spans(room, call, begin_s, end_s):
    """Return whether a call holds every sample from one moment to another."""
    expected = np.arange(round(begin_s * RATE), round(end_s * RATE)) / RATE
    return np.array_equal(room.calls[call], expected.astype(np.float32))


def test_a_call_has_all_that_was_played_between_its_beginning_and_its_end():
    room = Room().pass_s(3.0)
    room.begin("one")
    room.pass_s(5.0)
    room.devices.end("one")
    room.pass_s(2.0)
    assert room.ended == ["one"]
    assert spans(room, "one", 3.0, 8.0)
    assert room.lost == {"one": 0}


def test_a_device_whose_clock_is_a_little_ahead_takes_no_time_away(monkeypatch):
    monkeypatch.setattr("tests.test_devices.LATE_S", -0.05)
    room = Room().pass_s(1.0)
    for call in ("one", "two", "three"):
        room.begin(call)
        room.pass_s(2.0)
        room.devices.end(call)
        room.begin(f"{call}, at once")
        room.devices.end(f"{call}, at once")
        room.pass_s(1.0)
    assert all(lost >= 0 for lost in room.lost.values())
    every = np.concatenate(list(room.calls.values()))
    assert np.all(np.diff(every) > 0)


def test_nothing_is_handed_over_between_calls():
    room = Room().pass_s(5.0)
    assert room.calls == {}


def test_a_call_that_begins_ends_the_one_before():
    room = Room().pass_s(1.0)
    room.begin("one")
    room.pass_s(3.0)
    room.begin("two")
    room.pass_s(3.0)
    room.devices.end("two")
    room.pass_s(2.0)
    assert room.ended == ["one", "two"]
    assert spans(room, "one", 1.0, 4.0)
    assert spans(room, "two", 4.0, 7.0)


def test_the_end_of_a_call_that_is_over_ends_no_other():
    room = Room()
    room.begin("one")
    room.pass_s(1.0)
    room.begin("two")
    room.devices.end("one")
    room.pass_s(3.0)
    room.devices.end("one")
    room.devices.end("nobody's")
    room.pass_s(3.0)
    assert room.ended == ["one"]


def test_what_is_missing_is_told_where_it_is():
    room = Room().pass_s(1.0)
    room.begin("one")
    room.pass_s(2.0)
    room.source.lose(2.5)
    room.pass_s(5.0)
    room.devices.end("one")
    room.pass_s(2.0)
    assert room.lost["one"] == 2.5 * RATE
    assert len(room.calls["one"]) == 4.5 * RATE


def test_a_call_ends_though_its_device_stays_away_and_is_as_long_as_it_was():
    room = Room().pass_s(1.0)
    room.begin("one")
    room.pass_s(2.0)
    room.source.is_there = False
    room.pass_s(10.0)
    assert room.ended == []
    room.devices.end("one")
    room.pass_s(3.0)
    assert room.ended == ["one"]
    assert len(room.calls["one"]) + room.lost["one"] == 12 * RATE


def test_a_call_can_begin_while_the_device_is_away():
    room = Room()
    room.source.is_there = False
    room.pass_s(5.0)
    room.begin("one")
    room.pass_s(4.0)
    room.source.lose(8.6)
    room.source.is_there = True
    room.pass_s(4.0)
    room.devices.end("one")
    room.pass_s(2.0)
    assert room.ended == ["one"]
    assert room.lost["one"] == round(3.6 * RATE)
    assert spans(room, "one", 8.6, 13.0)


def test_a_call_that_is_forgotten_is_not_handed_over_any_more():
    room = Room()
    room.begin("one")
    room.pass_s(3.0)
    heard = len(room.calls["one"])
    room.forget("one")
    room.pass_s(3.0)
    assert len(room.calls["one"]) == heard
    room.begin("two")
    room.pass_s(3.0)
    assert spans(room, "two", 6.0, room.now - LATE_S)


def test_a_call_that_is_refused_is_not_heard_and_the_next_one_is():
    room = Room()
    room.is_refused = lambda offer: offer.call == "one"
    room.begin("one")
    room.pass_s(2.0)
    room.devices.end("one")
    room.begin("two")
    room.pass_s(2.0)
    assert list(room.calls) == ["two"]


def test_of_what_waits_too_long_the_oldest_is_skipped_and_told_as_lost():
    room = Room(most=800).pass_s(1.0)
    room.begin("one")
    room.pass_s(1.0)
    room.now += 3.0
    room.source.pass_to(room.now)
    room.tick()
    room.devices.skip([0])
    room.pass_s(2.0)
    assert room.lost["one"] > RATE
    assert (
        len(room.calls["one"]) + room.lost["one"] >= round((room.now - LATE_S - 1.0) * RATE) - 800
    )


@given(
    st.lists(
        st.tuples(st.sampled_from(["begin", "end", "pass", "lose"]), st.integers(1, 8)),
        max_size=20,
    ),
    st.sampled_from([800, 2480]),
)
def test_no_sample_is_in_two_calls_or_twice_and_time_is_never_lost(story, most):
    room, names, begun, lasted = Room(most=most), [], {}, {}
    for what, count in story:
        if what == "begin":
            if names and names[-1] not in lasted:
                lasted[names[-1]] = room.now - begun[names[-1]]
            names.append(f"call-{len(names)}")
            begun[names[-1]] = room.now
            room.begin(names[-1])
        elif what == "end" and names and names[-1] not in lasted:
            lasted[names[-1]] = room.now - begun[names[-1]]
            room.devices.end(names[-1])
        elif what == "lose":
            room.source.lose(count / 10)
            room.now = round(room.now + count / 10, 6)
        room.pass_s(count / 10)
    room.pass_s(8.0)
    every = np.concatenate([np.empty(0, np.float32), *room.calls.values()])
    assert np.all(np.diff(every) > 0)
    assert room.ended == [name for name in names if name in lasted]
    for name, duration_s in lasted.items():
        total = len(room.calls[name]) + room.lost[name]
        assert total == pytest.approx(duration_s * RATE, abs=2)


def both_sides(name):
    """Return the customer's and the agent's samples of a sample call."""
    samples, _ = soundfile.read(SAMPLES / f"{name}.wav", dtype="float32")
    return samples[:, 1], samples[:, 0]


def test_turns_are_timed_by_the_agents_microphone_which_is_not_scored():
    customer, agent = both_sides("en_calm_1")
    seconds = len(customer) // RATE
    expected = Turns()
    expected.push(customer[: seconds * RATE], agent[: seconds * RATE])
    expected.flush()
    room = Room(agent=Scripted(agent))
    room.source._recording = customer
    room.begin("one")
    room.pass_s(seconds)
    room.devices.end("one")
    room.pass_s(2.0)
    turns = room.turns["one"]
    assert room.ended == ["one"]
    assert np.array_equal(room.calls["one"], customer[: seconds * RATE])  # nothing of the agent's
    assert turns.customer_s == pytest.approx(expected.customer_s, abs=0.3)
    assert turns.agent_s == pytest.approx(expected.agent_s, abs=0.3)
    assert turns.agent_s > 3


def test_a_call_goes_on_though_the_agents_microphone_is_gone():
    customer, agent = both_sides("en_calm_1")
    room = Room(agent=Scripted(agent))
    room.source._recording = customer
    room.begin("one")
    room.pass_s(10.0)
    room.agent.is_there = False
    room.pass_s(10.0)
    room.devices.end("one")
    room.pass_s(2.0)
    assert np.array_equal(room.calls["one"], customer[: 20 * RATE])
    assert room.turns["one"].customer_s > 3


@pytest.mark.parametrize("is_in_call", [False, True])
def test_while_the_device_stays_away_the_microphone_is_not_gathered(is_in_call):
    _, agent = both_sides("en_calm_1")
    room = Room(agent=Scripted(np.tile(agent, 5)), most=10 * RATE)
    if is_in_call:
        room.begin("one")
    room.pass_s(5.0)
    room.source.is_there = False
    room.pass_s(200.0)
    assert sum(len(some) for _, some in room.devices._agent._trail._stretches) <= 61 * RATE
    hours_s = 24 * 3600.0  # of which nobody asks for a sample
    for one in (room.source, room.agent):
        one._recording, one.is_there = None, True
        one.lose(hours_s - one.until)
    room.now = hours_s + LATE_S
    room.pass_s(5.0)
    if is_in_call:
        room.devices.end("one")
        room.pass_s(2.0)
        assert room.turns["one"].agent_s < 70
        assert room.lost["one"] + len(room.calls["one"]) == pytest.approx(room.now * RATE, abs=5e4)


def test_of_a_call_that_is_forgotten_no_turns_are_timed_any_more():
    room = Room(agent=Scripted())
    room.begin("one")
    room.pass_s(2.0)
    room.forget("one")
    assert room.devices._agent.end() is None


def test_a_call_begins_in_the_tick_in_which_it_is_known():
    room = Room()
    room.pass_s(1.0)
    for call in ("one", "two", "three"):
        room.begin(call)
        room.devices.end(call)
    room.begin("four")
    room.pass_s(1.5)
    assert len(room.calls["four"]) > 0.5 * RATE


def test_by_the_sound_a_call_begins_with_the_first_word_and_ends_after_the_silence():
    customer, _ = both_sides("en_calm_1")
    talk = customer[: 20 * RATE]
    pause = np.zeros(15 * RATE, np.float32)
    room = Room(calls="sound", silence_s=5.0)
    room.source._recording = np.concatenate([pause, talk, pause, talk, pause])
    room.pass_s(90.0)
    assert len(room.ended) == 2
    first, second = room.ended
    assert first.startswith("call-")
    assert first != second
    for call in (first, second):
        heard = room.calls[call]
        shift = np.argmax(np.correlate(heard, talk[5 * RATE : 8 * RATE], "valid"))
        assert np.allclose(heard[shift : shift + 3 * RATE], talk[5 * RATE : 8 * RATE])
        assert 18 * RATE < len(heard) < 30 * RATE
