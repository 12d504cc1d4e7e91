"""The agent's page: what it shows, as it changes, and what the agent does about it."""

import asyncio
from collections.abc import AsyncIterator
from functools import cache
from importlib.resources import files
from typing import Annotated, Final, Literal, Protocol, TypeVar

import msgspec
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from hackles.live.asking import Body, Nothing, answered, read
from hackles.live.cue import Cue
from hackles.live.desk import Desk
from hackles.live.view import view
from hackles.records import Cause, Note, Outcome, Result, View
from hackles.wording import LANGUAGES, best_language

_MOST_CALLS: Final = 8
_LOOK_S: Final = 0.25
_PING_S: Final = 15
_KINDS: Final = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
_POLICY: Final = (
    "default-src 'self'; style-src 'self'; script-src 'self'; img-src 'self' data:; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
_HEADERS: Final = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}

_Id = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
_Line = Annotated[str, msgspec.Meta(max_length=500)]


class _Acknowledgement(Body):
    alert: _Id
    verdict: Literal["seen", "false_alarm"]


class _Card(Body):
    ask: Literal["next", "abuse"]


class _Note(Body):
    text: Annotated[str, msgspec.Meta(min_length=1, max_length=2000, pattern=r"\S")]


class _Outcome(Body):
    result: Result
    what: _Line = ""
    promised: _Line = ""
    by_when: Annotated[str, msgspec.Meta(max_length=100)] = ""
    cause: Cause = ""
    view: View = ""


_B = TypeVar("_B", bound=Body)


class Front(Protocol):
    """What the page asks of the daemon."""

    def withdraw(self, call: str) -> None:
        """Listen to a call no longer, and delete what is kept of it."""


