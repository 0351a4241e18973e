"""The lists of models that servers send, and what they say of each."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamtui.core.models import LONGEST_NAME, MOST_MODELS, ModelInfo
from streamtui.providers.base import ProviderError
from streamtui.providers.model_catalog import models_in
from tests.support.provider_requests import EXPLAIN

OPENAI = {"id": "gpt-6-luna", "object": "model", "created": 1760000000, "owned_by": "openai"}
OPENROUTER = {
    "id": "openai/gpt-6-luna",
    "name": "OpenAI: GPT-6 Luna",
    "context_length": 400000,
    "pricing": {"prompt": "0.0000001", "completion": "0.0000005", "request": "0", "image": "0"},
    "top_provider": {"context_length": 400000, "max_completion_tokens": 128000},
}
VLLM = {"id": "meta-llama/Llama-3.1-8B", "object": "model", "root": "x", "parent": None, "max_model_len": 131072}
LM_STUDIO = {"id": "qwen3-8b", "type": "llm", "max_context_length": 40960, "loaded_context_length": 4096}
LLAMA_CPP = {"id": "model.gguf", "meta": {"vocab_type": 1, "n_ctx_train": 8192, "n_params": 1}}
MISTRAL = {"id": "mistral-large", "max_context_length": 131072, "capabilities": {"vision": True}}
GROQ = {"id": "llama-3.3-70b", "active": True, "context_window": 131072, "max_completion_tokens": 32768}


@pytest.mark.parametrize(
    ("entry", "info"),
    [
        (OPENAI, ModelInfo("gpt-6-luna", owner="openai")),
        (OPENROUTER, ModelInfo("openai/gpt-6-luna", 400000, 0.1, 0.5)),
        (VLLM, ModelInfo("meta-llama/Llama-3.1-8B", 131072)),
        (LM_STUDIO, ModelInfo("qwen3-8b", 4096)),
        (LLAMA_CPP, ModelInfo("model.gguf", 8192)),
        (MISTRAL, ModelInfo("mistral-large", 131072)),
        (GROQ, ModelInfo("llama-3.3-70b", 131072)),
        ({"id": "free", "pricing": {"prompt": "0", "completion": 0}}, ModelInfo("free", None, 0.0, 0.0)),
        (
            {"id": "read before", "pricing": {"prompt": "1e-6", "completion": "2e-6", "input_cache_read": "1e-7"}},
            ModelInfo("read before", None, 1.0, 2.0, 0.1),
        ),
        ({"id": "auto", "pricing": {"prompt": "-1", "completion": "many"}}, ModelInfo("auto")),
        ({"id": "odd", "pricing": "dear", "context_length": True, "meta": 7}, ModelInfo("odd")),
        ({"id": "odd", "pricing": {"prompt": "nan", "completion": "1e999"}, "n_ctx": "4"}, ModelInfo("odd")),
    ],
)
def test_what_servers_say_of_a_model(entry: object, info: ModelInfo) -> None:
    assert models_in(json.dumps({"object": "list", "data": [entry]}), EXPLAIN) == [info]


def test_the_first_of_two_entries_of_one_name_counts() -> None:
    twice = [{"id": "a", "context_length": 5}, {"id": "a"}, {"id": "b"}]
    assert models_in(json.dumps(twice), EXPLAIN) == [ModelInfo("a", 5), ModelInfo("b")]


ENTRY_NAMES = st.sampled_from(["id", "name", "data", "models", "pricing", "prompt", "context_length", "meta", "error"])
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
JSON = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ENTRY_NAMES, inner, max_size=4), max_leaves=15
)


@given(JSON)
def test_no_json_raises_anything_but_provider_errors(data: object) -> None:
    with suppress(ProviderError):
        for model in models_in(json.dumps(data), EXPLAIN):
            assert model.name


@given(st.text())
def test_nor_does_any_text(body: str) -> None:
    with suppress(ProviderError):
        models_in(body, EXPLAIN)


def test_a_name_too_long_to_be_one_is_left_out() -> None:
    long = "a" * (LONGEST_NAME + 1)
    assert models_in(json.dumps([long, {"id": long}, {"id": long[1:]}, "b"]), EXPLAIN) == [
        ModelInfo(long[1:]),
        ModelInfo("b"),
    ]


def test_an_endless_list_is_cut() -> None:
    listed = [{"id": str(number)} for number in range(MOST_MODELS + 5)]
    assert [model.name for model in models_in(json.dumps(listed), EXPLAIN)][-1] == str(MOST_MODELS - 1)
