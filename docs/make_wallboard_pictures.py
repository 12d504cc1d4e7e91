"""Take the pictures in docs/wallboard: thirty calls through a real engine, as the board shows them.

python docs/make_wallboard_pictures.py

It takes about three minutes, and needs Chromium, the extras `live`, `wallboard` and `test`, and
Pillow; with Debian's fonts-inter the page looks as it does where the system's own font is a good
one.
"""

import io
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import soundfile
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from hackles.types import Array

_HERE = Path(__file__).parent
_SAMPLES = _HERE.parent / "audio_samples"
_OUT = _HERE / "wallboard"
_BIN = Path(sys.executable).parent
_COLOURS = 224
_WIDEST = 1920
_PEOPLE = ("maria", "jan")
_PASSWORD = "only for these pictures"  # noqa: S105
_RATE = 8000
_QUEUES = ("Billing", "Deliveries", "Contracts", "Repairs")
_GROUPS = (
    # When they begin, in seconds; which samples; how often each.
    (0, ("en_rising_1", "es_rising_1"), 1),
    (0, ("en_calm_1", "es_calm_1", "pl_calm_1"), 3),
    (14, ("pl_rising_1",), 1),
    (21, ("en_calm_1", "es_calm_1", "pl_calm_1"), 3),
    (33, ("en_rising_2",), 1),
    (40, ("en_calm_1", "es_calm_1", "pl_calm_1"), 2),
    (47, ("pl_rising_2", "es_calm_1"), 1),
)
_LEAD_S = 45.0
"""A caller who grows irritated here has talked for so long before."""

_LOOK_S = 170.0
"""So long after the first call the pictures are taken."""

_VIEWS = {
    "board-light": ("light", (1440, 900), 1.0, ""),
    "board-dark": ("dark", (1440, 900), 1.0, ""),
    "board-pl": ("light", (1440, 900), 1.0, "lang=pl"),
    "board-es": ("dark", (1440, 900), 1.0, "lang=es"),
    "phone": ("light", (390, 844), 2.0, ""),
    "wall": ("dark", (1920, 1080), 1.0, "wall"),
    "wall-4k": ("light", (3840, 2160), 1.0, "wall"),
    "call": ("light", (1440, 900), 1.0, "call={call}"),
    "call-phone": ("dark", (390, 844), 2.0, "call={call}"),
}
_ENGINE = """
[compliance]
notice = "pictures"
basis = "pictures"
[audiosocket]
listen = "127.0.0.1:{audio}"
[control]
listen = "127.0.0.1:{control}"
[output]
console = false
[board]
name = "krk-1"
url = "{board}"
"""
_BOARD = """
[board]
listen = "127.0.0.1:{port}"
[sign_in]
by = "password"
[[team]]
name = "Accounts"
queues = ["Billing", "Contracts"]
[[team]]
name = "Service"
queues = ["Deliveries", "Repairs"]
[[escalation]]
after_s = 20
do = "notify_supervisor"
[[escalation]]
after_s = 60
left = "unhelped"
do = "offer_call_back"
"""
_FONTS = """<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>/usr/share/fonts/opentype/inter</dir><cachedir>{folder}</cachedir></fontconfig>
"""


def main() -> None:
    """Play the calls, let people do something about some of them, and take the pictures."""
    _OUT.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        recordings = written(folder)
        address = stack.enter_context(board(folder))
        maria, jan = (stack.enter_context(signed_in(name, address)) for name in _PEOPLE)
        audio, control = stack.enter_context(engine(folder, address))
        register = stack.enter_context(registrar(control))
        browser = stack.enter_context(chromium(folder))
        begun = time.monotonic()
        playing = []
        for number, (begins_s, samples, times) in enumerate(_GROUPS):
            time.sleep(max(0.0, begun + begins_s - time.monotonic()))
            files = [recordings[sample] for sample in samples]
            playing.append(stack.enter_context(calls(files, times, audio, register, number)))
        time.sleep(max(0.0, begun + _LOOK_S - time.monotonic()))
        act(maria, jan)
        take(browser, maria)


def written(folder: Path) -> dict[str, Path]:
    """Write the calls that are played: the customers' sides, longer than the samples are."""
    found = {}
    for sample in sorted(_SAMPLES.glob("*.wav")):
        customer = soundfile.read(sample, dtype="float32")[0][:, 1]
        lead = customer[round(3.5 * _RATE) : round(40 * _RATE)]
        parts: list[Array] = [customer] * 4
        if "rising" in sample.stem:
            # A calm beginning, the call, and its end once more: what is irritated stays so.
            parts = [*[lead] * round(_LEAD_S / 36), customer, *[customer[-22 * _RATE :]] * 4]
        found[sample.stem] = folder / sample.name
        soundfile.write(found[sample.stem], np.concatenate(parts), _RATE)
    return found


