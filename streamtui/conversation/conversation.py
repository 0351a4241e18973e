"""The conversation engine: sends prompts, streams replies, and saves both."""

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
from streamtui.conversation.request_context import sent_messages
from streamtui.conversation.retries import Backoff, call_with_retries, stream_with_retries
from streamtui.conversation.session_sync import SessionSync
from streamtui.conversation.side_requests import collect
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
    """A session with its provider and its store."""

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
        """Attach `session` to a provider and a store.

        `shape` may change each request before it is sent. `moderate` checks replies with the moderation API while they
        stream. `max_reply` is the maximum size of a reply in bytes, including reasoning.
        """
        self.session = session
        self.provider = provider
        self.store = store
        self.progress = Progress()
        self.sync = SessionSync(session, store)
        self.context_window = ContextWindow(self)
        """Handles sessions that exceed the context window of their model."""
        self.catalog: Catalog = {}
        """Models of the server by name; empty until loaded or fetched."""
        self._backoff = backoff or Backoff()
        self._shape = shape
        self._moderate = moderate
        self._max_reply = max_reply
        self._rejected = RejectedParameters(store)
        self._reply: Reply | None = None
        self._interruption = ""
        self._context_before: Count | None = None

    @property
    def model(self) -> str:
        """The model for the next prompt; empty until one is known."""
        return self.session.model or self.provider.endpoint.model

    @property
    def current(self) -> Message | None:
        """The current reply, or the last one."""
        return self._reply.message if self._reply is not None else None

    def add_prompt(self, text: str, attachments: Iterable[Attachment] = ()) -> Message:
        """Sanitize, append and save a prompt, and return its message."""
        return self.add(Message(Role.USER, clean(text), attachments=tuple(attachments)))

    def add(self, prompt: Message) -> Message:
        """Append and save a sanitized prompt, and return it."""
        self.sync.save_missing()
        prompt.created = time.time()
        self.session.add(prompt)
        self._note_endpoint()
        self.store.save_session(self.session)
        self.store.save_message(self.session.id, prompt)
        return prompt

    @property
    def is_undecided(self) -> bool:
        """Whether the user must choose an endpoint before the next request."""
        return isinstance(self.provider, UnconfirmedProvider)

    def switch_endpoint(self, provider: Provider) -> None:
        """Use another endpoint from the next request on, with its default model if the address differs."""
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
        """Use the model `name` from the next prompt on."""
        self.session.model = clean_line(name)
        if self.session.messages:
            self.store.save_session(self.session)

    def update_settings(self, system: str, parameters: Parameters) -> None:
        """Use this system prompt and these parameters from the next prompt on."""
        self.session.system, self.session.parameters = clean(system), parameters
        if self.session.messages:
            self.store.save_session(self.session)

    async def resolve_model(self) -> str:
        """Return the model, which defaults to the last one used, then the first one listed. Raise ProviderError."""
        if not self.session.model:
            found = self.provider.endpoint.model or await self._default_model()
            self.session.model = self.session.model or found  # the user may have chosen one meanwhile
        return self.session.model

    async def _default_model(self) -> str:
        endpoint = self.provider.endpoint
        try:
            known = await asyncio.wrap_future(self.store.models(endpoint.name))
        except StoreError:
            known = []  # the store reports the error; the server may still list its models
        used = [model.name for model in known if model.last_used]
        if used:
            return used[0]
        listed = await self.provider.models()
        if not listed:
            raise ProviderError(f"{endpoint.name} lists no models. Specify a model by name.", ErrorKind.REFUSED)
        return listed[0]

    @property
    def parameters(self) -> Parameters:
        """Parameters of the next request: the session's over those of the model and the endpoint."""
        return self.session.parameters.over(self.provider.endpoint.parameters_for(self.model))

    def context(self) -> Count:
        """Return the number of tokens so far. Cheap while a reply is streaming."""
        if self.progress.replying and self._context_before is not None:
            return Count(self._context_before.tokens + self.progress.request_count.tokens, False)
        return self.count(self.session.path())

    def count(self, path: Sequence[Message]) -> Count:
        """Return the number of tokens of a request for `path`, with the system prompt."""
        return context_count(sent_messages(path), self.session.system, self.model)

    @property
    def window(self) -> int | None:
        """Context window of the current model in tokens; None if unknown."""
        return context_window_of(self.provider.endpoint, self.model, self.catalog.get(self.model))

    def cost(self) -> Cost | None:
        """Return the cost of the session so far; None if unknown."""
        return session_cost(self.session, self.provider.endpoint, self.catalog)

    async def load_catalog(self) -> None:
        """Load the saved model catalog. Raise StoreError."""
        saved = await asyncio.wrap_future(self.store.catalog(self.provider.endpoint.name))
        self.catalog = saved

    async def fetch_catalog(self) -> list[str]:
        """Fetch and save the server's model catalog; return the names of the models. Raise ProviderError."""
        listed = await self.provider.catalog()
        self.catalog = {model.name: model for model in listed}
        self.store.save_catalog(self.provider.endpoint.name, listed)
        return list(self.catalog)

    def select_sibling(self, message: Message, by: int) -> bool:
        """Show the sibling of `message` at the offset `by` instead; return False if there is none."""
        selected = self.session.turn(message, by)
        if selected:
            self.store.save_session(self.session)
        return selected

    def rewind_to(self, message_id: str) -> None:
        """Move to the parent of the prompt `message_id`, so that the next prompt becomes its sibling."""
        self.session.leaf_id = self.session.messages[message_id].parent_id
        self.store.save_session(self.session)

    def fork(self, message_id: str) -> Session:
        """Save and return a copy of the session up to the message `message_id`."""
        fork = self.session.fork(message_id)
        self.store.save_whole(fork)
        return fork

    def show(self, message_id: str) -> bool:
        """Show the branch with the message; return False if it is already shown or doesn't exist."""
        before = self.session.leaf_id
        shown = self.session.show(message_id) and self.session.leaf_id != before
        if shown:
            self.store.save_session(self.session)
        return shown

    def rewind(self) -> bool:
        """Move back to the last prompt, so that the next reply becomes a sibling of the last one.

        Return False if there is no prompt. Nothing is deleted.
        """
        prompt = self.session.last(Role.USER)
        if prompt is None:
            return False
        self.session.leaf_id = prompt.id
        self.store.save_session(self.session)
        return True

    def reply(self) -> AsyncGenerator[Delta]:
        """Request a reply to the current path and yield sanitized deltas.

        The reply (`current`) is added to the session and saved with its first delta. Transient errors before that are
        retried, as `progress` shows. `Message.finish_reason` tells how the reply ended, and the partial reply is kept;
        errors, including internal ones, are not raised but stored in `Message.error`. A delta may have a notice for the
        user. Iterate inside `contextlib.aclosing`.
        """
        return self._begin(None)

    @property
    def partial_reply(self) -> Message | None:
        """The reply at the end of the current path, if it is incomplete."""
        last = self.session.messages.get(self.session.leaf_id or "")
        return last if last is not None and last.is_cut else None

    def continue_reply(self) -> AsyncGenerator[Delta]:
        """Continue `partial_reply` in the same message and yield the new deltas; otherwise like `reply`.

        Raise ValueError if there is no partial reply.
        """
        partial = self.partial_reply
        if partial is None:
            raise ValueError("there is no partial reply to continue")
        return self._begin(partial)

    def _begin(self, partial: Message | None) -> AsyncGenerator[Delta]:
        self.sync.save_missing()
        self._note_endpoint()
        self._context_before = self.context()
        if partial is not None and partial.usage is None:
            partial.usage = self._estimated_usage(partial)
        reply = Reply(self.session, self.store, self.provider.endpoint.name, self._priced, partial)
        self._reply, self.progress = reply, reply.progress
        return self._stream(reply)

    def flush_reply(self) -> None:
        """Move all deltas that have arrived into the text of the reply."""
        if self._reply is not None:
            self._reply.flush()

    def interrupt(self, reason: str) -> None:
        """Set the error message for a reply that is about to be canceled, but not by the user."""
        self._interruption = reason

    async def _stream(self, reply: Reply) -> AsyncGenerator[Delta]:
        try:
            if reply.is_continuation and not await self.sync.claim(reply.message):
                yield Delta(notice="This reply was continued in another window. Nothing was sent.")
                reply.stop()
                return
            request = await self._request(reply)
            reply.send(request.model, self._context_before.tokens if self._context_before is not None else 0)
            request = replace(request, sent=reply.sent)
            replies = stream_with_retries(self.provider, request, self._backoff, reply.retry)
            replies = limited(replies, self._max_reply)
            async with aclosing(moderated(replies, self.provider) if self._moderate else replies) as deltas:
                async for received in deltas:
                    if received.adapted:
                        self._rejected.learn(self.provider.endpoint.name, request.model, received.adapted)
                    if delta := reply.add(received):
                        yield delta
            if delta := reply.flush_held():
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
            # The task itself was not canceled, but something it awaits, such as a future of the store.
            LOG.error("The reply failed", exc_info=error)
        except Exception as error:  # noqa: BLE001 - the one place where a reply ends
            LOG.error("The reply failed", exc_info=error)
        finally:
            reply.end(FinishReason.FAILED, INTERNAL_ERROR)

    def _estimated_usage(self, partial: Message) -> Usage:
        """Estimate the usage of a reply without one, such as after a crash."""
        counter = counter_for(partial.model)
        counter.add(partial.reasoning + partial.text)
        prompt = self.count(self.session.path()[:-1]).tokens
        usage = Usage(prompt, counter.count.tokens, estimated=True)
        return self._priced(usage, partial.model) if partial.endpoint == self.provider.endpoint.name else usage

    def _priced(self, usage: Usage, model: str) -> Usage:
        """Return `usage` with its cost at current prices."""
        endpoint, listed = self.provider.endpoint, self.catalog.get(model)
        cost = cost_of(usage, endpoint, model, listed, time.time())
        by_name = cost is not None and usage.cost is None and priced_by_name(endpoint, model, listed)
        return replace(usage, cost=cost, cost_by_name=by_name)

    @property
    def may_cost(self) -> bool:
        """Whether replies may have a cost, even if it is unknown."""
        return may_cost(self.provider.endpoint, self.model, self.catalog.get(self.model))

    async def _request(self, reply: Reply) -> Request:
        """Return the request for a reply to the current path, or for the continuation of its last reply."""
        endpoint, messages = self.provider.endpoint, sent_messages(self.session.path())
        model = await call_with_retries(self.resolve_model, endpoint.retries, self._backoff, reply.retry)
        if reply.is_continuation and api_for(endpoint, model) is not Api.COMPLETIONS:
            messages.append(Message(Role.USER, CONTINUE_PROMPT))
        request = Request(
            model,
            tuple(messages),
            self.session.system,
            parameters=self.parameters,
            adaptations=await self._rejected.of(endpoint.name, model),
        )
        return self._shape(request)

    async def complete_once(self, model: str, prompt: str, *, retry: bool = False) -> tuple[str, Usage | None]:
        """Send a prompt outside the conversation and return the sanitized reply and its usage.

        `retry` retries transient errors. Raise ProviderError, also if the reply is empty.
        """
        endpoint = self.provider.endpoint
        request = Request(
            model,
            (Message(Role.USER, prompt),),
            parameters=replace(endpoint.parameters_for(model), stop=(), max_tokens=None),
            adaptations=await self._rejected.of(endpoint.name, model),
        )
        retried = stream_with_retries(self.provider, request, self._backoff, lambda _: None)
        deltas = retried if retry else self.provider.stream(request)
        text, usage = await collect(limited(deltas, self._max_reply), model)
        return text, usage and self._priced(usage, model)
