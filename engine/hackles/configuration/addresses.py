"""Who may reach what: the rules for addresses to listen on."""

import ipaddress
from collections.abc import Iterator
from itertools import combinations
from typing import Final

from hackles.configuration.faults import Finding, Section, Sections, title
from hackles.settings import AudioSocket, Control, Media, Metrics, host_port

_LAST_PORT: Final = 65535
_LOOPBACK_NAMES: Final = ("localhost", "ip6-localhost")


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach what listens there."""
    if host in _LOOPBACK_NAMES:
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def findings(sections: Sections) -> Iterator[Finding]:
    """Yield what is wrong with where the sections listen, and with whom they let in."""
    control = Section(("control",), Control())  # which listens, whether or not the file says so
    parts = {control.path: control} | sections
    listening = [part for part in parts.values() if hasattr(part.values, "listen")]
    for part in listening:
        yield from address(part, _listen(part))
        yield from networks(part, "allow_from")
        if not is_loopback(_host(part)):
            yield from _beyond_loopback(part)
    for first, second in combinations(listening, 2):
        if not {"listen"} & (first.bad | second.bad) and _clash(first, second):
            text = f"listen has the port of {title(first.path)}; give each its own"
            yield Finding(second.path, text, ("listen",))


def _listen(part: Section) -> str:
    if not isinstance(part.values, AudioSocket | Media | Control | Metrics):
        raise TypeError(f"{title(part.path)} does not listen")
    return part.values.listen


def _host(part: Section) -> str:
    return host_port(_listen(part))[0]


def address(part: Section, listen: str) -> Iterator[Finding]:
    """Yield what is wrong with where a section listens."""
    host, port = host_port(listen)
    if port > _LAST_PORT:
        yield Finding(part.path, f"listen has no port {port}; take one up to 65535", ("listen",))
    if ":" in host:
        try:
            ipaddress.IPv6Address(host)
        except ValueError:
            text = f"listen has no IPv6 address between the brackets: {host}"
            yield Finding(part.path, text, ("listen",))


def networks(part: Section, key: str) -> Iterator[Finding]:
    """Yield which items of a section's list, if it has that key, are no networks."""
    for entry in getattr(part.values, key, ()):
        try:
            ipaddress.ip_network(entry)
        except ValueError:
            yield Finding(part.path, _no_network(key, entry), (key,))


def _no_network(key: str, entry: str) -> str:
    """Return the sentence for what is no network, or has bits beyond its length."""
    try:
        meant = ipaddress.ip_interface(entry)
    except ValueError:
        return f'{key} has "{entry}", which is no network; write it as in "192.0.2.0/24"'
    return f'{key} has "{entry}"; write "{meant.network}" for the network, or "{meant.ip}"'


def _beyond_loopback(part: Section) -> Iterator[Finding]:
    """Yield what an address that others can reach needs."""
    values = part.values
    if isinstance(values, Control):
        yield Finding(
            part.path,
            "listen must be a loopback address, such as 127.0.0.1:9300: nobody need sign in yet, "
            "so whoever reached it could end calls",
            ("listen",),
        )
    elif isinstance(values, AudioSocket) and not values.allow_from:
        yield Finding(
            part.path,
            f"listen {values.listen} can be reached from elsewhere; add allow_from with the "
            'networks of your telephone system, as in ["192.0.2.0/24"], or listen on 127.0.0.1',
            ("listen", "allow_from"),
        )
    elif isinstance(values, Media):
        yield from _media_beyond_loopback(part, values)


def _media_beyond_loopback(part: Section, media: Media) -> Iterator[Finding]:
    if not (media.allow_from or media.token_file or media.twilio_token_file):
        yield Finding(
            part.path,
            f"listen {media.listen} can be reached from elsewhere; add token_file, "
            "twilio_token_file or allow_from, or listen on 127.0.0.1 behind a proxy",
            ("listen", "allow_from", "token_file", "twilio_token_file"),
        )
    if not media.certificate:
        yield Finding(
            part.path,
            f"listen {media.listen} takes voices without encryption; add certificate and key, "
            "or see to it that a proxy in front ends TLS",
            ("listen", "certificate"),
            is_warning=True,
        )


def _clash(first: Section, second: Section) -> bool:
    """Return whether two sections want the same port of the same host."""
    (one, port), (other, other_port) = host_port(_listen(first)), host_port(_listen(second))
    if port != other_port or port == 0:
        return False
    hosts = {"127.0.0.1" if host == "localhost" else host for host in (one, other)}
    return len(hosts) == 1 or bool(hosts & {"0.0.0.0", "::"})  # noqa: S104