@contextmanager
def board(folder: Path) -> Iterator[str]:
    """Run a board, and yield its address."""
    port = free_port()
    (folder / "wallboard.toml").write_text(_BOARD.format(port=port))
    given = ["--config", folder / "wallboard.toml"]
    for name in _PEOPLE:
        may = [name, "--role", "supervisor", "--all-teams"]
        adding = [_BIN / "hackles", "wallboard", "user", "add", *may, *given]
        subprocess.run(adding, cwd=folder, input=f"{_PASSWORD}\n", text=True, check=True)
    command = [_BIN / "hackles", "wallboard", *given]
    with running(command, folder, port):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def engine(folder: Path, address: str) -> Iterator[tuple[str, str]]:
    """Run an engine that tells the board, and yield where it takes calls and orders."""
    audio, control = free_port(), free_port()
    text = _ENGINE.format(audio=audio, control=control, board=address)
    (folder / "hackles.toml").write_text(text)
    command = [_BIN / "hackles", "live", "--config", folder / "hackles.toml"]
    with running(command, folder, control):
        yield f"audiosocket://127.0.0.1:{audio}", f"http://127.0.0.1:{control}"


@contextmanager
def registrar(control: str) -> Iterator[str]:
    """Stand for a telephone system that gives each call a number, a queue and an agent."""
    given = iter(range(100))

    class Registrar(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            nth = next(given)
            said |= {"call": f"1718-{22 + nth}", "agent": f"a-{(7 * nth) % 31:02d}"}
            said |= {"queue": _QUEUES[(nth * 5 + nth // 4) % len(_QUEUES)]}
            httpx.post(f"{control}/calls", json=said).raise_for_status()
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Registrar)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def calls(files: list[Path], times: int, to: str, register: str, number: int) -> Iterator[None]:
    """Play recordings as calls, each so many times."""
    options = ["--customer", "mono", "--calls", str(times * len(files)), "--name", f"g{number}"]
    command = [_BIN / "hackles", "simulate", *files, "--to", to, "--register", register, *options]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            yield
        finally:
            process.terminate()


@contextmanager
def signed_in(name: str, address: str) -> Iterator[httpx.Client]:
    """Yield somebody who has signed in."""
    with httpx.Client(base_url=address, timeout=10) as person:
        said = person.post("/api/sign-in", json={"name": name, "password": _PASSWORD})
        person.headers["X-CSRF-Token"] = said.raise_for_status().json()["csrf"]
        yield person


def act(maria: httpx.Client, jan: httpx.Client) -> None:
    """See one of the alerts, and help with another."""
    view = maria.get("/api/view?lang=en").json()
    rows = {row["session"]: row for row in view["rows"]}
    lives = [rows[session]["life"] for session in view["order"] if rows[session]["life"]]
    for life, person, step in zip(lives[2:4], (maria, jan), ("seen", "helping"), strict=False):
        done = person.post(f"/api/alerts/{life['alert']}/step", json={"step": step})
        done.raise_for_status()


def take(browser: Browser, maria: httpx.Client) -> None:
    """Take all pictures."""
    address = str(maria.base_url).rstrip("/")
    first = maria.get("/api/view?lang=en").json()["order"][0]
    for name, (scheme, (width, height), factor, query) in _VIEWS.items():
        size: Any = {"width": width, "height": height}
        given: Any = {"color_scheme": scheme, "device_scale_factor": factor, "locale": "en"}
        is_phone = width < 600
        context = browser.new_context(
            viewport=size, is_mobile=is_phone, has_touch=is_phone, **given
        )
        context.add_cookies(
            [{"name": "hackles", "value": maria.cookies["hackles"], "url": address}]
        )
        page = context.new_page()
        page.goto(f"{address}/?{query.format(call=first)}", wait_until="domcontentloaded")
        ready(page)
        picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
        if width > _WIDEST:
            picture = picture.resize((_WIDEST, height * _WIDEST // width), Image.Resampling.LANCZOS)
        path = _OUT / f"{name}.png"
        picture.quantize(_COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)
        context.close()


def ready(page: Page) -> None:
    """Wait until there is something to see, and it stands still."""
    page.wait_for_selector(".card:visible, .tile:visible, .curve:visible, #wall li:visible")
    page.wait_for_timeout(1500)


@contextmanager
def running(command: list[Any], folder: Path, port: int) -> Iterator[None]:
    """Run a program until it is no longer needed, once it listens."""
    with subprocess.Popen([str(part) for part in command], cwd=folder) as process:
        try:
            while True:
                try:
                    socket.create_connection(("127.0.0.1", port)).close()
                    break
                except OSError:
                    if process.poll() is not None:
                        raise
                    time.sleep(0.1)
            yield
        finally:
            process.terminate()


@contextmanager
def chromium(folder: Path) -> Iterator[Browser]:
    """Start the browser, with Inter for the system's own font if it is there."""
    fonts = folder / "fonts.conf"
    fonts.write_text(_FONTS.format(folder=folder))
    environment: dict[str, str | float | bool] = dict(os.environ)
    if Path("/usr/share/fonts/opentype/inter").is_dir():
        environment["FONTCONFIG_FILE"] = str(fonts)
    with sync_playwright() as play:
        path, arguments = "/usr/bin/chromium", ["--no-sandbox", "--disable-gpu"]
        browser = play.chromium.launch(executable_path=path, args=arguments, env=environment)
        yield browser
        browser.close()


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


if __name__ == "__main__":
    main()
