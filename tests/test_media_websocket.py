"""Media streams over WebSockets: real connections; the server runs when it is asked."""

import base64
import gc
import itertools
import json
import logging
import socket
import struct
import threading
import time
from contextlib import ExitStack, closing, contextmanager

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hackles.capture import g711, media_websocket
from hackles.capture.media_websocket import MediaWebSockets
from hackles.errors import UsageError

MULAW = {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1}
UPGRADE = (
    b"GET /calls HTTP/1.1\r\nHost: hackles\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
TEXT, CLOSE, PING, PONG = 1, 8, 9, 10
CONNECTED = {"event": "connected", "protocol": "Call", "version": "1.0.0"}
STOP = {"event": "stop", "sequenceNumber": "9", "stop": {"callSid": "CA1"}, "streamSid": "MZ1"}


def frame(payload, kind=TEXT, last=True):
    """Return a frame as a client sends it: masked (RFC 6455, section 5.2)."""
    mask = np.frombuffer(b"\x37\xfa\x21\x3d", np.uint8)
    masked = np.frombuffer(payload, np.uint8) ^ np.resize(mask, len(payload))
    n = len(payload)
    if n < 126:
        length = struct.pack("!B", 0x80 | n)
    elif n < 2**16:
        length = struct.pack("!BH", 0x80 | 126, n)
    else:
        length = struct.pack("!BQ", 0x80 | 127, n)
    return bytes([0x80 * last | kind]) + length + mask.tobytes() + masked.tobytes()


def message(content):
    return frame(json.dumps(content).encode())


def start(name="CA1", media_format=MULAW):
    said = {"streamSid": "MZ1", "tracks": ["inbound"], "mediaFormat": media_format}
    said |= {"callSid": name} if name else {}
    return {"event": "start", "sequenceNumber": "1", "start": said, "streamSid": "MZ1"}


def media(codes, chunk=1, track="inbound"):
    said = {"track": track, "chunk": str(chunk), "timestamp": "5"}
    said["payload"] = base64.b64encode(codes).decode()
    return {"event": "media", "sequenceNumber": "3", "media": said, "streamSid": "MZ1"}


def stream(codes, piece=160, **named):
    """Return the bytes of a whole call, from the upgrade to the stop."""
    pieces = [codes[at : at + piece] for at in range(0, len(codes), piece)]
    said = [media(codes, chunk) for chunk, codes in enumerate(pieces, 1)]
    return UPGRADE + b"".join(map(message, [CONNECTED, start(**named), *said, STOP]))


def noise(n_samples, seed=0):
    return np.random.default_rng(seed).integers(0, 256, n_samples, dtype=np.uint8).tobytes()


def decoded(codes, law=g711.Encoding.MU_LAW):
    return g711.decode(np.frombuffer(codes, np.uint8), law)


class Desk:
    """The engine's side: it asks on every tick, and keeps what it is given."""

    def __init__(self, room=100, **options):
        self.server = MediaWebSockets("127.0.0.1", 0, **({"max_samples": 2480} | options))
        self.room = room
        self.names, self.blocks, self.ended = [], [], []

    def open_call(self, name):
        if len(self.names) == self.room:
            return None
        self.names.append(name)
        self.blocks.append([])
        return len(self.names) - 1

    def tick(self):
        received = self.server.receive(self.open_call)
        assert len(set(received.slots)) == len(received.slots)
        assert received.counts.sum() == len(received.samples)
        assert received.samples.dtype == np.float32
        parts = np.split(received.samples, np.cumsum(received.counts)[:-1])
        for slot, samples in zip(received.slots, parts, strict=True) if len(received.slots) else ():
            self.blocks[slot].append(samples)
        self.ended += received.ended
        return received

    def until(self, happened):
        for _ in range(10_000):
            if happened():
                return
            self.tick()
            time.sleep(0.0005)
        raise AssertionError("it did not happen")

    def heard(self, name="CA1"):
        return np.concatenate([*self.blocks[self.names.index(name)], np.empty(0, np.float32)])

    def has_heard(self, n_samples, name="CA1"):
        return lambda: name in self.names and len(self.heard(name)) >= n_samples

    def has_ended(self, *names):
        return lambda: {self.names[slot] for slot in self.ended} >= set(names or ["CA1"])

    def close(self):
        self.server.close()


@pytest.fixture
def desk():
    with closing(Desk()) as desk:
        yield desk


@pytest.fixture
def connect(desk):
    """Connect to the desk; sends what is given."""
    with ExitStack() as stack:

        def connected(data=b""):
            line = stack.enter_context(socket.create_connection(("127.0.0.1", desk.server.port)))
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            line.sendall(data)
            return line

        yield connected


def answer(desk, line, n_bytes):
    """Return the next bytes from the server, after the reply to the upgrade."""
    line.setblocking(False)
    got = bytearray()

    def has_come():
        try:
            while piece := line.recv(4096):
                got.extend(piece)
        except BlockingIOError:
            pass
        return b"\r\n\r\n" in got and len(got.split(b"\r\n\r\n", 1)[1]) >= n_bytes

    desk.until(has_come)
    return bytes(got.split(b"\r\n\r\n", 1)[1])


@given(
    st.lists(st.binary(max_size=400), max_size=12),
    st.lists(st.integers(0, 6000), max_size=12),
)
@settings(max_examples=60, deadline=None)
def test_samples_come_as_sent_wherever_tcp_cuts_the_bytes(pieces, cuts):
    said = [media(piece, chunk) for chunk, piece in enumerate(pieces)]
    data = UPGRADE + b"".join(map(message, [CONNECTED, start(), *said, STOP]))
    edges = [0, *sorted(cut for cut in cuts if cut < len(data)), len(data)]
    with closing(Desk()) as desk, closing(socket.socket()) as line:
        line.connect(("127.0.0.1", desk.server.port))
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for begin, end in itertools.pairwise(edges):
            line.sendall(data[begin:end])
            desk.tick()
        desk.until(desk.has_ended())
        np.testing.assert_array_equal(desk.heard(), decoded(b"".join(pieces)))


def test_calls_at_the_same_time_are_kept_apart(desk, connect):
    names = [f"CA{n}" for n in range(20)]
    codes = {name: noise(4000 + 77 * seed, seed) for seed, name in enumerate(names)}
    rest = [(connect(), stream(codes[name], 100 + n, name=name)) for n, name in enumerate(names)]
    while rest:
        rest = [(line, data) for line, data in rest if data]
        for line, data in rest:
            line.sendall(data[:997])
        rest = [(line, data[997:]) for line, data in rest]
        desk.tick()
    desk.until(desk.has_ended(*names))
    assert len(desk.ended) == len(names)
    for name in names:
        np.testing.assert_array_equal(desk.heard(name), decoded(codes[name]))


@pytest.mark.parametrize("encoding", ["audio/x-alaw", "PCMA"])
def test_a_law_is_decoded_by_a_law_beside_calls_of_mu_law(desk, connect, encoding):
    codes = noise(1600)
    connect(stream(codes, name="CA1"))
    connect(stream(codes, name="CA2", media_format=MULAW | {"encoding": encoding}))
    connect(stream(codes, name="CA3"))
    desk.until(desk.has_ended("CA1", "CA2", "CA3"))
    for name, law in [("CA1", "MU_LAW"), ("CA2", "A_LAW"), ("CA3", "MU_LAW")]:
        np.testing.assert_array_equal(desk.heard(name), decoded(codes, g711.Encoding[law]))


@pytest.mark.parametrize("customer", ["inbound", "outbound"])
def test_only_the_track_of_the_customer_is_heard(customer):
    agent = {"inbound": "outbound", "outbound": "inbound"}[customer]
    said = [CONNECTED, start()]
    for chunk in range(1, 20):
        said += [
            media(noise(160, chunk), chunk, customer),
            media(noise(160, -chunk % 99), 7, agent),
        ]
    broken = media(b"", 30, agent)
    broken["media"]["payload"] = "never looked at"
    with closing(Desk(customer_track=customer)) as desk, closing(socket.socket()) as line:
        line.connect(("127.0.0.1", desk.server.port))
        line.sendall(UPGRADE + b"".join(map(message, [*said, broken, STOP])))
        desk.until(desk.has_ended())
        expected = decoded(b"".join(noise(160, chunk) for chunk in range(1, 20)))
        np.testing.assert_array_equal(desk.heard(), expected)


def test_chunks_that_repeat_or_go_back_are_dropped(desk, connect):
    numbers = [1, 2, 2, 3, 1, 5, 4, 6]
    said = [media(noise(160, n), chunk) for n, chunk in enumerate(numbers)]
    connect(UPGRADE + b"".join(map(message, [start(), *said, STOP])))
    desk.until(desk.has_ended())
    expected = b"".join(noise(160, n) for n in (0, 1, 3, 5, 7))
    np.testing.assert_array_equal(desk.heard(), decoded(expected))


def test_media_is_not_heard_before_the_start_nor_after_the_stop(desk, connect):
    said = [
        media(noise(160)),
        start(),
        media(noise(160, 1)),
        STOP,
        media(noise(160, 2), 2),
        start(),
    ]
    connect(UPGRADE + b"".join(map(message, said)))
    connect(stream(noise(160), name="CA2"))
    desk.until(desk.has_ended("CA1", "CA2"))
    np.testing.assert_array_equal(desk.heard(), decoded(noise(160, 1)))
    assert desk.names == ["CA1", "CA2"]


def test_a_call_without_a_number_is_called_by_its_stream(desk, connect):
    connect(stream(noise(160), name=None))
    desk.until(desk.has_ended("MZ1"))


def hang_up_politely(line):
    line.sendall(frame(struct.pack("!H", 1000), CLOSE))


def hang_up_with_a_code_of_its_own(line):
    line.sendall(frame(struct.pack("!H", 4001) + b"bye", CLOSE))


def hang_up_without_a_word(line):
    line.close()


def reset(line):
    line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    line.close()


def stop(line):
    line.sendall(message(STOP))


def stop_and_hang_up(line):
    stop(line)
    hang_up_politely(line)
    line.close()


@pytest.mark.parametrize(
    "end",
    [
        hang_up_politely,
        hang_up_with_a_code_of_its_own,
        hang_up_without_a_word,
        reset,
        stop,
        stop_and_hang_up,
    ],
)
def test_a_call_ends_once_however_it_ends(desk, connect, end):
    line = connect(UPGRADE + message(start()) + message(media(noise(160))))
    desk.until(desk.has_heard(160))
    end(line)
    desk.until(desk.has_ended())
    line.close()
    for _ in range(20):
        desk.tick()
    assert desk.ended == [0]
    np.testing.assert_array_equal(desk.heard(), decoded(noise(160)))


def test_a_close_is_answered(desk, connect):
    line = connect(UPGRADE + frame(b"", CLOSE))
    assert answer(desk, line, 4) == bytes([0x80 | CLOSE, 2]) + struct.pack("!H", 1000)


def test_a_ping_is_answered(desk, connect):
    line = connect(UPGRADE + message(start()) + frame(b"are you there", PING))
    assert answer(desk, line, 15) == bytes([0x80 | PONG, 13]) + b"are you there"


@contextmanager
def disallowed_errors():
    """Fail if anything is logged as an error, as picows does with our own exceptions."""
    errors = []
    handler = logging.Handler(logging.ERROR)
    handler.emit = errors.append
    logging.getLogger("hackles").addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger("hackles").removeHandler(handler)
    assert not errors


def without(content, *path):
    """Return a copy without one of its fields."""
    content = json.loads(json.dumps(content))
    inner = content
    for key in path[:-1]:
        inner = inner[key]
    del inner[path[-1]]
    return json.dumps(content).encode()


def with_payload(payload):
    content = media(b"", 2)
    content["media"]["payload"] = payload
    return json.dumps(content).encode()


BROKEN = {
    "no JSON": b"hello",
    "half of it": json.dumps(media(noise(160), 2)).encode()[:100],
    "nothing": b"",
    "no object": b"[]",
    "no event": b"{}",
    "bytes that are no text": b'{"event": "media\xff"}',
    "brackets without end": b'{"event": "media", "media": ' + b"[" * 100_000,
    "no media": b'{"event": "media"}',
    "no track": without(media(noise(160), 2), "media", "track"),
    "no chunk": without(media(noise(160), 2), "media", "chunk"),
    "no payload": without(media(noise(160), 2), "media", "payload"),
    "payload cut": with_payload("AAA"),
    "payload not base64": with_payload("!!!!"),
    "payload in base64 for URLs": with_payload("-_-_"),
    "payload a number": with_payload(7),
    "payload nothing": with_payload(None),
    "a second start": json.dumps(start()).encode(),
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_a_broken_message_drops_its_own_call_alone(desk, connect, caplog, broken):
    good = connect(UPGRADE + message(start("CA2")))
    bad = connect(UPGRADE + message(start()) + message(media(noise(160))))
    desk.until(lambda: desk.has_heard(160)() and "CA2" in desk.names)
    bad.sendall(frame(broken) + message(media(noise(160), 3)))
    desk.until(desk.has_ended())
    good.sendall(message(media(noise(800, 1))) + message(STOP))
    desk.until(desk.has_ended("CA2"))
    assert len(desk.ended) == 2
    assert {record.levelno for record in caplog.records} == {logging.WARNING}
    np.testing.assert_array_equal(desk.heard(), decoded(noise(160)))
    np.testing.assert_array_equal(desk.heard("CA2"), decoded(noise(800, 1)))


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_whatever_is_broken_nothing_is_raised(data):
    whole = json.dumps(data.draw(st.sampled_from([start(), media(noise(9), 2), STOP]))).encode()
    at = data.draw(st.integers(0, len(whole)))
    broken = (
        whole[:at] + data.draw(st.binary(max_size=4)) + whole[at + data.draw(st.integers(0, 4)) :]
    )
    with closing(Desk()) as desk, closing(socket.socket()) as line:
        line.connect(("127.0.0.1", desk.server.port))
        with disallowed_errors():
            line.sendall(UPGRADE + message(start()) + frame(broken) + frame(b"", CLOSE))
            desk.until(desk.has_ended())


UNMASKED = bytes([0x81, 2]) + b"{}"
TOO_LARGE = bytes([0x81, 0xFF]) + struct.pack("!Q", 2**40) + bytes(4)
UNKNOWN_KIND = frame(b"", 5)
ENDLESS = frame(b"{", last=False) + frame(bytes(2**19), 0, last=False) * 3


@pytest.mark.parametrize("data", [UNMASKED, TOO_LARGE, UNKNOWN_KIND, ENDLESS])
def test_a_broken_frame_ends_its_own_call_alone(desk, connect, data):
    good = connect(UPGRADE + message(start("CA2")))
    bad = connect(UPGRADE + message(start()))
    desk.until(lambda: len(desk.names) == 2)
    sending = threading.Thread(target=bad.sendall, args=(data,))
    sending.start()
    desk.until(desk.has_ended())
    sending.join()
    good.sendall(message(media(noise(160))))
    desk.until(desk.has_heard(160, "CA2"))


@pytest.mark.parametrize(
    "change", [{"encoding": "audio/x-l16"}, {"sampleRate": 16000}, {"channels": 2}]
)
def test_other_audio_is_refused_with_a_sentence_that_says_so(desk, connect, caplog, change):
    connect(stream(noise(160), name="CA1", media_format=MULAW | change))
    connect(stream(noise(160), name="CA2"))
    desk.until(desk.has_ended("CA2"))
    assert desk.names == ["CA2"]
    (record,) = caplog.records
    assert "'CA1'" in record.message
    assert "have it sent as audio/x-mulaw, 8000 Hz, one channel" in record.message
    assert str(next(iter(change.values()))) in record.message


def test_a_call_without_its_format_is_not_heard(desk, connect, caplog):
    connect(UPGRADE + frame(without(start(), "start", "mediaFormat")) + message(media(noise(160))))
    connect(stream(noise(160), name="CA2"))
    desk.until(desk.has_ended("CA2"))
    assert desk.names == ["CA2"]
    assert "mediaFormat" in caplog.text


def test_events_without_interest_are_ignored(desk, connect, caplog):
    others = [
        {"event": "dtmf", "dtmf": {"track": "inbound_track", "digit": "1"}},
        {"event": "mark", "mark": {"name": "x"}, "media": "none", "start": 7},
        {"media": {"track": 1}, "event": "news"},
    ]
    said = [CONNECTED, start(), *others, media(noise(160)), STOP]
    connect(UPGRADE + b"".join(map(message, said)))
    desk.until(desk.has_ended())
    np.testing.assert_array_equal(desk.heard(), decoded(noise(160)))
    assert not caplog.records


def test_numbers_may_be_numbers_and_fields_in_any_order(desk, connect):
    said = {"media": media(noise(160))["media"] | {"chunk": 1}, "event": "media"}
    escaped = json.dumps(said, indent=1).replace("/", "\\/").encode()
    connect(UPGRADE + message(start()) + frame(escaped) + message(STOP))
    desk.until(desk.has_ended())
    np.testing.assert_array_equal(desk.heard(), decoded(noise(160)))


def test_a_message_may_be_large_or_in_fragments_with_pings_between(desk, connect):
    large, small = noise(200_000), noise(160, 1)
    text = json.dumps(media(small, 2)).encode()
    parts = [text[at : at + 50] for at in range(0, len(text), 50)]
    fragments = [frame(parts[0], last=False)]
    fragments += [frame(part, 0, last=False) + frame(b"?", PING) for part in parts[1:]]
    fragments += [frame(b"", 0)]
    line = connect(UPGRADE + message(start()))
    data = message(media(large)) + b"".join(fragments) + message(STOP)
    sending = threading.Thread(target=line.sendall, args=(data,))
    sending.start()
    desk.until(desk.has_ended())
    sending.join()
    np.testing.assert_array_equal(desk.heard(), decoded(large + small))


def test_where_there_is_no_room_a_call_is_not_heard(desk, connect, caplog):
    desk.room = 1
    connect(UPGRADE + message(start()))
    desk.until(lambda: desk.names)
    refused = connect(stream(noise(8000), name="CA2")[: -len(message(STOP))])
    desk.until(lambda: caplog.records)
    for chunk in range(100, 200):
        refused.sendall(message(media(noise(160), chunk)))
        desk.tick()
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "CA2" in caplog.text
    assert not desk.blocks[0]
    refused.close()
    for _ in range(20):
        desk.tick()
    assert not desk.ended


@pytest.mark.parametrize("max_samples", [100, 800, 2560])
def test_a_backlog_is_handed_over_in_order_and_in_pieces(max_samples):
    codes = noise(3 * 8000)
    with closing(Desk(max_samples=max_samples)) as desk, closing(socket.socket()) as line:
        line.connect(("127.0.0.1", desk.server.port))
        line.sendall(stream(codes))
        desk.until(desk.has_ended())
        sizes = [len(block) for block in desk.blocks[0]]
        assert set(sizes[:-1]) == {max_samples}
        assert sizes[-1] <= max_samples
        np.testing.assert_array_equal(desk.heard(), decoded(codes))


def test_a_second_of_backlog_is_read_on_one_tick():
    with closing(Desk(max_samples=8000)) as desk, closing(socket.socket()) as line:
        line.connect(("127.0.0.1", desk.server.port))
        line.sendall(UPGRADE + message(start()))
        desk.until(lambda: desk.names)
        counts = []
        for second in range(50):  # more than one, as the network may deliver in two parts
            chunks = range(50 * second, 50 * second + 50)
            line.sendall(b"".join(message(media(noise(160), chunk)) for chunk in chunks))
            counts += desk.tick().counts.tolist()
        assert 8000 in counts


def test_a_sender_that_is_too_fast_waits_and_loses_nothing():
    with closing(Desk()) as desk, closing(socket.socket()) as line:
        line.connect(("127.0.0.1", desk.server.port))
        line.sendall(UPGRADE + message(start()))
        line.setblocking(False)
        codes = noise(8000)
        rest, chunk, held_back = b"", 0, 0
        while held_back < 25:
            if not rest:
                chunk += 1
                rest = message(media(codes, chunk))
            try:
                rest = rest[line.send(rest) :]
                held_back = 0
            except BlockingIOError:
                held_back += 1
                desk.tick()
            assert chunk < 10_000, "it was never held back"
        line.setblocking(True)
        sending = threading.Thread(target=line.sendall, args=(rest + message(STOP),))
        sending.start()
        desk.until(desk.has_ended())
        sending.join()
        np.testing.assert_array_equal(desk.heard(), np.tile(decoded(codes), chunk))


def test_a_client_that_never_reads_its_pongs_is_hung_up_on(desk):
    with closing(socket.socket()) as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        line.connect(("127.0.0.1", desk.server.port))
        line.sendall(UPGRADE + message(start()))
        desk.until(lambda: desk.names)
        line.setblocking(False)
        pings = frame(bytes(125), PING) * 1000

        def is_hung_up():
            try:
                line.send(pings)
            except BlockingIOError:
                pass
            except OSError:
                return True
            return bool(desk.ended)

        desk.until(is_hung_up)
        desk.until(desk.has_ended())


def test_a_client_that_vanished_is_noticed(monkeypatch):
    monkeypatch.setattr(media_websocket, "_QUIET_S", 0.01)
    with closing(Desk()) as desk, closing(socket.socket()) as line:
        line.connect(("127.0.0.1", desk.server.port))
        line.sendall(UPGRADE + message(start()))
        desk.until(desk.has_ended())
        assert desk.ended == [0]


def is_hung_up_on(line):
    line.settimeout(10.0)
    try:
        while line.recv(4096):
            pass
    except ConnectionResetError:
        pass
    return True


def test_closing_hangs_up_on_everybody_at_any_stage(connect, desk):
    in_a_call = connect(UPGRADE + message(start()) + message(media(noise(80_000))))
    silent, half = connect(), connect(UPGRADE[:40])
    desk.until(lambda: desk.names)
    accepted = connect(UPGRADE)
    desk.tick()
    waiting = connect(UPGRADE)
    desk.close()
    desk.close()
    gc.collect()
    for line in (in_a_call, silent, half, accepted, waiting):
        assert is_hung_up_on(line)
    with pytest.raises(ConnectionRefusedError):
        connect()


def test_a_port_that_is_taken_is_refused_with_a_sentence(desk):
    with pytest.raises(UsageError, match=f"Cannot listen on 127.0.0.1 port {desk.server.port}"):
        MediaWebSockets("127.0.0.1", desk.server.port, 2480)


@pytest.mark.parametrize(("host", "port"), [("a..b", 0), ("\0", 0), ("127.0.0.1", 70_000)])
def test_an_address_that_is_none_is_refused_with_a_sentence(host, port):
    with pytest.raises(UsageError, match="choose"):
        MediaWebSockets(host, port, 2480)


def test_missing_chunks_are_said(desk, connect, caplog):
    pieces = [media(noise(160), chunk) for chunk in (1, 2, 10, 11, 20)]
    connect(UPGRADE + b"".join(map(message, [CONNECTED, start(), *pieces, STOP])))
    desk.until(desk.has_ended())
    assert len(desk.heard()) == 5 * 160
    said = [record.getMessage() for record in caplog.records]
    assert [text for text in said if "7 chunks did not come" in text] == said


def test_nobody_there_is_no_samples(desk):
    received = desk.tick()
    assert (len(received.slots), len(received.counts), len(received.samples)) == (0, 0, 0)
