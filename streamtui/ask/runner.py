"""Asks one question and lets an output take the answer as it comes."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import replace

from streamtui.ask.output import Output
from streamtui.ask.prompt_input import PromptInput
from streamtui.ask.status_line import StatusLine, describe, keep_showing
from streamtui.config import Config
from streamtui.conversation import Backoff, Conversation
from streamtui.core.message import Delta, Message
from streamtui.core.session import Session
from streamtui.core.smoothing import SmoothedStream
from streamtui.providers.base import Provider, Request
from streamtui.storage import Store

Tell = Callable[[str], None]
"""Says something beside the answer."""


class PromptRunner:
    """A conversation that lasts one question."""

    def __init__(
        self,
        config: Config,
        session: Session,
        provider: Provider,
        store: Store,
        *,
        stream: bool = True,
        tell: Tell,
        status: StatusLine | None = None,
    ) -> None:
        """`stream`: False asks for the whole reply at once; `tell`: takes waits and notices, in sentences.

        `status` shows what it is waiting for.
        """
        self._status = status
        self._pace = config.pace
        self._stream = stream
        self._say = tell
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

    async def get_ready(self) -> None:
        """Loads what the request needs and finds out which model answers, so that a measurement has neither in it.

        Raises ProviderError.
        """
        await asyncio.to_thread(self._conversation.provider.warm_up)
        await self._conversation.resolve_model()

    async def ask(self, question: PromptInput, output: Output) -> Message:
        """Asks `question` and returns the reply, however it ended.

        Raises OSError where `output` can't write; the reply is stopped then, and kept. So it is by cancelling.
        """
        conversation, showing = self._conversation, _Showing(output)
        # Not the output's own: the provider would take a pipe that nobody reads for a server that is gone.
        self._tap = showing.on_event
        conversation.add_prompt(question.text, question.attachments)
        view = SmoothedStream(showing.show, self._pace, lambda: conversation.progress.sent)
        waiting = asyncio.create_task(keep_showing(self._status, self._waits_for)) if self._status else None
        try:
            async with aclosing(conversation.reply()) as deltas:
                async for delta in deltas:
                    if delta.notice:
                        self._tell(delta.notice)
                    view.add(delta)
                    showing.check()
        finally:
            view.finish()
            reply = conversation.current
            assert reply is not None
            showing.on_end(conversation.session, reply)
            if waiting is not None:
                waiting.cancel()
                await asyncio.wait([waiting])
        showing.check(at_end=True)
        return reply

    def _waits_for(self) -> str:
        return describe(self._conversation.progress, self._conversation.session.model or "the model")

    def _tell(self, sentence: str) -> None:
        if self._status is not None:
            self._status.make_way(f"{sentence}\n")
        self._say(sentence)

    def _shape(self, request: Request) -> Request:
        return replace(request, stream=self._stream, tap=self._tap)

    async def _sleep(self, seconds: float) -> None:
        progress = self._conversation.progress
        self._tell(f"{progress.reason}: asking again in {seconds:.0f} s ({progress.attempt} of {progress.retries}).")
        await asyncio.sleep(seconds)


class _Showing:
    """Hands pieces to the output; what it raises is raised by `check`, as a timer has nobody to raise it to."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._failure: Exception | None = None

    def on_event(self, data: str) -> None:
        self._try(lambda: self._output.on_event(data))

    def show(self, delta: Delta) -> None:
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
        """Raises OSError if something could not be written; at the end also what else went wrong: the reply goes on."""
        if self._failure is not None and (at_end or isinstance(self._failure, OSError)):
            raise self._failure
