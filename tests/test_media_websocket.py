"""Media streams over WebSockets: real connections; the server runs when it is asked."""

import base64
import gc
import hmac
import itertools
import json
import logging
import socket
import ssl
import struct
import subprocess
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from urllib.parse import quote

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from hackles.capture import g711, media_connections
from hackles.capture.intake import Fate, Offer
from hackles.capture.media_access import Access, Admission
from hackles.capture.media_order import Order
from hackles.capture.media_websocket import MediaWebSockets
from hackles.capture.sockets import Listener
from hackles.errors import UsageError
from hackles.types import Role

MULAW = {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1}
UPGRADE = (
    b"GET /media HTTP/1.1\r\nHost: hackles\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
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


def start(name="CA1", media_format=MULAW, tracks=("inbound",), **parameters):
    said = {"streamSid": "MZ1", "tracks": tracks, "mediaFormat": media_format}
    said |= {"customParameters": parameters} if parameters else {}
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
    """The engine's side: it asks on every tick, and keeps what it is given.

    Its clock goes on by a tick's length each time, however long the tick took.
    """

    def __init__(self, room=100, **options):
        self.now = 0.0
        self.listener = Listener("127.0.0.1", 0)
        options = {"max_samples": 2480, "clock": lambda: self.now} | options
        self.server = MediaWebSockets(self.listener, options.pop("max_samples"), **options)
        self.port = self.listener.port
        self.room = room
        self.offers, self.blocks, self.ended, self.digits = [], [], [], []
        self.lost = []

    @property
    def names(self):
        return [offer.call for offer in self.offers]

    @property
    def troubles(self):
        return {str(name): count for name, count in self.server.troubles.items()}

    def open_call(self, offer):
        if len(self.offers) == self.room:
            return None
        self.offers.append(offer)
        self.blocks.append([])
        self.lost.append([])
        return len(self.offers) - 1

    def tick(self):
        self.now += 0.1
        received = self.server.receive(self.open_call)
        assert len(set(received.slots)) == len(received.slots)
        assert received.counts.sum() == len(received.samples)
        assert all(received.counts > 0)
        assert received.samples.dtype == np.float32
        assert len(received.drained) == len(received.slots)
        lost = np.zeros_like(received.counts) if received.lost is None else received.lost
        parts = np.split(received.samples, np.cumsum(received.counts)[:-1])
        for row, slot in enumerate(received.slots):
            if lost[row]:
                place = sum(map(len, self.blocks[slot]))
                self.lost[slot].append((place, int(lost[row])))
            self.blocks[slot].append(parts[row])
        self.ended += received.ended
        self.digits += received.digits
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

    def missing(self, name="CA1"):
        """Return where samples are missing, and how many."""
        return self.lost[self.names.index(name)]

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
            line = stack.enter_context(socket.create_connection(("127.0.0.1", desk.port)))
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            line.sendall(data)
            return line

        yield connected


@pytest.fixture
def connect_to():
    """Make a desk with rules of access; return it, and what connects to it."""
    with ExitStack() as stack:

        def made(access):
            desk = stack.enter_context(closing(Desk(access=access)))

            def connected(data):
                line = socket.create_connection(("127.0.0.1", desk.port))
                stack.enter_context(line).sendall(data)
                return line

            return desk, connected

        yield made


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
        line.connect(("127.0.0.1", desk.port))
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
    said = [CONNECTED, start(tracks=["inbound", "outbound"])]
    for chunk in range(1, 20):
        said += [
            media(noise(160, chunk), chunk, customer),
            media(noise(160, -chunk % 99), 7, agent),
        ]
    broken = media(b"", 30, agent)
    broken["media"]["payload"] = "never looked at"
    with closing(Desk(customer_track=customer)) as desk, closing(socket.socket()) as line:
        line.connect(("127.0.0.1", desk.port))
        line.sendall(UPGRADE + b"".join(map(message, [*said, broken, STOP])))
        desk.until(desk.has_ended())
        expected = decoded(b"".join(noise(160, chunk) for chunk in range(1, 20)))
        np.testing.assert_array_equal(desk.heard(), expected)


def test_chunks_come_in_their_order_and_once(desk, connect):
    numbers = [1, 2, 2, 3, 1, 5, 4, 6, 9, 7, 8, 9]
    said = [media(noise(160, n), n) for n in numbers]
    connect(UPGRADE + b"".join(map(message, [start(), *said, STOP])))
    desk.until(desk.has_ended())
    expected = b"".join(noise(160, n) for n in range(1, 10))
    np.testing.assert_array_equal(desk.heard(), decoded(expected))
    assert desk.missing() == []
    assert desk.troubles == {"duplicate": 3, "reordered": 3}


def test_a_chunk_that_comes_after_it_was_given_up_is_late(desk, connect):
    line = connect(UPGRADE + message(start()) + message(media(noise(160), 1)))
    line.sendall(message(media(noise(160, 3), 3)))
    desk.until(desk.has_heard(320))
    assert desk.missing() == [(160, 160)]
    line.sendall(
        message(media(noise(160, 2), 2)) + message(media(noise(160, 4), 4)) + message(STOP)
    )
    desk.until(desk.has_ended())
    expected = b"".join(noise(160, n) if n > 1 else noise(160) for n in (1, 3, 4))
    np.testing.assert_array_equal(desk.heard(), decoded(expected))
    assert desk.troubles == {"lost": 1, "late": 1}


def test_a_chunk_that_is_awaited_holds_nobody_for_long(desk, connect):
    chunks = [1, *range(3, 40)]
    said = [media(noise(160, n), n) for n in chunks]
    connect(UPGRADE + b"".join(map(message, [start(), *said, STOP])))
    desk.until(desk.has_heard(1))
    assert desk.now < 1.0, "it was waited for half a second, though much was held"
    desk.until(desk.has_ended())
    assert desk.missing() == [(160, 160)]
    assert len(desk.heard()) == 160 * len(chunks)


def test_a_timestamp_that_runs_backwards_drops_its_packet(desk, connect):
    said = [media(noise(160, n), n) for n in range(1, 5)]
    for packet, timestamp in zip(said, ["20", "40", "10", "60"], strict=True):
        packet["media"]["timestamp"] = timestamp
    connect(UPGRADE + b"".join(map(message, [start(), *said, STOP])))
    desk.until(desk.has_ended())
    expected = b"".join(noise(160, n) for n in (1, 2, 4))
    np.testing.assert_array_equal(desk.heard(), decoded(expected))
    assert desk.troubles == {"broken": 1}


def test_a_huge_leap_of_the_numbers_is_no_longer_than_the_time_that_passed(desk, connect):
    said = [media(noise(160, n), n) for n in (1, 10**30, 10**30 + 1)]
    connect(UPGRADE + b"".join(map(message, [start(), *said, STOP])))
    desk.until(desk.has_ended())
    assert len(desk.heard()) == 480
    ((place, lost),) = desk.missing()
    assert place == 160
    assert 1600 < lost <= (desk.now + 2.0) * 8000


def test_a_number_far_ahead_ends_no_call(desk, connect):
    chunks = [1, 2, 10**9, *range(3, 100)]
    line = connect(UPGRADE + message(start()))
    for n in chunks:
        line.sendall(message(media(noise(160, n % 99), n)))
        desk.tick()
    desk.until(desk.has_heard(160 * 99))
    expected = b"".join(noise(160, n % 99) for n in range(1, 100))
    np.testing.assert_array_equal(desk.heard()[: 160 * 99], decoded(expected))


def test_numbers_that_begin_anew_are_followed(desk, connect):
    line = connect(UPGRADE + message(start()))
    for n in [*range(1000, 1010), *range(1, 60)]:
        line.sendall(message(media(noise(160, n % 99), n)))
    desk.until(desk.has_heard(160 * (10 + 59 - 25)))
    assert desk.troubles == {"late": 25}


@given(
    st.permutations(range(8)), st.sets(st.integers(0, 7)), st.lists(st.integers(0, 7), max_size=20)
)
@settings(deadline=None)
def test_order_gives_each_packet_once_and_all_gaps(numbers, absent, again):
    troubles = Counter()
    order = Order(troubles, 10**6)
    pieces = order.push(0, 0.0, b"first")
    for n in [n for n in numbers if n not in absent] + [n for n in again if n not in absent]:
        if order.is_next(n + 1, n):
            pieces.append((0, bytes([n])))
        else:
            pieces += order.push(n + 1, n, bytes([n]))
    pieces += order.flush()
    heard = [payload[0] for _, payload in pieces[1:]]
    present = sorted(set(range(8)) - absent)
    assert heard == present
    assert sum(missing for missing, _ in pieces) == (
        present[-1] + 1 - len(present) if present else 0
    )
    assert troubles[Fate.DUPLICATE] == sum(n not in absent for n in again)


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
    "no payload": without(media(noise(160), 2), "media", "payload"),
    "payload cut": with_payload("AAA"),
    "payload not base64": with_payload("!!!!"),
    "payload in base64 for URLs": with_payload("-_-_"),
    "payload a number": with_payload(7),
    "payload nothing": with_payload(None),
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_a_broken_message_is_dropped_and_counted_and_its_call_goes_on(
    desk, connect, caplog, broken
):
    good = connect(UPGRADE + message(start("CA2")))
    bad = connect(UPGRADE + message(start()) + message(media(noise(160))))
    desk.until(lambda: desk.has_heard(160)() and "CA2" in desk.names)
    bad.sendall(frame(broken) + message(media(noise(160, 1), 2)) + message(STOP))
    good.sendall(message(media(noise(800, 1))) + message(STOP))
    desk.until(desk.has_ended("CA1", "CA2"))
    assert desk.troubles == {"broken": 1}
    assert {record.levelno for record in caplog.records} == {logging.WARNING}
    np.testing.assert_array_equal(desk.heard(), decoded(noise(160) + noise(160, 1)))
    np.testing.assert_array_equal(desk.heard("CA2"), decoded(noise(800, 1)))


def test_what_is_no_media_stream_is_dropped_in_the_end(desk, connect, caplog):
    line = connect(UPGRADE + message(start()) + frame(b"?") * 50 + message(media(noise(160))))
    desk.until(desk.has_heard(160))
    assert desk.troubles == {"broken": 50}
    line.sendall(frame(b"?") * 51 + message(media(noise(160), 2)))
    desk.until(desk.has_ended())
    assert desk.troubles == {"broken": 101, "protocol": 1}
    assert len(caplog.records) == 2
    assert len(desk.heard()) == 160


def test_a_second_start_drops_the_call(desk, connect, caplog):
    connect(UPGRADE + b"".join(map(message, [start(), media(noise(160)), start()])))
    desk.until(desk.has_ended())
    assert desk.troubles == {"protocol": 1}
    assert "'CA1'" in caplog.text
    assert "a second time" in caplog.text
    assert desk.names == ["CA1"]
    np.testing.assert_array_equal(desk.heard(), decoded(noise(160)))


@given(st.data())
@settings(max_examples=60, deadline=None, phases=[Phase.explicit, Phase.generate])
def test_whatever_is_broken_nothing_is_raised(data):
    whole = json.dumps(data.draw(st.sampled_from([start(), media(noise(9), 2), STOP]))).encode()
    at = data.draw(st.integers(0, len(whole)))
    broken = (
        whole[:at] + data.draw(st.binary(max_size=4)) + whole[at + data.draw(st.integers(0, 4)) :]
    )
    with closing(Desk()) as desk, closing(socket.socket()) as line:
        line.connect(("127.0.0.1", desk.port))
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
    assert desk.troubles == {"protocol": 1}
    good.sendall(message(media(noise(160))))
    desk.until(desk.has_heard(160, "CA2"))


@pytest.mark.parametrize("change", [{"encoding": "OPUS"}, {"sampleRate": 16000}, {"channels": 2}])
def test_other_audio_is_refused_with_a_sentence_that_says_so(desk, connect, caplog, change):
    connect(stream(noise(160), name="CA1", media_format=MULAW | change))
    connect(stream(noise(160), name="CA2"))
    desk.until(desk.has_ended("CA2"))
    assert desk.names == ["CA2"]
    (record,) = caplog.records
    assert "'CA1'" in record.message
    assert "have it sent as audio/x-mulaw, 8000 Hz, one channel" in record.message
    assert str(next(iter(change.values()))) in record.message
    assert desk.troubles == {"codec": 1}


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


def test_a_call_that_is_refused_is_not_heard_and_its_connection_stays(desk, connect, caplog):
    desk.room = 1
    connect(UPGRADE + message(start()))
    desk.until(lambda: desk.names)
    refused = connect(stream(noise(8000), name="CA2")[: -len(message(STOP))])
    for chunk in range(100, 200):
        refused.sendall(message(media(noise(160), chunk)))
        desk.tick()
    assert not desk.blocks[0]
    refused.sendall(frame(b"?", PING))
    assert answer(desk, refused, 3) == bytes([0x80 | PONG, 1]) + b"?"
    refused.close()
    for _ in range(20):
        desk.tick()
    assert not desk.ended
    assert not desk.troubles, "whoever refuses it counts it"
    assert not caplog.records


def test_a_call_that_is_forgotten_frees_its_slot_and_is_not_told_to_end(desk, connect):
    line = connect(UPGRADE + message(start()) + message(media(noise(160))))
    desk.until(desk.has_heard(160))
    desk.server.forget(0)
    desk.server.forget(7)
    line.sendall(message(media(noise(160), 2)) + frame(b"?", PING))
    assert answer(desk, line, 3)[-1:] == b"?"
    line.sendall(message(STOP))
    line.close()
    for _ in range(20):
        desk.tick()
    assert len(desk.heard()) == 160
    assert not desk.ended


@pytest.mark.parametrize("max_samples", [100, 800, 2560])
def test_a_backlog_is_handed_over_in_order_and_in_pieces(max_samples):
    codes = noise(3 * 8000)
    with closing(Desk(max_samples=max_samples)) as desk, closing(socket.socket()) as line:
        line.connect(("127.0.0.1", desk.port))
        line.sendall(stream(codes))
        desk.until(desk.has_ended())
        sizes = [len(block) for block in desk.blocks[0]]
        assert set(sizes[:-1]) == {max_samples}
        assert sizes[-1] <= max_samples
        np.testing.assert_array_equal(desk.heard(), decoded(codes))


def test_a_second_of_backlog_is_read_on_one_tick():
    with closing(Desk(max_samples=8000)) as desk, closing(socket.socket()) as line:
        line.connect(("127.0.0.1", desk.port))
        line.sendall(UPGRADE + message(start()))
        desk.until(lambda: desk.names)
        counts = []
        for second in range(50):  # more than one, as the network may deliver in two parts
            desk.now += 0.9
            chunks = range(50 * second, 50 * second + 50)
            line.sendall(b"".join(message(media(noise(160), chunk)) for chunk in chunks))
            counts += desk.tick().counts.tolist()
        assert 8000 in counts


def test_a_sender_that_is_too_fast_waits_and_loses_nothing():
    with closing(Desk()) as desk, closing(socket.socket()) as line:
        line.connect(("127.0.0.1", desk.port))
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
        line.connect(("127.0.0.1", desk.port))
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
    monkeypatch.setattr(media_connections, "_QUIET_S", 0.01)
    with closing(Desk()) as desk, closing(socket.socket()) as line:
        line.connect(("127.0.0.1", desk.port))
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


def test_missing_chunks_are_told_where_they_are_missing(desk, connect, caplog):
    pieces = [media(noise(160), chunk) for chunk in (1, 2, 10, 11, 20)]
    connect(UPGRADE + b"".join(map(message, [CONNECTED, start(), *pieces, STOP])))
    desk.until(desk.has_ended())
    assert len(desk.heard()) == 5 * 160
    said = [record.getMessage() for record in caplog.records]
    assert said == ["In call 'CA1' some of its audio was lost; there may be more."]
    assert desk.missing() == [(320, 7 * 160), (640, 8 * 160)]
    assert desk.troubles == {"lost": 15}


def test_nobody_there_is_no_samples(desk):
    received = desk.tick()
    assert (len(received.slots), len(received.counts), len(received.samples)) == (0, 0, 0)


# The dialects.

LINEAR = np.array([0, 1, -1, 256, -32768, 32767] * 160, "<i2")


def telnyx(codes, encoding="PCMU", **parameters):
    said = {"call_control_id": "v3:c", "user_id": "u", "client_state": ""}
    said["media_format"] = {"encoding": encoding, "sample_rate": 8000, "channels": 1}
    said["custom_parameters"] = [{"name": n, "value": v} for n, v in parameters.items()]
    yield {"event": "connected", "version": "1.0.0"}
    yield {"event": "start", "sequence_number": "1", "start": said, "stream_id": "S-1"}
    yield {"event": "dtmf", "stream_id": "S-1", "dtmf": {"digit": "#"}, "sequence_number": "2"}
    said = {"track": "inbound", "chunk": "1", "timestamp": "20", "payload": encoded(codes)}
    yield {"event": "media", "sequence_number": "4", "media": said, "stream_id": "S-1"}
    yield {"event": "stop", "sequence_number": "5", "stop": {}, "stream_id": "S-1"}


def plivo(codes, encoding="audio/x-mulaw", sample_rate=8000, **parameters):
    said = {"callId": "pc", "streamId": "ps", "accountId": "MA", "tracks": ["inbound"]}
    said["mediaFormat"] = {"encoding": encoding, "sampleRate": sample_rate}
    further = {"extra_headers": ";".join(f"{n}={v}" for n, v in parameters.items())}
    yield {"event": "start", "sequenceNumber": 1, "start": said} | further
    yield {"event": "dtmf", "sequenceNumber": 2, "streamId": "ps", "dtmf": {"digit": "#"}}
    said = {"track": "inbound", "timestamp": "1705312200000", "chunk": 1}
    said["payload"] = encoded(codes)
    yield {"event": "media", "sequenceNumber": 3, "streamId": "ps", "media": said} | further
    yield {"event": "stop", "sequenceNumber": 4, "streamId": "ps"}


def exotel(codes, media_format=None, **parameters):
    said = {"stream_sid": "es", "call_sid": "ec", "account_sid": "ea", "from": "+91", "to": "+92"}
    said["custom_parameters"] = parameters or ""
    if media_format is None:
        media_format = {"encoding": "base64", "sample_rate": "8000", "bit_rate": "16"}
    said |= {"media_format": media_format} if media_format else {}
    yield {"event": "connected"}
    yield {"event": "start", "sequence_number": "1", "stream_sid": "es", "start": said}
    digit = {"digit": "#", "duration": "100"}
    yield {"event": "dtmf", "sequence_number": "2", "stream_sid": "es", "dtmf": digit}
    said = {"chunk": "2", "timestamp": "200", "payload": encoded(codes)}
    yield {"event": "media", "sequence_number": "3", "stream_sid": "es", "media": said}
    yield {"event": "stop", "sequence_number": "4", "stream_sid": "es", "stop": {}}


def bandwidth(codes, tracks=("inbound",), **parameters):
    coded = {"encoding": "PCMU", "sampleRate": 8000}
    said = {"accountId": "9", "callId": "c-b", "streamId": "s-b", "streamName": "n"}
    said["tracks"] = [{"name": name, "mediaFormat": coded} for name in tracks]
    yield {"eventType": "start", "metadata": said, "streamParams": parameters}
    for number, track in enumerate(tracks, 1):
        payload = encoded(codes if track == "inbound" else noise(160, 77))
        yield {
            "eventType": "media",
            "sequenceNumber": number,
            "track": track,
            "payload": payload,
        }
    yield {"eventType": "stop", "metadata": said}


def encoded(codes):
    return base64.b64encode(codes).decode()


ULAW = noise(160)
DIALECTS = {
    "Telnyx": (telnyx, ULAW, "v3:c", decoded(ULAW)),
    "Plivo": (plivo, ULAW, "pc", decoded(ULAW)),
    "Exotel": (exotel, LINEAR.tobytes(), "ec", LINEAR / np.float32(32768)),
    "Bandwidth": (bandwidth, ULAW, "c-b", decoded(ULAW)),
}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_each_vendor_is_understood(desk, connect, caplog, dialect):
    speak, codes, name, expected = DIALECTS[dialect]
    said = speak(codes, queue="sales", agent="a7", consent="Yes")
    connect(UPGRADE + b"".join(map(message, said)))
    desk.until(desk.has_ended(name))
    assert desk.offers == [Offer(name, Role.CUSTOMER, "sales", "a7", consent=True)]
    np.testing.assert_array_equal(desk.heard(name), expected)
    assert desk.digits == ([] if dialect == "Bandwidth" else [(0, "#")])
    assert not desk.troubles
    assert not caplog.records


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({}, Offer("CA1", Role.CUSTOMER)),
        ({"queue": "q", "consent": "TRUE"}, Offer("CA1", Role.CUSTOMER, "q", "", consent=True)),
        ({"agent": "a", "consent": "no"}, Offer("CA1", Role.CUSTOMER, "", "a", consent=False)),
        ({"consent": "perhaps"}, Offer("CA1", Role.CUSTOMER)),
    ],
)
def test_custom_parameters_say_queue_agent_and_consent(desk, connect, said, expected):
    connect(UPGRADE + message(start(**said)) + message(STOP))
    desk.until(desk.has_ended())
    assert desk.offers == [expected]


