"""What the machine and this user's rights on it allow."""

import getpass
import os
import subprocess
import time
from pathlib import Path
from typing import Final

from hackles.batch import cores
from hackles.doctor.told import Telling, Told, doubt, fault, well
from hackles.settings import Settings

_WATCHED_S: Final = 0.1
_APART_S: Final = 0.05
_BEGUN: Final = 1_735_689_600
"""2025: a clock that says less has not been set."""

_OTHER_FILES: Final = 100
"""Descriptors for all but calls: logs, sinks, workers, those who ask for metrics."""

_BYTES_A_SECOND: Final = 20_000
"""Of one call on the wire: 8 kHz, 16 bits, or µ-law in base64 and JSON."""

_KERNEL_OVERHEAD: Final = 4
"""What the kernel needs for small packets, over what is in them."""

_TCP_RMEM: Final = Path("/proc/sys/net/ipv4/tcp_rmem")
_PATIENCE_S: Final = 5


def clock() -> Telling:
    """Tell whether the clocks go alike, and whether the time is set from the network."""
    wall, steady = time.time(), time.monotonic()
    time.sleep(_WATCHED_S)
    apart = abs((time.time() - wall) - (time.monotonic() - steady))
    if wall < _BEGUN:
        yield fault("clock", f"says {time.strftime('%Y-%m-%d')}; set the time")
    elif apart > _APART_S:
        yield doubt("clock", f"jumped by {apart:.2f} s while it was watched; see what sets it")
    else:
        yield well("clock", "goes evenly")
    yield _synchronised()


def _synchronised() -> Told:
    command = ["timedatectl", "show", "-p", "NTPSynchronized", "--value"]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_PATIENCE_S, check=False
        )
        said = done.stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        said = ""
    if said == "yes":
        return well("clock", "is set from the network")
    if said == "no":
        return doubt("clock", "is not set from the network; turn NTP on, or times in logs drift")
    return doubt(
        "clock", "cannot tell whether it is set from the network: timedatectl does not say"
    )


def permissions(settings: Settings) -> Telling:
    """Tell whether what is named can be read or written, by the user who asks."""
    jsonl = settings.output.jsonl
    if jsonl not in ("", "-"):
        target = jsonl if os.path.exists(jsonl) else os.path.dirname(jsonl)
        yield _allowed("[output] jsonl", target, os.W_OK, "written")
    for folder in settings.folder:
        yield _allowed("[[folder]] path", folder.path, os.R_OK | os.X_OK, "read")
    for pipe in settings.pipe:
        if pipe.path != "-":
            yield _allowed("[[pipe]] path", pipe.path, os.R_OK, "read")


def _allowed(key: str, path: str, mode: int, verb: str) -> Told:
    if not os.path.exists(path):
        return fault("permissions", f"{key}: {path} is not there; make it")
    if os.access(path, mode):
        return well("permissions", f"{key}: {path} can be {verb} by {_user()}")
    text = f"{key}: {path} cannot be {verb} by {_user()}; change its owner or permissions"
    return fault("permissions", text)


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a number without a name
        return "this user"


def capacity(settings: Settings) -> Telling:
    """Tell whether the machine can take as many calls as are configured."""
    yield from _open_files(settings.engine.calls)
    if settings.audiosocket or settings.media:
        yield from _kernel_memory(settings.engine.behind_s)
    workers, here = settings.engine.workers, cores()
    text = f"{workers} worker{'' if workers == 1 else 's'} on {here} core{'' if here == 1 else 's'}"
    if workers > here:
        yield doubt("cores", f"{text}; set [engine] workers to {here} at most")
    else:
        yield well("cores", text)


def _open_files(calls: int) -> Telling:
    try:
        import resource  # which Windows has not
    except ImportError:
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = calls + _OTHER_FILES
    if soft in (resource.RLIM_INFINITY, -1) or soft >= needed:
        yield well("open files", f"{soft if soft > 0 else 'no limit'}, {calls} calls need {needed}")
    else:
        text = f"{soft}, {calls} calls need {needed}; raise it (ulimit -n, LimitNOFILE of systemd)"
        yield fault("open files", f"{text}, which goes up to {hard}" if hard >= needed else text)


def _kernel_memory(behind_s: float) -> Telling:
    try:
        most = int(_TCP_RMEM.read_text().split()[2])
    except (OSError, ValueError, IndexError):
        yield doubt("kernel memory", "cannot tell how much the kernel keeps of a connection")
        return
    needed = round(behind_s * _BYTES_A_SECOND * _KERNEL_OVERHEAD)
    text = f"net.ipv4.tcp_rmem goes to {most} bytes, {behind_s:g} s of a call take {needed}"
    if most >= needed:
        yield well("kernel memory", text)
    else:
        yield doubt("kernel memory", f"{text}; raise its last number with sysctl")
