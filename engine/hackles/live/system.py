"""What the system under the daemon lets it do: Linux all, macOS nearly all, Windows one desk.

On Windows it has not been run by us; tests run it where all is missing that Windows has not.
"""

import asyncio
import logging
import signal
import sys
from collections.abc import Callable, Iterator

from hackles.errors import UsageError
from hackles.settings import Settings

_log = logging.getLogger(__name__)


def supported(settings: Settings) -> Settings:
    """Return the settings, if the daemon can run with them on this system.

    Raises:
        UsageError: if it cannot, and what is to be taken out of them.
    """
    unsupported = ", ".join(_not_on_windows(settings)) if sys.platform == "win32" else ""
    if unsupported:
        raise UsageError(
            f"On Windows hackles live listens to one [device] and does without {unsupported}; take "
            "that out of the settings, or run it in WSL, which cannot hear this PC's devices."
        )
    return settings


def _not_on_windows(settings: Settings) -> Iterator[str]:
    """Yield what would need Unix: its sockets, pipes and locks, or files renamed while open."""
    for name in ("audiosocket", "media", "pipe", "folder", "store"):
        if getattr(settings, name):
            yield f"[{name}]"
    if settings.engine.workers > 1:
        yield "[engine] workers"
    if settings.output.jsonl not in ("", "-"):
        yield "[output] jsonl"
    if settings.device is not None and settings.device.linphone:
        yield "[device] linphone"


def on_signals(
    loop: asyncio.AbstractEventLoop, stop: Callable[[], None], reload: Callable[[], None]
) -> None:
    """Have signals stop the daemon, or make it read its settings again.

    Args:
        loop: that of this, the main, thread.
        stop: is called on it by SIGINT (Ctrl-C) and SIGTERM.
        reload: is called on it by SIGHUP, which Windows has not.
    """
    if sys.platform == "win32":
        for ours in (signal.SIGINT, signal.SIGBREAK):  # its loops know no signals
            signal.signal(ours, lambda *_: loop.call_soon_threadsafe(stop))
        return
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    loop.add_signal_handler(signal.SIGHUP, reload)


def allow_many_connections() -> None:
    """Let the process have as many connections as the system grants it."""
    if sys.platform == "win32":  # it has no such limit
        return
    import resource

    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    except (OSError, ValueError) as error:  # macOS grants less than it says
        _log.warning("Connections may become too many: no more files can be open (%s).", error)
