"""A turn: send a prompt, show the reply as it arrives, stop, retry, continue."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from streamtui.core.message import Message, Role
from streamtui.core.smoothing import SmoothedStream
from streamtui.ui.commands.base import Controller, handles, in_worker, no_reply_running

if TYPE_CHECKING:
    from streamtui.conversation.manager import RunningReply
    from streamtui.ui.screens.chat import ChatScreen


def _has_prompt(chat: "ChatScreen") -> str:
    path = chat.conversation.session.path()
    return "" if any(message.role is Role.USER for message in path) else "There is no prompt to retry yet."


def _has_partial_reply(chat: "ChatScreen") -> str:
    conversation = chat.conversation
    if conversation.session.leaf_id in conversation.session.elsewhere:
        return "This reply is arriving in another window."
    return "" if conversation.partial_reply is not None else "The last reply is complete."


class TurnCommands(Controller):
    """Sends prompts and shows the replies; prompts sent meanwhile are queued."""

    # Sending

    def send(self, prompt: Message) -> None:
        """Send `prompt`, after leaving the edited prompt that it replaces, if any."""
        chat = self.chat
        chat.branches.branch_off()
        path = [*chat.conversation.session.path(), prompt]
        if self._must_decide(path, self.send_queued, before=lambda: chat.queue.add(prompt, first=True)):
            return  # the queue keeps the prompt, like a draft
        chat.other_windows.prompt_sent()
        chat.conversation.add(prompt)
        chat.transcript.add(prompt, variant=chat.conversation.session.variants().get(prompt.id))
        chat.drafts.save(chat.conversation.session)
        chat.transcript.follow()
        self.show_reply()

    def send_queued(self) -> None:
        """Send the first prompt of the queue, unless a reply is arriving."""
        if self.chat.queue.texts and not self.chat.is_replying:
            self.send(self.chat.queue.take())

    def return_queued(self) -> None:
        """Move the queued prompts back into the prompt box."""
        queue, prompt = self.chat.queue, self.chat.prompt
        if not queue.texts:
            return
        text, files = queue.take_all()
        texts = [text, prompt.text] if prompt.text.strip() else [text]
        prompt.reset("\n\n".join(texts), (*files, *prompt.attachments))

    def _must_decide(
        self, path: Sequence[Message], then: Callable[[], object], before: Callable[[], object] = lambda: None
    ) -> bool:
        """Ask the user what a request for `path` needs, after `before`, and go on with `then`; False if nothing."""
        conversation = self.chat.conversation
        if conversation.is_undecided:
            before()
            self.chat.endpoints.decide(then)
            return True
        if (overflow := conversation.context_window.overflow(path)) is not None:
            before()
            self.chat.context.resolve(overflow, path, then)
            return True
        return False

    def _when_decided(self, path: Sequence[Message], then: Callable[[], object]) -> None:
        if not self._must_decide(path, lambda: self._when_decided(path, then)):
            then()

    # Showing

    @in_worker("reply")
    async def show_reply(self, continues: bool = False) -> None:
        """Request a reply to the last prompt, or the rest of the last reply, and show it as it arrives."""
        chat = self.chat
        reply = chat.conversations.start(chat.conversation, continues=continues)
        if continues:
            chat.transcript.resume()
        else:
            self._add_reply()
        await self._watch(reply)

    @in_worker("reply")
    async def watch(self, reply: "RunningReply") -> None:
        """Show a reply that was requested before this session was opened again."""
        if reply.message.id in self.chat.conversation.session.messages:
            self.chat.transcript.resume()
        else:
            self._add_reply()
        await self._watch(reply)

    async def _watch(self, reply: "RunningReply") -> None:
        chat, conversation = self.chat, self.chat.conversation
        chat.show_status()
        smoothed = SmoothedStream(chat.transcript.append, chat.config.pace, lambda: conversation.progress.sent)
        try:
            with reply.attach() as view:
                async for delta in view:
                    smoothed.add(delta)
                    if delta.notice:
                        chat.notify(delta.notice, markup=False, timeout=8)
        except Exception:
            reply.stop()  # nobody would see it arrive
            raise
        finally:
            smoothed.finish()
            if conversation is chat.conversation and chat.is_attached:
                self._reply_ended()
            elif chat.is_attached:
                chat.call_later(self.send_queued)

    def _add_reply(self) -> None:
        reply, session = self.chat.conversation.current, self.chat.conversation.session
        assert reply is not None
        siblings = len(session.replies_to(session.leaf_id))
        self.chat.transcript.add(reply, growing=True, variant=(siblings + 1, siblings + 1) if siblings else None)

    def _reply_ended(self) -> None:
        chat = self.chat
        chat.transcript.finish()
        chat.show_status()
        if chat.transcript.is_behind:
            chat.show_path()
        self._name_session()
        if chat.queue.texts and chat.conversation.progress.state == "ready":
            chat.call_later(self.send_queued)
        else:
            self.return_queued()
        chat.models.reply_ended()

    def _name_session(self) -> None:
        from streamtui.conversation.titles import wants_title

        if self.chat.config.title_model and wants_title(self.chat.conversation.session):
            self._generate_title()

    @in_worker("title", exclusive=False)
    async def _generate_title(self) -> None:
        from streamtui.conversation.titles import generate_title

        await generate_title(self.chat.conversation, self.chat.config.title_model)

    # Commands

    def stop(self) -> bool:
        """Stop the reply, or the request for one, and keep its text; False if there is none."""
        chat = self.chat
        if not chat.is_replying:
            return False
        if not chat.conversations.stop(chat.conversation):
            chat.workers.cancel_group(chat, "reply")  # a dialog before the request
        return True

    @handles("turn.stop")
    async def stop_or_leave(self) -> None:
        """Stop the reply; otherwise stop editing, close the search, or focus the prompt."""
        chat = self.chat
        if not chat.is_replying and chat.branches.leave_editing():
            return
        if not self.stop():
            await chat.pane.clear()
            chat.prompt.focus()

    @handles("turn.retry", checks=[no_reply_running, _has_prompt])
    def retry(self) -> None:
        """Request another reply to the last prompt; the previous one is kept as a sibling."""
        self.chat.branches.leave_editing()
        path = self.chat.conversation.session.path()
        while path[-1].role is not Role.USER:
            path.pop()
        self._when_decided(path, self._retry)

    def _retry(self) -> None:
        self.chat.conversation.rewind()
        self.chat.show_path()
        self.show_reply()

    @handles("turn.continue", checks=[no_reply_running, _has_partial_reply])
    def continue_reply(self) -> None:
        """Continue the last reply, which was cut off."""
        self.chat.branches.leave_editing()
        self._when_decided(self.chat.conversation.session.path(), self._continue_reply)

    def _continue_reply(self) -> None:
        self.chat.transcript.follow()
        self.show_reply(continues=True)

    @handles("turn.interrupt")
    def interrupt(self) -> None:
        """Copy the selection; otherwise stop the reply, clear the draft or, pressed twice, quit."""
        chat = self.chat
        if selected := chat.get_selected_text() or chat.prompt.selected_text:
            chat.app.copy_to_clipboard(selected)
        elif not self.stop() and not chat.prompt.stash():
            chat.app_commands.ask_to_quit()
