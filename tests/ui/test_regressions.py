"""Bugs that were found once and shall not come back."""

import asyncio
from pathlib import Path

import pytest
from textual import events
from textual.geometry import Region
from textual.widgets import Input

from streamtui.core.message import FinishReason, Message, Role
from streamtui.storage import Store, StoreError
from streamtui.ui.app import StreamTUI
from streamtui.ui.code_files import can_open
from streamtui.ui.dialogs.dialog import Dialog
from streamtui.ui.dialogs.help import HelpScreen
from streamtui.ui.dialogs.target_dialog import TargetDialog
from streamtui.ui.widgets.find_bar import FindBar
from streamtui.ui.widgets.prompt_queue import PromptQueue
from tests.ui.conftest import MakeApp, Model, answered, ask, pane, piece, running, status, until


def reply(text: str) -> list[Message]:
    """A conversation with one reply."""
    return [Message(Role.USER, "x"), Message(Role.ASSISTANT, text, model="m", finish_reason=FinishReason.STOP)]


async def test_the_language_of_code_is_no_markup(make_app: MakeApp) -> None:
    app = make_app()
    async with running(app) as pilot:
        app.chat.transcript.load(reply("```[/foo]\ncode\n```"))
        await pilot.press("f8", "a")
        await until(lambda: isinstance(app.screen, TargetDialog))
        await pilot.press("escape")


async def test_a_bidi_override_in_the_language_of_code_is_not_painted(make_app: MakeApp) -> None:
    app = make_app()
    async with running(app):
        app.chat.transcript.load(reply("```&#x202e;abc\ncode\n```"))
        assert "\u202e" not in pane(app)


async def test_a_search_goes_on_in_another_session(make_app: MakeApp) -> None:
    app = make_app()
    async with running(app) as pilot:
        app.chat.transcript.load([message for i in range(10) for message in reply(f"needle {i}")])
        await pilot.press("ctrl+f", *"needle")
        await until(lambda: "of 10" in status(app))
        await pilot.press("up", "ctrl+n")
        await until(lambda: "found: nothing" in status(app))
        await pilot.press("ctrl+f", "enter")
        assert app.chat.query_one(FindBar)


async def test_a_store_that_cannot_be_read_is_told(make_app: MakeApp, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: Store, key: str) -> object:
        raise StoreError("The sessions can't be read.")

    monkeypatch.setattr(Store, "recall", broken)
    app = make_app()
    async with running(app) as pilot:
        await until(lambda: any("can't be read" in note.message for note in app._notifications))
        await ask(pilot, "hello")
        await until(lambda: answered(app))


