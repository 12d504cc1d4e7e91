"""The API's documents say what there is, and what there is is as they say."""

import json
import re

import jsonschema
import msgspec
import pytest
from openapi_spec_validator import validate

from hackles.exchange.messages import (
    Acknowledge,
    Answer,
    Beat,
    Earlier,
    Heard,
    Message,
    Standing,
    Tell,
)
from hackles.wallboard.asyncapi import asyncapi
from hackles.wallboard.happenings import Happening
from hackles.wallboard.openapi import faults, openapi, path
from hackles.wallboard.roads import ANYBODY, ENGINE
from hackles.wallboard.shapes import Changes, Day, Host, Life, Moment, Row, Step, View
from hackles.wallboard.webhooks.payload import event
from tests.wallboard.served import served, settings
from tests.wallboard.service import TABLES, service_roads


@pytest.fixture(scope="module")
def board(tmp_path_factory):
    given = settings(tmp_path_factory.mktemp("board"), "nobody")
    with served(given, service_roads, TABLES) as up:
        yield up


@pytest.fixture(scope="module")
def document(board):
    return board.stranger().get("/api/openapi.json").json


def test_the_document_is_valid_openapi(document):
    validate(document)
    assert document["openapi"].startswith("3.1")


def test_every_road_stands_in_the_document_with_its_faults(board, document):
    there = {
        (method.upper(), road) for road, methods in document["paths"].items() for method in methods
    }
    assert there == {(road.method, path(road)) for road in board.roads if road.is_documented}
    for road in board.roads:
        if not road.is_documented:
            continue
        operation = document["paths"][path(road)][road.method.lower()]
        assert set(operation["responses"]) == {"200", *map(str, faults(road))}
        assert set(map(str, road.faults)) <= set(operation["responses"])
        assert operation["summary"].endswith(".")
        secured = {scheme for one in operation["security"] for scheme in one}
        assert ("csrf" in secured) == (road.method == "POST" and road.who not in (ANYBODY, ENGINE))
        assert ("engine" in secured) == (road.who == ENGINE)
        assert bool(secured) == (road.who != ANYBODY)


def test_no_two_operations_have_the_same_name(document):
    names = [one["operationId"] for road in document["paths"].values() for one in road.values()]
    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"[a-z][a-z0-9_-]*", name) for name in names)


def test_all_that_the_documents_refer_to_is_there(board, document):
    for told in (document, board.stranger().get("/api/asyncapi.json").json):
        for reference in re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(told)):
            found = told
            for part in reference.split("/"):
                found = found[part]


def moment(what):
    return Moment(what=what, text="Seen", by="anna", at=1.5)


def row():
    life = Life(
        alert="a1",
        step=Step.SEEN,
        text="Seen",
        by="anna",
        at=2.0,
        raised_at=1.0,
        escalated=moment("hand_over"),
        moments=[moment(Step.RAISED), moment("notify_supervisor")],
    )
    return Row(
        session="s1",
        call="c1",
        host="h1",
        is_heard=True,
        queue="",
        agent="",
        teams=["Billing"],
        begun_at=1.0,
        state="irritated",
        state_text="irritated",
        since_at=1.0,
        level=0.7,
        trend="up",
        points=[(1.0, 0.5), (2.0, 0.7)],
        because=["pitch +3.2 semitones"],
        confidence=0.9,
        silent_since_at=None,
        quiet_text="",
        talk_over_s=None,
        earlier_text="",
        life=life,
    )


DAY = Day(
    since_at=0.0,
    calls=3,
    warned=1,
    alerts=1,
    seen=1,
    answered=0,
    false_alarms=0,
    seen_after_s=None,
    false_alarm_rate=None,
)
HOST = Host(name="h1", is_heard=True, since_at=1.0, calls=1, behind_s=0.0, shadow=False, lost=0)


def said(what):
    return Message(engine="h1", run="r1", seq=7, at=1.0, said=what)


TOLD = [
    (
        "view",
        View(
            version=1,
            at=2.0,
            rows=[row()],
            order=["s1"],
            hosts=[HOST],
            day=DAY,
            teams=["Billing"],
            queues=[],
        ),
    ),
    ("changes", Changes(after=1, version=2, at=2.5)),
    ("changes", Changes(after=2, version=3, at=2.5, rows=[row()], gone=["s2"], day=DAY)),
    ("message", said(Beat(calls=3, done={"b1": 4}))),
    ("message", said(Heard(line={"type": "alert", "level": 0.5}, queue="sales"))),
    (
        "message",
        said(
            Standing(
                call="c1",
                session="s1",
                begun_at=1.0,
                points=[(1.0, 0.5)],
                earlier=[Earlier(at=1.0, result="resolved")],
            )
        ),
    ),
    (
        "answer",
        Answer(
            board="b1",
            run="r1",
            heard=7,
            orders=[
                Tell(seq=1),
                Acknowledge(seq=2, session="s1", alert="a1", verdict="helping", by="anna", at=1.0),
            ],
        ),
    ),
    ("alive", ""),
    (
        "alert-escalated",
        event(
            Happening(
                id="a1:20",
                kind="alert.escalated",
                at=1.0,
                call="c1",
                session="s1",
                alert="a1",
                escalated="hand_over",
                state="irritated",
                because={"en": ("18 % faster",)},
                raised_at=0.5,
            ),
            "https://board.example",
        ),
    ),
    ("call-withdrawn", event(Happening(id="w1", kind="call.withdrawn", at=1.0, session="s1"), "")),
]


def validator(document, name):
    """Return what judges a message by its schema, as AsyncAPI reads it."""
    payload = document["components"]["messages"][name]["payload"]
    schema = {**payload, "components": document["components"]}
    jsonschema.Draft7Validator.check_schema(schema)
    return jsonschema.Draft7Validator(schema)


@pytest.mark.parametrize(("name", "message"), TOLD)
def test_what_is_told_is_as_the_document_says(name, message):
    document = json.loads(msgspec.json.encode(asyncapi()))
    judge = validator(document, name)
    judge.validate(json.loads(msgspec.json.encode(message)))
    for wrong in ({"seq": "x"}, 7, [], {"rows": 7, "engine": 7}):
        assert not judge.is_valid(wrong)


def test_the_channels_lead_to_the_messages_and_operations_to_the_channels():
    document = asyncapi()
    assert document["asyncapi"] == "3.0.0"
    messages = document["components"]["messages"]
    named = {name for channel in document["channels"].values() for name in channel["messages"]}
    assert named == set(messages)
    led = {one["channel"]["$ref"].rpartition("/")[2] for one in document["operations"].values()}
    assert led == set(document["channels"])
    assert "alert-raised" in named


def test_an_openapi_document_can_be_made_of_no_roads():
    validate(json.loads(msgspec.json.encode(openapi([]))))
