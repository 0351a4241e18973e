"""The app under a pilot, and a server whose replies the test lets go piece by piece."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from textual.geometry import Region
from textual.pilot import Pilot
from textual.widgets import OptionList

from streamtui.config import DEMO, Config, Endpoint
from streamtui.error_log import LOG, error_of
from streamtui.providers.base import Provider
from streamtui.providers.demo.provider import demo_provider
from streamtui.providers.openai_provider import OpenAIProvider
from streamtui.ui.app import StreamTUI
from streamtui.ui.dialogs.model_picker import ModelPicker
from tests.support.raw_server import Exchange, RawServer, serving

PATIENCE = 20.0
"""Seconds until a test gives up waiting."""


def fast(endpoint: Endpoint) -> Provider:
    """Connects to `endpoint`; the demo answers without pauses."""
    return demo_provider(endpoint, pace=0) if endpoint.demo else OpenAIProvider(endpoint)


MakeApp = Callable[..., StreamTUI]


class Errors(logging.Handler):
    """Keeps the internal errors that were logged."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.found: list[BaseException] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keeps the error of `record`."""
        if (error := error_of(record)) is not None:
            self.found.append(error)


@pytest.fixture(autouse=True)
def no_internal_errors(request: pytest.FixtureRequest) -> Iterator[None]:
    """The app goes on after an internal error; a test does not, unless it is marked to expect some."""
    errors = Errors()
    LOG.addHandler(errors)
    yield
    LOG.removeHandler(errors)
    if errors.found and request.node.get_closest_marker("internal_errors") is None:
        raise errors.found[0]


@pytest.fixture
def make_app(tmp_path: Path) -> MakeApp:
    """Makes the app for an endpoint (by default the demo), its sessions in the test's own folder; `settings` are
    those of the config."""

    def make(
        endpoint: Endpoint = DEMO, *, system: str = "", settings: Mapping[str, Any] = {}, **options: Any
    ) -> StreamTUI:
        config = options.pop("config", None) or Config(endpoint, system, **settings)
        options = dict[str, Any](database=tmp_path / "data" / "sessions.db", connect=fast) | options
        return StreamTUI(config, **options)

    return make


@asynccontextmanager
async def running(app: StreamTUI, size: tuple[int, int] = (80, 24)) -> AsyncIterator[Pilot[None]]:
    """Runs `app` until it is ready to be used, and closes it."""
    async with app.run_test(size=size) as pilot:
        await until(lambda: hasattr(app, "store"))
        await pilot.pause()
        yield pilot
    app.close()


async def until(condition: Callable[[], object], patience: float = PATIENCE) -> None:
    """Waits until `condition` is true."""
    async with asyncio.timeout(patience):
        while not condition():
            await asyncio.sleep(0.01)


def pane(app: StreamTUI) -> str:
    """What the conversation pane shows."""
    transcript = app.chat.transcript
    strips = transcript.render_lines(Region(0, 0, *transcript.size))
    return "\n".join(strip.text.rstrip(" █") for strip in strips)


def status(app: StreamTUI) -> str:
    """What the status bar says."""
    return app.chat.status.render_line(0).text


def listed(app_screen: object) -> list[str]:
    """The lines of the list that is open."""
    assert isinstance(app_screen, ModelPicker)
    options = app_screen.query_one(OptionList)
    return [str(options.get_option_at_index(i).prompt).strip() for i in range(options.option_count)]


async def ask(pilot: Pilot[None], text: str) -> None:
    """Types `text` and sends it."""
    app = pilot.app
    assert isinstance(app, StreamTUI)
    app.chat.prompt.insert(text)
    await pilot.press("enter")
    await pilot.pause()


def answered(app: StreamTUI) -> bool:
    """Whether a reply was asked for and has ended."""
    return not app.chat.is_replying and app.chat.conversation.current is not None


def data(event: dict[str, Any] | str) -> bytes:
    """An event of a stream."""
    return f"data: {event if isinstance(event, str) else json.dumps(event)}\n\n".encode()


def piece(text: str = "", finish: str | None = None, **delta: str) -> bytes:
    """A piece of a reply as an event."""
    content = {"content": text} if text else {}
    return data({"model": "m-1", "choices": [{"index": 0, "delta": {**content, **delta}, "finish_reason": finish}]})


@dataclass
class Model:
    """A server whose next reply says what is put into `pieces`; None ends it."""

    raw: RawServer = field(default_factory=RawServer)
    pieces: asyncio.Queue[bytes | None] = field(default_factory=asyncio.Queue)
    models: list[str] = field(default_factory=lambda: ["m-1", "m-2", "zeta"])
    says: dict[str, Any] = field(default_factory=dict)
    """What its list says of every model, beside the name."""

    @property
    def endpoint(self) -> Endpoint:
        """Where it is."""
        return Endpoint("test", self.raw.url, api_key="sk-secret-of-the-test", model="m-1")

    @property
    def bodies(self) -> list[dict[str, Any]]:
        """What the chat requests asked for."""
        return [exchange.body for exchange in self.raw.requests if "chat/completions" in exchange.line]

    def say(self, *texts: str) -> None:
        """Sends pieces of a reply."""
        for text in texts:
            self.pieces.put_nowait(piece(text))

    def finish(self, reason: str = "stop") -> None:
        """Ends the reply as servers do."""
        usage = {"prompt_tokens": 1000, "completion_tokens": 234, "total_tokens": 1234}
        self.pieces.put_nowait(piece(finish=reason))
        self.pieces.put_nowait(data({"choices": [], "usage": usage}))
        self.pieces.put_nowait(data("[DONE]"))
        self.pieces.put_nowait(None)

    async def serve(self, exchange: Exchange) -> None:
        """Answers one request."""
        if "/models" in exchange.line:
            body = json.dumps({"data": [{"id": name, **self.says} for name in self.models]}).encode()
            await exchange.send_head(content_type="application/json")
            await exchange.send_chunks(body)
        else:
            await exchange.send_head()
            await exchange.send_chunks(piece(role="assistant"))
            gone = asyncio.create_task(exchange.until_gone())
            while (part := await self._next(gone)) is not None:
                await exchange.send_chunks(part)
            gone.cancel()
            await asyncio.gather(gone, return_exceptions=True)
        await exchange.end()

    async def _next(self, gone: asyncio.Task[None]) -> bytes | None:
        """The next piece, or None at the end or when nobody listens any more."""
        part = asyncio.create_task(self.pieces.get())
        await asyncio.wait({part, gone}, return_when=asyncio.FIRST_COMPLETED)
        if part.done():
            return part.result()
        part.cancel()
        return None


@pytest.fixture
async def model() -> AsyncIterator[Model]:
    """A server that says what the test tells it to."""
    model = Model()
    async with serving(model.serve) as model.raw:
        yield model
