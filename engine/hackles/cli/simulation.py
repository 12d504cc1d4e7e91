"""Calls to try a daemon with: `simulate`."""

from enum import StrEnum
from typing import Annotated

import typer

from hackles.cli.options import NO_CUSTOMER, Format
from hackles.errors import UsageError


class Dialect(StrEnum):
    """Whose media streams `simulate` sends."""

    TWILIO = "twilio"
    TELNYX = "telnyx"
    PLIVO = "plivo"
    EXOTEL = "exotel"
    BANDWIDTH = "bandwidth"


class Consent(StrEnum):
    """What `simulate` tells of the callers' consent."""

    TRUE = "true"
    FALSE = "false"


class Kind(StrEnum):
    """The linear samples that `simulate` sends: 16 bits, at 8, 16 or 48 kHz."""

    SLIN8 = "slin8"
    SLIN16 = "slin16"
    SLIN48 = "slin48"


def simulate(
    paths: Annotated[list[str], typer.Argument(metavar="RECORDING", help="Files, or folders.")],
    to: Annotated[
        str,
        typer.Option(
            help="audiosocket://HOST:PORT, ws://HOST:PORT/media or wss://HOST:PORT/media."
        ),
    ],
    customer: Annotated[
        str | None,
        typer.Option(help="The customer's channel: left, right, its number (1 is left), or mono."),
    ] = None,
    calls: Annotated[
        int | None,
        typer.Option(min=1, help="Calls at a time.", show_default="one per recording"),
    ] = None,
    speed: Annotated[
        float, typer.Option(min=0.1, max=1000.0, help="How many times as fast as it was spoken.")
    ] = 1.0,
    dialect: Annotated[Dialect, typer.Option(help="Of a media stream.")] = Dialect.TWILIO,
    kind: Annotated[
        Kind | None,
        typer.Option(help="Of linear samples, where there is a choice.", show_default="as usual"),
    ] = None,
    jitter_ms: Annotated[
        float, typer.Option(min=0.0, max=10_000.0, help="Packets come up to so much late.")
    ] = 0.0,
    loss: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="The share of the packets that never comes.")
    ] = 0.0,
    register: Annotated[
        str, typer.Option(metavar="URL", help="Tell the control API there of each call first.")
    ] = "",
    consent: Annotated[
        Consent, typer.Option(help="What it is told of the callers' consent.")
    ] = Consent.TRUE,
    name: Annotated[str, typer.Option(help="What the calls' names begin with.")] = "sim",
    token: Annotated[str, typer.Option(help="A secret that each media stream brings.")] = "",
    insecure: Annotated[
        bool, typer.Option("--insecure", help="Take any certificate for good.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Decides what is late, and what is lost.")] = 0,
    format: Annotated[Format, typer.Option(help="A table, or JSON lines.")] = Format.TABLE,  # noqa: A002
) -> None:
    """Play recordings as live calls, to try a daemon: it hears what a telephone system sends."""
    if customer is None:
        raise UsageError(NO_CUSTOMER)
    from hackles.capture.files import parse_channels
    from hackles.simulator import run
    from hackles.simulator.target import Order, parse_target

    order = Order(
        paths=tuple(paths),
        channels=parse_channels(customer, None),
        target=parse_target(to),
        n_calls=calls,
        speed=speed,
        dialect=dialect,
        kind=kind or "",
        jitter_s=jitter_ms / 1000,
        loss=loss,
        register=register,
        consent=consent is Consent.TRUE,
        prefix=name,
        token=token,
        insecure=insecure,
        seed=seed,
    )
    raise typer.Exit(run.simulate(order, format == Format.JSONL))
