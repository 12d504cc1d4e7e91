"""Everybody who looks is told the same, soon, and nobody who is slow holds up anything."""

import asyncio
import contextlib

import pytest

from hackles.wallboard import hub as hubs
from hackles.wallboard.hub import Hub
from tests.wallboard.reader import Reader, frames
from tests.wallboard.world import ANNA, BEN, CLERK, HEDY


class Looking:
    """Somebody who looks, and reads only when asked to."""

    def __init__(self, hub, viewer, language="en", may_look=lambda: True):
        self.stream = hub.stream(viewer, language, may_look)
        self.reader, self.names, self.n_bytes = Reader(), [], 0

    async def read(self):
        """Take one piece of what is sent."""
        raw = await asyncio.wait_for(anext(self.stream), 5.0)
        self.n_bytes += len(raw)
        for name, data in frames(raw):
            self.names.append(name)
            self.reader.read(name, data)
        return raw


@contextlib.asynccontextmanager
async def looking(world, *viewers):
    """Yield a hub in which these look, each with the board as it is now."""
    hub = Hub(world.floor)
    running = asyncio.create_task(hub.run())
    people = [Looking(hub, viewer) for viewer in viewers]
    try:
        await asyncio.gather(*(one.read() for one in people))
        yield hub, people
    finally:
        hub.close()
        for one in people:
            await one.stream.aclose()
        await asyncio.wait_for(running, 1.0)


def test_whoever_looks_gets_the_whole_board_and_then_what_changes(world):
    async def look():
        world.begin("s1")
        world.read("s1", 0.5)
        async with looking(world, ANNA) as (_, [anna]):
            assert anna.names == ["view"]
            assert anna.reader.view["rows"][0]["points"] == [[1.0, 0.5]]
            world.begin("s2")
            world.read("s1", 0.6)
            await anna.read()
            assert anna.names == ["view", "changes"]
            assert anna.reader.view["order"] == ["s1", "s2"]
            assert anna.reader.view["rows"][0]["points"] == [[1.0, 0.5], [2.0, 0.53]]

    asyncio.run(look())


def test_a_row_that_is_as_before_is_not_told_again(world):
    async def look():
        for session in ("s1", "s2"):
            world.begin(session)
        async with looking(world, ANNA) as (_, [anna]):
            world.read("s2")
            raw = await anna.read()
            assert b'"s2"' in raw
            assert b'"s1"' not in raw
            assert b"order" not in raw
            assert b"hosts" not in raw

    asyncio.run(look())


def test_those_who_may_see_the_same_are_sent_the_very_same_bytes(world):
    async def look():
        async with looking(world, BEN, BEN, HEDY, CLERK) as (_, [ben, other, hedy, clerk]):
            world.begin("s1", queue="sales")
            assert await ben.read() is await other.read()
            await clerk.read()
            assert b"s1" not in await hedy.read()  # the engine, for it is there now
            assert clerk.reader.view["order"] == ["s1"]
            assert hedy.reader.view["order"] == []

    asyncio.run(look())


def test_whoever_comes_later_misses_nothing_and_disturbs_nobody(world):
    async def look():
        async with looking(world, BEN) as (hub, [ben]):
            world.begin("s1", queue="help", agent="")  # does not concern Ben
            await ben.read()
            world.read("s1", queue="help", agent="")
            late = Looking(hub, BEN)
            await late.read()
            world.begin("s2", queue="sales")
            await asyncio.gather(ben.read(), late.read())
            assert ben.reader.view == late.reader.view
            assert ben.names == ["view", "changes", "changes"]
            await late.stream.aclose()

    asyncio.run(look())


def test_somebody_slow_gets_the_whole_board_and_nothing_piles_up(world):
    async def look():
        world.begin("s1")
        async with looking(world, ANNA, ANNA) as (hub, [anna, slow]):
            for n in range(50):
                world.read("s1", n / 50)
                hub.pulse()
                if n % 10 == 0:
                    await anna.read()
            await asyncio.sleep(0)
            while slow.names[-1] != "view" or len(slow.names) == 1:
                await slow.read()
            assert slow.names.count("changes") <= 1
            assert len(slow.reader.view["rows"][0]["points"]) == 50
            world.read("s1", 0.1)
            await slow.read()
            assert len(slow.reader.view["rows"][0]["points"]) == 51

    asyncio.run(look())


def test_a_line_that_is_drawn_anew_comes_with_the_whole_board(world):
    async def look():
        world.begin("s1")
        world.read("s1")
        async with looking(world, ANNA) as (_, [anna]):
            world.stand("s1", points=[(0.5, 0.1), (1.5, 0.2)], time=2.0)
            await anna.read()
            assert anna.names == ["view", "view"]
            assert anna.reader.view["rows"][0]["points"] == [[0.5, 0.1], [1.5, 0.2]]

    asyncio.run(look())


def test_a_stream_ends_once_its_viewer_may_look_no_longer(world):
    async def look():
        may_look = [True]
        async with looking(world) as (hub, _):
            one = Looking(hub, ANNA, may_look=lambda: may_look[0])
            await one.read()
            may_look[0] = False
            world.begin("s1")
            with pytest.raises(StopAsyncIteration):
                await one.read()

    asyncio.run(look())


def test_the_board_says_that_it_is_alive(world, monkeypatch):
    monkeypatch.setattr(hubs, "ALIVE_S", 0.3)

    async def look():
        async with looking(world, ANNA) as (_, [anna]):
            await anna.read()
            assert anna.names[:2] == ["view", "alive"]

    asyncio.run(look())


def test_all_streams_end_as_the_board_does(world):
    async def look():
        async with looking(world, ANNA) as (hub, [anna]):
            waiting = asyncio.create_task(anna.read())
            await asyncio.sleep(0)
            hub.close()
            with pytest.raises(StopAsyncIteration):
                await waiting

    asyncio.run(look())
