"""The desktop's notification server, over the session bus, by way of desktop-notifier.

That library speaks to other systems too, but there it wants the main thread, or an installed
application: what is here is for Linux desktops (and others that have a session bus).
"""

import asyncio
import contextlib
import html
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hackles.errors import UsageError

if TYPE_CHECKING:
    from dbus_fast.message import Message

_APPLICATION: Final = "hackles"
_BUS_NAME: Final = "org.freedesktop.Notifications"


@dataclass(frozen=True, slots=True)
class Notice:
    """What is shown: a line, a few lines below it, and buttons.

    Attributes:
        title: one line.
        text: a few lines.
        buttons: of each what is written on it, and what is called when it is pressed.
        on_click: what is called when the notification itself is clicked.
    """

    title: str
    text: str
    buttons: tuple[tuple[str, Callable[[], None]], ...]
    on_click: Callable[[], None]


def check_installed() -> None:
    """Make sure that notifications can be sent from this system at all.

    Raises:
        UsageError: if they cannot.
    """
    try:
        import desktop_notifier.backends.dbus  # noqa: F401 - takes 0.1 s, and is an extra
    except ImportError as error:
        raise UsageError(
            "[desktop] needs a Linux desktop and desktop-notifier: pip install 'hackles[desktop]', "
            "or take [desktop] out of the configuration."
        ) from error


class Server:
    """A connection to the server. Once it is lost it stays so, and another one is to be made.

    A server that hangs is waited for: to ask it again would show everything twice once it goes on.

    Attributes:
        is_lost: whether it is.
        name: what the server calls itself, and its version.
        has_buttons: whether it shows any.
    """

    def __init__(self, on_lost: Callable[[], None]) -> None:
        """Connect with `connect`.

        Args:
            on_lost: is called when this server, or the bus, is there no more.
        """
        from desktop_notifier.backends.dbus import DBusDesktopNotifier

        # It prints a traceback for what is said here in a sentence.
        logging.getLogger("desktop_notifier").setLevel(logging.CRITICAL)
        logging.getLogger("dbus_fast").setLevel(logging.CRITICAL)
        self._notifier = DBusDesktopNotifier(_APPLICATION, None)
        self._on_lost = on_lost
        self.is_lost = False
        self._reads_markup = False
        self._watch: asyncio.Task[None] | None = None
        self.name, self.has_buttons = "", False

    async def connect(self) -> None:
        """Find the server and ask what it can do.

        Raises:
            OSError: if there is none.
        """
        from desktop_notifier import Capability

        with _told():
            able = await self._notifier.get_capabilities()
            server = self._notifier.interface
            name, _, version, _ = await server.call_get_server_information()  # type: ignore[union-attr]
            said = await server.call_get_capabilities()  # type: ignore[union-attr]
        self.name = f"{name} {version}".strip()
        self.has_buttons = Capability.BUTTONS in able
        self._reads_markup = "body-markup" in said
        # The numbers of notifications begin anew with a new server: what belonged to the old one
        # would be taken for another program's.
        self._notifier.bus.add_message_handler(self._on_message)
        self._watch = asyncio.create_task(self._watch_bus())

    async def show(self, notice: Notice) -> int:
        """Show a notification and return its number, by which it is cleared.

        Raises:
            OSError: if the server does not take it.
        """
        from desktop_notifier import Button, Notification, Urgency

        if self.is_lost:
            raise OSError("it is there no more")
        buttons = tuple(Button(title, pressed) for title, pressed in notice.buttons)
        notification = Notification(
            title=notice.title,
            message=html.escape(notice.text, quote=False) if self._reads_markup else notice.text,
            urgency=Urgency.Normal,  # a critical one would stay on top, or flash
            # Without this ability some servers show a dialog instead, in the way of all else.
            buttons=buttons if self.has_buttons else (),
            on_clicked=notice.on_click,
        )
        with _told():
            await self._notifier.send(notification)  # keeps its errors to itself
        # The library forgets the number when a button is pressed, at which not every server closes
        # the notification. This map is private to it, and the only place where the number is.
        numbers = self._notifier._platform_to_interface_notification_identifier.inverse
        number = numbers.get(notification.identifier)
        if number is None:
            raise OSError("it did not take a notification")
        return number

    async def clear(self, number: int) -> None:
        """Take a notification off the screen, if it is still there.

        Raises:
            OSError: if the server is gone.
        """
        from dbus_fast.errors import DBusError

        if self.is_lost:
            return
        with _told(), contextlib.suppress(DBusError):  # closed by a person, or by its time
            await self._notifier.interface.call_close_notification(number)  # type: ignore[union-attr]

    async def close(self) -> None:
        """Leave the bus."""
        self.is_lost = True
        bus = getattr(self._notifier, "bus", None)  # is there once one has connected
        if bus is not None and bus.connected:
            bus.disconnect()
            await self._until_gone()
        if self._watch is not None:
            await self._watch

    def _on_message(self, message: "Message") -> None:
        if message.member == "NameOwnerChanged" and message.body[0] == _BUS_NAME:
            self._lose()

    async def _watch_bus(self) -> None:
        await self._until_gone()
        self._lose()

    async def _until_gone(self) -> None:
        with contextlib.suppress(Exception):  # with whatever the bus ends, it has ended
            await self._notifier.bus.wait_for_disconnect()  # type: ignore[no-untyped-call]

    def _lose(self) -> None:
        if not self.is_lost:
            self.is_lost = True
            self._on_lost()


@contextlib.contextmanager
def _told() -> Iterator[None]:
    """Raise as OSError whatever is raised by D-Bus, or by what speaks over it."""
    try:
        yield
    except Exception as error:
        raise OSError(str(error) or repr(error)) from error
