"""Take the pictures in docs/agent: a sample call, played to a real daemon, as its agent sees it.

python docs/make_agent_pictures.py

It needs Chromium, the extras `live` and `test`, and Pillow; with Debian's fonts-inter the page
looks as it does where the system's own font is a good one.
"""

import io
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from hackles.pipeline import CallPipeline
from hackles.types import Alert, Array, Block

_HERE = Path(__file__).parent
_SAMPLE = _HERE.parent / "audio_samples" / "en_rising_1.wav"
_RATE = 8000
_LANGUAGES = ("en", "pl", "es")
_AFTER_S = {"rising": 1.0, "irritated": 5.0, "eased": 2.0}
_QUIET_S = 40.0
_COLOURS = 96
_STATES = ("rest", "rising", "irritated", "eased")
_SPACE = 12
_FORM = {
    "en": ("Kettle not delivered, 4719 22", "A new one", "Thursday noon"),
    "pl": ("Czajnik nie dotarł, 4719 22", "Nowy czajnik", "czwartek, 12:00"),
    "es": ("Hervidor sin entregar, 4719 22", "Uno nuevo", "jueves a las 12"),
}
_SETTINGS = """
[compliance]
notice = "pictures"
basis = "pictures"
[[pipe]]
path = "{folder}/call"
call = "1718-22"
role = "customer"
[control]
listen = "127.0.0.1:{port}"
[output]
console = false
"""
_FONTS = """<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>/usr/share/fonts/opentype/inter</dir><cachedir>{folder}</cachedir></fontconfig>
"""


def main() -> None:
    """Play the call, and take each picture a little after its state began."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.mkfifo(folder / "call")
        with daemon(folder) as address, chromium(folder) as browser:
            pages = {language: opened(browser, address, language) for language in _LANGUAGES}
            call = os.open(folder / "call", os.O_WRONLY)
            for state, samples in call_pieces():
                say(call, samples)
                take(pages, state)
            os.close(call)
            for language, page in pages.items():
                fill_in(page, language)
            take(pages, "form")
    join([f"en-{state}-light.png" for state in _STATES])


def call_pieces() -> Iterator[tuple[str, Array]]:
    """Yield the customer's side of the call: up to each picture, and which it is."""
    sample = soundfile.read(_SAMPLE, dtype="float32")[0][:, 1]
    # The sample ends in anger; its caller's own calm sentences are what ends it here.
    samples = np.concatenate([sample, sample[round(3.5 * _RATE) : round(_QUIET_S * _RATE)]])
    pipeline = CallPipeline()
    at = {"rest": 45.0}
    for event in pipeline.push(Block(samples, 0)):
        if isinstance(event, Alert):
            at[event.state] = event.time + _AFTER_S[event.state]
    cuts = [0, *(round(second * _RATE) for second in at.values())]
    for state, (begin, end) in zip(at, pairwise(cuts), strict=True):
        yield state, samples[begin:end]


def say(call: int, samples: Array) -> None:
    """Write a piece, all at once."""
    left = (samples * 32767).astype("<i2").tobytes()
    while left:
        left = left[os.write(call, left) :]


def take(pages: dict[str, Page], name: str) -> None:
    """Take a picture in each language, light and dark."""
    shown = {"rest": "calm", "form": "none"}.get(name, name)
    for language, page in pages.items():
        page.wait_for_selector(f"body[data-state={shown}]")
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
            page.wait_for_timeout(400)
            picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
            path = _HERE / "agent" / f"{language}-{name}-{scheme}.png"
            picture.quantize(_COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)


def join(names: list[str]) -> None:
    """Put pictures side by side, as they are on a screen."""
    pictures = [Image.open(_HERE / "agent" / name).convert("RGB") for name in names]
    width, height = (side * 2 // 3 for side in pictures[0].size)
    strip = Image.new("RGB", (len(pictures) * (width + _SPACE) - _SPACE, height), "white")
    for at, picture in enumerate(pictures):
        small = picture.resize((width, height), Image.Resampling.LANCZOS)
        strip.paste(small, (at * (width + _SPACE), 0))
    strip.save(_HERE / "agent" / "states.webp", quality=90)


def fill_in(page: Page, language: str) -> None:
    """Fill in the form by its keys, and leave it there."""
    page.wait_for_selector("body[data-face=form]")
    page.keyboard.press("2")
    for text in _FORM[language]:
        page.keyboard.press("Tab")
        page.keyboard.type(text)
    page.select_option("[name=cause]", "delivery")
    page.evaluate("document.activeElement.blur()")


def opened(browser: Browser, address: str, language: str) -> Page:
    """Open the page in a window beside a softphone."""
    size: Any = {"width": 420, "height": 640}
    page = browser.new_page(viewport=size, device_scale_factor=1.5, locale=language)
    page.goto(f"{address}/agent?lang={language}", wait_until="domcontentloaded")
    return page


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


@contextmanager
def daemon(folder: Path) -> Iterator[str]:
    """Start a daemon that listens to the pipe, and yield its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (folder / "hackles.toml").write_text(_SETTINGS.format(folder=folder, port=port))
    command = [Path(sys.executable).parent / "hackles", "live", "--config", folder / "hackles.toml"]
    with subprocess.Popen(command, cwd=folder) as process:
        address = f"http://127.0.0.1:{port}"
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                time.sleep(0.1)
        try:
            yield address
        finally:
            process.terminate()


if __name__ == "__main__":
    main()
