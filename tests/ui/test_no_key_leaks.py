"""Keys and passwords are in nothing that a run leaves behind or shows: a search through all of it finds none."""

import json
import logging
import os
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from textual.screen import Screen

from streamtui import paths
from streamtui.cli import main
from streamtui.config.loader import CliOverrides, load
from streamtui.ui.app import StreamTUI
from streamtui.ui.dialogs.endpoint_picker import EndpointPicker
from streamtui.ui.dialogs.help import HelpScreen
from streamtui.ui.dialogs.model_picker import ModelPicker
from tests.support.raw_server import Exchange, event, serving
from tests.support.raw_server import piece as said
from tests.ui.conftest import answered, ask, fast, pane, running, until

SECRET = "leak-me-if-you-can"
KEYS = {name: f"sk-{SECRET}-{name}-0123456789" for name in ("one", "two")}


async def serve(exchange: Exchange) -> None:
    """Lists models, answers, and refuses with the key in its words when it is asked to."""
    if "/models" in exchange.line:
        await answer(exchange, b'{"data": [{"id": "m-1"}]}', "200 OK", "application/json")
    elif "refuse" in str(exchange.body):
        words = f"the key {exchange.headers['authorization']} is no good, nor are {exchange.headers}"
        body = json.dumps({"error": {"message": words}}).encode()
        await answer(exchange, body, "401 Unauthorized", "application/json")
    elif "break" in str(exchange.body):
        error = {"error": {"message": f"no more for {exchange.headers['authorization']}"}}
        await answer(exchange, said("Half") + event(error), "200 OK", "text/event-stream")
    else:
        await answer(exchange, said("Hello.", "stop") + event(b"[DONE]"), "200 OK", "text/event-stream")


async def answer(exchange: Exchange, body: bytes, status: str, content_type: str) -> None:
    """Sends a whole reply."""
    await exchange.send_head(status, content_type)
    await exchange.send_chunks(body)
    await exchange.end()


def write_config(one: str, two: str) -> None:
    """Two servers, one with its key in the environment, one with its key in the file, secrets wherever they fit."""
    paths.config_dir().mkdir(parents=True)
    paths.config_file().write_text(
        f"""
        endpoint = "one"
        [endpoints.one]
        base_url = "{one}"
        api_key_env = "ONE_KEY"
        [endpoints.two]
        base_url = "{two}"
        api_key = "{KEYS["two"]}"
        headers = {{ "X-Auth" = "{SECRET}-header" }}
        mistake = "{SECRET}-mistake"
        [endpoints.three]
        base_url = "http://me:{SECRET}-password@localhost:1/v1"
        proxy = "http://me:{SECRET}-password@localhost:1"
        api_key_command = "printf {SECRET}-command"
        """,
        encoding="utf-8",
    )
    paths.config_file().chmod(0o644)


def is_open(app: StreamTUI, panel: type[Screen[Any]]) -> bool:
    """Whether `panel` is on top, with all that is in it."""
    return isinstance(app.screen, panel) and app.screen.is_mounted


def files_with_secrets(folder: Path) -> list[Path]:
    """The files below `folder` that hold one, but for the one in which the user has written them."""
    files = [path for path in folder.rglob("*") if path.is_file() and path != paths.config_file()]
    assert any(file.name == "sessions.db" for file in files)
    return [file for file in files if SECRET.encode() in file.read_bytes()]


async def test_no_key_is_left_behind_or_shown(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("ONE_KEY", KEYS["one"])
    shown: list[str] = []
    async with serving(serve) as one, serving(serve) as two:
        write_config(one.url, two.url)
        app = StreamTUI(load(CliOverrides(), os.environ), paths.database(), connect=fast)

        def look() -> None:
            shown.append(app.export_screenshot())
            shown.extend(note.message for note in app._notifications)

        async with running(app, (150, 40)) as pilot:
            for server in ("one", "two"):
                for prompt in ("hello", "break it", "refuse me"):
                    await ask(pilot, prompt)
                    await until(lambda: answered(app))
                    look()
                assert "[key]" in pane(app), "the server's words were shown, and the key in them struck out"
                for key, panel in (("f2", ModelPicker), ("shift+f2", EndpointPicker), ("f1", HelpScreen)):
                    await pilot.press(key)
                    await until(partial(is_open, app, panel))
                    await pilot.pause()
                    look()
                    await pilot.press("escape")
                    await until(lambda: app.screen is app.chat)
                if server == "one":
                    app.chat.endpoints.switch_to(load(CliOverrides(), os.environ).endpoints["two"])
                    await pilot.pause()
    for server, exchanges in (("one", one.requests), ("two", two.requests)):
        assert {exchange.headers["authorization"] for exchange in exchanges} == {f"Bearer {KEYS[server]}"}
        others = [key for name, key in KEYS.items() if name != server]
        assert not any(key.encode() in exchange.raw for key in others for exchange in exchanges)
    assert main(["config", "show"]) == 0
    assert main(["config", "check"]) == 1
    for form in ("markdown", "html", "json", "text"):
        assert main(["sessions", "export", "--all", "--format", form, "-o", str(tmp_path / f"exported-{form}")]) == 0
    assert main(["sessions", "export", "--all", "--format", "jsonl", "-o", "-"]) == 0
    printed = capfd.readouterr()
    assert "[key] is no good" in printed.out
    assert 'Unknown setting "endpoints.two.mistake"' in printed.out
    everything = {"screen": "\n".join(shown), "log": caplog.text, "out": printed.out, "errors": printed.err}
    assert [name for name, text in everything.items() if SECRET in text] == []
    assert files_with_secrets(tmp_path) == []
