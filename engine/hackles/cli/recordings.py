"""Recorded calls: `score` and `demo`."""

from typing import Annotated

import typer

from hackles.cli.options import NO_CUSTOMER, Format, Model, Sensitive, Sensitivity
from hackles.errors import UsageError


def score(
    paths: Annotated[list[str], typer.Argument(metavar="PATH", help="Recordings, or folders.")],
    customer: Annotated[
        str | None,
        typer.Option(help="The customer's channel: left, right, its number (1 is left), or mono."),
    ] = None,
    agent: Annotated[
        str | None,
        typer.Option(
            help="The agent's channel, to leave out what leaks over from it. It is never scored."
        ),
    ] = None,
    format: Annotated[Format, typer.Option(help="A table, or JSON lines.")] = Format.TABLE,  # noqa: A002
    model: Model = "",
    sensitivity: Sensitive = Sensitivity.MEDIUM,
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Files scored at a time.", show_default="one per core")
    ] = None,
) -> None:
    """Score recorded calls: where the customer's irritation rose, and what moved in the voice."""
    if customer is None:
        raise UsageError(NO_CUSTOMER)
    from hackles.capture.files import parse_channels
    from hackles.models import chosen
    from hackles.sinks import report

    channels = parse_channels(customer, agent)
    judge = chosen(model, sensitivity.value)
    judge.load()  # or each process would say by itself what is wrong with it
    raise typer.Exit(report.run(paths, channels, judge, format == Format.JSONL, jobs))


def demo(
    speed: Annotated[
        float, typer.Option(min=0.1, max=1000.0, help="How many times as fast as it was spoken.")
    ] = 1.0,
    model: Model = "",
    sensitivity: Sensitive = Sensitivity.MEDIUM,
) -> None:
    """Play a sample call through the engine and watch the warning come."""
    from hackles.models import chosen
    from hackles.sinks import meter

    raise typer.Exit(meter.demo(speed, chosen(model, sensitivity.value).load()))
