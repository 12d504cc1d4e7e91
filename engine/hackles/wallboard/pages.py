"""The board's page and the sign-in, as a browser loads them: all from a fixed list of names.

What they may load in turn, the guard says for all answers.
"""

from functools import cache
from importlib.resources import files
from typing import Final

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from hackles.wallboard.roads import ANYBODY, Answering, Road
from hackles.wallboard.viewer import Viewer
from hackles.wording import LANGUAGES, best_language

_KINDS: Final = {"css": "text/css", "js": "text/javascript"}


def roads(language: str) -> list[Road]:
    """Return the ways to the page; it shows nothing of a call by itself.

    Args:
        language: of everybody, or "" for each reader's own.
    """
    return [
        _road("/", "The board.", _page("index.html", language), "text/html"),
        _road("/sign-in", "Where one signs in.", _page("sign-in.html", language), "text/html"),
        _road("/static/{name}", "A file that the page needs.", _static, "text/javascript"),
    ]


def _road(path: str, says: str, answer: Answering, kind: str) -> Road:
    return Road(
        method="GET",
        path=path,
        who=ANYBODY,
        answer=answer,
        says=says,
        kind=kind,
        is_documented=False,
    )


def _page(name: str, language: str) -> Answering:
    async def answer(request: Request, _viewer: Viewer | None) -> Response:
        wanted = request.query_params.get("lang", "")
        spoken = wanted if wanted in LANGUAGES else language
        spoken = spoken or best_language(request.headers.get("accept-language", ""))
        return Response(_text(name, spoken), media_type="text/html")

    return answer


async def _static(request: Request, _viewer: Viewer | None) -> Response:
    # Looked up among what is there, never joined to a path: no name leads elsewhere.
    found = _statics().get(request.path_params["name"])
    if found is None:
        raise HTTPException(404, "There is no such page; the board's page is /.")
    kind, body = found
    return Response(body, media_type=kind)


@cache
def _statics() -> dict[str, tuple[str, bytes]]:
    """Return the kind and the content of every file that a page may load, by its name."""
    return {
        file.name: (_KINDS[ending], file.read_bytes())
        for file in (files("hackles.wallboard") / "page").iterdir()
        if (ending := file.name.rpartition(".")[2]) in _KINDS
    }


@cache
def _text(name: str, language: str) -> str:
    """Return a page with its words in it."""
    import tomllib

    folder = files("hackles.wallboard") / "page"
    words = tomllib.loads((folder / "words" / f"{language}.toml").read_text(encoding="utf-8"))
    # Within a script element only "<" could end it early.
    said = msgspec.json.encode(words).decode().replace("<", "\\u003c")
    text = (folder / name).read_text(encoding="utf-8")
    return text.replace("{{language}}", language).replace("{{words}}", said)
