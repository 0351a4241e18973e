"""What the bar says of tokens, windows and cost, and that nobody waits for any of it."""

import asyncio
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import DataTable, Static

from streamtui.config import DEMO, Endpoint, ModelSettings
from streamtui.core.message import Message, Role
from streamtui.providers.demo.provider import demo_provider
from streamtui.tokens import encoding_files, encodings
from streamtui.ui.app import StreamTUI
from streamtui.ui.dialogs.session_details import SessionDetails
from streamtui.ui.warm_up import _load_all
from tests.support.encodings import ranks, use_tiny
from tests.support.raw_server import Exchange, serving
from tests.ui.conftest import MakeApp, Model, answered, ask, pane, running, status, until

WIDE = (140, 24)


def with_settings(endpoint: Endpoint, settings: ModelSettings) -> Endpoint:
    """The endpoint, with something set for its model."""
    return replace(endpoint, models={endpoint.model: settings})


def shows(app: StreamTUI, text: str) -> bool:
    """Whether the bar says `text`."""
    return text in status(app)


async def test_the_bar_says_how_much_of_the_window_is_used(make_app: MakeApp, model: Model) -> None:
    app = make_app(with_settings(model.endpoint, ModelSettings(window=272_000)))
    async with running(app, WIDE) as pilot:
        assert "0 / 272k (0%)" in status(app)
        model.say("hi")
        model.finish()
        await ask(pilot, "hello")
        await until(lambda: "1.23k / 272k (0%)" in status(app))
        assert "reply 234" in status(app)


async def test_a_window_nearly_full_stands_out(make_app: MakeApp, model: Model) -> None:
    app = make_app(with_settings(model.endpoint, ModelSettings(window=1_500)))
    async with running(app) as pilot:
        model.say("hi")
        model.finish()
        await ask(pilot, "hello")
        await until(lambda: "1.23k / 1.5k (82%)" in status(app))
        full = app.chat.status._styles["full"]
        assert "82%" in "".join(part.text for part in app.chat.status.render_line(0) if part.style == full)


async def test_the_bar_says_what_the_reply_and_the_session_cost(make_app: MakeApp, model: Model) -> None:
    app = make_app(with_settings(model.endpoint, ModelSettings(input_price=100.0, output_price=1000.0)))
    async with running(app, WIDE) as pilot:
        for session in ("session $0.33", "session $0.67"):
            model.say("hi")
            model.finish()
            await ask(pilot, "hello")
            await until(partial(shows, app, session))
            assert "reply $0.33" in status(app)
        session_id = app.chat.conversation.session.id
        await pilot.press("ctrl+n")
        await until(lambda: "session $" not in status(app))
    # What was noted when the replies came counts, whatever prices say later.
    app = make_app(model.endpoint, session_id=session_id)
    async with running(app, WIDE):
        await until(lambda: "session $0.67" in status(app))


async def test_what_nobody_knows_is_not_guessed(make_app: MakeApp, model: Model) -> None:
    model.says = {"owned_by": "openai"}  # as a proxy says
    app = make_app(model.endpoint)
    async with running(app, WIDE) as pilot:
        model.say("hi")
        model.finish()
        await ask(pilot, "hello")
        await until(lambda: answered(app) and "reply $?" in status(app))
        assert "session $" not in status(app)
        assert "1,234 tokens" in status(app)


async def test_a_server_that_runs_its_models_here_costs_nothing(make_app: MakeApp, model: Model) -> None:
    model.says = {"owned_by": "vllm"}
    app = make_app(model.endpoint)
    async with running(app, WIDE) as pilot:
        for _ in range(2):
            model.say("hi")
            model.finish()
            await ask(pilot, "hello")
            await until(lambda: answered(app) and app.chat.conversation.catalog)
        await until(lambda: "$" not in status(app))
        await pilot.press("shift+f1")
        await until(lambda: isinstance(app.screen, SessionDetails))
        assert [row[7] for row in table(app.screen)] == ["$0", "$0"]


async def test_what_the_server_says_of_its_models_is_asked_once_and_remembered(make_app: MakeApp, model: Model) -> None:
    model.says = {"max_model_len": 2_000, "pricing": {"prompt": "0.0001", "completion": "0.001"}}
    app = make_app(model.endpoint)
    async with running(app, WIDE) as pilot:
        assert model.raw.requests == []
        for _ in range(2):
            model.say("hi")
            model.finish()
            await ask(pilot, "hello")
            await until(lambda: answered(app) and "1.23k / 2k (62%)" in status(app))
        assert "reply $0.33" in status(app)
        assert sum("/models" in request.line for request in model.raw.requests) == 1
    app = make_app(model.endpoint)
    async with running(app, WIDE):
        await until(lambda: "0 / 2k (0%)" in status(app))


