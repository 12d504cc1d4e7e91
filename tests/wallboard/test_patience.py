"""Who connects, and says nothing or half of something, keeps nobody else out for long."""

import asyncio
import contextlib
import socket

import pytest
from starlette.applications import Starlette
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from hackles.live import pages

_WHOLE = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
_LAST = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
_HALF = b"GET / HTTP/1.1\r\nHost: loc"


async def _answer(_request):
    return Response("here")


async def _slow(_request):
    async def parts():
        yield b"first "
        await asyncio.sleep(0.6)
        yield b"last"

    return StreamingResponse(parts())


@contextlib.asynccontextmanager
async def page(most=64):
    """Yield the port of a page that is up."""
    with contextlib.ExitStack() as stack:
        app = Starlette(routes=[Route("/", _answer), Route("/slow", _slow)])
        page = pages.Page(app, stack, "127.0.0.1:0", most=most)
        serving = asyncio.create_task(page.serve())
        while not page.started:
            await asyncio.sleep(0.01)
        yield page.servers[0].sockets[0].getsockname()[1]
        page.end()
        await serving


async def said(port, *parts):
    """Return what comes back until the connection is closed."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for part in parts:
        writer.write(part)
        await asyncio.sleep(0.02)
    async with asyncio.timeout(5):
        answer = await reader.read()
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()
    return answer


@pytest.mark.parametrize("parts", [(), (b"",), (_HALF,), tuple(b"%c" % one for one in _HALF[:9])])
def test_who_sends_no_whole_request_is_let_go(monkeypatch, parts):
    monkeypatch.setattr(pages, "HEAD_S", 0.3)

    async def go():
        async with page() as port:
            assert await said(port, *parts) == b""

    asyncio.run(go())


def test_half_a_request_behind_a_whole_one_is_let_go(monkeypatch):
    monkeypatch.setattr(pages, "HEAD_S", 0.3)

    async def go():
        async with page() as port:
            answer = await said(port, _WHOLE, _HALF)
            assert answer.endswith(b"here")

    asyncio.run(go())


def test_an_answer_may_take_longer_than_its_request(monkeypatch):
    monkeypatch.setattr(pages, "HEAD_S", 0.2)

    async def go():
        async with page() as port:
            answer = await said(port, _LAST.replace(b"/ ", b"/slow ", 1))
            assert b"last" in answer

    asyncio.run(go())


def test_those_who_only_connect_keep_nobody_out_for_long(monkeypatch):
    monkeypatch.setattr(pages, "HEAD_S", 0.3)

    async def go():
        async with page(most=5) as port:
            with contextlib.ExitStack() as stack:
                for _ in range(5):
                    idle = socket.create_connection(("127.0.0.1", port))
                    stack.enter_context(contextlib.closing(idle))
                assert (await said(port, _WHOLE)).startswith(b"HTTP/1.1 503")
                await asyncio.sleep(0.5)
                assert (await said(port, _LAST)).startswith(b"HTTP/1.1 200")

    asyncio.run(go())
