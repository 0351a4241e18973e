"""Handling of conversations that exceed the context window of their model."""

import asyncio
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from streamtui.config import Api
from streamtui.conversation.request_context import Overflow, overflow, reply_budget, sent_messages
from streamtui.conversation.side_requests import chunked, summary_prompt
from streamtui.core.message import Message, Recap
from streamtui.core.models import api_for
from streamtui.core.progress import Progress, State

if TYPE_CHECKING:
    from streamtui.conversation.conversation import Conversation

ACCEPTED_GROWTH = 0.25
"""Share of the window by which an accepted overflow may grow before the user is asked again."""

SUMMARY_SHARE = 0.7
"""Share of the window to summarize in one request; the rest is for instructions, earlier summary and reply."""


class ContextWindow:
    """Detect overflow of the context window, and exclude or summarize the oldest messages."""

    def __init__(self, conversation: "Conversation") -> None:
        self._conversation = conversation
        self._accepted: tuple[str, Overflow] | None = None

    def overflow(self, path: Sequence[Message]) -> Overflow | None:
        """Return the overflow of `path`, whose prompt need not be in the session yet; None if it fits.

        An accepted overflow is not reported again until the model changes or the path has grown much longer.
        """
        talk = self._conversation
        if talk.window is None:
            return None
        reserved = reply_budget(talk.window, talk.parameters.max_tokens)
        found = overflow(path, talk.count(path), talk.window, reserved)
        return None if found is None or self._is_accepted(found) else found

    def _is_accepted(self, found: Overflow) -> bool:
        model, accepted = self._accepted or ("", None)
        if accepted is None or (model, accepted.window) != (self._conversation.model, found.window):
            return False
        return found.needed.tokens <= accepted.needed.tokens + ACCEPTED_GROWTH * found.window

    def accept(self, overflow: Overflow) -> None:
        """Send messages despite `overflow`."""
        self._accepted = self._conversation.model, overflow

    def exclude_before(self, path: Sequence[Message], keep_from: int, recap: Recap | None = None) -> None:
        """Exclude the messages of `path` before the index `keep_from` from requests; `recap` replaces them."""
        first = path[keep_from]
        first.recap = recap or Recap()
        self._save(first)

    def include_all(self) -> bool:
        """Include all messages of the current path again; return False if none was excluded."""
        excluded = [message for message in self._conversation.session.path() if message.recap is not None]
        for message in excluded:
            message.recap = None
            self._save(message)
        return bool(excluded)

    def _save(self, message: Message) -> None:
        talk = self._conversation
        if message.id in talk.session.messages:
            talk.store.save_message(talk.session.id, message)

    # Summaries

    @property
    def can_summarize(self) -> bool:
        """Whether the model can summarize; a model with only the completions API can't."""
        return api_for(self._conversation.provider.endpoint, self._conversation.model) is not Api.COMPLETIONS

    async def summarize(self, path: Sequence[Message], keep_from: int) -> Recap:
        """Return a summary of the messages of `path` before the index `keep_from`. Raise ProviderError."""
        progress = Progress(State.SUMMARIZING, sent=time.monotonic(), last=time.monotonic())
        self._conversation.progress = progress
        outcome = State.FAILED
        try:
            recap = await self._summary(sent_messages(path[:keep_from]))
            outcome = State.READY
        except asyncio.CancelledError:
            outcome = State.STOPPED
            raise
        finally:
            progress.state, progress.last = outcome, time.monotonic()
        return recap

    async def _summary(self, messages: Sequence[Message]) -> Recap:
        talk = self._conversation
        model = await talk.resolve_model()
        text, usage = "", None
        # Messages that exceed the window by themselves are summarized chunk by chunk.
        for chunk in chunked(messages, None if talk.window is None else int(SUMMARY_SHARE * talk.window)):
            text, used = await talk.complete_once(model, summary_prompt(chunk, text), retry=True)
            usage = usage.then(used) if usage and used else used or usage
        return Recap(text, model=model, usage=usage)
