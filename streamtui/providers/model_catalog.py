"""Decode a server's model list, tolerating unexpected data."""

import json
from collections.abc import Mapping
from math import isfinite

from streamtui.core.models import LONGEST_NAME, MOST_MODELS, ModelInfo
from streamtui.core.sanitize import clean_line, short_line
from streamtui.providers.error_bodies import error_in
from streamtui.providers.error_explainer import Explainer
from streamtui.providers.json_values import count, table

_NAMES = ("id", "model", "name")
# OpenRouter, Together; vLLM; Groq; LM Studio (what is loaded, before what could be), Mistral; Anthropic. The
# window that llama.cpp runs with stands before the one that its model was trained with.
_WINDOWS = (
    "loaded_context_length", "max_model_len", "context_window", "context_length", "max_context_length",
    "max_input_tokens", "n_ctx", "n_ctx_train",
)  # fmt: skip
_MILLION = 1_000_000
_OWNER_LENGTH = 100


def models_in(body: str, explain: Explainer) -> list[ModelInfo]:
    """Return the models that `body` lists, each once, in its order. Raise ProviderError if it is not a list."""
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        raise explain.no_models(body) from None
    if error_in(data) is not None:
        raise explain.sent_error(error_in(data))
    if isinstance(data, dict):
        data = data.get("data") or data.get("models")
    entries = [_model(entry) for entry in data[:MOST_MODELS]] if isinstance(data, list) else []
    found: dict[str, ModelInfo] = {}
    for entry in entries:
        if entry.name:
            found.setdefault(entry.name, entry)
    return list(found.values())


def _model(entry: object) -> ModelInfo:
    if isinstance(entry, str):
        return ModelInfo(_name(entry))
    if not isinstance(entry, dict):
        return ModelInfo("")
    name = next((entry[key] for key in _NAMES if isinstance(entry.get(key), str)), "")
    pricing = table(entry.get("pricing"))
    asked, answered, cached = (_price(pricing.get(kind)) for kind in ("prompt", "completion", "input_cache_read"))
    owner = entry.get("owned_by")
    owner = short_line(owner, _OWNER_LENGTH) if isinstance(owner, str) else ""
    return ModelInfo(_name(name), _window(entry), asked, answered, cached, owner)


def _name(name: str) -> str:
    """Return the name cleaned, or "" if it is too long to be one."""
    return clean_line(name) if len(name) <= LONGEST_NAME else ""


def _window(entry: Mapping[str, object]) -> int | None:
    for place in (entry, table(entry.get("meta"))):
        for name in _WINDOWS:
            if window := count(place.get(name)):
                return window
    return None


def _price(value: object) -> float | None:
    """Return the price per million tokens for OpenRouter's price per token, which is -1 if it varies."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        price = float(value) * _MILLION
    except (ValueError, OverflowError):
        return None
    return round(price, 9) if isfinite(price) and price >= 0 else None
