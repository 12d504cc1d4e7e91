"""Lines by PortAudio to named devices: macOS' code, run here on ALSA; macOS itself is not here.

A device of ALSA's that leads to the sound server stands for the virtual device.
"""

import sys
import time

import numpy as np
import pytest
import soundfile

from tests.conftest import customer
from tests.listener import likeness, listener
from tests.sound import CUSTOMER, sound_server

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="ALSA is Linux's")

NAME = "blackhole 2ch"
ALSA = f"""
pcm."{NAME}" {{
    type pulse
    device "{CUSTOMER}.monitor"
    fallback ""
    hint {{ show on }}
}}
"""


@pytest.fixture
def server(tmp_path_factory):
    with sound_server(tmp_path_factory.mktemp("s")) as server:
        (server.folder / ".asoundrc").write_text(ALSA)
        server.environment["ALSA_CONFIG_PATH"] = "/usr/share/alsa/alsa.conf"  # which reads that
        yield server


@pytest.fixture(scope="module")
def voice():
    return customer("en_rising_1")[44 * 8000 : 48 * 8000]


@pytest.fixture
def recording(tmp_path, voice):
    soundfile.write(tmp_path / "voice.wav", 0.5 * voice / np.abs(voice).max(), 8000)
    return tmp_path / "voice.wav"


def test_what_is_heard_is_what_was_played(server, tmp_path, voice, recording):
    with listener(tmp_path, server.environment, "virtual", NAME) as one:
        one.until_heard()
        server.play(CUSTOMER, recording).wait()
        time.sleep(1.0)
        heard, lost_s = one.end()
    assert likeness(heard, voice) > 0.95
    assert lost_s == 0


def test_a_sound_system_that_ends_is_missed_and_heard_again_when_it_is_back(
    server, tmp_path, voice, recording
):
    with listener(tmp_path, server.environment, "virtual", NAME) as one:
        one.until_heard()
        server.kill()
        one.until("is not heard")
        one.until("There is no device")
        server.start()
        one.until_heard()
        server.play(CUSTOMER, recording).wait()
        time.sleep(1.0)
        heard, lost_s = one.end()
    assert likeness(heard[-6 * 8000 :], voice) > 0.95
    assert lost_s > 0.5


def test_a_device_that_gives_nothing_has_gone(server, tmp_path):
    with listener(tmp_path, server.environment, "virtual", NAME) as one:
        one.until_heard()
        server.pactl("suspend-sink", CUSTOMER, "1")
        one.until("is not heard")
        server.pactl("suspend-sink", CUSTOMER, "0")
        one.until_heard()


def test_a_device_that_is_no_virtual_one_is_a_microphone(server, tmp_path):
    with listener(tmp_path, server.environment, "virtual", "pulse") as one:
        one.until("pulse is a microphone")
    with listener(tmp_path, server.environment, "virtual", "pulse", "microphone") as one:
        one.until_heard()
