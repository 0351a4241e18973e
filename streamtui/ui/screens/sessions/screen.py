"""SessionsScreen: the saved sessions, to search, look into, tidy and open."""

import asyncio
from collections.abc import Callable, Mapping, Sequence

from textual import on, work
from textual.geometry import Offset

from streamtui.core.session import SessionSummary
from streamtui.storage import Store, StoreError
from streamtui.ui.bindings import bindings_for
from streamtui.ui.screens.sessions.browsing_screen import BrowsingScreen
from streamtui.ui.screens.sessions.changes import Changes, named
from streamtui.ui.screens.sessions.filter_dialog import FilterDialog, apply_choice
from streamtui.ui.screens.sessions.rename_input import RenameInput
from streamtui.ui.screens.sessions.rows import session_of


class SessionsScreen(BrowsingScreen):
    """Ends with what was picked, or with None when left."""

    BINDINGS = bindings_for("sessions")

    def __init__(self, store: Store, current: str, keymap: Mapping[str, str]) -> None:
        """`current` is the id of the session that is open in the chat; `keymap` the keys that the user has set."""
        super().__init__(store, current, keymap)
        self.changes = Changes(store)
        self._armed = False

    def action_mark(self) -> None:
        """Marks the session, or no longer."""
        self.sessions.toggle_mark()
        self._show_state()

    def action_mark_down(self, by: int = 1) -> None:
        """Marks the session and moves on."""
        self.sessions.toggle_mark()
        self.sessions.move(by)
        self._show_state()

    def action_mark_up(self) -> None:
        """Marks the session and moves up."""
        self.action_mark_down(-1)

    async def action_rename(self) -> None:
        """Makes the title a line to write in."""
        session, rows = session_of(self.sessions.row), self.sessions
        if session is None:
            return
        await self.query(RenameInput).remove()
        place = rows.region.offset + Offset(2, rows.highlighted - int(rows.scroll_y))
        line = RenameInput(session, place, max(8, rows.size.width - 3))
        await self.mount(line)
        line.focus()

    @on(RenameInput.Ended)
    async def rename(self, event: RenameInput.Ended) -> None:
        """Gives the session its new title."""
        await self.query(RenameInput).remove()
        self.query_one("#search").focus()
        self._changed(self.changes.rename(event.session, event.title))

    def action_pin(self) -> None:
        """Pins what is chosen, or no longer."""
        self._change(self.changes.pin)

    def action_archive(self) -> None:
        """Archives what is chosen, or takes it back, from the trash too."""
        self._change(self.changes.restore if self._listing.where.trashed else self.changes.archive)

    def action_delete(self) -> None:
        """Moves what is chosen to the trash; there it is deleted for good, if the key is pressed twice."""
        if not self._listing.where.trashed:
            self._change(self.changes.trash, f". {self._key('undo')} takes it back.")
        elif self._armed:
            self._change(self.changes.delete)
        elif chosen := self.sessions.chosen:
            self._armed = True
            self.set_timer(3, self._disarm)
            self.notify(f"Press it again to delete {named(chosen)} for good.", timeout=3, markup=False)

    def _disarm(self) -> None:
        self._armed = False

    @work(group="duplicate")
    async def action_duplicate(self) -> None:
        """Makes copies of what is chosen."""
        for session in self.sessions.chosen:
            try:
                copy_id = await asyncio.wrap_future(self._store.duplicate(session.id))
            except StoreError as error:
                self.notify(str(error), severity="error", markup=False)
                return
            self._changed(self.changes.duplicated(session, copy_id))

    @work(exclusive=True, group="panel")
    async def action_export(self) -> None:
        """Writes what is chosen to files."""
        from streamtui.ui.export import export_many, export_one

        chosen = self.sessions.chosen
        try:
            if len(chosen) == 1:
                await export_one(self, await asyncio.wrap_future(self._store.session(chosen[0].id)))
            elif chosen:
                await export_many(self, self._store, [session.id for session in chosen])
        except StoreError as error:
            self.notify(str(error), severity="error", markup=False)

    def action_undo(self) -> None:
        """Takes back what was done last."""
        self._changed(self.changes.undo() or "There is nothing to take back.")

    def _change(self, change: Callable[[Sequence[SessionSummary]], str], way_back: str = "") -> None:
        if chosen := self.sessions.chosen:
            self._changed(change(chosen) + way_back)

    def _where_all_are(self) -> str:
        way_back = f" {self._key('undo')} takes back what was done last." if self.changes.can_undo else ""
        return super()._where_all_are() + way_back

    def _changed(self, what: str) -> None:
        """Says what was done and shows what there is now."""
        if what:
            self._armed = False
            self.sessions.clear_marks()
            self.notify(what, markup=False, timeout=3)
            self.load(again=True)

    @work(exclusive=True, group="panel")
    async def action_filter(self) -> None:
        """Lets the user choose what is listed."""
        choice = await self.app.push_screen_wait(FilterDialog(self._store))
        if choice:
            self._listing.where = apply_choice(self._listing.where, choice)
            self.load()
