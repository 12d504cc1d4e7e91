"""The wallboard's settings, as a TOML file says them; without a file all are as here."""

from typing import Annotated, Literal

import msgspec

from hackles.settings import Log, Port, Section, Text


class Board(Section, frozen=True):
    """Where the board is.

    Attributes:
        listen: the page, its API, and the engines' direct feed.
        folder: holds accounts, the audit log, alerts that are open, and webhooks that wait.
        public_url: as people type it; needed beyond loopback, and for links in webhooks.
        certificate: PEM, with `key`; "" behind a proxy that ends TLS.
        proxies: networks of the proxies in front, whose word is taken for who asks and by which
            scheme; needed beyond loopback without a certificate.
        language: of everybody; "" for each reader's own.
    """

    listen: Port = "127.0.0.1:9310"
    folder: Text = "wallboard"
    public_url: str = ""
    certificate: str = ""
    key: str = ""
    proxies: tuple[str, ...] = ()
    language: Literal["", "en", "pl", "es"] = ""


class Feed(Section, frozen=True):
    """How engines reach the board.

    Attributes:
        broker: redis://… or rediss://…; "" if engines send to the board themselves.
        token_file: holds the secret that engines bring if they do (needed beyond loopback), or
            else the broker's password.
    """

    broker: str = ""
    token_file: str = ""


class SignIn(Section, frozen=True):
    """Who people are.

    Attributes:
        by: "nobody" signs in (loopback only), with a "password", or a proxy says who it is in a
            "header".
        header: which the proxies set once OpenID Connect (or whatever they use) is through.
        idle_minutes: without any request for so long, one is signed out ...
        hours: ... and after so long in any case.
    """

    by: Literal["nobody", "password", "header"] = "nobody"
    header: Text = "X-Forwarded-Email"
    idle_minutes: Annotated[int, msgspec.Meta(ge=1, le=7 * 24 * 60)] = 12 * 60
    hours: Annotated[int, msgspec.Meta(ge=1, le=30 * 24)] = 24


class Team(Section, frozen=True):
    """A call is a team's by its queue, or by the agent who takes it."""

    name: Text
    queues: tuple[str, ...] = ()
    agents: tuple[str, ...] = ()


class Escalation(Section, frozen=True):
    """What is to happen when an alert is left alone; each once for each alert.

    Attributes:
        state: from which state on.
        left: how it is left alone: `unseen` by anybody, or seen perhaps, but `unhelped`.
        after_s: so long in that state, and so left alone.
        do: what is told on the board and to webhooks; people do it, hackles does nothing itself.
        teams: whose calls; all if empty.
    """

    after_s: Annotated[float, msgspec.Meta(ge=1, le=3600)]
    do: Literal["notify_supervisor", "offer_call_back", "hand_over"]
    state: Literal["rising", "irritated"] = "irritated"
    left: Literal["unseen", "unhelped"] = "unseen"
    teams: tuple[str, ...] = ()


class Webhook(Section, frozen=True):
    """An address that is told what happens.

    Attributes:
        name: of its own, for lists and logs.
        url: https://…, or http://… to a private address that is allowed.
        secret_file: holds the signing secret, "whsec_…"; needed for format "cloudevents".
        format: what is sent: CloudEvents, or a message for Slack or Teams.
        events: which; all if empty.
        teams: whose calls; all if empty.
        language: of the messages for Slack and Teams.
        allow_private: whether the address may be in a private network, or this machine.
    """

    name: Annotated[
        str,
        msgspec.Meta(pattern=r"^[\w.-]{1,60}\Z", description='a short name, such as "duty-desk"'),
    ]
    url: Text
    secret_file: str = ""
    format: Literal["cloudevents", "slack", "teams"] = "cloudevents"
    events: tuple[
        Literal[
            "alert.raised",
            "alert.seen",
            "alert.helping",
            "alert.resolved",
            "alert.false_alarm",
            "alert.ended",
            "alert.escalated",
            "engine.lost",
            "engine.back",
        ],
        ...,
    ] = ()
    teams: tuple[str, ...] = ()
    language: Literal["en", "pl", "es"] = "en"
    allow_private: bool = False


class Settings(Section, frozen=True):
    """All of it."""

    board: Board = Board()
    feed: Feed = Feed()
    sign_in: SignIn = SignIn()
    team: tuple[Team, ...] = ()
    escalation: tuple[Escalation, ...] = ()
    webhook: tuple[Webhook, ...] = ()
    log: Log = Log()
