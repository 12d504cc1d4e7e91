"""hackles where what Windows has not is missing: `python -m tests.windowslike live`.

It is no Windows: its event loop, its sound service (soundcard speaks to PulseAudio here), its files
and its clocks are Linux's. What it shows is that our own code asks for nothing of Unix alone.
"""

import asyncio
import builtins
import ctypes
import importlib
import os
import select
import signal
import socket
import sys
from collections.abc import Collection
from types import ModuleType, SimpleNamespace

MISSING = {
    *("fcntl", "grp", "pty", "pwd", "resource", "syslog", "termios", "tty"),
    *("desktop_notifier.backends.dbus", "pulsectl", "sounddevice"),
}


class StandIn(ModuleType):
    """A module of Python's without some of its names, or with others."""

    def __init__(self, real: ModuleType, without: Collection[str] = (), **other: object) -> None:
        """Stand in for a module."""
        super().__init__(real.__name__)
        vars(self).update(_real=real, _without=without, **other)

    def __getattr__(self, name: str) -> object:
        if name in self._without:
            raise AttributeError(f"module {self.__name__} has no {name} on Windows")
        return getattr(self._real, name)


STAND_INS = {
    "sys": StandIn(sys, platform="win32"),
    "os": StandIn(
        os,
        {
            *("O_CLOEXEC", "O_NONBLOCK", "chown", "fchmod", "fork", "geteuid", "getuid", "mkfifo"),
            *("pread", "pwrite", "uname"),
        },
    ),
    "signal": StandIn(
        signal,
        {"SIGHUP", "SIGKILL", "SIGUSR1", "SIG_BLOCK", "SIG_SETMASK", "pthread_sigmask"},
        SIGBREAK=signal.SIGUSR2,
    ),
    "select": StandIn(select, {"EPOLLRDHUP", "POLLIN", "epoll", "poll"}),
    "socket": StandIn(socket, {"AF_UNIX", "recv_fds", "send_fds"}),
    "ctypes": StandIn(
        ctypes,
        windll=SimpleNamespace(
            ole32=SimpleNamespace(CoInitializeEx=lambda *_: 0),
            kernel32=SimpleNamespace(GetUserDefaultUILanguage=lambda: 0x0409),
        ),
    ),
}

import_ = builtins.__import__


def import_for_us(name: str, names: dict | None = None, *more: object, **too: object) -> ModuleType:
    """Import as Windows would, where a module of hackles' asks; else as ever."""
    if (names or {}).get("__name__", "").partition(".")[0] == "hackles":
        if name in MISSING:
            raise ModuleNotFoundError(f"there is no {name} on Windows", name=name)
        if name in STAND_INS:
            return STAND_INS[name]
    return import_(name, names, *more, **too)


def refuse(*_: object) -> None:
    """Refuse what no event loop of Windows' can."""
    raise NotImplementedError


if __name__ == "__main__":
    builtins.__import__ = import_for_us
    for can in ("add_signal_handler", "add_reader", "add_writer", "create_unix_connection"):
        setattr(asyncio.SelectorEventLoop, can, refuse)
    importlib.import_module("hackles.cli").main()
