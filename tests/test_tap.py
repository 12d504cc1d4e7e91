"""The tap on a real sound server: what it hands over came from the device that was named."""

import os
import subprocess
import sys
import time

import numpy as np
import pytest
import soundfile
import soxr

from hackles.capture.tap import Ear, Tap
from tests.conftest import customer
from tests.program import wait_until
from tests.softphones import likeness, softphones
from tests.sound import AGENT, CUSTOMER, NOBODY, PipeWire, SoundServer, sound_server

SPEECH = 44 * 8000
"""From here on a sample caller speaks."""


@pytest.fixture(params=[SoundServer, PipeWire])
def server(request, tmp_path_factory, monkeypatch):
    """A sound server that this process's libraries find."""
    with sound_server(tmp_path_factory.mktemp("s"), request.param) as server:
        for name, value in server.environment.items():
            if name != "PATH":
                monkeypatch.setenv(name, value)
        yield server


class Listening:
    """A tap on one device, and all that it handed over."""

    def __init__(self, name, is_output=True):
        self.ear = Ear(name, is_output)
        self.tap = Tap([self.ear])
        self.heard = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.tap.close()

    def gather(self):
        self.heard += self.ear.take()
        return self

    def for_s(self, seconds):
        time.sleep(seconds)
        return self.gather()

    def until_more_than(self, seconds):
        """Wait until so many more seconds of sound came."""
        before = self.gather().sound_s
        wait_until(lambda: self.gather().sound_s > before + seconds)
        return self

    @property
    def samples(self):
        return np.concatenate([np.empty(0, np.float32), *[one.samples for one in self.heard]])

    @property
    def sound_s(self):
        return len(self.samples) / 8000

    @property
    def lost_s(self):
        return sum(one.lost_s for one in self.heard)


def spoken(path, call, offset, seconds=40):
    """Write a caller's voice on a direct voltage, which tells for sure whose samples they are."""
    samples = np.resize(customer(call), seconds * 8000)
    soundfile.write(path, 0.3 * samples / np.abs(samples).max() + offset, 8000)
    return path


def alike(heard, said):
    # At a higher rate, because half a sample of delay is not the same sound any more.
    heard, said = (soxr.resample(some, 8000, 32_000) for some in (heard, said))
    return likeness(heard, said, 32_000)


def test_what_is_heard_is_what_was_played(server, tmp_path):
    voice = customer("en_rising_1")[SPEECH : SPEECH + 6 * 8000]
    soundfile.write(tmp_path / "voice.wav", 0.5 * voice / np.abs(voice).max(), 8000)
    with Listening(CUSTOMER) as one:
        before = one.until_more_than(0.2).lost_s
        server.play(CUSTOMER, tmp_path / "voice.wav").wait()
        one.for_s(1.0)
    assert alike(one.samples, voice) >= 0.95
    assert one.lost_s == before  # while it was first looked for, and nothing since


def test_a_telephone_call_is_heard_as_the_customer_sent_it(server, tmp_path):
    voice = customer("en_rising_1")[SPEECH : SPEECH + 8 * 8000]
    soundfile.write(tmp_path / "voice.wav", voice, 8000, subtype="PCM_16")
    with (
        softphones(tmp_path, server, tmp_path / "voice.wav") as phones,
        Listening(CUSTOMER) as one,
    ):
        one.until_more_than(0.2)
        phones.call()
        one.for_s(7.0)
        phones.hang_up()
    assert alike(one.samples, voice) >= 0.95


def test_a_device_can_be_named_as_people_know_it(server):
    with Listening(f"{CUSTOMER}_description") as one:
        one.until_more_than(0.2)


def test_when_the_device_is_pulled_out_not_one_sample_of_the_microphone_is_handed_over(
    server, tmp_path
):
    caller = spoken(tmp_path / "caller.wav", "en_calm_1", 0.5)
    agent = spoken(tmp_path / "agent.wav", "es_rising_1", -0.5)
    server.play(CUSTOMER, caller)
    server.play(AGENT, agent)
    with Listening(CUSTOMER) as one:
        for _ in range(3):
            one.until_more_than(0.5)
            server.unload(CUSTOMER)
            one.for_s(0.7)  # the server leads the stream to the microphone meanwhile
            server.load(CUSTOMER)
            server.play(CUSTOMER, caller)
        one.until_more_than(0.5)
    assert one.samples.max() > 0.3
    assert one.samples.min() > -0.02
    assert one.lost_s > 3 * 0.7


