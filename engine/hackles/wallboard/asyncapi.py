"""The AsyncAPI document: what is told without being asked, to pages, engines and webhooks."""

from typing import Any, Final, get_args

import msgspec

from hackles import __version__
from hackles.exchange.messages import Answer, Message
from hackles.wallboard.happenings import Kind
from hackles.wallboard.shapes import Changes, View
from hackles.wallboard.webhooks.payload import Event

_REFERENCE: Final = "#/components/schemas/{name}"

_EVENTS: Final = {
    "view": ("The whole board, as the reader may see it; comes first.", View),
    "changes": ("What is another than before.", Changes),
}


def asyncapi() -> dict[str, Any]:
    """Return the document."""
    kinds = [View, Changes, Message, Answer, Event]
    _, schemas = msgspec.json.schema_components(kinds, ref_template=_REFERENCE)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "hackles wallboard",
            "version": __version__,
            "description": "What the board tells pages and webhooks, and engines and the board "
            "each other.",
        },
        "defaultContentType": "application/json",
        "channels": _channels(),
        "operations": _operations(),
        "components": {"schemas": _draft_7(schemas), "messages": _messages()},
    }


def _channels() -> dict[str, Any]:
    engine = {"description": "The engine's name, as its settings have it."}
    return {
        "board": {
            "address": "/api/events",
            "description": "Server-sent events; each message is one, of the event by its name.",
            "messages": _references("view", "changes", "alive"),
        },
        "events": {
            "address": "hackles:events",
            "description": "A Redis stream to which all engines add.",
            "messages": _references("message"),
        },
        "answers": {
            "address": "hackles:answers:{engine}",
            "description": "A Redis stream for each engine, to which the board adds.",
            "parameters": {"engine": engine},
            "messages": _references("answer"),
        },
        "webhooks": {
            "address": None,
            "description": "POST to each address under [[webhook]]: CloudEvents 1.0, structured, "
            "signed as Standard Webhooks has it; at least once, always with the same id.",
            "messages": _references(*(_named(kind) for kind in _kinds())),
        },
    }


def _operations() -> dict[str, Any]:
    told = {"showBoard": "board", "answerEngines": "answers", "tellWebhooks": "webhooks"}
    return {
        name: {"action": action, "channel": {"$ref": f"#/channels/{channel}"}}
        for name, action, channel in (
            *((name, "send", channel) for name, channel in told.items()),
            ("hearEngines", "receive", "events"),
        )
    }


def _messages() -> dict[str, Any]:
    found: dict[str, Any] = {
        name: {"name": name, "summary": summary, "payload": _schema(kind)}
        for name, (summary, kind) in _EVENTS.items()
    }
    found["alive"] = {
        "name": "alive",
        "summary": "Comes every 15 s: when these stop, the board is not there.",
        "payload": {"type": "string", "maxLength": 0},
    }
    found["message"] = {"summary": "What an engine says.", "payload": _schema(Message)}
    found["answer"] = {"summary": "What the board says to it.", "payload": _schema(Answer)}
    for kind in _kinds():
        found[_named(kind)] = {
            "name": kind,
            "summary": f"A CloudEvent: {kind}.",
            "contentType": "application/cloudevents+json",
            "payload": _schema(Event),
        }
    return found


def _kinds() -> list[str]:
    """Return what webhooks are told of."""
    return list(get_args(Kind))


def _named(kind: str) -> str:
    return kind.replace(".", "-").replace("_", "-")


def _references(*names: str) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/messages/{name}"} for name in names}


def _schema(kind: Any) -> Any:
    (schema,), _ = msgspec.json.schema_components([kind], ref_template=_REFERENCE)
    return _draft_7(schema)


def _draft_7(schema: Any) -> Any:
    """Return a schema as AsyncAPI has them: a tuple's items by the older name, no mapping."""
    if isinstance(schema, list):
        return [_draft_7(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: _draft_7(value) for key, value in schema.items()}
    if "prefixItems" in found:
        found["items"], found["additionalItems"] = found.pop("prefixItems"), False
    if "anyOf" in found:
        found.pop("discriminator", None)
    return found
