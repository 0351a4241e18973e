"""Conversation: a session being talked to; the one place a turn happens."""

import asyncio
import time
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing

from streamtui.message import Attachment, Delta, FinishReason, Message, Role
from streamtui.progress import Progress, State
from streamtui.providers.base import Provider, ProviderError, Request, Trouble
from streamtui.sanitize import Cleaner, clean, clean_line
from streamtui.session import Session
from streamtui.store import Store, StoreError
from streamtui.tokens import Count, context_count, size_of

SAVE_EVERY = 0.25
"""Seconds at most between a piece's arrival and its way to the disk."""


class Conversation:
    """A session with the provider that answers it and the store that keeps it."""

    def __init__(self, session: Session, provider: Provider, store: Store) -> None:
        self.session = session
        self.provider = provider
        self.store = store
        self.progress = Progress()
        self._reply: _Reply | None = None
        self._before: Count | None = None

    @property
    def model(self) -> str:
        """The model the next prompt goes to; empty until one is known."""
        return self.session.model or self.provider.endpoint.model

    @property
    def current(self) -> Message | None:
        """The reply under way, or the last one asked for."""
        return self._reply.message if self._reply is not None else None

    def add_prompt(self, text: str, attachments: Iterable[Attachment] = ()) -> Message:
        """Cleans, appends and saves what the user wrote, and returns the message."""
        message = self.session.add(Message(Role.USER, clean(text), attachments=tuple(attachments)))
        self.session.endpoint = self.provider.endpoint.name
        self.store.save_session(self.session)
        self.store.save_message(self.session.id, message)
        return message

    def switch_model(self, name: str) -> None:
        """Sends the next prompts of the session to model `name`."""
        self.session.model = clean_line(name)
        if self.session.messages:
            self.store.save_session(self.session)

    async def settle_model(self) -> str:
        """Returns the model to use; the first time it asks memory, then the server. Raises ProviderError."""
        if not self.session.model:
            found = self.provider.endpoint.model or await self._usual_model()
            self.session.model = self.session.model or found  # the user may have picked one meanwhile
        return self.session.model

    async def _usual_model(self) -> str:
        endpoint = self.provider.endpoint
        try:
            known = await asyncio.wrap_future(self.store.models(endpoint.name))
        except StoreError:
            known = []  # the store has told its listener; the server can still be asked
        used = [model.name for model in known if model.last_used]
        if used:
            return used[0]
        listed = await self.provider.models()
        if not listed:
            raise ProviderError(f"{endpoint.name} lists no models; press F2 and type the name of one.", Trouble.REFUSED)
        return listed[0]

    def context(self) -> Count:
        """Tokens of the conversation so far, and how sure that is. While a reply arrives it costs nothing."""
        if self.progress.running and self._before is not None:
            return Count(self._before.tokens + self.progress.reply_count.tokens, False)
        return context_count(self.session.path(), self.session.system)

    def turn(self, message: Message, by: int) -> bool:
        """Shows another reply to the same prompt in place of `message`, or another prompt; False for none."""
        turned = self.session.turn(message, by)
        if turned:
            self.store.save_session(self.session)
        return turned

    def rewind(self) -> bool:
        """Moves the path shown back to the last prompt, so that the next reply becomes a sibling of the last one.

        Returns False where there is no prompt to answer. Nothing is deleted.
        """
        prompt = self.session.last(Role.USER)
        if prompt is None:
            return False
        self.session.leaf_id = prompt.id
        self.store.save_session(self.session)
        return True

    def reply(self) -> AsyncGenerator[Delta]:
        """Asks for the answer to the path shown and yields it piece by piece, cleaned.

        The reply (`current`) takes its place in the session, and its row in the store, with its first piece.
        However it ends (done, stopped by cancelling, failed) `Message.finish_reason` says so and what came is
        kept; a failure is told by `Message.error`, not raised. Iterate inside `contextlib.aclosing`.
        """
        self._before = self.context()
        self._reply = _Reply(self)
        return self._pieces(self._reply)

    async def _pieces(self, reply: "_Reply") -> AsyncGenerator[Delta]:
        try:
            async with aclosing(self.provider.stream(await reply.request())) as pieces:
                async for piece in pieces:
                    if delta := reply.take(piece):
                        yield delta
            if delta := reply.rest():
                yield delta
            reply.end(reply.message.finish_reason or FinishReason.STOP)
        except ProviderError as error:
            reply.end(FinishReason.FAILED, error.sentence)
        except (asyncio.CancelledError, GeneratorExit):
            reply.end(reply.message.finish_reason or FinishReason.STOPPED)
            raise
        finally:
            reply.end(FinishReason.FAILED, "streamtui itself failed over the reply: ask again, and please report it.")


