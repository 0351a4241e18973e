"""The screen of the saved sessions: found, looked into, tidied and opened by keys."""

import time
from collections.abc import Callable
from concurrent.futures import Future
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from rich.cells import cell_len
from textual.pilot import Pilot
from textual.widgets import Input, Static

from streamtui.core.message import FinishReason, Message, Role
from streamtui.core.session import Session, SessionFilter, SessionSummary
from streamtui.storage import Store
from streamtui.ui.app import StreamTUI
from streamtui.ui.dialogs.export_dialog import ExportDialog
from streamtui.ui.screens.sessions.filter_dialog import FilterDialog
from streamtui.ui.screens.sessions.preview import Preview
from streamtui.ui.screens.sessions.rename_input import RenameInput
from streamtui.ui.screens.sessions.rows import day_label
from streamtui.ui.screens.sessions.screen import SessionsScreen
from tests.ui.conftest import MakeApp, answered, ask, pane, running, status, until

NOON = datetime.combine(date.today(), datetime.min.time()).timestamp()
DAY = 86_400.0


def chat(title: str, *texts: str, days: float = 0.0, model: str = "m-1") -> Session:
    """A session of prompts and replies that began `days` ago."""
    session = Session(title=title, endpoint="demo", model=model, created=NOON - days * DAY)
    for n, text in enumerate(texts):
        role = Role.ASSISTANT if n % 2 else Role.USER
        reason = FinishReason.STOP if n % 2 else None
        session.add(Message(role, text, created=session.created + n, model=model * (n % 2), finish_reason=reason))
    return session


Keep = Callable[..., list[Session]]


@pytest.fixture
def keep(tmp_path: Path) -> Keep:
    """Saves sessions where the app will look for them."""

    def save(*sessions: Session) -> list[Session]:
        with Store(tmp_path / "data" / "sessions.db") as store:
            for session in sessions:
                store.save_whole(session)
        return list(sessions)

    return save


@pytest.fixture
def three(keep: Keep) -> list[Session]:
    """A session of today about soup, one of yesterday about trains, one of long ago about Wien."""
    long = "\n\n".join(f"Paragraph {n} about tracks and timetables." for n in range(60))
    return keep(
        chat("Soup", "How do I cook a soup?", "Cut the onions first."),
        chat("Trains", "Tell me about trains", f"{long}\n\nThe narrow gauge is rare.", "And now?", "Nothing", days=1),
        chat("Café Wien", "Wo ist das Café?", "Am Ring.", "北京大学在哪里?", "在海淀。", days=800, model="m-2"),
    )


async def opened(pilot: Pilot[None], app: StreamTUI) -> SessionsScreen:
    """Opens the screen and waits until it lists something, or says why not."""
    await pilot.press("ctrl+s")
    await until(lambda: isinstance(app.screen, SessionsScreen) and app.screen.is_mounted)
    screen = app.screen
    assert isinstance(screen, SessionsScreen)
    await until(lambda: screen.sessions.rows or said(screen))
    await pilot.pause()
    return screen


def listed(screen: SessionsScreen) -> list[str]:
    """The lines of the list."""
    rows = [screen.sessions.render_line(y).text for y in range(screen.sessions.size.height)]
    return [" ".join(row.split()) for row in rows if row.strip()]


def said(screen: SessionsScreen) -> str:
    """What stands above the list instead of rows."""
    hint = screen.query_one("#hint", Static)
    return str(hint.content) if hint.display else ""


def previewed(screen: SessionsScreen) -> str:
    """What the preview shows."""
    preview = screen.query_one(Preview)
    return "\n".join(strip.text for strip in preview.render_lines(preview.size.region))


def marked(screen: SessionsScreen) -> list[str]:
    """What is marked as found in the list."""
    strips = [screen.sessions.render_line(y) for y in range(screen.sessions.size.height)]
    match = screen.sessions._styles["match"].bgcolor
    return [s.text for strip in strips for s in strip if s.style is not None and s.style.bgcolor == match]


