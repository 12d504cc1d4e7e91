"""What of hackles is said to run on Windows asks for nothing that Windows has not.

Not on Windows itself: `tests/windowslike.py` says what it stands for, and what not.
"""

import signal
import sys
from contextlib import contextmanager

import msgspec
import numpy as np
import pytest
import soundfile

from tests.conftest import customer
from tests.events import BRISK_TOML
from tests.listener import need_soundcard
from tests.program import finish, run, started, wait_until
from tests.sound import CUSTOMER, sound_server
from tests.test_daemon import Daemon, answers, free_ports

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="it is Linux that is cut down")

WINDOWSLIKE = (sys.executable, "-m", "tests.windowslike")
SETTINGS = """
[compliance]
notice = "announcement"
basis = "consent"
[control]
listen = "127.0.0.1:{control}"
[output]
jsonl = "-"
[device]
output = "Monitor of {output}_description"
{section}
"""


@contextmanager
def listening(folder, server):
    (control,) = free_ports(1)
    text = SETTINGS.format(control=control, output=CUSTOMER, section="")
    (folder / "hackles.toml").write_text(text + BRISK_TOML)
    environment = [f"{name}={value}" for name, value in server.environment.items()]
    environment.append(f"PYTHONPATH={':'.join(sys.path)}")
    command = [*WINDOWSLIKE, "live", "--config", folder / "hackles.toml"]
    with started("env", *environment, *command) as process:
        running = Daemon(process, folder, 0, 0, control)
        wait_until(lambda: process.poll() is not None or answers(running))
        assert process.poll() is None, process.stderr.read()
        yield running


def test_a_customer_is_warned_of_and_ctrl_c_ends_it_well(tmp_path_factory):
    need_soundcard()
    folder = tmp_path_factory.mktemp("s")
    voice = customer("en_rising_1")[40 * 8000 :]
    soundfile.write(folder / "voice.wav", 0.5 * voice / np.abs(voice).max(), 8000)
    with sound_server(folder) as server, listening(folder, server) as running:
        server.play(CUSTOMER, folder / "voice.wav")
        wait_until(lambda: running.metric("hackles_alerts_total") > 0)
        running.process.send_signal(signal.SIGINT)
        done = finish(running.process)
    told = [msgspec.json.decode(line)["type"] for line in done.out.splitlines()]
    assert done.code == 0, done.err
    assert "alert" in told
    assert told[-1] == "summary"
    assert "Stopped." in done.err


@pytest.mark.parametrize(
    ("section", "told"),
    [
        ('linphone = "/run/linphone"\ncalls = "told"', "[device] linphone"),
        ("[store]", "[store]"),
        ("[engine]\nworkers = 2", "[engine] workers"),
        (
            '[audiosocket]\nlisten = "127.0.0.1:0"\n[[folder]]\npath="."\ncustomer="mono"',
            "[folder]",
        ),
    ],
)
def test_what_does_not_run_there_is_refused_in_a_sentence(tmp_path, section, told):
    text = SETTINGS.format(control=0, output="headset", section=section)
    (tmp_path / "hackles.toml").write_text(text)
    done = run(*WINDOWSLIKE, "live", "--config", tmp_path / "hackles.toml")
    assert done.code == 2
    assert told in done.err
    assert done.err.count("On Windows") == 1
