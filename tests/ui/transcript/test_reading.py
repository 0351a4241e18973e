"""What a reader does: walking, copying, folding, finding, letters, links, sideways."""

from pathlib import Path

import pytest
from textual.geometry import Region

from streamtui.core.message import Message, Role
from streamtui.ui.app import StreamTUI
from streamtui.ui.dialogs.target_dialog import TargetDialog
from streamtui.ui.transcript.targets import Target, lettered
from tests.ui.conftest import MakeApp, pane, running, status, until

REPLY = """\
Intro with a [link](https://example.com/a) and another: https://example.org/b

```python
print("one")
```

Words between, an entity &#x202e; and &#27; too.

```sh
echo two
```
"""


class Clipboard(list[str]):
    """What was copied, newest last."""


@pytest.fixture
def copied(monkeypatch: pytest.MonkeyPatch) -> Clipboard:
    """Takes what the app copies."""
    clipboard = Clipboard()
    monkeypatch.setattr(StreamTUI, "copy_to_clipboard", lambda self, text: clipboard.append(text))
    return clipboard


def load(app: StreamTUI, *texts: str, reasoning: str = "") -> None:
    """Shows a conversation of `texts`, prompts and replies by turns."""
    roles = (Role.USER, Role.ASSISTANT)
    messages = [Message(roles[i % 2], text, model="m") for i, text in enumerate(texts)]
    messages[-1].reasoning = reasoning
    app.chat.transcript.load(messages)


def notes(app: StreamTUI) -> list[str]:
    """What the app has told the user."""
    return [note.message for note in app._notifications]


async def test_walking_from_message_to_message(make_app: MakeApp, copied: Clipboard) -> None:
    app = make_app()
    async with running(app) as pilot:
        load(app, *(f"Message {i}.\n\n" + "More. \n\n" * 12 for i in range(8)))
        await pilot.press("alt+up")
        assert app.chat.transcript.lines.cursor == 7
        await pilot.press("alt+up", "alt+up")
        assert pane(app).splitlines()[1].strip("▌ ") == "Message 5."
        await pilot.press("alt+down", "y")
        assert copied[-1].startswith("Message 6.")
        await pilot.press("g")
        assert "Message 0." in pane(app)
        await pilot.press("G")
        assert app.chat.transcript.following
        await pilot.press("k", "k", "ctrl+u")
        assert not app.chat.transcript.following
        await pilot.press("j", "ctrl+d", "end", "i")
        assert app.focused is app.chat.prompt


async def test_copying_a_message_and_its_code(make_app: MakeApp, copied: Clipboard) -> None:
    app = make_app()
    async with running(app) as pilot:
        load(app, "show me", REPLY)
        await pilot.press("alt+up", "y", "c")
        assert copied == [REPLY, "echo two"]
        load(app, "show me", "no code here")
        await pilot.press("alt+up", "c")
        assert "There is no code in this message." in notes(app)


