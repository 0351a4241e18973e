"""Changes that other windows make to the session shown."""

from typing import TYPE_CHECKING

from streamtui.commands import key_of
from streamtui.core.message import Delta, Message
from streamtui.storage import StoreError

if TYPE_CHECKING:
    from streamtui.conversation.session_sync import SessionUpdates
    from streamtui.ui.screens.chat import ChatScreen

POLL_EVERY = 1.0
"""Seconds between polls."""


class OtherWindows:
    """Reports what other windows add, and follows replies that arrive there. It never switches the branch shown."""

    def __init__(self, screen: "ChatScreen") -> None:
        self._screen = screen
        self._unseen: list[str] = []
        self._is_polling = False
        self._arriving: Message | None = None
        """The last message shown, while it arrives in another window."""
        self._painted = ("", "")
        """Its text and reasoning that are already in the pane."""

    async def poll(self) -> None:
        """Poll the session shown, unless a poll is still running."""
        if not self._is_polling:
            self._is_polling = True
            try:
                await self._poll()
            finally:
                self._is_polling = False

    async def _poll(self) -> None:
        screen = self._screen
        conversation = screen.conversation
        try:
            news = await conversation.sync.poll()
        except StoreError:
            return  # the error is shown where the user acts; the next poll may succeed
        if conversation is screen.conversation:
            self._report(news)
            self._update_arriving()

    def path_shown(self, *, of_another_session: bool) -> None:
        """Note that the pane was reloaded: its last message may be arriving elsewhere."""
        session = self._screen.conversation.session
        on_path = {message.id for message in session.path()}
        self._unseen = [] if of_another_session else [id_ for id_ in self._unseen if id_ not in on_path]
        self._arriving = session.messages[session.leaf_id] if session.leaf_id in session.elsewhere else None
        if self._arriving is not None:
            self._painted = self._arriving.text, self._arriving.reasoning
            self._screen.transcript.resume()
        self._count()

    def prompt_sent(self) -> None:
        """Note that the session continues here, after a message that may still be arriving elsewhere."""
        if self._arriving is not None:
            self._end()

    def show(self) -> bool:
        """Show what other windows have added; False if there is nothing new."""
        if not self._unseen:
            return False
        conversation = self._screen.conversation
        conversation.session.show(self._unseen[-1])
        conversation.store.save_session(conversation.session)
        self._unseen.clear()
        return True

    def _report(self, news: "SessionUpdates") -> None:
        screen = self._screen
        if news.deleted:
            screen.notify(
                "This session was deleted in another window. Your next prompt saves it again.",
                severity="warning", markup=False, timeout=10,
            )  # fmt: skip
        on_path = {message.id for message in screen.conversation.session.path()}
        if not screen.is_replying and any(m.id in on_path and m is not self._arriving for m in news.changed):
            screen.show_path()
        if not news.added:
            return
        if not self._unseen:
            key = key_of("branch.next", screen.config.keymap)
            screen.notify(f"Another window added to this session. Press {key} to show it.", markup=False, timeout=10)
        self._unseen += [message.id for message in news.added]
        self._count()

    def _count(self) -> None:
        new = f"{len(self._unseen)} new elsewhere" if self._unseen else ""
        self._screen.status.external_changes = new or ("arriving elsewhere" if self._arriving else "")

    def _update_arriving(self) -> None:
        """Update the message that is arriving elsewhere in the pane."""
        message, session = self._arriving, self._screen.conversation.session
        if message is None:
            return
        text, reasoning = self._painted
        if not message.text.startswith(text):
            self._screen.show_path()  # its text has turned out to be reasoning
        elif delta := Delta(message.text[len(text) :], message.reasoning[len(reasoning) :]):
            self._screen.transcript.append(delta)
            self._painted = message.text, message.reasoning
        if message.id not in session.elsewhere:
            self._end()
            self._screen.show_status()

    def _end(self) -> None:
        self._arriving = None
        self._screen.transcript.finish()
        self._count()
