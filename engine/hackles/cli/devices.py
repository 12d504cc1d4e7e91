"""What can be heard at this machine: `devices`."""

from contextlib import closing
from typing import Annotated

import typer

from hackles.cli.options import Format


def devices(
    microphones: Annotated[
        bool, typer.Option("--microphones", help="Open the microphones, too, to meter them.")
    ] = False,
    seconds: Annotated[
        float | None,
        typer.Option(
            min=0.1, max=86_400.0, help="Meter for so long.", show_default="until Ctrl-C, or 1"
        ),
    ] = None,
    format: Annotated[Format, typer.Option(help="A table, or JSON lines.")] = Format.TABLE,  # noqa: A002
) -> None:
    """Show what can be heard here, with levels: outputs, then microphones, which stay closed."""
    from hackles.capture.systems import sound_system
    from hackles.cli import metering

    with closing(sound_system()) as system:
        metering.show(system, seconds, microphones, as_lines=format == Format.JSONL)
