"""Recordings that are still being written: the same samples as when they are done."""

import logging
import os
import struct
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from hackles.capture.files import open_recording, parse_channels
from hackles.capture.g711 import Encoding, decode
from hackles.capture.intake import Fate, Offer, Refusal
from hackles.capture.watched_folder import WatchedFolders
from hackles.errors import UsageError
from hackles.settings import Folder
from hackles.types import Role

MAX_SAMPLES = 2480
QUIET_S = 10.0
KINDS = {1: "<i2", 6: np.uint8, 7: np.uint8}


def noise(n_values: int, kind: int = 1, seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    if kind == 1:
        return random.integers(-32768, 32768, n_values).astype("<i2")
    return random.integers(0, 256, n_values).astype(np.uint8)


def head(kind: int = 1, rate: int = 8000, channels: int = 2, length: int = 0) -> bytes:
    """Return the header of a WAV that says it holds `length` bytes."""
    width = 2 if kind == 1 else 1
    size = channels * width
    form = struct.pack("<HHIIHH", kind, channels, rate, rate * size, size, 8 * width)
    total = (length + 36) % 2**32
    return (
        struct.pack("<4sI4s4sI", b"RIFF", total, b"WAVE", b"fmt ", 16)
        + form
        + (struct.pack("<4sI", b"data", length))
    )


class Desk:
    """Where calls are taken: what each brought, by a clock that moves a tenth with each tick."""

    def __init__(self, folder: Path, customer: str = "right", n_slots: int = 8) -> None:
        self.now_s = 1000.0
        self.folder = folder
        watched = Folder(path=str(folder), customer=customer, quiet_s=QUIET_S)
        self.intake = WatchedFolders([watched], MAX_SAMPLES, clock=lambda: self.now_s)
        self.free = list(range(n_slots))
        self.offers: list[Offer] = []
        self.open: dict[int, str] = {}
        self.heard: dict[str, np.ndarray] = {}
        self.ended: list[str] = []
        self.lost = 0

    def __enter__(self) -> "Desk":
        return self

    def __exit__(self, *error: object) -> None:
        self.intake.close()

    def open_call(self, offer: Offer) -> int | None:
        self.offers.append(offer)
        if not self.free:
            return None
        slot = self.free.pop()
        self.open[slot] = offer.call
        self.heard[offer.call] = np.empty(0, np.float32)
        return slot

    def tick(self, n_ticks: int = 1) -> int:
        """Receive; return how many samples came."""
        n_samples = 0
        for _ in range(n_ticks):
            self.now_s += 0.1
            received = self.intake.receive(self.open_call)
            assert (received.counts <= MAX_SAMPLES).all()
            assert received.drained.all()
            ends = np.cumsum(received.counts)[:-1]
            for slot, samples in zip(
                received.slots.tolist(), np.split(received.samples, ends), strict=len(ends) > 0
            ):
                name = self.open[slot]
                self.heard[name] = np.append(self.heard[name], samples)
            self.lost += int(received.lost.sum())
            for slot in received.ended:
                self.ended.append(self.open.pop(slot))
                self.free.append(slot)
            n_samples += len(received.samples)
        return n_samples

    def write(self, name: str, data: bytes) -> None:
        """Add to a recording."""
        (self.folder / name).parent.mkdir(exist_ok=True)
        with open(self.folder / name, "ab") as file:
            file.write(data)

    def tick_to_the_end(self) -> None:
        """Let time pass until a recording that grows no more is over."""
        self.tick(round(10 * (QUIET_S + 2)))


@pytest.fixture
def desk(tmp_path):
    with Desk(tmp_path) as made:
        yield made


def finished(path: Path, customer: str = "right") -> np.ndarray:
    """Return the customer's samples as those of a recording that is done."""
    with open_recording(str(path), parse_channels(customer, None)) as recording:
        return np.concatenate([block.samples for block, _ in recording.blocks()])


def test_a_recording_that_grows_is_a_call_named_by_where_it_lies(desk):
    data = noise(2 * 1600)
    desk.write("today/a.wav", head() + data.tobytes())
    desk.tick(11)
    assert desk.offers == [Offer("today/a.wav", role=Role.CUSTOMER)]
    more = noise(2 * 800, seed=1)
    desk.write("today/a.wav", more.tobytes())
    assert desk.tick() == 800
    expected = np.concatenate([data, more])[1::2] / np.float32(32768)
    np.testing.assert_array_equal(desk.heard["today/a.wav"], expected)
    desk.tick(90)
    assert desk.ended == []
    desk.tick_to_the_end()
    assert desk.ended == ["today/a.wav"]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other names are text")
def test_a_call_s_name_is_text_whatever_its_file_is_named(desk):
    desk.write(os.fsdecode(b"caf\xe9.wav"), head() + noise(2 * 1600).tobytes())
    desk.tick(11)
    assert desk.offers == [Offer("caf\N{REPLACEMENT CHARACTER}.wav", role=Role.CUSTOMER)]


@settings(max_examples=40)
@given(
    kind=st.sampled_from([1, 6, 7]),
    promised=st.sampled_from(["nothing", "for ever", "stale", "true"]),
    cuts=st.lists(st.integers(1, 900), max_size=12),
    trailer=st.booleans(),
    channels=st.integers(1, 3),
)
def test_cuts_and_headers_never_change_the_samples(kind, promised, cuts, trailer, channels):
    body = noise(channels * 1500, kind).tobytes()
    length = {"nothing": 0, "for ever": 0xFFFFFFFF, "stale": 600, "true": len(body)}[promised]
    data = head(kind, channels=channels, length=length) + body
    customer = "mono" if channels == 1 else "right"
    with tempfile.TemporaryDirectory() as folder, Desk(Path(folder), customer) as desk:
        at = 0
        for cut in [*cuts, len(data)]:
            desk.write("a.wav", data[at : at + cut])
            desk.tick(4)
            at += cut
        path = desk.folder / "a.wav"
        with open(path, "r+b") as file:  # the writer ends
            file.write(head(kind, channels=channels, length=len(body)))
        if trailer and promised == "true":
            desk.write("a.wav", b"LIST\x04\0\0\0INFO")
        desk.tick_to_the_end()
        np.testing.assert_array_equal(desk.heard["a.wav"], finished(path, customer))
    assert desk.intake.troubles == {}


def test_what_follows_the_sound_is_not_heard(desk):
    body = noise(2 * 1001).tobytes()
    desk.write("a.wav", head(length=len(body)) + body + b"LIST\x04\0\0\0INFO")
    desk.tick_to_the_end()
    np.testing.assert_array_equal(desk.heard["a.wav"], finished(desk.folder / "a.wav"))


@pytest.mark.parametrize("rate", [11_025, 16_000, 44_100, 48_000])
def test_other_rates_are_resampled_as_the_finished_recording_is(rate, desk):
    body = noise(rate).tobytes()
    data = head(rate=rate, length=len(body)) + body
    for at in range(0, len(data), 5001):
        desk.write("a.wav", data[at : at + 5001])
        desk.tick()
    desk.tick_to_the_end()
    np.testing.assert_array_equal(desk.heard["a.wav"], finished(desk.folder / "a.wav"))


RAW: dict[str, tuple[int, Callable]] = {
    ".ulaw": (8000, lambda data: decode(data, Encoding.MU_LAW)),
    ".ul": (8000, lambda data: decode(data, Encoding.MU_LAW)),
    ".alaw": (8000, lambda data: decode(data, Encoding.A_LAW)),
    ".AL": (8000, lambda data: decode(data, Encoding.A_LAW)),
    ".sln": (8000, lambda data: data.view("<i2") / np.float32(32768)),
}


@pytest.mark.parametrize("ending", RAW)
def test_bare_samples_are_known_by_their_ending(ending, tmp_path):
    data = noise(3001, kind=7)[: 3000 if ending == ".sln" else 3001]
    with Desk(tmp_path, "mono") as desk:
        for at in range(0, len(data), 777):
            desk.write(f"a{ending}", data[at : at + 777].tobytes())
            desk.tick(3)
        desk.tick_to_the_end()
        np.testing.assert_array_equal(desk.heard[f"a{ending}"], RAW[ending][1](data))


@pytest.mark.parametrize("khz", [16, 48])
def test_bare_samples_at_higher_rates_are_resampled(khz, tmp_path):
    samples = noise(khz * 500)
    soundfile.write(tmp_path / "b.wav", samples, khz * 1000)
    with Desk(tmp_path, "mono") as desk:
        desk.write(f"a.sln{khz}", samples.tobytes())
        desk.tick_to_the_end()
        expected = finished(tmp_path / "b.wav", "mono")
        np.testing.assert_array_equal(desk.heard[f"a.sln{khz}"], expected)


def test_what_was_there_before_is_no_call_unless_it_grows(tmp_path):
    for name in ("old.wav", "grows.wav"):
        (tmp_path / name).write_bytes(head() + noise(200).tobytes())
    with Desk(tmp_path) as desk:
        desk.tick(20)
        desk.write("grows.wav", noise(200).tobytes())
        desk.tick_to_the_end()
        assert list(desk.heard) == ["grows.wav"]
        assert len(desk.heard["grows.wav"]) == 200  # from its beginning


def test_no_more_than_a_tick_has_room_for_is_handed_over(desk):
    desk.write("a.wav", head() + noise(2 * 10 * MAX_SAMPLES).tobytes())
    desk.tick(10)
    assert desk.tick(1) == MAX_SAMPLES
    desk.tick_to_the_end()
    assert len(desk.heard["a.wav"]) == 10 * MAX_SAMPLES


def test_to_skip_drops_the_oldest_and_tells_how_much(desk):
    samples = noise(2 * 10 * MAX_SAMPLES)
    desk.write("a.wav", head() + samples.tobytes())
    while not desk.open:
        desk.tick()
    desk.intake.skip(list(desk.open))
    desk.tick(20)
    assert len(desk.heard["a.wav"]) + desk.lost == 10 * MAX_SAMPLES
    assert abs(desk.lost - 8 * MAX_SAMPLES) <= 2
    end = samples[1::2][-MAX_SAMPLES:] / np.float32(32768)
    np.testing.assert_array_equal(desk.heard["a.wav"][-MAX_SAMPLES:], end)


@pytest.mark.parametrize(("ending", "subtype"), [("flac", None), ("ogg", None), ("wav", "FLOAT")])
def test_other_recordings_are_heard_when_they_are_quiet(ending, subtype, desk, tmp_path):
    stereo = np.stack([0 * noise(9000), noise(9000)], axis=1)
    with tempfile.TemporaryDirectory() as elsewhere:
        path = Path(elsewhere) / f"a.{ending}"
        soundfile.write(path, stereo, 8000, subtype=subtype)
        data = path.read_bytes()
    desk.write(f"a.{ending}", data[:5000])
    desk.tick(50)
    desk.write(f"a.{ending}", data[5000:])
    desk.tick(90)
    assert desk.offers == []
    desk.tick_to_the_end()
    assert desk.ended == [f"a.{ending}"]
    np.testing.assert_array_equal(desk.heard[f"a.{ending}"], finished(tmp_path / f"a.{ending}"))


def test_what_cannot_be_read_is_told_once_and_counted(desk, caplog):
    desk.write("a.flac", b"no sound at all")
    desk.write("mono.wav", head(channels=1) + noise(100).tobytes())
    desk.write("slow.wav", head(rate=4000) + noise(100).tobytes())
    desk.write("good.wav", head() + noise(100).tobytes())
    with caplog.at_level(logging.WARNING):
        desk.tick_to_the_end()
        desk.tick_to_the_end()
    assert desk.intake.troubles == {Refusal.CODEC: 3}
    said = sorted(record.getMessage() for record in caplog.records)
    assert [text.split()[1] for text in said] == ["a.flac", "mono.wav", "slow.wav"]
    assert "has 1 channels, and the customer is not where the folder's settings say" in said[1]
    assert desk.ended == ["good.wav"]


def test_a_recording_that_is_cut_off_while_it_is_decoded_ends_with_what_is_there(desk):
    with tempfile.TemporaryDirectory() as elsewhere:
        path = Path(elsewhere) / "a.flac"
        soundfile.write(path, np.stack([noise(90_000)] * 2, axis=1), 8000)
        desk.write("a.flac", path.read_bytes()[:100_000])
    desk.tick_to_the_end()
    desk.tick_to_the_end()
    assert desk.ended == ["a.flac"]
    assert 0 < len(desk.heard["a.flac"]) < 90_000
    assert desk.intake.troubles == {Refusal.CODEC: 1}


def test_a_recording_that_is_removed_is_heard_to_its_end(desk):
    desk.write("a.wav", head() + noise(200).tobytes())
    desk.tick(11)
    desk.write("a.wav", noise(200).tobytes())
    (desk.folder / "a.wav").unlink()
    desk.tick(2)
    assert desk.ended == ["a.wav"]
    assert len(desk.heard["a.wav"]) == 200


def test_a_recording_that_is_cut_ends_and_what_comes_then_is_another_call(desk):
    desk.write("a.wav", head() + noise(2000).tobytes())
    desk.tick(11)
    (desk.folder / "a.wav").write_bytes(b"")
    desk.tick()
    assert desk.ended == ["a.wav"]
    assert desk.intake.troubles == {Fate.BROKEN: 1}
    desk.write("a.wav", head() + noise(600).tobytes())
    desk.tick_to_the_end()
    assert desk.ended == ["a.wav", "a.wav"]
    assert len(desk.heard["a.wav"]) == 300


def test_a_recording_that_is_moved_is_not_taken_for_another(desk):
    desk.write("a.wav", head() + noise(200).tobytes())
    desk.tick(11)
    (desk.folder / "a.wav").rename(desk.folder / "b.wav")
    desk.write("b.wav", noise(200).tobytes())
    desk.tick_to_the_end()
    (desk.folder / "b.wav").rename(desk.folder / "c.wav")
    desk.tick_to_the_end()
    assert desk.ended == ["a.wav"]
    assert len(desk.heard["a.wav"]) == 200


def test_a_new_recording_in_the_place_of_an_old_one_is_a_call(desk):
    for name in ("a.wav", "b.wav", "c.wav"):  # file systems give a place to the next at once
        desk.write(name, head() + noise(200).tobytes())
        desk.tick_to_the_end()
        (desk.folder / name).unlink()
    assert desk.ended == ["a.wav", "b.wav", "c.wav"]


def test_a_recording_that_goes_on_after_its_end_is_told_once(desk, caplog):
    desk.write("a.wav", head() + noise(200).tobytes())
    desk.tick_to_the_end()
    for _ in range(2):
        desk.write("a.wav", noise(200).tobytes())
        desk.tick(20)
    assert desk.intake.troubles == {Fate.LATE: 1}
    assert "give its folder a longer quiet_s" in caplog.text
    assert len(desk.heard["a.wav"]) == 100


def test_a_call_without_room_is_left_alone(tmp_path):
    with Desk(tmp_path, n_slots=0) as desk:
        desk.write("a.wav", head() + noise(200).tobytes())
        desk.tick(20)
        desk.write("a.wav", noise(200).tobytes())
        assert desk.tick(20) == 0
        assert len(desk.offers) == 1
        assert desk.intake.troubles == {}


def test_a_forgotten_call_brings_no_more_and_its_slot_never_ends(desk):
    desk.write("a.wav", head() + noise(200).tobytes())
    desk.tick(11)
    (slot,) = desk.open
    desk.intake.forget(slot)
    desk.write("a.wav", noise(200).tobytes())
    assert desk.tick(150) == 0
    assert desk.ended == []


def test_an_empty_recording_is_no_call_yet(desk):
    desk.write("a.wav", b"")
    desk.tick(150)
    desk.write("a.wav", head())
    desk.tick(150)
    assert desk.offers == []
    desk.write("a.wav", noise(200).tobytes())
    desk.tick(11)
    assert len(desk.heard["a.wav"]) == 100
    assert desk.intake.troubles == {}


def test_hidden_files_links_and_other_files_are_left_out(desk, tmp_path_factory):
    other = tmp_path_factory.mktemp("elsewhere") / "a.wav"
    other.write_bytes(head() + noise(200).tobytes())
    for name in (".a.wav", ".b/a.wav", "notes.txt"):
        desk.write(name, head() + noise(200).tobytes())
    (desk.folder / "link.wav").symlink_to(other)
    desk.tick_to_the_end()
    assert desk.offers == []


def test_a_large_folder_is_looked_at_in_parts(tmp_path, monkeypatch):
    monkeypatch.setattr("hackles.capture.watched_folder._MOST_LOOKED_AT", 3)
    with Desk(tmp_path) as desk:
        for number in range(8):
            desk.write(f"{number}.wav", head() + noise(200).tobytes())
        desk.tick(10)
        assert len(desk.offers) == 3
        desk.tick(2)
        assert len(desk.offers) == 8
        desk.tick_to_the_end()
        assert len(desk.ended) == 8


@pytest.mark.parametrize(
    ("folder", "customer", "message"),
    [("none", "left", "none is no folder that can be watched"), ("", "both", "names no channel")],
)
def test_a_folder_that_cannot_be_watched_is_refused(folder, customer, message, tmp_path):
    with pytest.raises(UsageError, match=message):
        Desk(tmp_path / folder, customer)
