"""Running a single prompt and passing the reply to an output."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import replace

from streamtui.ask.output import Output
from streamtui.ask.prompt_input import PromptInput
from streamtui.ask.status_line import StatusLine, describe, update_periodically
from streamtui.config import Config
from streamtui.conversation import Backoff, Conversation
from streamtui.core.message import Delta, Message
from streamtui.core.session import Session
from streamtui.core.smoothing import SmoothedStream
from streamtui.providers.base import Provider, Request
from streamtui.storage import Store

Notify = Callable[[str], None]
"""Show a sentence to the user, apart from the reply."""


class PromptRunner:
    """A conversation with a single prompt."""

    def __init__(
        self,
        config: Config,
        session: Session,
        provider: Provider,
        store: Store,
        *,
        stream: bool = True,
        notify: Notify,
        status: StatusLine | None = None,
    ) -> None:
        """Create the conversation. `notify` is called with retries and notices; `status` shows the progress."""
        self._status = status
        self._pace = config.pace
        self._stream = stream
        self._notify_user = notify
        self._conversation = Conversation(
            session,
            provider,
            store,
            backoff=Backoff(sleep=self._sleep),
            shape=self._shape,
            moderate=config.moderate,
            max_reply=config.max_reply,
        )
        self._tap: Callable[[str], None] | None = None

    async def prepare(self) -> None:
        """Import modules and resolve the model, so that neither is part of a measurement. Raise ProviderError."""
        await asyncio.to_thread(self._conversation.provider.warm_up)
        await self._conversation.resolve_model()

    async def run(self, prompt: PromptInput, output: Output) -> Message:
        """Send `prompt` and return the reply, however it ended.

        Raise OSError if `output` can't write. The reply is then stopped and saved, as it is on cancellation.
        """
        conversation, guarded = self._conversation, _GuardedOutput(output)
        # Guarded, because the provider would take a closed pipe for a lost connection.
        self._tap = guarded.on_event
        conversation.add_prompt(prompt.text, prompt.attachments)
        view = SmoothedStream(guarded.on_delta, self._pace, lambda: conversation.progress.sent)
        updates = (
            asyncio.create_task(update_periodically(self._status, self._describe_progress)) if self._status else None
        )
        try:
            async with aclosing(conversation.reply()) as deltas:
                async for delta in deltas:
                    if delta.notice:
                        self._notify(delta.notice)
                    view.add(delta)
                    guarded.check()
        finally:
            view.finish()
            reply = conversation.current
            assert reply is not None
            guarded.on_end(conversation.session, reply)
            if updates is not None:
                updates.cancel()
                await asyncio.wait([updates])
        guarded.check(at_end=True)
        return reply

    def _describe_progress(self) -> str:
        return describe(self._conversation.progress, self._conversation.session.model or "the model")

    def _notify(self, sentence: str) -> None:
        if self._status is not None:
            self._status.before_write(f"{sentence}\n")
        self._notify_user(sentence)

    def _shape(self, request: Request) -> Request:
        return replace(request, stream=self._stream, tap=self._tap)

    async def _sleep(self, seconds: float) -> None:
        progress = self._conversation.progress
        self._notify(
            f"{progress.reason}: retrying in {max(1, round(seconds))} s ({progress.attempt} of {progress.retries})."
        )
        await asyncio.sleep(seconds)


class _GuardedOutput:
    """Wrap an output that is called from timers; `check` raises its errors."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._failure: Exception | None = None

    def on_event(self, data: str) -> None:
        self._try(lambda: self._output.on_event(data))

    def on_delta(self, delta: Delta) -> None:
        self._try(lambda: self._output.on_delta(delta))

    def on_end(self, session: Session, reply: Message) -> None:
        self._try(lambda: self._output.on_end(session, reply))

    def _try(self, write: Callable[[], None]) -> None:
        if self._failure is None:
            try:
                write()
            except Exception as error:  # noqa: BLE001 - raised by `check`
                self._failure = error

    def check(self, *, at_end: bool = False) -> None:
        """Raise an OSError of the output; other errors only if `at_end`, so that the whole reply is saved."""
        if self._failure is not None and (at_end or isinstance(self._failure, OSError)):
            raise self._failure
