"""A sound server of a test's own: PulseAudio without a sound card, on sinks that nobody hears."""

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.desktop_session import need
from tests.program import wait_until

CUSTOMER, AGENT, NOBODY = "customer_out", "agent_mic", "quarantine"
"""What the agent's headset plays; a sink whose monitor is the agent's microphone; a spare one."""


class SoundServer:
    """PulseAudio in a folder; it can be killed and started anew, its sinks come and go."""

    PROGRAMS = ("pulseaudio", "pactl", "paplay")

    def __init__(self, folder: Path, rate: int = 16_000) -> None:
        """Start nothing yet.

        Args:
            folder: for its socket and state; the path must be short (a socket's name is).
            rate: of the sinks, in Hz.
        """
        self.folder, self._rate = folder, rate
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "XDG_RUNTIME_DIR": str(folder),
            "PULSE_RUNTIME_PATH": str(folder),
            "PULSE_STATE_PATH": str(folder),
            "PULSE_SERVER": f"unix:{folder}/native",
        }
        self._process: subprocess.Popen | None = None
        self._modules: dict[str, str] = {}
        self._players: list[subprocess.Popen] = []

    def start(self, sinks: Mapping[str, str] | None = None, default: str = AGENT) -> None:
        """Start it, with sinks (name: more arguments), and the microphone as default source."""
        (self.folder / "native").unlink(missing_ok=True)
        self._process = self.run()
        wait_until(lambda: self.pactl("info", check=False) is not None)
        self._modules.clear()
        for name, more in (sinks or {AGENT: "", CUSTOMER: "", NOBODY: ""}).items():
            self.load(name, more)
        # PipeWire's session manager, who keeps these, may not be there yet.
        for kind, name in (("source", f"{default}.monitor"), ("sink", NOBODY)):
            wait_until(lambda: self.pactl(f"set-default-{kind}", name, check=False) is not None)  # noqa: B023

    def run(self) -> subprocess.Popen:
        """Start the process."""
        options = "--daemonize=no --exit-idle-time=-1 --disallow-exit=no --use-pid-file=no"
        options += " --realtime=no --high-priority=no --log-level=error"
        socket = f"module-native-protocol-unix socket={self.folder}/native auth-anonymous=1"
        return subprocess.Popen(
            ["pulseaudio", "-n", *options.split(), "-L", socket],
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def kill(self) -> None:
        """Kill it, as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def load(self, sink: str, more: str = "") -> None:
        """Plug a sink in, with other arguments than usual ("rate=44100 norewinds=0")."""
        chosen = {
            "sink_name": sink,
            "rate": str(self._rate),
            "channels": "1",
            "norewinds": "1",
            "sink_properties": f"device.description={sink}_description",
            **dict(one.split("=", 1) for one in more.split()),
        }
        arguments = [f"{key}={value}" for key, value in chosen.items()]
        self._modules[sink] = self.pactl("load-module", "module-null-sink", *arguments).strip()

    def unload(self, sink: str) -> None:
        """Pull a sink out."""
        self.pactl("unload-module", self._modules.pop(sink))

    def pactl(self, *arguments: str, check: bool = True) -> str | None:
        """Return what pactl says; None if it failed and that is no fault."""
        done = subprocess.run(
            ["pactl", *arguments], env=self.environment, capture_output=True, text=True, timeout=30
        )
        assert not check or done.returncode == 0, done.stderr
        return done.stdout if done.returncode == 0 else None

    def listeners(self, sink: str) -> int:
        """Return how many streams listen to what a sink plays."""
        sources = [line.split() for line in self.pactl("list", "short", "sources").splitlines()]
        numbers = {source[0] for source in sources if source[1] == f"{sink}.monitor"}
        streams = self.pactl("list", "short", "source-outputs").splitlines()
        return sum(stream.split()[1] in numbers for stream in streams)

    def play(self, sink: str, path: Path) -> subprocess.Popen:
        """Begin to play a recording into a sink; the process ends when it was played."""
        player = subprocess.Popen(
            ["paplay", f"--device={sink}", str(path)],
            env=self.environment,
            stderr=subprocess.DEVNULL,  # it complains when its sink is pulled out
        )
        self._players.append(player)
        return player

    def silence(self) -> None:
        """Play nothing any longer."""
        for player in self._players:
            player.kill()
            player.wait()
        self._players.clear()


_PIPEWIRE = """\
pipewire &
until [ -S "$1/pipewire-0" ]; do sleep 0.1; done
wireplumber & pipewire-pulse &
wait
"""


class PipeWire(SoundServer):
    """The same with PipeWire, which most desktops have by now."""

    PROGRAMS = ("pipewire", "pipewire-pulse", "wireplumber", "dbus-run-session", "pactl", "paplay")

    def run(self) -> subprocess.Popen:
        """Start its programs on a session bus of their own."""
        return subprocess.Popen(
            ["dbus-run-session", "--", "sh", "-c", _PIPEWIRE, "sh", str(self.folder)],
            env=self.environment | {"XDG_STATE_HOME": str(self.folder)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def kill(self) -> None:
        """Kill all of them, as a crash would."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None


@contextmanager
def sound_server(
    folder: Path, kind: type[SoundServer] = SoundServer, **chosen: int
) -> Iterator[SoundServer]:
    """Start a sound server with the three sinks; end it afterwards."""
    need(*kind.PROGRAMS)
    server = kind(folder, **chosen)
    try:
        server.start()
        yield server
    finally:
        server.silence()
        server.kill()
