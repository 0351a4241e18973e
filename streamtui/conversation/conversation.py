"""Conversation: a session being talked to; the one place a turn happens."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import aclosing
from dataclasses import replace

from streamtui.config import MAX_REPLY_MB, MB, Api
from streamtui.conversation.context_window import ContextWindow
from streamtui.conversation.live_reply import Reply
from streamtui.conversation.moderation import moderated
from streamtui.conversation.rejected_parameters import RejectedParameters
from streamtui.conversation.reply_limit import limited
from streamtui.conversation.request_context import sent
from streamtui.conversation.retries import Backoff, call_with_retries, stream_with_retries
from streamtui.conversation.session_sync import SessionSync
from streamtui.conversation.side_requests import answer
from streamtui.conversation.token_usage import context_count
from streamtui.core.message import Attachment, Delta, FinishReason, Message, Role, Usage
from streamtui.core.models import api_for, context_window_of, may_cost, priced_by_name
from streamtui.core.parameters import Parameters
from streamtui.core.pricing import Catalog, Cost, cost_of, session_cost
from streamtui.core.progress import Progress
from streamtui.core.sanitize import clean, clean_line
from streamtui.core.session import Session
from streamtui.error_log import LOG
from streamtui.providers.base import CONTINUE_PROMPT, ErrorKind, Provider, ProviderError, Request
from streamtui.providers.unconfirmed import UnconfirmedProvider
from streamtui.storage import Store, StoreError
from streamtui.tokens import Count
from streamtui.tokens.encodings import counter_for

INTERNAL_ERROR = "An internal error in streamtui ended the reply. Retry, and please report it."


def _is_canceled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


class Conversation:
    """A session with the provider that answers it and the store that keeps it."""

    def __init__(
        self,
        session: Session,
        provider: Provider,
        store: Store,
        *,
        backoff: Backoff | None = None,
        shape: Callable[[Request], Request] = lambda request: request,
        moderate: bool = False,
        max_reply: int = round(MAX_REPLY_MB * MB),
    ) -> None:
        """`backoff`: how long to wait before a request that failed is sent again; `shape`: has the last word on
        every request; `moderate`: whether the server's moderation checks replies while they arrive;
        `max_reply`: bytes of text and reasoning at which a reply is stopped.
        """
        self.session = session
        self.provider = provider
        self.store = store
        self.progress = Progress()
        self.sync = SessionSync(session, store)
        self.context_window = ContextWindow(self)
        """What to do where the session is longer than its model can take."""
        self.catalog: Catalog = {}
        """What the server says of its models, by name; empty until it was recalled or asked."""
        self._backoff = backoff or Backoff()
        self._shape = shape
        self._moderate = moderate
        self._max_reply = max_reply
        self._adaptations = RejectedParameters(store)
        self._reply: Reply | None = None
        self._interruption = ""
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
        return self.add(Message(Role.USER, clean(text), attachments=tuple(attachments)))

    def add(self, prompt: Message) -> Message:
        """Appends and saves a prompt that is clean, and returns it."""
        self.sync.save_missing()
        prompt.created = time.time()
        self.session.add(prompt)
        self._note_endpoint()
        self.store.save_session(self.session)
        self.store.save_message(self.session.id, prompt)
        return prompt

    @property
    def is_undecided(self) -> bool:
        """Whether the user has to choose an endpoint before anything is sent."""
        return isinstance(self.provider, UnconfirmedProvider)

    def switch_endpoint(self, provider: Provider) -> None:
        """Sends the session to another endpoint from the next request on, with its usual model if the host differs."""
        endpoint, session = provider.endpoint, self.session
        is_same = endpoint.address == session.address if session.address else endpoint.name == session.endpoint
        if not is_same:
            session.model = endpoint.model
        self.provider, self.catalog = provider, {}
        self._note_endpoint()
        if self.session.messages:
            self.store.save_session(self.session)

    def _note_endpoint(self) -> None:
        if not self.is_undecided:
            endpoint = self.provider.endpoint
            self.session.endpoint, self.session.address = endpoint.name, endpoint.address

    def switch_model(self, name: str) -> None:
        """Sends the next prompts of the session to model `name`."""
        self.session.model = clean_line(name)
        if self.session.messages:
            self.store.save_session(self.session)

    def update_settings(self, system: str, parameters: Parameters) -> None:
        """Asks with this system prompt and these parameters from the next prompt on."""
        self.session.system, self.session.parameters = clean(system), parameters
        if self.session.messages:
            self.store.save_session(self.session)

    async def resolve_model(self) -> str:
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
            raise ProviderError(
                f"{endpoint.name} lists no models; press F2 and type the name of one.", ErrorKind.REFUSED
            )
        return listed[0]

    @property
    def parameters(self) -> Parameters:
        """What the next request asks for: the session's settings over those of the model and the endpoint."""
        return self.session.parameters.over(self.provider.endpoint.parameters_for(self.model))

    def context(self) -> Count:
        """Tokens of the conversation so far, and how sure that is. While a reply arrives it costs nothing."""
        if self.progress.replying and self._before is not None:
            return Count(self._before.tokens + self.progress.request_count.tokens, False)
        return self.count(self.session.path())

    def count(self, path: Sequence[Message]) -> Count:
        """Tokens of what is sent of `path`, and of the system prompt."""
        return context_count(sent(path), self.session.system, self.model)

    @property
    def window(self) -> int | None:
        """Tokens that the model in use takes in; None where nobody says."""
        return context_window_of(self.provider.endpoint, self.model, self.catalog.get(self.model))

    def cost(self) -> Cost | None:
        """What the session cost until now; None where it is not known."""
        return session_cost(self.session, self.provider.endpoint, self.catalog)

    async def load_catalog(self) -> None:
        """Takes what the server said of its models the last time it was asked. Raises StoreError."""
        recalled = await asyncio.wrap_future(self.store.catalog(self.provider.endpoint.name))
        self.catalog = recalled

    async def fetch_catalog(self) -> list[str]:
        """Asks the server for its models, remembers what it says of them, returns their names. Raises ProviderError."""
        listed = await self.provider.catalog()
        self.catalog = {model.name: model for model in listed}
        self.store.save_catalog(self.provider.endpoint.name, listed)
        return list(self.catalog)

    def select_sibling(self, message: Message, by: int) -> bool:
        """Shows another reply to the same prompt in place of `message`, or another prompt; False for none."""
        turned = self.session.turn(message, by)
        if turned:
            self.store.save_session(self.session)
        return turned

    def rewind_to(self, message_id: str) -> None:
        """Moves the path shown to where the prompt `message_id` was asked: the next one stands beside it."""
        self.session.leaf_id = self.session.messages[message_id].parent_id
        self.store.save_session(self.session)

    def fork(self, message_id: str) -> Session:
        """Saves and returns a new session that says what this one does up to the message `message_id`."""
        fork = self.session.fork(message_id)
        self.store.save_whole(fork)
        return fork

    def show(self, message_id: str) -> bool:
        """Shows the branch that a message is on; False where it is shown already, or nowhere."""
        before = self.session.leaf_id
        shown = self.session.show(message_id) and self.session.leaf_id != before
        if shown:
            self.store.save_session(self.session)
        return shown

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

        The reply (`current`) takes its place in the session, and its row in the store, with its first piece. A
        failure before it that may pass is followed by another try; `progress` says so. However it ends (done,
        stopped by cancelling, failed) `Message.finish_reason` says so and what came is kept; a failure, also one of
        streamtui itself, is told by `Message.error`, not raised. A delta may hold a notice for the user. Iterate
        inside `contextlib.aclosing`.
        """
        return self._begin(None)

    @property
    def partial_reply(self) -> Message | None:
        """The reply at the end of the path shown, if it ended before it was done."""
        last = self.session.messages.get(self.session.leaf_id or "")
        return last if last is not None and last.is_cut else None

    def continue_reply(self) -> AsyncGenerator[Delta]:
        """Goes on with `partial_reply`, in the same message, and yields what is new; else like `reply`.

        Raises ValueError where there is none.
        """
        cut = self.partial_reply
        if cut is None:
            raise ValueError("there is no reply to go on with")
        return self._begin(cut)

    def _begin(self, cut: Message | None) -> AsyncGenerator[Delta]:
        self.sync.save_missing()
        self._note_endpoint()
        self._before = self.context()
        if cut is not None and cut.usage is None:
            cut.usage = self._uncounted(cut)
        reply = Reply(self.session, self.store, self.provider.endpoint.name, self._priced, cut)
        self._reply, self.progress = reply, reply.progress
        return self._pieces(reply)

    def interrupt(self, reason: str) -> None:
        """Note why the reply is about to be canceled, in a sentence, where it is not the user who stops it."""
        self._interruption = reason

    async def _pieces(self, reply: Reply) -> AsyncGenerator[Delta]:
        try:
            if reply.goes_on and not await self.sync.claim(reply.message):
                yield Delta(notice="This reply went on in another window; nothing was asked here.")
                reply.stop()
                return
            request = await self._request(reply)
            reply.send(request.model, self._before.tokens if self._before is not None else 0)
            request = replace(request, sent=reply.sent)
            replies = stream_with_retries(self.provider, request, self._backoff, reply.retry)
            replies = limited(replies, self._max_reply)
            async with aclosing(moderated(replies, self.provider) if self._moderate else replies) as pieces:
                async for piece in pieces:
                    if piece.adapted:
                        self._adaptations.learn(self.provider.endpoint.name, request.model, piece.adapted)
                    if delta := reply.take(piece):
                        yield delta
            if delta := reply.rest():
                yield delta
            reply.end(None)
        except ProviderError as error:
            reply.end(FinishReason.FAILED, error.message)
        except GeneratorExit:
            reply.stop(self._interruption)
            raise
        except asyncio.CancelledError as error:
            if _is_canceled():
                reply.stop(self._interruption)
                raise
            # Nobody asked this task to stop: something inside was canceled, such as a future of the store.
            LOG.error("The reply was broken off", exc_info=error)
        except Exception as error:  # noqa: BLE001 - the one place where a reply ends
            LOG.error("The reply was broken off", exc_info=error)
        finally:
            reply.end(FinishReason.FAILED, INTERNAL_ERROR)

    def _uncounted(self, cut: Message) -> Usage:
        """About what a reply took that nobody counted, such as one whose program was killed."""
        counter = counter_for(cut.model)
        counter.add(cut.reasoning + cut.text)
        prompt = self.count(self.session.path()[:-1]).tokens
        usage = Usage(prompt, counter.count.tokens, estimated=True)
        return self._priced(usage, cut.model) if cut.endpoint == self.provider.endpoint.name else usage

    def _priced(self, usage: Usage, model: str) -> Usage:
        """Notes what it costs now, whatever prices say later."""
        endpoint, said = self.provider.endpoint, self.catalog.get(model)
        cost = cost_of(usage, endpoint, model, said, time.time())
        by_name = cost is not None and usage.cost is None and priced_by_name(endpoint, model, said)
        return replace(usage, cost=cost, cost_by_name=by_name)

    @property
    def may_cost(self) -> bool:
        """Whether replies may cost something, also where nobody says how much."""
        return may_cost(self.provider.endpoint, self.model, self.catalog.get(self.model))

    async def _request(self, reply: Reply) -> Request:
        """Returns what the path shown asks: an answer to its last prompt, or more of its last reply."""
        endpoint, messages = self.provider.endpoint, sent(self.session.path())
        model = await call_with_retries(self.resolve_model, endpoint.retries, self._backoff, reply.retry)
        if reply.goes_on and api_for(endpoint, model) is not Api.COMPLETIONS:
            messages.append(Message(Role.USER, CONTINUE_PROMPT))
        request = Request(
            model,
            tuple(messages),
            self.session.system,
            parameters=self.parameters,
            adaptations=await self._adaptations.of(endpoint.name, model),
        )
        return self._shape(request)

    async def complete_once(self, model: str, prompt: str, *, retry: bool = False) -> tuple[str, Usage | None]:
        """Asks `model` for something beside the conversation; returns what it says, cleaned, and what that took.

        Raises ProviderError, also where it says nothing; `retry`: not before it was asked again.
        """
        endpoint = self.provider.endpoint
        request = Request(
            model,
            (Message(Role.USER, prompt),),
            parameters=replace(endpoint.parameters_for(model), stop=(), max_tokens=None),
            adaptations=await self._adaptations.of(endpoint.name, model),
        )
        again = stream_with_retries(self.provider, request, self._backoff, lambda _: None)
        pieces = again if retry else self.provider.stream(request)
        text, usage = await answer(limited(pieces, self._max_reply), model)
        return text, usage and self._priced(usage, model)
