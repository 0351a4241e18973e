"""`streamtui web` in Chromium, driven by Playwright. CI installs both."""

import asyncio
import base64
import os
import random
import re
import shutil
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from rich.cells import cell_len

from tests.support.web_program import TIMEOUT, Running, serving_pages

if TYPE_CHECKING:
    from playwright.async_api import Page, WebSocket

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome") or ""
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]  # fmt: skip
# On CI, a missing browser is an error.
if not os.environ.get("STREAMTUI_BROWSER_TESTS"):
    pytest.importorskip("playwright")
    pytestmark = pytest.mark.skipif(not CHROMIUM, reason="no Chromium on this machine")

_ESCAPES = re.compile(r"\x1b(\[[0-9;?<>=]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)|[@-_])")


@dataclass
class Browser:
    """A page of the chat, and the data received over its WebSocket."""

    page: "Page"
    hosts: set[str] = field(default_factory=set)
    """All hosts that the page sent requests to."""
    errors: list[str] = field(default_factory=list)
    painted: bytearray = field(default_factory=bytearray)

    @property
    def text(self) -> str:
        """Everything painted since the last `forget`, without escape sequences."""
        return _ESCAPES.sub("", self.painted.decode("utf-8", "replace"))

    def forget(self) -> None:
        """Forget what was painted."""
        self.painted.clear()

    async def shows(self, *words: str) -> None:
        """Wait until all of `words` were painted."""
        await self.until(
            lambda: all(word in self.text for word in words),
            f"{words} in {self.text[-2000:]!r}; {self.errors}; {self.hosts}",
        )

    async def ready(self) -> None:
        """Wait until the chat has a model and the page has the focus."""
        await self.shows("Write a prompt", "enter send", "ready  demo-1")

    @staticmethod
    async def until(condition: Callable[[], object], what: str) -> None:
        """Wait until `condition` is true."""
        try:
            async with asyncio.timeout(TIMEOUT):
                while not condition():
                    await asyncio.sleep(0.02)
        except TimeoutError:
            pytest.fail(f"not seen: {what}")

    async def write(self, text: str) -> None:
        """Type `text` and press Enter."""
        await self.page.keyboard.type(text)
        await self.page.keyboard.press("Enter")

    def _opened(self, socket: "WebSocket") -> None:
        socket.on("framereceived", lambda data: self.painted.extend(data if isinstance(data, bytes) else data.encode()))

    def listen(self) -> None:
        """Record what the page does."""
        self.page.on("websocket", self._opened)
        self.page.on("request", lambda request: self.hosts.add(urlsplit(request.url).netloc))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))


@asynccontextmanager
async def browsing(running: Running) -> AsyncIterator[Browser]:
    """Open a browser at the link with the ticket."""
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


async def test_chat_in_a_browser(tmp_path: Path) -> None:
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
        await browser.shows("Hello!", "demo-fast  demo")

        await page.close()
        await running.wait_for_processes(0)
        assert browser.hosts == {urlsplit(running.origin).netloc}
        assert browser.errors == []


async def test_ctrl_v_pastes_the_browser_clipboard(tmp_path: Path) -> None:
    async with serving_pages(tmp_path, "--demo") as running, browsing(running) as browser:
        await browser.ready()
        await browser.page.evaluate("navigator.clipboard.writeText('first line\\nsecond line')")
        browser.forget()
        await browser.page.keyboard.press("Control+v")
        await browser.shows("first line", "second line")
        await browser.page.keyboard.type(" typed behind it")
        await browser.shows("typed behind it")
        assert "first token" not in browser.text  # nothing was sent


async def test_page_offers_to_restart_a_killed_process(tmp_path: Path) -> None:
    async with serving_pages(tmp_path, "--demo") as running, browsing(running) as browser:
        await browser.ready()
        await browser.write("thanks")
        await browser.shows("You are welcome", "first token")
        await browser.page.wait_for_function("sessionStorage.length > 0")
        os.kill(running.page_processes()[0], signal.SIGKILL)
        await browser.page.wait_for_selector("text=The program was killed (SIGKILL).")
        browser.forget()
        await browser.page.click("text=Restart")
        await browser.shows("You are welcome")


WIDE = [
    "a", "漢", "é", "e\u0301", "😀", "❤", "❤\ufe0f", "☎\ufe0f", "1\ufe0f\u20e3", "👍\U0001f3fd", "👨\u200d👩\u200d👧",
    "🏳\ufe0f\u200d🌈", "🇪🇪", "👩\U0001f3fd\u200d💻", "🫠", "🪿", "☕", "⚠\ufe0f", "✔\ufe0fx", "नमस्ते", "한", "ห้า",
    "\u200d", "\ufe0f", "a\u200db", "🧑\u200d🚀|", "🈁", "〰\ufe0f", "㊗\ufe0f", "⬛", "𝔸",
]  # fmt: skip


async def test_terminal_measures_characters_like_rich(tmp_path: Path) -> None:
    chance = random.Random(1)
    parts = [*WIDE, *(chr(chance.choice([*range(0x300, 0x3000), *range(0x1F000, 0x1FB00)])) for _ in range(500))]
    texts = [*parts, *("x" + "".join(chance.choices(parts, k=6)) for _ in range(500))]
    async with serving_pages(tmp_path, "--demo") as running, browsing(running) as browser:
        await browser.ready()
        found = await browser.page.evaluate(
            "texts => texts.map(text => page.terminal._core.unicodeService.getStringCellWidth(text))", texts
        )
        assert dict(zip(texts, found, strict=True)) == {text: cell_len(text) for text in texts}
        assert browser.errors == []


async def test_margin_has_the_screen_color(tmp_path: Path) -> None:
    async with serving_pages(tmp_path, "--demo") as running, browsing(running) as browser:
        await browser.ready()
        await browser.page.set_viewport_size({"width": 1207, "height": 809})
        blank = await browser.page.context.new_page()
        colors = set[tuple[int, ...]]()
        async with asyncio.timeout(TIMEOUT):
            while len(colors) != 1:  # the screen is repainted after the page
                picture = base64.b64encode(await browser.page.screenshot()).decode()
                colors = {tuple(pixel) for pixel in await blank.evaluate(EDGE, picture)}


EDGE = """async picture => {
    const bytes = Uint8Array.from(atob(picture), letter => letter.charCodeAt(0));
    const image = await createImageBitmap(new Blob([bytes]));
    const canvas = new OffscreenCanvas(image.width, image.height).getContext("2d");
    canvas.drawImage(image, 0, 0);
    return Array.from({length: 30}, (_, at) => Array.from(canvas.getImageData(image.width - 30 + at, 10, 1, 1).data));
}"""
"""Return the pixels at the right edge of a screenshot, in its first row of text."""


async def test_page_reports_that_the_chat_ended(tmp_path: Path) -> None:
    async with serving_pages(tmp_path, "--demo") as running, browsing(running) as browser:
        await browser.ready()
        await browser.page.keyboard.press("Control+q")
        await browser.page.wait_for_selector("text=This chat has ended")
        browser.forget()
        await browser.page.click("text=Restart")
        await browser.ready()
