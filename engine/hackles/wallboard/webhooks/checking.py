"""What can be said of a webhook's settings before anything is sent."""

from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

from hackles.errors import UsageError
from hackles.wallboard.settings import Webhook
from hackles.wallboard.webhooks.addresses import is_public, literal
from hackles.wallboard.webhooks.signing import read_secrets

Found = tuple[tuple[str, ...], str]
"""The keys that were looked at, and a sentence without its capital and full stop."""


def findings(webhook: Webhook) -> Iterator[Found]:
    """Yield what is wrong with one webhook; its URL is not told, for it may hold a secret."""
    yield from _url(webhook)
    yield from _secrets(webhook)


def check(webhooks: Sequence[Webhook]) -> None:
    """See that they can be used.

    Raises:
        UsageError: which names the first fault.
    """
    names = [webhook.name for webhook in webhooks]
    for webhook in webhooks:
        if names.count(webhook.name) > 1:
            raise UsageError(f"Two webhooks are named {webhook.name!r}; give each a name.")
        for _, sentence in findings(webhook):
            raise UsageError(f"Webhook {webhook.name!r}: {sentence}.")


def _url(webhook: Webhook) -> Iterator[Found]:
    try:
        parts = urlsplit(webhook.url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port = "", None
    if not host or port == 0 or not _is_plain(webhook.url):
        yield ("url",), 'url is no address; write it as in "https://example.org/hook", in ASCII'
        return
    if parts.scheme not in ("https", "http"):
        yield ("url",), "url must begin with https://"
    if parts.scheme == "http" and not webhook.allow_private:
        text = "url must begin with https:// (http:// is for private addresses, by allow_private)"
        yield ("url", "allow_private"), text
    if parts.username is not None or parts.password is not None:
        yield ("url",), "url must not hold a user's name or password; receivers check a signature"
    if not webhook.allow_private and _is_inside(host):
        text = "url is in a private network or this machine; add allow_private = true if it is so"
        yield ("url", "allow_private"), f"{text} meant"


def _is_plain(url: str) -> bool:
    return url.isascii() and url.isprintable() and " " not in url


def _is_inside(host: str) -> bool:
    address = literal(host)
    if address is not None:
        return not is_public(address)
    return host.rstrip(".").split(".")[-1] in ("localhost", "local", "internal")


def _secrets(webhook: Webhook) -> Iterator[Found]:
    if not webhook.secret_file:
        if webhook.format == "cloudevents":
            text = "needs secret_file, which `hackles wallboard webhooks secret` prints a line for"
            yield ("secret_file", "format"), text
        return
    try:
        read_secrets(webhook.secret_file)
    except UsageError as error:
        yield ("secret_file",), str(error).removesuffix(".")
