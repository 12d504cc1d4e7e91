"""The board as those of one scope may see it: the whole of it, and what has changed."""

from collections import Counter
from collections.abc import Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from msgspec import structs

from hackles.live.curve import Point
from hackles.wallboard import telling
from hackles.wallboard.live_call import LiveCall
from hackles.wallboard.scope import Scope, names_for
from hackles.wallboard.shapes import Changes, Host, Row, View

if TYPE_CHECKING:
    from hackles.wallboard.floor import Floor


def view(floor: "Floor", scope: Scope, language: str) -> View:
    """Return the whole board."""
    calls = floor.calls.seen_by(scope)
    return View(
        version=floor.version,
        at=floor.clock(),
        rows=[_row(floor, call, language, list(call.line)) for call in calls],
        teams=names_for(scope, floor.settings.team),
        **_parts(floor, scope, calls),
    )


class Watch:
    """What those of one scope and language have been told.

    Attributes:
        version: of what they were told last.
    """

    def __init__(self, floor: "Floor", scope: Scope, language: str) -> None:
        """Begin with the board as it is."""
        self._floor, self._scope, self._language = floor, scope, language
        self.version = floor.version
        calls = floor.calls.seen_by(scope)
        self._note(calls, _parts(floor, scope, calls))

    def view(self) -> View:
        """Return the whole board; to be asked for after `changes`, with nothing in between."""
        # Others, who look already, were told nothing since: it did not concern them.
        told = view(self._floor, self._scope, self._language)
        return structs.replace(told, version=self.version)

    def changes(self) -> Changes | View | None:
        """Return what is new; the whole board if a line was drawn anew, None if nothing is."""
        floor = self._floor
        if floor.version == self._looked:
            return None
        calls = floor.calls.seen_by(self._scope)
        parts = _parts(floor, self._scope, calls)
        is_redrawn = any(call.redrawn > self._changed for call in calls)
        rows = [] if is_redrawn else self._rows(calls)
        gone = sorted(self._drawn.keys() - parts["order"])
        other = {name: part for name, part in parts.items() if part != self._parts[name]}
        self._note(calls, parts)
        if not (is_redrawn or rows or gone or other):
            return None
        after, self.version = self.version, floor.version
        if is_redrawn:
            return self.view()
        return Changes(
            after=after, version=self.version, at=floor.clock(), rows=rows, gone=gone, **other
        )

    def _rows(self, calls: Sequence[LiveCall]) -> list[Row]:
        """Return the rows that are another, with their new points."""
        return [
            _row(self._floor, call, self._language, self._new_points(call))
            for call in calls
            if call.version > self._changed or call.session not in self._drawn
        ]

    def _note(self, calls: Sequence[LiveCall], parts: dict[str, Any]) -> None:
        """Note what has been told."""
        self._looked, self._changed = self._floor.version, self._floor.calls.version
        self._drawn = {call.session: call.n_drawn for call in calls}
        self._parts = parts

    def _new_points(self, call: LiveCall) -> list[Point]:
        n_new = call.n_drawn - self._drawn.get(call.session, 0)
        return list(islice(call.line, max(len(call.line) - n_new, 0), None))


def _row(floor: "Floor", call: LiveCall, language: str, points: list[Point]) -> Row:
    return telling.row_of(call, floor.calls.is_heard(call), language, points)


def _parts(floor: "Floor", scope: Scope, calls: Sequence[LiveCall]) -> dict[str, Any]:
    """Return what a view has beside its rows."""
    return {
        "order": [call.session for call in calls],
        "hosts": _hosts(floor, scope) if scope.is_supervisor else [],
        "day": floor.counts.of(scope),
        "queues": sorted({call.queue for call in calls if call.queue}),
    }


def _hosts(floor: "Floor", scope: Scope) -> list[Host]:
    """Return the engines, with as many calls as may be seen of each."""
    n_calls = Counter(call.engine for call in floor.calls if scope.leads(call.teams))
    engines = sorted(floor.calls.engines.values(), key=lambda engine: engine.name)
    return [telling.host_of(engine, n_calls[engine.name]) for engine in engines]
