"""The mouse in the conversation: a click leaves the keys with the prompt, a selection ends where the mouse does."""

import pytest
from textual import events

from streamtui.core.message import FinishReason, Message, Role
from streamtui.ui.app import StreamTUI
from streamtui.ui.dialogs.target_dialog import TargetDialog
from tests.ui.conftest import MakeApp, answered, ask, pane, running, status, until

TEXT = """First paragraph.

Second one.

- an item
- another

```py
print()
```

The [link](https://x.y/) ends it."""


def load(app: StreamTUI, text: str = TEXT) -> None:
    """Shows a conversation of six messages from its top."""
    app.chat.transcript.load(
        [
            Message(role, f"{role} {n}\n\n{text}", finish_reason=FinishReason.STOP)
            for n in range(3)
            for role in (Role.USER, Role.ASSISTANT)
        ]
    )
    app.chat.transcript.action_top()


def row_of(app: StreamTUI, words: str) -> int:
    """The first row of the pane with `words`."""
    return next(y for y, line in enumerate(pane(app).splitlines()) if words in line)


def drag(app: StreamTUI, start: tuple[int, int], end: tuple[int, int]) -> None:
    """Drags over the pane; the pilot's own events never say that the mouse moved."""
    for kind, (x, y) in ((events.MouseDown, start), (events.MouseMove, end), (events.MouseUp, end)):
        app.post_message(kind(None, x, y, 0, 1, 1, False, False, False, x, y))


async def test_letters_after_a_click_are_written(make_app: MakeApp) -> None:
    app = make_app()
    async with running(app) as pilot:
        load(app)
        await pilot.click(app.chat.transcript, offset=(5, 3))
        await pilot.press(*"yes, be")
        assert app.chat.prompt.text == "yes, be"


async def test_letters_after_a_selection_are_written(make_app: MakeApp) -> None:
    app = make_app()
    async with running(app) as pilot:
        load(app)
        drag(app, (2, 2), (9, 6))
        await pilot.pause()
        assert app.chat.get_selected_text()
        await pilot.press(*"yes")
        assert app.chat.prompt.text == "yes"


@pytest.mark.parametrize("size", [(80, 24), (40, 12)])
async def test_letters_are_commands_after_alt_up_and_the_bar_says_so_until_a_click(
    make_app: MakeApp, size: tuple[int, int]
) -> None:
    app = make_app()
    async with running(app, size) as pilot:
        await ask(pilot, "hello")
        await until(lambda: answered(app))
        before = status(app)
        await pilot.press("alt+up")
        assert "Messages · esc prompt" in status(app)
        await pilot.press("g")
        assert app.chat.prompt.text == ""
        await pilot.click(app.chat.transcript, offset=(5, 3))
        await pilot.press(*"yes")
        assert app.chat.prompt.text == "yes"
        assert status(app) == before


async def test_letters_are_written_again_after_one_picked_a_link(make_app: MakeApp) -> None:
    app = make_app()
    async with running(app) as pilot:
        load(app)
        await pilot.press("f8")
        assert "Type a letter · esc cancel" in status(app)
        await pilot.press("f8", "a")
        await until(lambda: isinstance(app.screen, TargetDialog))
        await pilot.press("escape")
        await until(lambda: app.screen is app.chat)
        await pilot.press(*"yes", "f8", "1", *"no")
        assert app.chat.prompt.text == "yesno"


async def test_letters_are_written_again_after_another_conversation_is_shown(make_app: MakeApp) -> None:
    app = make_app()
    async with running(app) as pilot:
        load(app)
        await pilot.press("f8", "ctrl+n")
        load(app)
        await pilot.press("f8")
        load(app, "words")
        await pilot.press(*"yes")
        assert app.chat.prompt.text == "yes"


async def test_f8_without_a_target_leaves_the_letters_to_the_prompt(make_app: MakeApp) -> None:
    app = make_app()
    async with running(app) as pilot:
        load(app, "words")
        await pilot.press("f8", *"yes")
        assert app.chat.prompt.text == "yes"


async def test_a_selection_that_ends_on_an_empty_line_ends_there(make_app: MakeApp) -> None:
    app = make_app()
    async with running(app, (80, 60)) as pilot:
        load(app)
        rows = pane(app).splitlines()
        first, second = row_of(app, "First"), row_of(app, "Second")
        assert not rows[second - 1].strip("▎ ")
        for x in (0, 30, 79):
            drag(app, (2, first), (x, second - 1))
            await pilot.pause()
            assert app.chat.get_selected_text() == "First paragraph."
        for gap in range(second, row_of(app, "assistant 0") - 1):
            drag(app, (2, first), (50, gap))
            await pilot.pause()
            selected = app.chat.get_selected_text()
            assert selected is not None
            assert "assistant" not in selected


async def test_a_selection_from_an_empty_line_begins_with_the_text_below(make_app: MakeApp) -> None:
    app = make_app()
    async with running(app, (80, 60)) as pilot:
        load(app)
        second = row_of(app, "Second")
        drag(app, (30, second - 1), (79, second))
        await pilot.pause()
        assert app.chat.get_selected_text() == "Second one."


async def test_a_selection_dragged_out_of_the_pane_ends_at_its_edge(make_app: MakeApp) -> None:
    app = make_app()
    async with running(app) as pilot:
        load(app)
        last = next(row for row in reversed(pane(app).splitlines()[:-1]) if row.strip("▎ "))
        drag(app, (2, row_of(app, "First")), (5, 23))
        await pilot.pause()
        selected = app.chat.get_selected_text()
        assert selected is not None
        assert selected.startswith("First paragraph.\n\nSecond")
        assert "user 2" not in selected
        assert last.strip("▎ ")[-5:] in selected
