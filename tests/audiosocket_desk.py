"""Asterisk's side of calls over AudioSocket, and a desk where they are taken."""

import socket
import struct
import time

import numpy as np

from hackles.capture.audiosocket_server import AudioSockets
from hackles.capture.intake import Offer
from hackles.capture.sockets import Listener

PATIENCE_S = 60
DTMF = b"\x03\0\x015"
HANG_UP = b"\0\0\0"


def message(kind: int, payload: bytes) -> bytes:
    return struct.pack(">BH", kind, len(payload)) + payload


def hello(number: int) -> bytes:
    return message(0x01, number.to_bytes(16, "big"))


def name(number: int) -> str:
    return f"00000000-0000-0000-0000-{number:012x}"


def sound(n_samples: int, seed: int = 0) -> np.ndarray:
    """Return int16 samples that are like nobody else's."""
    return np.random.default_rng(seed).integers(-32768, 32768, n_samples).astype("<i2")


def tone(n_samples: int, sample_rate: int) -> np.ndarray:
    """Return a loud int16 tone in some noise."""
    time_s = np.arange(n_samples) / sample_rate
    return (20_000 * np.sin(2 * np.pi * 440 * time_s) + sound(n_samples) / 8).astype("<i2")


def spoken(samples: np.ndarray, kind: int = 0x10, length: int = 160) -> bytes:
    """Return samples as messages of `length` samples, the last one shorter."""
    parts = (samples[at : at + length] for at in range(0, len(samples), length))
    return b"".join(message(kind, part.tobytes()) for part in parts)


def floats(samples: np.ndarray) -> np.ndarray:
    return samples.astype(np.float32) / np.float32(32768)


class Phone:
    """Asterisk's side of one call."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def say(self, data: bytes) -> None:
        self.socket.sendall(data)

    def reset(self) -> None:
        """Leave without saying so: the other side meets an error."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def heard(self) -> bytes | None:
        """Return what came from the other side: b"" if it hung up, None if nothing."""
        self.socket.setblocking(False)
        try:
            return self.socket.recv(1)
        except BlockingIOError:
            return None
        finally:
            self.socket.settimeout(PATIENCE_S)


class Hand:
    """A clock that is put forward by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Desk:
    """Where calls are taken: an intake, a few slots, and what each call brought."""

    def __init__(
        self, n_lines: int = 8, max_samples: int = 2560, n_slots: int = 8, **options
    ) -> None:
        self.door = Listener("127.0.0.1", 0)
        self.clock = options.get("clock", time.monotonic)
        self.intake = AudioSockets(self.door, n_lines, max_samples, **options)
        self.max_samples = max_samples
        self.free = list(range(n_slots))
        self.open: dict[int, str] = {}
        self.offers: list[Offer] = []
        self.blocks: dict[str, list[np.ndarray]] = {}
        self.lost: dict[str, list[int]] = {}
        self.drained: dict[str, list[bool]] = {}
        self.digits: dict[str, str] = {}
        self.ended: list[str] = []
        self.phones: list[Phone] = []

    def __enter__(self) -> "Desk":
        return self

    def __exit__(self, *exc: object) -> None:
        self.intake.close()
        for phone in self.phones:
            phone.socket.close()

    def phone(self) -> Phone:
        self.phones.append(Phone(self.door.port))
        return self.phones[-1]

    def open_call(self, offer: Offer) -> int | None:
        self.offers.append(offer)
        if not self.free:
            return None
        slot = self.free.pop()
        self.open[slot] = offer.call
        self.blocks[offer.call], self.lost[offer.call], self.drained[offer.call] = [], [], []
        self.digits[offer.call] = ""
        return slot

    def tick(self, seconds: float = 0.0) -> bool:
        """Put the clock forward, receive once, and return whether that brought any samples."""
        if seconds:
            self.clock.now += seconds
        received = self.intake.receive(self.open_call)
        n_rows = len(set(received.slots.tolist()))
        assert n_rows == len(received.slots) == len(received.counts)
        assert n_rows == len(received.lost) == len(received.drained)
        assert received.samples.dtype == np.float32
        assert received.counts.sum() == len(received.samples)
        assert received.counts.max(initial=0) <= self.max_samples
        blocks = np.split(received.samples, np.cumsum(received.counts))
        for slot, block, lost, drained in zip(
            received.slots.tolist(), blocks, received.lost, received.drained, strict=False
        ):
            self.blocks[self.open[slot]].append(block)
            self.lost[self.open[slot]].append(int(lost))
            self.drained[self.open[slot]].append(bool(drained))
        for slot, digit in received.digits:
            self.digits[self.open[slot]] += digit
        for slot in received.ended:  # a slot that ends twice is not open
            self.ended.append(self.open.pop(slot))
            self.free.append(slot)
        return len(received.samples) > 0

    def slot(self, number: int) -> int:
        return next(slot for slot, call in self.open.items() if call == name(number))

    def tick_until(self, is_done) -> None:
        until = time.monotonic() + PATIENCE_S
        while not is_done():
            assert time.monotonic() < until, "it never came"
            if not self.tick():
                time.sleep(0.001)

    def samples(self, number: int) -> np.ndarray:
        return np.concatenate([np.zeros(0, np.float32), *self.blocks.get(name(number), [])])

    def tick_until_heard(self, number: int, n_samples: int) -> None:
        self.tick_until(lambda: len(self.samples(number)) >= n_samples)

    def tick_until_over(self, *numbers: int) -> None:
        self.tick_until(lambda: {name(number) for number in numbers} <= set(self.ended))

    def lets_go_of(self, phone: Phone, data: bytes) -> None:
        """Say much more than sockets hold, which needs somebody who reads; then hang up."""
        phone.socket.setblocking(False)
        rest = memoryview(data * (1 + 8_000_000 // len(data)))
        while rest:
            self.tick()
            try:
                rest = rest[phone.socket.send(rest) :]
            except BlockingIOError:
                time.sleep(0.001)
        assert phone.heard() is None
        phone.socket.shutdown(socket.SHUT_WR)
        self.tick_until(lambda: phone.heard() == b"")


def settled(desk: Desk, number: int, kind: int = 0x10, length: int = 160) -> Phone:
    """Return a phone whose call has begun, with one packet of digital silence."""
    phone = desk.phone()
    phone.say(hello(number) + message(kind, bytes(2 * length)))
    desk.tick_until(lambda: desk.drained.get(name(number)))
    desk.blocks[name(number)].clear()
    desk.drained[name(number)].clear()
    desk.lost[name(number)].clear()
    return phone


def arrived(desk: Desk, phone: Phone, data: bytes) -> None:
    """Say something, and wait until the kernel has it at the other end."""
    phone.say(data)
    time.sleep(0.05)
