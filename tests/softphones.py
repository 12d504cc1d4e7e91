"""Real telephone calls on one machine: two baresips (an agent's, a customer's), and sipp.

The agent's baresip plays into the sink `customer_out` of a test's sound server and takes the
monitor of `agent_mic` for its microphone; the customer's one plays a recording, as G.711.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.desktop_session import need
from tests.program import wait_until
from tests.sound import AGENT, CUSTOMER, SoundServer

_MODULES = Path("/usr/lib/baresip/modules")

_CONFIG = """\
module_path {modules}
module g711.so
module alsa.so
module aufile.so
module aubridge.so
module_app account.so
module_app menu.so
module_app ctrl_tcp.so
module cons.so
net_interface 127.0.0.1
sip_listen 127.0.0.1:{sip}
ctrl_tcp_listen 127.0.0.1:{ctrl}
cons_listen 127.0.0.1:{cons}
audio_player {player}
audio_source {source}
"""

_ACCOUNT = "<sip:{user}@127.0.0.1:{sip}>;regint=0;answermode={answers};audio_codecs=PCMU/8000/1\n"


def free_ports(count: int) -> list[int]:
    """Return ports of the loopback that nobody has now, neither for TCP nor for UDP."""
    found: list[int] = []
    with ExitStack() as stack:
        while len(found) < count:
            tcp = stack.enter_context(socket.socket())
            udp = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            tcp.bind(("127.0.0.1", 0))
            with suppress(OSError):
                udp.bind(tcp.getsockname())
                found.append(tcp.getsockname()[1])
    return found


class Baresip:
    """A baresip, on ports of its own; it can be killed and started again."""

    def __init__(
        self,
        folder: Path,
        user: str,
        *,
        player: str = "aubridge,ear",
        source: str = "aubridge,mouth",
        environment: dict[str, str] | None = None,
        answers: str = "auto",
    ) -> None:
        """Write its settings, and start nothing yet.

        Args:
            folder: for its settings.
            user: who has it, as the other side sees it.
            player: what it plays into; `source`: what it takes for its microphone.
            environment: what it needs to reach a sound server.
            answers: "auto" or "manual".
        """
        need("baresip")
        folder.mkdir()
        self.folder, self._user, self._answers = folder, user, answers
        self._sound = {"player": player, "source": source}
        self._environment = {"PATH": os.environ["PATH"], "HOME": str(folder)} | (environment or {})
        self._process: subprocess.Popen | None = None
        self._has_run = False
        self._choose_ports()

    def _choose_ports(self) -> None:
        sip, self._cons, self.ctrl = free_ports(3)
        self.uri = f"sip:{self._user}@127.0.0.1:{sip}"
        ports = {"sip": sip, "ctrl": self.ctrl, "cons": self._cons}
        text = _CONFIG.format(modules=_MODULES, **ports, **self._sound)
        (self.folder / "config").write_text(text)
        account = _ACCOUNT.format(user=self._user, sip=sip, answers=self._answers)
        (self.folder / "accounts").write_text(account)

    def start(self) -> None:
        """Start it; if somebody was faster and has one of its ports, on others."""
        for _ in range(5):
            self._spawn()
            wait_until(lambda: self._listens() or self._process.poll() is not None)
            if self._process.poll() is None:
                self._has_run = True
                return
            if not self._has_run:
                self._choose_ports()
        raise AssertionError((self.folder / "log").read_text(errors="replace"))

    def _spawn(self) -> None:
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                ["baresip", "-f", str(self.folder)],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def kill(self) -> None:
        """Kill it, as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def type(self, command: str) -> None:
        """Type a command ("/accept"), whoever else has its ctrl_tcp."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as console:
            console.sendto(f"{command}\n".encode(), ("127.0.0.1", self._cons))

    def says(self, text: str) -> bool:
        """Return whether it has told people that."""
        return text in (self.folder / "log").read_text(errors="replace")

    def _listens(self) -> bool:
        # Not by connecting: it serves one at a time, and that is not for us.
        ports = Path("/proc/net/tcp").read_text().split()
        return f"0100007F:{self._cons:04X}" in ports and f"0100007F:{self.ctrl:04X}" in ports


class Control:
    """A connection to a baresip's ctrl_tcp."""

    def __init__(self, phone: Baresip) -> None:
        """Connect."""
        self._socket = socket.create_connection(("127.0.0.1", phone.ctrl), timeout=30)
        self._read = self._socket.makefile("rb")

    def send(self, command: str, params: str | None = None) -> None:
        """Give a command."""
        said = {"command": command} | ({} if params is None else {"params": params})
        text = json.dumps(said).encode()
        self._socket.sendall(b"%d:%s," % (len(text), text))

    def wait_for(self, event: str) -> dict:
        """Return the next event of that kind."""
        while True:
            digits = b""
            while (one := self._read.read(1)) != b":":
                assert one, "baresip hung up"
                digits += one
            message = json.loads(self._read.read(int(digits)))
            assert self._read.read(1) == b","
            if message.get("type") == event:
                return message

    def close(self) -> None:
        """Hang up on it."""
        self._read.close()
        self._socket.close()


