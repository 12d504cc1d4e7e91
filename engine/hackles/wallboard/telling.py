"""How the board tells what it knows: calls and alerts in the reader's language."""

import tomllib
from collections.abc import Sequence
from functools import cache
from importlib import resources
from typing import Any, cast

from hackles.exchange.messages import Earlier
from hackles.guidance import load
from hackles.live.curve import Point, trend
from hackles.wallboard.hosts import Engine
from hackles.wallboard.life import AGENT, AlertLife, Entry
from hackles.wallboard.live_call import LiveCall
from hackles.wallboard.shapes import (
    CallPage,
    Host,
    Life,
    Moment,
    Row,
    ToldAlert,
    ToldCard,
    ToldEarlier,
    ToldGap,
    ToldNote,
    What,
)
from hackles.wording import words


@cache
def texts(language: str) -> dict[str, Any]:
    """Return what the board says by itself, and what the agent's page calls results."""
    return _read("hackles.wallboard", f"words/{language}.toml") | {
        "results": _read("hackles.live", f"page/words/{language}.toml")["result"]
    }


def entry_text(entry: Entry, language: str) -> str:
    """Return one thing that happened to an alert, in words."""
    said = texts(language)
    if entry.rule:
        return str(said["escalations"][entry.what])
    by = said["people"]["agent"] if entry.by == AGENT else entry.by
    return str(said["steps"][entry.what]).format(by=by)


def life_of(life: AlertLife, language: str) -> Life:
    """Return the life of an alert."""
    last, escalated = life.last, life.escalated
    return Life(
        alert=life.alert,
        step=life.step,
        text=entry_text(last, language),
        by=last.by,
        at=last.at,
        raised_at=life.raised_at,
        escalated=_moment(escalated, language) if escalated is not None else None,
        moments=[_moment(entry, language) for entry in life.entries],
    )


def row_of(call: LiveCall, is_heard: bool, language: str, points: Sequence[Point]) -> Row:
    """Return a call's row, with these of its points."""
    said = words(language)
    return Row(
        session=call.session,
        call=call.call,
        host=call.engine,
        is_heard=is_heard,
        queue=call.queue,
        agent=call.agent,
        teams=sorted(call.teams),
        begun_at=call.begun_at,
        state=call.state.value,
        state_text=said.state(call.state),
        since_at=call.since_at,
        level=call.line[-1][1] if call.line else None,
        trend=trend(call.line),
        points=list(points),
        because=said.phrases(call.alert) if call.alert is not None else [],
        confidence=call.alert.confidence if call.alert is not None else None,
        silent_since_at=call.silent_since_at,
        quiet_text=said.reason(call.quiet) if call.quiet is not None else "",
        talk_over_s=call.talk_over_s,
        earlier_text=_earlier_text(call.earlier, language),
        life=life_of(call.life, language) if call.life is not None else None,
    )


def page_of(call: LiveCall, is_heard: bool, language: str) -> CallPage:
    """Return all that is known of a call."""
    said, deck = words(language), load().deck(language)
    titles = {card.id: card.do for card in deck.cards}
    return CallPage(
        row=row_of(call, is_heard, language, call.line),
        points=call.curve,
        alerts=[
            ToldAlert(
                id=one.id,
                time=one.alert.time,
                at=one.at,
                state=one.alert.state.value,
                state_text=said.state(one.alert.state),
                level=one.alert.level,
                confidence=one.alert.confidence,
                because=said.phrases(one.alert),
            )
            for one in call.told.values()
        ],
        gaps=[
            ToldGap(since=gap.since, time=gap.time, reason=gap.reason, text=said.reason(gap.reason))
            for gap in call.gaps
        ],
        cards=[ToldCard(time=time, id=id_, title=titles.get(id_, id_)) for time, id_ in call.cards],
        notes=[ToldNote(time=time, text=text) for time, text in call.notes],
        earlier=[_earlier(one, language) for one in call.earlier],
        lives=[life_of(life, language) for life in call.lives],
        is_over=call.over_at is not None,
    )


def host_of(engine: Engine, calls: int) -> Host:
    """Return an engine with so many calls that the reader may see."""
    return Host(
        name=engine.name,
        is_heard=engine.is_heard,
        since_at=engine.since_at,
        calls=calls,
        behind_s=round(engine.beat.behind_s, 1),
        shadow=engine.beat.shadow,
        lost=engine.beat.lost,
    )


def _moment(entry: Entry, language: str) -> Moment:
    text = entry_text(entry, language)
    return Moment(what=cast("What", entry.what), text=text, by=entry.by, at=entry.at)


def _earlier(one: Earlier, language: str) -> ToldEarlier:
    return ToldEarlier(
        at=one.at,
        result=one.result,
        result_text=texts(language)["results"].get(one.result, one.result),
        what=one.what,
        promised=one.promised,
        by_when=one.by_when,
    )


def _earlier_text(earlier: Sequence[Earlier], language: str) -> str:
    """Return what came of the customer's last call; "" if there was none."""
    if not earlier:
        return ""
    last = _earlier(max(earlier, key=lambda one: one.at), language)
    what = last.promised or last.what
    shape = texts(language)["earlier"]["about" if what else "plain"]
    return str(shape).format(result=last.result_text, what=what)


def _read(package: str, path: str) -> dict[str, Any]:
    return tomllib.loads((resources.files(package) / path).read_text(encoding="utf-8"))
