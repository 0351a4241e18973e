"""The legacy Completions API, where a model continues a text: encode a request."""

from typing import Any

from streamtui.providers.attachments import images_of, text_of
from streamtui.providers.base import ErrorKind, ProviderError, Request
from streamtui.providers.json_body import merge, put_parameters

PATH = "/completions"
PARAMETERS = {
    name: name
    for name in ("temperature", "top_p", "max_tokens", "seed", "stop", "presence_penalty", "frequency_penalty")
}
"""The API's names for the parameters it supports."""


def encode(request: Request) -> dict[str, Any]:
    """Return the JSON body for ``/completions``. Raise ProviderError for an attachment that is not text.

    The prompt is the conversation as one text, without roles and without anything between messages, so that the
    model continues where it ends. A blank line separates the system prompt from it.
    """
    body: dict[str, Any] = {"model": request.model, "prompt": _prompt(request), "stream": request.stream}
    if request.stream:
        body["stream_options"] = {"include_usage": True}
    put_parameters(body, request.parameters, PARAMETERS)
    return merge(body, request.parameters.extra)


def _prompt(request: Request) -> str:
    if any(map(images_of, request.messages)):
        raise ProviderError(
            "The Completions API doesn't support images. Use another API (--api chat).",
            ErrorKind.REFUSED,
        )
    before = f"{request.system.rstrip()}\n\n" if request.system.strip() else ""
    return before + "".join(map(text_of, request.messages))
