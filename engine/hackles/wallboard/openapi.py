"""The OpenAPI document, made from the table of roads."""

import re
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from hackles import __version__
from hackles.wallboard.roads import ANYBODY, ENGINE, Road
from hackles.wallboard.shapes import Fault

_JSON: Final = "application/json"
_REFERENCE: Final = "#/components/schemas/{name}"

_PEOPLE: Final = "session"
_PAGES: Final = "csrf"
_ENGINES: Final = "engine"
_SCHEMES: Final = {
    _PEOPLE: {
        "type": "apiKey",
        "in": "cookie",
        "name": "__Host-hackles",
        "description": "From POST /api/sign-in; without TLS, on the board's own machine, its name "
        "is hackles. Where a proxy signs people in, or nobody does, there is none.",
    },
    _PAGES: {
        "type": "apiKey",
        "in": "header",
        "name": "X-CSRF-Token",
        "description": "What GET /api/me says as csrf.",
    },
    _ENGINES: {
        "type": "http",
        "scheme": "bearer",
        "description": "The secret in [feed] token_file; without one, engines on the board's own "
        "machine need none.",
    },
}

_EVERYWHERE: Final = {
    400: "The request, or the name by which the board was asked for, cannot be understood.",
    429: "This was asked for too often.",
}
_UNKNOWN: Final = {
    401: "Who asks has not signed in.",
    403: "Who asks may not, or it was not the board's own page that asked.",
}
_BODY: Final = {
    408: "The body did not come in time.",
    413: "The body is too large.",
    415: "The body is not said to be JSON.",
    422: "The body is not what is asked for.",
}
_NAMED: Final = {404: "There is nothing by this name that who asks may see."}
_QUERY: Final = {422: "The query is not what is asked for."}


def openapi(roads: Sequence[Road]) -> dict[str, Any]:
    """Return the document of all roads that stand in it."""
    documented = [road for road in roads if road.is_documented]
    bodies = [road.body for road in documented if road.body]
    kinds = [Fault, *bodies, *(road.gives for road in documented if _is_json(road))]
    _, schemas = msgspec.json.schema_components(kinds, ref_template=_REFERENCE)
    paths: dict[str, dict[str, Any]] = {}
    for road in documented:
        paths.setdefault(path(road), {})[road.method.lower()] = _operation(road)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "hackles wallboard",
            "version": __version__,
            "description": "Who needs help now. Times *_at are seconds since 1970.",
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {"schemas": schemas, "securitySchemes": _SCHEMES},
    }


def path(road: Road) -> str:
    """Return a road's path as OpenAPI writes it, without Starlette's kinds of parameters."""
    return re.sub(r"\{(\w+):\w+\}", r"{\1}", road.path)


def faults(road: Road) -> dict[int, str]:
    """Return all status codes but 200 that a road may answer with, and what each says."""
    found = dict(_EVERYWHERE)
    if road.who != ANYBODY:
        found |= _UNKNOWN
    if "{" in road.path:
        found |= _NAMED
    if road.query:
        found |= _QUERY
    if road.method == "POST":
        found |= {403: _UNKNOWN[403]} | _BODY
    return dict(sorted((found | road.faults).items()))


def _is_json(road: Road) -> bool:
    return road.gives is not None and road.kind == _JSON


def _operation(road: Road) -> dict[str, Any]:
    name = re.sub(r"\W+", "-", f"{road.method.lower()} {road.path}").strip("-")
    operation: dict[str, Any] = {
        "operationId": name,
        "summary": road.says,
        "security": _security(road),
        "parameters": [*_in_path(road), *_in_query(road)],
        "responses": {"200": _given(road)},
    }
    if isinstance(road.who, frozenset):
        operation["description"] = f"For: {', '.join(sorted(road.who))}."
    if road.body:
        operation["requestBody"] = {
            "required": True,
            "content": {_JSON: {"schema": _schema(road.body)}},
        }
    for status, sentence in faults(road).items():
        operation["responses"][str(status)] = _fault(status, sentence)
    return operation


def _security(road: Road) -> list[dict[str, list[str]]]:
    if road.who == ENGINE:
        return [{_ENGINES: []}]
    if road.who == ANYBODY:
        return []
    return [{_PEOPLE: [], _PAGES: []} if road.method == "POST" else {_PEOPLE: []}]


def _in_path(road: Road) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "string", "minLength": 1},
        }
        for name in re.findall(r"\{(\w+)", road.path)
    ]


def _in_query(road: Road) -> list[dict[str, Any]]:
    if road.query is None:
        return []
    _, found = msgspec.json.schema_components([road.query])
    return [
        {"name": name, "in": "query", "schema": _said(schema)}
        for name, schema in found[road.query.__name__]["properties"].items()
    ]


def _said(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of what is said if it is said at all: null is what leaves it out."""
    kinds = [one for one in schema.get("anyOf", []) if one != {"type": "null"}]
    return kinds[0] if len(kinds) == 1 else schema


def _given(road: Road) -> dict[str, Any]:
    schema = _schema(road.gives) if _is_json(road) else {"type": "string"}
    return {"description": "As asked.", "content": {road.kind: {"schema": schema}}}


def _fault(status: int, sentence: str) -> dict[str, Any]:
    fault: dict[str, Any] = {
        "description": sentence,
        "content": {_JSON: {"schema": _schema(Fault)}},
    }
    if status == 429:
        seconds = {"type": "integer", "minimum": 1}
        fault["headers"] = {
            "Retry-After": {"description": "Seconds to wait.", "schema": seconds, "required": True}
        }
    return fault


def _schema(kind: Any) -> dict[str, Any]:
    (schema,), _ = msgspec.json.schema_components([kind], ref_template=_REFERENCE)
    return dict(schema)
