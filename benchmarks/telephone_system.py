"""A telephone system to measure against: a process that sends calls at the pace of speech.

It stands in for Asterisk (AudioSocket) or for a provider of media streams (JSON over WebSocket):
every call sends a packet of 20 ms every 20 ms, each call at its own place in the same audio.
"""

import base64
import contextlib
import os
import socket
import struct
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection

import numpy as np

from hackles.capture.g711 import Encoding, decode
from hackles.config import SAMPLE_RATE

PACKET_SAMPLES = SAMPLE_RATE // 50
PACKET_S = 0.02
GROUPS = 4
"""A round of packets leaves in so many parts, spread over its 20 ms."""

_REPLY_S = 30.0
_MASK = b"\x5a\x17\xc3\x3e"


@dataclass(frozen=True)
class Order:
    """What is to be sent.

    Attributes:
        protocol: a key of `PROTOCOLS`.
        port: on loopback.
        n_calls: how many calls at a time.
        rounds: packets of each call.
        codes: µ-law, shape (n_packets, PACKET_SAMPLES); each call begins somewhere in it.
        seed: decides where.
        core: to run on, if any.
    """

    protocol: str
    port: int
    n_calls: int
    rounds: int
    codes: np.ndarray
    seed: int
    core: int | None


@dataclass(frozen=True)
class Sent:
    """What became of it.

    Attributes:
        times_s: on the monotonic clock, when each group of each round began to leave, shape
            (rounds, GROUPS).
        late_s: how long after it was due, the same shape.
        refused: packets that the connection had no room for.
        samples: all that were sent.
    """

    times_s: np.ndarray
    late_s: np.ndarray
    refused: int
    samples: int


def serve_order(order: Order, answer: Connection) -> None:
    """Connect, send, hang up; the answer is `True` when audio begins, then a `Sent`."""
    if order.core is not None:
        os.sched_setaffinity(0, {order.core})
    connect, packets_of, hang_up = PROTOCOLS[order.protocol]
    packets = packets_of(order.codes)
    with contextlib.ExitStack() as stack:
        lines = connect(order, stack)
        for line in lines:
            line.setblocking(False)
        answer.send(True)
        sent = _send_all(order, lines, packets)
        for line in lines:
            line.setblocking(True)
            line.sendall(hang_up)
        answer.send(sent)
        answer.recv()  # until everything has been read


def _send_all(
    order: Order, lines: Sequence[socket.socket], packets: Callable[[int, int], bytes]
) -> Sent:
    """Send every round when it is due."""
    starts = starts_of(order)
    groups = [range(group, order.n_calls, GROUPS) for group in range(GROUPS)]
    due = time.monotonic() + PACKET_S + np.arange(order.rounds)[:, None] * PACKET_S
    due = due + np.arange(GROUPS) * PACKET_S / GROUPS
    times, refused = np.zeros_like(due), 0
    senders = [line.send for line in lines]
    for now in range(order.rounds):
        for group, calls in enumerate(groups):
            time.sleep(max(0.0, due[now, group] - time.monotonic()))
            times[now, group] = time.monotonic()
            for call in calls:
                packet = packets(starts[call] + now, now)
                try:
                    refused += senders[call](packet) != len(packet)
                except BlockingIOError:
                    refused += 1
    sent = order.rounds * order.n_calls - refused
    return Sent(times, times - due, refused, sent * PACKET_SAMPLES)


def starts_of(order: Order) -> list[int]:
    """Return the packet with which each call begins."""
    chosen = np.random.default_rng(order.seed).integers(0, len(order.codes), order.n_calls)
    result: list[int] = chosen.tolist()
    return result


def _connect(order: Order, stack: contextlib.ExitStack) -> Iterator[socket.socket]:
    for _ in range(order.n_calls):
        line = socket.create_connection(("127.0.0.1", order.port), timeout=_REPLY_S)
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield stack.enter_context(line)


def _name(call: int) -> bytes:
    """Return the name of a call, by which its number is known again."""
    return uuid.UUID(int=call).bytes


def number_of(name: str) -> int:
    """Return the number of a call from its name."""
    return uuid.UUID(name).int


# AudioSocket: kind, length, payload; 16 bits little-endian.


def _connect_audiosocket(order: Order, stack: contextlib.ExitStack) -> list[socket.socket]:
    lines = list(_connect(order, stack))
    for call, line in enumerate(lines):
        line.sendall(b"\x01\x00\x10" + _name(call))
    return lines


def _audiosocket_packets(codes: np.ndarray) -> Callable[[int, int], bytes]:
    samples = (decode(codes, Encoding.MU_LAW) * 32768).astype("<i2")
    packets = [struct.pack(">BH", 0x10, 2 * len(some)) + some.tobytes() for some in samples]
    return lambda place, _: packets[place % len(packets)]


# JSON media over WebSocket, as Twilio sends it; what a client sends is masked.


def _frame(text: bytes) -> bytes:
    """Return one masked text frame."""
    length = len(text)
    head = struct.pack(">BB", 0x81, 0x80 | length) if length < 126 else b""
    head = head or struct.pack(">BBH", 0x81, 0x80 | 126, length)
    mask = int.from_bytes((_MASK * (length // 4 + 1))[:length])
    return head + _MASK + (int.from_bytes(text) ^ mask).to_bytes(length)


def _connect_media(order: Order, stack: contextlib.ExitStack) -> list[socket.socket]:
    lines = list(_connect(order, stack))
    for line in lines:
        line.sendall(
            b"GET /media HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
            b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Key: " + base64.b64encode(os.urandom(16)) + b"\r\n\r\n"
        )
    for call, line in enumerate(lines):
        if not line.recv(4096).startswith(b"HTTP/1.1 101"):
            raise ConnectionError(f"call {call} was not let in")
        name = str(uuid.UUID(bytes=_name(call)))
        line.sendall(_frame(b'{"event":"connected","protocol":"Call","version":"1.0.0"}'))
        line.sendall(
            _frame(
                b'{"event":"start","sequenceNumber":"1","start":{"streamSid":"MZ%032x",'
                b'"accountSid":"AC0","callSid":"%s","tracks":["inbound"],"customParameters":{},'
                b'"mediaFormat":{"encoding":"audio/x-mulaw","sampleRate":8000,"channels":1}},'
                b'"streamSid":"MZ%032x"}' % (call, name.encode(), call)
            )
        )
    return lines


def _media_packets(codes: np.ndarray) -> Callable[[int, int], bytes]:
    payloads = [base64.b64encode(some.tobytes()) for some in codes]
    text = (
        b'{"event":"media","sequenceNumber":"%d","media":{"track":"inbound","chunk":"%d",'
        b'"timestamp":"%d","payload":"%s"},"streamSid":"MZ00000000000000000000000000000000"}'
    )

    def packet(place: int, now: int) -> bytes:
        payload = payloads[place % len(payloads)]
        return _frame(text % (now + 2, now + 1, 20 * now, payload))

    return packet


PROTOCOLS = {
    "audiosocket": (_connect_audiosocket, _audiosocket_packets, b"\x00\x00\x00"),
    "media": (_connect_media, _media_packets, _frame(b'{"event":"stop"}')),
}
"""How to connect, what each packet is (by its place in the audio, and in the call), the end."""
