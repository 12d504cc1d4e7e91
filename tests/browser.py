"""Debian's Chromium, as tests look at pages with it."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files

import pytest

CHROMIUM = shutil.which("chromium")
NARROW = {"width": 420, "height": 640}
_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@contextmanager
def browser() -> Iterator:
    """Start it; skip, with the reason, where it is not there and need not be."""
    if CHROMIUM is None:
        if os.environ.get("HACKLES_REQUIRE_ALL") == "1":
            pytest.fail("chromium is not installed: apt-get install chromium")
        pytest.skip("chromium is not installed")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        running = play.chromium.launch(executable_path=CHROMIUM, args=_ARGUMENTS)
        try:
            yield running
        finally:
            running.close()


def watched(page) -> list[str]:
    """Return a list to which everything is added that the page's console complains of."""
    complaints: list[str] = []
    page.on("console", lambda said: said.type == "error" and complaints.append(said.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    return complaints


def barriers(page, *rules: str) -> list[str]:
    """Return what axe-core calls serious or critical, each with where it is.

    Args:
        page: to look at.
        rules: only these; all, if none is named.
    """
    if not page.evaluate("'axe' in window"):
        page.evaluate((files("axe_core_python") / "axe.min.js").read_text(encoding="utf-8"))
    options = {"resultTypes": ["violations"], "preload": False}
    if rules:
        options["runOnly"] = {"type": "rule", "values": list(rules)}
    found = page.evaluate("options => axe.run(document, options)", options)["violations"]
    return [
        f"{one['id']}: {node['html']} {node['failureSummary']}"
        for one in found
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]