def test_names_are_no_longer_than_a_line_can_bear(desk, connect):
    connect(UPGRADE + message(start("C" * 201)) + message(STOP))
    connect(UPGRADE + message(start("CA2", agent="a" * 201, queue="q" * 200)) + message(STOP))
    desk.until(desk.has_ended("CA2"))
    assert desk.offers == [Offer("CA2", Role.CUSTOMER, "q" * 200, "a" * 200)]
    assert desk.troubles == {"broken": 1}


def test_pcma_of_telnyx_is_a_law(desk, connect):
    connect(UPGRADE + b"".join(map(message, telnyx(ULAW, "PCMA"))))
    desk.until(desk.has_ended("v3:c"))
    np.testing.assert_array_equal(desk.heard("v3:c"), decoded(ULAW, g711.Encoding.A_LAW))


@pytest.mark.parametrize("encoding", ["OPUS", "G722", "AMR-WB"])
def test_codecs_that_are_not_decoded_are_refused_by_name(desk, connect, caplog, encoding):
    connect(UPGRADE + b"".join(map(message, telnyx(ULAW, encoding))))
    desk.until(lambda: desk.troubles)
    assert desk.troubles == {"codec": 1}
    assert f"its audio is '{encoding}'" in caplog.text
    assert not desk.names