async def test_keys_pressed_before_the_first_paint_do_no_harm(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test() as pilot:
        begun, app.chat.has_begun = app.chat.has_begun, False
        for key in ("f5", "ctrl+n", "f3", "alt+left", "ctrl+f"):
            await pilot.press(key)
        app.chat.has_begun = begun
    app.close()


async def test_what_is_sent_early_is_asked_later(make_app: MakeApp, model: Model) -> None:
    app = make_app(model.endpoint)
    async with running(app) as pilot:
        await until(lambda: app.chat.is_ready)
        app.chat.is_ready = False
        await ask(pilot, "early")
        assert model.bodies == []
        app.chat.be_ready()
        await until(lambda: model.bodies)
        model.finish()
        await until(lambda: answered(app))


async def test_a_start_that_ends_while_the_app_closes(make_app: MakeApp, monkeypatch: pytest.MonkeyPatch) -> None:
    closing = asyncio.Event()
    monkeypatch.setattr(StreamTUI, "_set_up_endpoint", lambda app: closing.wait())
    monkeypatch.setattr(PromptQueue, "on_unmount", lambda queue: closing.set(), raising=False)
    async with running(make_app()):
        assert not closing.is_set()
    assert closing.is_set()


async def test_keys_that_arrive_together_take_effect_in_order(make_app: MakeApp) -> None:
    app = make_app()
    async with running(app) as pilot:
        for key in ("a", "b", "left", "c", "backspace", "d", "home", "e"):
            app.post_message(events.Key(key, key if len(key) == 1 else None))
        await pilot.pause()
        await until(lambda: len(app.chat.prompt.text) == 4)
        assert app.chat.prompt.text == "eadb"


@pytest.mark.parametrize(
    "url", ["http://[bad", "http://[::g]/v1", "http://x\u2100y/", "javascript:x", "file:///etc/passwd"]
)
def test_no_address_that_cannot_be_read_is_opened(url: str) -> None:
    assert can_open(url) is (url == "http://x\u2100y/" and False)


async def test_the_end_of_a_drag_is_no_click(make_app: MakeApp, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr(StreamTUI, "open_url", lambda self, url, new_tab=True: opened.append(url))
    app = make_app()
    async with running(app) as pilot:
        app.chat.transcript.load(reply("Some words before a [link](https://example.com/a)."))
        row = next(i for i, line in enumerate(pane(app).splitlines()) if "words" in line)
        column = pane(app).splitlines()[row].index("link") + 1

        def mouse(kind: type[events.MouseEvent], x: int) -> None:
            app.post_message(kind(None, x, row, 0, 0, 1, False, False, False, x, row))

        mouse(events.MouseDown, 3)
        mouse(events.MouseMove, column)
        mouse(events.MouseUp, column)
        await pilot.pause()
        assert opened == []
        mouse(events.MouseDown, column)
        mouse(events.MouseUp, column)
        await until(lambda: opened)


async def test_attachments_survive_stopping_and_ctrl_c(make_app: MakeApp, model: Model) -> None:
    app = make_app(model.endpoint)
    async with running(app) as pilot:
        await ask(pilot, "one")
        await until(lambda: model.bodies)
        await ask(pilot, "queued")
        app.chat.prompt.post_message(events.Paste("x" * 10_000))
        await until(lambda: app.chat.prompt.attachments)
        await pilot.press("escape")
        await until(lambda: app.chat.prompt.text == "queued")
        assert len(app.chat.prompt.attachments) == 1
        await pilot.press("ctrl+c")
        assert not app.chat.prompt.attachments
        await pilot.press("ctrl+n", "up")
        assert app.chat.prompt.text == "queued"
        assert len(app.chat.prompt.attachments) == 1


async def test_a_draft_is_kept_when_an_earlier_prompt_is_sent_again(make_app: MakeApp) -> None:
    app = make_app()
    async with running(app) as pilot:
        await ask(pilot, "hello")
        await until(lambda: answered(app))
        app.chat.prompt.insert("my draft")
        await pilot.press("up", "enter")
        await until(lambda: answered(app))
        await pilot.press("up", "up")
        assert app.chat.prompt.text == "my draft"


async def test_a_paste_replaces_the_selection_and_is_clean(make_app: MakeApp) -> None:
    app = make_app()
    async with running(app) as pilot:
        app.chat.prompt.insert("hello")
        app.chat.prompt.select_all()
        app.chat.prompt.post_message(events.Paste("b\x1b[31mye"))
        await until(lambda: app.chat.prompt.text == "b␛[31mye")
        app.chat.prompt.select_all()
        app._clipboard = "\x1b]0;x\x07"
        await pilot.press("ctrl+v")
        assert app.chat.prompt.text == "␛]0;x␇"
        await pilot.press("ctrl+f")
        app.chat.query_one(FindBar).post_message(events.Paste("a\x1b\x9bb"))
        await until(lambda: app.chat.query_one("#find", Input).value == "a␛\ufffdb")


async def test_a_model_picked_meanwhile_wins(make_app: MakeApp, model: Model) -> None:
    from streamtui.config import Endpoint

    app = make_app(Endpoint("test", model.raw.url))
    async with running(app):
        settling = asyncio.create_task(app.chat.conversation.resolve_model())
        app.chat.conversation.switch_model("my-choice")
        assert await settling == "my-choice"


async def test_a_complete_reply_is_never_called_stopped(make_app: MakeApp, model: Model) -> None:
    app = make_app(model.endpoint)
    async with running(app) as pilot:
        await ask(pilot, "one")
        model.say("All of it.")
        model.pieces.put_nowait(piece(finish="stop"))
        message = app.chat.conversation.current
        assert message is not None
        await until(lambda: message.finish_reason is not None)
        await pilot.press("escape")
        await until(lambda: answered(app))
        assert "Stopped" not in pane(app)
        assert message.finish_reason is FinishReason.STOP


async def test_no_key_is_said_while_there_is_none(make_app: MakeApp) -> None:
    from streamtui.config import Endpoint
    from streamtui.ui.dialogs.welcome import Welcome

    app = make_app(Endpoint("openai", "https://api.openai.com/v1", model="x"))
    async with running(app) as pilot:
        await until(lambda: "no API key" in status(app) and isinstance(app.screen, Welcome) and app.screen.is_mounted)
        await pilot.press("down", "down", "enter")
        await until(lambda: "demo" in status(app))
        assert "no API key" not in status(app)


async def test_who_answers_and_how_long_it_thinks_is_said_at_once(make_app: MakeApp, model: Model) -> None:
    app = make_app(model.endpoint)
    async with running(app) as pilot:
        await ask(pilot, "one")
        model.pieces.put_nowait(piece(reasoning_content="Think. " * 40))
        await until(lambda: "thinking · ~70 tokens" in pane(app))
        assert "  m-1  test" in pane(app)
        model.pieces.put_nowait(piece(reasoning_content="Think. " * 40))
        await until(lambda: "thinking · ~140 tokens" in pane(app))
        model.say("Done.")
        model.finish()
        await until(lambda: answered(app))
        assert "▸ thought for " in pane(app)


async def test_another_conversation_has_no_selection(make_app: MakeApp) -> None:
    app = make_app()
    async with running(app) as pilot:
        app.chat.transcript.load(reply("A first paragraph."))
        await pilot.click(app.chat.transcript, offset=(4, 4), times=2)
        assert app.chat.get_selected_text()
        app.chat.transcript.load(reply("Something else."))
        assert not app.chat.get_selected_text()


async def test_a_resize_keeps_the_very_line_at_the_top(make_app: MakeApp) -> None:
    app = make_app()
    async with running(app, (120, 24)) as pilot:
        transcript = app.chat.transcript
        transcript.load(reply("\n\n".join(f"c{i} " + "words " * 40 for i in range(200))))
        await pilot.press("alt+up")
        transcript.jump(transcript.flow.total // 2)
        await pilot.press("j", "k")
        first = next(word for word in pane(app).split() if word.startswith("c") and word[1:].isdigit())
        for width in (60, 90, 120):
            await pilot.resize_terminal(width, 24)
            await pilot.pause()
            top = "\n".join(pane(app).splitlines()[:10])
            assert first in top or f"c{int(first[1:]) - 1}" in top


async def test_a_session_that_could_not_be_saved_is_told_at_the_end(make_app: MakeApp, tmp_path: Path) -> None:
    broken = tmp_path / "broken.db"
    broken.write_text("no database" * 1000)
    app = make_app(database=broken)
    async with app.run_test() as pilot:
        await until(lambda: app.chat.is_ready)
        await ask(pilot, "hello")
        await until(lambda: answered(app))
    assert app.close() is False
    assert str(broken) in app.store.save_error


async def test_searching_a_growing_reply_looks_at_a_block_once_a_frame(make_app: MakeApp) -> None:
    app = make_app()
    async with running(app):
        transcript = app.chat.transcript
        transcript.load(reply("```\n" + "needle\n" * 50 + "```"))
        transcript.find("needle")
        block = transcript.flow.entries[1].body
        assert block is not None
        code = block.blocks[0]
        calls = 0
        plain = code.plain

        def counted() -> str:
            nonlocal calls
            calls += 1
            return plain()

        code.plain = counted  # type: ignore[method-assign]
        transcript.refresh()
        transcript.render_lines(Region(0, 0, *transcript.size))
        assert calls <= 1


async def test_f1_shows_the_keys_in_every_panel(make_app: MakeApp) -> None:
    app = make_app()
    async with running(app) as pilot:
        await ask(pilot, "hello")
        await until(lambda: answered(app))
        for key in ("ctrl+t", "ctrl+o", "f4"):
            await pilot.press(key)
            await until(lambda: isinstance(app.screen, Dialog))
            await pilot.press("f1")
            await until(lambda: isinstance(app.screen, HelpScreen))
            await pilot.press("escape")
            await until(lambda: not isinstance(app.screen, HelpScreen))
            await pilot.press("escape")
            await until(lambda: app.screen is app.chat)


async def test_an_empty_reply_says_so(make_app: MakeApp, model: Model) -> None:
    app = make_app(model.endpoint)
    async with running(app) as pilot:
        model.finish()
        await ask(pilot, "hello")
        await until(lambda: answered(app))
        assert "The model returned an empty reply." in pane(app)
        assert "F5" in pane(app)


async def test_attachments_of_a_message_are_shown_and_can_be_removed_before(make_app: MakeApp, model: Model) -> None:
    app = make_app(model.endpoint)
    async with running(app) as pilot:
        app.post_message(events.Paste("first " * 2_000))
        app.post_message(events.Paste("second " * 2_000))
        await until(lambda: len(app.chat.prompt.attachments) == 2)
        await pilot.press(*"hi", "home", "backspace")
        assert [file.name for file in app.chat.prompt.attachments] == ["pasted-1.txt"]
        assert "pasted-1.txt" in str(app.chat.prompt.border_title)
        await pilot.press("end", "backspace")
        assert (app.chat.prompt.text, len(app.chat.prompt.attachments)) == ("h", 1), "text goes before attachments"
        model.say("Read.")
        model.finish()
        await pilot.press("enter")
        await until(lambda: answered(app))
        assert "pasted-1.txt  12.0 KB" in pane(app)
        assert "pasted-2" not in pane(app)
