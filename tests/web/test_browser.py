"""`streamtui web` in a real browser: Chromium, driven by Playwright; CI installs both, and so does `[browser]`."""

import asyncio
import os
import re
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from tests.web.program import PATIENCE, Running, serving_pages

if TYPE_CHECKING:
    from playwright.async_api import Page, WebSocket

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome") or ""
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]  # fmt: skip
# On CI the browser is there, or something is wrong.
if not os.environ.get("STREAMTUI_BROWSER_TESTS"):
    pytest.importorskip("playwright")
    pytestmark = pytest.mark.skipif(not CHROMIUM, reason="no Chromium on this machine")

_ESCAPES = re.compile(r"\x1b(\[[0-9;?<>=]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)|[@-_])")


@dataclass
class Browser:
    """A page of the chat, and what came over its socket."""

    page: "Page"
    hosts: set[str] = field(default_factory=set)
    """Every server the page asked for anything."""
    errors: list[str] = field(default_factory=list)
    painted: bytearray = field(default_factory=bytearray)

    @property
    def text(self) -> str:
        """All that was painted since the last `forget`, without how it looks and where it stands."""
        return _ESCAPES.sub("", self.painted.decode("utf-8", "replace"))

    def forget(self) -> None:
        """Begins anew with what is painted."""
        self.painted.clear()

    async def shows(self, *words: str) -> None:
        """Waits until all of `words` were painted."""
        await self.until(
            lambda: all(word in self.text for word in words),
            f"{words} in {self.text[-2000:]!r}; {self.errors}; {self.hosts}",
        )

    async def ready(self) -> None:
        """Waits until the chat can be used: it has a model, and the page has the focus."""
        await self.shows("Write a prompt", "enter send", "ready  demo-1")

    @staticmethod
    async def until(condition: Callable[[], object], what: str) -> None:
        """Waits until `condition` is true."""
        try:
            async with asyncio.timeout(PATIENCE):
                while not condition():
                    await asyncio.sleep(0.02)
        except TimeoutError:
            pytest.fail(f"not seen: {what}")

    async def write(self, text: str) -> None:
        """Types `text` and enter."""
        await self.page.keyboard.type(text)
        await self.page.keyboard.press("Enter")

    def _opened(self, socket: "WebSocket") -> None:
        socket.on("framereceived", lambda data: self.painted.extend(data if isinstance(data, bytes) else data.encode()))

    def listen(self) -> None:
        """Notes what the page does."""
        self.page.on("websocket", self._opened)
        self.page.on("request", lambda request: self.hosts.add(urlsplit(request.url).netloc))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))


@asynccontextmanager
async def browsing(running: Running) -> AsyncIterator[Browser]:
    """A browser at the address with the ticket."""
    from playwright.async_api import async_playwright

    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        context = await chromium.new_context(viewport={"width": 1200, "height": 800})
        await context.grant_permissions(["clipboard-read", "clipboard-write"], origin=running.origin)
        browser = Browser(await context.new_page())
        browser.listen()
        await browser.page.goto(running.address)
        yield browser
        await chromium.close()


async def test_a_chat_in_a_browser(tmp_path: Path) -> None:
    async with serving_pages(tmp_path, "--demo") as running, browsing(running) as browser:
        page = browser.page
        await browser.ready()
        assert page.url == running.origin + "/"

        browser.forget()
        await browser.write("hello")
        await browser.shows("Hello!", "first token", "ready")

        browser.forget()
        await page.keyboard.press("F2")
        await browser.shows("Models of demo", "demo-fast")
        await browser.write("demo-fast")
        await browser.shows("demo-fast  demo")

        browser.forget()
        await page.set_viewport_size({"width": 700, "height": 500})
        await browser.shows("Hello!")

        await page.keyboard.press("Alt+ArrowUp")
        await browser.shows("y copy")
        await page.keyboard.press("y")
        await browser.shows("Copied")
        copied = await page.evaluate("navigator.clipboard.readText()")
        assert "Hello!" in copied

        browser.forget()
        await page.reload()
        await browser.ready()
        assert "Hello!" not in browser.text
        await page.keyboard.press("Control+s")
        await browser.shows("hello", "messages")
        await page.keyboard.press("Enter")
        await browser.shows("Hello!")

        await page.close()
        await running.until_tabs(0)
        assert browser.hosts == {urlsplit(running.origin).netloc}
        assert browser.errors == []


async def test_the_page_says_when_it_has_ended(tmp_path: Path) -> None:
    async with serving_pages(tmp_path, "--demo") as running, browsing(running) as browser:
        await browser.ready()
        await browser.page.keyboard.press("Control+q")
        await browser.page.wait_for_selector("text=This chat has ended")
        browser.forget()
        await browser.page.click("text=Start again")
        await browser.ready()
