"""A reply that is streaming into the session and the store."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace

from streamtui.conversation.continuation import OverlapTrimmer
from streamtui.conversation.retries import Retry
from streamtui.core.message import Delta, FinishReason, Message, Role, Timing, Usage
from streamtui.core.progress import Progress, State
from streamtui.core.sanitize import Cleaner, clean_line
from streamtui.core.session import Session
from streamtui.error_log import LOG
from streamtui.storage import Store
from streamtui.tokens.encodings import counter_for

FLUSH_INTERVAL = 0.25
"""Seconds between updates of the message text, so that a long text is not copied for every delta."""


class Reply:
    """A new reply or the continuation of a partial one. Its message is added and saved with the first delta."""

    def __init__(
        self,
        session: Session,
        store: Store,
        endpoint: str,
        priced: Callable[[Usage, str], Usage],
        partial: Message | None = None,
    ) -> None:
        """Create a reply at the end of the current path, or the continuation of a `partial` reply.

        `priced` adds the cost to the usage of a model.
        """
        message = partial or Message(Role.ASSISTANT, endpoint=endpoint)
        self._session = session
        self._store = store
        self._endpoint = endpoint
        self._priced = priced
        self.is_continuation = partial is not None
        self._parent = session.leaf_id
        self._prompt_tokens = 0
        self._text, self._reasoning = Cleaner(), Cleaner()
        self._trimmer = OverlapTrimmer(message.text)
        self._start = len(message.text)
        """Offset of this request's part in the text of the message."""
        self._gap = "\n\n" if message.reasoning else ""
        """Separator between earlier and new reasoning."""
        self._model = self._reported_model = message.model
        self._reason: FinishReason | None = None
        self._last_error = ""
        self._pending: list[Delta] = []
        self._sizes = [0, 0]
        """Received characters of text and reasoning."""
        self._timer: asyncio.TimerHandle | None = None
        self._joined = self._ended = False
        self.message = message
        now = time.monotonic()
        self.progress = Progress(State.CONNECTING, now, now, last=now, usage_before=message.usage)
        self.progress.timing_before = message.timing or (Timing() if self.is_continuation else None)

    # The request

    def send(self, model: str, prompt_tokens: int) -> None:
        """Record that the request to `model` with about `prompt_tokens` is being sent."""
        self._model = self._reported_model = model
        self._prompt_tokens = prompt_tokens
        self.progress.counter = counter_for(model)
        LOG.debug("request to %s, model %s", self._endpoint, model)
        self._label()
        self._connect()

    def retry(self, retry: Retry | None) -> None:
        """Record the wait before a retry, or its end if `retry` is None."""
        if retry is None:
            self._last_error = ""
            self._connect()
            return
        progress = self.progress
        progress.state, progress.retry_at = State.RETRYING, time.monotonic() + retry.wait
        progress.attempt, progress.retries, progress.reason = retry.number, retry.limit, retry.reason
        self._last_error = retry.message
        LOG.debug("retry %d of %d in %.1f s: %s", retry.number, retry.limit, retry.wait, retry.reason)

    def _connect(self) -> None:
        self.progress.state = State.CONNECTING
        self.progress.sent = self.progress.last = time.monotonic()

    def sent(self) -> None:
        """Record that the server has received the whole request."""
        if self.progress.state is State.CONNECTING:
            self.progress.state = State.WAITING

    # Deltas

    def add(self, received: Delta) -> Delta | None:
        """Sanitize a delta, add it to the message and return the part to show; None if there is none."""
        self.progress.last = time.monotonic()
        if received.text_was_reasoning:
            received = self._with_text_as_reasoning(received)
        delta = self._append(
            self._trimmer.feed(self._text.feed(received.text)), self._reasoning.feed(received.reasoning)
        )
        if received.usage is not None:
            self._set_usage(received.usage)
        if received.finish_reason is not None:
            self.message.finish_reason = self._reason = received.finish_reason
        if received.model:
            self._reported_model = clean_line(received.model)
            self._label()
        if received.notice:
            delta = replace(delta, notice=clean_line(received.notice))
        if received.text_was_reasoning:
            delta = replace(delta, text_was_reasoning=True)
        return delta if delta else None

    def _with_text_as_reasoning(self, received: Delta) -> Delta:
        """Turn this request's text so far into reasoning; return `received` with the text that was held back."""
        held, _ = self._held()
        self._flush()
        message = self.message
        reasoning, message.text = message.text[self._start :], message.text[: self._start]
        if reasoning:
            message.reasoning += self._gap + reasoning
            self._gap = ""
            self._store.save_message(self._session.id, message)
        self._sizes = [0, sum(self._sizes)]
        self._text, self._trimmer = Cleaner(), OverlapTrimmer(message.text)
        self.progress.text = None
        return replace(received, reasoning=held + received.reasoning)

    def _set_usage(self, usage: Usage) -> None:
        self.progress.usage = self._priced(usage, self._model)
        self.message.usage = self.progress.reply_usage

    def flush_held(self) -> Delta | None:
        """Add and return the text that was held back."""
        delta = self._append(*self._held())
        return delta if delta else None

    def _held(self) -> tuple[str, str]:
        return self._trimmer.feed(self._text.finish()) + self._trimmer.finish(), self._reasoning.finish()

    def _append(self, text: str, reasoning: str) -> Delta:
        if reasoning:
            reasoning, self._gap = self._gap + reasoning, ""
        delta = Delta(text, reasoning)
        if delta:
            now, progress = self.progress.last, self.progress
            progress.first = progress.first or now
            progress.text = progress.text or (now if text else None)
            progress.counter.add(reasoning + text)
            self._sizes[0] += len(text)
            self._sizes[1] += len(reasoning)
            if not self._joined:
                self._join()
            self._store.append_delta(self.message.id, text, reasoning)
            self._pending.append(delta)
            if self._timer is None:
                self._timer = asyncio.get_running_loop().call_later(FLUSH_INTERVAL, self._flush)
        return delta

    def _join(self) -> None:
        self._joined = True
        self.progress.state = State.STREAMING
        self._label()
        self._store.use_model(self._endpoint, self._model)  # only now, so that mistyped names are not remembered
        if self.is_continuation:
            self.message.finish_reason, self.message.error = None, ""
        else:
            self.message.created = time.time()
            self._attach()
        self._store.save_message(self._session.id, self.message)

    def _label(self) -> None:
        """Set the model and endpoint of the message; for a continuation, only once its first delta has arrived."""
        if self._joined or not self.is_continuation:
            self.message.model, self.message.endpoint = self._reported_model, self._endpoint

    def _attach(self) -> None:
        self._session.attach(self.message, self._parent)
        self._store.save_session(self._session)

    def flush(self) -> None:
        """Move all deltas that have arrived into the message."""
        if self._timer is not None:
            self._timer.cancel()
            self._flush()

    def _flush(self) -> None:
        self._timer = None
        self.message.text += "".join(delta.text for delta in self._pending)
        self.message.reasoning += "".join(delta.reasoning for delta in self._pending)
        self._pending.clear()

    # The end

    def stop(self, interruption: str = "") -> None:
        """End the reply because it was canceled: by the user, or because of an `interruption`.

        A partial reply that got no new text stays as it was.
        """
        ending = FinishReason.FAILED if interruption else FinishReason.STOPPED
        if self.is_continuation and not self._joined and self._reason is None:
            self._ended = True
            self._close(ending)
            self._store.release(self.message.id)
        else:
            self.end(self._reason or ending, "" if self._reason else interruption or self._last_error)

    def end(self, reason: FinishReason | None, error: str = "") -> None:
        """Save the message and its finish reason; None: the server's. Only the first call has an effect."""
        if self._ended:
            return
        self._ended = True
        if self._timer is not None:
            self._timer.cancel()
        self._pending.append(Delta(*self._held()))
        self._flush()
        if self._joined and self.progress.usage is None:
            self._set_usage(self._estimate())
        reason = reason or self._reason or FinishReason.STOP
        self.message.finish_reason, self.message.error = reason, error
        self._close(reason)
        if (
            self.message.timing is not None or not self.is_continuation
        ):  # otherwise the duration of its first part is unknown
            self.message.timing = self.progress.timing
        if not self._joined and not self.is_continuation:
            self._attach()
        self._store.save_message(self._session.id, self.message)

    def _estimate(self) -> Usage:
        """Estimate the usage of this request, as the server has not sent it."""
        tokens = self.progress.counter.count.tokens
        size = self._sizes[0] + self._sizes[1]
        reasoning = round(tokens * self._sizes[1] / size) if size else 0
        return Usage(self._prompt_tokens, tokens, reasoning, estimated=True)

    def _close(self, reason: FinishReason) -> None:
        progress = self.progress
        LOG.debug("reply ended: %s, %d characters of text, %d of reasoning", reason.value, *self._sizes)
        progress.last = time.monotonic() if reason in (FinishReason.STOPPED, FinishReason.FAILED) else progress.last
        states = {FinishReason.STOPPED: State.STOPPED, FinishReason.FAILED: State.FAILED}
        progress.state = states.get(reason, State.READY)
