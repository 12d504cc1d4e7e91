"""Lines by soundcard: Windows' code, run here on a real sound server; Windows itself is not here.

The sound server, unlike Windows, leads a stream whose device has gone to the microphone, so what
is heard until the list of devices tells is not looked at here.
"""

import sys
import time

import numpy as np
import pytest
import soundfile

from tests.conftest import customer
from tests.listener import likeness, listener
from tests.sound import CUSTOMER, sound_server

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="a sound server is Linux's")

NAME = f"Monitor of {CUSTOMER}_description"


@pytest.fixture
def server(tmp_path_factory):
    with sound_server(tmp_path_factory.mktemp("s")) as server:
        yield server


@pytest.fixture(scope="module")
def voice():
    return customer("en_rising_1")[: 4 * 8000]


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
    assert lost_s < 2.5  # before it was first heard, and nothing later


def test_a_device_that_is_pulled_out_is_missed_and_heard_again_when_it_is_back(
    server, tmp_path, voice, recording
):
    with listener(tmp_path, server.environment, "loopback", NAME) as one:
        for _ in range(2):
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
