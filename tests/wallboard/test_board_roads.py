"""The board's roads, over HTTP: each with what it promises, and a sentence where it cannot."""

import asyncio
import contextlib

import httpx
import msgspec
import pytest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.routing import Route

from hackles.live.pages import Page
from hackles.wallboard import board_roads
from hackles.wallboard.board_roads import roads
from hackles.wallboard.hub import Hub
from hackles.wallboard.shapes import CallPage, Day, Life, View
from hackles.wallboard.visit import Visit
from tests.wallboard.reader import Reader, frames
from tests.wallboard.world import ANALYST, ANNA, BEN, CLERK, HEDY

PEOPLE = {who.name: who for who in (ANNA, BEN, HEDY, CLERK, ANALYST)}


class Audit:
    def __init__(self):
        self.notes = []

    def note(self, by, what, about="", address=""):
        self.notes.append((by, what, about))


def application(table):
    """Let everybody be who they say, as far as the road is theirs."""

    def endpoint(road):
        async def answer(request: Request):
            who = PEOPLE[request.headers["name"]]
            assert not road.who.isdisjoint(who.roles)
            request.state.visit = Visit(
                address="127.0.0.1",
                is_tls=False,
                viewer=who,
                refused=HTTPException(401),
                may_look=lambda: True,
            )
            return await road.answer(request, who)

        return answer

    return Starlette(
        routes=[Route(road.path, endpoint(road), methods=[road.method]) for road in table]
    )


@contextlib.asynccontextmanager
async def board(world, language="en", hub=None):
    """Yield a client, and what the audit log was told."""
    audit, hub = Audit(), hub or Hub(world.floor)
    with contextlib.ExitStack() as stack:
        table = roads(world.floor, hub, audit, language)
        page = Page(application(table), stack, "127.0.0.1:0")
        port = page._socket.getsockname()[1]
        tasks = [asyncio.create_task(page.serve()), asyncio.create_task(hub.run())]
        client = httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=5.0)
        try:
            async with client:
                yield client, audit
        finally:
            hub.close()
            page.end()
            await asyncio.wait_for(asyncio.gather(*tasks), 3.0)


def as_(name):
    return {"name": name}


def test_view_page_and_day_are_what_the_documents_say(world):
    async def ask():
        world.begin("s1")
        world.alert("s1")
        async with board(world) as (client, _):
            for path, shape in (
                ("/api/view", View),
                ("/api/calls/s1", CallPage),
                ("/api/day", Day),
            ):
                answer = await client.get(path, headers=as_("anna"))
                assert answer.status_code == 200
                assert answer.headers["content-type"] == "application/json"
                msgspec.json.decode(answer.content, type=shape)

    asyncio.run(ask())


def test_a_step_is_taken_told_and_noted(world):
    async def ask():
        world.begin("s1")
        alert = world.alert("s1")
        async with board(world) as (client, audit):
            path = f"/api/alerts/{alert}/step?lang=pl"
            answer = await client.post(path, headers=as_("ben"), json={"step": "helping"})
            life = msgspec.json.decode(answer.content, type=Life)
            assert (life.step, life.text) == ("helping", "pomaga ben")
            assert audit.notes == [("ben", "alert.helping", alert)]
            late = await client.post(path, headers=as_("anna"), json={"step": "seen"})
            assert (late.status_code, len(audit.notes)) == (409, 1)
            assert "pomaga ben" in late.text

    asyncio.run(ask())


@pytest.mark.parametrize("name", ["hedy", "anna"])
def test_what_one_may_not_see_is_not_there(world, name):
    async def ask():
        world.begin("s1")
        alert = world.alert("s1")
        session, alert = ("s1", alert) if name == "hedy" else ("s9", "e9")
        async with board(world) as (client, audit):
            page = await client.get(f"/api/calls/{session}", headers=as_(name))
            path = f"/api/alerts/{alert}/step"
            step = await client.post(path, headers=as_(name), json={"step": "seen"})
            assert (page.status_code, step.status_code) == (404, 404)
            assert page.text == step.text
            assert audit.notes == []

    asyncio.run(ask())


