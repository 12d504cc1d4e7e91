"""What receivers get: CloudEvents, and messages that Slack and Teams take."""

import json
import re
import shutil
import subprocess
from datetime import datetime
from pathlib import Path
from typing import get_args

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker

from hackles.wallboard.happenings import Happening, Kind
from hackles.wallboard.settings import Webhook
from hackles.wallboard.webhooks import payload, rendering, templates
from hackles.wallboard.webhooks.signing import new_secret, signed
from hackles.wallboard.webhooks.slack import escaped, slack
from hackles.wallboard.webhooks.teams import teams
from tests.wallboard.webhook_receivers import NOON, raised, withdrawn

BOARD = "https://board.example.org"
LANGUAGES = ("en", "pl", "es")
KINDS = get_args(Kind)
DOCUMENT = Path(__file__).parents[2] / "docs" / "webhooks.md"

# The rules of CloudEvents 1.0 and of its JSON format, as its specification states them.
CLOUD_EVENT = Draft202012Validator(
    {
        "type": "object",
        "required": ["id", "source", "specversion", "type"],
        "propertyNames": {"pattern": "^[a-z0-9]{1,20}$"},
        "properties": {
            "id": {"type": "string", "minLength": 1},
            "source": {"type": "string", "format": "uri-reference", "minLength": 1},
            "specversion": {"const": "1.0"},
            "type": {"type": "string", "pattern": r"^hackles(\.[a-z_]+)+$"},
            "subject": {"type": "string", "minLength": 1},
            "time": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$"},
            "datacontenttype": {"const": "application/json"},
            "data": {"type": "object"},
        },
    },
    format_checker=FormatChecker(),
)

_MRKDWN = {
    "type": "object",
    "properties": {
        "type": {"const": "mrkdwn"},
        "text": {"type": "string", "minLength": 1, "maxLength": 2000},
        "verbatim": {"const": True},
    },
    "required": ["type", "text", "verbatim"],
    "additionalProperties": False,
}
SLACK = Draft202012Validator(
    {
        "type": "object",
        "required": ["text", "blocks"],
        "additionalProperties": False,
        "properties": {
            "text": {"type": "string", "minLength": 1, "maxLength": 4000},
            "blocks": {
                "type": "array",
                "minItems": 1,
                "maxItems": 50,
                "items": {
                    "oneOf": [
                        {
                            "properties": {
                                "type": {"const": "section"},
                                "text": _MRKDWN,
                                "fields": {
                                    "type": "array",
                                    "minItems": 1,
                                    "maxItems": 10,
                                    "items": _MRKDWN,
                                },
                            },
                            "required": ["type"],
                            "anyOf": [{"required": ["text"]}, {"required": ["fields"]}],
                            "additionalProperties": False,
                        },
                        {
                            "properties": {
                                "type": {"const": "context"},
                                "elements": {"type": "array", "maxItems": 10, "items": _MRKDWN},
                            },
                            "required": ["type", "elements"],
                            "additionalProperties": False,
                        },
                    ]
                },
            },
        },
    }
)
_RUN = {
    "type": "object",
    "properties": {
        "type": {"const": "TextRun"},
        "text": {"type": "string", "minLength": 1},
        "weight": {"enum": ["Default", "Lighter", "Bolder"]},
        "size": {"enum": ["Default", "Small", "Medium", "Large", "ExtraLarge"]},
    },
    "required": ["type", "text"],
    "additionalProperties": False,
}
TEAMS = Draft202012Validator(
    {
        "type": "object",
        "required": ["type", "attachments"],
        "additionalProperties": False,
        "properties": {
            "type": {"const": "message"},
            "attachments": {
                "type": "array",
                "minItems": 1,
                "maxItems": 1,
                "items": {
                    "type": "object",
                    "required": ["contentType", "content"],
                    "additionalProperties": False,
                    "properties": {
                        "contentType": {"const": "application/vnd.microsoft.card.adaptive"},
                        "contentUrl": {"type": "null"},
                        "content": {
                            "type": "object",
                            "required": ["type", "version", "body"],
                            "additionalProperties": False,
                            "properties": {
                                "$schema": {"type": "string"},
                                "type": {"const": "AdaptiveCard"},
                                "version": {"const": "1.5"},
                                "body": {
                                    "type": "array",
                                    "items": {
                                        "oneOf": [
                                            {
                                                "properties": {
                                                    "type": {"const": "RichTextBlock"},
                                                    "inlines": {"type": "array", "items": _RUN},
                                                },
                                                "required": ["type", "inlines"],
                                                "additionalProperties": False,
                                            },
                                            {
                                                "properties": {
                                                    "type": {"const": "TextBlock"},
                                                    "text": {"type": "string"},
                                                    "wrap": {"type": "boolean"},
                                                },
                                                "required": ["type", "text"],
                                                "additionalProperties": False,
                                            },
                                        ]
                                    },
                                },
                                "actions": {
                                    "type": "array",
                                    "items": {
                                        "type": "object",
                                        "properties": {
                                            "type": {"const": "Action.OpenUrl"},
                                            "title": {"type": "string"},
                                            "url": {"type": "string", "pattern": "^https?://"},
                                        },
                                        "required": ["type", "url"],
                                        "additionalProperties": False,
                                    },
                                },
                            },
                        },
                    },
                },
            },
        },
    }
)


