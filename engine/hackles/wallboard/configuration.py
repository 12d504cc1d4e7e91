"""The wallboard's configuration file: its form, and what its keys must be together."""

import re
from collections.abc import Iterator, Mapping
from importlib import resources
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from hackles.configuration import Checked
from hackles.configuration.addresses import address, is_loopback, networks
from hackles.configuration.checking import judged, settled
from hackles.configuration.faults import Finding, Section, Sections
from hackles.configuration.rules import open_to_all, twice, unreadable
from hackles.configuration.sections import Form
from hackles.errors import UsageError
from hackles.settings import host_port
from hackles.wallboard.settings import (
    Board,
    Escalation,
    Feed,
    Settings,
    SignIn,
    Team,
    Webhook,
)

_PATHS: Final = frozenset(
    [
        ("board", "folder"),
        ("board", "certificate"),
        ("board", "key"),
        ("feed", "token_file"),
        ("webhook", "secret_file"),
    ]
)

_NO_BROKER: Final = 'broker must be a URL such as "redis://127.0.0.1:6379"'
"""What was given is not repeated, for a password may be in it."""


def check(path: str, broker: str = "") -> Checked[Settings]:
    """Return what is wrong with a file, and its settings if they are well.

    Args:
        path: of the file.
        broker: chosen elsewhere, instead of what [feed] says.
    """
    return judged(FORM, path, {"feed": {"broker": broker}} if broker else {})


def load(path: str, broker: str = "") -> Settings:
    """Return what a file says.

    Raises:
        UsageError: which names every fault and its line, or says that the broker is no URL of one.
    """
    if broker:
        without_file(broker)  # a fault of the command line is not to be looked for in the file
    return settled(check(path, broker))


def without_file(broker: str = "") -> Settings:
    """Return what holds without a file.

    Raises:
        UsageError: if the broker is no URL of one.
    """
    if not _is_broker(broker):
        raise UsageError(f"The {_NO_BROKER}.")
    return msgspec.convert({"feed": {"broker": broker}}, Settings)


def summary(settings: Settings) -> str:
    """Return by which ways things come in and go out, in a few words."""
    board, feed = settings.board, settings.feed
    engines = "Redis" if feed.broker else "their own feed"
    people = "nobody" if settings.sign_in.by == "nobody" else "everybody"
    told = ", ".join(webhook.name for webhook in settings.webhook) or "nobody"
    return (
        f"the page on {board.listen}, engines by {engines}, {people} signs in; webhooks tell {told}"
    )


def example() -> str:
    """Return a file with every key there is, and what it means."""
    source = resources.files("hackles.wallboard") / "example.toml"
    return source.read_text(encoding="utf-8")


def _findings(_raw: Mapping[str, Any], sections: Sections) -> Iterator[Finding]:
    """Yield what is wrong with keys that are well by themselves."""
    board = _of(sections, ("board",), Board())
    sign_in = _of(sections, ("sign_in",), SignIn())
    feed = _of(sections, ("feed",), Feed())
    yield from _board(sections.get(("board",), Section(("board",), board)), board)
    if is_loopback(host_port(board.listen)[0]):
        if sign_in.by == "header" and not board.proxies:
            yield _without_proxies()
    else:
        yield from _beyond_loopback(board, sign_in, feed)
    yield from _feed(sections.get(("feed",), Section(("feed",), feed)), feed)
    yield from _lists(sections)


def _of(sections: Sections, path: tuple[str], default: Any) -> Any:
    return sections[path].values if path in sections else default


def _board(part: Section, board: Board) -> Iterator[Finding]:
    yield from address(part, board.listen)
    yield from networks(part, "proxies")
    for one, other in (("certificate", "key"), ("key", "certificate")):
        if getattr(board, one) and not getattr(board, other):
            yield Finding(part.path, f"{one} needs {other} beside it; add it", (one, other))
    yield from unreadable(part, "certificate", board.certificate)
    yield from unreadable(part, "key", board.key)
    yield from open_to_all(part, "key", board.key)
    if board.public_url and not _is_site(board.public_url):
        text = 'public_url must be as people type it, such as "https://board.example"'
        yield Finding(part.path, text, ("public_url",))


def _is_site(url: str) -> bool:
    """Return whether a URL names a site, and nothing within it."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return False
    is_bare = parts.path in ("", "/") and not (parts.query or parts.fragment or parts.username)
    return parts.scheme in ("http", "https") and bool(parts.hostname) and is_bare


def _without_proxies() -> Finding:
    text = (
        'by = "header" needs proxies under [board]: only what a declared proxy says of a person '
        "is believed; name its network, or let people sign in by password"
    )
    return Finding(("sign_in",), text, ("by",))


def _beyond_loopback(board: Board, sign_in: SignIn, feed: Feed) -> Iterator[Finding]:
    """Yield what an address that others can reach needs."""
    path, where = ("board",), f"listen {board.listen} can be reached from elsewhere; "
    if sign_in.by == "nobody":
        text = 'add [sign_in] with by = "password" or "header", or listen on 127.0.0.1'
        yield Finding(path, where + text, ("listen",))
    elif sign_in.by == "header" and not board.proxies:
        yield _without_proxies()
    if not board.certificate and not board.proxies:
        text = (
            "add certificate and key, or proxies with the network of the proxy that ends TLS in "
            "front of it, or listen on 127.0.0.1"
        )
        yield Finding(path, where + text, ("listen", "certificate"))
    if not board.public_url.startswith("https://"):
        text = 'add public_url with https, as people type it, such as "https://board.example"'
        yield Finding(path, where + text, ("listen", "public_url"))
    if not feed.broker and not feed.token_file:
        text = "add [feed] with token_file (engines bring what it holds), or broker"
        yield Finding(path, where + text, ("listen",))


def _is_broker(url: str) -> bool:
    return re.fullmatch(r"((rediss?|unix)://\S+)?", url) is not None


def _feed(part: Section, feed: Feed) -> Iterator[Finding]:
    yield from unreadable(part, "token_file", feed.token_file)
    yield from open_to_all(part, "token_file", feed.token_file)
    if not _is_broker(feed.broker):
        yield Finding(part.path, _NO_BROKER, ("broker",))
    elif feed.broker.startswith("redis://"):
        host = urlsplit(feed.broker).hostname or ""
        if not is_loopback(host):
            text = "broker is reached without encryption; take rediss:// where Redis has TLS"
            yield Finding(part.path, text, ("broker",), is_warning=True)


def _lists(sections: Sections) -> Iterator[Finding]:
    """Yield what is wrong with teams, escalation and webhooks."""
    from hackles.wallboard.webhooks import findings as of_webhook

    parts = list(sections.values())
    teams = [part for part in parts if isinstance(part.values, Team)]
    known = {part.values.name for part in teams if isinstance(part.values, Team)}
    yield from twice(teams, "name", "each team needs a name of its own")
    hooks = [part for part in parts if isinstance(part.values, Webhook)]
    yield from twice(hooks, "name", "each webhook needs a name of its own")
    for part in parts:
        if isinstance(part.values, Webhook):
            yield from open_to_all(part, "secret_file", part.values.secret_file)
            for keys, text in of_webhook(part.values):
                yield Finding(part.path, text, keys)
        if isinstance(part.values, Webhook | Escalation):
            for name in sorted(set(part.values.teams) - known):
                text = f'teams has "{name}", which no [[team]] is called; add one, or take it out'
                yield Finding(part.path, text, ("teams",))


FORM: Final = Form(Settings, _findings, _PATHS, example="hackles wallboard example")
