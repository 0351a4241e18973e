"""BrowsingScreen: the saved sessions, listed and searched, with a look into the one highlighted."""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from textual import events, on, work
from textual.actions import SkipAction
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.timer import Timer
from textual.widgets import Input, Static

from streamtui.commands import key_of
from streamtui.core.search_query import Query
from streamtui.core.session import USUAL, SessionSummary
from streamtui.storage import SearchHit, Store, StoreError
from streamtui.ui.pane_screen import PaneScreen
from streamtui.ui.screens.sessions.filter_dialog import describe_filter
from streamtui.ui.screens.sessions.key_hints import KeyHints
from streamtui.ui.screens.sessions.listing import Listing, counted
from streamtui.ui.screens.sessions.preview import Preview
from streamtui.ui.screens.sessions.rename_input import RenameInput
from streamtui.ui.screens.sessions.rows import Unfold, session_of
from streamtui.ui.screens.sessions.sessions_list import SessionsList
from streamtui.ui.widgets.clean_input import CleanInput

NARROW = 100
"""Cells of the terminal below which there is no preview."""
SMALL = 60
"""Cells below which the line above the list says less."""
LOOK_EVERY = 1.0
"""Seconds between looks whether something was saved."""
REST = 0.06
"""Seconds a highlight rests until its session is read: while a key repeats, none is."""


class Opened(NamedTuple):
    """What the user picked."""

    session_id: str
    message_id: str = ""
    """The message that holds the words; "" for the end of the session."""
    words: str = ""


class SearchInput(CleanInput):
    """The line for the words; where there is nothing to delete, delete is left to the screen."""

    def action_delete_right(self) -> None:
        """Deletes a character."""
        if self.selection.is_empty and self.cursor_at_end:
            raise SkipAction
        super().action_delete_right()


