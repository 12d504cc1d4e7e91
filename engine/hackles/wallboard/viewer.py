"""Who looks at the board, and what they may do there."""

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What somebody is at the board; one may be several.

    An agent sees the calls that bear the agent's opaque name. A supervisor sees the calls of the
    teams, and does something about alerts. An analyst sees counts alone, no call. An
    administrator sees the audit log and webhooks, no call.
    """

    AGENT = "agent"
    SUPERVISOR = "supervisor"
    ANALYST = "analyst"
    ADMINISTRATOR = "administrator"


ALL_TEAMS = "*"


@dataclass(frozen=True, slots=True)
class Viewer:
    """Somebody who has signed in, or sits at this machine where nobody need sign in.

    Attributes:
        name: of the account.
        roles: see `Role`.
        teams: whose calls a supervisor or analyst sees; `ALL_TEAMS` for all, also those of none.
        agent: the opaque name under which an agent's calls come, or "".
    """

    name: str
    roles: frozenset[Role]
    teams: frozenset[str]
    agent: str = ""
