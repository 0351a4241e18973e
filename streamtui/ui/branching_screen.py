"""BranchingScreen: the tree of a conversation: editing an earlier prompt, going from branch to branch, forking."""

from typing import TYPE_CHECKING

from textual import work
from textual.widgets import Static

from streamtui.core.message import Attachment, Message, Role
from streamtui.core.session import Session
from streamtui.ui.tuning_screen import TuningScreen

if TYPE_CHECKING:
    from streamtui.core.search_query import Query
    from streamtui.providers.base import Provider

EDITING = "editing an earlier prompt: enter asks again from there, esc leaves"


class BranchingScreen(TuningScreen):
    """A conversation in whose tree one can go anywhere."""

    def __init__(self) -> None:
        super().__init__()
        self._edited = ""
        self._put_aside: tuple[str, tuple[Attachment, ...]] = ("", ())

    # Going from branch to branch

    def show_message(self, message_id: str, words: "Query | None" = None) -> None:
        """Shows the branch that a message is on, and the message, with the words marked that were looked for."""
        on_path = any(message.id == message_id for message in self.conversation.session.path())
        if not on_path and self._must_wait():
            return
        if not on_path and self.conversation.show(message_id):
            self.show_path()
            self.show_status()
        self.transcript.show_message(message_id, words)
        self.show_hits()

    def action_next_variant(self, by: int = 1) -> None:
        """Shows what another window added; else the next reply, at the message chosen or the last with several."""
        if by > 0 and not self.is_replying and self.other_windows.show():
            self.show_path()
            self.show_status()
            return
        session, variants = self.conversation.session, self.conversation.session.variants()
        path = session.path()
        cursor = self.transcript.lines.cursor
        if cursor is not None and cursor < len(path) and path[cursor].id in variants:
            at = cursor
        else:
            at = next((i for i in range(len(path) - 1, -1, -1) if path[i].id in variants), -1)
        if self.is_replying or at < 0 or not self.conversation.select_sibling(path[at], by):
            self.notify("There is no other reply there.", markup=False, timeout=2)
            return
        self.show_path()
        self.transcript.show_message(session.path()[at].id)
        self.show_status()

    def action_previous_variant(self) -> None:
        """Shows the reply before."""
        self.action_next_variant(-1)

    @work(exclusive=True, group="panel")
    async def action_tree(self) -> None:
        """Shows the whole tree, to jump in it."""
        from streamtui.ui.screens.tree import TreeScreen

        session = self.conversation.session
        if not session.messages:
            self.notify("There is nothing here yet.", markup=False, timeout=2)
            return
        chosen = await self.app.push_screen_wait(TreeScreen(session, self._chosen_id, self.config.keymap))
        if chosen is None:
            return
        if chosen.action == "fork":
            self.fork(chosen.message_id)
        elif chosen.action == "open":
            self.show_message(chosen.message_id)
        elif not self._must_wait():
            self.show_message(chosen.message_id)
            self.action_edit_prompt()

    @property
    def _chosen_id(self) -> str:
        """Id of the message the cursor is on; "" where it is on none."""
        cursor, entries = self.transcript.lines.cursor, self.transcript.flow.entries
        return entries[cursor].message.id if cursor is not None and cursor < len(entries) else ""

    def _must_wait(self) -> bool:
        """Says so where a reply is on its way: it belongs to the branch shown."""
        if self.is_replying:
            self.notify("A reply is on its way; press esc to stop it first.", markup=False)
        return self.is_replying

    # Forking

    def action_fork(self) -> None:
        """Goes on from the message chosen in a new session."""
        entries, index = self.transcript.flow.entries, self.transcript.chosen_entry
        if index is not None:
            self.fork(entries[index].message.id)

    def fork(self, message_id: str) -> None:
        """Goes on from a message in a new session."""
        if self._must_wait() or message_id not in self.conversation.session.messages:
            return
        before = self.conversation.session
        self.open(self.conversation.fork(message_id))
        self.notify(f"This is a new session now; “{before.title}” stays as it is.", markup=False)

    # Editing

    @property
    def is_editing(self) -> bool:
        """Whether what is in the prompt shall stand beside an earlier prompt."""
        return bool(self._edited)

    def action_edit_prompt(self) -> None:
        """Puts the prompt chosen, or the one above the reply chosen, into the box, to ask again from there."""
        entries, index = self.transcript.flow.entries, self.transcript.chosen_entry
        above = entries[: index + 1] if index is not None else []
        prompt = next((entry.message for entry in reversed(above) if entry.message.role is Role.USER), None)
        if prompt is None:
            self.notify("There is no prompt here to edit.", markup=False, timeout=2)
        elif not self._must_wait():
            if not self.is_editing:
                self._put_aside = (self.prompt.text, self.prompt.attachments)
                self.mount(Static(EDITING, id="editing", markup=False), before="#prompt")
            self._edited = prompt.id
            self.drafts.aside = self._put_aside
            self.prompt.reset(prompt.text, prompt.attachments)
            self.prompt.focus()

    def leave_editing(self) -> bool:
        """Puts what was written before back into the box, what is there into the history; False for no editing."""
        if not self.is_editing:
            return False
        edited = self.conversation.session.messages.get(self._edited)
        if edited is None or edited.text != self.prompt.text:
            self.prompt.stash()
        self._edited = ""
        self.query("#editing").remove()
        self.prompt.reset(*self._put_aside)
        self.drafts.aside = ("", ())
        return True

    def _ask(self, prompt: Message) -> None:
        edited = self._edited
        if self.leave_editing() and edited in self.conversation.session.messages:
            self.conversation.rewind_to(edited)
            self.show_path()
        super()._ask(prompt)

    def open(self, session: Session, provider: "Provider | None" = None) -> None:
        """Shows `session`; what was edited in the one before is put away."""
        self.leave_editing()
        super().open(session, provider)

    def action_retry(self) -> None:
        """Asks the last prompt again."""
        self.leave_editing()
        super().action_retry()

    def action_continue_reply(self) -> None:
        """Goes on with the last reply, if it was cut off."""
        self.leave_editing()
        super().action_continue_reply()

    async def action_stop(self) -> None:
        """Leaves the editing of an earlier prompt; else stops, clears, or goes to the prompt."""
        if self.is_replying or not self.leave_editing():
            await super().action_stop()
