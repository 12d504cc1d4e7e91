"""Ways in to a daemon on an agent's PC, each with somebody who speaks through it in real time."""

import contextlib
import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
import soundfile

from hackles.config import SAMPLE_RATE
from hackles.types import AnyArray

_PACKET: Final = round(0.02 * SAMPLE_RATE)


@dataclass(frozen=True)
class Line:
    """A way in that is there.

    Attributes:
        settings: the section that names it.
        play: speaks a recording (8 kHz, 16 bits, the customer alone) into it, as one call.
        is_exact: whether every sample comes as it was spoken.
        program: Python that the daemon begins with.
        environment: of the daemon, beside the usual.
    """

    settings: str
    play: Callable[[Path], None]
    is_exact: bool
    program: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)


@contextlib.contextmanager
def device(folder: Path) -> Iterator[Line]:
    """Start a PulseAudio of our own, with a sink that is listened to."""
    from tests.sound import CUSTOMER, sound_server

    (folder / "sound").mkdir()
    with sound_server(folder / "sound") as server:
        yield Line(
            f'[device]\noutput = "{CUSTOMER}"\nsilence_s = 5\n',
            lambda path: _played(server.play(CUSTOMER, path).wait()),
            is_exact=False,
            environment=server.environment,
        )


def _played(exit_code: int) -> None:
    if exit_code:
        raise RuntimeError(f"the recording could not be played ({exit_code})")


_AS_A_DEVICE: Final = """
import contextlib
with contextlib.suppress(ImportError):
    from hackles.live import room
    room.DESKTOP |= {"pipe"}
"""


@contextlib.contextmanager
def pipe(folder: Path) -> Iterator[Line]:
    """Make a named pipe, taken for the device that it stands for: one call, and no hurry."""
    path = folder / "customer"
    os.mkfifo(path)
    section = f'[[pipe]]\npath = "{path}"\ncall = "one"\nrole = "customer"\n'

    def play(recording: Path) -> None:
        samples = soundfile.read(recording, dtype="int16")[0].astype("<i2")
        with path.open("wb", buffering=0) as writer:
            for at in paced(len(samples)):
                writer.write(samples[at : at + _PACKET].tobytes())

    yield Line(section, play, is_exact=True, program=_AS_A_DEVICE)


WAYS: Final = {"device": device, "pipe": pipe}


def paced(n_samples: int) -> Iterator[int]:
    """Yield where each packet begins, when it has been spoken."""
    began = time.monotonic()
    for at in range(0, n_samples, _PACKET):
        time.sleep(max(0.0, began + (at + _PACKET) / SAMPLE_RATE - time.monotonic()))
        yield at


def customer(path: Path, seconds: float) -> AnyArray:
    """Return the customer's side of a sample call, again and again, as 16 bits."""
    samples: AnyArray = np.ascontiguousarray(soundfile.read(path, dtype="int16")[0][:, 1])
    return np.resize(samples, round(seconds * SAMPLE_RATE))
