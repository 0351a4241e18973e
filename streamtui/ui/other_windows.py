"""OtherWindows: tells what other windows add to the session shown, and follows a reply that arrives there."""

from typing import TYPE_CHECKING

from streamtui.commands import key_of
from streamtui.core.message import Delta, Message
from streamtui.storage import StoreError

if TYPE_CHECKING:
    from streamtui.conversation.session_sync import SessionUpdates
    from streamtui.ui.turn_screen import TurnScreen

LOOK_EVERY = 1.0
"""Seconds between looks."""


class OtherWindows:
    """What the screen knows of the other windows. The path shown is the user's: nobody else moves it."""

    def __init__(self, screen: "TurnScreen") -> None:
        self._screen = screen
        self._unseen: list[str] = []
        self._looking = False
        self._arriving: Message | None = None
        """The last message shown, while another window is writing it."""
        self._painted = ("", "")
        """What of its text and reasoning is in the pane."""

    async def look(self) -> None:
        """Looks what has come of the session shown, unless a look is still under way."""
        if not self._looking:
            self._looking = True
            try:
                await self._look()
            finally:
                self._looking = False

    async def _look(self) -> None:
        screen = self._screen
        conversation = screen.conversation
        try:
            news = await conversation.sync.poll()
        except StoreError:
            return  # who opens or looks for a session is told; here the next look may do better
        if conversation is screen.conversation:
            self._tell(news)
            self._grow()

    def path_shown(self, *, of_another_session: bool) -> None:
        """Notes that the pane shows the path afresh: its last message may be arriving elsewhere."""
        session = self._screen.conversation.session
        on_path = {message.id for message in session.path()}
        self._unseen = [] if of_another_session else [id_ for id_ in self._unseen if id_ not in on_path]
        self._arriving = session.messages[session.leaf_id] if session.leaf_id in session.elsewhere else None
        if self._arriving is not None:
            self._painted = self._arriving.text, self._arriving.reasoning
            self._screen.transcript.resume()
        self._count()

    def prompt_sent(self) -> None:
        """Notes that the session goes on here, behind whatever is still arriving elsewhere."""
        if self._arriving is not None:
            self._end()

    def show(self) -> bool:
        """Shows what other windows have added; False where there is nothing new."""
        if not self._unseen:
            return False
        conversation = self._screen.conversation
        conversation.session.show(self._unseen[-1])
        conversation.store.save_session(conversation.session)
        self._unseen.clear()
        return True

    def _tell(self, news: "SessionUpdates") -> None:
        screen = self._screen
        if news.deleted:
            screen.notify(
                "This session was deleted in another window. It is still here; what you send next saves it again.",
                severity="warning", markup=False, timeout=10,
            )  # fmt: skip
        on_path = {message.id for message in screen.conversation.session.path()}
        if not screen.is_replying and any(m.id in on_path and m is not self._arriving for m in news.changed):
            screen.show_path()
        if not news.added:
            return
        if not self._unseen:
            key = key_of("branch.next", screen.config.keymap)
            screen.notify(
                f"This session went on in another window. {key} shows what is new there.", markup=False, timeout=10
            )
        self._unseen += [message.id for message in news.added]
        self._count()

    def _count(self) -> None:
        new = f"{len(self._unseen)} new elsewhere" if self._unseen else ""
        self._screen.status.external_changes = new or ("arriving elsewhere" if self._arriving else "")

    def _grow(self) -> None:
        """Brings the message that is arriving elsewhere up to date in the pane."""
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