class Softphones:
    """An agent's baresip and a customer's one."""

    def __init__(self, agent: Baresip, customer: Baresip) -> None:
        """Start both."""
        self.agent, self.customer = agent, customer
        agent.start()
        customer.start()
        self._control = Control(customer)

    @property
    def agent_ctrl(self) -> str:
        """Where the agent's ctrl_tcp listens, for the settings."""
        return f"127.0.0.1:{self.agent.ctrl}"

    def dial(self, uri: str = "") -> None:
        """Let the customer call the agent, or somebody else."""
        self._control.send("dial", uri or self.agent.uri)

    def call(self) -> str:
        """Let the customer call the agent, who answers; return the call's id."""
        self.dial()
        return self.wait_for("CALL_ESTABLISHED")

    def wait_for(self, event: str) -> str:
        """Return of which call the customer's telephone tells that next."""
        return self._control.wait_for(event)["id"]

    def hang_up(self) -> str:
        """Let the customer hang up; return the id of the call that is over."""
        self._control.send("hangup")
        return self.wait_for("CALL_CLOSED")

    def close(self) -> None:
        """Let go of the customer's telephone."""
        self._control.close()


@contextmanager
def softphones(
    folder: Path, sound: SoundServer | None = None, wav: Path | None = None, answers: str = "auto"
) -> Iterator[Softphones]:
    """Start an agent's telephone and a customer's one, and end them however they stand.

    Args:
        folder: for their settings.
        sound: the server on which the agent hears and speaks; None for nowhere.
        wav: what the customer says, at 8 kHz, mono; None for nothing.
        answers: whether the agent's telephone answers by itself: "auto" or "manual".
    """
    ears: dict = {"answers": answers}
    if sound is not None:
        at = {"PULSE_SINK": CUSTOMER, "PULSE_SOURCE": f"{AGENT}.monitor"}
        ears |= {"player": "alsa,pulse", "source": "alsa,pulse"}
        ears["environment"] = sound.environment | at
    mouth = {} if wav is None else {"source": f"aufile,{wav}"}
    with ExitStack() as stack:
        agent = Baresip(folder / "agent", "agent", **ears)
        stack.callback(agent.kill)
        caller = Baresip(folder / "customer", "+4915112345", **mouth)
        stack.callback(caller.kill)
        phones = Softphones(agent, caller)
        stack.callback(phones.close)
        yield phones


_LINPHONE = """\
[sip]
auto_net_state_mon=0
guess_hostname=0
contact=sip:agent@127.0.0.1:{sip}
sip_port={sip}
sip_tcp_port=0
sip_tls_port=0
bind_address=127.0.0.1
use_ipv6=0
[sound]
echocancellation=0
"""


