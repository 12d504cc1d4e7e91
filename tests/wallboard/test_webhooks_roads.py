"""What an administrator may ask and do about webhooks: by the API, and by the command line."""

import asyncio
import json

import httpx
import pytest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import Route
from typer.testing import CliRunner

from hackles.cli.wallboard_webhooks import webhooks as commands
from hackles.errors import UsageError
from hackles.wallboard.settings import Webhook
from hackles.wallboard.viewer import Role, Viewer
from hackles.wallboard.visit import Visit
from hackles.wallboard.webhooks.roads import roads, shown_url
from hackles.wallboard.webhooks.signing import read_secrets
from tests.wallboard.webhook_receivers import NOON, Clock, opened, raised, receiving, webhook

BOSS = Viewer("boss", frozenset({Role.ADMINISTRATOR}), frozenset())


class Notes:
    """Keeps what an audit log would be told."""

    def __init__(self):
        self.all = []

    def note(self, by, what, about="", address=""):
        self.all.append((by, what, about, address))


def asked(webhooks, *requests):
    """Ask as an administrator, and return the answers."""

    def route(road):
        async def answer(request):
            request.state.visit = Visit(
                address="192.0.2.7", is_tls=True, viewer=BOSS, refused=HTTPException(401)
            )
            return await road.answer(request, BOSS)

        return Route(road.path, answer, methods=[road.method])

    application = Starlette(routes=[route(road) for road in roads(webhooks)])

    async def ask():
        transport = httpx.ASGITransport(application)
        async with httpx.AsyncClient(transport=transport, base_url="http://board") as client:
            answers = [await client.request(*one[:2], json=one[2]) for one in requests]
        await webhooks.close()
        return answers

    return asyncio.run(ask())


async def settle(webhooks):
    await webhooks.settle()
    await webhooks.close()


def test_all_of_it_is_an_administrators_alone(tmp_path):
    with opened(tmp_path) as webhooks:
        table = roads(webhooks)
    assert [f"{road.method} {road.path}" for road in table] == [
        "GET /api/webhooks",
        "POST /api/webhooks/{name}/replay",
        "POST /api/webhooks/{name}/enable",
        "POST /api/webhooks/{name}/test",
    ]
    assert {road.who for road in table} == {frozenset({Role.ADMINISTRATOR})}


def test_the_list_says_how_each_does_and_nothing_of_what_waits(tmp_path):
    clock = Clock()
    with receiving() as receiver:
        receiver.answer = lambda _: (410, {}, b"")
        hook = webhook(f"{receiver.url}?key=hidden", tmp_path)
        with opened(tmp_path, hook, clock=clock) as webhooks:
            webhooks.put(raised(1))
            asyncio.run(settle(webhooks))
            webhooks.put(raised(2))
            (answer,) = asked(webhooks, ("GET", "/api/webhooks", None))
    (told,) = answer.json()
    letters = told.pop("dead_letters")
    assert told == {
        "name": "crm",
        "url": receiver.url,
        "format": "cloudevents",
        "is_enabled": False,
        "waiting": 0,
        "failing_since_at": None,
        "last_status": 410,
        "last_at": pytest.approx(NOON, abs=1),
        "dead": 2,
    }
    assert {one["id"] for one in letters} == {"alert1:raised", "alert2:raised"}
    assert letters[0].keys() == {"id", "kind", "at", "attempts", "last_error"}
    assert not any(word in answer.text for word in ("hidden", "billing", "session1", "+48"))


@pytest.mark.parametrize(
    ("url", "format_", "shown"),
    [
        ("https://u:p@e.org:1/a?b#c", "cloudevents", "https://e.org:1/a"),
        ("https://hooks.slack.com/services/T/B/hidden", "slack", "https://hooks.slack.com/…"),
        ("https://prod.logic.azure.com/x?sig=hidden", "teams", "https://prod.logic.azure.com/…"),
    ],
)
def test_addresses_are_shown_without_their_secrets(url, format_, shown):
    assert shown_url(Webhook(name="one", url=url, format=format_)) == shown


def test_dead_letters_are_replayed_a_receiver_is_enabled_and_it_is_noted_who_did(tmp_path):
    notes = Notes()
    with receiving() as receiver:
        receiver.answer = lambda _: (410, {}, b"")
        hook = webhook(receiver.url, tmp_path)
        with opened(tmp_path, hook, clock=Clock(), audit=notes) as webhooks:
            webhooks.put(raised(1))
            asyncio.run(settle(webhooks))
            webhooks.put(raised(2))
            enabled, some, rest = asked(
                webhooks,
                ("POST", "/api/webhooks/crm/enable", {}),
                ("POST", "/api/webhooks/crm/replay", {"ids": ["alert2:raised", "none"]}),
                ("POST", "/api/webhooks/crm/replay", {"ids": None}),
            )
            receiver.up()
            asyncio.run(settle(webhooks))
    assert enabled.json()["is_enabled"]
    assert (some.json(), rest.json()) == ({"count": 1}, {"count": 1})
    assert sorted(receiver.ids[1:]) == ["alert1:raised", "alert2:raised"]
    assert [note[:3] for note in notes.all] == [
        ("boss", "webhook.enable", "crm"),
        ("boss", "webhook.replay", "crm"),
        ("boss", "webhook.replay", "crm"),
    ]