class BrowsingScreen(PaneScreen[Opened | None]):
    """Ends with what was picked, or with None when left."""

    FIND_BEFORE = "#keys"
    AUTO_FOCUS = "#search"
    BINDINGS = [
        ("up", "move(-1)"),
        ("down", "move(1)"),
        ("pageup", "page(-1)"),
        ("pagedown", "page(1)"),
        ("ctrl+home", "to_top"),
        ("ctrl+end", "to_end"),
        ("f1", "help"),
        ("ctrl+p", "palette"),
    ]
    DEFAULT_CSS = """
    BrowsingScreen {
        background: $background;
        layout: vertical;

        #line { height: 1; background: $panel; }
        #search { width: 2fr; border: none; height: 1; padding: 0 1; background: $panel; }
        #search:focus { border: none; background-tint: transparent; }
        #count { width: 1fr; text-align: right; padding: 0 1; color: $foreground 60%; }
        #body { height: 1fr; }
        #hint { height: auto; padding: 1 2; color: $foreground 60%; }
        SessionsList { width: 1fr; }
        #look { width: 1fr; border-left: vkey $foreground 20%; }
        #about { height: 2; padding: 0 1; color: $foreground 60%; background: $surface; }
        #about, #count { text-wrap: nowrap; text-overflow: ellipsis; }
        Preview { height: 1fr; background: $background; color: $foreground; }
        &.narrow #look { display: none; }
        &.small #count { width: 3fr; }
        FindBar { dock: bottom; }
    }
    """

    def __init__(self, store: Store, current: str, keymap: Mapping[str, str]) -> None:
        """`current` is the id of the session that is open in the chat; `keymap` the keys that the user has set."""
        super().__init__()
        self.keymap = keymap
        self._store = store
        self._listing = Listing(store)
        self._current = current
        self._rest: Timer | None = None

    def compose(self) -> ComposeResult:
        """The search above; the list and the preview side by side; the keys below."""
        with Horizontal(id="line"):
            yield SearchInput(id="search")
            yield Static(id="count", markup=False)
        yield Static(id="hint", markup=False)
        with Horizontal(id="body"):
            yield SessionsList(id="sessions")
            with Vertical(id="look"):
                yield Static(id="about", markup=False)
                yield Preview(id="preview")
        yield KeyHints("sessions", self.keymap, id="keys")

    def on_mount(self) -> None:
        """Shows the newest sessions."""
        self.sessions.look.current = self._current
        self.query_one("#hint").display = False
        self.load()
        self.run_worker(self._watch(), group="watch")

    async def _watch(self) -> None:
        """Brings the list up to date when this window or another one has saved something."""
        before: object = None
        while True:
            await asyncio.sleep(LOOK_EVERY)
            try:
                now = await asyncio.wrap_future(self._store.version())
            except StoreError:
                continue  # the list itself says so
            if before not in (None, now) and not (self._is_loading or self.query(RenameInput)):
                self.load(again=True)
            before = now

    def on_resize(self, event: events.Resize) -> None:
        """Does without the preview where there is no room."""
        self.set_class(event.size.width < NARROW, "narrow")
        self.set_class(event.size.width < SMALL, "small")
        words = "Search" if event.size.width < SMALL else "Search titles and messages"
        self.query_one("#search", Input).placeholder = words
        self._name_keys()
        self.query(RenameInput).remove()

    @property
    def sessions(self) -> SessionsList:
        """The list."""
        return self.query_one(SessionsList)

    # What is listed

    @on(Input.Changed, "#search")
    def search(self, event: Input.Changed) -> None:
        """Looks for what is written so far."""
        self._listing.query = self.sessions.look.query = Query(event.value)
        self._listing.unfolded = False
        self.load()

    @work(exclusive=True, group="list")
    async def load(self, *, again: bool = False) -> None:
        """Reads and shows the first page; or `again` what is there, because something has changed."""
        try:
            await self._listing.read(again=again)
        except StoreError as error:
            self._say(str(error))
            return
        if not self.children:
            return  # the app has ended meanwhile
        self.sessions.show(self._listing.rows, None if again else 0)
        self._show_state()

    @on(SessionsList.NearEnd)
    def load_more(self) -> None:
        """Reads the next page before the end comes into view."""
        if not self._listing.complete and not self._is_loading:
            self.load_rest()

    @property
    def _is_loading(self) -> bool:
        return any(worker.group == "list" and not worker.is_finished for worker in self.workers)

    @work(exclusive=True, group="list")
    async def load_rest(self, *, all: bool = False) -> None:
        """Reads on, by a page or to the end."""
        try:
            await self._listing.read_more(all=all)
        except StoreError as error:
            self._say(str(error))
            return
        if not self.children:
            return
        self.sessions.add(self._listing.rows)
        if all:
            self.sessions.to_end()

    def _show_state(self) -> None:
        """Says how many there are, or why there are none, and which keys do what."""
        listing = self._listing
        self._say("" if listing.rows else self._why_empty())
        marked = f"{len(self.sessions.marked)} marked · " if self.sessions.marked else ""
        place = f"{found} · " if (found := describe_filter(listing.where)) else ""
        self.query_one("#count", Static).update(Content(f"{marked}{place}{listing.size}"), layout=False)
        self._name_keys()

    def _name_keys(self) -> None:
        """Says which keys do what, with what is listed and shown now."""
        where = self._listing.where
        labels = {"preview": ""} if self.has_class("narrow") else {}
        if where.trashed:
            labels |= {"archive": "restore", "delete": "delete for good", "pin": ""}
        elif where.archived:
            labels |= {"archive": "take back"}
        self.query_one(KeyHints).call(labels)

    def _say(self, text: str) -> None:
        hint = self.query_one("#hint", Static)
        if text or hint.display:
            hint.display = bool(text)
            hint.update(Content(text))

    def _why_empty(self) -> str:
        where, query = self._listing.where, self._listing.query
        among = f" among: {describe_filter(where)}" if describe_filter(where) else ""
        if query:
            return f"No title and no message has “{query}”{among}."
        if not among:
            return self._where_all_are()
        return "The trash is empty." if where.trashed else f"There are no sessions{among}."

    def _where_all_are(self) -> str:
        """Why the usual list is empty."""
        counts = (self._listing.trashed, "in the trash"), (self._listing.archived, "in the archive")
        places = [f"{counted(n, 'session')} {'is' if n == 1 else 'are'} {place}" for n, place in counts if n]
        if not places:
            return "Nothing is saved yet: sessions appear here with their first prompt."
        return f"Nothing is left here: {' and '.join(places)}. {self._key('filter')} shows what is there."

    def _key(self, action: str) -> str:
        """The key of an action of this screen, as people write it."""
        return key_of(f"sessions.{action}", self.keymap)

    # The preview

    @on(SessionsList.Highlighted)
    def rest(self) -> None:
        """Waits until the highlight rests."""
        self.workers.cancel_group(self, "preview")
        if self._rest is not None:
            self._rest.stop()
        self._rest = self.set_timer(REST, self.look_into)

    @work(exclusive=True, group="preview")
    async def look_into(self) -> None:
        """Shows what the highlighted row is about."""
        row, preview = self.sessions.row, self.query_one(Preview)
        session = session_of(row)
        self.say_found("")
        if session is None or self.has_class("narrow"):
            preview.show_nothing()
            return
        message_id = row.message_id if isinstance(row, SearchHit) else ""
        try:
            path = await asyncio.wrap_future(self._store.preview(session.id, message_id))
        except StoreError as error:
            preview.show_nothing()
            self.say_found(str(error))
            return
        preview.show(path, message_id, self._listing.query)

    def action_preview(self) -> None:
        """Goes to the preview, and back."""
        preview, search = self.query_one(Preview), self.query_one("#search")
        (search if preview.has_focus or self.has_class("narrow") else preview).focus()

    def action_focus_prompt(self) -> None:
        """Goes back from the preview."""
        self.query_one("#search").focus()

    def say_found(self, text: str) -> None:
        """Says how a search in the preview goes."""
        said = Content(text) if text else about(session_of(self.sessions.row))
        self.query_one("#about", Static).update(said, layout=False)

    # Walking and opening

    def action_move(self, by: int) -> None:
        """Moves the highlight."""
        self.sessions.move(by)

    def action_page(self, by: int) -> None:
        """Moves the highlight by a page."""
        self.sessions.page(by)

    def action_to_top(self) -> None:
        """Goes to the first row."""
        self.sessions.to_top()

    def action_to_end(self) -> None:
        """Goes to the last row, reading what is not read yet."""
        if self._listing.complete or self._listing.query:
            self.sessions.to_end()
        else:
            self.load_rest(all=True)

    @on(Input.Submitted, "#search")
    @on(SessionsList.Opened)
    def action_open(self) -> None:
        """Opens what is highlighted."""
        row = self.sessions.row
        if isinstance(row, Unfold):
            self._listing.unfold()
            self.sessions.show(self._listing.rows, self.sessions.highlighted)
        elif isinstance(row, SearchHit):
            self.dismiss(Opened(row.session_id, row.message_id, str(self._listing.query)))
        elif row is not None and (session := session_of(row)):
            self.dismiss(Opened(session.id))

    async def action_leave(self) -> None:
        """Goes back step by step: from the preview, from marks, words and filter, from the screen."""
        if await self.clear() or self.query_one(Preview).has_focus or not self.query_one("#search").has_focus:
            self.query_one("#search").focus()
        elif self.sessions.clear_marks():
            self._show_state()
        elif self.query_one("#search", Input).value:
            self.query_one("#search", Input).value = ""
        elif self._listing.where != USUAL:
            self._listing.where = USUAL
            self.load()
        else:
            self.dismiss(None)

    async def action_command(self, id: str) -> None:
        """Run a command of the preview."""
        if id == "conversation.find":
            await self.action_find()

    def action_palette(self) -> None:
        """Shows everything that can be done."""
        self.app.action_command_palette()

    async def action_help(self) -> None:
        """Shows the keys."""
        await self.run_action("app.show_keys")


def about(session: SessionSummary | None) -> Content:
    """Returns what is said above the preview: the title, then the facts."""
    if session is None:
        return Content("")
    begun = datetime.fromtimestamp(session.created)
    facts = (session.model, session.endpoint, counted(session.messages, "message"), f"{begun.day} {begun:%b %Y}")
    title = (session.title or "untitled", "bold $foreground")
    return Content.assemble(title, "\n", " · ".join(filter(None, facts)))
