"""Sessions: start, open, export, count."""

import asyncio

from streamtui.core.session import Session
from streamtui.ui.commands.base import Controller, handles, has_messages, in_worker


class SessionCommands(Controller):
    """Switches between sessions."""

    @handles("session.new")
    def start_new(self) -> None:
        """Start a session with the same model and parameters."""
        conversation = self.chat.conversation
        session = conversation.session
        model = "" if conversation.is_undecided else session.model
        self.chat.open(
            Session(endpoint=session.endpoint, model=model, system=session.system, parameters=session.parameters)
        )
        self.chat.prompt.focus()

    @handles("session.list")
    @in_worker("panel")
    async def show_list(self) -> None:
        """Let the user search, organize and open saved sessions."""
        from streamtui.ui.screens.sessions.screen import SessionsScreen

        shown = self.chat.conversation.session
        screen = SessionsScreen(self.chat.conversation.store, shown.id, self.chat.keymap)
        opened = await self.chat.app.push_screen_wait(screen)
        shown.title = screen.changes.titles.get(shown.id, shown.title)
        if shown.id in screen.changes.removed:
            self.start_new()
        if opened is not None:
            await self.open_saved(opened.session_id, opened.message_id, opened.words)

    async def open_saved(self, session_id: str, message_id: str = "", words: str = "") -> None:
        """Open a saved session, at a message that contains `words`, or say why that failed."""
        from streamtui.core.search_query import Query
        from streamtui.storage import StoreError, unreadable_notice

        chat = self.chat
        try:
            if session_id != chat.conversation.session.id:
                running = chat.conversations.running(session_id)
                store = chat.conversation.store
                session = running.session if running else await asyncio.wrap_future(store.session(session_id))
                chat.open(session)
                if session.unreadable:
                    chat.notify(unreadable_notice(session.unreadable), severity="warning", markup=False, timeout=10)
        except StoreError as error:
            chat.notify(str(error), severity="error", markup=False, timeout=10)
            return
        if message_id:
            chat.branches.show_message(message_id, Query(words))

    @handles("session.export", checks=[has_messages])
    @in_worker("panel")
    async def export(self) -> None:
        """Export the session to a file."""
        from streamtui.ui.export import export_one

        await export_one(self.chat, self.chat.conversation.session)

    @handles("session.statistics")
    def show_statistics(self) -> None:
        """Show tokens, speed and cost of every reply."""
        from streamtui.ui.dialogs.session_details import SessionDetails

        self.chat.app.push_screen(SessionDetails(self.chat.conversation))
