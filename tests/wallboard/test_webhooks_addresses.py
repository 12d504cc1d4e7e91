"""No webhook reaches what only this machine can reach, unless it was allowed."""

import asyncio
import shutil
import socket
import subprocess
import threading

import httpcore
import pytest

from hackles.errors import UsageError
from hackles.wallboard.settings import Webhook
from hackles.wallboard.webhooks import findings
from hackles.wallboard.webhooks.addresses import is_public
from hackles.wallboard.webhooks.connecting import Guarded, RefusedError, resolve
from hackles.wallboard.webhooks.signing import new_secret
from tests.wallboard.webhook_receivers import opened, raised, receiving, webhook

_INSIDE = """
    127.0.0.1 127.8.8.8 0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 172.16.0.1 172.31.255.255
    192.168.1.1 169.254.169.254 100.64.0.1 100.127.255.255 192.0.0.8 192.0.2.1 192.88.99.1
    198.18.0.1 198.51.100.7 203.0.113.9 224.0.0.1 239.255.255.250 240.0.0.1 255.255.255.255
    168.63.129.16 ::1 :: fe80::1 fe80::1%eth0 fc00::1 fdaa::1 fec0::1 ff02::1 2001:db8::1
    3fff::1 100::1 ::ffff:127.0.0.1 ::ffff:169.254.169.254 ::ffff:10.0.0.1 ::127.0.0.1
    2002:7f00:1:: 2002:a00:1:: 2001::1 64:ff9b::7f00:1 64:ff9b::a9fe:a9fe 64:ff9b:1::1
    5f00::1
"""
_OUTSIDE = """
    93.184.215.14 8.8.8.8 172.32.0.1 100.128.0.1 ::ffff:8.8.8.8
    2606:2800:21f:cb07:6820:80da:af6b:8b2c 2a00:1450:4001:82f::200e 64:ff9b::808:808
"""

_WRITTEN = """
    127.0.0.1 127.1 2130706433 0x7f000001 0x7f.0.0.1 0177.0.0.1 017700000001 0 0.0.0.0 [::1]
    [::] [::ffff:127.0.0.1] [::ffff:7f00:1] 169.254.169.254 0xa9fea9fe 2852039166 10.1.2.3
    192.168.0.1 100.64.0.1 [64:ff9b::7f00:1] [2002:7f00:1::] localhost LOCALHOST localhost.
    hooks.localhost printer.local metadata.google.internal
"""
INSIDE, OUTSIDE, WRITTEN = _INSIDE.split(), _OUTSIDE.split(), _WRITTEN.split()


@pytest.mark.parametrize("address", INSIDE)
def test_addresses_inside_are_not_public(address):
    assert not is_public(address)


@pytest.mark.parametrize("address", OUTSIDE)
def test_addresses_on_the_internet_are_public(address):
    assert is_public(address)


def told(url, tmp_path, **given):
    secret = tmp_path / "secret"
    secret.write_text(new_secret())
    hook = Webhook(**{"name": "crm", "url": url, "secret_file": str(secret)} | given)
    return [text for _, text in findings(hook)]


@pytest.mark.parametrize("host", WRITTEN)
def test_what_is_surely_inside_is_told_before_anything_is_sent(host, tmp_path):
    (text,) = told(f"https://{host}:8443/hook", tmp_path)
    assert "private network or this machine" in text
    assert told(f"https://{host}:8443/hook", tmp_path, allow_private=True) == []


@pytest.mark.parametrize("host", ["127.1", "2130706433", "0x7f.1", "0177.1", "localhost", "[::1]"])
def test_however_it_is_written_nothing_arrives_inside(host, tmp_path, monkeypatch):
    """Also where the check of the settings had been left out."""
    from hackles.wallboard.webhooks import checking

    monkeypatch.setattr(checking, "check", lambda _: None)
    with receiving() as receiver:
        port = receiver.server.server_address[1]
        for scheme in ("http", "https"):
            hook = webhook(f"{scheme}://{host}:{port}/", tmp_path, name=scheme, allow_private=False)
            (error,) = sent(tmp_path, hook)
            assert (
                error == "not sent: the address is private, and allow_private does not stand there"
            )
        assert receiver.got == []


def sent(tmp_path, hook, **given):
    """Send an alert and return the error that came of it, if any."""

    async def settle(webhooks):
        await webhooks.settle()
        await webhooks.close()

    with opened(tmp_path / hook.name, hook, **given) as webhooks:
        webhooks.put(raised())
        asyncio.run(settle(webhooks))
        return [one.last_error for one in webhooks.outbox.due(hook.name, 1e12, 9)]


def names(*answers):
    """Return a lookup that gives one answer after the other, and what was asked."""
    asked, left = [], list(answers)

    async def lookup(host, port):
        asked.append(host)
        return left.pop(0)

    return lookup, asked


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "169.254.169.254", "10.0.0.1"])
def test_a_name_that_means_an_address_inside_is_refused(address, tmp_path):
    hook = webhook("https://hooks.example.org/", tmp_path, allow_private=False)
    (error,) = sent(tmp_path, hook, resolve=names([address])[0])
    assert error.startswith("not sent: the address is private")
    hook = webhook("https://hooks.example.org/", tmp_path, name="two", allow_private=False)
    (error,) = sent(tmp_path, hook, resolve=names(["93.184.215.14", address])[0])
    assert error.startswith("not sent: the address is private")


