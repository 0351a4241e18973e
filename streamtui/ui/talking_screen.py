"""TalkingScreen: which conversation is in the pane: opened, kept with its draft, turned to its other branches."""

from typing import TYPE_CHECKING

from textual import work

from streamtui.config import Endpoint
from streamtui.core.message import Role
from streamtui.core.session import Session
from streamtui.core.styled_text import Run
from streamtui.ui.transcript.notes import Hints
from streamtui.ui.turn_screen import TurnScreen

if TYPE_CHECKING:
    from streamtui.conversation import Conversation
    from streamtui.providers.base import Provider
    from streamtui.storage import Store

STATUS_EVERY = 0.5
"""Seconds between updates of the status bar while a reply is under way."""


class TalkingScreen(TurnScreen):
    """Shows one conversation after the other and lets the user talk."""

    def __init__(self) -> None:
        super().__init__()
        self._begun = False
        """Whether there is a conversation."""
        self._quit_armed = False
        self._left_unsaved: dict[str, Session] = {}

    def begin(self, session: Session, provider: "Provider", store: "Store") -> None:
        """Brings the screen to life once it is painted."""
        from streamtui.ui import drafts, other_windows

        self.conversation = self._conversation(session, provider, store)
        self.drafts = drafts.DraftKeeper(self.prompt, self.queue, store)
        self.other_windows = other_windows.OtherWindows(self)
        self._begun = True
        self.transcript.flow.hints = Hints.of(self.config.keymap)
        self._show_session()
        self.set_interval(other_windows.LOOK_EVERY, self._look_around)
        self.set_interval(drafts.EVERY, self.save_draft)
        self.set_interval(STATUS_EVERY, self._tick)

    def _conversation(self, session: Session, provider: "Provider", store: "Store") -> "Conversation":
        from streamtui.conversation import Conversation

        config = self.config
        return Conversation(session, provider, store, moderate=config.moderate, max_reply=config.max_reply)

    def be_ready(self) -> None:
        """Asks what was sent while the screen was coming to life."""
        self._ready = True
        self._settle()
        self._send_queued()

    def interrupt(self, reason: str) -> None:
        """Note why a reply under way is about to be canceled, in a sentence, where it is not the user who stops it."""
        if self._begun:
            self.conversation.interrupt(reason)

    # The session shown

    def open(self, session: Session, provider: "Provider | None" = None) -> None:
        """Shows `session` and goes on with it; a reply under way is stopped first."""
        self.stop()
        if self._ready:
            self._take_back_queued()  # else it waits for the session that is being opened
        before = self.conversation
        if self.drafts.switch(before.session, session) and self._ready:
            self.restore_draft()
        if before.store.save_error and before.session.messages:
            self._left_unsaved[before.session.id] = before.session
        answers = provider or self.provider_for(session)
        self.conversation = self._conversation(session, answers, before.store)
        self._show_session()

    def _show_session(self) -> None:
        session = self.conversation.session
        path = session.path()
        self.transcript.lines.greeting = greeting(self.conversation.provider.endpoint)
        self.transcript.load(path, session.variants())
        self.other_windows.path_shown(of_another_session=True)
        self.show_hits()
        self.prompt.set_history([message.text for message in path if message.role is Role.USER])
        self.show_status()
        self._settle()

    def _settle(self) -> None:
        """Finds out the model, unless another session is about to be opened, or nothing may be sent yet."""
        if self._ready and not (self.conversation.session.model or self.conversation.is_undecided):
            self.settle_model()

    def provider_for(self, session: Session) -> "Provider":
        """Who answers in `session`."""
        return self.conversation.provider

    @work(exclusive=True, group="settle")
    async def settle_model(self) -> None:
        """Finds out which model will answer, where nobody has said."""
        from streamtui.providers.base import ProviderError

        try:
            await self.conversation.resolve_model()
        except ProviderError as error:
            self.notify(error.message, severity="warning", markup=False, timeout=10)
        self.show_status()

    @work(group="others")
    async def _look_around(self) -> None:
        await self.other_windows.look()

    def _tick(self) -> None:
        if self.is_replying:
            self.show_status()

    @property
    def session(self) -> Session | None:
        """The session shown; None before the first paint."""
        return self.conversation.session if self._begun else None

    @property
    def unsaved(self) -> list[Session]:
        """The sessions of which something may not be saved, should the store say that something is not."""
        shown = [self.conversation.session] if self._begun and self.conversation.session.messages else []
        return list({**self._left_unsaved, **{session.id: session for session in shown}}.values())

    @work(exclusive=True, group="draft")
    async def restore_draft(self) -> None:
        """Puts an unsent prompt of an earlier run back."""
        if not await self.drafts.restore():
            self.notify("An unsent prompt of before is in the history: up on the first line.", markup=False)

    def save_draft(self) -> None:
        """Keeps what is written and not sent for the next start."""
        if self._begun:
            self.drafts.save(self.conversation.session)

    def action_interrupt(self) -> None:
        """Copies the selection; else stops the reply; else puts the draft away; else quits, pressed twice."""
        if (selected := self.get_selected_text() or self.prompt.selected_text) is not None and selected:
            self.app.copy_to_clipboard(selected)
        elif not self.stop() and not self.prompt.stash():
            self._ask_to_quit()

    def _ask_to_quit(self) -> None:
        if self._quit_armed:
            self.app.exit()
            return
        self._quit_armed = True
        self.set_timer(3, self._disarm)
        self.notify("Press ctrl+c again to quit.", timeout=3, markup=False)

    def _disarm(self) -> None:
        self._quit_armed = False


def greeting(endpoint: Endpoint) -> list[list[Run]]:
    """Returns what an empty conversation with `endpoint` says."""
    if endpoint.demo:
        lines = ["The demo: no model, no network.", "It answers from streamtui's manual.", "", "Ask it"]
        asks = ["hello", "showcase", "show me code", "thinking", "How do I connect to Ollama?"]
    else:
        lines, asks = [f"A new conversation with {endpoint.name}."], []
    text: list[list[Run]] = [[("streamtui", "assistant")], []]
    text += [[(line, "faint")] for line in lines]
    return text + [[("  › ", "bullet"), (ask, "")] for ask in asks]
