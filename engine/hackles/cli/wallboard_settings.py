"""Which settings of a wallboard a command line means."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, TypeAlias

import typer

from hackles.errors import UsageError

if TYPE_CHECKING:
    from hackles.wallboard.settings import Settings

USUAL: Final = "wallboard.toml"

Config: TypeAlias = Annotated[
    str,
    typer.Option(
        metavar="PATH", help="The board's settings.", show_default=f"{USUAL}, if it is here"
    ),
]


def settled(config: str, broker: str = "") -> "Settings":
    """Return the settings that are named, those that are here, or what holds without any.

    Raises:
        UsageError: which names every fault.
    """
    try:
        from hackles.wallboard.configuration import load, without_file
    except ModuleNotFoundError as error:
        raise lacks(error) from error
    if config or Path(USUAL).exists():
        return load(config or USUAL, broker)
    return without_file(broker)


def lacks(error: ModuleNotFoundError) -> UsageError:
    """Return the sentence for a package that is not installed."""
    return UsageError(
        f"The wallboard needs {error.name}, which is not installed; "
        "pip install 'hackles[wallboard]'."
    )
