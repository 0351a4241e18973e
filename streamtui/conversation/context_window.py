"""ContextWindow: what to do about a conversation that is longer than its model can take."""

import asyncio
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from streamtui.config import Api
from streamtui.conversation.request_context import Overflow, overflow, room_for_reply, sent
from streamtui.conversation.side_requests import portions, summary_prompt
from streamtui.core.message import Message, Recap
from streamtui.core.models import api_for
from streamtui.core.progress import Progress, State

if TYPE_CHECKING:
    from streamtui.conversation.conversation import Conversation

AGAIN = 0.25
"""Part of the window by which what was accepted as too long may grow until it is told again."""

SUMMED = 0.7
"""Part of the window that is summed up in one go; the rest is for the question, an earlier summary and the new one."""


class ContextWindow:
    """Says what does not fit, leaves the oldest turns out of the requests, lets the model sum them up."""

    def __init__(self, conversation: "Conversation") -> None:
        self._conversation = conversation
        self._accepted: tuple[str, Overflow] | None = None

    def overflow(self, path: Sequence[Message]) -> Overflow | None:
        """Returns why `path`, whose prompt need not stand in the session yet, does not fit; None where it does.

        What was accepted is not told again before it matters: with another model, or when it got much longer.
        """
        talk = self._conversation
        if talk.window is None:
            return None
        room = room_for_reply(talk.window, talk.parameters.max_tokens)
        found = overflow(path, talk.count(path), talk.window, room)
        return None if found is None or self._is_accepted(found) else found

    def _is_accepted(self, found: Overflow) -> bool:
        model, accepted = self._accepted or ("", None)
        if accepted is None or (model, accepted.window) != (self._conversation.model, found.window):
            return False
        return found.needed.tokens <= accepted.needed.tokens + AGAIN * found.window

    def accept(self, overflow: Overflow) -> None:
        """Sends what does not fit all the same."""
        self._accepted = self._conversation.model, overflow

    def exclude_before(self, path: Sequence[Message], keep_from: int, recap: Recap | None = None) -> None:
        """Sends of `path`, from now on, nothing before the message `keep_from`, and `recap` in its place."""
        first = path[keep_from]
        first.recap = recap or Recap()
        self._save(first)

    def include_all(self) -> bool:
        """Sends all messages of the path shown again; False where none was left out."""
        left_out = [message for message in self._conversation.session.path() if message.recap is not None]
        for message in left_out:
            message.recap = None
            self._save(message)
        return bool(left_out)

    def _save(self, message: Message) -> None:
        talk = self._conversation
        if message.id in talk.session.messages:
            talk.store.save_message(talk.session.id, message)

    # Summing up

    @property
    def can_summarize(self) -> bool:
        """Whether the model can be asked for a summary; one that only goes on with a text can't."""
        return api_for(self._conversation.provider.endpoint, self._conversation.model) is not Api.COMPLETIONS

    async def summarize(self, path: Sequence[Message], keep_from: int) -> Recap:
        """Asks the model for a summary of what is sent of `path` before `keep_from`. Raises ProviderError."""
        progress = Progress(State.SUMMARIZING, sent=time.monotonic(), last=time.monotonic())
        self._conversation.progress = progress
        ended = State.FAILED
        try:
            recap = await self._summary(sent(path[:keep_from]))
            ended = State.READY
        except asyncio.CancelledError:
            ended = State.STOPPED
            raise
        finally:
            progress.state, progress.last = ended, time.monotonic()
        return recap

    async def _summary(self, messages: Sequence[Message]) -> Recap:
        talk = self._conversation
        model = await talk.resolve_model()
        text, usage = "", None
        # What is longer than the window by itself is summed up part by part.
        for part in portions(messages, None if talk.window is None else int(SUMMED * talk.window)):
            text, used = await talk.complete_once(model, summary_prompt(part, text), retry=True)
            usage = usage.then(used) if usage and used else used or usage
        return Recap(text, model=model, usage=usage)