def test_a_stream_that_somebody_leads_to_the_microphone_and_back_is_heard_anew(server, tmp_path):
    server.play(AGENT, spoken(tmp_path / "agent.wav", "es_rising_1", -0.5))
    server.play(CUSTOMER, spoken(tmp_path / "caller.wav", "en_calm_1", 0.5))
    with Listening(CUSTOMER) as one:
        one.until_more_than(0.5)
        for pause_s in (0.0, 0.02, 0.3):
            outputs = server.pactl("list", "short", "source-outputs").splitlines()
            number = outputs[-1].split()[0]
            server.pactl("move-source-output", number, f"{AGENT}.monitor")
            time.sleep(pause_s)
            server.pactl("move-source-output", number, f"{CUSTOMER}.monitor", check=False)
            one.until_more_than(0.5)
    assert one.samples.max() > 0.3
    assert one.samples.min() > -0.02


def test_a_sound_server_that_is_killed_is_missed_and_heard_again_when_it_is_back(server, tmp_path):
    caller = spoken(tmp_path / "caller.wav", "en_calm_1", 0.5)
    agent = spoken(tmp_path / "agent.wav", "es_rising_1", -0.5)
    server.play(CUSTOMER, caller)
    server.play(AGENT, agent)
    with Listening(CUSTOMER) as one:
        one.until_more_than(0.5)
        server.kill()
        one.for_s(0.5)
        # The microphone is there first, as it is after a restart.
        server.start({AGENT: "", NOBODY: ""})
        server.play(AGENT, agent)
        one.for_s(1.0)
        server.load(CUSTOMER)
        server.play(CUSTOMER, caller)
        one.until_more_than(0.5)
    assert one.samples.max() > 0.3
    assert one.samples.min() > -0.02
    assert one.lost_s > 1.5


def test_another_volume_of_the_headset_costs_no_sound(server):
    with Listening(CUSTOMER) as one:
        one.until_more_than(0.5)
        before = one.lost_s
        for volume in ("50%", "100%"):
            server.pactl("set-sink-volume", CUSTOMER, volume)
            one.until_more_than(0.4)
    assert one.lost_s == before


def test_another_volume_of_the_recording_hides_no_way_by_the_microphone(server, tmp_path):
    server.play(AGENT, spoken(tmp_path / "agent.wav", "en_calm_1", 0.6))
    server.play(CUSTOMER, spoken(tmp_path / "customer.wav", "en_rising_1", -0.3))
    with Listening(CUSTOMER) as one:
        one.until_more_than(0.5)
        number = server.pactl("list", "short", "source-outputs").split()[0]
        server.pactl("move-source-output", number, f"{AGENT}.monitor")
        time.sleep(0.1)
        server.pactl("move-source-output", number, f"{CUSTOMER}.monitor")
        server.pactl("set-source-output-volume", number, "90%")
        one.until_more_than(1.0)
    assert one.samples.max() < 0.1


def test_who_mutes_the_recording_is_told_so_until_it_is_unmuted(server):
    with Listening(CUSTOMER) as one:
        one.until_more_than(0.5)
        number = server.pactl("list", "short", "source-outputs").split()[0]
        server.pactl("set-source-output-mute", number, "1")
        wait_until(lambda: "muted" in one.ear.unheard)
        server.pactl("set-source-output-mute", number, "0")
        wait_until(lambda: not one.ear.unheard)
        one.until_more_than(0.5)
    assert one.lost_s > 0.5


_HANG = """\
import os, signal, sys, time
from hackles.capture.tap import Ear, Tap
ear = Ear(sys.argv[1], True)
tap = Tap([ear])
while not ear.is_heard:
    time.sleep(0.1)
os.kill(int(sys.argv[2]), signal.SIGSTOP)
while not ear.unheard:
    time.sleep(0.1)
print(ear.unheard)
tap.close()
"""


def test_a_sound_server_that_hangs_is_told_and_holds_up_nobody_who_wants_to_end(tmp_path_factory):
    with sound_server(tmp_path_factory.mktemp("s")) as server:
        command = [sys.executable, "-c", _HANG, CUSTOMER, str(server._process.pid)]
        done = subprocess.run(
            command, env=os.environ | server.environment, capture_output=True, timeout=60
        )
    assert done.returncode == 0, done.stderr
    assert b"does not answer" in done.stdout


def test_a_device_that_comes_back_at_another_rate_is_heard_as_before(server, tmp_path):
    with Listening(CUSTOMER) as one:
        one.until_more_than(0.5)
        server.unload(CUSTOMER)
        server.load(CUSTOMER, "rate=44100 channels=2")
        one.until_more_than(0.3)
        voice = customer("en_rising_1")[SPEECH : SPEECH + 6 * 8000]
        soundfile.write(tmp_path / "voice.wav", 0.5 * voice / np.abs(voice).max(), 8000)
        server.play(CUSTOMER, tmp_path / "voice.wav").wait()
        one.for_s(1.0)
    assert alike(one.samples, voice) >= 0.95


def test_a_microphone_is_not_taken_for_an_output(server, caplog):
    server.pactl("load-module", "module-remap-source", "source_name=mic", f"master={AGENT}.monitor")
    with Listening("mic") as one:
        one.for_s(0.8)
    assert one.sound_s == 0
    assert "mic is a microphone" in caplog.text
