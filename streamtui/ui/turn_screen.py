"""TurnScreen: a turn as the user sees it: a prompt goes out, a reply comes in, is stopped, asked again, continued."""

from collections.abc import Callable, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING

from textual import on, work

from streamtui.config import Config
from streamtui.core.message import Message, Role
from streamtui.core.sanitize import clean
from streamtui.core.smoothing import SmoothedStream
from streamtui.ui.reading_screen import ReadingScreen
from streamtui.ui.widgets.prompt import Prompt

if TYPE_CHECKING:
    # Imported where they are used, after the first paint: they take 30 ms CPU, a sixth of Textual's own start.
    from streamtui.conversation import Conversation
    from streamtui.conversation.request_context import Overflow
    from streamtui.ui.drafts import DraftKeeper
    from streamtui.ui.other_windows import OtherWindows


class TurnScreen(ReadingScreen):
    """Sends prompts and shows the replies; prompts sent meanwhile wait."""

    config: Config
    """What the user asked for; there before the first paint."""
    conversation: "Conversation"
    """What is talked about."""
    drafts: "DraftKeeper"
    other_windows: "OtherWindows"

    def __init__(self) -> None:
        super().__init__()
        self._ready = False
        """Whether prompts may be sent, no longer only waiting for their turn."""

    # A prompt goes out

    @on(Prompt.Submitted)
    def send(self, event: Prompt.Submitted) -> None:
        """Sends the prompt; while a reply is under way it waits for its turn."""
        event.stop()
        prompt = Message(Role.USER, clean(event.text), attachments=event.attachments)
        if self.is_replying or not self._ready:
            self.queue.add(prompt)
        else:
            self._ask(prompt)

    def _ask(self, prompt: Message) -> None:
        path = [*self.conversation.session.path(), prompt]
        if (found := self.conversation.context_window.overflow(path)) is not None:
            self.queue.add(prompt, first=True)  # where it is kept like a draft until it is decided
            self.make_room(found, path, self._send_queued)
            return
        self.other_windows.prompt_sent()
        self.conversation.add(prompt)
        self.transcript.add(prompt, variant=self.conversation.session.variants().get(prompt.id))
        self.drafts.save(self.conversation.session)
        self.transcript.follow()
        self.show_reply()

    def _send_queued(self) -> None:
        if self.queue.texts and not self.is_replying:
            self._ask(self.queue.take())

    def _take_back_queued(self) -> None:
        if not self.queue.texts:
            return
        text, files = self.queue.take_all()
        written = [text, self.prompt.text] if self.prompt.text.strip() else [text]
        self.prompt.reset("\n\n".join(written), (*files, *self.prompt.attachments))

    # What does not fit

    def _when_it_fits(self, path: Sequence[Message], go: Callable[[], object]) -> None:
        if (found := self.conversation.context_window.overflow(path)) is not None:
            self.make_room(found, path, go)
        else:
            go()

    @work(exclusive=True, group="reply")
    async def make_room(self, overflow: "Overflow", path: Sequence[Message], go: Callable[[], object]) -> None:
        """Asks what to do about `path`, which is too long for the model, does it, and goes on with `go`."""
        made = False
        try:
            made = await self._make_room(overflow, path)
        finally:
            if self.is_attached:
                self.show_status()
                self.call_later(go if made else self._take_back_queued)

    async def _make_room(self, overflow: "Overflow", path: Sequence[Message]) -> bool:
        """Returns whether what is sent now is what the user wants to be sent."""
        from streamtui.ui.dialogs import context_overflow_dialog

        conversation = self.conversation
        panel = context_overflow_dialog.ContextOverflowDialog(
            overflow, conversation.model, can_summarize=conversation.context_window.can_summarize
        )
        choice = await self.app.push_screen_wait(panel)
        if choice == context_overflow_dialog.SEND:
            conversation.context_window.accept(overflow)
        elif choice == context_overflow_dialog.LEAVE_OUT:
            conversation.context_window.exclude_before(path, overflow.keep_from)
            self.show_path()
        elif choice == context_overflow_dialog.SUMMARIZE:
            return await self._sum_up(path, overflow.keep_from)
        return bool(choice)

    async def _sum_up(self, path: Sequence[Message], keep_from: int) -> bool:
        from streamtui.providers.base import ProviderError

        conversation = self.conversation
        try:
            recap = await conversation.context_window.summarize(path, keep_from)
        except ProviderError as error:
            self.notify(f"There is no summary. {error.message}", severity="error", markup=False, timeout=10)
            return False
        conversation.context_window.exclude_before(path, keep_from, recap)
        self.show_path()
        return True

    # A reply comes in

    @property
    def is_replying(self) -> bool:
        """Whether a reply is under way, asked for but not begun included."""
        return any(worker.group == "reply" and not worker.is_finished for worker in self.workers)

    @work(exclusive=True, group="reply")
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
        view = SmoothedStream(transcript.append, self.config.pace, lambda: conversation.progress.sent)
        try:
            async with aclosing(replies) as deltas:
                async for delta in deltas:
                    view.add(delta)
                    if delta.notice:
                        self.notify(delta.notice, markup=False, timeout=8)
        finally:
            view.finish()
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
        if self.transcript.is_behind:
            self.show_path()
        self._name_session()
        if self.queue.texts and self.conversation.progress.state == "ready":
            self.call_later(self._send_queued)
        else:
            self._take_back_queued()

    def show_path(self) -> None:
        """Shows the path afresh."""
        session = self.conversation.session
        self.transcript.load(session.path(), session.variants())
        self.other_windows.path_shown(of_another_session=False)
        self.show_hits()

    def _name_session(self) -> None:
        from streamtui.conversation.titles import wants_title

        if self.config.title_model and wants_title(self.conversation.session):
            self.give_title(self.conversation)

    @work(group="title")
    async def give_title(self, conversation: "Conversation") -> None:
        """Lets a model give the session a title, while the user goes on."""
        from streamtui.conversation.titles import generate_title

        await generate_title(conversation, self.config.title_model)

    def show_status(self) -> None:
        """Brings the status bar up to date."""
        status, conversation = self.status, self.conversation
        status.endpoint = conversation.provider.endpoint.name
        status.model = conversation.model
        status.progress = conversation.progress
        status.context = conversation.context()
        status.needs_key = conversation.provider.endpoint.needs_key

    # Keys

    def stop(self) -> bool:
        """Stops the reply under way at once and keeps what came; False where there is none."""
        if not self.is_replying:
            return False
        self.workers.cancel_group(self, "reply")
        return True

    async def action_stop(self) -> None:
        """Stops the reply; else takes away what lies over the conversation; else goes to the prompt."""
        if not self.stop():
            await self.clear()
            self.prompt.focus()

    def action_retry(self) -> None:
        """Asks the last prompt again; the reply before is kept as a sibling."""
        path = self.conversation.session.path()
        while path and path[-1].role is not Role.USER:
            path.pop()
        if self.is_replying:
            self.notify("A reply is on its way; press esc to stop it first.", markup=False)
        elif not path:
            self.notify("There is no prompt to ask again yet.", markup=False)
        else:
            self._when_it_fits(path, self._retry)

    def _retry(self) -> None:
        self.conversation.rewind()
        self.show_path()
        self.show_reply()

    def action_continue_reply(self) -> None:
        """Goes on with the last reply, if it was cut off."""
        if self.is_replying:
            self.notify("A reply is on its way; press esc to stop it first.", markup=False)
        elif self.conversation.session.leaf_id in self.conversation.session.elsewhere:
            self.notify("This reply is arriving in another window.", markup=False)
        elif self.conversation.partial_reply is None:
            self.notify("The last reply was not cut off; there is nothing to continue.", markup=False)
        else:
            self._when_it_fits(self.conversation.session.path(), self._continue_reply)

    def _continue_reply(self) -> None:
        self.transcript.follow()
        self.show_reply(goes_on=True)

    def action_send_all(self) -> None:
        """Sends again what was left out of the requests."""
        if self.is_replying:
            self.notify("A reply is on its way; press esc to stop it first.", markup=False)
        elif self.conversation.context_window.include_all():
            self.show_path()
            self.show_status()
            self.notify("All messages are sent again, from the next prompt on.", markup=False)
        else:
            self.notify("Nothing is left out of the requests.", markup=False)