@pytest.mark.parametrize("rate", [16000, 24000])
@pytest.mark.parametrize("vendor", ["Plivo", "Exotel"])
def test_linear_pcm_at_other_rates_comes_at_the_engines(desk, connect, rate, vendor):
    time_s = np.arange(rate) / rate
    sent = (10_000 * np.sin(2 * np.pi * 500 * time_s)).astype("<i2").tobytes()
    if vendor == "Plivo":
        said = plivo(sent, "audio/x-l16", rate)
    else:
        said = exotel(sent, {"encoding": "audio/x-raw", "sample_rate": str(rate)})
    connect(UPGRADE + b"".join(map(message, said)))
    name = {"Plivo": "pc", "Exotel": "ec"}[vendor]
    desk.until(desk.has_ended(name))
    heard = desk.heard(name)
    assert len(heard) == 8000
    expected = 10_000 / 32768 * np.sin(2 * np.pi * 500 * np.arange(8000) / 8000)
    np.testing.assert_allclose(heard[200:-200], expected[200:-200], atol=1e-3)


def test_what_is_lost_of_a_resampled_call_is_told_where_it_is_missing(desk, connect):
    said = list(plivo(b"", "audio/x-l16", 16000))
    pieces = []
    for chunk in (1, 2, 4, 5):
        piece = media(np.full(320, 1000 * chunk, "<i2").tobytes(), chunk)
        pieces.append(piece)
    connect(UPGRADE + b"".join(map(message, [said[0], *pieces, said[-1]])))
    desk.until(desk.has_ended("pc"))
    assert desk.missing("pc") == [(320, 160)]
    assert len(desk.heard("pc")) == 4 * 160
    assert desk.heard("pc")[240] == pytest.approx(2000 / 32768, rel=0.05)
    assert desk.heard("pc")[400] == pytest.approx(4000 / 32768, rel=0.05)


