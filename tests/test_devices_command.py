"""`hackles devices`, the real program beside a real sound server, and without what it needs."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from rich.console import Console

from hackles.capture.sources import Source
from hackles.cli import metering
from tests import program
from tests.conftest import SAMPLES
from tests.desktop_session import need
from tests.program import HACKLES, Terminal, hackles, plain, records, run, started, wait_until
from tests.sound import AGENT, CUSTOMER, NOBODY, sound_server

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="a sound server is Linux's")

MICROPHONE = "headset_mic"
REMAPPED = f"module-remap-source master={AGENT}.monitor source_name={MICROPHONE}"
LONG = "alsa_output.usb-GN_Netcom_A_S_Jabra_EVOLVE_20_MS_0001234567890A-00.iec958-stereo.headset-2"
CALL = SAMPLES / "en_rising_1.wav"


@pytest.fixture(scope="module")
def server():
    """Start a sound server with a microphone and an output of 90 letters."""
    folder = Path(tempfile.mkdtemp(prefix="hk"))
    with sound_server(folder) as running:
        running.pactl("load-module", *REMAPPED.split(), "source_properties=device.description=Mike")
        running.load(LONG)
        yield running
    shutil.rmtree(folder)


@pytest.fixture
def here(server, monkeypatch):
    """Let the program find that server."""
    environment = program.ENVIRONMENT | server.environment
    monkeypatch.setattr(program, "ENVIRONMENT", environment)
    return environment


@pytest.fixture
def playing(server):
    """Play a call into the output with the long name."""
    with server.play(LONG, next(iter(sorted(SAMPLES.glob("*_*.wav"))))) as player:
        wait_until(lambda: "RUNNING" in server.pactl("list", "short", "sinks"))
        yield
        player.kill()


def test_in_a_pipe_it_is_one_table_with_whole_names_and_what_to_do_with_it(here, playing):
    done = hackles("devices")
    assert (done.code, done.err) == (0, "")
    assert plain(done.out) == done.out.split("\n")
    lines = done.out.splitlines()
    assert lines[0].startswith("Outputs")
    assert lines.index(f"  {AGENT}") < lines.index(f"▶ {LONG}") < lines.index(f"  {CUSTOMER}")
    about = lines[lines.index(f"▶ {LONG}") + 1]
    assert "plays: paplay" in about
    assert "likely the customer" in about
    assert " dB " in about
    assert "the system's own" in lines[lines.index(f"  {NOBODY}") + 1]
    assert "silent" in lines[lines.index(f"  {NOBODY}") + 1]
    assert lines.index("Microphones: not opened") < lines.index(f"  {MICROPHONE}")
    assert lines[-1] == f"Listen to it: hackles live --device {LONG}"


def test_a_line_of_json_for_each(here, playing):
    done = hackles("devices", "--format", "jsonl", "--seconds", 0.5)
    assert (done.code, done.err) == (0, "")
    found = {one["name"]: one for one in records(done.out)}
    assert list(found) == [AGENT, LONG, CUSTOMER, NOBODY, MICROPHONE]
    assert [name for name, one in found.items() if one["likely"]] == [LONG]
    assert [name for name, one in found.items() if one["running"]] == [LONG]
    assert found[LONG]["players"] == ["paplay"]
    assert found[LONG]["peak"] > 0
    assert found[MICROPHONE] == {
        "schema": 1,
        "type": "device",
        "name": MICROPHONE,
        "description": "Mike",
        "kind": "microphone",
        "likely": False,
        "default": False,
        "running": False,
        "players": [],
        "peak": None,
    }


@pytest.mark.parametrize("chosen", [(), ("--microphones",)])
def test_microphones_are_opened_only_when_asked(server, here, chosen):
    def opened():
        """Return the sources to which somebody listens."""
        names = dict(
            line.split()[:2] for line in server.pactl("list", "short", "sources").splitlines()
        )
        outputs = server.pactl("list", "short", "source-outputs").splitlines()
        return {names[line.split()[1]] for line in outputs if "float32le" in line}

    monitors = {f"{name}.monitor" for name in (AGENT, CUSTOMER, NOBODY, LONG)}
    with started(HACKLES, "devices", "--seconds", 3, *chosen) as process:
        wait_until(lambda: len(opened()) == 4 + bool(chosen))
        assert opened() == monitors | ({MICROPHONE} if chosen else set())
        done = program.finish(process)
    assert done.code == 0
    assert ("Microphones: not opened\n" in done.out) is (not chosen)


def test_in_a_terminal_it_is_live_until_ctrl_c_and_new_devices_appear(server, here, playing):
    terminal = Terminal("devices")
    terminal.read_until("Ctrl-C ends this.")
    terminal.read_until(" dB")
    server.load("plugged_in")
    terminal.read_until("plugged_in")
    server.unload("plugged_in")
    terminal.press_ctrl_c()
    done = terminal.end()
    assert done.code == 0
    assert plain(done.out)[-2] == f"Listen to it: hackles live --device {LONG}"
    assert f"▶ {LONG}" in [line.strip() for line in plain(done.out)]


def test_seconds_end_it_in_a_terminal_too(here):
    done = Terminal("devices", "--seconds", 0.5).end()
    assert done.code == 0
    assert "Ctrl-C" not in done.out


def test_a_server_that_dies_meanwhile_is_one_sentence(monkeypatch):
    folder = Path(tempfile.mkdtemp(prefix="hk"))
    with sound_server(folder) as server:
        monkeypatch.setattr(program, "ENVIRONMENT", program.ENVIRONMENT | server.environment)
        terminal = Terminal("devices")
        terminal.read_until("Ctrl-C ends this.")
        server.kill()
        done = terminal.end()
    shutil.rmtree(folder)
    assert done.code == 2
    assert plain(done.out)[-2].startswith("hackles: No sound server answers here")


@pytest.mark.parametrize("width", [40, 80, 120])
def test_live_names_are_shown_whole_however_narrow_the_terminal(width, capsys):
    console = Console(width=width, force_terminal=False)
    sources = [
        Source(LONG, "Jabra\x1b[2J Evolve", is_output=True, players=("baresip",)),
        Source("Mikrofon (gębą w dół)", "Mikrofon (gębą w dół)", is_output=False),
    ]
    console.print(metering.view(console, sources, {LONG: -23.4}, "Ctrl-C ends this."))
    shown = capsys.readouterr().out
    lines = shown.splitlines()
    assert all(len(line) <= width for line in lines)
    assert LONG in "".join(line[2:].rstrip() for line in lines)
    assert any(line.startswith(f"▶ {LONG[: width - 3]}") for line in lines)
    assert "-23 dB" in shown
    assert "\x1b" not in shown


def test_where_there_is_no_output_it_says_so(capsys):
    console = Console(width=80)
    metering.printed(console, [], {})
    assert "plug in the headset" in capsys.readouterr().out


WITHOUT = '''
"""hackles on a machine that lacks something."""
import ctypes, ctypes.util, sys

missing = sys.argv.pop(1).split(",")

find_library, library = ctypes.util.find_library, ctypes.CDLL

def found(name):
    return None if name in missing else find_library(name)

class Library(library):
    def __init__(self, name, *more, **others):
        if str(name).split(".")[0] in missing:
            raise OSError(f"{name}: cannot open shared object file: No such file or directory")
        super().__init__(name, *more, **others)

ctypes.util.find_library, ctypes.CDLL = found, Library
sys.modules.update(dict.fromkeys(missing))

from hackles import cli
cli.main()
'''

DESKTOP = "pip install 'hackles[desktop]'"
LACKING = {
    "sounddevice": f"Devices need sounddevice, which is not installed; {DESKTOP}.",
    "pulsectl": f"Devices need pulsectl, which is not installed; {DESKTOP}.",
    "portaudio": "PortAudio is missing; install it: apt install libportaudio2 libasound2-plugins",
    "libpulse": "install libpulse0 (apt install libpulse0).",
}


@pytest.fixture
def without(tmp_path):
    """Return the program on a machine that lacks something."""
    script = tmp_path / "without.py"
    script.write_text(WITHOUT)
    return sys.executable, str(script)


@pytest.mark.parametrize("missing", LACKING)
def test_what_is_missing_is_one_sentence_that_says_how_to_install_it(here, without, missing):
    done = run(*without, missing, "devices", env=here)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("hackles: ")
    assert done.err.count("\n") == 1
    assert LACKING[missing] in done.err


def test_without_alsas_plug_in_or_a_server_it_says_so(here, tmp_path):
    done = hackles("devices", env=here | {"ALSA_PLUGIN_DIR": str(tmp_path)})
    assert (done.code, done.out) == (2, "")
    assert "apt install libasound2-plugins" in done.err
    done = hackles("devices", env=here | {"PULSE_SERVER": f"unix:{tmp_path}/nobody"})
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("hackles: No sound server answers here")


@pytest.mark.parametrize(
    ("library", "package"), [("libportaudio.so.2", "libportaudio2"), ("libpulse.so.0", "libpulse0")]
)
def test_a_library_that_is_really_not_there_is_the_same_sentence(here, library, package):
    """In a namespace of its own, where something else lies in its place."""
    need("unshare", "mount", "ldconfig")
    listed = subprocess.run(["ldconfig", "-p"], capture_output=True, text=True, check=True).stdout
    (path, *_) = [line.split(" => ")[1] for line in listed.splitlines() if library in line]
    hide = f'mount --bind /dev/null "$(realpath {path})" && exec "$@"'
    alone = ("unshare", "--mount", "sh", "-c")
    if run(*alone, hide, "sh", "true").code:
        pytest.skip("nothing can be hidden without being root")
    done = run(*alone, hide, "sh", HACKLES, "devices", env=here)
    assert (done.code, done.out) == (2, "")
    assert done.err.count("\n") == 1
    assert f"apt install {package}" in done.err


def test_without_any_of_it_everything_else_goes_on(without, tmp_path):
    everything = ",".join((*LACKING, "soundcard"))
    settings = tmp_path / "hackles.toml"
    settings.write_text('[compliance]\nnotice = "n"\nbasis = "b"\n[device]\noutput = "headset"\n')
    environment = program.ENVIRONMENT | {"PULSE_SERVER": f"unix:{tmp_path}/nobody"}

    def asked(*arguments):
        return run(*without, everything, *arguments, env=environment)

    assert "Usage" in asked("--help").out
    assert asked("config", "check", settings).code == 0
    assert asked("demo", "--speed", 1000).code == 0
    scored = asked("score", CALL, "--customer", "right", "--format", "jsonl")
    assert (scored.code, scored.err) == (0, "")
    assert asked("doctor").code == 0
    doctor = asked("doctor", "--config", settings)
    assert doctor.code == 1
    assert f"✗ devices: {LACKING['sounddevice']}" in doctor.out.splitlines()
    assert "1 thing will not work" in doctor.out
    assert asked("devices").code == 2
