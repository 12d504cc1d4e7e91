"""What a page shows, in the reader's language."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import msgspec

from hackles.live.cue import Cue, ShownAlert
from hackles.live.cues import Cues
from hackles.records import Earlier
from hackles.wording import Words, words


def view(cues: Cues, shown: Sequence[Cue], language: str) -> dict[str, Any]:
    """Return what a page shows of some calls; nothing, where nobody is to be shown anything."""
    is_shadow = cues.showing.alerts.shadow
    own = [] if is_shadow else [_call(cues, cue, language) for cue in shown]
    return {
        "shadow": is_shadow,
        "unheard": "" if is_shadow else cues.unheard,
        "held": not is_shadow and cues.is_held,
        "calls": own,
    }


def _call(cues: Cues, cue: Cue, language: str) -> dict[str, Any]:
    said = words(language)
    return {
        "session": cue.session.id,
        "call": cue.session.call,
        "queue": cue.session.queue,
        "agent": cue.session.agent,
        "time": cue.time,
        "state": cue.state,
        "state_text": said.state(cue.state),
        "line": list(cue.line),
        "trend": cue.trend,
        "trend_text": said.trend(cue.trend),
        "quiet_text": said.reason(cue.quiet) if cue.quiet else "",
        "alert": _alert(cue.alert, said) if cue.alert else None,
        "card": _card(cues, cue.card, language) if cue.card else None,
        "earlier": [_earlier(one) for one in cue.earlier or ()],
        "notes": cue.notes,
        "ended": cue.ended is not None,
        "duration_s": cue.ended.duration_s if cue.ended else None,
        "error": cue.ended.error if cue.ended else None,
        "loud": cue.ended is not None and cue.ended.is_loud,
    }


def _alert(shown: ShownAlert, said: Words) -> dict[str, Any]:
    alert = shown.alert
    return {
        "id": shown.id,
        "time": alert.time,
        "since": alert.since,
        "state": alert.state,
        "confidence": alert.confidence,
        "because": said.phrases(alert),
        "verdict": shown.verdict,
    }


def _earlier(one: Earlier) -> dict[str, Any]:
    return {
        "date": date.fromtimestamp(one.at).isoformat(),
        "result": one.result,
        "what": one.what,
        "promised": one.promised,
        "by_when": one.by_when,
    }


def _card(cues: Cues, id_: str, language: str) -> dict[str, Any]:
    deck = cues.guidance.deck(language)
    card = deck.card(id_)
    return msgspec.structs.asdict(card) | {"stage_text": deck.stage(card.stage)}
