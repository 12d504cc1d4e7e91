"""Signatures by Standard Webhooks: whoever has the secret can tell that it was us, and when."""

import base64
import binascii
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from hackles.errors import UsageError

_PREFIX: Final = "whsec_"
_FEWEST_BYTES: Final = 24
_MOST_BYTES: Final = 64


def new_secret() -> str:
    """Return a secret that nobody can guess, as it stands in a file."""
    return _PREFIX + base64.b64encode(secrets.token_bytes(32)).decode("ascii")


def read_secrets(path: str) -> tuple[str, ...]:
    """Return the secrets of a file, one a line: the second is there while one is changed.

    Raises:
        UsageError: if it cannot be read, or holds anything else; neither its name nor what it
            holds is told, for either might be the secret.
    """
    try:
        lines = Path(path).read_text(encoding="ascii").split()
    except UnicodeDecodeError as error:
        raise UsageError(_not_secrets()) from error
    except (OSError, ValueError) as error:  # no name of a file may have a NUL
        reason = getattr(error, "strerror", None) or error
        raise UsageError(
            f"secret_file cannot be read ({reason}); name a file that this user may read."
        ) from error
    if not 1 <= len(lines) <= 2 or not all(_is_secret(line) for line in lines):
        raise UsageError(_not_secrets())
    return tuple(lines)


def signed(of: Sequence[str], id_: str, at: float, body: bytes) -> dict[str, str]:
    """Return the headers that Standard Webhooks asks for.

    Args:
        of: the secrets; each signs.
        id_: of the message, the same at every attempt.
        at: of this attempt, in seconds since 1970.
        body: what is sent, UTF-8.
    """
    from standardwebhooks import Webhook

    when = datetime.fromtimestamp(int(at), UTC)
    text = body.decode()
    signatures = [Webhook(secret).sign(id_, when, text) for secret in of]
    return {
        "webhook-id": id_,
        "webhook-timestamp": str(int(at)),
        "webhook-signature": " ".join(signatures),
    }


def _is_secret(line: str) -> bool:
    if not line.startswith(_PREFIX):
        return False
    try:
        key = base64.b64decode(line.removeprefix(_PREFIX), validate=True)
    except binascii.Error:
        return False
    return _FEWEST_BYTES <= len(key) <= _MOST_BYTES


def _not_secrets() -> str:
    return (
        "secret_file must hold a secret as `hackles wallboard webhooks secret` prints it (two, "
        "each on its own line, while one is changed)."
    )
