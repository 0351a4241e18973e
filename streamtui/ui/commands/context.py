"""The context window: what to do about a session that is too long for its model."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from streamtui.core.message import Message
from streamtui.ui.commands.base import Controller, handles, in_worker, no_reply_running

if TYPE_CHECKING:
    from streamtui.conversation.request_context import Overflow


class ContextCommands(Controller):
    """Asks what to leave out of requests, and includes it again."""

    @in_worker("reply")
    async def resolve(self, overflow: "Overflow", path: Sequence[Message], then: Callable[[], object]) -> None:
        """Ask what to do about `path`, which is too long for the model, do it, and go on with `then`."""
        resolved = False
        try:
            resolved = await self._resolve(overflow, path)
        finally:
            if self.chat.is_attached:
                self.chat.show_status()
                self.chat.call_later(then if resolved else self.chat.turn.return_queued)

    async def _resolve(self, overflow: "Overflow", path: Sequence[Message]) -> bool:
        from streamtui.ui.dialogs import context_overflow_dialog as dialog

        conversation, room = self.chat.conversation, self.chat.conversation.context_window
        choice = await self.chat.app.push_screen_wait(
            dialog.ContextOverflowDialog(overflow, conversation.model, can_summarize=room.can_summarize)
        )
        if choice == dialog.SEND:
            room.accept(overflow)
        elif choice == dialog.LEAVE_OUT:
            room.exclude_before(path, overflow.keep_from)
            self.chat.show_path()
        elif choice == dialog.SUMMARIZE:
            return await self._summarize(path, overflow.keep_from)
        return bool(choice)

    async def _summarize(self, path: Sequence[Message], keep_from: int) -> bool:
        from streamtui.providers.base import ProviderError

        room = self.chat.conversation.context_window
        try:
            recap = await room.summarize(path, keep_from)
        except ProviderError as error:
            self.chat.notify(f"No summary: {error.message}", severity="error", markup=False, timeout=10)
            return False
        room.exclude_before(path, keep_from, recap)
        self.chat.show_path()
        return True

    @handles("context.include_all", checks=[no_reply_running])
    def include_all(self) -> None:
        """Include in requests what was left out of them."""
        chat = self.chat
        if chat.conversation.context_window.include_all():
            chat.show_path()
            chat.show_status()
            chat.notify("All messages are included from the next prompt on.", markup=False)
        else:
            chat.notify("Requests already include all messages.", markup=False)