async def test_sessions_stand_under_their_days_and_open(make_app: MakeApp, three: list[Session]) -> None:
    app = make_app()
    app_store = Store(app._database)
    app_store.set_pinned(three[2].id, True)
    app_store.close()
    async with running(app, (120, 40)) as pilot:
        screen = await opened(pilot, app)
        day = datetime.fromtimestamp(three[2].updated)
        assert listed(screen) == [
            "Pinned",
            f"★ Café Wien {day:%b %Y}",
            "Today",
            "Soup 00:00",
            "Yesterday",
            f"Trains {datetime.fromtimestamp(three[1].updated):%H:%M}",
        ]
        await until(lambda: "在海淀" in previewed(screen))
        await pilot.press("down", "down", "up")
        await until(lambda: "onions" in previewed(screen))
        await pilot.press("enter")
        await until(lambda: app.screen is app.chat and "onions" in pane(app))
        await ask(pilot, "thanks")
        await until(lambda: answered(app))
        assert len(app.chat.conversation.session.path()) == 4
        screen = await opened(pilot, app)
        assert listed(screen)[3].startswith("● Soup")


async def test_words_are_found_and_opened_where_they_stand(make_app: MakeApp, three: list[Session]) -> None:
    app = make_app()
    async with running(app, (120, 40)) as pilot:
        screen = await opened(pilot, app)
        await pilot.press(*"narrow gau")
        await until(lambda: marked(screen) == ["narrow", "gau"])
        assert listed(screen)[0].startswith("Trains")
        assert listed(screen)[1].startswith("m-1 …")
        await until(lambda: "The narrow gauge is rare" in previewed(screen))
        await pilot.press("enter")
        await until(lambda: app.screen is app.chat and "The narrow gauge is rare" in pane(app))
        assert "Paragraph 59" in pane(app)
        assert "You" not in pane(app).splitlines()[0]
        assert "found: 1 of 2" in status(app)
        await pilot.press("escape")
        assert "found" not in status(app)


async def test_titles_are_found_too_in_any_case_and_script(make_app: MakeApp, three: list[Session]) -> None:
    app = make_app()
    async with running(app, (120, 40)) as pilot:
        screen = await opened(pilot, app)
        await pilot.press(*"CAFE")
        await until(lambda: marked(screen) == ["Café", "Café", "Café"])
        assert listed(screen)[0] == "In titles"
        await pilot.press("escape")
        await until(lambda: len(listed(screen)) == 6)
        screen.query_one("#search", Input).insert_text_at_cursor("京大学")
        await until(lambda: marked(screen) == ["京大学"])
        await pilot.press("enter")
        await until(lambda: app.screen is app.chat and "北京大学" in pane(app))


@pytest.mark.parametrize(("typed", "found"), [("🚀", "Launch"), ("C++", "Code"), ('"brown fox"', "Foxes"), ("?!?", "")])
async def test_symbols_and_phrases_filter_the_list(make_app: MakeApp, keep: Keep, typed: str, found: str) -> None:
    keep(
        chat("Launch", "Off it goes 🚀"),
        chat("Code", "Write it in C++"),
        chat("Foxes", "A quick brown fox"),
        chat("Cats", "A brown cat, a C major, a fox"),
    )
    app = make_app()
    async with running(app, (120, 30)) as pilot:
        screen = await opened(pilot, app)
        await pilot.press(*typed)
        await until(lambda: found in str(listed(screen)) and len(screen.sessions.rows) == (2 if found else 0))
        assert bool(said(screen)) == (not found)


async def test_a_hit_on_another_branch_is_shown(make_app: MakeApp, keep: Keep) -> None:
    session = chat("Twice", "Say a word", "hippopotamus", "And again")
    session.leaf_id = session.path()[0].id
    session.add(Message(Role.ASSISTANT, "rhinoceros", finish_reason=FinishReason.STOP))
    keep(session)
    app = make_app()
    async with running(app, (120, 40)) as pilot:
        screen = await opened(pilot, app)
        await until(lambda: "rhinoceros" in previewed(screen))
        await pilot.press(*"hippo")
        await until(lambda: "hippopotamus" in previewed(screen))
        await pilot.press("enter")
        await until(lambda: app.screen is app.chat and "hippopotamus" in pane(app))
        assert "And again" in pane(app)
        await pilot.press("alt+right")
        await until(lambda: "rhinoceros" in pane(app))