def happening(kind: str) -> Happening:
    """Return something of each kind."""
    if kind == "call.withdrawn":
        return withdrawn()
    if kind.startswith("engine"):
        return Happening(id=f"{kind}:1", kind=kind, at=NOON, host="pbx-1")
    step = None if kind == "alert.escalated" else kind.partition(".")[2]
    due = "offer_call_back" if kind == "alert.escalated" else None
    return raised(kind=kind, id=f"1:{kind}", step=step, escalated=due, by="anna")


def sent(happening: Happening, **given: object) -> dict:
    """Return what a webhook is sent."""
    hook = Webhook(**({"name": "crm", "url": "https://example.org/"} | given))
    return json.loads(rendering.rendered(hook, happening, BOARD)[1])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("board", [BOARD, ""])
def test_every_kind_is_a_cloud_event(kind, board):
    event = json.loads(msgspec.json.encode(payload.event(happening(kind), board)))
    CLOUD_EVENT.validate(event)
    assert event["type"] == f"hackles.{kind}"
    assert datetime.fromisoformat(event["time"]).timestamp() == NOON
    assert msgspec.convert(event["data"], payload.Payload)
    assert event["source"] == board or event["source"].startswith("hackles/")


def test_an_alert_is_told_with_all_that_is_known_of_it():
    event = sent(raised())
    assert (event["id"], event["subject"]) == ("alert1:raised", "alert1")
    assert event["data"] == {
        "engine": "engine-1",
        "call": "+48 22 123 45 67",
        "session": "session1",
        "queue": "billing",
        "agent": "a7",
        "teams": ["north"],
        "alert": "alert1",
        "state": "rising",
        "level": 0.61,
        "confidence": 0.8,
        "because": ["18 % faster"],
        "step": "raised",
        "raised_at": "2027-01-15T08:00:00Z",
        "url": f"{BOARD}/?call=session1",
    }


def test_of_a_withdrawn_call_the_session_is_told_and_nothing_else():
    told = raised(kind="call.withdrawn")
    event = sent(told)
    assert event["data"] == {"session": "session1"}
    assert event["subject"] == "session1"
    for format_ in ("slack", "teams"):
        text = json.dumps(sent(told, format=format_))
        assert "session1" in text
        assert not any(word in text for word in ("billing", "faster", "a7", "+48", "rising"))


@settings(deadline=None)
@given(st.text(min_size=1, max_size=300))
def test_ids_can_stand_in_a_header_and_are_the_same_whenever_they_are_the_same(id_):
    made = payload.event_id(id_)
    assert re.fullmatch(r"[A-Za-z0-9_:-]{1,128}", made)
    assert made == payload.event_id(id_)
    signed([new_secret()], made, NOON, b"{}")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_a_message_for_slack_and_for_teams(kind, language):
    for board in (BOARD, ""):
        message = templates.message(happening(kind), language, board)
        SLACK.validate(slack(message))
        TEAMS.validate(teams(message))
    text = json.dumps([slack(message), teams(message)])
    assert "+48" not in text  # the telephone system's name of the call
    assert "a7" not in text


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", ["Irritation rising", "18 % faster", "Queue", "Who sees to it", "Since"]),
        ("pl", ["Irytacja rośnie", "mówi szybciej", "Kolejka", "Kto się tym zajmuje", "Od"]),
        ("es", ["Irritación en aumento", "más rápido", "Cola", "Quién se ocupa", "Desde"]),
    ],
)
def test_people_read_what_was_heard_why_where_since_when_and_who_sees_to_it(language, said):
    for format_ in ("slack", "teams"):
        told = sent(raised(by="anna"), format=format_, language=language)
        text = json.dumps(told, ensure_ascii=False)
        for word in [*said, "anna", "billing", f"{BOARD}/?call=session1"]:
            assert word in text, word


