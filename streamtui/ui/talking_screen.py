"""TalkingScreen: a conversation in the pane: prompts go out, replies come in, the bar says how it goes."""

from contextlib import aclosing
from typing import TYPE_CHECKING

from textual import on, work

from streamtui.config import Endpoint
from streamtui.markdown.runs import Run
from streamtui.message import Attachment, Role
from streamtui.session import Session
from streamtui.ui.prompt import Prompt
from streamtui.ui.reading_screen import ReadingScreen

if TYPE_CHECKING:
    # Imported where they are used, after the first paint: they take 30 ms CPU, a sixth of Textual's own start.
    from streamtui.conversation import Conversation
    from streamtui.providers.base import Provider
    from streamtui.store import Store

STATUS_EVERY = 0.5
"""Seconds between updates of the status bar while a reply is under way."""

DRAFT_EVERY = 0.5
"""Seconds between looks at the draft, which is kept for the next start."""


class TalkingScreen(ReadingScreen):
    """Shows one conversation and lets the user talk."""

    conversation: "Conversation"
    """What is talked about; there from `begin` on."""

    def __init__(self) -> None:
        super().__init__()
        self._begun = self._ready = False
        self._quit_armed = False
        self._draft = ""

    def begin(self, session: Session, provider: "Provider", store: "Store") -> None:
        """Brings the screen to life once it is painted."""
        from streamtui.conversation import Conversation

        self.conversation = Conversation(session, provider, store)
        self._begun = True
        self._show_session()
        self.set_interval(DRAFT_EVERY, self.save_draft)
        self.set_interval(STATUS_EVERY, self._tick)

    def be_ready(self) -> None:
        """Asks what was sent while the screen was coming to life."""
        self._ready = True
        self._send_queued()

    # The session shown

    def open(self, session: Session, provider: "Provider | None" = None) -> None:
        """Shows `session` and goes on with it; a reply under way is stopped first."""
        from streamtui.conversation import Conversation

        self.stop()
        self._take_back_queued()
        before = self.conversation
        self.conversation = Conversation(session, provider or self.provider_for(session), before.store)
        self._show_session()

    def _show_session(self) -> None:
        session = self.conversation.session
        path = session.path()
        self.transcript.lines.greeting = greeting(self.conversation.provider.endpoint)
        self.transcript.load(path, session.variants())
        self.show_hits()
        self.prompt.recall([message.text for message in path if message.role is Role.USER])
        self.show_status()
        if not session.model:
            self.settle_model()

    def _show_path(self) -> None:
        session = self.conversation.session
        self.transcript.load(session.path(), session.variants())
        self.show_hits()

    def provider_for(self, session: Session) -> "Provider":
        """Who answers in `session`."""
        return self.conversation.provider

    @work(exclusive=True, group="settle", exit_on_error=False)
    async def settle_model(self) -> None:
        """Finds out which model will answer, where nobody has said."""
        from streamtui.providers.base import ProviderError

        try:
            await self.conversation.settle_model()
        except ProviderError as error:
            self.notify(error.sentence, severity="warning", markup=False, timeout=10)
        self.show_status()

    @property
    def session(self) -> Session | None:
        """The session shown; None before the first paint."""
        return self.conversation.session if self._begun else None

    def restore_draft(self, text: str) -> None:
        """Puts an unsent prompt of an earlier run back, unless something is written already."""
        self._draft = text
        if text and not self.prompt.text:
            self.prompt.reset(text)

    def save_draft(self) -> None:
        """Keeps what is written and not sent for the next start."""
        if not self._begun:
            return
        draft = "\n\n".join([*self.queue.texts, self.prompt.text]).strip("\n")
        if draft != self._draft:
            self._draft = draft
            self.conversation.store.remember("draft", draft)

    # A turn

    @on(Prompt.Submitted)
    def send(self, event: Prompt.Submitted) -> None:
        """Sends the prompt; while a reply is under way it waits for its turn."""
        event.stop()
        if self.is_replying or not self._ready:
            self.queue.add(event.text, event.attachments)
            return
        self._ask(event.text, event.attachments)

    def _ask(self, text: str, attachments: tuple[Attachment, ...]) -> None:
        self.transcript.add(self.conversation.add_prompt(text, attachments))
        self.transcript.follow()
        self.show_reply()

    @property
    def is_replying(self) -> bool:
        """Whether a reply is under way, asked for but not begun included."""
        return any(worker.group == "reply" and not worker.is_finished for worker in self.workers)

    @work(exclusive=True, group="reply", exit_on_error=False)
    async def show_reply(self, goes_on: bool = False) -> None:
        """Lets the conversation answer the last prompt, or go on with the last reply, and shows what arrives."""
        conversation, transcript = self.conversation, self.transcript
        if goes_on:
            replies = conversation.continue_reply()
            transcript.resume()
        else:
            replies = conversation.reply()
            self._add_reply()
        self.show_status()
        try:
            async with aclosing(replies) as deltas:
                async for delta in deltas:
                    transcript.append(delta)
                    if delta.notice:
                        self.notify(delta.notice, markup=False, timeout=8)
        finally:
            if conversation is self.conversation and self.is_attached:
                self._reply_ended()
            elif self.is_attached:
                self.call_later(self._send_queued)

    def _add_reply(self) -> None:
        reply, session = self.conversation.current, self.conversation.session
        assert reply is not None
        siblings = len(session.replies_to(session.leaf_id))
        self.transcript.add(reply, growing=True, variant=(siblings + 1, siblings + 1) if siblings else None)

    def _reply_ended(self) -> None:
        self.transcript.finish()
        self.show_status()
        if self.queue.texts and self.conversation.progress.state == "ready":
            self.call_later(self._send_queued)
        else:
            self._take_back_queued()

    def _send_queued(self) -> None:
        if self.queue.texts and not self.is_replying:
            self._ask(*self.queue.take())

    def _take_back_queued(self) -> None:
        if not self.queue.texts:
            return
        text, files = self.queue.take_all()
        written = [text, self.prompt.text] if self.prompt.text.strip() else [text]
        self.prompt.reset("\n\n".join(written), (*files, *self.prompt.attachments))

    def stop(self) -> bool:
        """Stops the reply under way at once and keeps what came; False where there is none."""
        if not self.is_replying:
            return False
        self.workers.cancel_group(self, "reply")
        return True

    # Status

    def _tick(self) -> None:
        if self.is_replying:
            self.show_status()

    def show_status(self) -> None:
        """Brings the status bar up to date."""
        status, conversation = self.status, self.conversation
        status.endpoint = conversation.provider.endpoint.name
        status.model = conversation.model
        status.progress = conversation.progress
        status.context = conversation.context()
        status.keyless = conversation.provider.endpoint.needs_key

    # Actions

    async def action_stop(self) -> None:
        """Stops the reply; else takes away what lies over the conversation; else goes to the prompt."""
        if not self.stop():
            await self.clear()
            self.prompt.focus()

    def action_retry(self) -> None:
        """Asks the last prompt again; the reply before is kept as a sibling."""
        if self.is_replying:
            self.notify("A reply is on its way; press esc to stop it first.", markup=False)
        elif not self.conversation.rewind():
            self.notify("There is no prompt to ask again yet.", markup=False)
        else:
            self._show_path()
            self.show_reply()

    def action_continue_reply(self) -> None:
        """Goes on with the last reply, if it was cut off."""
        if self.is_replying:
            self.notify("A reply is on its way; press esc to stop it first.", markup=False)
        elif self.conversation.cut_reply is None:
            self.notify("The last reply was not cut off; there is nothing to continue.", markup=False)
        else:
            self.transcript.follow()
            self.show_reply(goes_on=True)

    def action_next_variant(self, by: int = 1) -> None:
        """Shows the next reply to the same prompt, at the message chosen or else the last with several."""
        session, variants = self.conversation.session, self.conversation.session.variants()
        path = session.path()
        cursor = self.transcript.lines.cursor
        if cursor is not None and cursor < len(path) and path[cursor].id in variants:
            at = cursor
        else:
            at = next((i for i in range(len(path) - 1, -1, -1) if path[i].id in variants), -1)
        if self.is_replying or at < 0 or not self.conversation.turn(path[at], by):
            self.notify("There is no other reply there.", markup=False, timeout=2)
            return
        self._show_path()
        self.show_status()

    def action_previous_variant(self) -> None:
        """Shows the reply before."""
        self.action_next_variant(-1)

    def action_interrupt(self) -> None:
        """Copies the selection; else stops the reply; else puts the draft away; else quits, pressed twice."""
        if (selected := self.get_selected_text() or self.prompt.selected_text) is not None and selected:
            self.app.copy_to_clipboard(selected)
        elif not self.stop() and not self.prompt.put_away():
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