async def test_a_title_is_changed_in_its_place(make_app: MakeApp, three: list[Session]) -> None:
    app = make_app(session_id=three[0].id)
    async with running(app, (80, 24)) as pilot:
        await until(lambda: "onions" in pane(app))
        screen = await opened(pilot, app)
        await pilot.press("f2")
        await until(lambda: screen.query(RenameInput))
        line = screen.query_one(RenameInput)
        assert line.region.y == screen.sessions.region.y + screen.sessions.highlighted
        await pilot.press(*" of the day", "enter")
        await until(lambda: any("Soup of the day" in row for row in listed(screen)))
        await pilot.press("ctrl+z")
        await until(lambda: any("Soup m-1" in row for row in listed(screen)))
        await pilot.press("f2", *" again", "escape", "f2", *" once more", "enter")
        await until(lambda: any("Soup once more" in row for row in listed(screen)))
        await pilot.press("escape")
        await until(lambda: app.screen is app.chat)
        assert app.chat.conversation.session.title == "Soup once more"


async def test_pinning_archiving_copying_and_the_way_back(make_app: MakeApp, three: list[Session]) -> None:
    app = make_app()
    async with running(app, (80, 24)) as pilot:
        screen = await opened(pilot, app)
        await pilot.press("f3")
        await until(lambda: listed(screen)[:2] == ["Pinned", "★ Soup m-1 00:00"])
        await pilot.press("f3")
        await until(lambda: listed(screen)[0] == "Today")
        await pilot.press("f5")
        await until(lambda: sum("Soup" in row for row in listed(screen)) == 2)
        await pilot.press("ctrl+z")
        await until(lambda: sum("Soup" in row for row in listed(screen)) == 1)
        await pilot.press("f4")
        await until(lambda: listed(screen)[0] == "Yesterday")
        await pilot.press("f7", *"archive", "enter")
        await until(lambda: isinstance(app.screen, SessionsScreen) and "Soup" in " ".join(listed(screen)))
        assert len(listed(screen)) == 2
        await pilot.press("f4")
        await until(lambda: said(screen) == "No sessions (filter: archive).")
        await pilot.press("escape")
        await until(lambda: len(listed(screen)) == 6)


async def test_what_is_deleted_comes_back_until_it_is_deleted_in_the_trash(
    make_app: MakeApp, three: list[Session]
) -> None:
    app = make_app(session_id=three[0].id)
    async with running(app, (80, 24)) as pilot:
        await until(lambda: "onions" in pane(app))
        screen = await opened(pilot, app)
        await pilot.press("shift+down", "ctrl+space")
        assert "2 marked" in str(screen.query_one("#count", Static).content)
        await pilot.press("f8")
        await until(lambda: len(listed(screen)) == 2)
        await pilot.press("ctrl+z")
        await until(lambda: len(listed(screen)) == 6)
        await pilot.press("ctrl+home", "delete")
        await until(lambda: len(listed(screen)) == 4)
        await pilot.press("f7", *"trash", "enter")
        await until(lambda: isinstance(app.screen, SessionsScreen) and "Soup" in " ".join(listed(screen)))
        await pilot.press("f4")
        await until(lambda: said(screen) == "The trash is empty.")
        await pilot.press("escape", "ctrl+home")
        await until(lambda: len(listed(screen)) == 6)
        await pilot.press("f8")
        await until(lambda: len(listed(screen)) == 4)
        await pilot.press("f7", *"trash", "enter")
        await until(lambda: isinstance(app.screen, SessionsScreen) and "Soup" in " ".join(listed(screen)))
        await pilot.press("f8")
        assert len(listed(screen)) == 2
        await pilot.press("f8")
        await until(lambda: said(screen) == "The trash is empty.")
        await pilot.press("escape", "escape")
        await until(lambda: app.screen is app.chat)
        assert app.chat.conversation.session.id != three[0].id
        assert app.store.count(SessionFilter(archived=None)).result(5) == 2


def toasts(app: StreamTUI) -> str:
    """All that was told."""
    return "\n".join(note.message for note in app._notifications)


async def test_an_emptied_list_says_where_all_are(make_app: MakeApp, keep: Keep) -> None:
    keep(chat("Soup", "How?", "So."), chat("Bread", "How?", "So.", days=1))
    app = make_app()
    async with running(app, (120, 40)) as pilot:
        screen = await opened(pilot, app)
        await pilot.press("f4", "f8")
        await until(lambda: said(screen).startswith("No active sessions"))
        assert said(screen) == (
            "No active sessions (1 archived, 1 in the trash). Press F7 to show others. ctrl+z undoes the last change."
        )
        assert "Moved “Bread” to the trash. ctrl+z undoes it." in toasts(app)
        await pilot.press("ctrl+z", "ctrl+z")
        await until(lambda: len(listed(screen)) == 4)
        assert "Undone: moved “Bread” to the trash" in toasts(app)
        assert "Undone: archived “Soup”" in toasts(app)


