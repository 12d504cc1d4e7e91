"""Windows of Chromium that look at a board which runs as people run it."""

import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.browser import watched
from tests.program import ENVIRONMENT, HACKLES, wait_until
from tests.wallboard.telling import Telling

LAPTOP = {"width": 1440, "height": 900}
PATIENCE_MS = 10_000

CARD = "#needs > li"
TILE = "#others > li"


@dataclass
class Looking:
    """A window that looks at the board."""

    page: object
    complaints: list[str] = field(default_factory=list)

    def open(self, address: str, query: str = "") -> "Looking":
        self.page.goto(f"{address}/{query}", wait_until="domcontentloaded")
        return self

    def texts(self, where: str) -> list[str]:
        return self.page.locator(where).all_inner_texts()

    def calls(self, where: str = TILE) -> list[str]:
        """Return the sessions of the rows there, from the top."""
        return self.page.eval_on_selector_all(where, "all => all.map(one => one.dataset.session)")

    def wait(self, condition: str, argument: object = None) -> None:
        self.page.wait_for_function(condition, arg=argument, timeout=PATIENCE_MS)

    def wait_for_step(self, session: str, step: str) -> None:
        self.page.wait_for_selector(
            f'[data-session="{session}"][data-step="{step}"]', timeout=PATIENCE_MS
        )

    def keys(self, *names: str) -> None:
        for name in names:
            self.page.keyboard.press(name)


class Board:
    """A board that runs, and windows that look at it."""

    def __init__(self, address: str, chromium) -> None:
        self.address, self.chromium = address, chromium
        self.complaints: list[str] = []

    @contextmanager
    def window(self, query: str = "?lang=en", **options) -> Iterator[Looking]:
        """Open a window, as of a person of its own."""
        given = {"viewport": LAPTOP, "reduced_motion": "reduce"} | options
        context = self.chromium.new_context(**given)
        page = context.new_page()
        looking = Looking(page, watched(page)).open(self.address, query)
        try:
            yield looking
            # A page that asks for a call whose caller withdrew is told that there is none.
            self.complaints += [one for one in looking.complaints if "404" not in one]
        finally:
            context.close()

    @contextmanager
    def engine(self, name: str) -> Iterator[Telling]:
        """Let an engine tell of calls; they are withdrawn at the end."""
        telling = Telling(self.address, name)
        telling.beat()
        try:
            yield telling
            for session in telling.calls:
                telling.withdraw(session)
        finally:
            telling.close()


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@contextmanager
def running(folder: Path, port: int, settings: str = "") -> Iterator[str]:
    """Run a board, and yield its address."""
    path = folder / "wallboard.toml"
    path.write_text(f'[board]\nlisten = "127.0.0.1:{port}"\n{settings}', encoding="utf-8")
    command = [HACKLES, "wallboard", "--config", path]
    with (
        (folder / "log").open("ab") as log,
        subprocess.Popen(command, cwd=folder, env=ENVIRONMENT, stderr=log) as process,
    ):
        address = f"http://127.0.0.1:{port}"
        try:
            wait_until(lambda: process.poll() is not None or answers(address))
            assert process.poll() is None, (folder / "log").read_text()
            yield address
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(10)


def answers(address: str) -> bool:
    try:
        return httpx.get(f"{address}/sign-in", timeout=5).status_code == 200
    except httpx.HTTPError:
        return False
