"""Branches: edit an earlier prompt, switch between siblings, fork."""

from typing import TYPE_CHECKING

from textual.widgets import Static

from streamtui.core.message import Attachment, Role
from streamtui.ui.commands.base import Controller, handles, has_messages, in_worker, no_reply_running

if TYPE_CHECKING:
    from streamtui.core.search_query import Query
    from streamtui.ui.screens.chat import ChatScreen

EDITING = "Editing an earlier prompt · enter send · esc cancel"


class BranchCommands(Controller):
    """Moves in the tree of the conversation."""

    def __init__(self, chat: "ChatScreen") -> None:
        super().__init__(chat)
        self._edited = ""
        """Id of the prompt that is edited; "" for none."""
        self._stashed: tuple[str, tuple[Attachment, ...]] = ("", ())
        """What was in the prompt box before."""

    # Moving

    def show_message(self, message_id: str, words: "Query | None" = None) -> None:
        """Show the branch that a message is on, and the message, with matches of `words` marked."""
        chat = self.chat
        on_path = any(message.id == message_id for message in chat.conversation.session.path())
        if not on_path and self._must_wait():
            return
        if not on_path and chat.conversation.show(message_id):
            chat.show_path()
            chat.show_status()
        chat.transcript.show_message(message_id, words)
        chat.pane.show_matches()

    @handles("branch.previous", "conversation.previous_sibling")
    def show_previous(self) -> None:
        """Show the previous sibling."""
        self._show_sibling(-1)

    @handles("branch.next", "conversation.next_sibling")
    def show_next(self) -> None:
        """Show what another window added; otherwise the next sibling."""
        if not self.chat.is_replying and self.chat.other_windows.show():
            self.chat.show_path()
            self.chat.show_status()
        else:
            self._show_sibling(1)

    def _show_sibling(self, by: int) -> None:
        """Show a sibling of the message with the cursor, or of the last one that has siblings."""
        chat = self.chat
        session, variants = chat.conversation.session, chat.conversation.session.variants()
        path = session.path()
        at = chat.transcript.lines.cursor
        if at is None or at >= len(path) or path[at].id not in variants:
            at = next((i for i in range(len(path) - 1, -1, -1) if path[i].id in variants), -1)
        if chat.is_replying or at < 0 or not chat.conversation.select_sibling(path[at], by):
            chat.notify("No other reply here.", markup=False, timeout=2)
            return
        chat.show_path()
        chat.transcript.show_message(session.path()[at].id)
        chat.show_status()

    @handles("branch.tree", checks=[has_messages])
    @in_worker("panel")
    async def show_tree(self) -> None:
        """Show all branches, to choose a message."""
        from streamtui.ui.screens.tree import TreeScreen

        chat = self.chat
        tree = TreeScreen(chat.conversation.session, self._cursor_id, chat.keymap)
        chosen = await chat.app.push_screen_wait(tree)
        if chosen is None:
            return
        if chosen.action == "fork":
            self._fork(chosen.message_id)
        elif chosen.action == "open":
            self.show_message(chosen.message_id)
        elif not self._must_wait():
            self.show_message(chosen.message_id)
            self.edit_prompt()

    @property
    def _cursor_id(self) -> str:
        """Id of the message with the cursor; "" if there is none."""
        cursor, entries = self.chat.transcript.lines.cursor, self.chat.transcript.flow.entries
        return entries[cursor].message.id if cursor is not None and cursor < len(entries) else ""

    def _must_wait(self) -> bool:
        """Return True, after saying so, while a reply arrives: it belongs to the branch shown."""
        if reason := no_reply_running(self.chat):
            self.chat.notify(reason, markup=False)
        return bool(reason)

    # Forking

    @handles("conversation.fork")
    def fork(self) -> None:
        """Continue from the chosen message in a new session."""
        entries, index = self.chat.transcript.flow.entries, self.chat.transcript.chosen_entry
        if index is not None:
            self._fork(entries[index].message.id)

    def _fork(self, message_id: str) -> None:
        original = self.chat.conversation.session
        if self._must_wait() or message_id not in original.messages:
            return
        self.chat.open(self.chat.conversation.fork(message_id))
        self.chat.notify(f"Forked from “{original.title}”, which is unchanged.", markup=False)

    # Editing

    @property
    def is_editing(self) -> bool:
        """Whether the prompt box holds an edited version of an earlier prompt."""
        return bool(self._edited)

    @handles("conversation.edit_prompt")
    def edit_prompt(self) -> None:
        """Put the chosen prompt, or the one above the chosen reply, into the prompt box."""
        chat = self.chat
        entries, index = chat.transcript.flow.entries, chat.transcript.chosen_entry
        above = entries[: index + 1] if index is not None else []
        prompt = next((entry.message for entry in reversed(above) if entry.message.role is Role.USER), None)
        if prompt is None:
            chat.notify("No prompt to edit here.", markup=False, timeout=2)
        elif not self._must_wait():
            if not self.is_editing:
                self._stashed = (chat.prompt.text, chat.prompt.attachments)
                chat.mount(Static(EDITING, id="editing", markup=False), before="#prompt")
            self._edited = prompt.id
            chat.drafts.aside = self._stashed
            chat.prompt.reset(prompt.text, prompt.attachments)
            chat.prompt.focus()

    def leave_editing(self) -> bool:
        """Put the draft back into the prompt box, the edited text into the history; False if not editing."""
        if not self.is_editing:
            return False
        chat = self.chat
        edited = chat.conversation.session.messages.get(self._edited)
        if edited is None or edited.text != chat.prompt.text:
            chat.prompt.stash()
        self._edited = ""
        chat.query("#editing").remove()
        chat.prompt.reset(*self._stashed)
        chat.drafts.aside = ("", ())
        return True

    def branch_off(self) -> None:
        """Move the path to before the edited prompt, if any, so that the next one becomes its sibling."""
        edited = self._edited
        if self.leave_editing() and edited in self.chat.conversation.session.messages:
            self.chat.conversation.rewind_to(edited)
            self.chat.show_path()
