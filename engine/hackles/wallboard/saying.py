"""What happens on the board, put into the form in which others are told of it."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from typing import cast

from hackles.wallboard.happenings import Happening, Kind
from hackles.wallboard.hosts import Engine
from hackles.wallboard.life import AlertLife, Entry
from hackles.wallboard.live_call import LiveCall
from hackles.wallboard.shapes import Escalated
from hackles.wording import LANGUAGES, words


class Saying:
    """Tells what happens; the same thing always bears the same id."""

    def __init__(self, on_happening: Callable[[Happening], None]) -> None:
        """Tell it to this function."""
        self._tell = on_happening

    def entry(self, life: AlertLife, entry: Entry, call: LiveCall | None) -> None:
        """Tell what has just happened to an alert; the call is None where it is known no longer."""
        kind = cast("Kind", f"alert.{'escalated' if entry.rule else entry.what}")
        nth = sum(other.what == entry.what for other in life.entries)
        happening = Happening(
            id=_digest(life.alert, kind, entry.rule or str(nth)),
            kind=kind,
            at=entry.at,
            by=entry.by,
            host=life.engine,
            session=life.session,
            teams=tuple(sorted(life.teams)),
            alert=life.alert,
            step=life.step,
            escalated=cast("Escalated", entry.what) if entry.rule else None,
            raised_at=life.raised_at,
        )
        self._tell(happening if call is None else _with(call, happening))

    def engine(self, engine: Engine, is_back: bool, at: float) -> None:
        """Tell that an engine is heard no longer, or heard again."""
        kind: Kind = "engine.back" if is_back else "engine.lost"
        id_ = _digest(engine.name, engine.run, kind, f"{engine.said_at:.3f}")
        self._tell(Happening(id=id_, kind=kind, at=at, host=engine.name))

    def withdrawn(self, engine: str, session: str, at: float) -> None:
        """Tell that a caller withdrew consent; the call is not named any more."""
        id_ = _digest(session, "call.withdrawn")
        self._tell(Happening(id=id_, kind="call.withdrawn", at=at, host=engine, session=session))


def _with(call: LiveCall, happening: Happening) -> Happening:
    """Return what is told, with how the call stands."""
    alert = call.alert
    because = None
    if alert is not None:
        because = {language: tuple(words(language).phrases(alert)) for language in LANGUAGES}
    return replace(
        happening,
        call=call.call,
        queue=call.queue,
        agent=call.agent,
        teams=tuple(sorted(call.teams)),
        state=call.state.value,
        level=call.line[-1][1] if call.line else None,
        confidence=alert.confidence if alert is not None else None,
        because=because,
        state_text={language: words(language).state(call.state) for language in LANGUAGES},
    )


def _digest(*parts: str) -> str:
    return hashlib.blake2b("\0".join(parts).encode(), digest_size=12).hexdigest()
