"""The three APIs: path, request encoder and event decoder of each."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from streamtui.config import Api
from streamtui.core.message import Delta
from streamtui.providers import chat_completions, completion_events, completions, responses
from streamtui.providers.base import Request
from streamtui.providers.error_explainer import Explainer
from streamtui.providers.stream_assembler import StreamEvent

Encode = Callable[[Request], dict[str, Any]]
"""Encodes a request as a JSON body. Raises ProviderError for content that the API doesn't support."""
Decode = Callable[[object, Explainer], Delta | StreamEvent | None]
"""Decodes one parsed event, or a whole body. Raises ProviderError for an error."""


class WireFormat(NamedTuple):
    """The path, encoder and decoder of an API."""

    path: str
    encode: Encode
    decode: Decode
    parameters: Mapping[str, str]
    """The API's names for the parameters it supports; dots lead into objects."""


WIRE_FORMATS = {
    Api.CHAT: WireFormat(
        chat_completions.PATH, chat_completions.encode, completion_events.decode, chat_completions.PARAMETERS
    ),
    Api.COMPLETIONS: WireFormat(completions.PATH, completions.encode, completion_events.decode, completions.PARAMETERS),
    Api.RESPONSES: WireFormat(responses.PATH, responses.encode, responses.decode, responses.PARAMETERS),
}
TITLES = {Api.CHAT: "Chat Completions", Api.COMPLETIONS: "Completions", Api.RESPONSES: "Responses"}