async def test_letters_copy_save_edit_and_open(
    make_app: MakeApp, copied: Clipboard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(StreamTUI, "open_url", lambda self, url, new_tab=True: opened.append(url))
    monkeypatch.chdir(tmp_path)
    app = make_app()
    async with running(app, (100, 40)) as pilot:
        load(app, "show me", REPLY)
        transcript = app.chat.transcript
        await pilot.press("f8")
        assert [target.url or target.code for target in transcript.lines.letters.values()] == [
            "https://example.com/a",
            "https://example.org/b",
            'print("one")',
            "echo two",
        ]
        assert "d  print" in pane(app)
        for letter, action in (("d", "c"), ("f", "s"), ("s", "o")):
            await pilot.press("f8", letter)
            await until(lambda: isinstance(app.screen, TargetDialog))
            await pilot.press(action)
            await until(lambda: app.screen is app.chat)
            await pilot.pause()
        assert copied == ['print("one")']
        assert (tmp_path / "code-1.sh").read_text() == "echo two\n"
        assert opened == ["https://example.org/b"]
        await pilot.press("f8", "escape")
        assert transcript.lines.letters == {}


async def test_links_open_with_a_click_and_show_their_target(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(StreamTUI, "open_url", lambda self, url, new_tab=True: opened.append(url))
    app = make_app()
    async with running(app) as pilot:
        load(
            app,
            "show me",
            "A [link](https://example.com/real) and [bad](javascript:alert(1)).\n\n[f](file:///etc/passwd)",
        )
        rows = pane(app).splitlines()
        y = next(i for i, row in enumerate(rows) if "A link" in row)
        x = rows[y].index("link") + 1
        await pilot.hover(app.chat.transcript, offset=(x, y))
        await until(lambda: "https://example.com/real" in status(app))
        await pilot.click(app.chat.transcript, offset=(x, y))
        assert opened == ["https://example.com/real"]
        await pilot.hover(app.chat.transcript, offset=(70, y + 3))
        await until(lambda: "https://" not in status(app))
        for url in ("file:///etc/passwd", "javascript:alert(1)"):
            app.chat.transcript.post_message(app.chat.transcript.Open(url))
        await until(lambda: sum("unsupported link type" in note for note in notes(app)) == 2)
        assert len(opened) == 1


async def test_reasoning_is_folded_and_unfolds(make_app: MakeApp) -> None:
    app = make_app()
    async with running(app) as pilot:
        load(app, "why", "Because.", reasoning="Let me think about it.\n\nFor long.")
        assert "▸ thought" in pane(app)
        assert "Let me think" not in pane(app)
        await pilot.press("alt+up", "space")
        assert "Let me think" in pane(app)
        y = next(i for i, row in enumerate(pane(app).splitlines()) if "thought" in row)
        await pilot.click(app.chat.transcript, offset=(5, y))
        assert "Let me think" not in pane(app)


async def test_finding_goes_from_hit_to_hit(make_app: MakeApp) -> None:
    app = make_app()
    async with running(app) as pilot:
        load(app, *(f"Message {i}.\n\n" + ("A Needle here. " if i % 10 == 3 else "") + "Hay. " * 60 for i in range(60)))
        await pilot.press("ctrl+f", *"needle")
        await until(lambda: "of 6" in status(app))
        assert "A Needle here." in pane(app)
        seen = set()
        for _ in range(6):
            await pilot.press("enter")
            seen.add(app.chat.transcript.finder.current)
            assert "A Needle here." in pane(app)
        assert len(seen) == 6
        strips = app.chat.transcript.render_lines(Region(0, 0, *app.chat.transcript.size))
        marked = [segment.text for strip in strips for segment in strip if segment.text == "Needle"]
        assert marked == ["Needle"]
        await pilot.press("escape")
        assert app.focused is app.chat.prompt
        await pilot.press("alt+up", "slash", *"nothing")
        await until(lambda: "found: nothing" in status(app))


async def test_wide_code_is_wrapped_or_moved_sideways(make_app: MakeApp) -> None:
    app = make_app()
    async with running(app) as pilot:
        wide = "x = [" + ", ".join(str(i) for i in range(60)) + "]"
        load(app, "show me", f"```python\n{wide}\n```")
        assert ", 59]" in pane(app)
        await pilot.press("alt+up", "w")
        assert ", 59]" not in pane(app)
        for _ in range(25):
            await pilot.press("l")
        assert ", 59]" in pane(app)
        for _ in range(25):
            await pilot.press("h")
        assert "x = [0, 1" in pane(app)
        await pilot.press("w")
        assert ", 59]" in pane(app)


async def test_markdown_entities_cannot_drive_the_terminal(make_app: MakeApp) -> None:
    app = make_app()
    async with running(app):
        load(
            app, "x", "a &#x202e; b &#27;]0;t&#7; [c](https://x.y/&#27;[2J) &#x9b;31m\n\n| &#x202e; |\n|---|\n| &#27; |"
        )
        written = "".join(
            segment.text + (segment.style.link or "" if segment.style else "")
            for strip in app.chat.transcript.render_lines(Region(0, 0, *app.chat.transcript.size))
            for segment in strip
        )
        assert not {"\x1b", "\u202e", "\x9b", "\x07"} & set(written)


async def test_letters_hide_no_link(make_app: MakeApp) -> None:
    app = make_app()
    async with running(app, (40, 20)) as pilot:
        links = "[first](https://a.b/) then [second](https://c.d/) and ([third](https://e.f/))"
        load(app, "x", f"{links}\n\n- [in a list](https://g.h/)\n\n{'word ' * 6}[at the end](https://i.j/)")
        await pilot.press("f8")
        shown = pane(app)
        for words in ("afirst thensse", "cond", "(dthird)", "• fin a list", "wordgat the\n  end"):
            assert words in shown, shown
        assert "›" not in shown


async def test_double_click_selects_a_block(make_app: MakeApp) -> None:
    app = make_app()
    async with running(app) as pilot:
        load(app, "x", "First paragraph.\n\nSecond one.")
        y = next(i for i, row in enumerate(pane(app).splitlines()) if "Second" in row)
        await pilot.click(app.chat.transcript, offset=(4, y), times=2)
        assert app.chat.get_selected_text() == "Second one."


def test_letters_are_enough_for_many_targets() -> None:
    targets = [Target(i, 0, code=str(i)) for i in range(60)]
    assert len(lettered(targets)) == 60
    assert {len(letters) for letters in lettered(targets)} == {2}
    assert len(lettered(targets[:5])) == 5


async def test_no_color_is_respected(make_app: MakeApp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = make_app()
    async with running(app):
        load(app, "show me", REPLY)
        strips = app.chat.transcript.render_lines(Region(0, 0, *app.chat.transcript.size))
        styles = [segment.style for strip in strips for segment in strip if segment.style is not None]
        colours = {style.color.triplet for style in styles if style.color is not None and style.color.triplet}
        assert colours
        assert all(red == green == blue for red, green, blue in colours)
