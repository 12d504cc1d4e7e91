"""Calls through real pipes: every sample of every writer, and nobody waits for anybody."""

import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st

from hackles.capture.g711 import Encoding, decode
from hackles.capture.intake import Fate, Offer
from hackles.capture.pipes import Pipes
from hackles.errors import UsageError
from hackles.settings import Pipe
from hackles.types import Role

MAX_SAMPLES = 2480
CAPACITY = 2**16
EVERY_CODE = np.arange(256, dtype=np.uint8)


def sound(n_samples: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(-32768, 32768, n_samples).astype("<i2")


def floats(samples: np.ndarray) -> np.ndarray:
    return samples.astype(np.float32) / np.float32(32768)


class Desk:
    """Where calls are taken: what each brought, and how it ended."""

    def __init__(self, *pipes: Pipe, n_slots: int = 8, max_samples: int = MAX_SAMPLES) -> None:
        self.intake = Pipes(pipes, max_samples)
        self.max_samples = max_samples
        self.free = list(range(n_slots))
        self.offers: list[Offer] = []
        self.open: dict[int, str] = {}
        self.heard: dict[str, np.ndarray] = {}
        self.ended: list[str] = []
        self.lost: dict[str, int] = {}
        self.drained: dict[str, bool] = {}

    def open_call(self, offer: Offer) -> int | None:
        self.offers.append(offer)
        if not self.free:
            return None
        slot = self.free.pop()
        self.open[slot] = offer.call
        self.heard[offer.call] = np.empty(0, np.float32)
        return slot

    def tick(self) -> int:
        """Receive once; return how many samples came."""
        received = self.intake.receive(self.open_call)
        assert received.samples.dtype == np.float32
        assert len(received.samples) == received.counts.sum()
        assert (received.counts <= self.max_samples).all()
        assert len(set(received.slots.tolist())) == len(received.slots)
        at = 0
        for slot, count, lost, drained in zip(
            *(of.tolist() for of in (received.slots, received.counts)),
            received.lost.tolist(),
            received.drained.tolist(),
            strict=True,
        ):
            name = self.open[slot]
            self.heard[name] = np.append(self.heard[name], received.samples[at : at + count])
            self.lost[name] = self.lost.get(name, 0) + lost
            self.drained[name] = drained
            at += count
        for slot in received.ended:
            self.ended.append(self.open.pop(slot))
            self.free.append(slot)
        return at

    def tick_until_ended(self, n_calls: int = 1) -> None:
        for _ in range(100_000):
            self.tick()
            if len(self.ended) == n_calls:
                return
        raise AssertionError("the call goes on")


@pytest.fixture
def path(tmp_path) -> str:
    os.mkfifo(tmp_path / "pipe")
    return str(tmp_path / "pipe")


@pytest.fixture
def desks() -> Iterator:
    made: list[Desk] = []

    def make(*pipes: Pipe, **options: int) -> Desk:
        made.append(Desk(*pipes, **options))
        return made[-1]

    yield make
    for desk in made:
        desk.intake.close()


def pipe(path: str, **options) -> Pipe:
    return Pipe(path=path, call="line", role="customer", **options)


def write(path: str, data: bytes) -> None:
    with open(path, "wb", buffering=0) as file:
        file.write(data)


def test_a_call_begins_with_the_first_bytes_and_ends_with_its_writer(path, desks):
    desk, samples = desks(pipe(path)), sound(800)
    assert desk.tick() == 0
    with open(path, "wb", buffering=0) as writer:
        assert desk.tick() == 0
        assert desk.offers == []
        writer.write(samples.tobytes())
        assert desk.tick() == 800
        assert desk.offers == [Offer("line", role=Role.CUSTOMER)]
        assert desk.tick() == 0
        assert desk.ended == []
    desk.tick()
    assert desk.ended == ["line"]
    np.testing.assert_array_equal(desk.heard["line"], floats(samples))


def test_each_new_writer_is_a_call_of_its_own(path, desks):
    desk = desks(pipe(path))
    for number in range(1, 4):
        write(path, sound(300, number).tobytes())
        desk.tick_until_ended(number)
    assert desk.ended == ["line", "line-2", "line-3"]
    np.testing.assert_array_equal(desk.heard["line-3"], floats(sound(300, 3)))


@settings(max_examples=40)
@given(cuts=st.lists(st.integers(0, 700)), coding=st.sampled_from(["slin", "ulaw", "alaw"]))
def test_cuts_never_change_the_samples(cuts, coding):
    data = np.resize(EVERY_CODE, 2001 if coding == "ulaw" else 2000).tobytes()
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/pipe"
        os.mkfifo(path)
        desk = Desk(pipe(path, encoding=coding), max_samples=300)
        with open(path, "wb", buffering=0) as writer:
            at = 0
            for cut in [*cuts, len(data)]:
                writer.write(data[at : at + cut])
                at += cut
                desk.tick()
        desk.tick_until_ended(1)
        desk.intake.close()
    codes = np.frombuffer(data, np.uint8)
    expected = {
        "slin": lambda: floats(codes.view("<i2")),
        "ulaw": lambda: decode(codes, Encoding.MU_LAW),
        "alaw": lambda: decode(codes, Encoding.A_LAW),
    }[coding]()
    np.testing.assert_array_equal(desk.heard["line"], expected)
    assert desk.intake.troubles == {}


@pytest.mark.parametrize("sample_rate", [16_000, 44_100, 48_000])
def test_other_rates_are_resampled_as_a_whole_file_would_be(sample_rate, path, desks):
    desk, samples = desks(pipe(path, sample_rate=sample_rate)), sound(sample_rate // 2)
    with open(path, "wb", buffering=0) as writer:
        for at in range(0, len(samples), 999):
            writer.write(samples[at : at + 999].tobytes())
            desk.tick()
    desk.tick_until_ended()
    expected = soxr.resample(floats(samples), sample_rate, 8000, quality="HQ")
    heard = desk.heard["line"]
    assert abs(len(heard) - len(expected)) <= 1
    size = min(len(heard), len(expected))
    np.testing.assert_allclose(heard[:size], np.clip(expected[:size], -1, 1), atol=1e-5)


def test_no_more_than_a_tick_has_room_for_is_handed_over(path, desks):
    desk, samples = desks(pipe(path)), sound(3 * MAX_SAMPLES)
    write(path, samples.tobytes())
    assert desk.tick() == MAX_SAMPLES
    assert desk.drained == {"line": False}
    desk.tick_until_ended()
    assert desk.drained == {"line": True}
    np.testing.assert_array_equal(desk.heard["line"], floats(samples))


def test_a_call_that_has_been_heard_so_far_is_drained_though_its_writer_stays(path, desks):
    desk = desks(pipe(path))
    with open(path, "wb", buffering=0) as writer:
        writer.write(sound(MAX_SAMPLES).tobytes())
        assert desk.tick() == MAX_SAMPLES
        assert desk.drained == {"line": True}


def test_while_a_writer_pauses_it_is_told_that_nothing_waits(path, desks):
    desk = desks(pipe(path))
    with open(path, "wb", buffering=0) as writer:
        writer.write(sound(MAX_SAMPLES).tobytes())
        desk.tick()
        desk.drained.clear()
        assert desk.tick() == 0
        assert desk.drained == {"line": True}


def test_to_skip_drops_the_oldest_and_tells_how_much(path, desks):
    desk, samples = desks(pipe(path)), sound(10 * MAX_SAMPLES)
    with open(path, "wb", buffering=0) as writer:
        writer.write(samples.tobytes())
        desk.tick()
        (slot,) = desk.open
        desk.intake.skip([slot])
        assert desk.tick() == MAX_SAMPLES
        assert desk.lost == {"line": 8 * MAX_SAMPLES}
        assert desk.drained == {"line": True}
        expected = np.concatenate([samples[:MAX_SAMPLES], samples[-MAX_SAMPLES:]])
        np.testing.assert_array_equal(desk.heard["line"], floats(expected))


def test_a_call_without_room_is_read_and_forgotten_until_its_writer_leaves(path, desks):
    desk = desks(pipe(path), n_slots=0)
    with open(path, "wb", buffering=0) as writer:
        writer.write(b"first")
        assert desk.tick() == 0
        for _ in range(3):  # would wait for ever if nobody read
            writer.write(bytes(CAPACITY))
            assert desk.tick() == 0
    desk.tick()
    desk.free = [0]
    write(path, sound(100).tobytes())
    desk.tick_until_ended()
    assert [offer.call for offer in desk.offers] == ["line", "line-2"]
    assert desk.ended == ["line-2"]


def test_a_forgotten_call_brings_no_more_and_its_slot_never_ends(path, desks):
    desk = desks(pipe(path))
    with open(path, "wb", buffering=0) as writer:
        writer.write(sound(100).tobytes())
        desk.tick()
        (slot,) = desk.open
        desk.intake.forget(slot)
        for _ in range(3):
            writer.write(bytes(CAPACITY))
            assert desk.tick() == 0
    assert (desk.tick(), desk.tick(), desk.ended) == (0, 0, [])
    write(path, sound(100).tobytes())
    assert desk.tick() == 100
    assert desk.offers[-1].call == "line-2"


def test_half_a_sample_at_the_end_is_counted(path, desks):
    desk = desks(pipe(path))
    write(path, b"\1\2\3")
    desk.tick_until_ended()
    assert len(desk.heard["line"]) == 1
    assert desk.intake.troubles == {Fate.BROKEN: 1}


def test_pipes_do_not_wait_for_each_other(tmp_path, desks):
    paths = [str(tmp_path / name) for name in "ab"]
    for path in paths:
        os.mkfifo(path)
    desk = desks(*(Pipe(path=p, call=p[-1], role="customer") for p in paths))
    with open(paths[0], "wb", buffering=0), open(paths[1], "wb", buffering=0) as writer:
        writer.write(sound(100).tobytes())
        assert desk.tick() == 100
        assert list(desk.heard) == ["b"]


SCRIPT = """
import os, sys
sys.path.insert(0, {folder!r})
from tests.test_pipes import Desk, pipe
desk = Desk(pipe("-"))
while not desk.ended:
    desk.tick()
assert desk.tick() == 0
assert os.get_blocking(0)
is_whole = desk.heard["line"].tobytes() == open(sys.argv[1], "rb").read()
print(desk.drained, desk.lost, is_whole)
"""


@pytest.mark.parametrize("how", ["file", "pipe"])
def test_standard_input_is_one_call_and_stays_as_it_was(how, tmp_path):
    samples = sound(30_000)
    (tmp_path / "sound").write_bytes(samples.tobytes())
    (tmp_path / "heard").write_bytes(floats(samples).tobytes())
    script = SCRIPT.format(folder=str(Path(__file__).parents[1]))
    command = [sys.executable, "-c", script, str(tmp_path / "heard")]
    with open(tmp_path / "sound", "rb") as file:
        given = {"stdin": file} if how == "file" else {"input": file.read()}
        done = subprocess.run(command, capture_output=True, check=True, timeout=60, **given)
    assert done.stdout.decode().strip() == "{'line': True} {'line': 0} True"


def test_a_file_on_standard_input_is_never_behind(tmp_path):
    (tmp_path / "sound").write_bytes(sound(30_000).tobytes())
    script = SCRIPT.format(folder=str(Path(__file__).parents[1])).replace(
        "while", "desk.tick(); print(desk.drained)\nwhile", 1
    )
    with open(tmp_path / "sound", "rb") as file:
        command = [sys.executable, "-c", script, str(tmp_path / "sound")]
        done = subprocess.run(command, capture_output=True, check=True, timeout=60, stdin=file)
    assert done.stdout.decode().splitlines()[0] == "{'line': True}"


def test_a_pipe_that_is_not_there_is_told_how_to_make(tmp_path):
    with pytest.raises(UsageError, match=r"There is no pipe .*none; make it with: mkfifo .*none"):
        Pipes([pipe(str(tmp_path / "none"))], MAX_SAMPLES)


def test_a_file_that_is_no_pipe_is_refused(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(UsageError, match="is no named pipe"):
        Pipes([pipe(str(tmp_path / "file"))], MAX_SAMPLES)


def test_two_calls_cannot_share_a_pipe(path):
    with pytest.raises(UsageError, match="2 \\[\\[pipe\\]\\] sections read"):
        Pipes([pipe(path), pipe(path)], MAX_SAMPLES)


def test_a_writer_that_pauses_is_waited_for(path, desks):
    desk = desks(pipe(path))
    thread = threading.Thread(target=write, args=(path, sound(3 * CAPACITY).tobytes()))
    thread.start()
    desk.tick_until_ended()
    thread.join()
    np.testing.assert_array_equal(desk.heard["line"], floats(sound(3 * CAPACITY)))