def test_a_test_goes_out_at_once_and_tells_what_came_of_it(tmp_path):
    with receiving() as receiver:
        hook = webhook(receiver.url, tmp_path)
        inside = webhook("https://hooks.example.org/", tmp_path, name="in", allow_private=False)

        async def lookup(host, port):
            return ["127.0.0.1"]

        with opened(tmp_path, hook, inside, clock=Clock(), resolve=lookup) as webhooks:
            through, refused = asked(
                webhooks,
                ("POST", "/api/webhooks/crm/test", {}),
                ("POST", "/api/webhooks/in/test", {}),
            )
            assert webhooks.next_at() is None
    assert through.json() == {"is_through": True, "status": 200, "error": ""}
    assert json.loads(receiver.got[0].body)["type"] == "hackles.test"
    assert not refused.json()["is_through"]
    assert refused.json()["error"].startswith("not sent: the address is private")


@pytest.mark.parametrize("what", ["replay", "enable", "test"])
def test_a_webhook_that_there_is_not_is_not_found(tmp_path, what):
    with opened(tmp_path) as webhooks:
        (answer,) = asked(webhooks, ("POST", f"/api/webhooks/nobody's/{what}", {}))
    assert answer.status_code == 404
    assert "GET /api/webhooks" in answer.text


@pytest.mark.parametrize("body", [[], "x", {"ids": "all"}, {"ids": [1]}, {"id": "one"}, 7])
def test_what_is_no_list_of_ids_is_refused(tmp_path, body):
    with opened(tmp_path, webhook("https://example.org/", tmp_path)) as webhooks:
        (answer,) = asked(webhooks, ("POST", "/api/webhooks/crm/replay", body))
    assert answer.status_code == 422
    assert answer.text.startswith("The body is not what is asked for: ")


@pytest.fixture
def board(tmp_path):
    """A board's settings, with a dead letter and one that waits."""
    with receiving() as receiver:
        hook = webhook(receiver.url, tmp_path)
        config = tmp_path / "wallboard.toml"
        config.write_text(
            f'[board]\nfolder = "board"\n[[webhook]]\nname = "crm"\nurl = "{receiver.url}"\n'
            f'secret_file = "{hook.secret_file}"\nallow_private = true\n'
        )
        receiver.answer = lambda _: (410, {}, b"")
        with opened(tmp_path, hook, clock=Clock()) as webhooks:
            webhooks.put(raised(1))
            asyncio.run(settle(webhooks))
            yield config, webhooks


def said(*arguments):
    """Return what a command says."""
    result = CliRunner().invoke(commands, [str(argument) for argument in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


def test_commands_work_on_the_book_of_a_board_that_runs(board):
    config, webhooks = board
    assert said("list", "--config", config) == (
        "crm: switched off, since it answered 410; waiting: 0; not delivered: 1\n"
    )
    assert "alert1:raised  alert.raised  1  switched off" in said("dead", "crm", "--config", config)
    assert "crm is switched on" in said("enable", "crm", "--config", config)
    assert said("replay", "crm", "alert1:raised", "--config", config) == "To be sent anew: 1.\n"
    assert webhooks.endpoints.health("crm").is_enabled
    assert webhooks.outbox.count("crm", "waiting") == 1
    assert said("replay", "crm", "--all", "--config", config) == "To be sent anew: 0.\n"
    assert said("list", "--config", config).endswith("; waiting: 1; not delivered: 0\n")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["dead", "other"], "There is no webhook 'other'; the settings have crm."),
        (["replay", "crm"], "Say what to send anew: an ID, or --all."),
        (["replay", "crm", "x", "--all"], "Say what to send anew: an ID, or --all."),
        (["replay", "crm", "x"], "There is no dead letter 'x'"),
    ],
)
def test_wrong_usage_is_told_in_one_sentence(board, arguments, sentence):
    with pytest.raises(UsageError, match=f"^{sentence}"):
        said(*arguments, "--config", board[0])


def test_without_a_board_or_settings_it_is_told_what_to_do(tmp_path):
    with pytest.raises(UsageError, match="is not there"):
        said("list", "--config", tmp_path / "none.toml")
    config = tmp_path / "wallboard.toml"
    config.write_text("")
    with pytest.raises(UsageError, match=r"There is no board in .* yet"):
        said("list", "--config", config)


def test_the_secret_that_is_printed_can_be_used(tmp_path):
    path = tmp_path / "secret"
    path.write_text(said("secret"))
    assert len(read_secrets(str(path))) == 1
