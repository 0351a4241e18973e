"""What is known of a model: which API it speaks, how much it can take, what it costs."""

import re
from dataclasses import dataclass

from streamtui.config import OPENAI_URL, Api, Endpoint

# The models of OpenAI that speak Responses only, and those that speak the old completions.
# Source: the lists ResponsesModel and CompletionCreateParams of the openai package 3.52.
_RESPONSES = re.compile(r"^(gpt-[\d.]+|o\d+)-(pro|codex)|deep-research|computer-use|^codex-|^gpt-daybreak")
_COMPLETIONS = re.compile(r"^(gpt-3\.5-turbo-instruct|davinci-002|babbage-002)")
# OpenAI's reasoning models, but those that only chat. Also the models whose reply is not limited by max_tokens but
# by max_completion_tokens: all since the first of these, while other servers mostly know the old name only.
_REASONS = re.compile(r"^(o\d|codex|gpt-([5-9]|\d\d)(?!.*-chat))")
_NEW_LIMIT = re.compile(r"^(ft:)?(o\d|codex|gpt-([5-9]|\d\d))")


def reasons(model: str) -> bool:
    """Whether `model` is one of OpenAI's that think before they answer."""
    return bool(_REASONS.search(model.rpartition("/")[2]))


def refused_by(endpoint: Endpoint, model: str) -> dict[str, str]:
    """Returns the fields of a body that `model` is known to refuse, with the names it has for them."""
    if endpoint.base_url == OPENAI_URL and _NEW_LIMIT.search(model):
        return {"max_tokens": "max_completion_tokens"}
    return {}


def api_for(endpoint: Endpoint, model: str) -> Api:
    """Returns the API to ask `model` by: the one set for the model, for the endpoint, else the one it speaks.

    Only OpenAI's own server is taken to speak Responses: others that do are told by a setting.
    """
    asked = endpoint.settings_for(model).api or endpoint.api
    if asked is not None:
        return asked
    name = model.rpartition("/")[2]
    if _COMPLETIONS.search(name):
        return Api.COMPLETIONS
    if endpoint.base_url == OPENAI_URL and _RESPONSES.search(name):
        return Api.RESPONSES
    return Api.CHAT


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """What a server says of one of its models. None: it does not say."""

    name: str
    """Cleaned."""
    window: int | None = None
    """Tokens of context."""
    input_price: float | None = None
    """US dollars a million tokens."""
    output_price: float | None = None
