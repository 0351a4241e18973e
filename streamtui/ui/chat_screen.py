"""ChatScreen: the screen of the program: a conversation, its sessions, and all keys."""

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING

from textual import events, work

from streamtui.commands import ALIASES
from streamtui.core.session import Session
from streamtui.ui.bindings import bindings_for
from streamtui.ui.branching_screen import BranchingScreen

if TYPE_CHECKING:
    from streamtui.ui.screens.sessions.changes import Changes

LOW = 16
"""Lines below which borders are left out."""


class ChatScreen(BranchingScreen):
    """Shows one conversation and lets the user talk, choose and go from session to session."""

    BINDINGS = bindings_for("chat", priority=True)
    AUTO_FOCUS = "#prompt"

    keymap: Mapping[str, str] = {}
    """The keys that the user has set, by the ids of actions."""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keeps keys from what is not there yet."""
        if not self._begun and action == "command" and parameters != ("app.quit",):
            return False
        return super().check_action(action, parameters)

    async def action_command(self, id: str) -> None:
        """Run the command `id`."""
        for old, new in ALIASES.items():
            if new == id:
                await self.run_action(old.partition(".")[2])

    def on_resize(self, event: events.Resize) -> None:
        """Does without borders where lines are few."""
        self.app.set_class(event.size.height < LOW, "low")

    def action_new_session(self) -> None:
        """Starts a new session with the model in use."""
        session = self.conversation.session
        model = "" if self.conversation.is_undecided else session.model
        self.open(Session(endpoint=session.endpoint, model=model, system=session.system, parameters=session.parameters))
        self.prompt.focus()

    @work(exclusive=True, group="panel")
    async def action_open_sessions(self) -> None:
        """Lets the user search, tidy and open the saved sessions."""
        from streamtui.ui.screens.sessions.screen import SessionsScreen

        screen = SessionsScreen(self.conversation.store, self.conversation.session.id, self.keymap)
        opened = await self.app.push_screen_wait(screen)
        self._take_over(screen.changes)
        if opened is not None:
            await self.open_saved(opened.session_id, opened.message_id, opened.words)

    @work(exclusive=True, group="panel")
    async def action_export_session(self) -> None:
        """Writes the session to a file, as the user wants it."""
        from streamtui.ui.export import export_one

        session = self.conversation.session
        if session.messages:
            await export_one(self, session)
        else:
            self.notify("There is nothing to export yet.", markup=False)

    def _take_over(self, changes: "Changes") -> None:
        """Lets the session shown be what was made of it in the list."""
        session = self.conversation.session
        session.title = changes.titles.get(session.id, session.title)
        if session.id in changes.removed:
            self.action_new_session()

    async def open_saved(self, session_id: str, message_id: str = "", words: str = "") -> None:
        """Opens the saved session with id `session_id`, at a message with words found in it, or says why not."""
        from streamtui.core.search_query import Query
        from streamtui.storage import StoreError, unreadable_notice

        try:
            if session_id != self.conversation.session.id:
                session = await asyncio.wrap_future(self.conversation.store.session(session_id))
                self.open(session)
                if session.unreadable:
                    self.notify(unreadable_notice(session.unreadable), severity="warning", markup=False, timeout=10)
        except StoreError as error:
            self.notify(str(error), severity="error", markup=False, timeout=10)
            return
        if message_id:
            self.show_message(message_id, Query(words))

    @work(exclusive=True, group="panel")
    async def action_search_history(self) -> None:
        """Lets the user put an earlier prompt of any session into the box; what is written there is put away."""
        from streamtui.ui.dialogs.history_dialog import HistoryDialog

        picked = await self.app.push_screen_wait(HistoryDialog(self.conversation.store))
        if picked:
            self.prompt.stash()
            self.prompt.reset(picked)

    def action_palette(self) -> None:
        """Shows everything that can be done."""
        self.app.action_command_palette()

    async def action_help(self) -> None:
        """Shows the keys."""
        await self.run_action("app.show_keys")

    def action_quit(self) -> None:
        """Ends the program; a reply under way is stopped and kept."""
        self.app.exit()