@pytest.mark.parametrize(
    "media_format", [False, {"sample_rate": 8000}, {"encoding": "audio/x-raw"}]
)
def test_exotel_sends_linear_pcm_whether_it_says_so_or_not(desk, connect, media_format):
    connect(UPGRADE + b"".join(map(message, exotel(LINEAR.tobytes(), media_format))))
    desk.until(desk.has_ended("ec"))
    np.testing.assert_array_equal(desk.heard("ec"), LINEAR / np.float32(32768))


def test_half_a_sample_is_broken(desk, connect):
    connect(UPGRADE + b"".join(map(message, exotel(b"abc"))))
    desk.until(desk.has_ended("ec"))
    assert desk.troubles == {"broken": 1}


def test_two_tracks_of_bandwidth_are_taken_as_they_come(desk, connect):
    connect(UPGRADE + b"".join(map(message, bandwidth(ULAW, ["outbound", "inbound"]))))
    desk.until(desk.has_ended("c-b"))
    np.testing.assert_array_equal(desk.heard("c-b"), decoded(ULAW))
    assert not desk.troubles


def test_a_stream_without_the_customers_track_is_refused(desk, connect, caplog):
    connect(UPGRADE + message(start(tracks=["outbound"])) + message(media(ULAW, 1, "outbound")))
    desk.until(lambda: desk.troubles)
    assert desk.troubles == {"role": 1}
    assert "the customer's is 'inbound'" in caplog.text
    assert not desk.names


