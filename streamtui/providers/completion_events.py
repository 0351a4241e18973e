"""Decode events of the Chat Completions and Completions APIs, tolerating unexpected data."""

import json
from typing import Any

from streamtui.core.message import Delta, FinishReason, Usage
from streamtui.providers.error_bodies import error_in
from streamtui.providers.error_explainer import Explainer
from streamtui.providers.json_values import count, dollars, number, table, tables, text
from streamtui.providers.stream_assembler import StreamEvent, ToolCallDelta

_FINISHED = {
    reason.value: reason for reason in FinishReason if reason not in (FinishReason.STOPPED, FinishReason.FAILED)
}
_FINISHED |= {
    "function_call": FinishReason.TOOL_CALLS,
    "max_tokens": FinishReason.LENGTH,
    "model_length": FinishReason.LENGTH,
}
_FAILED = {"error", "abort", "insufficient_system_resource"}
"""Finish reasons of OpenRouter, vLLM and DeepSeek for a reply that failed."""


def decode(data: object, explain: Explainer) -> Delta | StreamEvent | None:
    """Return the content of one event, or of a whole completion that was not streamed; None if it has none.

    `data` is any parsed JSON; anything unexpected is ignored. Raise ProviderError for an error object. The failure
    for a finish reason that means one is returned with the text.
    """
    if not isinstance(data, dict):
        return None
    error = error_in(data)
    if error is not None:
        raise explain.sent_error(error)
    # Of several replies to one prompt (n > 1) the first is the reply.
    choice = next((each for each in tables(data.get("choices")) if not number(each.get("index"))), {})
    part = choice.get("delta") or choice.get("message")
    said, thought = _texts(part) if isinstance(part, dict) else (text(choice.get("text")), "")
    reason = text(choice.get("finish_reason"))
    failure = explain.aborted(reason) if reason in _FAILED else None
    found = Delta(said, thought, _usage_of(data), _finish_reason(reason), text(data.get("model")))
    calls = _calls(part) if isinstance(part, dict) else ()
    whole = isinstance(part, dict) and part is choice.get("message")
    if calls or failure or (whole and found):
        return StreamEvent(found, calls, whole, failure=failure)
    return found if found else None


def _texts(piece: dict[str, Any]) -> tuple[str, str]:
    """Return the text and the reasoning (``reasoning_content`` or ``reasoning``) of a delta or message."""
    said, thought = _content_texts(piece.get("content"))
    refusal = text(piece.get("refusal"))
    return said + refusal, text(piece.get("reasoning_content")) or text(piece.get("reasoning")) or thought


def _content_texts(content: object) -> tuple[str, str]:
    if isinstance(content, str):
        return content, ""
    if not isinstance(content, list):
        return "", ""
    said = thought = ""
    for part in content:
        if isinstance(part, str):
            said += part
        elif isinstance(part, dict):
            said += text(part.get("text"))
            # Mistral sends reasoning as a part that contains parts.
            inner = part.get("thinking")
            thought += inner if isinstance(inner, str) else "".join(text(p.get("text")) for p in tables(inner))
    return said, thought


def _calls(piece: dict[str, Any]) -> tuple[ToolCallDelta, ...]:
    calls = piece.get("tool_calls")
    if not calls:
        old = piece.get("function_call")
        return (_call({"function": old}, 0),) if isinstance(old, dict) else ()
    return tuple(_call(call, position) for position, call in enumerate(tables(calls)) if call)


def _call(call: dict[str, Any], position: int) -> ToolCallDelta:
    # A custom tool takes any text as its input.
    function = table(call.get("function") or call.get("custom"))
    arguments = function.get("arguments") or function.get("input") or ""
    written = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
    index, free = number(call.get("index")), isinstance(call.get("custom"), dict)
    place = position if index is None else index
    return ToolCallDelta(text(function.get("name")), written, text(call.get("id")), place, free)


def _finish_reason(name: str) -> FinishReason | None:
    if name in ("", "null") or name in _FAILED:
        return None
    return _FINISHED.get(name, FinishReason.STOP)


def _usage_of(data: dict[str, Any]) -> Usage | None:
    usage = data.get("usage") or table(data.get("x_groq")).get("usage")
    if not isinstance(usage, dict):
        return None
    found = Usage(
        prompt_tokens=count(usage.get("prompt_tokens")),
        completion_tokens=count(usage.get("completion_tokens")),
        reasoning_tokens=count(table(usage.get("completion_tokens_details")).get("reasoning_tokens")),
        cached_tokens=count(table(usage.get("prompt_tokens_details")).get("cached_tokens"))
        or count(usage.get("prompt_cache_hit_tokens")),
        cost=dollars(usage.get("cost")),  # OpenRouter reports what it charges
    )
    return found if found.total_tokens else None
