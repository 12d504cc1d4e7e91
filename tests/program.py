"""The installed program, run as people run it: in a pipe, and in a terminal."""

import json
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

HACKLES = shutil.which("hackles", path=str(Path(sys.executable).parent)) or "hackles"
PATIENCE_S = 100

# What would make rich take a pipe for a terminal, or a width for its own.
_UNWANTED = ("COLUMNS", "LINES", "FORCE_COLOR", "NO_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE")
ENVIRONMENT = {k: v for k, v in os.environ.items() if k not in _UNWANTED} | {"TERM": "xterm"}


@dataclass(frozen=True)
class Ended:
    """What a run left behind."""

    code: int
    out: str
    err: str


def ended(code: int, out: bytes, err: bytes) -> Ended:
    """Return what a run left; a traceback is never what somebody should see."""
    result = Ended(code, out.decode(), err.decode())
    assert "Traceback" not in result.out + result.err, result.err
    return result


def hackles(*arguments: object, **options: object) -> Ended:
    """Run the program to its end, its output in pipes."""
    return run(HACKLES, *arguments, **options)


def run(*command: object, **options: object) -> Ended:
    """Run a command to its end, its output in pipes."""
    given = {"env": ENVIRONMENT, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
    done = subprocess.run([str(c) for c in command], timeout=PATIENCE_S, check=False, **given)
    return ended(done.returncode, done.stdout or b"", done.stderr or b"")


@contextmanager
def started(*command: object) -> Iterator[subprocess.Popen]:
    """Start a command in a process group of its own; whatever is left of it is killed."""
    with subprocess.Popen(
        [str(c) for c in command],
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,  # or what was read ahead would be lost to `communicate`
        start_new_session=True,
    ) as process:
        try:
            yield process
        finally:
            if group(process.pid):
                os.killpg(process.pid, signal.SIGKILL)


def finish(process: subprocess.Popen) -> Ended:
    """Read what is left of a started command's output, and wait for its end."""
    out, err = process.communicate(timeout=PATIENCE_S)
    return ended(process.returncode, out, err)


def records(text: str) -> list[dict]:
    """Return the objects of whole lines of strict JSON."""

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    assert text == "" or text.endswith("\n")
    return [json.loads(line, parse_constant=refuse) for line in text.split("\n")[:-1]]


def summaries(text: str) -> dict[str, dict]:
    """Return each file's summary by the file's name; every file has one, as its last line."""
    found = records(text)
    ends = [record for record in found if record["type"] == "summary"]
    assert len({record["file"] for record in found}) == len(ends)
    return {Path(record["file"]).name: record for record in ends}


def group(leader: int) -> list[int]:
    """Return the living processes of a group (Linux)."""
    living = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            state, _, member_of = (folder / "stat").read_text().rpartition(")")[2].split()[:3]
        except OSError:
            continue
        if int(member_of) == leader and state not in "ZX":
            living.append(int(folder.name))
    return living


def wait_until(happened: Callable[[], object]) -> None:
    """Return once it has happened."""
    deadline = time.monotonic() + PATIENCE_S
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.01)


# The terminal must be the program's own for Ctrl-C to reach it.
_TAKE_TERMINAL = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
    "os.execv(sys.argv[1], sys.argv[1:])"
)


class Terminal:
    """The program in a terminal of 100 columns."""

    def __init__(self, *arguments: object) -> None:
        """Start it."""
        import fcntl
        import pty
        import struct
        import termios

        self._screen, inside = pty.openpty()
        fcntl.ioctl(inside, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
        self._process = subprocess.Popen(
            [sys.executable, "-c", _TAKE_TERMINAL, HACKLES, *map(str, arguments)],
            env=ENVIRONMENT,
            stdin=inside,
            stdout=inside,
            stderr=inside,
            start_new_session=True,
        )
        os.close(inside)
        self.shown = b""

    def press_ctrl_c(self) -> None:
        """Press it."""
        self.type("\x03")

    def type(self, text: str) -> None:
        """Type something."""
        os.write(self._screen, text.encode())

    def read_until(self, text: str) -> None:
        """Read until the text has been shown."""
        while text.encode() not in self.shown:
            assert self._read(), self.shown

    def _read(self) -> bool:
        ready, _, _ = select.select([self._screen], [], [], PATIENCE_S)
        assert ready, "nothing was shown for long"
        try:
            new = os.read(self._screen, 65536)
        except OSError:  # Linux says so that nobody is at the other end
            return False
        self.shown += new
        return bool(new)

    def end(self) -> Ended:
        """Read on to the end."""
        while self._read():
            pass
        os.close(self._screen)
        return ended(self._process.wait(PATIENCE_S), self.shown, b"")


def plain(shown: str) -> list[str]:
    """Return lines without colours, movements of the cursor, and what was written over."""
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown)
    return [line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n")]


_HOOKED = '''
"""hackles, with files that do as they are called."""
import os, sys, time
from hackles import batch, cli

open_recording = batch.open_recording

def hooked(path, channels):
    name = os.path.basename(path)
    if name.startswith("dies"):
        os._exit(9)
    if name.startswith("vanishes"):
        os.unlink(path)
    if name.startswith(("sleeps", "once")) and not os.path.exists(path + ".pid"):
        with open(path + ".new", "w") as file:
            file.write(str(os.getpid()))
        os.rename(path + ".new", path + ".pid")
        time.sleep(1000)
    recording = open_recording(path, channels)
    if name.startswith("grows"):
        with open(path, "ab") as file:
            file.write(bytes(1000))
    return recording

batch.open_recording = hooked
if __name__ == "__main__":
    cli.main()
'''


def hooked(folder: Path) -> tuple[str, str]:
    """Return a command: the program, with files that die, sleep, grow or vanish when opened.

    The processes that it starts import the same script, so it holds for them too. A file whose
    name begins with `once` sleeps only when it is opened for the first time.
    """
    script = folder / "hooked.py"
    script.write_text(_HOOKED)
    return sys.executable, str(script)
