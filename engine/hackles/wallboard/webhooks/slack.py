"""A message for Slack: blocks, and one line for notifications.

Source:
    docs.slack.dev, "Formatting message text": & < > are escaped, and mrkdwn that is `verbatim`
    makes no links and no mentions of names; "Section block": 3000 signs of text, 10 fields of
    2000.
"""

from typing import Any

from hackles.wallboard.webhooks.payload import moment
from hackles.wallboard.webhooks.templates import Message

_QUIET = "\u2060"
"""A word joiner, which nobody sees: behind an @ it keeps a queue's name from calling everybody."""


def slack(message: Message) -> dict[str, Any]:
    """Return it as Slack's incoming webhooks take it."""
    blocks: list[dict[str, Any]] = [
        {"type": "section", "text": _mrkdwn(f"*{escaped(message.title)}*")}
    ]
    fields = [_mrkdwn(f"*{name}*\n{escaped(value)}") for name, value in message.facts]
    if message.since_at is not None:
        fields.append(_mrkdwn(f"*{message.since}*\n{_time(message.since_at)}"))
    if fields:
        blocks.append({"type": "section", "fields": fields[:10]})
    if message.link:
        link = f"<{escaped(message.link).replace('|', '%7C')}|{escaped(message.link_text)}>"
        blocks.append({"type": "context", "elements": [_mrkdwn(link)]})
    return {"text": escaped(message.summary), "blocks": blocks}


def escaped(text: str) -> str:
    """Return a text in which nothing means anything to Slack but itself, and nobody is called."""
    safe = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return safe.replace("@", f"@{_QUIET}")


def _mrkdwn(text: str) -> dict[str, Any]:
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def _time(at: float) -> str:
    """Return a time as Slack shows it, in each reader's own time zone."""
    return f"<!date^{int(at)}^{{time_secs}}|{moment(at):%H:%M:%S} UTC>"
