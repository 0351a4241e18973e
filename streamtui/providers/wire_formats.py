"""The three APIs: where each is found, what it is sent, how its events are read."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from streamtui.config import Api
from streamtui.core.message import Delta
from streamtui.providers import chat_completions, completion_events, completions, responses
from streamtui.providers.base import Request
from streamtui.providers.error_explainer import Explainer
from streamtui.providers.stream_assembler import StreamEvent

Encode = Callable[[Request], dict[str, Any]]
"""A request into the JSON body. Raises ProviderError for what the API can't be sent."""
Decode = Callable[[object, Explainer], Delta | StreamEvent | None]
"""One parsed event, or a whole body, into what it holds. Raises ProviderError for one that tells of a failure."""


class WireFormat(NamedTuple):
    """How an API is spoken."""

    path: str
    encode: Encode
    decode: Decode
    parameters: Mapping[str, str]
    """What the API calls the parameters it has. A dot leads into an object."""


WIRE_FORMATS = {
    Api.CHAT: WireFormat(
        chat_completions.PATH, chat_completions.encode, completion_events.decode, chat_completions.PARAMETERS
    ),
    Api.COMPLETIONS: WireFormat(completions.PATH, completions.encode, completion_events.decode, completions.PARAMETERS),
    Api.RESPONSES: WireFormat(responses.PATH, responses.encode, responses.decode, responses.PARAMETERS),
}
TITLES = {Api.CHAT: "Chat Completions", Api.COMPLETIONS: "Completions", Api.RESPONSES: "Responses"}