def test_a_key_that_no_telephone_has_is_broken(desk, connect):
    keys = [{"event": "dtmf", "dtmf": {"digit": key}} for key in ("d", "0", "12", "x", "", "*")]
    connect(UPGRADE + b"".join(map(message, [start(), *keys, STOP])))
    desk.until(desk.has_ended())
    assert desk.digits == [(0, "D"), (0, "0"), (0, "*")]
    assert desk.troubles == {"broken": 3}


# What waits.


def test_drained_says_of_each_call_whether_more_of_it_waits():
    with closing(Desk(max_samples=1000)) as desk, closing(socket.socket()) as line:
        line.connect(("127.0.0.1", desk.port))
        line.sendall(UPGRADE + message(start()) + message(media(noise(2500))))
        rows = []
        while len(rows) < 3:
            received = desk.tick()
            rows += zip(received.counts.tolist(), received.drained.tolist(), strict=True)
        assert rows == [(1000, False), (1000, False), (500, True)]


def test_skipping_drops_the_oldest_and_tells_it_as_lost():
    with closing(Desk(max_samples=1000)) as desk, closing(socket.socket()) as line:
        line.connect(("127.0.0.1", desk.port))
        codes = noise(9500)
        line.sendall(UPGRADE + message(start()) + message(media(codes)))
        desk.until(desk.has_heard(1000))
        desk.server.skip([0, 5])
        line.sendall(message(STOP))
        desk.until(desk.has_ended())
        np.testing.assert_array_equal(desk.heard(), decoded(codes[:1000] + codes[-1000:]))
        assert desk.missing() == [(1000, 7500)]