async def test_little_room_keeps_the_context(make_app: MakeApp, model: Model) -> None:
    prices = ModelSettings(window=272_000, input_price=100.0, output_price=1000.0)
    app = make_app(with_settings(model.endpoint, prices))
    async with running(app, (46, 12)) as pilot:
        model.say("hi")
        model.finish()
        await ask(pilot, "hello")
        await until(lambda: answered(app) and "1.23k / 272k" in status(app))
        assert "tok/s" not in status(app)


# The session in numbers


def table(screen: object) -> list[list[str]]:
    """The cells of the table that is open."""
    assert isinstance(screen, SessionDetails)
    found = screen.query_one(DataTable)
    return [[str(cell) for cell in found.get_row_at(row)] for row in range(found.row_count)]


async def test_a_session_in_numbers(make_app: MakeApp, model: Model) -> None:
    prices = ModelSettings(window=2_000, input_price=100.0, output_price=1000.0)
    app = make_app(with_settings(model.endpoint, prices))
    async with running(app) as pilot:
        for key in ("", "f5"):
            model.say("hi")
            model.finish()
            await (pilot.press(key) if key else ask(pilot, "hello [b]"))
            await until(lambda: not app.chat.is_replying and "session $" in status(app))
        await pilot.press("shift+f1")
        await until(lambda: isinstance(app.screen, SessionDetails))
        rows = table(app.screen)
        assert [(row[0], row[1], row[2], row[3], row[7]) for row in rows] == [
            ("2", "m-1", "1k", "234", "$0.33"),
            ("3", "m-1", "1k", "234", "$0.33"),
        ]
        assert rows[0][4].endswith(" s")
        facts = str(app.screen.query_one("#facts Static", Static).content)
        assert "title       hello [b]\n" in facts
        assert "messages    3 (1 on other branches)\n" in facts
        assert "context     1,234 of 2,000 tokens\n" in facts
        assert facts.endswith("usage       2k prompt tokens, 468 reply tokens, $0.67")
        await pilot.press("escape")
        await until(lambda: app.screen is app.chat)


async def details(pilot: Pilot[None]) -> tuple[list[dict[str, str]], str]:
    """The rows of the session's numbers, by the names of their columns, and the facts above them."""
    app = pilot.app
    await pilot.press("shift+f1")
    await until(lambda: isinstance(app.screen, SessionDetails) and app.focused is not None)
    names = [str(column.label) for column in app.screen.query_one(DataTable).columns.values()]
    rows = [dict(zip(names, row, strict=True)) for row in table(app.screen)]
    return rows, str(app.screen.query_one("#facts Static", Static).content)


async def test_a_reply_that_was_continued_is_one_reply_and_two_requests(make_app: MakeApp, model: Model) -> None:
    app = make_app(with_settings(model.endpoint, ModelSettings(input_price=100.0, output_price=1000.0)))
    async with running(app, (180, 24)) as pilot:
        model.say("one, two,")
        model.finish("length")
        await ask(pilot, "count")
        await until(lambda: answered(app) and "reply 234  session $0.33  reply $0.33" in status(app))
        first = app.chat.conversation.progress.timing
        await pilot.press("f9")
        await until(lambda: "waiting" in status(app) and "reply 234 in 2 requests" in status(app))
        model.say(" three")
        await until(lambda: "three" in pane(app))
        app.chat.show_status()
        assert "reply ~236 in 2 requests" in status(app)  # what the server has counted, and two that it has not
        model.finish()
        await until(lambda: answered(app) and "reply 468 in 2 requests  session $0.67  reply $0.67" in status(app))
        assert f"first token {first.first:.2f} s" in status(app)
        assert app.chat.conversation.progress.elapsed > first.total
        rows, facts = await details(pilot)
        assert [(row["model"], row["prompt"], row["reply"], row["cost"]) for row in rows] == [
            ("m-1, 2 requests", "2k", "468", "$0.67")
        ]
        assert rows[0]["first token"] == f"{first.first:.2f} s"
        assert "usage       2k prompt tokens, 468 reply tokens, $0.67\n" in facts
        assert "1 reply, 1 more request, 1.23k prompt tokens sent again" in facts
        saved = await asyncio.wrap_future(app.store.session(app.chat.conversation.session.id))
        assert saved.path()[-1].usage == app.chat.conversation.progress.reply_usage


