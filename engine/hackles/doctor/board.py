"""Whether the wallboard is there that is to be told of calls, and lets this engine in."""

import http
from pathlib import Path

from hackles.doctor.told import Telling, doubt, fault, well
from hackles.errors import UsageError
from hackles.settings import Board, Settings


def board(settings: Settings) -> Telling:
    """Tell whether the board, or the broker before it, can be reached."""
    section = settings.board
    if section is None:
        return
    try:
        secret = Path(section.token_file).read_text("utf-8").strip() if section.token_file else ""
        yield from _broker(section, secret) if section.broker else _direct(section, secret)
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        yield doubt("wallboard", f"cannot be reached now ({reason}); what happens is kept for it")
    except UsageError as error:
        yield fault("wallboard", str(error))


def _direct(section: Board, secret: str) -> Telling:
    """Ask the board's other road for engines, by which nothing is told."""
    from hackles.exchange.direct import DirectLink

    status = DirectLink(section.url, secret).ask("/metrics")
    if status == http.HTTPStatus.OK:
        yield well("wallboard", f"{section.url} answers, and knows this engine's secret")
    elif status == http.HTTPStatus.UNAUTHORIZED:
        text = "does not know the secret in token_file; give both the same"
        yield fault("wallboard", f"{section.url} {text}")
    else:
        text = f"is no wallboard (status {status}); correct url under [board]"
        yield fault("wallboard", f"{section.url} {text}")


def _broker(section: Board, secret: str) -> Telling:
    from hackles.exchange.broker import BrokerLink

    link = BrokerLink(section.broker, secret, "doctor")
    try:
        link.greet()
    finally:
        link.close()
    yield well("wallboard", "the broker answers")
