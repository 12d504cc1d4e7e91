"""Ways in to a daemon on an agent's PC, each with somebody who speaks through it in real time."""

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np

from hackles.config import SAMPLE_RATE
from hackles.types import AnyArray

_PACKET: Final = round(0.02 * SAMPLE_RATE)


@dataclass(frozen=True)
class Line:
    """A way in that is there.

    Attributes:
        settings: the section that names it.
        play: speaks samples (16 bits) into it, at the pace of speech, as one call.
        program: Python that the daemon begins with.
        environment: of the daemon, beside the usual.
    """

    settings: str
    play: Callable[[AnyArray], None]
    program: str = ""
    environment: dict[str, str] = field(default_factory=dict)


@contextlib.contextmanager
def pipe(folder: Path) -> Iterator[Line]:
    """Make a named pipe, taken for the device that it stands for: one call, and no hurry."""
    path = folder / "customer"
    os.mkfifo(path)
    section = f'[[pipe]]\npath = "{path}"\ncall = "one"\nrole = "customer"\n'

    def play(samples: AnyArray) -> None:
        with path.open("wb", buffering=0) as writer:
            for at in paced(len(samples)):
                writer.write(samples[at : at + _PACKET].astype("<i2").tobytes())

    program = (
        "import contextlib\n"
        "with contextlib.suppress(ImportError):\n"
        "    from hackles.live import room\n"
        "    room.DESKTOP |= {'pipe'}\n"
    )
    yield Line(section, play, program)


def paced(n_samples: int) -> Iterator[int]:
    """Yield where each packet begins, when it has been spoken."""
    began = time.monotonic()
    for at in range(0, n_samples, _PACKET):
        time.sleep(max(0.0, began + (at + _PACKET) / SAMPLE_RATE - time.monotonic()))
        yield at


WAYS: Final = {"pipe": pipe}


def customer(path: Path, seconds: float) -> AnyArray:
    """Return the customer's side of a sample call, again and again, as 16 bits."""
    import soundfile

    samples: AnyArray = np.ascontiguousarray(soundfile.read(path, dtype="int16")[0][:, 1])
    return np.resize(samples, round(seconds * SAMPLE_RATE))