def test_a_test_is_a_message_too():
    message = templates.test_message("en", BOARD)
    SLACK.validate(slack(message))
    TEAMS.validate(teams(message))
    hook = Webhook(name="crm", url="https://example.org/")
    event = json.loads(rendering.rendered_test(hook, "test_1", NOON, BOARD)[1])
    CLOUD_EVENT.validate(event)
    assert (event["type"], event["data"]) == ("hackles.test", {})


def keys(words: dict) -> set:
    return {(section, key) for section, texts in words.items() for key in texts}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_same_is_said_in_every_language_and_never_what_somebody_feels(language):
    words = templates.words(language)
    assert keys(words) == keys(templates.words("en"))
    for section, key in keys(words):
        filled = set(re.findall(r"\{(\w+)\}", words[section][key]))
        assert filled == set(re.findall(r"\{(\w+)\}", templates.words("en")[section][key]))
    text = json.dumps(words, ensure_ascii=False).lower()
    assert not re.search(r"angry|anger|furious|zły|wściek|enfadad|enojad|furios", text)


anything = st.text(max_size=500)


@settings(deadline=None)
@given(anything, anything, anything)
def test_whatever_a_name_holds_slack_takes_it_for_nothing_but_text(queue, by, evidence):
    told = raised(queue=queue, by=by, because={"en": (evidence,)})
    made = slack(templates.message(told, "en", BOARD))
    SLACK.validate(made)
    own = r"<!date\^\d+\^\{time_secs\}\|\d\d:\d\d:\d\d UTC>|<https://board\S*\|[^<>|]+>"
    texts = [made["text"]]
    for block in made["blocks"]:
        texts += [one["text"] for one in [block.get("text")] if one]
        texts += [one["text"] for one in block.get("fields", block.get("elements", []))]
    for text in texts:
        rest = re.sub(own, "", text)
        assert "<" not in rest
        assert ">" not in rest
        assert re.sub(r"&(amp|lt|gt);", "", rest).count("&") == 0
        assert not re.search(r"@(?!\u2060)", rest)


@pytest.mark.parametrize("name", ["<!channel>", "@channel", "<!here|x>", "<@U1>", "<http://e|x>"])
def test_a_queues_name_calls_nobody(name):
    made = json.dumps(sent(raised(queue=name), format="slack"), ensure_ascii=False)
    assert name not in made
    assert "<!channel" not in made
    assert "@channel" not in made


def test_escaping_is_slacks_own():
    assert escaped("R&D <x> & a@b") == "R&amp;D &lt;x&gt; &amp; a@\u2060b"


@settings(deadline=None)
@given(anything, anything)
def test_whatever_a_name_holds_teams_shows_it_as_it_is(queue, by):
    told = raised(queue=queue, by=by)
    made = teams(templates.message(told, "en", BOARD))
    TEAMS.validate(made)
    body = made["attachments"][0]["content"]["body"]
    marked = [one["text"] for one in body if one["type"] == "TextBlock"]
    assert marked == ["**Since:** {{TIME(2027-01-15T08:00:00Z)}}"]  # none of theirs
    assert len(json.dumps(made)) < 28_000


def fenced(language: str) -> str:
    (code,) = re.findall(rf"```{language}\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.S)
    return code


def attempts():
    """Yield the headers and body of attempts that are ours, and that are not; and which it is."""
    import time

    secret, body, now = new_secret(), b'{"a": "\xc5\xbc"}', time.time()
    ours = signed([new_secret(), secret], "one", now, body)
    yield secret, ours, body, True
    yield new_secret(), ours, body, False
    yield secret, ours, body + b" ", False
    yield secret, signed([secret], "one", now - 400, body), body, False
    yield secret, {}, body, False
    yield secret, {**ours, "webhook-timestamp": "soon"}, body, False


def test_the_documents_python_verifies_us():
    given: dict = {}
    exec(fenced("python"), given)
    for secret, headers, body, is_ours in attempts():
        assert given["is_from_hackles"](secret, headers, body) == is_ours


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
def test_the_documents_javascript_verifies_us():
    for secret, headers, body, is_ours in attempts():
        given = f"{json.dumps(secret)}, {json.dumps(headers)}, Buffer.from('{body.hex()}', 'hex')"
        code = f"{fenced('javascript')}\nconsole.log(isFromHackles({given}))"
        said = subprocess.run(["node", "-e", code], check=True, capture_output=True, text=True)
        assert said.stdout.strip() == str(is_ours).lower()


def test_the_documents_example_is_what_comes():
    example = json.loads(fenced("json"))
    CLOUD_EVENT.validate(example)
    assert example.keys() == sent(raised()).keys()
    assert example["data"].keys() == sent(raised())["data"].keys()
    text = DOCUMENT.read_text(encoding="utf-8")
    for kind in KINDS:
        assert f".{kind.partition('.')[2]}`" in text, kind