def test_one_account_takes_not_all_connections_and_may_look_again_once_it_let_some_go(
    world, monkeypatch
):
    monkeypatch.setattr(board_roads, "MOST_STREAMS", 2)

    async def ask():
        parts = []
        async with board(world) as (client, _), contextlib.AsyncExitStack() as stack:

            async def look(name):
                stream = client.stream("GET", "/api/events", headers=as_(name))
                answer = await stack.enter_async_context(stream)
                if answer.status_code == 200:
                    parts.append(answer.aiter_bytes())  # or httpx closes it
                    await anext(parts[-1])
                return answer

            first = await look("anna")
            seen = [(await look(name)).status_code for name in ("anna", "anna", "ben")]
            assert seen == [200, 429, 200]
            await first.aclose()
            async with asyncio.timeout(5):
                while (await look("anna")).status_code != 200:
                    await asyncio.sleep(0.05)

    asyncio.run(ask())


@pytest.mark.parametrize("body", [{"step": "raised"}, {}, {"step": "seen", "by": "me"}, []])
def test_a_step_that_is_none_is_refused(world, body):
    async def ask():
        world.begin("s1")
        alert = world.alert("s1")
        async with board(world) as (client, _):
            path = f"/api/alerts/{alert}/step"
            answer = await client.post(path, headers=as_("anna"), json=body)
            assert answer.status_code == 422

    asyncio.run(ask())


def test_the_language_is_the_settings_or_the_readers(world):
    async def ask():
        world.begin("s1")
        async with board(world, language="") as (client, _):
            said = {}
            for language in ("pl", "es", "de"):
                headers = as_("anna") | {"Accept-Language": language}
                view = (await client.get("/api/view", headers=headers)).json()
                said[language] = view["rows"][0]["state_text"]
        async with board(world, language="pl") as (client, _):
            headers = as_("anna") | {"Accept-Language": "es"}
            view = (await client.get("/api/view", headers=headers)).json()
            assert view["rows"][0]["state_text"] == said["pl"]
        assert len(set(said.values())) == 3

    asyncio.run(ask())


def test_events_come_as_a_stream_that_ends_with_the_board(world):
    async def ask():
        world.begin("s1")
        reader, names, hub = Reader(), [], Hub(world.floor)
        async with board(world, hub=hub) as (client, _):
            async with client.stream("GET", "/api/events", headers=as_("anna")) as stream:
                assert stream.headers["content-type"].startswith("text/event-stream")
                assert stream.headers["cache-control"] == "no-store"
                raw = b""
                async for piece in stream.aiter_raw():
                    raw += piece
                    if not raw.endswith(b"\n\n"):
                        continue
                    for name, data in frames(raw):
                        names.append(name)
                        reader.read(name, data)
                    raw = b""
                    if len(names) == 1:
                        world.alert("s1")
                    if len(names) == 2:
                        break
            async with asyncio.timeout(2.0):
                while hub.n_viewers:  # whoever has left is forgotten
                    await asyncio.sleep(0.01)
            assert names == ["view", "changes"]
            assert reader.view["rows"][0]["life"]["step"] == "raised"

    asyncio.run(ask())


def test_the_board_ends_promptly_while_somebody_looks(world):
    async def ask():
        async with board(world) as (client, _):
            request = client.build_request("GET", "/api/events", headers=as_("anna"))
            stream = await client.send(request, stream=True)
            pieces = stream.aiter_raw()
            await anext(pieces)
            ended = asyncio.create_task(_exhaust(pieces))
        await asyncio.wait_for(ended, 2.0)

    asyncio.run(ask())


async def _exhaust(pieces):
    with contextlib.suppress(httpx.HTTPError):
        async for _ in pieces:
            pass