def test_what_is_lost_ends_what_is_handed_over_on_a_tick(desk, connect):
    said = [media(noise(160, n), n) for n in (1, 2, 5, 6, 9)]
    connect(UPGRADE + b"".join(map(message, [start(), *said, STOP])))
    desk.until(desk.has_ended())
    assert [len(block) for block in desk.blocks[0]] == [320, 320, 160]
    assert desk.missing() == [(320, 320), (640, 320)]


def test_who_is_faster_than_speech_is_held_back_and_loses_nothing(connect, desk, caplog):
    seconds = 60
    line = connect(UPGRADE + message(start()))
    desk.until(lambda: desk.names)
    began = desk.now
    data = b"".join(message(media(noise(8000, n), n)) for n in range(1, seconds + 1))
    sending = threading.Thread(target=line.sendall, args=(data + message(STOP),))
    sending.start()
    while not desk.ended:
        desk.tick()
        time.sleep(0.0005)
        ahead = len(desk.heard()) / 8000 - (desk.now - began)
        assert ahead < 40, "it is ten seconds, and what is read at once"
    sending.join()
    assert desk.now - began > seconds - 40
    expected = decoded(b"".join(noise(8000, n) for n in range(1, seconds + 1)))
    np.testing.assert_array_equal(desk.heard(), expected)
    assert desk.troubles == {"flood": 1}
    assert len(caplog.records) == 1


@pytest.mark.parametrize(
    "flood",
    [frame(b"", PING), frame(b"", TEXT, last=False) + frame(b"", 0), message({"event": "mark"})],
)
def test_messages_without_audio_hold_up_nobody(connect, desk, caplog, flood):
    line = connect(UPGRADE + message(start("loud")))
    desk.until(lambda: desk.names)
    line.setblocking(False)
    sent, patience = 0, 100
    while patience:
        try:
            sent += line.send(flood * 4000)
        except BlockingIOError:
            desk.tick()
            patience -= 1
    assert sent < 2**24, "what the kernel holds, and little more: a tick reads 2 ** 18 bytes"
    assert desk.troubles["flood"] == 1
    assert "comes faster" in caplog.text
    codes = noise(1600)
    connect(stream(codes, name="CA2"))
    desk.until(desk.has_ended("CA2"))
    np.testing.assert_array_equal(desk.heard("CA2"), decoded(codes))


def test_of_many_pings_at_once_the_last_is_answered(desk, connect):
    line = connect(UPGRADE)
    line.sendall(frame(b"first", PING) + frame(b"last", PING))
    assert answer(desk, line, 6) == b"\x8a\x04last"


# Who is let in.


def test_who_never_starts_is_hung_up_on(desk, connect):
    silent, half, upgraded = connect(), connect(UPGRADE[:40]), connect(UPGRADE)
    chatty = connect(UPGRADE + message(CONNECTED))
    good = connect(UPGRADE + message(start("CA2")))
    desk.until(lambda: desk.names)
    assert desk.now < 10
    desk.now += 10
    desk.until(lambda: desk.troubles == {"greeting": 4})
    desk.tick()
    for line in (silent, half, upgraded, chatty):
        assert is_hung_up_on(line)
    good.sendall(message(media(ULAW)))
    desk.until(desk.has_heard(160, "CA2"))


