"""Takes the pictures of the README again, from the running app and its demo.

Run: pip install -e '.[dev,screenshots]' && python screenshots/make.py
Needs a monospaced font on the machine (Debian: fonts-dejavu-core, fonts-noto-cjk, fonts-noto-color-emoji).
"""

import asyncio
import tempfile
from collections.abc import Sequence
from pathlib import Path

import resvg_py
from textual.pilot import Pilot

from streamtui.config import DEMO, Config
from streamtui.providers.demo.provider import demo_provider
from streamtui.ui.app import StreamTUI

HERE = Path(__file__).parent
FONT = "DejaVu Sans Mono"


async def say(pilot: Pilot[None], app: StreamTUI, text: str) -> None:
    """Sends a prompt, or presses the keys that stand in angle brackets, and waits until all is quiet."""
    if text.startswith("<"):
        await pilot.press(*text.strip("<>").split())
    else:
        app.chat.prompt.insert(text)
        await pilot.press("enter")
    for _ in range(3):
        await pilot.pause(0.3)
        while app.chat.is_replying:
            await pilot.pause(0.1)


async def take(name: str, size: tuple[int, int], theme: str, script: Sequence[str], folder: Path) -> None:
    """Runs the app through `script` and saves what it shows as a picture."""
    app = StreamTUI(Config(DEMO), folder / "sessions.db", connect=lambda endpoint: demo_provider(endpoint, pace=0.5))
    async with app.run_test(size=size) as pilot:
        await pilot.pause(0.5)
        app.theme = theme
        for text in script:
            await say(pilot, app, text)
        await pilot.pause(0.3)
        svg = app.export_screenshot(title="streamtui")
    app.close()
    picture = resvg_py.svg_to_bytes(svg_string=svg, monospace_family=FONT, font_family=FONT)
    (HERE / f"{name}.png").write_bytes(bytes(picture))
    print(f"{name}.png")


async def main() -> None:
    """Takes every picture."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        earlier = ["hello", "<ctrl+n>", "How do I connect to Ollama?", "<ctrl+n>"]
        await take("chat", (100, 40), "midnight", [*earlier, "showcase", "<pageup>"], folder)
        await take("code", (100, 36), "ember", ["show me code"], folder)
        await take("light", (100, 40), "paper", ["showcase"], folder)
        await take("sessions", (100, 30), "midnight", ["thinking", "<ctrl+s>"], folder)
        await take("models", (80, 24), "midnight", ["<f2>"], folder)


if __name__ == "__main__":
    asyncio.run(main())
