"""What can be heard: as a real sound server tells it, and which output is likely the customer's."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from hackles.capture.sources import Source, find, is_browser, is_telephone, likely
from hackles.errors import UsageError
from tests.desktop_session import need
from tests.program import wait_until
from tests.sound import AGENT, CUSTOMER, NOBODY, sound_server

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="a sound server is Linux's")

MICROPHONE = "headset_mic"
REMAPPED = f"module-remap-source master={AGENT}.monitor source_name={MICROPHONE}"
LEVEL = 0.3


@pytest.fixture
def server(monkeypatch):
    """Start a sound server with a microphone; this process is its client, too."""
    folder = Path(tempfile.mkdtemp(prefix="hk"))
    with sound_server(folder) as running:
        running.pactl("load-module", *REMAPPED.split(), "source_properties=device.description=Mike")
        for name, value in running.environment.items():
            monkeypatch.setenv(name, value)
        yield running
    shutil.rmtree(folder)


@pytest.fixture
def system(server):
    from hackles.capture.pulse import Pulse

    opened = Pulse()
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """Return ten seconds of a tone, by its highest level."""
    path = tmp_path_factory.mktemp("sound") / "tone.wav"
    samples = LEVEL * np.sin(2 * np.pi * 440 * np.arange(160_000) / 16_000)
    soundfile.write(path, samples, 16_000)
    return path


def named(sources, name):
    """Return the one source of that name."""
    (found,) = [source for source in sources if source.name == name]
    return found


def test_outputs_come_first_by_their_sinks_names_and_microphones_after_them(system):
    sources = system.sources()
    assert [source.name for source in sources] == [AGENT, CUSTOMER, NOBODY, MICROPHONE]
    assert [source.is_output for source in sources] == [True, True, True, False]
    assert named(sources, CUSTOMER).description == f"{CUSTOMER}_description"
    assert named(sources, MICROPHONE).description == "Mike"
    assert [source.name for source in sources if source.is_default] == [NOBODY]
    assert not any(source.is_running or source.players for source in sources)


def test_the_server_says_who_it_is(system):
    assert system.server().startswith("PulseAudio 1")


def test_who_plays_is_told_where_it_plays_and_that_output_is_likely(server, system, sound):
    assert likely(system.sources()).name == NOBODY
    with server.play(CUSTOMER, sound) as player:
        wait_until(lambda: named(system.sources(), CUSTOMER).is_running)
        found = named(system.sources(), CUSTOMER)
        assert (found.players, found.has_telephone) == (("paplay",), False)
        assert likely(system.sources()) == found
        player.kill()
    wait_until(lambda: not named(system.sources(), CUSTOMER).is_running)


def test_a_telephone_goes_before_whatever_else_is_played(server, system, sound):
    for more, player in (
        ("--client-name=ALSA plug-in [baresip]", "baresip"),
        ("--property=media.role=phone", "paplay"),
    ):
        command = ["paplay", f"--device={CUSTOMER}", more, str(sound)]
        with server.play(NOBODY, sound) as other, subprocess.Popen(command) as telephone:
            wait_until(lambda: named(system.sources(), CUSTOMER).is_running)
            wait_until(lambda: named(system.sources(), NOBODY).is_running)
            found = named(system.sources(), CUSTOMER)
            assert (found.players, found.has_telephone) == ((player,), True)
            assert likely(system.sources()) == found
            other.kill()
            telephone.kill()
        wait_until(lambda: not named(system.sources(), CUSTOMER).is_running)


def test_all_outputs_are_metered_at_a_time_each_by_itself(server, system, sound):
    with server.play(CUSTOMER, sound) as player:
        names = [AGENT, CUSTOMER, NOBODY, MICROPHONE]
        wait_until(lambda: system.peaks(names, 0.1)[CUSTOMER] > 0)
        peaks = system.peaks(names, 0.3)
        assert peaks.keys() == set(names)
        assert peaks[CUSTOMER] == pytest.approx(LEVEL, rel=0.1)
        assert [peaks[name] for name in (AGENT, NOBODY, MICROPHONE)] == [0, 0, 0]
        player.kill()


def test_what_vanishes_is_left_out_and_comes_back(server, system, sound):
    assert system.peaks([CUSTOMER, "nobody_knows_it"], 0.1) == {CUSTOMER: 0.0}
    unplugged = threading.Timer(0.1, server.unload, [CUSTOMER])
    unplugged.start()
    wait_until(lambda: system.peaks([AGENT, CUSTOMER], 0.5) == {AGENT: 0.0})
    unplugged.join()
    server.load(CUSTOMER)
    with server.play(CUSTOMER, sound) as player:
        wait_until(lambda: system.peaks([CUSTOMER], 0.1)[CUSTOMER] > 0)
        player.kill()


def test_only_what_is_metered_is_ever_opened_and_what_has_gone_opens_nothing_else(server, system):
    def opened():
        return server.pactl("list", "short", "source-outputs").count("float32le")

    system.peaks([AGENT, CUSTOMER], 0.1)
    assert opened() == 2
    server.unload(CUSTOMER)
    wait_until(lambda: opened() == 1)
    assert system.peaks([CUSTOMER], 0.1) == {}
    wait_until(lambda: opened() == 0)
    assert not named(system.sources(), MICROPHONE).is_running


def test_a_server_that_dies_is_one_sentence_and_can_be_closed(server, system):
    system.peaks([CUSTOMER], 0.1)
    server.kill()
    for asked in (system.sources, system.server, lambda: system.peaks([CUSTOMER], 0.1)):
        with pytest.raises(UsageError, match="No sound server answers here"):
            asked()


SOURCES = st.builds(
    Source,
    name=st.text(min_size=1),
    description=st.text(),
    is_output=st.booleans(),
    is_default=st.booleans(),
    is_running=st.booleans(),
    players=st.lists(st.sampled_from(["baresip", "Firefox", "mpv"]), max_size=2).map(tuple),
    has_telephone=st.booleans(),
)


@given(st.lists(SOURCES))
def test_a_microphone_is_never_likely_and_an_output_always_if_there_is_one(sources):
    found = likely(sources)
    assert (found is None) == (not any(source.is_output for source in sources))
    assert found is None or found.is_output


@given(st.lists(SOURCES, min_size=1), st.randoms())
def test_a_telephone_beats_a_browser_a_browser_any_sound_and_that_the_default(sources, random):
    def output(name, **more):
        return Source(name, "", is_output=True, **more)

    ranks = [
        output("telephone", has_telephone=True),
        output("browser", players=("Google Chrome",), is_running=True),
        output("running", is_running=True, players=("mpv",)),
        output("default", is_default=True),
        output("idle"),
        Source("microphone", "", is_output=False, is_default=True, is_running=True),
    ]
    while len(ranks) > 2:
        shuffled = random.sample(ranks, len(ranks))
        assert likely(shuffled) == ranks.pop(0)


def test_telephones_and_browsers_are_known_by_their_names():
    for name in ("baresip", "linphone", "Zoiper5", "MicroSIP", "Jitsi Meet", "teams-for-linux"):
        assert is_telephone(name), name
    for name in ("Google Chrome", "Chromium", "Firefox", "chromium-browser", "msedge.exe"):
        assert is_browser(name), name
        assert not is_telephone(name), name
    for name in ("paplay", "mpv", "Spotify", "speech-dispatcher", ""):
        assert not is_telephone(name), name
        assert not is_browser(name), name


def test_the_output_that_stands_in_for_none_is_not_likely():
    dummy = Source("auto_null", "Dummy Output", is_output=True, is_default=True, is_running=True)
    assert likely([dummy]) is None
    headset = Source("headset", "", is_output=True)
    assert likely([dummy, headset]) == headset


@given(st.lists(SOURCES), st.booleans())
def test_what_is_found_is_of_the_kind_that_was_meant(sources, is_output):
    for source in sources:
        try:
            found = find(source.name.upper(), sources, is_output)
        except UsageError:
            continue
        assert found is None or found.is_output is is_output


def test_soundcard_lists_and_meters_the_same_outputs(server, sound):
    """As on Windows, where it hears loopbacks; here it speaks to the sound server."""
    code = (
        "from hackles.capture.wasapi import Loopbacks\n"
        "system = Loopbacks()\n"
        "for one in system.sources(): print(one.is_output, one.is_default, one.name, sep='|')\n"
        "name = 'Monitor of customer_out_description'\n"
        "while not (peaks := system.peaks([name, 'nobody'], 0.2))[name]: pass\n"
        "print(list(peaks) == [name], round(system.peaks([name, 'Mike'], 0.5)[name], 1))\n"
    )
    with server.play(CUSTOMER, sound) as player:
        done = subprocess.run(
            [sys.executable, "-c", code, "a name, which soundcard asks for"],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        player.kill()
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        f"True|False|Monitor of {AGENT}_description",
        f"True|False|Monitor of {CUSTOMER}_description",
        f"True|True|Monitor of {NOBODY}_description",
        "False|False|Mike",
        f"True {LEVEL}",
    ]


def test_on_macos_a_virtual_device_counts_as_an_output_and_all_else_as_a_microphone():
    from hackles.capture.virtual_devices import source

    def device(name):
        return {"name": name, "default_samplerate": 44_100.0}

    outputs = ("BlackHole 2ch", "Loopback Audio", "Soundflower (2ch)", "VB-Cable")
    for name in (*outputs, "MacBook Pro Microphone", "Jabra Evolve2 30"):
        found = source(device(name), is_default=False)
        assert (found.is_output, found.sample_rate) == (name in outputs, 44_100)


def test_virtual_devices_are_metered_by_portaudio(server, sound):
    """As on macOS; here its device is whatever the sound server gives it."""
    code = (
        "from hackles.capture.virtual_devices import VirtualDevices\n"
        "system = VirtualDevices()\n"
        "assert 'pulse' in {one.name for one in system.sources()}\n"
        "while not (peaks := system.peaks(['pulse', 'nobody'], 0.2))['pulse']: pass\n"
        "print(list(peaks), round(system.peaks(['pulse'], 0.5)['pulse'], 1), system.server()[:9])\n"
    )
    with server.play(CUSTOMER, sound) as player:
        done = subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | {"PULSE_SOURCE": f"{CUSTOMER}.monitor"},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        player.kill()
    assert (done.stderr, done.stdout) == ("", "['pulse'] 0.3 PortAudio\n")


PIPEWIRE = """\
pipewire &
until [ -S "$1/pipewire-0" ]; do sleep 0.1; done
wireplumber & pipewire-pulse &
until pactl info >/dev/null 2>&1; do sleep 0.1; done
pactl load-module module-null-sink sink_name=customer_out rate=16000 channels=1 >"$1/sink"
pactl load-module module-null-sink sink_name=headset_mic media.class=Audio/Source/Virtual \\
    channel_map=mono
