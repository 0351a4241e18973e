"""Running conversations: replies arrive in tasks of their own, whether or not a screen shows them."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from types import TracebackType
from typing import Self

from streamtui.conversation.conversation import Conversation
from streamtui.core.message import Delta, Message
from streamtui.core.session import Session
from streamtui.providers.base import Provider


class ReplyView:
    """The deltas of a reply from the moment it was attached. `text` and `reasoning` hold everything before."""

    def __init__(self, reply: "RunningReply") -> None:
        self._reply = reply
        self._deltas: asyncio.Queue[Delta | None] = asyncio.Queue()
        self.text, self.reasoning = reply.message.text, reply.message.reasoning

    def add(self, delta: Delta | None) -> None:
        """Add a delta; None ends the reply."""
        self._deltas.put_nowait(delta)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Delta:
        delta = await self._deltas.get()
        if delta is None:
            raise StopAsyncIteration
        return delta

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._reply.detach(self)


class RunningReply:
    """A reply that arrives in its own task. Create it with `ConversationManager.start`."""

    def __init__(
        self, conversation: Conversation, deltas: AsyncGenerator[Delta], on_end: Callable[["RunningReply"], None]
    ) -> None:
        assert conversation.current is not None
        self.conversation = conversation
        self.message: Message = conversation.current
        self.is_stopping = False
        self._views: set[ReplyView] = set()
        self._on_end = on_end
        self._has_begun = False
        self.task = asyncio.create_task(self._run(deltas), name=f"reply {self.message.id}")

    async def _run(self, deltas: AsyncGenerator[Delta]) -> None:
        self._has_begun = True
        if self.is_stopping and (task := asyncio.current_task()) is not None:
            task.cancel()  # takes effect inside `deltas`, which then saves that the reply was stopped
        try:
            async with aclosing(deltas):
                async for delta in deltas:
                    for view in self._views:
                        view.add(delta)
        finally:
            self._on_end(self)
            for view in self._views:
                view.add(None)

    def attach(self) -> ReplyView:
        """Return a view with the text so far and every delta from now on. Leaving its context detaches it."""
        self.conversation.flush_reply()
        view = ReplyView(self)
        if self.task.done():
            view.add(None)
        self._views.add(view)
        return view

    def detach(self, view: ReplyView) -> None:
        """Stop sending deltas to `view`; the reply goes on."""
        self._views.discard(view)

    def stop(self) -> None:
        """Stop the reply and keep its text."""
        if not self.is_stopping:
            self.is_stopping = True
            if self._has_begun:  # else a canceled task would never run, and the reply never end
                self.task.cancel()


class ConversationManager:
    """Owns the conversations that are running. Screens attach to them and detach from them."""

    def __init__(self, create: Callable[[Session, Provider], Conversation]) -> None:
        """`create` makes the conversation of a session that is not running."""
        self._create = create
        self._replies: set[RunningReply] = set()

    def open(self, session: Session, provider: Provider) -> Conversation:
        """Return the running conversation of `session`, or a new one."""
        return self.running(session.id) or self._create(session, provider)

    def running(self, session_id: str) -> Conversation | None:
        """Return the conversation of a session in which a reply is arriving; None if there is none."""
        found = (reply.conversation for reply in self._replies if not reply.is_stopping)
        return next((conversation for conversation in found if conversation.session.id == session_id), None)

    def reply_of(self, conversation: Conversation) -> RunningReply | None:
        """Return the reply that is arriving in `conversation`; None if there is none."""
        return next((reply for reply in self._replies if reply.conversation is conversation), None)

    def start(self, conversation: Conversation, *, continues: bool = False) -> RunningReply:
        """Request a reply to the last prompt, or the rest of the last reply. Its text is saved as it arrives."""
        deltas = conversation.continue_reply() if continues else conversation.reply()
        reply = RunningReply(conversation, deltas, self._replies.discard)
        self._replies.add(reply)
        return reply

    def stop(self, conversation: Conversation) -> bool:
        """Stop the reply in `conversation` and keep its text; False if there is none."""
        reply = self.reply_of(conversation)
        if reply is not None:
            reply.stop()
        return reply is not None

    def interrupt(self, reason: str) -> None:
        """Note why all replies are about to be stopped, in a sentence, when it is not the user who stops them."""
        for reply in self._replies:
            reply.conversation.interrupt(reason)

    async def aclose(self) -> None:
        """Stop all replies and wait until they are saved."""
        replies = list(self._replies)
        for reply in replies:
            reply.stop()
        await asyncio.gather(*(reply.task for reply in replies), return_exceptions=True)