class AgentPage:
    """The page's routes. Its language is the settings', or the reader's own."""

    def __init__(self, desk: Desk, front: Front) -> None:
        """Show what the desk's cues say.

        Args:
            desk: records what the agent does.
            front: is told when a caller withdraws consent.
        """
        self._desk, self._cues, self._front = desk, desk.cues, front
        self._is_closed = False

    def close(self) -> None:
        """Let those who look go."""
        self._is_closed = True

    def routes(self) -> list[Route]:
        """Return all of them."""
        on_call = "/agent/calls/{session}"
        return [
            Route("/", lambda _: RedirectResponse("/agent"), methods=["GET"]),
            Route("/agent", self.page, methods=["GET"]),
            Route("/agent/events", self.events, methods=["GET"]),
            Route(f"{on_call}/acknowledgement", self.acknowledge, methods=["POST"]),
            Route(f"{on_call}/card", self.card, methods=["POST"]),
            Route(f"{on_call}/note", self.note, methods=["POST"]),
            Route(f"{on_call}/withdrawn", self.withdrawn, methods=["POST"]),
            Route(f"{on_call}/outcome", self.outcome, methods=["POST"]),
            Route(f"{on_call}/skip", self.skip, methods=["POST"]),
            Route("/agent/{name}", self.file, methods=["GET"]),
        ]

    async def page(self, request: Request) -> Response:
        """Return the page, in its language."""
        text = _page(self._language(request))
        return Response(text, media_type="text/html", headers=_HEADERS)

    async def file(self, request: Request) -> Response:
        """Return a file that the page needs."""
        name = request.path_params["name"]
        kind = _KINDS.get(name.rpartition(".")[2])
        file = files("hackles.live") / "page" / name
        if kind is None or "/" in name or not file.is_file():
            raise HTTPException(404, "There is no such page; the agent's page is /agent.")
        return Response(file.read_bytes(), media_type=kind, headers=_HEADERS)

    async def events(self, request: Request) -> Response:
        """Return the view as it changes, for as long as somebody looks."""
        language = self._language(request)
        agent = request.query_params.get("agent", "")
        stream = self._views(agent, language)
        return EventSourceResponse(
            stream,
            ping=_PING_S,
            # Not a comment, which a page cannot see: when these stop, the daemon hangs.
            ping_message_factory=lambda: ServerSentEvent("", event="alive"),
            headers={"Cache-Control": "no-store"},
        )

    async def acknowledge(self, request: Request) -> Response:
        """Take in what the agent says of an alert."""
        cue, said = await self._asked(request, _Acknowledgement)
        self._desk.answer(cue.session.id, said.alert, said.verdict)
        return answered({})

    async def card(self, request: Request) -> Response:
        """Show another card."""
        cue, said = await self._asked(request, _Card)
        cue.ask(said.ask)
        self._cues.version += 1
        return answered({})

    async def note(self, request: Request) -> Response:
        """Take down a note."""
        cue, said = await self._asked(request, _Note)
        cue.note(said.text.strip())
        self._cues.version += 1
        self._desk.record(cue.session, Note(round(cue.time, 4), said.text.strip()))
        return answered({})

    async def withdrawn(self, request: Request) -> Response:
        """Listen to this caller no longer, and delete what is kept of the call."""
        cue, _ = await self._asked(request, Nothing)
        self._front.withdraw(cue.session.call)
        return answered({})

    async def outcome(self, request: Request) -> Response:
        """Take in the form after the call."""
        cue, said = await self._asked(request, _Outcome)
        _check_over(cue)
        form = Outcome(round(cue.time, 4), **msgspec.structs.asdict(said))
        self._desk.record(cue.session, form)
        self._cues.drop(cue.session.id)
        return answered({})

    async def skip(self, request: Request) -> Response:
        """Let a call go without its form."""
        cue, _ = await self._asked(request, Nothing)
        _check_over(cue)
        self._cues.drop(cue.session.id)
        return answered({})

    async def _asked(self, request: Request, kind: type[_B]) -> tuple[Cue, _B]:
        """Return the call that is meant, and what is asked.

        Raises:
            HTTPException: if there is no such call, or the body is not what it should be.
        """
        said = await read(request, kind)
        cue = self._cues.find(request.path_params["session"])
        if cue is None:
            raise HTTPException(404, "This call is not shown any longer.")
        return cue, said

    async def _views(self, agent: str, language: str) -> AsyncIterator[ServerSentEvent]:
        """Yield the view whenever it is another; what is on a page was shown."""
        last, version = b"", -1
        while not self._is_closed:
            self._cues.expire()  # at night no call comes that would have it done
            if version != self._cues.version:
                version = self._cues.version
                cues = self._cues.of(agent, _MOST_CALLS)
                shown = msgspec.json.encode(view(self._cues, cues, language))
                if shown != last:
                    last = shown
                    yield ServerSentEvent(shown.decode(), event="view")
                    self._note_shown(cues, language)
            await asyncio.sleep(_LOOK_S)

    def _note_shown(self, cues: list[Cue], language: str) -> None:
        if self._cues.showing.alerts.shadow:
            return
        for cue in cues:
            cue.was_seen = True
            self._desk.show_card(cue.session.id, language)
            self._desk.look_up(cue)

    def _language(self, request: Request) -> str:
        wanted = request.query_params.get("lang", "")
        if wanted in LANGUAGES:
            return wanted
        return self._cues.language or best_language(request.headers.get("accept-language", ""))


def _check_over(cue: Cue) -> None:
    if cue.ended is None:
        raise HTTPException(409, "This call is not over yet.")


@cache
def _page(language: str) -> str:
    """Return the page with its words in it."""
    import tomllib

    folder = files("hackles.live") / "page"
    words = tomllib.loads((folder / "words" / f"{language}.toml").read_text(encoding="utf-8"))
    # Within a script element only "<" could end it early.
    said = msgspec.json.encode(words).decode().replace("<", "\\u003c")
    text = (folder / "index.html").read_text(encoding="utf-8")
    return text.replace("{{language}}", language).replace("{{words}}", said)