TITLE = "Explain how asyncio.gather and a TaskGroup differ"


@pytest.mark.parametrize("size", [(120, 40), (80, 24), (60, 24)])
async def test_a_title_of_usual_length_is_read_whole(make_app: MakeApp, keep: Keep, size: tuple[int, int]) -> None:
    keep(chat(TITLE[:46], "Why?", "So.", model="vendor/a-model-with-a-long-name"))
    app = make_app()
    async with running(app, size) as pilot:
        screen = await opened(pilot, app)
        assert TITLE[:46] in listed(screen)[1]
        assert ("a-model-with-a-lo…" in listed(screen)[1]) is (size[0] == 80), "where there is no preview to say it"


async def test_titles_are_cut_between_characters(make_app: MakeApp, keep: Keep) -> None:
    keep(chat("北京大学的历史和它在中国现代教育中的地位" * 2, "a", "b"), chat("👩‍👩‍👧‍👦 🇩🇪 " * 12, "a", "b"))
    app = make_app()
    async with running(app, (40, 12)) as pilot:
        screen = await opened(pilot, app)
        for row in range(1, 3):
            text = screen.sessions.render_line(row).text
            assert cell_len(text) == 40
            assert "…" in text
            assert " …" not in text.replace("🇩🇪 …", "")
            assert not text.partition("…")[0].endswith("\u200d")


async def test_the_list_is_narrowed_to_a_model(make_app: MakeApp, three: list[Session]) -> None:
    app = make_app()
    async with running(app, (80, 24)) as pilot:
        screen = await opened(pilot, app)
        await pilot.press("ctrl+f")
        await until(lambda: isinstance(app.screen, FilterDialog) and app.screen.options.option_count == 8)
        await pilot.press(*"m-2", "enter")
        await until(lambda: app.screen is screen and len(listed(screen)) == 2)
        assert "model m-2" in str(screen.query_one("#count", Static).content)
        await pilot.press(*"soup")
        await until(lambda: said(screen) == "No titles or messages match “soup” (filter: model m-2).")


@pytest.mark.parametrize("size", [(120, 40), (80, 24), (40, 12)])
async def test_it_fits_the_terminal(make_app: MakeApp, three: list[Session], size: tuple[int, int]) -> None:
    app = make_app()
    async with running(app, size) as pilot:
        screen = await opened(pilot, app)
        assert screen.query_one(Preview).is_on_screen is (size[0] >= 100)
        assert listed(screen)[1].startswith("Soup")
        keys = screen.query_one("#keys").region
        assert keys.bottom == size[1]
        assert keys.height <= (1 if size[1] < 16 else 2)
        await pilot.press(*"onio")
        await until(lambda: marked(screen) == ["onio"])
        await pilot.press("tab", "enter", "tab", "tab")
        await until(lambda: app.screen is app.chat if size[0] < 100 else app.screen is screen)


async def test_more_is_read_as_one_goes_on(make_app: MakeApp, keep: Keep) -> None:
    keep(*(chat(f"Talk {n}", "a word", "another word", days=n) for n in range(260)))
    app = make_app()
    async with running(app, (80, 24)) as pilot:
        screen = await opened(pilot, app)
        assert len(screen.sessions.rows) == 200
        await pilot.press(*["pagedown"] * 12)
        await until(lambda: len(screen.sessions.rows) >= 400)
        await pilot.press("ctrl+end")
        await until(lambda: "Talk 259" in listed(screen)[-1])
        await pilot.press("ctrl+home", *"word")
        await until(lambda: len([row for row in listed(screen) if "another word" in row]) > 5)
        before = len(screen.sessions.rows)
        await pilot.press("ctrl+end")
        await until(lambda: len(screen.sessions.rows) > before)


