"""A message for Microsoft Teams: an Adaptive Card, as a Workflows webhook takes it.

What anybody may have written stands in text runs, which know no markdown; our own words alone
stand where a time is shown in each reader's own time zone.

Source:
    adaptivecards.io, schema 1.5; learn.microsoft.com, "Create incoming webhooks with Workflows".
"""

from typing import Any

from hackles.wallboard.webhooks.payload import moment
from hackles.wallboard.webhooks.templates import Message


def teams(message: Message) -> dict[str, Any]:
    """Return it as a Workflows webhook takes it."""
    body = [_text(_run(message.title, weight="Bolder", size="Medium"))]
    for name, value in message.facts:
        body.append(_text(_run(f"{name}: ", weight="Bolder"), _run(value)))
    if message.since_at is not None:
        time = f"{moment(message.since_at):%Y-%m-%dT%H:%M:%SZ}"
        text = f"**{message.since}:** {{{{TIME({time})}}}}"
        body.append({"type": "TextBlock", "text": text, "wrap": True})
    card: dict[str, Any] = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.5",
        "body": body,
    }
    if message.link:
        action = {"type": "Action.OpenUrl", "title": message.link_text, "url": message.link}
        card["actions"] = [action]
    attachment = {
        "contentType": "application/vnd.microsoft.card.adaptive",
        "contentUrl": None,
        "content": card,
    }
    return {"type": "message", "attachments": [attachment]}


def _text(*runs: dict[str, Any]) -> dict[str, Any]:
    return {"type": "RichTextBlock", "inlines": list(runs)}


def _run(text: str, **how: str) -> dict[str, Any]:
    return {"type": "TextRun", "text": text, **how}
