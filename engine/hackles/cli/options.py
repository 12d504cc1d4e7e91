"""What several commands ask for in the same words."""

from enum import StrEnum
from typing import Final


class Format(StrEnum):
    """How a command writes."""

    TABLE = "table"
    JSONL = "jsonl"


NO_CUSTOMER: Final = (
    "Say whose voice is where: add --customer left, right or a channel's number (1 is left), or "
    "--customer mono if each file holds the customer alone. A mono recording of both people "
    "cannot be scored: only the customer may be, and the agent cannot be taken out of it."
)
