"""Chat Completions: a request into a body, an event into a delta; pure and tolerant."""

from base64 import b64encode
from typing import Any

from streamtui.message import Attachment, Delta, FinishReason, Message, Role, Usage
from streamtui.providers.base import ProviderError, Request, Trouble
from streamtui.providers.errors import Explainer, error_in
from streamtui.sanitize import clean_line

_TEXT_TYPES = ("json", "xml", "yaml", "toml", "javascript", "x-sh", "sql", "csv")
_FINISHED = {
    reason.value: reason for reason in FinishReason if reason not in (FinishReason.STOPPED, FinishReason.FAILED)
}
_FINISHED |= {"function_call": FinishReason.TOOL_CALLS, "max_tokens": FinishReason.LENGTH}
_FAILED = {"error", "abort", "insufficient_system_resource"}
"""Finish reasons with which OpenRouter, vLLM and DeepSeek say that the reply broke off."""


def encode(request: Request) -> dict[str, Any]:
    """Returns the JSON body for ``/chat/completions``.

    The system prompt comes first, then the turns as they are. Replies without text are left out; reasoning
    and error texts are never sent. Raises ProviderError for an attachment that is neither an image nor text.
    """
    messages: list[dict[str, Any]] = []
    if request.system:
        messages.append({"role": Role.SYSTEM.value, "content": request.system})
    for message in request.messages:
        if message.text or message.role is not Role.ASSISTANT:
            messages.append({"role": message.role.value, "content": _content(message)})
    return {
        "model": request.model,
        "messages": messages,
        "stream": True,
        "stream_options": {"include_usage": True},
    }


def _content(message: Message) -> str | list[dict[str, Any]]:
    if not message.attachments or message.role is not Role.USER:
        return message.text
    texts = [_as_text(a) for a in message.attachments if not a.media_type.startswith("image/")]
    text = "\n\n".join(filter(None, [*texts, message.text]))
    images = [_as_image(a) for a in message.attachments if a.media_type.startswith("image/")]
    # Many compatible servers know content as a string only.
    return [{"type": "text", "text": text}, *images] if images else text


def _as_image(attachment: Attachment) -> dict[str, Any]:
    data = b64encode(attachment.data).decode("ascii")
    return {"type": "image_url", "image_url": {"url": f"data:{attachment.media_type};base64,{data}"}}


def _as_text(attachment: Attachment) -> str:
    major, _, minor = attachment.media_type.partition(";")[0].strip().lower().partition("/")
    if major != "text" and not minor.endswith(_TEXT_TYPES):
        name = clean_line(attachment.name)
        raise ProviderError(f"{name} can't be sent: only images and text files can.", Trouble.REFUSED)
    return f"File {attachment.name}:\n\n{attachment.data.decode('utf-8', 'replace')}"


def decode(data: object, explain: Explainer) -> Delta | None:
    """Returns what one event (or a whole completion that was not streamed) holds; None if that is nothing.

    `data` is any parsed JSON: what is not of the shape expected is passed over. Raises ProviderError for an
    error object, and for a finish reason that means failure.
    """
    if not isinstance(data, dict):
        return None
    error = error_in(data)
    if error is not None:
        raise explain.sent_error(error)
    choices = data.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices and isinstance(choices[0], dict) else {}
    piece = choice.get("delta") or choice.get("message")
    text, reasoning = _texts(piece) if isinstance(piece, dict) else ("", "")
    found = Delta(text, reasoning, _usage_of(data), _finish_reason(choice, explain), _string(data.get("model")))
    return found if found else None


def _texts(piece: dict[str, Any]) -> tuple[str, str]:
    """The text and the reasoning of a delta: ``reasoning_content`` or ``reasoning``, where sent."""
    text, thought = _content_texts(piece.get("content"))
    refusal = _string(piece.get("refusal"))
    return text + refusal, _string(piece.get("reasoning_content")) or _string(piece.get("reasoning")) or thought


def _content_texts(content: object) -> tuple[str, str]:
    if isinstance(content, str):
        return content, ""
    if not isinstance(content, list):
        return "", ""
    text = thought = ""
    for part in content:
        if isinstance(part, str):
            text += part
        elif isinstance(part, dict):
            text += _string(part.get("text"))
            # Mistral sends its thinking as a part that holds parts.
            inner = part.get("thinking")
            thought += inner if isinstance(inner, str) else _inner_text(inner)
    return text, thought


def _inner_text(parts: object) -> str:
    if not isinstance(parts, list):
        return ""
    return "".join(_string(part.get("text")) for part in parts if isinstance(part, dict))


def _string(value: object) -> str:
    return value if isinstance(value, str) else ""


def _finish_reason(choice: dict[str, Any], explain: Explainer) -> FinishReason | None:
    name = choice.get("finish_reason")
    if not isinstance(name, str) or name in ("", "null"):
        return None
    if name in _FAILED:
        raise explain.error(f"{explain.name} broke the reply off: ask again.", Trouble.SERVER, words=name)
    return _FINISHED.get(name, FinishReason.STOP)


def _usage_of(data: dict[str, Any]) -> Usage | None:
    usage = data.get("usage")
    if usage is None and isinstance(data.get("x_groq"), dict):
        usage = data["x_groq"].get("usage")
    if not isinstance(usage, dict):
        return None
    found = Usage(
        prompt_tokens=_count(usage, "prompt_tokens"),
        completion_tokens=_count(usage, "completion_tokens"),
        reasoning_tokens=_count(usage.get("completion_tokens_details"), "reasoning_tokens"),
        cached_tokens=_count(usage.get("prompt_tokens_details"), "cached_tokens")
        or _count(usage, "prompt_cache_hit_tokens"),
    )
    return found if found.total_tokens else None


def _count(counts: object, name: str) -> int:
    value = counts.get(name) if isinstance(counts, dict) else None
    return value if isinstance(value, int) and value > 0 else 0
