"""The link that an engine's settings name."""

from pathlib import Path

from hackles.errors import UsageError
from hackles.exchange.broker import BrokerLink
from hackles.exchange.direct import DirectLink
from hackles.exchange.link import Link
from hackles.settings import Board


def linked(board: Board, engine: str) -> Link:
    """Return the link that the settings name; nothing is connected as yet.

    Args:
        board: the section.
        engine: the name of this engine.

    Raises:
        UsageError: if it cannot be made so.
    """
    try:
        secret = Path(board.token_file).read_text(encoding="utf-8") if board.token_file else ""
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"[board] token_file cannot be read ({error}); name a file that this user may read."
        ) from error
    if board.broker:
        return BrokerLink(board.broker, secret.strip(), engine)
    return DirectLink(board.url, secret.strip())
