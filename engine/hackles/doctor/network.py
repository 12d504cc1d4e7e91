"""Where it listens, and with which certificate."""

import errno
import http.client
import socket
import ssl
import time
from collections.abc import Iterator
from typing import Final

from hackles.doctor.told import Telling, Told, doubt, fault, well
from hackles.settings import Media, Settings, host_port

_PATIENCE_S: Final = 2.0
_DAY_S: Final = 86400
_SOON_DAYS: Final = 14
_PASSES: Final = 10
"""A handshake takes three."""


def ports(settings: Settings) -> Telling:
    """Tell whether the ports are free, or held by a hackles that runs."""
    is_running = _answers(settings.control.listen)
    for section, listen in _listening(settings):
        yield _port(f"[{section}] {listen}", listen, is_running)


def _listening(settings: Settings) -> Iterator[tuple[str, str]]:
    for name in ("control", "audiosocket", "media", "metrics"):
        section = getattr(settings, name)
        if section:
            yield name, section.listen


def _answers(control: str) -> bool:
    """Return whether a hackles answers there."""
    host, port = host_port(control)
    connection = http.client.HTTPConnection(host, port, timeout=_PATIENCE_S)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _port(place: str, listen: str, is_running: bool) -> Told:
    error = refusal(*host_port(listen))
    if error is None:
        return well("port", f"{place} is free")
    if getattr(error, "errno", None) == errno.EADDRINUSE:
        if is_running:
            return well("port", f"{place} is in use, and a hackles is running")
        return fault("port", f"{place} is in use by another program; end it or take another port")
    reason = getattr(error, "strerror", None) or error
    return fault("port", f"{place} cannot be listened on ({reason}); take another address or port")


def refusal(host: str, port: int) -> Exception | None:
    """Return why one cannot listen there. Nobody is let in: a call would be lost."""
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family) as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            tried.bind(address)
    except (OSError, ValueError) as error:  # a name may be no name at all
        return error
    return None


def certificate(media: Media) -> Telling:
    """Tell whether certificate and key belong together, and how long they hold."""
    if not media.certificate:
        return
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    wrong = _mismatch(server, media)
    if wrong:
        yield fault("certificate", wrong)
    else:
        yield well("certificate", "the key belongs to it")
        yield _expiry(server, media.certificate)


def _mismatch(server: ssl.SSLContext, media: Media) -> str:
    """Load certificate and key, or return why they cannot be used."""
    asked: list[bool] = []

    def password() -> str:  # without which the terminal would be asked
        asked.append(True)
        return ""

    try:
        server.load_cert_chain(media.certificate, media.key, password)
    except OSError as error:
        reason = getattr(error, "reason", "") or ""
        if asked:
            return "the key has a password; store it without one, readable by hackles alone"
        if reason in ("KEY_VALUES_MISMATCH", "KEY_TYPE_MISMATCH"):
            return "the key does not belong to it; give the key that it was made with"
        said = reason.replace("_", " ").lower() or error.strerror or str(error)
        return f"certificate and key cannot be used ({said}); give both as PEM files"
    return ""


def _expiry(server: ssl.SSLContext, path: str) -> Told:
    """Return until when a certificate holds, as a client who trusts it is told."""
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    client.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    try:
        client.load_verify_locations(path)
        until = _until(server, client)
    except ssl.SSLCertVerificationError as error:
        text = f"clients will refuse it: {error.verify_message}; have it renewed"
        return fault("certificate", text)
    except ssl.SSLError as error:
        return doubt("certificate", f"cannot tell until when it holds ({error.reason})")
    if until is None:
        return doubt("certificate", "cannot tell until when it holds")
    days = int((until - time.time()) // _DAY_S)
    text = f"holds for {days} more day{'' if days == 1 else 's'}"
    if days < _SOON_DAYS:
        return doubt("certificate", f"{text}; have it renewed")
    return well("certificate", text)


def _until(server: ssl.SSLContext, client: ssl.SSLContext) -> float | None:
    """Return when a certificate ends, in seconds since 1970, from a handshake in memory."""
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    caller = client.wrap_bio(to_client, to_server)
    sides = (caller, server.wrap_bio(to_server, to_client, server_side=True))
    for _ in range(_PASSES):
        for side in sides:
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    said = caller.getpeercert() or {}
    ends = said.get("notAfter")
    return float(ssl.cert_time_to_seconds(ends)) if isinstance(ends, str) else None