class Linphone:
    """A linphone-daemon that takes every call."""

    def __init__(self, folder: Path) -> None:
        """Write its settings, and start nothing yet."""
        if shutil.which("linphone-daemon") is None:  # 78 MB for one test: not even the gate has it
            pytest.skip("not installed: linphone-daemon (apt install linphone-cli)")
        (folder / ".local" / "share" / "linphone").mkdir(parents=True)
        (sip,) = free_ports(1)
        (folder / "settings").write_text(_LINPHONE.format(sip=sip))
        self.folder, self.uri = folder, f"sip:agent@127.0.0.1:{sip}"
        self._name = f"hackles-test-{os.getpid()}-{sip}"
        self.pipe = f"/tmp/{self._name}"
        self._process: subprocess.Popen | None = None

    def start(self) -> None:
        """Start it."""
        options = ["--pipe", self._name, "--config", str(self.folder / "settings")]
        self._process = subprocess.Popen(
            ["linphone-daemon", *options, "--auto-answer"],
            env={"PATH": os.environ["PATH"], "HOME": str(self.folder)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_until(lambda: "Version" in self.type("version"))

    def kill(self) -> None:
        """Kill it, as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
        Path(self.pipe).unlink(missing_ok=True)

    def type(self, command: str) -> str:
        """Return what it answers to a command; it serves one program at a time, perhaps another."""
        answer = b""
        while not answer:
            with socket.socket(socket.AF_UNIX) as pipe, suppress(OSError):
                pipe.connect(self.pipe)
                pipe.sendall(command.encode())
                answer = pipe.recv(65536)
            time.sleep(0.0 if answer else 0.02)
        return answer.decode()


_SCENARIO = """\
<?xml version="1.0" encoding="ISO-8859-1" ?>
<scenario name="a customer who speaks">
  <send retrans="500"><![CDATA[
INVITE sip:[service]@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:{user}@[local_ip]:[local_port]>;tag=[pid]sipp[call_number]
To: <sip:[service]@[remote_ip]:[remote_port]>
Call-ID: [call_id]
CSeq: 1 INVITE
Contact: sip:{user}@[local_ip]:[local_port]
Max-Forwards: 70
Content-Type: application/sdp
Content-Length: [len]

v=0
o=- 1 1 IN IP[local_ip_type] [local_ip]
s=-
c=IN IP[media_ip_type] [media_ip]
t=0 0
m=audio [auto_media_port] RTP/AVP 0
a=rtpmap:0 PCMU/8000
]]></send>
  <recv response="100" optional="true"/>
  <recv response="180" optional="true"/>
  <recv response="183" optional="true"/>
  <recv response="200" rrs="true"/>
  <send><![CDATA[
ACK [next_url] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:{user}@[local_ip]:[local_port]>;tag=[pid]sipp[call_number]
To: <sip:[service]@[remote_ip]:[remote_port]>[peer_tag_param]
Call-ID: [call_id]
CSeq: 1 ACK
Max-Forwards: 70
Content-Length: 0
]]></send>
  <nop><action><exec rtp_stream="{speech},1,0,PCMU/8000"/></action></nop>
  <pause milliseconds="{milliseconds}"/>
  <send retrans="500"><![CDATA[
BYE [next_url] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:{user}@[local_ip]:[local_port]>;tag=[pid]sipp[call_number]
To: <sip:[service]@[remote_ip]:[remote_port]>[peer_tag_param]
Call-ID: [call_id]
CSeq: 2 BYE
Max-Forwards: 70
Content-Length: 0
]]></send>
  <recv response="200"/>
</scenario>
"""


@contextmanager
def sipp_call(
    folder: Path, agent: Baresip, samples: np.ndarray, seconds: float, user: str = "+4930999"
) -> Iterator[subprocess.Popen]:
    """Let sipp call an agent, speak, and hang up; it ends with 0 if the call went well.

    Args:
        folder: for what it says and how.
        agent: whom it calls.
        samples: what it says, at 8 kHz.
        seconds: after so many it hangs up.
        user: who calls.
    """
    need("sipp")
    speech, scenario = folder / "sipp.ul", folder / "sipp.xml"
    soundfile.write(speech, samples, 8000, format="RAW", subtype="ULAW")
    values = {"user": user, "speech": speech, "milliseconds": round(1000 * seconds)}
    scenario.write_text(_SCENARIO.format(**values))
    called = agent.uri.removeprefix("sip:")
    service, _, host = called.partition("@")
    sip, media = free_ports(2)
    options = f"-s {service} -i 127.0.0.1 -p {sip} -mi 127.0.0.1 -mp {media} -m 1 -nostdin"
    process = subprocess.Popen(
        ["sipp", host, "-sf", str(scenario), *options.split()],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
        process.wait()


def recorded(sound: SoundServer, seconds: float, sink: str = CUSTOMER) -> np.ndarray:
    """Return what a sink plays during the next seconds, at the sink's own 16 kHz."""
    need("parec")
    asked = f"--device={sink}.monitor --rate=16000 --channels=1 --format=s16le --raw"
    command = ["parec", *asked.split()]
    with subprocess.Popen(command, env=sound.environment, stdout=subprocess.PIPE) as process:
        heard = process.stdout.read(2 * round(16_000 * seconds))
        process.kill()
    return np.frombuffer(heard, "<i2") / 32768


def likeness(heard: np.ndarray, said: np.ndarray, rate: int) -> float:
    """Return how alike what was heard is to what was said, at its best delay: 1 is the same.

    It is the median of the correlations of all seconds in which there is sound: a packet that
    comes late shifts what comes after it. Both have the same rate, best the sink's own: half a
    sample of delay at 8 kHz is not the same sound any more.
    """
    found = []
    for at in range(0, len(heard) - rate + 1, rate):
        piece = heard[at : at + rate]
        if piece.std() > 0.01:
            found.append(_correlation(piece, said))
    return float(np.median(found)) if found else 0.0


def _correlation(piece: np.ndarray, said: np.ndarray) -> float:
    size = 1 << (len(said) + len(piece)).bit_length()
    product = np.fft.rfft(said, size) * np.conj(np.fft.rfft(piece, size))
    dots = np.fft.irfft(product, size)[: len(said) - len(piece) + 1]
    energy = np.cumsum(np.r_[0.0, said**2])
    norms = np.sqrt((energy[len(piece) :] - energy[: -len(piece)]) * np.sum(piece**2))
    return float(np.max(dots / np.maximum(norms, 0.01 * np.max(norms) + 1e-9)))
