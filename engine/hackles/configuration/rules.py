"""What keys must be together: pairs, files that must be there, a way in at all."""

import errno
import os
import stat
from collections.abc import Iterator, Mapping
from typing import Any, Final

from hackles.capture.files import parse_channels
from hackles.configuration import keeping, reaching
from hackles.configuration.faults import Finding, Section, Sections
from hackles.errors import UsageError
from hackles.settings import (
    DEFAULT_MODEL,
    Board,
    Device,
    Engine,
    Folder,
    Media,
    Output,
    Pipe,
    Store,
    host_port,
)

WAYS_IN: Final = ("audiosocket", "media", "pipe", "folder", "device")
_SECRETS: Final = ("key", "token_file", "twilio_token_file")
_ENOUGH: Final = 65536
_FOR_EVERYBODY: Final = stat.S_IROTH | stat.S_IWOTH


def findings(raw: Mapping[str, Any], sections: Sections) -> Iterator[Finding]:
    """Yield what is wrong with keys that are well by themselves."""
    if not any(raw.get(name, []) != [] for name in WAYS_IN):
        yield Finding(
            (),
            "There is no way in for calls; add [audiosocket], [media], [[pipe]], [[folder]] or "
            "[device] "
            "(`hackles config example` shows them)",
        )
    for part in sections.values():
        yield from _alone(part)
    pipes = [part for part in sections.values() if isinstance(part.values, Pipe)]
    yield from twice(pipes, "path", "each pipe can be read once only")
    yield from twice(pipes, "call", "each call needs a name of its own")


def _alone(part: Section) -> Iterator[Finding]:
    """Yield what is wrong within one section."""
    values = part.values
    if isinstance(values, Media):
        yield from _media(part, values)
    elif isinstance(values, Engine) and values.model != DEFAULT_MODEL:
        yield from unreadable(part, "model", values.model)
    elif isinstance(values, Folder):
        yield from _folder(part, values)
    elif isinstance(values, Pipe) and os.path.isdir(values.path):
        yield Finding(part.path, "path is a folder; name a pipe (mkfifo makes one)", ("path",))
    elif isinstance(values, Device):
        yield from _device(part, values)
    elif isinstance(values, Output):
        yield from _output(part, values)
    elif isinstance(values, Store):
        yield from keeping.findings(part, values)
    elif isinstance(values, Board):
        yield from reaching.findings(part, values)
        yield from unreadable(part, "token_file", values.token_file)
        yield from open_to_all(part, "token_file", values.token_file)


def _media(part: Section, media: Media) -> Iterator[Finding]:
    for one, other in (("certificate", "key"), ("key", "certificate")):
        if getattr(media, one) and not getattr(media, other):
            yield Finding(part.path, f"{one} needs {other} beside it; add it", (one, other))
    if media.twilio_token_file and not media.public_url:
        text = "twilio_token_file needs public_url, the address that Twilio was given; add it"
        yield Finding(part.path, text, ("twilio_token_file", "public_url"))
    if media.public_url and not media.public_url.startswith(("wss://", "https://")):
        text = 'public_url must begin with "wss://", as Twilio was given it'
        yield Finding(part.path, text, ("public_url",))
    yield from unreadable(part, "certificate", media.certificate)
    for key in _SECRETS:
        yield from unreadable(part, key, getattr(media, key))
        yield from open_to_all(part, key, getattr(media, key))


def _folder(part: Section, folder: Folder) -> Iterator[Finding]:
    try:
        parse_channels(folder.customer, None)
    except UsageError:
        text = f'customer must be left, right, a number from 1, or mono, not "{folder.customer}"'
        yield Finding(part.path, text, ("customer",))
    if not os.path.isdir(folder.path):
        text = f"path is no folder: {folder.path}; make it before calls are to be found in it"
        yield Finding(part.path, text, ("path",), is_warning=True)


def _device(part: Section, device: Device) -> Iterator[Finding]:
    if bool(device.output) == bool(device.customer_microphone):
        text = (
            "needs either output or customer_microphone, and not both: `hackles devices` says "
            "what there is"
        )
        yield Finding(part.path, text, ("output", "customer_microphone"))
    if device.agent_microphone and device.agent_microphone == device.customer_microphone:
        text = (
            "agent_microphone is the customer's, too; a microphone into which both speak cannot "
            "be listened to, so name another or leave it out"
        )
        yield Finding(part.path, text, ("agent_microphone",))
    if device.baresip and not 0 < host_port(device.baresip)[1] < 65536:
        text = "baresip names a port that there is not; baresip's own settings say which it is"
        yield Finding(part.path, text, ("baresip",))
    for key in ("baresip", "linphone", "wait_for_consent"):
        if getattr(device, key) and device.calls != "told":
            text = f'{key} needs calls = "told", or calls begin by the sound as well; add it'
            yield Finding(part.path, text, (key, "calls"))


def _output(part: Section, output: Output) -> Iterator[Finding]:
    above = os.path.dirname(output.jsonl)
    if above and not os.path.isdir(above):
        text = f"jsonl lies in a folder that is not there: {above}; make it before you start"
        yield Finding(part.path, text, ("jsonl",), is_warning=True)


def unreadable(part: Section, key: str, path: str) -> Iterator[Finding]:
    """Yield why a file cannot be used; its name is not told, for it may be the secret itself."""
    if not path:
        return
    try:
        content = _beginning(path)
    except (OSError, ValueError) as error:  # no name of a file may have a NUL
        reason = getattr(error, "strerror", None) or error
        text = f"{key} cannot be read ({reason}); name a file that this user may read"
        yield Finding(part.path, text, (key,))
        return
    if not content.strip():
        yield Finding(part.path, f"{key} names a file that holds nothing; fill it", (key,))


def _beginning(path: str) -> bytes:
    """Return how a file begins; what is no file might be waited for without end."""
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise OSError(errno.EINVAL, "not a regular file")
    with open(path, "rb") as file:
        return file.read(_ENOUGH)


def open_to_all(part: Section, key: str, path: str) -> Iterator[Finding]:
    """Yield a warning if everybody on this machine may read or change a secret."""
    try:
        mode = os.stat(path).st_mode if path else 0
    except (OSError, ValueError):
        return
    if mode & _FOR_EVERYBODY:
        text = f"{key} names a file that everybody on this machine may read; chmod 600 it"
        yield Finding(part.path, text, (key,), is_warning=True)


def twice(parts: list[Section], key: str, why: str) -> Iterator[Finding]:
    """Yield which sections have the same value of a key, where each needs its own."""
    seen = set()
    for part in parts:
        value = getattr(part.values, key)
        if value in seen and key not in part.bad:
            yield Finding(part.path, f'{key} = "{value}" is given twice; {why}', (key,))
        seen.add(value)
