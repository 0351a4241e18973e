"""The Chat Completions API: encode a request."""

from typing import Any

from streamtui.core.message import Message, Role
from streamtui.providers.attachments import images_of, text_of
from streamtui.providers.base import Request
from streamtui.providers.json_body import merge, put_parameters

PATH = "/chat/completions"
PARAMETERS = {
    name: name
    for name in (
        "temperature", "top_p", "max_tokens", "seed", "stop", "presence_penalty", "frequency_penalty",
        "reasoning_effort",
    )
}  # fmt: skip
"""The API's names for the parameters it supports."""


def encode(request: Request) -> dict[str, Any]:
    """Return the JSON body for ``/chat/completions``.

    The system prompt comes first, then the messages in order. Replies without text are omitted; reasoning and
    error messages are never sent. Raise ProviderError for an attachment that is neither an image nor text.
    """
    messages: list[dict[str, Any]] = []
    if request.system:
        messages.append({"role": Role.SYSTEM.value, "content": request.system})
    for message in request.messages:
        if message.text or message.role is not Role.ASSISTANT:
            messages.append({"role": message.role.value, "content": _content(message)})
    body: dict[str, Any] = {"model": request.model, "messages": messages, "stream": request.stream}
    if request.stream:
        body["stream_options"] = {"include_usage": True}
    put_parameters(body, request.parameters, PARAMETERS)
    return merge(body, request.parameters.extra)


def _content(message: Message) -> str | list[dict[str, Any]]:
    text, images = text_of(message), images_of(message)
    # Many compatible servers accept content only as a string.
    if not images:
        return text
    return [{"type": "text", "text": text}, *({"type": "image_url", "image_url": {"url": url}} for url in images)]
