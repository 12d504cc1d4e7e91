"""A desktop session of a test's own: a screen that nobody sees, a session bus, dunst."""

import asyncio
import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from dbus_fast import Message, MessageType
from dbus_fast.aio import MessageBus

from tests.program import wait_until

PROGRAMS = ("Xvfb", "dbus-daemon", "dunst", "dunstctl")

# No folder of services: nothing is started by the bus that the test did not start.
_BUS = """\
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path={0}/bus</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"""

_DUNST = """\
[global]
    width = 420
    height = 300
    origin = top-right
    offset = 20x20
    font = DejaVu Sans 11
    markup = full
    stack_duplicates = false
    format = "<b>%s</b>\\n%b"
    dmenu = {0}/choose
    mouse_left_click = do_action
[urgency_normal]
    timeout = 0
"""

# Where dunst lets a person choose among actions, this chooses the one that is named in a file.
_CHOOSE = """\
#!/bin/sh
grep -F -m 1 -- "$(cat '{0}/choice')"
"""


def need(*programs: str) -> None:
    """Skip a test, or fail it where all is required, if a program is not installed."""
    missing = [name for name in programs if shutil.which(name) is None]
    if missing and os.environ.get("HACKLES_REQUIRE_ALL") == "1":
        pytest.fail(f"not installed: {', '.join(missing)}")
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")


@contextmanager
def screen() -> Iterator[str]:
    """Start an X server and yield its display."""
    need(*PROGRAMS)
    read, write = os.pipe()
    command = ["Xvfb", "-displayfd", str(write), "-screen", "0", "800x400x24", "-nolisten", "tcp"]
    process = subprocess.Popen(command, pass_fds=[write], stderr=subprocess.DEVNULL)
    os.close(write)
    try:
        with os.fdopen(read) as told:
            yield f":{told.readline().strip()}"
    finally:
        process.kill()
        process.wait()


_INTERFACE = """\
<node>
  <interface name="org.freedesktop.Notifications">
    <method name="GetServerInformation">
      <arg direction="out" type="s"/><arg direction="out" type="s"/>
      <arg direction="out" type="s"/><arg direction="out" type="s"/>
    </method>
    <method name="GetCapabilities"><arg direction="out" type="as"/></method>
    <method name="Notify">
      <arg direction="in" type="s"/><arg direction="in" type="u"/><arg direction="in" type="s"/>
      <arg direction="in" type="s"/><arg direction="in" type="s"/><arg direction="in" type="as"/>
      <arg direction="in" type="a{sv}"/><arg direction="in" type="i"/>
      <arg direction="out" type="u"/>
    </method>
    <method name="CloseNotification"><arg direction="in" type="u"/></method>
  </interface>
</node>
"""


