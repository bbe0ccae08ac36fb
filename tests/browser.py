"""A headless Chromium for tests: finds one, opens a page, keeps what a page may not do: complain, ask for things."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
ABSENT = (
    "no Chromium was found for the tests of the reports: install one with 'playwright install --with-deps chromium' or "
    "as a package of the system (apt-get install chromium), or name its executable in EDGESDT_BROWSER"
)


@dataclass
class Opened:
    """A page in the browser, what it complained about, and every address that it asked for besides itself."""

    page: Any
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


def executable(shipped: str) -> str:
    """The browser that `EDGESDT_BROWSER` names, else Playwright's own (`shipped`), else the system's."""
    named = os.environ.get("EDGESDT_BROWSER")
    found = [named] if named else [shipped, *map(shutil.which, NAMES)]
    there = [path for path in found if path and Path(path).exists()]
    if not there:
        if named:
            pytest.fail(f"EDGESDT_BROWSER: no such file: {named}", pytrace=False)
        pytest.skip(ABSENT)  # no package of ours can bring a browser along
    return there[0]


@contextmanager
def started() -> Iterator[Any]:
    """A running browser."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        path = executable(driver.chromium.executable_path)
        browser = driver.chromium.launch(executable_path=path, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def opened(browser: Any, path: Path, *, width: int = 1240, **options: Any) -> Iterator[Opened]:
    """A file opened in a fresh, offline browsing context; `options` are Playwright's, such as `color_scheme`."""
    context = browser.new_context(viewport={"width": width, "height": 900}, offline=True, **options)
    page = context.new_page()
    seen = Opened(page)
    page.on("console", lambda message: seen.complaints.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: seen.complaints.append(f"error: {error}"))
    page.on("request", lambda request: seen.requests.append(request.url))
    page.goto(path.resolve().as_uri())
    seen.requests.remove(path.resolve().as_uri())
    try:
        yield seen
    finally:
        context.close()
