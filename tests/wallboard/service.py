"""The whole service, as strangers try it: all its roads, and calls of two teams behind them."""

import asyncio
import time
from dataclasses import replace

import msgspec

from hackles.exchange.messages import Beat, Heard, Message
from hackles.wallboard import floor as floors
from hackles.wallboard import pages, watching, webhooks
from hackles.wallboard.board_roads import roads as board_roads
from hackles.wallboard.floor import Floor
from hackles.wallboard.hub import Hub
from hackles.wallboard.intake import Intake
from hackles.wallboard.roads import SIGNED_IN, Road
from hackles.wallboard.settings import Team, Webhook
from hackles.wallboard.webhooks import Webhooks
from hackles.wallboard.webhooks.roads import roads as webhook_roads
from hackles.wallboard.webhooks.signing import new_secret

TABLES = (floors.TABLES, webhooks.TABLES)
"""Of the rooms whose roads are below, beside those of access and audit."""

CALLS = {"call-of-billing": "Billing", "call-of-sales": "Sales"}
ALERTS = {"alert-of-billing": "Billing", "alert-of-sales": "Sales"}
FILE = "page.css"
FILLED = {"session": "call-of-billing", "alert": "alert-of-billing", "name": FILE}
"""What stands in paths; a webhook has the name of the page's file, too."""

_STATE = {"state": "rising", "level": 0.6, "trend_per_min": 0.2, "confidence": 0.8}


def service_roads(access):
    """Return all roads beside those of access; to be called on the board's loop."""
    secret = f"{access.settings.board.folder}/whsec"
    with open(secret, "w") as file:
        file.write(new_secret())
    settings = msgspec.structs.replace(
        access.settings,
        team=tuple(Team(name=name, queues=(name,)) for name in CALLS.values()),
        webhook=(Webhook(name=FILE, url="https://hooks.example/", secret_file=secret),),
    )
    book = access.accounts._book
    told = Webhooks(settings, book, audit=access.audit)
    intake = Intake(lambda message: floor.take(message))
    floor = Floor(settings, book, lambda _: None, intake.acknowledge)
    hub = Hub(floor)
    for message in _messages():
        floor.take(_said(message))
    access.works = [asyncio.create_task(hub.run()), asyncio.create_task(_beat(floor))]
    roads = [
        *pages.roads(settings.board.language),
        *board_roads(floor, hub, access.audit, settings.board.language),
        *intake.roads(),
        *webhook_roads(told),
        *watching.roads(floor, hub, told),
        Road(
            method="GET",
            path="/broken",
            who=SIGNED_IN,
            answer=_broken,
            says="Break.",
            is_documented=False,
        ),
    ]
    # Here many are asked for in a second; what comes of too many is tried on the roads of access.
    return [replace(road, limit=100_000) for road in roads]


async def _beat(floor):
    """Be an engine that is there."""
    while True:
        floor.take(_said(Beat(calls=2)))
        await asyncio.sleep(1.0)


def _said(said):
    return Message(engine="north", run="1", seq=1, at=time.time(), said=said)


async def _broken(_request, _viewer):
    raise RuntimeError("a secret of ours")


def _messages():
    """Yield what an engine says of two calls, each with an alert."""
    yield Beat(calls=2)
    for (session, team), alert in zip(CALLS.items(), ALERTS, strict=True):
        of = {"call": session, "session": session, "at": "2026-11-01T00:00:00Z"}
        yield _heard(of, team, type="call", state="begun")
        more = {"id": alert, "time": 5.0, "since": 3.0, "evidence": [], "withheld": None}
        yield _heard(of, team, type="alert", **_STATE, **more)


def _heard(of, team, **line):
    return Heard(line={"schema": 1, **of, **line}, queue=team, agent="a-1")
