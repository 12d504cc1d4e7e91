"""The record of live calls: `calls`, `export`, `purge`, `verify` and `satisfaction`."""

from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from hackles.cli import opening
from hackles.cli.options import CONFIG, Config, Format
from hackles.errors import UsageError

Call = Annotated[
    str,
    typer.Option(
        metavar="NAME|SESSION",
        help="The telephone system's name of the call, or a session as `hackles calls` shows it.",
    ),
]
Customer = Annotated[
    str, typer.Option(metavar="NUMBER", help="Of this customer, by the number that called.")
]


class Result(StrEnum):
    """What came of a call."""

    RESOLVED = "resolved"
    PROMISED = "promised"
    PASSED_ON = "passed_on"
    UNRESOLVED = "unresolved"
    ENDED_BY_RULE = "ended_by_rule"


def calls(
    since: Annotated[
        str, typer.Option(metavar="WHEN", help="From 2026-11-20 on, or 7d for seven days ago.")
    ] = "",
    until: Annotated[
        str, typer.Option(metavar="WHEN", help="Up to the end of 2026-11-22, or 7d.")
    ] = "",
    queue: Annotated[str, typer.Option(help="That waited in this queue.")] = "",
    agent: Annotated[str, typer.Option(help="That this agent took.")] = "",
    warned: Annotated[
        bool, typer.Option("--warned", help="In which irritation rose or was high.")
    ] = False,
    result: Annotated[Result | None, typer.Option(help="Of which this came.")] = None,
    call: Call = "",
    customer: Customer = "",
    text: Annotated[
        str, typer.Option(metavar="WORDS", help="With all these words in notes or outcome.")
    ] = "",
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="So many at most.")] = 50,
    format: Annotated[Format, typer.Option(help="A table, or JSON lines.")] = Format.TABLE,  # noqa: A002
    config: Config = CONFIG,
) -> None:
    """List calls of the record, the newest first."""
    from hackles.cli import listing, times

    now = datetime.now()
    begun = times.since(since, now) if since else None
    ended = times.until(until, now) if until else None
    with opening.record(config) as record:
        from hackles.store import search

        wanted = search.Wanted(
            since=begun,
            until=ended,
            queue=queue,
            agent=agent,
            is_warned=warned,
            result=result.value if result else "",
            call=call,
            customer=customer,
            words=tuple(text.split()),
            limit=limit,
        )
        found = search.calls(record.database, wanted)
    listing.show(found, limit, format == Format.JSONL)


def export(
    call: Call,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A new file, for its owner alone.")
    ] = None,
    config: Config = CONFIG,
) -> None:
    """Give out all that is kept of a call as one JSON document, for whoever asks for their data."""
    with opening.record(config) as record:
        from hackles.cli.files import give_out
        from hackles.store import search
        from hackles.store.export import document, encoded
        from hackles.store.standing import is_waiting

        found = search.named(record.database, call)
        if not found:
            raise UsageError(f"Nothing is kept by the name {call!r}; `hackles calls` lists all.")
        give_out(encoded(document(record.database, record.store, found[0])), out)
        if is_waiting(record.database):
            typer.echo(
                "Something still waits for the database, and may be of this call: once "
                "`hackles live` has written it, export again.",
                err=True,
            )


def purge(
    call: Call = "",
    customer: Customer = "",
    yes: Annotated[bool, typer.Option("--yes", help="Delete without asking.")] = False,
    config: Config = CONFIG,
) -> None:
    """Delete all that is kept of a call, or of all calls of a customer."""
    if bool(call) == bool(customer):
        raise UsageError("Say what to delete: --call NAME, or --customer NUMBER.")
    with opening.record(config) as record:
        from hackles.cli.deletion import Deletion

        deletion = Deletion(record.database, record.output, is_sure=yes)
        if call:
            deletion.call(call)
        else:
            deletion.customer(customer)


def verify(
    head: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A copy of the head that was kept elsewhere."),
    ] = None,
    config: Config = CONFIG,
) -> None:
    """Say whether the log of the record is whole: nothing altered, added or taken away."""
    with opening.record(config) as record:
        from hackles.cli import verification

        raise typer.Exit(verification.run(record.database, head))


def satisfaction(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="The survey's answers, as CSV.")],
    best: Annotated[float, typer.Option(help="The best that could be answered.")],
    worst: Annotated[float, typer.Option(help="The worst that could be answered.")],
    call_column: Annotated[
        str, typer.Option(help="With the telephone system's names of the calls.")
    ] = "",
    score_column: Annotated[str, typer.Option(help="With the answers, as numbers.")] = "",
    comment_column: Annotated[str, typer.Option(help="With the customers' own words.")] = "",
    source: Annotated[str, typer.Option(help="Which survey it is.")] = "",
    config: Config = CONFIG,
) -> None:
    """Bring customers' answers to a survey to their calls. The same file twice adds nothing."""
    from hackles.store import answers

    scale = answers.Scale(best, worst)
    columns = answers.Columns(call_column, score_column, comment_column)
    read = list(answers.read(path, columns, scale))
    with opening.record(config) as record:
        from hackles.store.satisfaction import take

        taken = take(
            record.database, [one for one in read if isinstance(one, answers.Answer)], source
        )
    bad = [one for one in read if isinstance(one, answers.BadLine)]
    for one in bad:
        typer.echo(f"{path}:{one.line}: {one.why}", err=True)
    typer.echo(
        f"Taken: {taken.new}; there already: {taken.known}; of calls that are not in the record: "
        f"{taken.unknown}; bad lines: {len(bad)}."
    )
    raise typer.Exit(1 if bad else 0)