async def test_an_empty_store_and_a_broken_one_say_so(make_app: MakeApp, tmp_path: Path) -> None:
    app = make_app()
    async with running(app, (80, 24)) as pilot:
        screen = await opened(pilot, app)
        assert said(screen).startswith("No saved sessions yet")
        await pilot.press("f2", "f3", "f4", "f5", "f8", "ctrl+space", "enter", "ctrl+z", "escape")
        await until(lambda: app.screen is app.chat)
    broken = tmp_path / "broken.db"
    broken.write_text("this is not a database" * 100)
    app = make_app(database=broken)
    async with running(app, (80, 24)) as pilot:
        screen = await opened(pilot, app)
        assert "not a database" in said(screen)


async def test_the_preview_can_be_read_and_searched(make_app: MakeApp, three: list[Session]) -> None:
    app = make_app()
    async with running(app, (120, 40)) as pilot:
        screen = await opened(pilot, app)
        await pilot.press("down")
        await until(lambda: "And now?" in previewed(screen))
        await pilot.press("tab", "g")
        await until(lambda: "Paragraph 0 " in previewed(screen))
        await pilot.press("slash", *"gauge", "enter")
        await until(lambda: "gauge" in previewed(screen))
        await pilot.press("escape")
        await until(lambda: screen.focused is screen.query_one("#search"))
        assert app.screen is screen


def test_days() -> None:
    today = date(2026, 3, 1)
    names = [day_label(today - timedelta(days=n), today) for n in (-1, 0, 1, 2, 59, 60)]
    assert names == ["Today", "Today", "Yesterday", "Fri 27 Feb", "Thu 1 Jan", "Wed 31 Dec 2025"]
    assert time.time() - NOON < 2 * DAY


async def test_what_is_marked_is_exported(make_app: MakeApp, three: list[Session], tmp_path: Path) -> None:
    app = make_app()
    async with running(app, (80, 24)) as pilot:
        await opened(pilot, app)
        await pilot.press("shift+down", "shift+down", "f6")
        await until(lambda: isinstance(app.screen, ExportDialog))
        line = app.screen.query_one("#file", Input)
        line.value = str(tmp_path / "out")
        await pilot.press("enter")
        await until(lambda: any("Exported 2 sessions" in note.message for note in app._notifications))
        assert len(list((tmp_path / "out").glob("*.md"))) == 2
        await pilot.press("escape", "f6")
        await until(lambda: isinstance(app.screen, ExportDialog))
        app.screen.query_one("#file", Input).value = str(tmp_path / "one.md")
        await pilot.press("enter")
        await until(lambda: (tmp_path / "one.md").exists())


async def test_what_another_window_saves_is_listed(make_app: MakeApp, three: list[Session]) -> None:
    app = make_app()
    async with running(app, (80, 24)) as pilot:
        screen = await opened(pilot, app)
        await pilot.press("down")
        with Store(app._database) as other:
            other.save_whole(chat("Bread", "How long does it rise?", days=-1))
            await until(lambda: any("Bread" in row for row in listed(screen)))
        row = screen.sessions.row
        assert isinstance(row, SessionSummary)
        assert row.title == "Trains"


async def test_every_key_of_the_screen_is_in_view_below_it(make_app: MakeApp) -> None:
    app = make_app()
    async with running(app, (100, 30)) as pilot:
        await ask(pilot, "hello")
        await until(lambda: answered(app))
        await pilot.press("ctrl+s")
        await until(lambda: isinstance(app.screen, SessionsScreen) and app.screen.query("#keys"))
        await until(lambda: app.screen.query_one("#keys").region.height == 2)
        assert app.screen.query_one("#keys").region.bottom == 30


async def test_leaving_while_it_reads(make_app: MakeApp, three: list[Session], monkeypatch: pytest.MonkeyPatch) -> None:
    app = make_app()
    async with running(app) as pilot:
        screen = await opened(pilot, app)
        reading: Future[list[SessionSummary]] = Future()
        monkeypatch.setattr(app.store, "sessions", lambda *_: reading)

        async def late(preview: Preview) -> None:
            """Gives the answer when the other widgets are gone."""
            await until(lambda: not screen.query("#hint"))
            if not reading.cancelled():
                reading.set_result([])
            await until(lambda: all(worker.is_finished for worker in app.workers if worker.node is screen))

        monkeypatch.setattr(Preview, "on_unmount", late, raising=False)
        screen.load()
        await pilot.press("escape")
        await until(reading.done)
        await until(lambda: not screen.is_running)
        assert app.screen is app.chat
