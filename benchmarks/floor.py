"""What one second of one live call costs at the least on this machine, whatever is done with it.

Nothing here is the engine's: the least that the kernel, the FFT library and the JSON library take
for the same number of packets and frames. The engine cannot be faster than their sum while it is
built on them; what it takes beyond that is what can be saved.

    python -m benchmarks.floor
"""

import os

# Read when numpy is imported.
os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")

import argparse
import base64
import socket
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from time import process_time

import msgspec
import numpy as np
import scipy.fft

from benchmarks.record import ROOT, Figures, command, commit, show, write
from hackles.config import FRAMES_PER_S, N_FFT, TILE_FRAMES
from hackles.pace import TICK_S

_CONNECTIONS = 200
_PACKETS_PER_S = 50
_PACKET = b"\x10\x01\x40" + bytes(320)
_TICKS_PER_S = round(1 / TICK_S)
_SPEECH = 0.45


def receiving_us() -> float:
    """Return what one `recv_into` of a tick's packets takes."""
    spent = []
    with ExitStack() as stack:
        server = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        pairs = []
        for _ in range(_CONNECTIONS):
            sender = stack.enter_context(socket.create_connection(server.getsockname()))
            receiver = stack.enter_context(server.accept()[0])
            sender.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            receiver.setblocking(False)
            pairs.append((sender, receiver.recv_into, memoryview(bytearray(4096))))
        for _ in range(20):
            for sender, _, _ in pairs:
                for _ in range(_PACKETS_PER_S // _TICKS_PER_S):
                    sender.send(_PACKET)
            began = process_time()
            for _, receive, room in pairs:
                receive(room)
            spent.append(1e6 * (process_time() - began) / _CONNECTIONS)
    return median(spent)


def per_row_us(run: Callable[[], object], rows: int) -> float:
    """Return what one row takes, by the median of many runs."""
    spent = []
    for _ in range(50):
        began = process_time()
        run()
        spent.append(1e6 * (process_time() - began) / rows)
    return median(spent)


def transforms_us() -> tuple[float, float]:
    """Return what one frame's Fourier transform takes, and one cosine transform."""
    chance = np.random.default_rng(0)
    frames = chance.standard_normal((TILE_FRAMES, N_FFT)).astype(np.float32)
    spectra = chance.standard_normal((TILE_FRAMES, N_FFT // 2)).astype(np.float32)
    return (
        per_row_us(lambda: scipy.fft.rfft(frames, axis=1), TILE_FRAMES),
        per_row_us(lambda: scipy.fft.dct(spectra, type=3, axis=1), TILE_FRAMES),
    )


def json_us() -> float:
    """Return what it takes to decode one message of a media stream."""

    class Media(msgspec.Struct):
        payload: bytes

    class Message(msgspec.Struct):
        media: Media

    payload = base64.b64encode(bytes(160)).decode()
    text = msgspec.json.encode(
        {"event": "media", "media": {"track": "inbound", "chunk": "1", "payload": payload}}
    )
    decode = msgspec.json.Decoder(Message).decode
    return per_row_us(lambda: [decode(text) for _ in range(1000)], 1000)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print and write the results."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks/results/floor.json")
    options = parser.parse_args(arguments)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    receiving, (fourier, cosine), decoding = receiving_us(), transforms_us(), json_us()
    rows = {
        "reading the socket, once a tick": (receiving, _TICKS_PER_S),
        "a 512-point rfft of every frame": (fourier, FRAMES_PER_S),
        "two cosine transforms of each frame of speech": (cosine, 2 * _SPEECH * FRAMES_PER_S),
    }
    figures: dict[str, Figures] = {
        name: {"us_each": round(each, 2), "times": round(times), "us": round(each * times, 1)}
        for name, (each, times) in rows.items()
    }
    least = sum(row["us"] for row in figures.values())
    figures["AudioSocket, in all"] = {"us": round(least, 1), "calls_at_most": round(1e6 / least)}
    spent = decoding * _PACKETS_PER_S
    figures["JSON and base64 of each packet"] = {
        "us_each": round(decoding, 2),
        "times": _PACKETS_PER_S,
        "us": round(spent, 1),
    }
    show("The least that one second of one call costs, and what a core could hold", figures)
    write(options.out, command("benchmarks/floor.py", options), {"commit": commit(), **figures})


if __name__ == "__main__":
    main()