until pactl list short sources | grep headset_mic; do sleep 0.1; done
touch "$1/ready"
wait
"""


@pytest.fixture
def pipewire(monkeypatch):
    """Start PipeWire with an output and a microphone; this process is its client, too."""
    need("pipewire", "pipewire-pulse", "wireplumber", "dbus-run-session", "pactl", "paplay")
    folder = Path(tempfile.mkdtemp(prefix="hk"))
    for name in ("XDG_RUNTIME_DIR", "PULSE_RUNTIME_PATH", "HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(folder))
    monkeypatch.setenv("PULSE_SERVER", f"unix:{folder}/native")
    command = ["dbus-run-session", "--", "sh", "-c", PIPEWIRE, "sh", str(folder)]
    process = subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        wait_until((folder / "ready").exists)
        yield folder
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def test_pipewire_tells_the_same(pipewire, sound):
    from hackles.capture.pulse import Pulse

    with (
        closing(Pulse()) as system,
        subprocess.Popen(["paplay", f"--device={CUSTOMER}", str(sound)]) as player,
    ):
        assert system.server().startswith("PipeWire ")
        wait_until(lambda: CUSTOMER in {source.name for source in system.sources()})
        wait_until(lambda: named(system.sources(), CUSTOMER).is_running)
        found = likely(system.sources())
        assert (found.name, found.is_output, found.players) == (CUSTOMER, True, ("paplay",))
        assert not named(system.sources(), MICROPHONE).is_output
        wait_until(lambda: system.peaks([CUSTOMER], 0.2)[CUSTOMER] == pytest.approx(LEVEL, rel=0.1))
        assert not named(system.sources(), MICROPHONE).is_running
        subprocess.run(["pactl", "unload-module", (pipewire / "sink").read_text().strip()])
        wait_until(lambda: system.peaks([CUSTOMER], 0.2) == {})
        streams = subprocess.run(["pactl", "list", "short", "source-outputs"], capture_output=True)
        assert streams.stdout == b""  # the meter has ended, where others are moved
        player.kill()
