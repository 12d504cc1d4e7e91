"""Lines by soundcard: Windows' code, run here on a real sound server; Windows itself is not here.

The sound server, unlike Windows, leads a stream whose device has gone to the microphone, so what
is heard until the list of devices tells is not looked at here.
"""

import sys
import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile

from hackles.capture import loopback_lines, wasapi
from hackles.capture.loopback_lines import LoopbackLines
from hackles.capture.route import Route
from hackles.errors import AwayError, UsageError
from tests.conftest import customer
from tests.listener import likeness, listener, need_soundcard
from tests.program import wait_until
from tests.sound import CUSTOMER, sound_server

NAME = f"Monitor of {CUSTOMER}_description"


@pytest.fixture
def server(tmp_path_factory):
    if sys.platform != "linux":
        pytest.skip("a sound server is Linux's")
    need_soundcard()
    with sound_server(tmp_path_factory.mktemp("s")) as server:
        yield server


@pytest.fixture(scope="module")
def voice():
    return customer("en_rising_1")[44 * 8000 : 48 * 8000]


@pytest.fixture
def recording(tmp_path, voice):
    soundfile.write(tmp_path / "voice.wav", 0.5 * voice / np.abs(voice).max(), 8000)
    return tmp_path / "voice.wav"


def test_what_is_heard_is_what_was_played(server, tmp_path, voice, recording):
    with listener(tmp_path, server.environment, "loopback", NAME) as one:
        one.until_heard()
        server.play(CUSTOMER, recording).wait()
        time.sleep(1.0)
        heard, lost_s = one.end()
    assert likeness(heard, voice) > 0.95
    assert lost_s == 0


def test_a_device_that_is_pulled_out_is_missed_and_heard_again_when_it_is_back(
    server, tmp_path, voice, recording
):
    with listener(tmp_path, server.environment, "loopback", NAME) as one:
        one.until_heard()
        server.unload(CUSTOMER)
        one.until("is not heard")
        server.load(CUSTOMER)
        one.until_heard()
        server.play(CUSTOMER, recording).wait()
        time.sleep(1.0)
        heard, lost_s = one.end()
    assert likeness(heard[-6 * 8000 :], voice) > 0.95
    assert lost_s > 0.5


def test_a_device_that_is_not_there_is_waited_for(server, tmp_path):
    server.unload(CUSTOMER)
    with listener(tmp_path, server.environment, "loopback", NAME) as one:
        one.until(f"There is no device {NAME} now.")
        server.load(CUSTOMER)
        one.until_heard()


def test_a_microphone_is_not_taken_for_an_output(server, tmp_path):
    server.pactl(
        "load-module",
        "module-remap-source",
        "source_name=mic",
        f"master={CUSTOMER}.monitor",
        "source_properties=device.description=Mike",
    )
    with listener(tmp_path, server.environment, "loopback", "Mike") as one:
        one.until("Mike is a microphone")
    with listener(tmp_path, server.environment, "loopback", "Mike", "microphone") as one:
        one.until_heard()


class Device:
    """A device as soundcard's code for Windows shows it, which fails when it is told to."""

    def __init__(self, name, number, isloopback=True):
        self.name, self.id, self.isloopback = name, f"{{0.0.0.00000000}}.{{{number}}}", isloopback
        self.fault = threading.Event()
        self.opened = 0
        self.pause_s = 0.08

    def recorder(self, **_):
        if self.fault.is_set():
            raise RuntimeError("Error 0x88890004")  # AUDCLNT_E_DEVICE_INVALIDATED
        self.opened += 1
        return self

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.fault.is_set():
            raise RuntimeError("Error 0x88890004")

    def record(self, n_samples):
        if self.fault.wait(self.pause_s):
            raise RuntimeError("Error 0x88890004")
        return np.stack([np.full(n_samples, 0.5, np.float32), np.zeros(n_samples, np.float32)], 1)


class Windows:
    """As much of soundcard as is asked for."""

    def __init__(self, *devices):
        self.devices = list(devices)
        self.default_speaker = self.default_microphone = lambda: SimpleNamespace(name="none")

    def all_microphones(self, include_loopback):
        assert include_loopback
        if not self.devices:
            raise RuntimeError("Error 0x80070015")
        return list(self.devices)


@pytest.fixture
def headset():
    return Device("Headset", 1)


@pytest.fixture
def lines(monkeypatch, headset):
    found = Windows(headset, Device("Headset", 2, isloopback=False), Device("Twin", 3))
    found.devices.append(Device("Twin", 4))
    monkeypatch.setattr(wasapi, "soundcard", lambda: found)
    monkeypatch.setattr(loopback_lines, "_LISTED_S", 0.0)
    opened = LoopbackLines()
    opened.windows = found
    return opened


def test_both_channels_are_heard_as_one(lines):
    line = lines.open("headset", is_output=True)
    pieces = []
    wait_until(lambda: pieces.extend(line.take()) or len(pieces) > 1)
    assert line.check() is Route.RIGHT
    line.close()
    assert all(piece.duration_s == 0.08 and np.all(piece.samples == 0.25) for piece in pieces)


def test_a_stream_that_fails_is_on_no_route_any_more(lines, headset):
    line = lines.open("Headset", is_output=True)
    assert line.check() is Route.RIGHT
    headset.fault.set()
    wait_until(lambda: line.check() is Route.WRONG)
    line.close()
    with pytest.raises(AwayError, match="Headset cannot be opened"):
        lines.open("Headset", is_output=True)


def test_a_device_that_is_listed_no_more_is_on_no_route_though_its_stream_lives(lines, headset):
    line = lines.open("Headset", is_output=True)
    lines.windows.devices.remove(headset)
    assert line.check() is Route.WRONG
    line.close()
    with pytest.raises(UsageError, match="Headset is a microphone"):
        lines.open("Headset", is_output=True)


def test_a_sound_service_that_ends_is_away(lines):
    line = lines.open("Headset", is_output=True)
    lines.windows.devices.clear()
    with pytest.raises(AwayError, match="does not answer"):
        line.check()
    line.close()


def test_a_machine_that_has_slept_hears_anew_and_no_silence_that_was_made_up(
    lines, headset, monkeypatch
):
    monkeypatch.setattr(loopback_lines, "_SLEPT_S", 0.2)
    headset.pause_s = 0.3
    line = lines.open("Headset", is_output=True)
    wait_until(lambda: line.check() is Route.WRONG)
    assert line.take() == []


def test_of_two_that_are_called_the_same_each_has_a_name(lines):
    with pytest.raises(UsageError, match="Several devices are called Twin"):
        lines.open("Twin", is_output=True)
    lines.open("{0.0.0.00000000}.{4}", is_output=True).close()
    assert [device.opened for device in lines.windows.devices] == [0, 0, 0, 1]
