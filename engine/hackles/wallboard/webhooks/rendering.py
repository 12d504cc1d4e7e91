"""A happening as the bytes that one webhook is sent."""

from typing import Any, Final

import msgspec

from hackles.wallboard.happenings import Happening
from hackles.wallboard.settings import Webhook
from hackles.wallboard.webhooks import payload, slack, teams, templates

_JSON: Final = "application/json"


def rendered(webhook: Webhook, happening: Happening, public_url: str) -> tuple[str, bytes]:
    """Return the media type and the body of what happened."""
    if webhook.format == "cloudevents":
        event = payload.event(happening, public_url)
        return payload.MEDIA_TYPE, msgspec.json.encode(event)
    return _JSON, _encoded(webhook, templates.message(happening, webhook.language, public_url))


def rendered_test(webhook: Webhook, id_: str, at: float, public_url: str) -> tuple[str, bytes]:
    """Return the media type and the body of a test."""
    if webhook.format == "cloudevents":
        return payload.MEDIA_TYPE, msgspec.json.encode(payload.test_event(id_, at, public_url))
    return _JSON, _encoded(webhook, templates.test_message(webhook.language, public_url))


def _encoded(webhook: Webhook, message: templates.Message) -> bytes:
    made: dict[str, Any]
    made = slack.slack(message) if webhook.format == "slack" else teams.teams(message)
    return msgspec.json.encode(made)