class Desktop:
    """A session bus, and a notification server on it; each can be started and killed."""

    def __init__(self, folder: Path, display: str) -> None:
        """Start neither."""
        self.folder, self.address = folder, f"unix:path={folder}/bus"
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "XDG_RUNTIME_DIR": str(folder),
            "DISPLAY": display,
            "DBUS_SESSION_BUS_ADDRESS": self.address,
        }
        (folder / "bus.conf").write_text(_BUS.format(folder))
        (folder / "dunstrc").write_text(_DUNST.format(folder))
        (folder / "choose").write_text(_CHOOSE.format(folder))
        (folder / "choose").chmod(0o700)
        self._running: dict[str, subprocess.Popen] = {}
        self._watcher: Watcher | None = None

    def start_bus(self) -> None:
        """Start the bus, and watch what passes over it."""
        (self.folder / "bus").unlink(missing_ok=True)
        config = f"--config-file={self.folder}/bus.conf"
        bus = self._start("dbus-daemon", config, "--nofork", "--print-address")
        assert bus.stdout.readline()  # it listens
        bus.stdout.close()
        self._watcher = Watcher(self.address)

    def start_server(self) -> None:
        """Start dunst."""
        self._start("dunst", "-conf", f"{self.folder}/dunstrc")
        wait_until(lambda: self.dunstctl("is-paused").returncode == 0)

    def start_plain_server(self) -> None:
        """Start a server that shows bare text, and neither buttons nor markup."""
        answers = {
            "Introspect": ("s", [_INTERFACE]),
            "GetServerInformation": ("ssss", ["Plain", "nobody", "1", "1.2"]),
            "GetCapabilities": ("as", [["body"]]),
            "Notify": ("u", [1]),
            "CloseNotification": ("", []),
        }
        begun = threading.Event()

        async def serve() -> None:
            bus = await MessageBus(bus_address=self.address).connect()

            def answer(message: Message) -> Message | None:
                if message.message_type is not MessageType.METHOD_CALL:
                    return None
                return Message.new_method_return(message, *answers[message.member])

            bus.add_message_handler(answer)
            await bus.request_name("org.freedesktop.Notifications")
            begun.set()
            with suppress(EOFError, OSError):
                await bus.wait_for_disconnect()

        threading.Thread(target=lambda: asyncio.run(serve())).start()
        assert begun.wait(10)

    def kill(self, program: str) -> None:
        """End a program at once."""
        with self._running.pop(program) as process:
            process.kill()

    def stop(self, program: str) -> None:
        """Let a program hang."""
        self._running[program].send_signal(signal.SIGSTOP)

    def let_go_on(self, program: str) -> None:
        """Let it go on."""
        self._running[program].send_signal(signal.SIGCONT)

    def close(self) -> None:
        """End everything."""
        for program in list(self._running):
            self.kill(program)
        if self._watcher is not None:
            self._watcher.join()

    def dunstctl(self, *arguments: str) -> subprocess.CompletedProcess:
        """Do what a person does with the keyboard."""
        command = ["dunstctl", *arguments]
        return subprocess.run(
            command, env=self.environment, capture_output=True, text=True, timeout=10, check=False
        )

    def press(self, label: str) -> None:
        """Press the button on which that is written."""
        (self.folder / "choice").write_text(label)
        self.dunstctl("context")

    def click(self) -> None:
        """Click the notification."""
        self.dunstctl("action", "0")

    def told(self) -> list[list]:
        """Return every notification that was sent: name, replaced, icon, title, text, actions…"""
        return list(self._watcher.told)

    def shown(self) -> list[str]:
        """Return the titles of what is on the screen."""
        return [body[3] for body in self._watcher.shown.values()]

    def _start(self, *command: str) -> subprocess.Popen:
        self._running[command[0]] = process = subprocess.Popen(
            command, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        return process


class Watcher:
    """Sees all that passes over a bus, as dbus-monitor does, until the bus is gone."""

    def __init__(self, address: str) -> None:
        """Begin to watch."""
        self.told: list[list] = []
        self.shown: dict[int, list] = {}
        self._asked: dict[tuple, list] = {}
        self._watches = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run(address)))
        self._thread.start()
        assert self._watches.wait(10)

    def join(self) -> None:
        """Wait for the bus to be gone."""
        self._thread.join(10)

    async def _run(self, address: str) -> None:
        bus = await MessageBus(bus_address=address).connect()
        bus.add_message_handler(self._see)
        await bus.call(
            Message(
                destination="org.freedesktop.DBus",
                path="/org/freedesktop/DBus",
                interface="org.freedesktop.DBus.Monitoring",
                member="BecomeMonitor",
                signature="asu",
                body=[[], 0],
            )
        )
        self._watches.set()
        with suppress(EOFError, OSError):
            await bus.wait_for_disconnect()

    def _see(self, message: Message) -> bool:
        if message.member == "Notify" and message.message_type is MessageType.METHOD_CALL:
            self._asked[message.sender, message.serial] = message.body
            self.told.append(message.body)
        elif message.message_type is MessageType.METHOD_RETURN:
            body = self._asked.pop((message.destination, message.reply_serial), None)
            if body is not None:
                self.shown[message.body[0]] = body
        elif message.member == "NotificationClosed":
            self.shown.pop(message.body[0], None)
        elif message.member == "NameOwnerChanged" and message.body[0].endswith(".Notifications"):
            self.shown.clear()
        # Who watches must not answer, as the library would to calls that it does not know.
        return message.message_type is MessageType.METHOD_CALL