def test_connections_without_a_start_are_bounded_and_the_rest_wait(desk, connect, monkeypatch):
    monkeypatch.setattr(media_connections, "_MOST_GREETING", 3)
    silent = [connect() for _ in range(3)]
    for _ in range(3):
        desk.tick()
    connect(stream(ULAW))
    for _ in range(10):
        desk.tick()
    assert not desk.names
    silent.pop().close()
    desk.until(desk.has_ended())


def request(target="/media", *headers):
    lines = [f"GET {target} HTTP/1.1", *headers]
    return UPGRADE.replace(b"GET /media HTTP/1.1", "\r\n".join(lines).encode())


def status(desk, line):
    """Return the status of the answer to the upgrade."""
    got = bytearray()
    line.setblocking(False)

    def has_come():
        try:
            while piece := line.recv(4096):
                got.extend(piece)
        except BlockingIOError:
            pass
        return b"\r\n\r\n" in got

    desk.until(has_come)
    return int(got.split()[1])


@pytest.mark.parametrize(
    ("target", "expected"),
    [("/media", 101), ("/media/x", 101), ("/", 404), ("/mediax", 404), ("//[", 404)],
)
def test_streams_are_let_in_at_their_path_alone(desk, connect, target, expected):
    assert status(desk, connect(request(target))) == expected
    assert desk.troubles == ({} if expected == 101 else {"greeting": 1})


SECRET = "s3cret/+="
BASIC = base64.b64encode(f"user:{SECRET}".encode()).decode()
SHOWN = {
    "query": (f"/media?token={quote(SECRET)}",),
    "bearer": ("/media", "Authorization: Bearer " + SECRET),
    "basic": ("/media", "authorization: basic " + BASIC),
    "path": ("/media/" + quote(SECRET, safe=""),),
}


@pytest.mark.parametrize("shown", SHOWN.values(), ids=SHOWN)
def test_a_token_lets_a_stream_in_wherever_it_is_shown(connect_to, shown):
    desk, connect = connect_to(Access(token=SECRET))
    connect(request(*shown) + stream(ULAW)[len(UPGRADE) :])
    desk.until(desk.has_ended())
    assert not desk.troubles


def test_a_token_may_come_with_the_start(connect_to):
    desk, connect = connect_to(Access(token=SECRET))
    connect(UPGRADE + message(start(token=SECRET)) + message(media(ULAW)) + message(STOP))
    desk.until(desk.has_ended())
    np.testing.assert_array_equal(desk.heard(), decoded(ULAW))


@pytest.mark.parametrize(
    "shown",
    [
        ("/media?token=wrong",),
        ("/media/wrong",),
        ("/media", "Authorization: Bearer wrong"),
        ("/media", "Authorization: Basic wrong"),
        ("/media", "Authorization: Basic " + base64.b64encode(b"\xff").decode()),
    ],
)
def test_a_wrong_token_is_answered_with_403(connect_to, caplog, shown):
    desk, connect = connect_to(Access(token=SECRET))
    assert status(desk, connect(request(*shown))) == 403
    assert desk.troubles == {"signature": 1}
    assert "wrong" in caplog.text
    assert "s3cret" not in caplog.text


@pytest.mark.parametrize("shown", [{}, {"token": "guess"}])
def test_a_start_without_the_token_closes_its_connection(connect_to, caplog, shown):
    desk, connect = connect_to(Access(token=SECRET))
    line = connect(UPGRADE + message(start("CA\n1", **shown)) + message(media(ULAW)))
    assert answer(desk, line, 4) == bytes([0x80 | CLOSE, 2]) + struct.pack("!H", 1008)
    assert desk.troubles == {"signature": 1}
    assert not desk.names
    assert "'CA\\n1'" in caplog.text
    assert "guess" not in caplog.text


def test_who_tries_tokens_fills_no_log(connect_to, caplog):
    desk, connected = connect_to(Access(token="s3cret"))
    for _ in range(30):
        connected(request("/media?token=guess"))
    desk.until(lambda: desk.troubles == {"signature": 30})
    assert len(caplog.records) == 10


def test_who_starts_without_the_token_and_leaves_is_refused_too(connect_to):
    desk, connect = connect_to(Access(token=SECRET))
    with disallowed_errors():
        connect(stream(ULAW) + frame(b"", CLOSE)).close()
        desk.until(lambda: desk.troubles == {"signature": 1})
        for _ in range(5):
            desk.tick()
    assert not desk.names


URL = "wss://hackles.example.com/media"


def signed(url, key="auth"):
    digest = hmac.new(key.encode(), url.encode(), "sha1").digest()
    return "X-Twilio-Signature: " + base64.b64encode(digest).decode()


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (signed(URL), 101),
        (signed(URL + "/"), 101),
        (signed(URL).lower().replace(signed(URL).split()[1].lower(), signed(URL).split()[1]), 101),
        (signed(URL, "other"), 403),
        (signed("wss://elsewhere.example.com/media"), 403),
        ("X-Twilio-Signature: \xe9", 403),
        ("X-Other: 1", 403),
    ],
)
def test_twilio_is_known_by_its_signature(connect_to, header, expected):
    desk, connect = connect_to(Access(twilio_token="auth", public_url=URL))
    assert status(desk, connect(request("/media", header))) == expected
    assert desk.troubles == ({} if expected == 101 else {"signature": 1})


