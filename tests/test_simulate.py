"""The call simulator, heard by servers that know nothing of it but the protocols' documents."""

import base64
import hashlib
import json
import re
import shutil
import socket
import socketserver
import ssl
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from hackles.capture.files import Channels, parse_channels
from hackles.capture.g711 import Encoding, decode
from hackles.errors import UsageError
from hackles.simulator import websocket
from hackles.simulator.calls import Coding, plan, written
from hackles.simulator.run import simulate
from hackles.simulator.target import Order, parse_target
from tests.program import finish, plain, started, wait_until

PATIENCE_S = 60
EVERY_16_BITS = np.arange(-32768, 32768, dtype=np.int16)
EVERY_CODE = np.arange(256, dtype=np.uint8)
MASKED = 0x80


class Heard(socketserver.BaseRequestHandler):
    """One connection of a server: all its bytes, and what is said of them."""

    def handle(self) -> None:
        self.request.settimeout(PATIENCE_S)
        self.hear()

    def hear(self) -> None:
        data = bytearray()
        while piece := self.request.recv(65536):
            data += piece
            if self.server.leave_after and len(data) > self.server.leave_after:
                return
        self.server.heard.append(bytes(data))


class HeardWeb(Heard):
    """A WebSocket server, as RFC 6455 has it."""

    def hear(self) -> None:
        file = self.request.makefile("rb")
        head = b"".join(iter(file.readline, b"\r\n")).decode()
        if self.server.refuse:
            self.request.sendall(b"HTTP/1.1 403 Forbidden\r\n\r\n")
            return
        key = re.search("Sec-WebSocket-Key: (.*)\r\n", head)[1]
        accept = hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()
        self.request.sendall(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + base64.b64encode(accept) + b"\r\n\r\n\x89\x02hi"
        )
        frames = list(read_frames(file))
        self.request.sendall(b"\x88\x02\x03\xe8")
        self.server.heard.append((head, frames))


def read_frames(file) -> Iterator[tuple[int, bytes]]:
    """Yield opcode and payload of each frame, up to the one that closes."""
    opcode = 0
    while opcode != 8:
        first, second = file.read(2)
        assert first & 0x80, "frames are whole"
        assert second & MASKED, "a client masks"
        length = second & 0x7F
        if length > 125:
            length = int.from_bytes(file.read(2 if length == 126 else 8))
        mask = file.read(4)
        opcode = first & 15
        yield opcode, bytes(b ^ mask[i % 4] for i, b in enumerate(file.read(length)))


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = False
    request_queue_size = 200

    def __init__(self, connection: type, leave_after: int = 0, refuse: bool = False) -> None:
        super().__init__(("127.0.0.1", 0), connection)
        self.leave_after, self.refuse = leave_after, refuse
        self.heard: list = []

    @property
    def port(self) -> int:
        return self.server_address[1]


@contextmanager
def serving(server) -> Iterator:
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def messages(data: bytes) -> list[tuple[int, bytes]]:
    """Return kind and payload of each AudioSocket message."""
    found, at = [], 0
    while at < len(data):
        kind, length = struct.unpack_from(">BH", data, at)
        found.append((kind, data[at + 3 : at + 3 + length]))
        at += 3 + length
    return found