class Wire:
    """Notes where one wanted to connect to, and nobody answers."""

    def __init__(self):
        self.addresses = []

    async def connect_tcp(self, host, *_):
        self.addresses.append(host)
        raise httpcore.ConnectError


def test_a_name_that_means_something_else_the_second_time_gains_nothing():
    lookup, asked = names(["93.184.215.14"], ["127.0.0.1"], ["93.184.215.14", "2a00::1"])
    guarded, wire = Guarded(False, True, lookup), Wire()
    guarded._backend = wire

    async def thrice():
        with pytest.raises(httpcore.ConnectError):
            await guarded.connect_tcp("hooks.example.org", 443)
        assert wire.addresses == ["93.184.215.14"]  # that which was checked, and not the name
        with pytest.raises(RefusedError):
            await guarded.connect_tcp("hooks.example.org", 443)
        assert wire.addresses == ["93.184.215.14"]
        with pytest.raises(httpcore.ConnectError):
            await guarded.connect_tcp("hooks.example.org", 443)
        assert wire.addresses[1:] == ["93.184.215.14", "2a00::1"]

    asyncio.run(thrice())
    assert asked == ["hooks.example.org"] * 3  # once for each connection


def test_without_encryption_nothing_goes_to_the_internet():
    guarded = Guarded(True, False, names(["93.184.215.14"])[0])
    with pytest.raises(RefusedError, match="http:// is for private ones"):
        asyncio.run(guarded.connect_tcp("hooks.example.org", 80))


def test_a_name_that_means_nothing_is_tried_again_later(tmp_path):
    async def none(host, port):
        raise socket.gaierror(-2, "Name or service not known")

    (error,) = sent(tmp_path, webhook("https://hooks.example.org/", tmp_path), resolve=none)
    assert error == "no answer (the name means no address)"


def test_the_lookup_gives_each_address_once():
    assert asyncio.run(resolve("127.0.0.1", 80)) == ["127.0.0.1"]


def test_proxies_of_the_environment_are_not_used(tmp_path, monkeypatch):
    with receiving() as proxy, receiving() as receiver:
        for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        assert sent(tmp_path, webhook(receiver.url, tmp_path)) == []
        assert (len(receiver.got), proxy.got) == (1, [])


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
@pytest.mark.parametrize("name", ["hooks.example.org", "elsewhere.example.org"])
def test_the_certificate_must_be_of_the_name_though_the_address_is_connected_to(
    tmp_path, monkeypatch, name
):
    import ssl

    files = [str(tmp_path / "certificate"), str(tmp_path / "key")]
    subject = ["-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}"]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", *subject]
    made = [*command, "-out", files[0], "-keyout", files[1]]
    subprocess.run(made, check=True, capture_output=True)
    monkeypatch.setenv("SSL_CERT_FILE", files[0])
    context, asked = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), []
    context.load_cert_chain(*files)
    context.sni_callback = lambda _socket, sni, _context: asked.append(sni)

    def serve(server):
        connection, _ = server.accept()
        with connection:
            try:
                with context.wrap_socket(connection, server_side=True) as encrypted:
                    while not encrypted.recv(65536).endswith(b"}"):
                        pass  # with something unread, closing would reset the connection
                    encrypted.send(b"HTTP/1.1 204 No Content\r\n\r\n")
            except OSError:
                pass  # the certificate was refused

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve, args=(server,), daemon=True)
        thread.start()
        url = f"https://hooks.example.org:{server.getsockname()[1]}/"
        errors = sent(tmp_path, webhook(url, tmp_path), resolve=names(["127.0.0.1"])[0])
        thread.join()
    assert asked == ["hooks.example.org"]
    if name == "hooks.example.org":
        assert errors == []
    else:
        assert "hostname mismatch" in errors[0].lower()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("ftp://example.org/", "must begin with https://"),
        ("http://example.org/", "must begin with https://"),
        ("https://user:pass@example.org/", "a user's name or password"),
        ("https://user@example.org/", "a user's name or password"),
        ("https:///hook", "url is no address"),
        ("example.org/hook", "url is no address"),
        ("https://example.org:99999/", "url is no address"),
        ("https://exam ple.org/", "url is no address"),
        ("https://żółw.pl/", "url is no address"),
        ("https://example.org/\r\nX: y", "url is no address"),
        ("https://[::1/", "url is no address"),
    ],
)
def test_addresses_that_cannot_be_used_are_told_without_what_stands_in_them(url, said, tmp_path):
    found = told(url, tmp_path)
    assert said in found[0]
    assert not any("pass@" in text or "hook" in text.replace("/hook", "") for text in found)


def test_settings_that_are_well_are_not_complained_of(tmp_path):
    assert told("https://example.org/hook?key=1", tmp_path) == []
    assert told("http://crm.lan/hook", tmp_path, allow_private=True) == []
    hook = Webhook(name="chat", url="https://hooks.slack.com/services/T/B/x", format="slack")
    assert list(findings(hook)) == []


def test_cloudevents_need_a_secret_and_names_are_used_once(tmp_path):
    hook = Webhook(name="crm", url="https://example.org/")
    assert [keys for keys, _ in findings(hook)] == [("secret_file", "format")]
    with (
        pytest.raises(UsageError, match="Webhook 'crm': needs secret_file"),
        opened(tmp_path, hook),
    ):
        pass
    two = [Webhook(name="chat", url="https://example.org/", format="teams")] * 2
    with pytest.raises(UsageError, match="Two webhooks are named 'chat'"), opened(tmp_path, *two):
        pass