class _Reply:
    """A reply on its way from the provider into the session and the store."""

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation
        self._session = conversation.session
        self._store = conversation.store
        self._parent = conversation.session.leaf_id
        self._text, self._reasoning = Cleaner(), Cleaner()
        self._unsaved: list[Delta] = []
        self._timer: asyncio.TimerHandle | None = None
        self._ended = False
        self._model = ""
        self.joined = False
        self.message = Message(Role.ASSISTANT, endpoint=conversation.provider.endpoint.name)
        self.progress = conversation.progress = Progress(State.WAITING, sent=time.monotonic(), last=time.monotonic())

    async def request(self) -> Request:
        messages = tuple(self._session.path())
        self._model = self.message.model = await self._conversation.settle_model()
        return Request(self._model, messages, self._session.system)

    def take(self, piece: Delta) -> Delta | None:
        """Cleans a piece, adds it to the reply and returns what there is to show of it."""
        progress, now = self.progress, time.monotonic()
        progress.last = now
        if piece.usage is not None:
            self.message.usage = progress.usage = piece.usage
        if piece.finish_reason is not None:
            self.message.finish_reason = piece.finish_reason
        if piece.model:
            self.message.model = clean_line(piece.model)
        delta = Delta(self._text.feed(piece.text), self._reasoning.feed(piece.reasoning))
        return self._add(delta, now) if delta else None

    def rest(self) -> Delta | None:
        """Returns what was held back because a next piece could have completed it."""
        delta = Delta(self._text.finish(), self._reasoning.finish())
        return self._add(delta, time.monotonic()) if delta else None

    def _add(self, delta: Delta, now: float) -> Delta:
        progress = self.progress
        progress.first = progress.first or now
        if delta.text:
            progress.text = progress.text or now
        progress.size += size_of(delta.text) + size_of(delta.reasoning)
        if not self.joined:
            self._join()
        self._unsaved.append(delta)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(SAVE_EVERY, self._save)
        return delta

    def _join(self) -> None:
        self.joined = True
        self.progress.state = State.STREAMING
        self.message.created = time.time()
        self._store.use_model(self.message.endpoint, self._model)  # only now: a name that was mistyped never answers
        self._session.attach(self.message, self._parent)
        self._store.save_session(self._session)
        self._store.save_message(self._session.id, self.message)

    def _save(self) -> None:
        self._timer = None
        text, reasoning = self._gather()
        self._store.grow(self.message.id, text, reasoning)

    def _gather(self) -> tuple[str, str]:
        text = "".join(delta.text for delta in self._unsaved)
        reasoning = "".join(delta.reasoning for delta in self._unsaved)
        self._unsaved.clear()
        self.message.text += text
        self.message.reasoning += reasoning
        return text, reasoning

    def end(self, reason: FinishReason, error: str = "") -> None:
        """Saves the whole reply and how it ended. Only the first call counts."""
        if self._ended:
            return
        self._ended = True
        if self._timer is not None:
            self._timer.cancel()
        if held := Delta(self._text.finish(), self._reasoning.finish()):
            self._unsaved.append(held)
        self._gather()
        self.message.finish_reason, self.message.error = reason, error
        self._close(reason)
        if not self.joined:
            self.joined = True
            self._session.attach(self.message, self._parent)
            self._store.save_session(self._session)
        self._store.save_message(self._session.id, self.message)

    def _close(self, reason: FinishReason) -> None:
        progress = self.progress
        progress.last = time.monotonic() if reason in (FinishReason.STOPPED, FinishReason.FAILED) else progress.last
        self.message.timing = progress.timing
        states = {FinishReason.STOPPED: State.STOPPED, FinishReason.FAILED: State.FAILED}
        progress.state = states.get(reason, State.READY)
