"""The sessions screen: search, preview, organize and open saved sessions."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import NamedTuple

from textual import events, on, work
from textual.actions import SkipAction
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.geometry import Offset
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Input, Static

from streamtui.commands import key_of
from streamtui.core.search_query import Query
from streamtui.core.session import USUAL, SessionSummary
from streamtui.storage import SearchHit, Store, StoreError
from streamtui.ui.bindings import bindings_for
from streamtui.ui.commands.pane import PaneCommands
from streamtui.ui.screens.sessions.changes import Changes, quoted
from streamtui.ui.screens.sessions.filter_dialog import FilterDialog, apply_choice, describe_filter
from streamtui.ui.screens.sessions.key_hints import KeyHints
from streamtui.ui.screens.sessions.listing import Listing
from streamtui.ui.screens.sessions.preview import Preview, PreviewPane
from streamtui.ui.screens.sessions.rename_input import RenameInput
from streamtui.ui.screens.sessions.rows import ShowMore, session_of
from streamtui.ui.screens.sessions.sessions_list import SessionsList
from streamtui.ui.widgets.clean_input import CleanInput
from streamtui.ui.worker_cleanup import WorkerCleanup

NARROW = 100
"""Terminal width, in cells, below which the preview is hidden."""
SMALL = 60
"""Terminal width, in cells, below which the search line is shortened."""
POLL_INTERVAL = 1.0
"""Seconds between checks for changes in the database."""
PREVIEW_DELAY = 0.06
"""Seconds that a row stays highlighted before it is previewed, so that a repeating key loads no sessions."""


class Opened(NamedTuple):
    """The session to open."""

    session_id: str
    message_id: str = ""
    """The message to scroll to; "" for the end of the session."""
    words: str = ""
    """The search words to highlight."""


class SearchInput(CleanInput):
    """The search field. With nothing to delete, the delete key is left to the screen."""

    def action_delete_right(self) -> None:
        """Delete the character to the right."""
        if self.selection.is_empty and self.cursor_at_end:
            raise SkipAction
        super().action_delete_right()


class SessionsScreen(WorkerCleanup, Screen[Opened | None]):
    """Return the session to open, or None when closed."""

    AUTO_FOCUS = "#search"
    BINDINGS = [
        *bindings_for("sessions"),
        ("up", "move(-1)"),
        ("down", "move(1)"),
        ("pageup", "page(-1)"),
        ("pagedown", "page(1)"),
        ("ctrl+home", "to_top"),
        ("ctrl+end", "to_end"),
        ("f1", "app.show_keys"),
        ("ctrl+p", "app.command_palette"),
    ]
    DEFAULT_CSS = """
    SessionsScreen {
        background: $background;
        layout: vertical;

        #search-line { height: 1; background: $panel; }
        #search { width: 2fr; border: none; height: 1; padding: 0 1; background: $panel; }
        #search:focus { border: none; background-tint: transparent; }
        #count { width: 1fr; text-align: right; padding: 0 1; color: $foreground 60%; }
        #count { text-wrap: nowrap; text-overflow: ellipsis; }
        #body { height: 1fr; }
        #hint { display: none; height: auto; padding: 1 2; color: $foreground 60%; }
        SessionsList, PreviewPane { width: 1fr; }
        &.narrow PreviewPane { display: none; }
        &.small #count { width: 3fr; }
        FindBar { dock: bottom; }
    }
    """

    def __init__(self, store: Store, current: str, keymap: Mapping[str, str]) -> None:
        """`current` is the id of the session open in the chat; `keymap` maps actions to the user's keys."""
        super().__init__()
        self.keymap = keymap
        self.changes = Changes(store)
        self._store = store
        self._listing = Listing(store)
        self._current = current
        self._confirming_delete = False
        self._pane = PaneCommands(self, "#keys", self.show_search_status)

    def compose(self) -> ComposeResult:
        """Create the search line, the list beside the preview, and the key hints."""
        with Horizontal(id="search-line"):
            yield SearchInput(id="search")
            yield Static(id="count", markup=False)
        yield Static(id="hint", markup=False)
        with Horizontal(id="body"):
            yield SessionsList(id="sessions")
            yield PreviewPane(self._store)
        yield KeyHints("sessions", self.keymap, id="keys")

    def on_mount(self) -> None:
        """Load the newest sessions and watch for changes."""
        self.sessions.context.current = self._current
        self.load()
        self.run_worker(self._watch(), group="watch")

    async def _watch(self) -> None:
        """Reload the list when this window or another one has saved something."""
        before: object = None
        while True:
            await asyncio.sleep(POLL_INTERVAL)
            try:
                now = await asyncio.wrap_future(self._store.version())
            except StoreError:
                continue  # loading the list reports the error
            if before not in (None, now) and not (self._is_loading or self.query(RenameInput)):
                self.load(again=True)
            before = now

    def on_resize(self, event: events.Resize) -> None:
        """Adapt to the width."""
        self.set_class(event.size.width < NARROW, "narrow")
        self.set_class(event.size.width < SMALL, "small")
        self._search.placeholder = "Search" if event.size.width < SMALL else "Search titles and messages"
        self._update_keys()
        self.query(RenameInput).remove()

    @property
    def sessions(self) -> SessionsList:
        """The list."""
        return self.query_one(SessionsList)

    @property
    def _search(self) -> Input:
        return self.query_one("#search", Input)

    # Loading

    @on(Input.Changed, "#search")
    def search(self, event: Input.Changed) -> None:
        """Search for the words typed so far."""
        self._listing.query = self.sessions.context.query = Query(event.value)
        self._listing.show_all_titles = False
        self.load()

    @work(exclusive=True, group="list")
    async def load(self, *, again: bool = False) -> None:
        """Load the first page, or with `again` as many rows as before."""
        if await self._has_read(self._listing.read(again=again)):
            self.sessions.show(self._listing.rows, None if again else 0)
            self._update_state()

    async def _has_read(self, reading: Awaitable[None]) -> bool:
        """Return whether there are new rows to show, unless reading fails or the app is closed meanwhile."""
        try:
            await reading
        except StoreError as error:
            self._show_hint(str(error))
            return False
        return bool(self.children)

    @on(SessionsList.NearEnd)
    def load_more(self) -> None:
        """Load the next page before the end comes into view."""
        if not self._listing.complete and not self._is_loading:
            self.load_rest()

    @property
    def _is_loading(self) -> bool:
        return any(worker.group == "list" and not worker.is_finished for worker in self.workers)

    @work(exclusive=True, group="list")
    async def load_rest(self, *, all: bool = False) -> None:
        """Load the next page or, with `all`, all remaining rows, and go to the end."""
        if await self._has_read(self._listing.read_more(all=all)):
            self.sessions.add(self._listing.rows)
            if all:
                self.sessions.to_end()

    def _update_state(self) -> None:
        """Show the number of sessions, or why there are none."""
        listing, marked = self._listing, len(self.sessions.marked)
        undo_key = self._key("undo") if self.changes.can_undo else ""
        self._show_hint("" if listing.rows else listing.empty_message(self._key("filter"), undo_key))
        parts = [f"{marked} marked" if marked else "", describe_filter(listing.where), listing.size]
        self.query_one("#count", Static).update(Content(" · ".join(filter(None, parts))), layout=False)
        self._update_keys()

    def _update_keys(self) -> None:
        labels = {"preview": ""} if self.has_class("narrow") else {}
        if self._listing.where.trashed:
            labels |= {"archive": "restore", "delete": "delete permanently", "pin": ""}
        elif self._listing.where.archived:
            labels |= {"archive": "unarchive"}
        self.query_one(KeyHints).set_labels(labels)

    def _show_hint(self, text: str) -> None:
        hint = self.query_one("#hint", Static)
        if text or hint.display:
            hint.display = bool(text)
            hint.update(Content(text))

    def _key(self, action: str) -> str:
        """Return the first key of an action of this screen."""
        return key_of(f"sessions.{action}", self.keymap)

    # Preview

    @on(SessionsList.Highlighted)
    @work(exclusive=True, group="preview")
    async def update_preview(self) -> None:
        """Preview the highlighted row once it has stayed highlighted for a moment."""
        await asyncio.sleep(PREVIEW_DELAY)
        await self.query_one(PreviewPane).show(self.sessions.row, self._listing.query)

    def action_preview(self) -> None:
        """Move the focus to the preview or back."""
        preview = self.query_one(Preview)
        (self._search if preview.has_focus or self.has_class("narrow") else preview).focus()

    @on(Preview.Copy)
    @on(Preview.Hovered)
    @on(Preview.Open)
    @on(Preview.Chosen)
    def forward_to_pane_commands(self, event: Message) -> None:
        """Handle a request of the preview."""
        self._pane.handle(event)

    def on_find_bar_query_changed(self, event: Message) -> None:
        """Handle a request of the search bar; not with `on`, which would import its module early."""
        self._pane.handle(event)

    on_find_bar_stepped = on_find_bar_query_changed

    @on(Preview.Left)
    def focus_search(self) -> None:
        """Move the focus from the preview to the search field."""
        self._search.focus()

    async def action_command(self, id: str) -> None:
        """Run a command of the preview."""
        if id == "conversation.find":
            await self._pane.find()

    def show_search_status(self, text: str) -> None:
        """Show the status of a search in the preview."""
        self.query_one(PreviewPane).show_status(text)

    # Navigation

    def action_move(self, by: int) -> None:
        """Move the highlight by `by` rows."""
        self.sessions.move(by)

    def action_page(self, by: int) -> None:
        """Move the highlight by `by` pages."""
        self.sessions.page(by)

    def action_to_top(self) -> None:
        """Highlight the first row."""
        self.sessions.to_top()

    def action_to_end(self) -> None:
        """Highlight the last row, loading all rows first."""
        if self._listing.complete or self._listing.query:
            self.sessions.to_end()
        else:
            self.load_rest(all=True)

    @on(Input.Submitted, "#search")
    @on(SessionsList.Opened)
    def action_open(self) -> None:
        """Open the highlighted session."""
        row = self.sessions.row
        if isinstance(row, ShowMore):
            self._listing.expand_titles()
            self.sessions.show(self._listing.rows, self.sessions.highlighted)
        elif isinstance(row, SearchHit):
            self.dismiss(Opened(row.session_id, row.message_id, str(self._listing.query)))
        elif row is not None and (session := session_of(row)):
            self.dismiss(Opened(session.id))

    async def action_leave(self) -> None:
        """Go back one step: leave the preview, clear the marks, the search or the filter, or close the screen."""
        if await self._pane.clear() or self.query_one(Preview).has_focus or not self._search.has_focus:
            self._search.focus()
        elif self.sessions.clear_marks():
            self._update_state()
        elif self._search.value:
            self._search.value = ""
        elif self._listing.where != USUAL:
            self._listing.where = USUAL
            self.load()
        else:
            self.dismiss(None)

    @work(exclusive=True, group="panel")
    async def action_filter(self) -> None:
        """Let the user filter the list."""
        if choice := await self.app.push_screen_wait(FilterDialog(self._store)):
            self._listing.where = apply_choice(self._listing.where, choice)
            self.load()

    # Changes

    def action_mark(self) -> None:
        """Mark or unmark the highlighted session."""
        self.sessions.toggle_mark()
        self._update_state()

    def action_mark_down(self, by: int = 1) -> None:
        """Mark or unmark the highlighted session and move down."""
        self.sessions.toggle_mark()
        self.sessions.move(by)
        self._update_state()

    def action_mark_up(self) -> None:
        """Mark or unmark the highlighted session and move up."""
        self.action_mark_down(-1)

    async def action_rename(self) -> None:
        """Edit the title of the highlighted session in place."""
        session, rows = session_of(self.sessions.row), self.sessions
        if session is None:
            return
        await self.query(RenameInput).remove()
        place = rows.region.offset + Offset(2, rows.highlighted - int(rows.scroll_y))
        title = RenameInput(session, place, max(8, rows.size.width - 3))
        await self.mount(title)
        title.focus()

    @on(RenameInput.Ended)
    async def rename(self, event: RenameInput.Ended) -> None:
        """Save the new title."""
        await self.query(RenameInput).remove()
        self._search.focus()
        self._report(self.changes.rename(event.session, event.title))

    def action_pin(self) -> None:
        """Pin or unpin the selected sessions."""
        self._change(self.changes.pin)

    def action_archive(self) -> None:
        """Archive or unarchive the selected sessions, or restore them from the trash."""
        self._change(self.changes.restore if self._listing.where.trashed else self.changes.archive)

    def action_delete(self) -> None:
        """Move the selected sessions to the trash; in the trash, delete them after a second press."""
        selected = self.sessions.selected
        if not self._listing.where.trashed:
            self._change(self.changes.trash, f". {self._key('undo')} undoes it.")
        elif self._confirming_delete:
            self._change(self.changes.delete)
        elif selected:
            self._confirming_delete = True
            self.set_timer(3, self._cancel_delete)
            text = f"Press {self._key('delete')} again to delete {quoted(selected)} permanently."
            self.notify(text, timeout=3, markup=False)

    def _cancel_delete(self) -> None:
        self._confirming_delete = False

    @work(group="duplicate")
    async def action_duplicate(self) -> None:
        """Duplicate the selected sessions."""
        for session in self.sessions.selected:
            try:
                copy_id = await asyncio.wrap_future(self._store.duplicate(session.id))
            except StoreError as error:
                self.notify(str(error), severity="error", markup=False)
                return
            self._report(self.changes.duplicated(session, copy_id))

    @work(exclusive=True, group="panel")
    async def action_export(self) -> None:
        """Export the selected sessions to files."""
        from streamtui.ui.export import export_many, export_one

        selected = self.sessions.selected
        try:
            if len(selected) == 1:
                await export_one(self, await asyncio.wrap_future(self._store.session(selected[0].id)))
            elif selected:
                await export_many(self, self._store, [session.id for session in selected])
        except StoreError as error:
            self.notify(str(error), severity="error", markup=False)

    def action_undo(self) -> None:
        """Undo the last change."""
        self._report(self.changes.undo() or "Nothing to undo.")

    def _change(self, change: Callable[[Sequence[SessionSummary]], str], advice: str = "") -> None:
        if selected := self.sessions.selected:
            self._report(change(selected) + advice)

    def _report(self, result: str) -> None:
        """Show what has changed and reload the list; "" means no change."""
        if result:
            self._confirming_delete = False
            self.sessions.clear_marks()
            self.notify(result, markup=False, timeout=3)
            self.load(again=True)
