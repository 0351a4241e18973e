"""Built-in endpoints: servers that can be used by name without being configured."""

from collections.abc import Container
from pathlib import Path

from streamtui.core.endpoint import OPENAI_MODEL, OPENAI_URL, Endpoint

LOCAL = {
    "ollama": Endpoint("ollama", "http://localhost:11434/v1"),
    "lmstudio": Endpoint("lmstudio", "http://localhost:1234/v1"),
    "llamacpp": Endpoint("llamacpp", "http://localhost:8080/v1"),
    "vllm": Endpoint("vllm", "http://localhost:8000/v1"),
}
"""Servers that run models on this machine, at their default ports."""

LOCAL_PROGRAMS = {
    LOCAL["ollama"].base_url: "Ollama",
    LOCAL["lmstudio"].base_url: "LM Studio",
    LOCAL["llamacpp"].base_url: "llama.cpp",
    LOCAL["vllm"].base_url: "vLLM",
}
"""The programs expected at the addresses of `LOCAL`."""

BUILTIN = {
    "openai": Endpoint("openai", OPENAI_URL, model=OPENAI_MODEL, api_key_env="OPENAI_API_KEY"),
    **LOCAL,
    "openrouter": Endpoint("openrouter", "https://openrouter.ai/api/v1", api_key_env="OPENROUTER_API_KEY"),
    # Every customer has their own address; its v1 API takes the key as a bearer token, and a deployment's name as the
    # model.
    "azure": Endpoint("azure", api_key_env="AZURE_OPENAI_API_KEY"),
    "groq": Endpoint("groq", "https://api.groq.com/openai/v1", api_key_env="GROQ_API_KEY"),
    "mistral": Endpoint("mistral", "https://api.mistral.ai/v1", api_key_env="MISTRAL_API_KEY"),
    "deepseek": Endpoint("deepseek", "https://api.deepseek.com/v1", api_key_env="DEEPSEEK_API_KEY"),
}
"""By name. One without an address needs one in the settings file."""

ADDRESSES = {"azure": "https://RESOURCE.openai.azure.com/openai/v1"}
"""Address templates of the endpoints without an address; the customer's own part is in capitals."""


def without_address(known: Container[str]) -> list[Endpoint]:
    """Return the built-in endpoints that need an address and are not among those `known` to have one."""
    return [BUILTIN[name] for name in ADDRESSES if name not in known]


def address_wanted(name: str, file: Path) -> str:
    """Return the error message for one of `ADDRESSES` that was chosen without an address set in `file`."""
    url = ADDRESSES[name]
    return (
        f'No address for {name} yet. Set base_url = "{url}", with the name of your RESOURCE, '
        f"in [endpoints.{name}] of {file}."
    )
