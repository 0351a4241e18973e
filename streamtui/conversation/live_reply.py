"""Reply: a message on its way from the provider into the session and the store."""

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

GATHER_EVERY = 0.25
"""Seconds between two moves of what came into the message: a long text is not copied for every piece."""


class Reply:
    """A new message, or one that was cut and goes on. It takes its place, and its row, with the first piece."""

    def __init__(
        self,
        session: Session,
        store: Store,
        endpoint: str,
        priced: Callable[[Usage, str], Usage],
        cut: Message | None = None,
    ) -> None:
        """A reply by `endpoint` behind the end of the path, or, given the message that was `cut`, its continuation.

        `priced` notes what tokens of a model cost.
        """
        message = cut or Message(Role.ASSISTANT, endpoint=endpoint)
        self._session = session
        self._store = store
        self._endpoint = endpoint
        self._priced = priced
        self.goes_on = cut is not None
        """Whether it continues a message."""
        self._parent = session.leaf_id
        self._prompt_tokens = 0
        self._text, self._reasoning = Cleaner(), Cleaner()
        self._seam = OverlapTrimmer(message.text)
        self._begin = len(message.text)
        """Where in its text this request's begins."""
        self._gap = "\n\n" if message.reasoning else ""
        """Between what it thought before and what it thinks now."""
        self._model = self._answers = message.model
        self._reason: FinishReason | None = None
        self._trouble = ""
        self._ungathered: list[Delta] = []
        self._sizes = [0, 0]
        """Characters of text and of reasoning that came."""
        self._timer: asyncio.TimerHandle | None = None
        self._joined = self._ended = False
        self.message = message
        now = time.monotonic()
        self.progress = Progress(State.CONNECTING, now, now, last=now, usage_before=message.usage)
        self.progress.timing_before = message.timing or (Timing() if self.goes_on else None)

    # The request

    def send(self, model: str, prompt_tokens: int) -> None:
        """Notes that the request to `model` goes out now; `prompt_tokens`: about what it holds."""
        self._model = self._answers = model
        self._prompt_tokens = prompt_tokens
        self.progress.counter = counter_for(model)
        LOG.debug("request to %s, model %s", self._endpoint, model)
        self._label()
        self._connect()

    def retry(self, retry: Retry | None) -> None:
        """Notes a wait before the request is sent again; None: it is over."""
        if retry is None:
            self._trouble = ""
            self._connect()
            return
        progress = self.progress
        progress.state, progress.retry_at = State.RETRYING, time.monotonic() + retry.wait
        progress.attempt, progress.retries, progress.reason = retry.number, retry.most, retry.reason
        self._trouble = retry.sentence
        LOG.debug("retry %d of %d in %.1f s: %s", retry.number, retry.most, retry.wait, retry.reason)

    def _connect(self) -> None:
        self.progress.state = State.CONNECTING
        self.progress.sent = self.progress.last = time.monotonic()

    def sent(self) -> None:
        """Notes that the server has the whole request."""
        if self.progress.state is State.CONNECTING:
            self.progress.state = State.WAITING

    # Its pieces

    def take(self, piece: Delta) -> Delta | None:
        """Cleans a piece, adds it to the message and returns what there is to show of it."""
        self.progress.last = time.monotonic()
        if piece.text_was_reasoning:
            piece = self._with_text_as_reasoning(piece)
        delta = self._add(self._seam.feed(self._text.feed(piece.text)), self._reasoning.feed(piece.reasoning))
        if piece.usage is not None:
            self._reckon(piece.usage)
        if piece.finish_reason is not None:
            self.message.finish_reason = self._reason = piece.finish_reason
        if piece.model:
            self._answers = clean_line(piece.model)
            self._label()
        if piece.notice:
            delta = replace(delta, notice=clean_line(piece.notice))
        if piece.text_was_reasoning:
            delta = replace(delta, text_was_reasoning=True)
        return delta if delta else None

    def _with_text_as_reasoning(self, piece: Delta) -> Delta:
        """Makes this request's text so far reasoning; returns `piece` with what of it was still held back."""
        held, _ = self._held()
        self._gather()
        message = self.message
        thought, message.text = message.text[self._begin :], message.text[: self._begin]
        if thought:
            message.reasoning += self._gap + thought
            self._gap = ""
            self._store.save_message(self._session.id, message)
        self._sizes = [0, sum(self._sizes)]
        self._text, self._seam = Cleaner(), OverlapTrimmer(message.text)
        self.progress.text = None
        return replace(piece, reasoning=held + piece.reasoning)

    def _reckon(self, usage: Usage) -> None:
        self.progress.usage = self._priced(usage, self._model)
        self.message.usage = self.progress.reply_usage

    def rest(self) -> Delta | None:
        """Adds what was held back because a next piece could have completed it, and returns it."""
        delta = self._add(*self._held())
        return delta if delta else None

    def _held(self) -> tuple[str, str]:
        return self._seam.feed(self._text.finish()) + self._seam.finish(), self._reasoning.finish()

    def _add(self, text: str, reasoning: str) -> Delta:
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
            self._ungathered.append(delta)
            if self._timer is None:
                self._timer = asyncio.get_running_loop().call_later(GATHER_EVERY, self._gather)
        return delta

    def _join(self) -> None:
        self._joined = True
        self.progress.state = State.STREAMING
        self._label()
        self._store.use_model(self._endpoint, self._model)  # only now: a name that was mistyped never answers
        if self.goes_on:
            self.message.finish_reason, self.message.error = None, ""
        else:
            self.message.created = time.time()
            self._attach()
        self._store.save_message(self._session.id, self.message)

    def _label(self) -> None:
        """Says who answers: at once, but of what another model has begun only when this one goes on with it."""
        if self._joined or not self.goes_on:
            self.message.model, self.message.endpoint = self._answers, self._endpoint

    def _attach(self) -> None:
        self._session.attach(self.message, self._parent)
        self._store.save_session(self._session)

    def _gather(self) -> None:
        self._timer = None
        self.message.text += "".join(delta.text for delta in self._ungathered)
        self.message.reasoning += "".join(delta.reasoning for delta in self._ungathered)
        self._ungathered.clear()

    # The end

    def stop(self, interruption: str = "") -> None:
        """Ends it because nobody listens any more: the user stopped it, or there was an `interruption`.

        What was cut before and got nothing more stays as it was.
        """
        ending = FinishReason.FAILED if interruption else FinishReason.STOPPED
        if self.goes_on and not self._joined and self._reason is None:
            self._ended = True
            self._close(ending)
            self._store.release(self.message.id)
        else:
            self.end(self._reason or ending, "" if self._reason else interruption or self._trouble)

    def end(self, reason: FinishReason | None, error: str = "") -> None:
        """Saves the whole message and how it ended; None: as the server said. Only the first call counts."""
        if self._ended:
            return
        self._ended = True
        if self._timer is not None:
            self._timer.cancel()
        self._ungathered.append(Delta(*self._held()))
        self._gather()
        if self._joined and self.progress.usage is None:
            self._reckon(self._estimate())
        reason = reason or self._reason or FinishReason.STOP
        self.message.finish_reason, self.message.error = reason, error
        self._close(reason)
        if self.message.timing is not None or not self.goes_on:  # else nobody knows how long its beginning took
            self.message.timing = self.progress.timing
        if not self._joined and not self.goes_on:
            self._attach()
        self._store.save_message(self._session.id, self.message)

    def _estimate(self) -> Usage:
        """What this request took, which the server has not said: it was stopped before, or it never does."""
        tokens = self.progress.counter.count.tokens
        size = self._sizes[0] + self._sizes[1]
        thought = round(tokens * self._sizes[1] / size) if size else 0
        return Usage(self._prompt_tokens, tokens, thought, estimated=True)

    def _close(self, reason: FinishReason) -> None:
        progress = self.progress
        LOG.debug("reply ended: %s, %d characters of text, %d of reasoning", reason.value, *self._sizes)
        progress.last = time.monotonic() if reason in (FinishReason.STOPPED, FinishReason.FAILED) else progress.last
        states = {FinishReason.STOPPED: State.STOPPED, FinishReason.FAILED: State.FAILED}
        progress.state = states.get(reason, State.READY)
