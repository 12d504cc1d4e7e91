"""What several commands ask for in the same words."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final, TypeAlias

import typer


class Format(StrEnum):
    """How a command writes."""

    TABLE = "table"
    JSONL = "jsonl"


Config: TypeAlias = Annotated[
    Path, typer.Option(metavar="PATH", help="The settings; [store] says where the record is.")
]
CONFIG: Final = Path("hackles.toml")


class Sensitivity(StrEnum):
    """From few warnings to early ones."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


Model: TypeAlias = Annotated[
    str,
    typer.Option(
        metavar="PATH",
        help='An .onnx file, or the name of an installed one; "default" came with hackles.',
        show_default="the one in use",
    ),
]
Sensitive: TypeAlias = Annotated[
    Sensitivity, typer.Option(help="From few warnings to early ones; see `hackles models`.")
]

NO_CUSTOMER: Final = (
    "Say whose voice is where: add --customer left, right or a channel's number (1 is left), or "
    "--customer mono if each file holds the customer alone. A mono recording of both people "
    "cannot be scored: only the customer may be, and the agent cannot be taken out of it."
)
