"""Webhooks: CloudEvents that are signed, and messages for Slack and Teams, at least once each."""

from hackles.wallboard.webhooks import endpoints, outbox
from hackles.wallboard.webhooks.checking import findings
from hackles.wallboard.webhooks.service import Webhooks

TABLES = outbox.TABLES + endpoints.TABLES

__all__ = ["TABLES", "Webhooks", "findings"]
