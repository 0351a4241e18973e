"""Facts about models: API, context window, prices."""

import re
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import urlsplit

from streamtui.core import price_list
from streamtui.core.builtin_endpoints import LOCAL
from streamtui.core.endpoint import OPENAI_URL, Api, Endpoint

_Number = TypeVar("_Number", int, float)

LONGEST_NAME = 8_192
"""Characters of a model's name. Lists leave out longer ones, and the relay refuses them."""
MOST_MODELS = 10_000
"""Models of a list that are taken; the rest can still be asked by name."""

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


def renamed_fields(endpoint: Endpoint, model: str) -> dict[str, str]:
    """Return the fields of a body that `model` is known to refuse, with the names it has for them."""
    if endpoint.base_url == OPENAI_URL and _NEW_LIMIT.search(model):
        return {"max_tokens": "max_completion_tokens"}
    return {}


def api_for(endpoint: Endpoint, model: str) -> Api:
    """Return the API to ask `model` by: the one set for the model, for the endpoint, else the one it speaks.

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
    cached_price: float | None = None
    """US dollars a million tokens of a prompt that the server had read before; None: as any others."""
    owner: str = ""
    """Whom the server names as its owner (``owned_by``), cleaned. Programs that run models are known by it."""


# As Ollama, llama.cpp, LM Studio, vLLM, SGLang and KoboldCpp put it into their lists.
_RUNNERS = {"library", "llamacpp", "organization_owner", "vllm", "sglang", "koboldcpp"}
_PASSES_ON = "openai"
"""What LiteLLM says of every model, whoever runs it."""
# The models that no one runs himself, by whatever name a proxy gives them: openai/gpt-5, bedrock/anthropic.claude-…
_RENTED = re.compile(r"(^|[/.])(gpt-[3-9]|chatgpt-|o\d(-|$)|claude-|gemini-|grok-[3-9])")


def runs_models(endpoint: Endpoint, said: ModelInfo | None = None) -> bool:
    """Whether the server runs its models itself, on this machine, so that nothing is paid for them.

    `said`: what it says of one of them. A proxy on this machine (LiteLLM) passes on to servers that want money.
    """
    if endpoint.demo or not endpoint.is_local:
        return endpoint.demo
    if said is not None and (said.owner in _RUNNERS or said.owner == _PASSES_ON):
        return said.owner in _RUNNERS
    ports = {urlsplit(usual.base_url).port for usual in LOCAL.values()}
    return endpoint.name in LOCAL or urlsplit(endpoint.base_url).port in ports


def listed_at(endpoint: Endpoint, model: str) -> str:
    """Return where the price list has `model`: the endpoint's address, or "" for that of the model's maker.

    Only for a proxy on this machine: the user runs it, with keys of his own. What another reseller asks, nobody knows.
    """
    return "" if endpoint.is_local and _RENTED.search(model.lower()) else endpoint.base_url


def priced_by_name(endpoint: Endpoint, model: str, said: ModelInfo | None = None) -> bool:
    """Return whether prices of `model` can only be those of its maker, found by its name: its server states none."""
    own, said = endpoint.settings_for(model), said or ModelInfo(model)
    prices = _first(own.input_price, said.input_price), _first(own.output_price, said.output_price)
    return None in prices and not runs_models(endpoint, said) and not listed_at(endpoint, model)


def may_cost(endpoint: Endpoint, model: str, said: ModelInfo | None = None) -> bool:
    """Return whether a reply of `model` may cost something: False for one that runs on this machine."""
    passed_on = said is not None and said.owner == _PASSES_ON
    own = endpoint.is_local and not passed_on and not _RENTED.search(model.lower())
    return not (own or runs_models(endpoint, said))


# For models that are asked through a server which says nothing of them, a proxy mostly. Longer names first. Only
# names that no one runs himself: what a local server lets a model take in is that server's to say.
# Source: genai-prices 0.2.3.
_WINDOWS = (
    ("gpt-6", 1_050_000), ("gpt-5.6", 1_050_000), ("gpt-5.5", 1_000_000), ("gpt-5.4-mini", 400_000),
    ("gpt-5.4-nano", 400_000), ("gpt-5.4", 1_050_000), ("gpt-5.3-codex", 400_000), ("gpt-5.3", 128_000),
    ("gpt-5", 400_000), ("gpt-4.1", 1_000_000), ("gpt-4o", 128_000), ("gpt-4-turbo", 128_000), ("gpt-4", 8_192),
    ("gpt-3.5-turbo", 16_385), ("o1", 200_000), ("o3", 200_000), ("o4-mini", 200_000), ("claude-", 200_000),
    ("gemini-2", 1_000_000), ("gemini-3", 1_000_000), ("gemini-4", 1_000_000),
)  # fmt: skip


def model_info(endpoint: Endpoint, model: str, said: ModelInfo | None = None) -> ModelInfo:
    """Return what is known of `model`: what the user set, else `said` (the server's own words), else the price list.

    Prices a user set go together: one alone leaves the other to the next in line.
    """
    own, said = endpoint.settings_for(model), said or ModelInfo(model)
    whole = None not in (said.window, said.input_price, said.output_price)
    listed = price_list.Listed() if whole else price_list.listed(listed_at(endpoint, model), model)
    return ModelInfo(
        model,
        _first(own.window, said.window, listed.window, _usual_window(model)),
        _first(own.input_price, said.input_price, listed.input_price),
        _first(own.output_price, said.output_price, listed.output_price),
        said.cached_price if own.input_price is None else None,
    )


def context_window_of(endpoint: Endpoint, model: str, said: ModelInfo | None = None) -> int | None:
    """Return how many tokens `model` takes in, its reply included; None where nobody says. `said`: by its server."""
    return model_info(endpoint, model, said).window


def _first(*values: _Number | None) -> _Number | None:
    return next((value for value in values if value is not None), None)


def _usual_window(model: str) -> int | None:
    name = model.rpartition("/")[2]
    return next((window for prefix, window in _WINDOWS if name.startswith(prefix)), None)
