"""Encode the demo's replies for each of the three APIs: as events, or whole."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from streamtui.providers.demo.answers import Ending

Json = dict[str, Any]
CREATED = 1_760_000_000
_BROKEN = {"message": "The server had an error while streaming.", "type": "server_error", "code": None}


@dataclass(frozen=True, slots=True)
class Reply:
    """The reply to encode."""

    model: str
    thinking: list[str]
    """In tokens."""
    text: list[str]
    asked: int
    """Tokens of the request."""
    cut: bool = False
    """Whether the limit of the request cut it."""
    ending: Ending = Ending.COMPLETE
    with_usage: bool = True
    """Whether a stream tells what it took."""


class EventEncoder(ABC):
    """Encodes a reply as OpenAI does."""

    done = b"data: [DONE]\n\n"
    """What follows the last event."""

    def __init__(self, reply: Reply) -> None:
        self.reply = reply

    @abstractmethod
    def events(self) -> Iterator[Json]:
        """Yield the events of the reply: reasoning, text, finish reason, usage."""

    @abstractmethod
    def whole(self) -> Json:
        """Return the body of a reply that is not streamed."""

    def _object(self, kind: str, choices: list[Json]) -> Json:
        made = {"created": CREATED, "model": self.reply.model}
        return {"id": "demo-1", "object": kind, **made, "choices": choices}

    @property
    def _finish(self) -> str:
        return "length" if self.reply.cut else "stop"

    def _usage(self) -> Json:
        thought, written = len(self.reply.thinking), len(self.reply.text)
        return {
            "prompt_tokens": self.reply.asked,
            "completion_tokens": thought + written,
            "total_tokens": self.reply.asked + thought + written,
            "completion_tokens_details": {"reasoning_tokens": thought},
        }


class ChatEncoder(EventEncoder):
    """Chat Completions."""

    def events(self) -> Iterator[Json]:
        """Yield chunks."""
        yield self._chunk({"role": "assistant", "content": ""})
        for token in self.reply.thinking:
            yield self._chunk({"reasoning_content": token})
        for token in self.reply.text:
            yield self._chunk({"content": token})
        if self.reply.ending is Ending.ERROR:
            yield {"error": _BROKEN}
        elif self.reply.ending is Ending.COMPLETE:
            yield self._chunk({}, self._finish)
            if self.reply.with_usage:
                yield self._object("chat.completion.chunk", []) | {"usage": self._usage()}

    def whole(self) -> Json:
        """Return a completion."""
        message = {"role": "assistant", "content": "".join(self.reply.text)}
        if self.reply.thinking:
            message["reasoning_content"] = "".join(self.reply.thinking)
        choice = {"index": 0, "message": message, "finish_reason": self._finish}
        return self._object("chat.completion", [choice]) | {"usage": self._usage()}

    def _chunk(self, delta: Json, finish_reason: str | None = None) -> Json:
        return self._object("chat.completion.chunk", [{"index": 0, "delta": delta, "finish_reason": finish_reason}])


class CompletionsEncoder(EventEncoder):
    """Legacy Completions, which have no reasoning."""

    def events(self) -> Iterator[Json]:
        """Yield pieces of a completion."""
        for token in self.reply.text:
            yield self._piece(token)
        if self.reply.ending is Ending.ERROR:
            yield {"error": _BROKEN}
        elif self.reply.ending is Ending.COMPLETE:
            yield self._piece("", self._finish)
            if self.reply.with_usage:
                yield self._object("text_completion", []) | {"usage": self._usage()}

    def whole(self) -> Json:
        """Return a completion."""
        return self._piece("".join(self.reply.text), self._finish) | {"usage": self._usage()}

    def _piece(self, text: str, finish_reason: str | None = None) -> Json:
        choice = {"index": 0, "text": text, "logprobs": None, "finish_reason": finish_reason}
        return self._object("text_completion", [choice])


_CONTENT = ("content", "content_index", "content_part", "output_text")
_SUMMARY = ("summary", "summary_index", "reasoning_summary_part", "reasoning_summary_text")
"""Where an item holds its parts, what events call a part's place, and the names of the events of parts and text."""


class ResponsesEncoder(EventEncoder):
    """Responses."""

    done = b""

    def events(self) -> Iterator[Json]:
        """Yield events, each with its type and its number."""
        for number, event in enumerate(self._events()):
            yield event | {"sequence_number": number}

    def _events(self) -> Iterator[Json]:
        yield {"type": "response.created", "response": self._response("in_progress", [])}
        for place, item in enumerate(self._items()):
            yield from self._item_events(place, item)
        if self.reply.ending is Ending.ERROR:
            yield {"type": "error", "code": "server_error", "message": _BROKEN["message"], "param": None}
        elif self.reply.ending is Ending.COMPLETE:
            whole = self.whole()
            yield {"type": f"response.{whole['status']}", "response": whole}

    def whole(self) -> Json:
        """Return a response."""
        return self._response("incomplete" if self.reply.cut else "completed", self._items())

    def _item_events(self, place: int, item: Json) -> Iterator[Json]:
        thinking = item["type"] == "reasoning"
        parts, index, part_event, text_event = _SUMMARY if thinking else _CONTENT
        at = {"item_id": item["id"], "output_index": place, index: 0}
        logprobs: Json = {} if thinking else {"logprobs": []}
        part = item[parts][0]
        begun = item | {parts: [], "status": "in_progress"}
        yield {"type": "response.output_item.added", "output_index": place, "item": begun}
        yield {"type": f"response.{part_event}.added", **at, "part": part | {"text": ""}}
        for token in self.reply.thinking if thinking else self.reply.text:
            yield {"type": f"response.{text_event}.delta", **at, "delta": token, **logprobs}
        if thinking or self.reply.ending is Ending.COMPLETE:
            yield {"type": f"response.{text_event}.done", **at, "text": part["text"], **logprobs}
            yield {"type": f"response.{part_event}.done", **at, "part": part}
            yield {"type": "response.output_item.done", "output_index": place, "item": item}

    def _items(self) -> list[Json]:
        text = {"type": "output_text", "text": "".join(self.reply.text), "annotations": [], "logprobs": []}
        status = "incomplete" if self.reply.cut else "completed"
        message = {"id": "msg_1", "type": "message", "role": "assistant", "status": status, "content": [text]}
        if not self.reply.thinking:
            return [message]
        summary = {"type": "summary_text", "text": "".join(self.reply.thinking)}
        return [{"id": "rs_1", "type": "reasoning", "status": "completed", "summary": [summary]}, message]

    def _response(self, status: str, output: list[Json]) -> Json:
        return {
            "id": "resp_1",
            "object": "response",
            "created_at": CREATED,
            "model": self.reply.model,
            "status": status,
            "error": None,
            "incomplete_details": {"reason": "max_output_tokens"} if status == "incomplete" else None,
            "output": output,
            "parallel_tool_calls": True,
            "tool_choice": "auto",
            "tools": [],
            "usage": None if status == "in_progress" else self._tokens(),
        }

    def _tokens(self) -> Json:
        usage = self._usage()
        return {
            "input_tokens": usage["prompt_tokens"],
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens": usage["completion_tokens"],
            "total_tokens": usage["total_tokens"],
            "output_tokens_details": usage["completion_tokens_details"],
        }
