"""Decode the body of a reply into deltas, and detect whether it is complete."""

import json
from collections.abc import Callable, Iterator
from typing import Any

from streamtui.core.message import Delta, FinishReason
from streamtui.providers.error_bodies import error_in
from streamtui.providers.error_explainer import Explainer
from streamtui.providers.sse import Event, SSEDecoder, SSEError
from streamtui.providers.stream_assembler import StreamAssembler, StreamEvent
from streamtui.providers.wire_formats import Decode

_MAX_PLAIN = 32 * 1024 * 1024
"""Maximum bytes of a body that is not a stream."""
_STREAM_STARTS = (b"data", b"event", b"id", b"retry", b":")


class ReplyReader:
    """Decodes the body of one reply, without I/O.

    A stream is complete once it has a finish reason. ``[DONE]`` after some text counts as one (STOP), as many small
    servers send none. A plain JSON completion, from a server that ignores ``stream``, is a complete reply.
    """

    def __init__(
        self,
        decode: Decode,
        explain: Explainer,
        tap: Callable[[str], None] | None = None,
        *,
        inline_reasoning: bool = True,
    ) -> None:
        """`tap`: called with the data of every event, or with the whole body where it is no stream.
        `inline_reasoning`: whether tags in the text mark reasoning.
        """
        self._decode = decode
        self._explain = explain
        self._tap = tap
        self._joiner = StreamAssembler(inline_reasoning=inline_reasoning)
        self.content_type = ""
        """The content type of the body."""
        self._events = SSEDecoder()
        self._plain: bytearray | None = bytearray()
        """The body, while it may still turn out not to be a stream."""
        self.begun = False
        """True once text or reasoning has arrived."""
        self.finished = False
        """True once the reply is complete; usage may follow."""
        self.done = False
        """True once nothing can follow."""

    def feed(self, chunk: bytes) -> Iterator[Delta]:
        """Yield the deltas that `chunk` completes. Raise ProviderError after those before the error."""
        self._keep(chunk)
        try:
            events = self._events.feed(chunk)
        except SSEError:
            raise self._explain.invalid_response() from None
        for event in events:
            self._plain = None
            yield from self._read(event)
            if self.done:
                return

    def finish(self) -> Iterator[Delta]:
        """Yield the remaining deltas at the end of the body. Raise ProviderError if the reply is incomplete."""
        if self.done:
            return
        if self._plain is not None and not self._is_stream_so_far():
            yield from self._whole(self._plain)
            return
        for event in self._events.finish():
            # A body that ends inside an event is truncated, not invalid.
            if self._parsed(event) is not None or event.data.startswith("[DONE]"):
                self._plain = None
                yield from self._read(event)
        if self.finished:
            return
        raise self._explain.connection_lost(self.begun)

    def rest(self) -> Delta:
        """Return the text held back when a reply ends early."""
        return self._joiner.rest()

    def _keep(self, chunk: bytes) -> None:
        if self._plain is None:
            return
        self._plain += chunk
        if len(self._plain) > 64 and self._is_stream_so_far():
            self._plain = self._plain[:64]
        elif len(self._plain) > _MAX_PLAIN:
            raise self._explain.invalid_response()

    def _is_stream_so_far(self) -> bool:
        if self._plain is None:
            return True
        return bytes(self._plain[:64]).removeprefix(b"\xef\xbb\xbf").lstrip().startswith(_STREAM_STARTS)

    def _read(self, event: Event) -> Iterator[Delta]:
        if self._tap is not None:
            self._tap(event.data)
        if event.data.startswith("[DONE]"):
            self.done = True
            if not self.finished and self.begun:
                yield self._joined(Delta(finish_reason=FinishReason.STOP))
            elif not self.finished:
                raise self._explain.connection_lost(begun=False)
            return
        data = self._parsed(event)
        if event.name == "error":
            raise self._explain.sent_error(error_in(data) or data or event.data)
        if data is None:
            if event.data.strip() not in ("", "null"):
                raise self._explain.invalid_response()
            return
        piece = self._decode(data, self._explain)
        if piece is not None:
            yield from self._shown(piece)

    def _shown(self, piece: Delta | StreamEvent) -> Iterator[Delta]:
        if delta := self._joined(piece):
            yield delta
        if isinstance(piece, StreamEvent) and piece.failure is not None:
            raise piece.failure

    def _joined(self, piece: Delta | StreamEvent) -> Delta:
        delta, raw = self._joiner.take(piece), piece.delta if isinstance(piece, StreamEvent) else piece
        self.begun = self.begun or bool(raw.text or delta.text or delta.reasoning)
        self.finished = self.finished or delta.finish_reason is not None
        # A repeat of the whole reply with its usage is the last event.
        self.done = self.done or (
            isinstance(piece, StreamEvent) and piece.whole and self.finished and bool(delta.usage)
        )
        return delta

    @staticmethod
    def _parsed(event: Event) -> Any:
        """The parsed data; None if it is not JSON. Servers send empty events to keep a connection open."""
        try:
            return json.loads(event.data)
        except (ValueError, RecursionError):
            return None

    def _whole(self, body: bytearray) -> Iterator[Delta]:
        text = body.decode("utf-8-sig", "replace")
        data = self._parsed(Event(text))
        if self._tap is not None:
            self._tap(text)
        if error_in(data) is not None:
            raise self._explain.sent_error(error_in(data))
        piece = self._decode(data, self._explain)
        if piece is not None:
            yield from self._shown(piece)
        if not (self.begun or self.finished):
            raise self._explain.not_a_stream(text, self.content_type)
        self.done = True
        if not self.finished:
            yield self._joined(Delta(finish_reason=FinishReason.STOP))