def noise(n_samples: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(-32768, 32768, n_samples).astype(np.int16)


def recording(path: Path, samples: np.ndarray, **options: str) -> str:
    """Write a recording with silence on the left and the samples on the right."""
    soundfile.write(path, np.stack([0 * samples, samples], axis=1), 8000, **options)
    return str(path)


def order(*paths: str, to: str, **options) -> Order:
    given = {"channels": parse_channels("right", None), "speed": 50.0} | options
    return Order(paths=paths, target=parse_target(to), **given)


def run(wanted: Order, capsys, code: int = 0) -> tuple[list[dict], str]:
    """Simulate; return the lines of standard output, and standard error."""
    assert simulate(wanted, jsonl=True) == code
    out, err = capsys.readouterr()
    return [json.loads(line) for line in out.splitlines()], err


def test_audiosocket_sends_exactly_the_samples_of_a_16_bit_recording(tmp_path, capsys):
    samples = noise(1777)
    path = recording(tmp_path / "a.wav", samples)
    with serving(Server(Heard)) as server:
        (shown,), _ = run(order(path, to=f"audiosocket://127.0.0.1:{server.port}"), capsys)
    (kind, name), *audio, end = messages(server.heard[0])
    assert (kind, end) == (0x01, (0x00, b""))
    assert name.hex() == shown["call"].replace("-", "")
    assert {kind for kind, _ in audio} == {0x10}
    assert [len(payload) for _, payload in audio] == [320] * 11 + [2 * (1777 - 11 * 160)]
    heard = np.frombuffer(b"".join(payload for _, payload in audio), "<i2")
    np.testing.assert_array_equal(heard, samples)


@pytest.mark.parametrize("subtype", ["ULAW", "ALAW"])
def test_audiosocket_sends_exactly_the_samples_of_a_g711_recording(subtype, tmp_path, capsys):
    path = recording(tmp_path / "a.wav", noise(800), subtype=subtype)
    with serving(Server(Heard)) as server:
        run(order(path, to=f"audiosocket://127.0.0.1:{server.port}"), capsys)
    audio = b"".join(payload for kind, payload in messages(server.heard[0]) if kind == 0x10)
    expected, _ = soundfile.read(path, dtype="int16")
    np.testing.assert_array_equal(np.frombuffer(audio, "<i2"), expected[:, 1])


@pytest.mark.parametrize(("kind", "code", "times"), [("slin16", 0x12, 2), ("slin48", 0x16, 6)])
def test_a_higher_rate_is_sent_as_its_own_kind(kind, code, times, tmp_path, capsys):
    path = recording(tmp_path / "a.wav", noise(320))
    with serving(Server(Heard)) as server:
        to = f"audiosocket://127.0.0.1:{server.port}"
        run(order(path, to=to, kind=kind), capsys)
    assert [(k, len(p)) for k, p in messages(server.heard[0])[1:-1]] == [(code, 320 * times)] * 2


def test_every_mu_law_code_is_sent_as_it_was():
    samples = decode(EVERY_CODE, Encoding.MU_LAW)
    sent = np.frombuffer(written(samples, Coding.ULAW, 8000), np.uint8)
    np.testing.assert_array_equal(decode(sent, Encoding.MU_LAW), samples)


def test_every_16_bit_value_is_sent_as_itself_or_as_its_nearest_mu_law_code():
    samples = EVERY_16_BITS / np.float32(32768)
    linear = np.frombuffer(written(samples, Coding.SLIN, 8000), "<i2")
    np.testing.assert_array_equal(linear, EVERY_16_BITS)
    codes = np.frombuffer(written(samples, Coding.ULAW, 8000), np.uint8)
    table = decode(EVERY_CODE, Encoding.MU_LAW)
    least = np.abs(samples[::7, None] - table).min(axis=1)
    np.testing.assert_array_equal(np.abs(table[codes][::7] - samples[::7]), least)


def conversation(server: Server) -> tuple[str, list[dict]]:
    """Return the head of the request, and the JSON messages of the only call."""
    ((head, frames),) = server.heard
    pong, *rest, close = sorted(frames, key=lambda frame: frame[0] != 10)
    assert pong == (10, b"hi")
    assert close == (8, b"\x03\xe8")
    assert {opcode for opcode, _ in rest} <= {1}
    return head, [json.loads(payload) for _, payload in rest]


def media_call(dialect: str, tmp_path: Path, capsys, **options) -> tuple[str, list[dict]]:
    """Play 500 samples of every mu-law code and return what was said."""
    codes = np.resize(EVERY_CODE, 500)
    samples = np.rint(decode(codes, Encoding.MU_LAW) * 32768).astype(np.int16)
    path = recording(tmp_path / "a.wav", samples)
    with serving(Server(HeardWeb)) as server:
        to = f"ws://127.0.0.1:{server.port}/media?x=1"
        (shown,), _ = run(order(path, to=to, dialect=dialect, **options), capsys)
    head, said = conversation(server)
    assert head.startswith("GET /media?x=1 HTTP/1.1\r\n")
    return shown["call"], said


def sound(said: list[dict], of=lambda message: message["media"]["payload"]) -> bytes:
    events = [m for m in said if m.get("event", m.get("eventType")) == "media"]
    return b"".join(base64.b64decode(of(message), validate=True) for message in events)


def expected_sound() -> np.ndarray:
    return decode(np.resize(EVERY_CODE, 500), Encoding.MU_LAW)


def assert_mu_law(data: bytes) -> None:
    heard = decode(np.frombuffer(data, np.uint8), Encoding.MU_LAW)
    np.testing.assert_array_equal(heard, expected_sound())


def assert_linear(data: bytes) -> None:
    heard = np.frombuffer(data, "<i2") / np.float32(32768)
    np.testing.assert_array_equal(heard, expected_sound())


def test_twilio_begins_counts_and_stops_as_it_documents(tmp_path, capsys):
    call, (connected, start, *media, stop) = media_call("twilio", tmp_path, capsys, token="s3")
    sid = start["streamSid"]
    assert connected == {"event": "connected", "protocol": "Call", "version": "1.0.0"}
    assert re.fullmatch("CA[0-9a-f]{32}", call)
    assert (start["event"], start["sequenceNumber"]) == ("start", "1")
    assert start["start"]["callSid"] == call
    assert start["start"]["streamSid"] == sid
    assert start["start"]["tracks"] == ["inbound"]
    assert start["start"]["customParameters"] == {"token": "s3"}
    form = {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1}
    assert start["start"]["mediaFormat"] == form
    assert [m["sequenceNumber"] for m in media] == ["2", "3", "4", "5"]
    assert [m["media"]["chunk"] for m in media] == ["1", "2", "3", "4"]
    assert [m["media"]["timestamp"] for m in media] == ["0", "20", "40", "60"]
    assert {(m["media"]["track"], m["streamSid"]) for m in media} == {("inbound", sid)}
    assert_mu_law(sound(media))
    assert (stop["event"], stop["sequenceNumber"], stop["stop"]["callSid"]) == ("stop", "6", call)


def test_telnyx_says_it_in_snake_case(tmp_path, capsys):
    call, (connected, start, *media, stop) = media_call("telnyx", tmp_path, capsys)
    assert (connected["event"], start["event"]) == ("connected", "start")
    assert start["start"]["call_control_id"] == call
    form = {"encoding": "PCMU", "sample_rate": 8000, "channels": 1}
    assert start["start"]["media_format"] == form
    assert [m["sequence_number"] for m in media] == ["2", "3", "4", "5"]
    assert {m["stream_id"] for m in [start, *media, stop]} == {start["stream_id"]}
    assert_mu_law(sound(media))
    assert stop["stop"]["call_control_id"] == call


def test_plivo_counts_in_numbers_and_just_leaves(tmp_path, capsys):
    call, (start, *media) = media_call("plivo", tmp_path, capsys)
    assert (start["event"], start["start"]["callId"]) == ("start", call)
    assert start["start"]["mediaFormat"] == {"encoding": "audio/x-mulaw", "sampleRate": 8000}
    assert [m["sequenceNumber"] for m in media] == [2, 3, 4, 5]
    assert [m["media"]["chunk"] for m in media] == [1, 2, 3, 4]
    assert int(media[3]["media"]["timestamp"]) - int(media[0]["media"]["timestamp"]) == 60
    assert {m["streamId"] for m in media} == {start["start"]["streamId"]}
    assert_mu_law(sound(media))


def test_plivo_sends_linear_samples_if_asked_to(tmp_path, capsys):
    _, (start, *media) = media_call("plivo", tmp_path, capsys, kind="slin8")
    assert start["start"]["mediaFormat"] == {"encoding": "audio/x-l16", "sampleRate": 8000}
    assert_linear(sound(media))


def test_exotel_sends_linear_samples_a_tenth_of_a_second_at_a_time(tmp_path, capsys):
    call, (connected, start, *media, stop) = media_call("exotel", tmp_path, capsys)
    assert connected == {"event": "connected"}
    assert start["start"]["call_sid"] == call
    form = {"encoding": "audio/x-raw", "sample_rate": "8000", "bit_rate": "16"}
    assert start["start"]["media_format"] == form
    assert len(media) == 1  # 500 samples
    assert_linear(sound(media))
    assert (stop["event"], stop["stop"]["call_sid"]) == ("stop", call)


def test_bandwidth_says_event_type_and_puts_the_audio_on_top(tmp_path, capsys):
    call, (start, *media, stop) = media_call("bandwidth", tmp_path, capsys)
    assert (start["eventType"], start["metadata"]["callId"]) == ("start", call)
    assert {m["track"] for m in media} == {"inbound"}
    assert_mu_law(sound(media, lambda message: message["payload"]))
    assert (stop["eventType"], stop["metadata"]) == ("stop", start["metadata"])


def test_a_kind_that_a_dialect_does_not_send_is_refused():
    with pytest.raises(UsageError, match="twilio does not send slin16; leave out --kind"):
        order("a.wav", to="ws://localhost:1/media", kind="slin16").check()


def test_packets_that_are_lost_are_counted_by_the_provider_but_not_sent(tmp_path, capsys):
    path = recording(tmp_path / "a.wav", noise(160 * 100))
    with serving(Server(HeardWeb)) as server:
        to = f"ws://127.0.0.1:{server.port}/media"
        for _ in range(2):
            run(order(path, to=to, loss=0.3, seed=5), capsys)
    first, second = ([f for f in frames if f[0] == 1] for _, frames in server.heard)
    numbers = [json.loads(payload)["media"]["chunk"] for _, payload in first[2:-1]]
    assert 50 < len(numbers) < 90
    assert numbers == sorted(set(numbers), key=int)
    assert json.loads(first[-1][1])["sequenceNumber"] == "102"
    assert first == second  # the same seed


def test_jitter_changes_when_packets_come_and_nothing_else(tmp_path, capsys):
    path = recording(tmp_path / "a.wav", noise(1600))
    with serving(Server(Heard)) as server:
        to = f"audiosocket://127.0.0.1:{server.port}"
        run(order(path, to=to), capsys)
        run(order(path, to=to, jitter_s=0.1), capsys)
    assert server.heard[0] == server.heard[1]


def test_calls_go_round_the_recordings_under_names_that_never_change(tmp_path, capsys):
    paths = [recording(tmp_path / f"{n}.wav", noise(400, n)) for n in range(2)]
    with serving(Server(Heard)) as server:
        to = f"audiosocket://127.0.0.1:{server.port}"
        shown, err = run(order(str(tmp_path), to=to, n_calls=5, prefix="t"), capsys)
    assert [line["file"] for line in shown] == [*paths, *paths, paths[0]]
    assert [line["name"] for line in shown] == ["t-1", "t-2", "t-3", "t-4", "t-5"]
    assert shown[0]["call"] == str(plan(paths, 5, "t")[0].id)
    said = {str(messages(data)[0][1].hex()) for data in server.heard}
    assert said == {line["call"].replace("-", "") for line in shown}
    assert err.startswith("5 calls played, 15 packets sent, ")


def test_a_recording_that_cannot_be_read_is_told_and_the_others_are_played(tmp_path, capsys):
    good = recording(tmp_path / "a.wav", noise(400))
    bad = tmp_path / "b.wav"
    bad.write_bytes(b"no sound")
    with serving(Server(Heard)) as server:
        to = f"audiosocket://127.0.0.1:{server.port}"
        wanted = order(good, str(bad), str(tmp_path / "none.wav"), to=to)
        shown, err = run(wanted, capsys, code=1)
    assert [line["file"] for line in shown] == [good]
    assert f"{bad}: is " in err
    assert "none.wav: is not there" in err
    assert "1 calls played" in err


def test_a_daemon_that_is_not_there_is_told_once(tmp_path, capsys):
    path = recording(tmp_path / "a.wav", noise(400))
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    wanted = order(path, to=f"audiosocket://127.0.0.1:{port}", n_calls=3)
    shown, err = run(wanted, capsys, code=1)
    assert shown == []
    assert f"nobody takes calls at 127.0.0.1:{port} (Connection refused)" in err
    assert "start `hackles live` (3 calls)" in err


def test_a_daemon_that_hangs_up_on_one_call_does_not_end_the_others(tmp_path, capsys):
    short = recording(tmp_path / "a.wav", noise(400))
    long = recording(tmp_path / "b.wav", noise(80_000))
    with serving(Server(Heard, leave_after=2000)) as server:
        to = f"audiosocket://127.0.0.1:{server.port}"
        _, err = run(order(short, long, to=to), capsys, code=1)
    assert len(server.heard) == 1
    assert messages(server.heard[0])[-1] == (0, b"")
    assert "the daemon hung up" in err
    assert "1 calls played" in err


def test_a_server_that_refuses_a_stream_is_quoted(tmp_path, capsys):
    path = recording(tmp_path / "a.wav", noise(400))
    with serving(Server(HeardWeb, refuse=True)) as server:
        _, err = run(order(path, to=f"ws://127.0.0.1:{server.port}/media"), capsys, code=1)
    assert "the daemon does not take the call: 403 Forbidden" in err


class Register(BaseHTTPRequestHandler):
    """A control API that notes who is registered, and lets nobody in after some."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.heard.append((self.path, json.loads(body)))
        self.send_response(201 if len(self.server.heard) <= self.server.room else 409)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def test_calls_are_registered_before_they_come(tmp_path, capsys):
    path = recording(tmp_path / "a.wav", noise(400))
    api = ThreadingHTTPServer(("127.0.0.1", 0), Register)
    api.heard, api.room = [], 1
    with serving(api), serving(Server(Heard)) as server:
        to = f"audiosocket://127.0.0.1:{server.port}"
        url = f"http://127.0.0.1:{api.server_address[1]}"
        wanted = order(path, to=to, n_calls=2, register=url, consent=False)
        (shown,), err = run(wanted, capsys, code=1)
    assert len(server.heard) == 1
    (at, first), _ = sorted(api.heard, key=lambda said: said[1]["id"] != shown["call"])
    assert (at, first) == (
        "/calls",
        {
            "id": shown["call"],
            "call": shown["name"],
            "role": "customer",
            "queue": "simulated",
            "agent": shown["name"],
            "consent": False,
        },
    )
    assert "does not register the call (HTTP 409)" in err


needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl")


@needs_openssl
def test_tls_is_checked_unless_told_otherwise(tmp_path, capsys):
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj"
    files = ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run([*command.split(), "/CN=localhost", *files], check=True, capture_output=True)
    secure = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    secure.load_cert_chain(certificate, key)

    class Secure(HeardWeb):
        def handle(self) -> None:
            # Who does not trust us leaves.
            with (
                suppress(ssl.SSLError, ConnectionError),
                secure.wrap_socket(self.request, server_side=True) as self.request,
            ):
                super().handle()

    path = recording(tmp_path / "a.wav", noise(400))
    with serving(Server(Secure)) as server:
        wanted = order(path, to=f"wss://127.0.0.1:{server.port}/media")
        _, err = run(wanted, capsys, code=1)
        assert "cannot be trusted" in err
        run(replace(wanted, insecure=True), capsys)
    _, said = conversation(server)
    assert [m["event"] for m in said] == ["connected", "start", *["media"] * 3, "stop"]


def test_ctrl_c_hangs_up_properly(tmp_path):
    path = recording(tmp_path / "a.wav", noise(80_000))
    with serving(Server(Heard)) as server:
        to = f"audiosocket://127.0.0.1:{server.port}"
        command = [sys.executable, "-c", "from hackles.cli import main; main()", "simulate", path]
        with started(*command, "--customer", "right", "--to", to) as process:
            seen = b""
            while b"a.wav" not in seen:
                seen += process.stdout.read(1)
            process.send_signal(2)
            done = finish(process)
        wait_until(lambda: server.heard)
    assert done.code == 130
    assert messages(server.heard[0])[-1] == (0, b"")
    assert re.search(r"0 calls played, \d+ packets sent", plain(done.out)[-2])


@pytest.mark.parametrize(
    "url", ["", "localhost:1", "http://a:1", "audiosocket://a", "ws://", "ws://a:99999", "ws://a b"]
)
def test_what_is_no_target_is_refused(url):
    with pytest.raises(UsageError, match="is no target; give audiosocket://"):
        parse_target(url)


def test_targets_are_read_with_their_usual_ports():
    assert parse_target("wss://a.example/media?t=1").address == "a.example:443"
    assert parse_target("audiosocket://[::1]:9019").address == "[::1]:9019"


@given(st.lists(st.integers(1, 400)), st.binary(max_size=300))
def test_cuts_never_change_what_a_client_understands(cuts, ping):
    whole = websocket.Client("h", "/")
    key = re.search(rb"Key: (.*)\r\n", whole.request)[1]
    accept = hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()
    head = b"\x8a" if len(ping) < 126 else b"\x8a\x7e" + struct.pack(">H", len(ping))
    head += b"" if len(ping) > 125 else bytes([len(ping)])
    data = b"HTTP/1.1 101 x\r\nsec-websocket-accept:" + base64.b64encode(accept) + b"\r\n\r\n"
    data += head + ping + b"\x89\x01!"
    answer, at = b"", 0
    for cut in [*cuts, len(data)]:
        answer += whole.hear(data[at : at + cut])
        at += cut
    assert whole.is_open
    mask = answer[2:6]
    assert (answer[:2], answer[6] ^ mask[0]) == (b"\x8a\x81", ord("!"))


def test_a_recording_of_one_channel_needs_mono(tmp_path, capsys):
    path = tmp_path / "a.wav"
    soundfile.write(path, noise(400), 8000)
    with serving(Server(Heard)) as server:
        wanted = order(str(path), to=f"audiosocket://127.0.0.1:{server.port}")
        run(wanted, capsys, code=1)
        run(replace(wanted, channels=Channels(None)), capsys)
    assert len(server.heard) == 1