def test_a_signature_as_twilio_makes_it_is_right():
    """The value is openssl's: printf wss://h/media | openssl dgst -sha1 -hmac 12345 -binary."""
    command = ["openssl", "dgst", "-sha1", "-hmac", "12345", "-binary"]
    digest = subprocess.run(command, input=b"wss://h/media", capture_output=True, check=True)
    header = {"X-Twilio-Signature": base64.b64encode(digest.stdout).decode()}
    access = Access(twilio_token="12345", public_url="wss://h/media")
    assert access.at_upgrade("/media", "/media", header) is Admission.GRANTED


def test_a_token_is_enough_where_signatures_are_checked_too(connect_to):
    desk, connect = connect_to(Access(twilio_token="auth", public_url=URL, token=SECRET))
    assert status(desk, connect(request(*SHOWN["path"]))) == 101
    assert status(desk, connect(request("/media", signed(URL)))) == 101
    assert status(desk, connect(request("/media", signed(URL, "other")))) == 403


def test_a_signature_needs_an_address():
    with pytest.raises(UsageError, match="public URL"):
        Access(twilio_token="auth")


def test_secrets_are_in_no_representation():
    said = repr(Access(twilio_token="auth", public_url=URL, token=SECRET))
    assert "auth" not in said
    assert "s3cret" not in said


# TLS.


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    command += ["-nodes", "-days", "1", "-subj", "/CN=localhost"]
    command += ["-keyout", folder / "key.pem", "-out", folder / "certificate.pem"]
    subprocess.run(command, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "certificate.pem", folder / "key.pem")
    trusting = ssl.create_default_context(cafile=folder / "certificate.pem")
    return context, trusting


def speak_tls(port, trusting, data):
    """Connect, send and wait for the answer to the upgrade, as a telephone system does."""
    with (
        socket.create_connection(("127.0.0.1", port)) as plain,
        trusting.wrap_socket(plain, server_hostname="localhost") as line,
    ):
        line.sendall(data[: len(UPGRADE)])
        line.recv(4096)
        line.sendall(data[len(UPGRADE) :])
        line.recv(4096)


def test_calls_over_tls_come_as_sent(certificate):
    context, trusting = certificate
    codes = [noise(12_000, n) for n in range(5)]
    with closing(Desk(tls=context)) as desk, ThreadPoolExecutor() as pool:
        names = [f"CA{n}" for n in range(5)]
        for name, some in zip(names, codes, strict=True):
            data = stream(some, name=name) + frame(b"", CLOSE)
            pool.submit(speak_tls, desk.port, trusting, data)
        desk.until(desk.has_ended(*names))
        for name, some in zip(names, codes, strict=True):
            np.testing.assert_array_equal(desk.heard(name), decoded(some))
        assert not desk.troubles


def test_who_does_not_speak_tls_disturbs_nobody(certificate, monkeypatch):
    monkeypatch.setattr(media_connections, "_GREETING_S", 0.2)
    context, trusting = certificate
    with (
        disallowed_errors(),
        closing(Desk(tls=context)) as desk,
        ThreadPoolExecutor() as pool,
        closing(socket.create_connection(("127.0.0.1", desk.port))) as silent,
        closing(socket.create_connection(("127.0.0.1", desk.port))) as plain,
    ):
        plain.sendall(UPGRADE)
        desk.until(lambda: desk.troubles == {"greeting": 2})
        monkeypatch.setattr(media_connections, "_GREETING_S", 10.0)
        assert is_hung_up_on(plain)
        assert is_hung_up_on(silent)
        with closing(Desk(tls=context)) as second:
            pool.submit(speak_tls, second.port, trusting, stream(ULAW) + frame(b"", CLOSE))
            second.until(second.has_ended())


# Whatever comes.

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)
WHOLE = [
    *telnyx(ULAW),
    *plivo(ULAW),
    *exotel(ULAW),
    *bandwidth(ULAW),
    start(),
    media(ULAW, 2),
    STOP,
]


@st.composite
def twisted(draw):
    """Return a vendor's message with one of its values replaced."""
    content = json.loads(json.dumps(draw(st.sampled_from(WHOLE))))
    inner = content
    while True:
        key = draw(st.sampled_from(sorted(inner)))
        if not isinstance(inner[key], dict) or not inner[key] or draw(st.booleans()):
            inner[key] = draw(JSON)
            return json.dumps(content).encode()
        inner = inner[key]


@given(st.lists(twisted() | st.binary(max_size=40), max_size=8), st.booleans())
@settings(max_examples=100, deadline=None)
def test_a_healthy_call_is_heard_bit_for_bit_whatever_its_neighbour_says(said, has_begun):
    codes = noise(1600)
    whole = stream(codes, name="healthy")
    with closing(Desk()) as desk, ExitStack() as stack, disallowed_errors():
        lines = [stack.enter_context(closing(socket.socket())) for _ in range(2)]
        for line in lines:
            line.connect(("127.0.0.1", desk.port))
        lines[1].sendall(UPGRADE + (message(start("other")) if has_begun else b""))
        lines[0].sendall(whole[:900])
        for text in said:
            lines[1].sendall(frame(text))
            desk.tick()
        lines[0].sendall(whole[900:])
        desk.until(desk.has_ended("healthy"))
        np.testing.assert_array_equal(desk.heard("healthy"), decoded(codes))
