"""What the doctor says of the devices, beside a real sound server."""

import shutil
import sys
import tempfile
from pathlib import Path

import pytest

from hackles.doctor.devices import devices
from hackles.settings import Compliance, Device, Settings
from tests.sound import AGENT, CUSTOMER, NOBODY, sound_server

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="a sound server is Linux's")

MICROPHONE = "headset_mic"
REMAPPED = f"module-remap-source master={AGENT}.monitor source_name={MICROPHONE}"


@pytest.fixture(scope="module")
def server():
    """Start a sound server with a microphone; this process is its client, too."""
    folder = Path(tempfile.mkdtemp(prefix="hk"))
    with sound_server(folder) as running, pytest.MonkeyPatch.context() as patched:
        running.pactl("load-module", *REMAPPED.split(), "source_properties=device.description=Mike")
        for name, value in running.environment.items():
            patched.setenv(name, value)
        yield running
    shutil.rmtree(folder)


def told(**device):
    """Return what is said of these settings, as lines."""
    settings = Settings(compliance=Compliance(notice="n", basis="b"), device=Device(**device))
    return [f"{one.mark.value} {one.topic}: {one.text}" for one in devices(settings)]


def line(lines, part):
    """Return the one line that has this in it."""
    (found,) = [one for one in lines if part in one]
    return found


def test_without_a_device_nothing_is_said_and_nobody_asked(monkeypatch):
    monkeypatch.setenv("PULSE_SERVER", "unix:/nowhere")
    assert list(devices(Settings(compliance=Compliance(notice="n", basis="b")))) == []


def test_an_output_that_is_here_is_well_and_so_is_the_agents_microphone(server):
    lines = told(output=CUSTOMER.upper(), agent_microphone=MICROPHONE)
    assert line(lines, "answers").startswith("✓ devices: PulseAudio 1")
    assert line(lines, "output") == f"✓ devices: output is {CUSTOMER} ({CUSTOMER}_description)"
    assert line(lines, "agent_microphone") == (
        f"✓ devices: agent_microphone is {MICROPHONE} (Mike)"
    )
    assert len(lines) == 3


def test_what_is_unplugged_is_to_be_looked_at_with_the_names_of_what_is_here(server):
    lines = told(output="jabra", agent_microphone="jabra_mic")
    assert line(lines, "output jabra ") == (
        "! devices: output jabra is not here now; plug it in, or name another "
        f"(there are: {AGENT}, {CUSTOMER}, {NOBODY})"
    )
    assert line(lines, "jabra_mic").endswith(f"(there are: {MICROPHONE})")
    assert line(lines, "jabra_mic").startswith("! ")


def test_a_device_of_the_other_kind_is_a_fault(server):
    assert line(told(output=MICROPHONE), "output:").startswith(
        f"✗ devices: output: {MICROPHONE} is a microphone, and whose voice"
    )
    for key in ("customer_microphone", "agent_microphone"):
        assert line(told(**{key: CUSTOMER}), f"{key}:").startswith(
            f"✗ devices: {key}: {CUSTOMER} is no microphone"
        )


def test_a_customers_microphone_is_told_to_be_named_on_purpose(server):
    lines = told(customer_microphone=MICROPHONE)
    assert line(lines, f"customer_microphone is {MICROPHONE}").startswith("✓ ")
    said = line(lines, "on purpose")
    assert said.startswith("! not guarded: ")
    assert "would be scored as the customer" in said


def test_without_the_agents_microphone_it_says_what_cannot_be_told(server):
    said = line(told(output=CUSTOMER), "talk-over")
    assert said.startswith("! devices: without an agent_microphone")
    assert "loudspeakers" in said


def test_on_other_systems_it_says_that_the_route_is_not_guarded(server, monkeypatch):
    monkeypatch.setattr("hackles.doctor.devices.sys.platform", "darwin")
    lines = told(output="BlackHole 2ch", agent_microphone="pulse")
    assert line(lines, "on trust").startswith("! not guarded: ")
    assert line(lines, "answers").startswith("✓ devices: PortAudio ")
    assert line(lines, "BlackHole").startswith("! ")


def test_a_server_that_does_not_answer_is_a_fault(monkeypatch, tmp_path):
    monkeypatch.setenv("PULSE_SERVER", f"unix:{tmp_path}/nobody")
    assert told(output=CUSTOMER, agent_microphone=MICROPHONE) == [
        "✗ devices: No sound server answers here (PulseAudio, or PipeWire with pipewire-pulse); "
        "run hackles in the desktop session of whoever takes the calls."
    ]
