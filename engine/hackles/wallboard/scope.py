"""Which calls somebody may see, and whose calls are whose."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hackles.wallboard.settings import Team
from hackles.wallboard.viewer import ALL_TEAMS, Role, Viewer

Teams = frozenset[str]


@dataclass(frozen=True, slots=True)
class Scope:
    """What somebody may see; those with the same scope see the same board.

    Attributes:
        teams: whose calls a supervisor sees; `ALL_TEAMS` for all.
        agent: the opaque name of whose own calls are seen, or "".
        counted: whose calls are counted for a supervisor or analyst.
    """

    teams: Teams
    agent: str
    counted: Teams

    @property
    def is_supervisor(self) -> bool:
        """Whether somebody looks after teams here."""
        return bool(self.teams)

    def leads(self, teams: Teams) -> bool:
        """Return whether a call of these teams is a supervisor's."""
        return ALL_TEAMS in self.teams or not self.teams.isdisjoint(teams)

    def sees(self, teams: Teams, agent: str) -> bool:
        """Return whether a call of these teams, which this agent takes, may be seen."""
        return self.leads(teams) or (self.agent != "" and self.agent == agent)

    def counts(self, teams: Teams) -> bool:
        """Return whether a call of these teams is in the counts of the day."""
        return ALL_TEAMS in self.counted or not self.counted.isdisjoint(teams)


def scope_of(viewer: Viewer) -> Scope:
    """Return what a viewer may see."""
    leads, counts = Role.SUPERVISOR in viewer.roles, Role.ANALYST in viewer.roles
    nobody: Teams = frozenset()
    return Scope(
        teams=viewer.teams if leads else nobody,
        agent=viewer.agent if Role.AGENT in viewer.roles else "",
        counted=viewer.teams if leads or counts else nobody,
    )


def teams_of(teams: Iterable[Team], queue: str, agent: str) -> Teams:
    """Return whose a call is, by its queue or by the agent who takes it."""
    return frozenset(
        team.name
        for team in teams
        if (queue and queue in team.queues) or (agent and agent in team.agents)
    )


def names_for(scope: Scope, teams: Sequence[Team]) -> list[str]:
    """Return the names of the teams that somebody looks after, as the settings list them."""
    return [team.name for team in teams if scope.leads(frozenset((team.name,)))]
