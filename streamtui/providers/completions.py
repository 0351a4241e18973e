"""Completions: a request into the body of the old API, where a model goes on with a text."""

from typing import Any

from streamtui.providers.attachments import images_of, text_of
from streamtui.providers.base import ErrorKind, ProviderError, Request
from streamtui.providers.json_body import merge, put_parameters

PATH = "/completions"
PARAMETERS = {
    name: name
    for name in ("temperature", "top_p", "max_tokens", "seed", "stop", "presence_penalty", "frequency_penalty")
}
"""What the API calls the parameters it has."""


def encode(request: Request) -> dict[str, Any]:
    """Returns the JSON body for ``/completions``. Raises ProviderError for an attachment that is not text.

    The prompt is the conversation as one text, without roles: every message follows the one before as it is,
    so that the model goes on where the text ends. A blank line parts the system prompt from it.
    """
    body: dict[str, Any] = {"model": request.model, "prompt": _prompt(request), "stream": request.stream}
    if request.stream:
        body["stream_options"] = {"include_usage": True}
    put_parameters(body, request.parameters, PARAMETERS)
    return merge(body, request.parameters.extra)


def _prompt(request: Request) -> str:
    if any(map(images_of, request.messages)):
        raise ProviderError(
            "An image can't be sent by the Completions API, which takes text only: ask by another (--api chat).",
            ErrorKind.REFUSED,
        )
    before = f"{request.system.rstrip()}\n\n" if request.system.strip() else ""
    return before + "".join(map(text_of, request.messages))
