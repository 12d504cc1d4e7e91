"""A process that listens by lines of one kind, as another system would: some live once only.

`python -m tests.listener LINES NAME KIND FILE` (`loopback` or `virtual`; `output` or `microphone`)
tells when the device is heard and when not, and writes what it heard once standard input ends.
"""

import importlib.util
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from hackles.capture.tap import Ear, Tap
from tests.program import PATIENCE_S


class Listener:
    """The process, as a test sees it."""

    def __init__(self, folder: Path, process: subprocess.Popen) -> None:
        """Begin to read what it tells."""
        self._folder, self._process = folder, process

    def until(self, told: str) -> str:
        """Wait until it tells something, and return the line."""
        for line in self._process.stdout:
            if told in line:
                return line
        raise AssertionError(f"it never told: {told}")

    def until_heard(self) -> None:
        """Wait until sound came from the device, again if it was away."""
        self.until("is heard.")

    def end(self) -> tuple[np.ndarray, float]:
        """End it; return what it heard, and the seconds that it missed since it first heard."""
        out, _ = self._process.communicate(timeout=60)
        assert self._process.returncode == 0, out
        heard = np.load(self._folder / "heard.npz")
        return heard["samples"], float(heard["lost_s"])


@contextmanager
def listener(
    folder: Path, environment: dict[str, str], lines: str, name: str, kind: str = "output"
) -> Iterator[Listener]:
    """Start one, as a client of the sound server of an environment."""
    command = ["tests.listener", lines, name, kind, str(folder / "heard.npz")]
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-m", *command],
        cwd=Path(__file__).parents[1],
        env={**environment, "PYTHONPATH": ":".join(sys.path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    patience = threading.Timer(PATIENCE_S, process.kill)
    patience.start()
    with process:
        try:
            yield Listener(folder, process)
        finally:
            patience.cancel()
            process.kill()


def need_soundcard() -> None:
    """Skip a test, or fail it where all is required, if soundcard is not installed."""
    if importlib.util.find_spec("soundcard") is None:
        missing = pytest.fail if os.environ.get("HACKLES_REQUIRE_ALL") == "1" else pytest.skip
        missing("not installed: soundcard")


def likeness(heard: np.ndarray, voice: np.ndarray) -> float:
    """Return how like the voice the likest stretch of what was heard is."""
    shift = np.argmax(np.correlate(heard, voice, "valid"))
    return np.corrcoef(heard[shift : shift + len(voice)], voice)[0, 1]


def main(lines: str, name: str, kind: str, path: str) -> None:
    """Listen until standard input ends."""
    if lines == "loopback":
        from hackles.capture.loopback_lines import LoopbackLines as Chosen
    else:
        from hackles.capture.virtual_lines import VirtualLines as Chosen
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
    ear = Ear(name, kind == "output")
    tap = Tap([ear], Chosen)
    sys.stdin.read()
    tap.check()
    tap.close()
    heard = ear.take()
    samples = np.concatenate([np.empty(0, np.float32), *[one.samples for one in heard]])
    first = next((n for n, one in enumerate(heard) if len(one.samples)), len(heard))
    np.savez(path, samples=samples, lost_s=sum(one.lost_s for one in heard[first + 1 :]))


if __name__ == "__main__":
    main(*sys.argv[1:])
