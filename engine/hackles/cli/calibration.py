"""Thresholds for a site's own calls: `calibrate`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hackles.cli.options import NO_CUSTOMER, Model, Sensitive, Sensitivity
from hackles.errors import UsageError

if TYPE_CHECKING:
    from hackles.batch import Heard
    from hackles.calibration import Answers, Sweep
    from hackles.capture.files import Channels
    from hackles.classifier import Classifier

_TOGETHER = 64
"""So many calls are judged at a time: enough to be quick, few enough to hold in memory."""


def calibrate(
    paths: Annotated[
        list[str], typer.Argument(metavar="RECORDING", help="Ordinary calls: files, or folders.")
    ],
    false_alerts_per_hour: Annotated[
        float,
        typer.Option(
            min=0.001, max=1000.0, help="As many are wanted per hour of the customers' speech."
        ),
    ],
    customer: Annotated[
        str | None,
        typer.Option(help="The customer's channel: left, right, its number (1 is left), or mono."),
    ] = None,
    agent: Annotated[
        str | None, typer.Option(help="The agent's channel, to leave out what leaks over from it.")
    ] = None,
    record: Annotated[
        Path | None,
        typer.Option(
            metavar="CONFIG|FOLDER", help="With what people said of alerts: settings, or a record."
        ),
    ] = None,
    model: Model = "",
    sensitivity: Sensitive = Sensitivity.MEDIUM,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A new file, instead of standard output.")
    ] = None,
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Files heard at a time.", show_default="one per core")
    ] = None,
) -> None:
    """Find the thresholds for a wanted number of false alerts in your own calls."""
    if customer is None:
        raise UsageError(NO_CUSTOMER)
    from hackles.capture.files import parse_channels
    from hackles.cli import thresholds
    from hackles.cli.files import give_out
    from hackles.models import chosen
    from hackles.sinks import report

    channels = parse_channels(customer, agent)
    if out is not None and out.exists():  # which would be known only after a long run
        raise UsageError(f"{out} is there already; name another file.")
    judge = chosen(model, sensitivity.value)
    classifier = judge.load()
    said = _answers(record, judge.digest)
    found, faults = report.find(paths)
    sweep = _swept(found, faults, channels, classifier, jobs)
    report.say_faults(faults)
    if sweep.speech_s <= 0:
        raise UsageError(
            "No customer's speech was heard in these recordings; name others, or see whether "
            "--customer names the right channel."
        )
    its = sweep.find(false_alerts_per_hour, said)
    lines = list(thresholds.comments(judge, sweep, its, false_alerts_per_hour, said))
    give_out(thresholds.document(lines, its), out)
    if out is not None:
        typer.echo("\n".join([*lines, "", thresholds.written(out)]))
    raise typer.Exit(1 if faults else 0)


def _answers(record: Path | None, model: str) -> "Answers":
    """Return what people said of this model's alerts, if there is a record."""
    if record is None:
        from hackles.calibration import NOBODY

        return NOBODY
    from hackles.cli import opening

    with opening.record_at(record) as opened:
        from hackles.store.acknowledged import answers

        return answers(opened.database, model)


def _swept(
    paths: list[str],
    faults: dict[str, str],
    channels: "Channels",
    classifier: "Classifier",
    jobs: int | None,
) -> "Sweep":
    """Hear all recordings once and judge them at all thresholds; add what is wrong with any."""
    from hackles import batch
    from hackles.calibration import Sweep
    from hackles.sinks import report

    sweep = Sweep(classifier)
    waiting: list[Heard] = []

    def judge() -> None:
        sweep.take([one.measured for one in waiting], sum(one.speech_s for one in waiting))
        waiting.clear()

    heard = batch.hear_many(paths, channels, jobs or batch.cores())
    for one in report.with_progress(heard, len(paths), "hearing"):
        if one.error is not None:
            faults[one.path] = one.error
        if one.speech_s > 0:
            waiting.append(one)
        if len(waiting) == _TOGETHER:
            judge()
    judge()
    return sweep
