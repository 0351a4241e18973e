"""The conversation pane: following, scrolling, selecting, sizes."""

import pytest
from textual import events
from textual.geometry import Offset
from textual.selection import Selection

from streamtui.core.message import Message, Role
from tests.ui.conftest import MakeApp, Model, answered, ask, pane, running, until


def conversation(count: int) -> list[Message]:
    """`count` messages with a few lines each."""
    roles = (Role.USER, Role.ASSISTANT)
    return [Message(roles[i % 2], f"Message {i}.\n\n" + f"Words of {i}. " * (i % 40)) for i in range(count)]


async def test_the_end_is_followed_until_the_user_scrolls_up(make_app: MakeApp, model: Model) -> None:
    app = make_app(model.endpoint)
    async with running(app) as pilot:
        transcript = app.chat.transcript
        await ask(pilot, "count")
        model.say(*(f"line {i}\n\n" for i in range(60)))
        await until(lambda: "line 59" in pane(app))
        assert transcript.following
        await pilot.press("pageup")
        assert not transcript.following
        assert "lines below · ctrl+end" in pane(app)
        top = pane(app).splitlines()[0]
        model.say(*(f"line {i}\n\n" for i in range(60, 90)))
        await until(lambda: transcript.lines_below == (60, True))
        assert pane(app).splitlines()[0] == top
        assert "60 new lines below" in pane(app)
        await pilot.press("ctrl+end")
        assert transcript.following
        assert "line 89" in pane(app)
        model.finish()
        await until(lambda: answered(app))


async def test_scrolling_back_to_the_end_follows_again(make_app: MakeApp) -> None:
    app = make_app()
    async with running(app) as pilot:
        app.chat.transcript.load(conversation(30))
        await pilot.press("pageup", "pageup", "pagedown")
        assert not app.chat.transcript.following
        await pilot.press("pagedown", "pagedown")
        assert app.chat.transcript.following


@pytest.mark.parametrize("size", [(120, 40), (80, 24), (40, 12), (20, 5), (1, 1)])
async def test_every_size_works(make_app: MakeApp, size: tuple[int, int]) -> None:
    app = make_app()
    async with running(app, size) as pilot:
        await ask(pilot, "hello")
        await until(lambda: answered(app))
        await pilot.press("pageup", "pagedown")
        if size > (20, 10):
            assert "all I know" in pane(app).replace("\n  ", " ")


async def test_a_resize_keeps_the_line_at_the_top(make_app: MakeApp) -> None:
    app = make_app()
    async with running(app) as pilot:
        transcript = app.chat.transcript
        transcript.load(conversation(400))
        for _ in range(12):
            await pilot.press("pageup")
        entry = transcript.flow.index_at(int(transcript.scroll_y))[0]
        await pilot.resize_terminal(60, 24)
        await pilot.pause()
        assert transcript.flow.index_at(int(transcript.scroll_y))[0] == entry
        assert not transcript.following


async def test_paging_up_shows_every_message_once(make_app: MakeApp) -> None:
    app = make_app()
    async with running(app) as pilot:
        transcript = app.chat.transcript
        messages = conversation(120)
        transcript.load(messages)
        seen: set[int] = set()
        while transcript.scroll_y > 0:
            before = transcript.scroll_y
            for line in pane(app).splitlines():
                if line.strip("▎ ").startswith("Message "):
                    seen.add(int(line.strip("▎ ").removeprefix("Message ").rstrip(".")))
            await pilot.press("pageup")
            assert transcript.scroll_y < before or transcript.scroll_y == 0
        seen.update(int(line.strip("▎ ")[8:-1]) for line in pane(app).splitlines() if "Message " in line)
        assert seen == set(range(120))


async def test_dragging_selects_text_as_it_was_written(make_app: MakeApp, model: Model) -> None:
    app = make_app(model.endpoint)
    async with running(app) as pilot:
        text = "A paragraph that is long enough to be wrapped at eighty columns, twice or even three times. " * 3
        model.say(text.strip(), "\n\nThe end.")
        model.finish()
        await ask(pilot, "go")
        await until(lambda: answered(app))
        transcript = app.chat.transcript
        await pilot.mouse_down(transcript, offset=(2, 4))
        await pilot.hover(transcript, offset=(10, 9))
        await pilot.mouse_up(transcript, offset=(10, 9))
        selected = app.chat.get_selected_text()
        assert selected is not None
        assert selected.startswith("A paragraph that")
        assert "columns, twice" in selected
        assert "\n\nThe end." in selected


async def test_selecting_everything_spans_messages(make_app: MakeApp) -> None:
    app = make_app()
    async with running(app):
        transcript = app.chat.transcript
        transcript.load(conversation(6))
        found = transcript.get_selection(Selection(None, None))
        assert found is not None
        assert all(f"Message {i}." in found[0] for i in range(6))
        assert transcript.get_selection(Selection(Offset(0, 0), Offset(0, 0))) is None


async def test_dragging_beyond_the_edge_scrolls(make_app: MakeApp) -> None:
    app = make_app()
    async with running(app) as pilot:
        transcript = app.chat.transcript
        transcript.load(conversation(60))
        await pilot.press("pageup", "pageup", "pageup")
        before = transcript.scroll_y
        bottom = transcript.size.height - 1

        def mouse(kind: type[events.MouseEvent], y: int, down: int) -> None:
            # the pilot's own events never say that the mouse moved
            app.post_message(kind(None, 4, y, 0, down, 1, False, False, False, 4, y))

        mouse(events.MouseDown, 10, 0)
        mouse(events.MouseMove, 12, 2)
        mouse(events.MouseMove, bottom, bottom - 12)
        await until(lambda: transcript.scroll_y > before + 3)
        mouse(events.MouseUp, bottom, 0)
        await pilot.pause()
        selected = app.chat.get_selected_text()
        assert selected is not None
        assert selected.count("\n") > 4
