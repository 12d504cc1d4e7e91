"""The daemon's settings, as a TOML file says them. Unknown keys are faults, not typing errors.

A section that is left out is a way in (or out) that is not used. Only `[compliance]` must be there.
"""

from typing import Annotated, Final, Literal

import msgspec

Text = Annotated[str, msgspec.Meta(pattern=r"\S", description="text that is not empty")]
Statement = Annotated[str, msgspec.Meta(pattern=r"\w", description="a statement in words")]
Port = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^(\[[0-9a-fA-F:]+\]|[^:\s]+):[0-9]{1,5}\Z",
        description='an address and a port, such as "127.0.0.1:9092"',
    ),
]
"""An address to listen on: host:port."""

DEFAULT_MODEL: Final = "default"
"""Names the model that travels with hackles, whichever is in use."""

Positive = Annotated[float, msgspec.Meta(gt=0, le=1e6)]
"""Not infinite, which TOML can say."""


def host_port(listen: str) -> tuple[str, int]:
    """Return the host (an IPv6 address without its brackets) and the port of a `listen`."""
    host, _, port = listen.rpartition(":")
    return host.removeprefix("[").removesuffix("]"), int(port)


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What all sections have in common."""


class Compliance(Section, frozen=True):
    """What the law asks for before anybody is listened to.

    Attributes:
        notice: where and how callers are told that their voice is analysed.
        basis: the legal basis, in one's own words ("consent", …).
        withdraw_digit: the key with which a caller withdraws consent; "" for none.
    """

    notice: Statement
    basis: Statement
    withdraw_digit: Annotated[
        str,
        msgspec.Meta(pattern=r"^[0-9*#A-D]?\Z", description='one key, such as "9", or "" for none'),
    ] = ""


class Engine(Section, frozen=True):
    """How much is listened to.

    Attributes:
        calls: at most so many at a time, in each worker.
        workers: processes over which calls are spread.
        model: an .onnx file, or "default" for the one that travels with hackles; "" for the one
            in use, which `hackles models` names.
        sensitivity: from few warnings to early ones; what each is worth travels with the model.
        behind_s: of a call that is further behind than this, the oldest audio is dropped.
    """

    calls: Annotated[int, msgspec.Meta(ge=1, le=20_000)] = 200
    workers: Annotated[int, msgspec.Meta(ge=1, le=256)] = 1
    model: str = ""
    sensitivity: Literal["low", "medium", "high"] = "medium"
    behind_s: Annotated[float, msgspec.Meta(ge=0.5, le=60.0)] = 2.0


class AudioSocket(Section, frozen=True):
    """Asterisk, over TCP.

    Attributes:
        role: whose voice comes; "registered" if `POST /calls` says so of each call.
        g711: by which law messages of 160 bytes are coded, which Asterisk may send without
            saying so; "" refuses them.
        allow_from: networks; everybody who reaches the address if empty (loopback only).
    """

    listen: Port
    role: Literal["customer", "registered"] = "registered"
    g711: Literal["", "ulaw", "alaw"] = ""
    allow_from: tuple[str, ...] = ()


class Media(Section, frozen=True):
    """JSON media streams over WebSocket: Twilio, Telnyx, Plivo, Exotel, Bandwidth.

    Attributes:
        path: of the URL.
        customer_track: as the provider calls it; it depends on the leg that sends the audio.
        certificate: PEM, with `key`, for wss; "" behind a proxy that ends TLS.
        token_file: holds a secret that each stream must bring.
        twilio_token_file: holds Twilio's auth token, to check its signatures.
        public_url: as Twilio was given it; needed for its signatures.
        allow_from: networks, as for AudioSocket.
    """

    listen: Port
    path: Annotated[
        str, msgspec.Meta(pattern=r"^/\S*\Z", description='a path, such as "/media"')
    ] = "/media"
    customer_track: Text = "inbound"
    certificate: str = ""
    key: str = ""
    token_file: str = ""
    twilio_token_file: str = ""
    public_url: str = ""
    allow_from: tuple[str, ...] = ()


class Pipe(Section, frozen=True):
    """Bare samples of the customer alone, from a named pipe, or "-" for standard input."""

    path: Text
    call: Text
    role: Literal["customer"]
    encoding: Literal["slin", "ulaw", "alaw"] = "slin"
    sample_rate: Annotated[int, msgspec.Meta(ge=8000, le=192_000)] = 8000


class Folder(Section, frozen=True):
    """Recordings that are still being written.

    Attributes:
        customer: left, right, a channel's number (1 is left), or mono.
        quiet_s: a recording that has not grown for so long is over.
    """

    path: Text
    customer: Text
    quiet_s: Annotated[float, msgspec.Meta(ge=1.0, le=3600.0)] = 10.0


class Device(Section, frozen=True):
    """What is played to the agent at this machine: the customer's voice, beside any softphone.

    Attributes:
        output: what is listened to, by its name as `hackles devices` tells it ...
        customer_microphone: ... or else a microphone into which the customer alone speaks.
        agent_microphone: opened for the timing of talk-over alone, never scored; "" opens none.
        calls: where calls begin and end: in the "sound", or "told" by the softphone.
        silence_s: by the sound, a call is over after so long a silence.
        call: how calls' names begin.
        agent: an opaque name of who sits here, or "".
        wait_for_consent: whether a call is heard only once it was said that the caller agrees.
        baresip: where its module ctrl_tcp listens; "" for none.
        linphone: the pipe of a linphone-daemon; "" for none.
    """

    output: str = ""
    customer_microphone: str = ""
    agent_microphone: str = ""
    calls: Literal["sound", "told"] = "sound"
    silence_s: Annotated[float, msgspec.Meta(ge=5.0, le=600.0)] = 30.0
    call: Text = "call"
    agent: str = ""
    wait_for_consent: bool = False
    baresip: Annotated[
        str,
        msgspec.Meta(
            pattern=r"^((\[[0-9a-fA-F:]+\]|[^:\s]+):[0-9]{1,5})?\Z",
            description='an address and a port, such as "127.0.0.1:4444", or "" for none',
        ),
    ] = ""
    linphone: str = ""


class Control(Section, frozen=True):
    """The API for the telephone system beside the daemon; loopback only."""

    listen: Port = "127.0.0.1:9300"


class Metrics(Section, frozen=True):
    """`/metrics` and `/health` for a monitoring system elsewhere."""

    listen: Port


class Alerts(Section, frozen=True):
    """Who is shown what.

    Attributes:
        shadow: score and record, and show nobody.
        most_per_hour: warnings shown for an agent (or a call, if no agent is named); 0: no cap.
    """

    shadow: bool = False
    most_per_hour: Annotated[int, msgspec.Meta(ge=0, le=3600)] = 0


class Thresholds(Section, frozen=True):
    """Instead of those of the sensitivity; see `tracker.Settings`. None leaves one."""

    rising: Positive | None = None
    irritated: Positive | None = None
    irritated_level: Annotated[float, msgspec.Meta(ge=0, le=1)] | None = None
    eased: Positive | None = None


class Output(Section, frozen=True):
    """Where events go.

    Attributes:
        console: alerts, for people.
        jsonl: a file of JSON lines; "" for none, "-" for standard output.
        rotate_mb: a file larger than this is put aside ...
        keep: ... and so many of those are kept.
    """

    console: bool = True
    jsonl: str = ""
    rotate_mb: Positive = 100.0
    keep: Annotated[int, msgspec.Meta(ge=0, le=1000)] = 10


class Store(Section, frozen=True):
    """The record: calls, alerts, what was done about them, and what came of it. Never audio.

    Attributes:
        folder: holds the key of all digests, the spool, and the database if that is a file.
        database: the URL of a PostgreSQL database; "" for an SQLite file in the folder.
        head: a file in which the head of the chain is kept outside of the database, best on
            another machine's disk; "" for one in the folder.
        spool_mb: what waits on disk while the database cannot be reached; more is lost, and said.
        scores_days: readings and gaps are kept so long.
        alerts_days: all else, alerts and what was done about them, is kept so long.
    """

    folder: Text = "record"
    database: Annotated[
        str,
        msgspec.Meta(
            pattern=r"^(postgresql://\S+)?\Z",
            description='a URL such as "postgresql://hackles@db.example/hackles", or "" for SQLite',
        ),
    ] = ""
    head: str = ""
    spool_mb: Positive = 64.0
    scores_days: Annotated[int, msgspec.Meta(ge=1, le=3650)] = 30
    alerts_days: Annotated[int, msgspec.Meta(ge=1, le=3650)] = 200


class Board(Section, frozen=True):
    """Supervisors' wallboards, which are told what happens: directly, or by way of a broker.

    Attributes:
        name: of this host on the board, opaque; "" for the machine's own.
        url: of the board, such as "https://board.example:9310"; "" with a broker.
        broker: redis://… or rediss://…; "" with a url.
        token_file: holds the secret that the board asks engines for, or the broker's password.
    """

    name: Annotated[
        str, msgspec.Meta(max_length=200, description="a name of 200 signs at most")
    ] = ""
    url: Annotated[
        str,
        msgspec.Meta(
            pattern=r"^(https?://\S+)?\Z",
            description='a URL such as "https://board.example:9310", or "" with a broker',
        ),
    ] = ""
    broker: Annotated[
        str,
        msgspec.Meta(
            pattern=r"^(rediss?://\S+)?\Z",
            description='a URL such as "rediss://broker.example:6379", or "" with a url',
        ),
    ] = ""
    token_file: str = ""


class Guidance(Section, frozen=True):
    """What agents are told to do, and in which language.

    Attributes:
        language: of the agent's page and of notifications; "" for the reader's own.
        folder: holds cards (`en.toml`, `pl.toml`, `es.toml`) and `rules.toml` of one's own,
            each instead of the one that travels with hackles; "" for none.
    """

    language: Literal["", "en", "pl", "es"] = ""
    folder: str = ""


class Desktop(Section, frozen=True):
    """Notifications on the desktop of the person at this machine.

    Attributes:
        agent: only of this agent's calls; "" for all.
    """

    agent: str = ""


class Log(Section, frozen=True):
    """What the daemon says of itself, on standard error."""

    format: Literal["text", "json"] = "text"
    level: Literal["debug", "info", "warning", "error"] = "info"


class Settings(Section, frozen=True):
    """All of it."""

    compliance: Compliance
    engine: Engine = Engine()
    audiosocket: AudioSocket | None = None
    media: Media | None = None
    pipe: tuple[Pipe, ...] = ()
    folder: tuple[Folder, ...] = ()
    device: Device | None = None
    control: Control = Control()
    metrics: Metrics | None = None
    alerts: Alerts = Alerts()
    thresholds: Thresholds = Thresholds()
    output: Output = Output()
    store: Store | None = None
    board: Board | None = None
    guidance: Guidance = Guidance()
    desktop: Desktop | None = None
    log: Log = Log()