async def test_a_reply_that_was_stopped_has_numbers_too(make_app: MakeApp, model: Model) -> None:
    app = make_app(with_settings(model.endpoint, ModelSettings(input_price=1000.0, output_price=10000.0)))
    async with running(app, (180, 24)) as pilot:
        model.say("x" * 400)
        await ask(pilot, "hello, you")
        await until(lambda: "xxxx" in pane(app))
        await pilot.press("escape")
        await until(lambda: answered(app) and "reply ~$1.01" in status(app))
        assert "session ~$1.01" in status(app)
        assert "reply ~100" in status(app)
        rows, facts = await details(pilot)
        assert [(row["prompt"], row["reply"], row["cost"]) for row in rows] == [("~6", "~100", "~$1.01")]
        assert "context     ~110 tokens" in facts
        assert "usage       ~6 prompt tokens, ~100 reply tokens, ~$1.01" in facts
        await pilot.press("escape")
        model.say("hi")
        model.finish()
        await ask(pilot, "again")
        await until(lambda: answered(app) and "session ~$4.35" in status(app))
        rows, facts = await details(pilot)
        assert [(row["prompt"], row["reply"], row["cost"]) for row in rows[1:]] == [("1k", "234", "$3.34")]
        assert "~1.01k prompt tokens, ~334 reply tokens, ~$4.35" in facts


async def test_what_nobody_has_counted_is_said_to_be_missing(make_app: MakeApp, model: Model) -> None:
    app = make_app(model.endpoint)
    async with running(app) as pilot:
        app.chat.conversation.session.add(Message(Role.USER, "hello"))
        app.chat.conversation.session.add(Message(Role.ASSISTANT, "of another program"))
        rows, facts = await details(pilot)
        assert rows[0]["reply"] == ""
        assert "no usage    1 reply without token counts" in facts


async def test_a_session_with_nothing_in_it_has_numbers_too(make_app: MakeApp) -> None:
    app = make_app()
    async with running(app, (40, 12)) as pilot:
        await pilot.press("shift+f1")
        await until(lambda: isinstance(app.screen, SessionDetails))
        assert table(app.screen) == []
        assert "cost unknown" in str(app.screen.query_one("#facts Static", Static).content)


# Encodings


async def test_a_reply_is_counted_by_the_encoding_of_its_model(
    make_app: MakeApp, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoding_files.store(use_tiny(monkeypatch), ranks())
    app = make_app(replace(model.endpoint, model="gpt-5"))
    async with running(app, WIDE) as pilot:
        await until(lambda: encodings._loaded)
        await ask(pilot, "hello")
        model.say("the", " thing", " the", " thing")
        await until(lambda: "thing the thing" in pane(app))
        app.chat.show_status()
        assert "reply 6 " in status(app)
        model.finish()
        await until(lambda: answered(app))
        app.chat.models.switch_to("llama3")
        await ask(pilot, "hello")
        model.say("another", " thing")
        await until(lambda: "another thing" in pane(app))
        app.chat.show_status()
        assert "reply ~7 " in status(app)


async def test_loading_waits_until_no_reply_is_under_way(make_app: MakeApp, model: Model) -> None:
    app = make_app(model.endpoint)
    async with running(app) as pilot:
        await ask(pilot, "hello")
        await until(lambda: model.bodies)
        waiting = asyncio.create_task(asyncio.to_thread(app._wait_until_idle))
        await pilot.pause(0.3)
        assert not waiting.done()
        model.finish()
        assert await waiting
        waiting = asyncio.create_task(asyncio.to_thread(app._wait_until_idle))
        app.exit()
    await waiting


def test_an_encoding_is_loaded_last_and_when_nobody_minds(monkeypatch: pytest.MonkeyPatch) -> None:
    encoding_files.store(use_tiny(monkeypatch), ranks())
    told: list[str] = []
    for idle in (False, True):
        _load_all(demo_provider(), "gpt-5", told.append, lambda idle=idle: idle and told != [])  # type: ignore[misc]
        assert bool(encodings._loaded) is idle
    assert told == ["", ""]


async def test_without_an_encoding_nothing_is_downloaded_and_nobody_waits(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving(Exchange.until_gone) as silent:
        for name in ("http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, silent.url.removesuffix("/v1"))
            monkeypatch.setenv(name.upper(), silent.url.removesuffix("/v1"))
        use_tiny(monkeypatch, url=f"{silent.url}/o200k_base.tiktoken")
        app = make_app(replace(DEMO, model="demo-1"))
        async with running(app, WIDE) as pilot:
            await ask(pilot, "hello")
            await until(lambda: answered(app))
            app.chat.models.switch_to("gpt-5")
            await pilot.pause()
            await ask(pilot, "hello")
            await until(lambda: answered(app))
            await asyncio.to_thread(encodings.load_for, "gpt-5")
        assert silent.connections == 0
    assert encodings._loaded == {}


async def test_a_damaged_encoding_is_told(make_app: MakeApp, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    encoding_files.store(use_tiny(monkeypatch), b"half of it")
    app = make_app()
    async with running(app):
        await until(lambda: any("Download it again" in note.message for note in app._notifications))
