"""Ready-made endpoints: servers that can be named without having been configured."""

from collections.abc import Container
from pathlib import Path

from streamtui.core.endpoint import OPENAI_MODEL, OPENAI_URL, Endpoint

LOCAL = {
    "ollama": Endpoint("ollama", "http://localhost:11434/v1"),
    "lmstudio": Endpoint("lmstudio", "http://localhost:1234/v1"),
    "llamacpp": Endpoint("llamacpp", "http://localhost:8080/v1"),
    "vllm": Endpoint("vllm", "http://localhost:8000/v1"),
}
"""Servers that run models on this machine, at the ports they use unless told otherwise."""

BUILTIN = {
    "openai": Endpoint("openai", OPENAI_URL, model=OPENAI_MODEL, api_key_env="OPENAI_API_KEY"),
    **LOCAL,
    "openrouter": Endpoint("openrouter", "https://openrouter.ai/api/v1", api_key_env="OPENROUTER_API_KEY"),
    # Every customer has an address of their own; the v1 API there takes the key as a bearer token, and the name of a
    # deployment as the model.
    "azure": Endpoint("azure", api_key_env="AZURE_OPENAI_API_KEY"),
    "groq": Endpoint("groq", "https://api.groq.com/openai/v1", api_key_env="GROQ_API_KEY"),
    "mistral": Endpoint("mistral", "https://api.mistral.ai/v1", api_key_env="MISTRAL_API_KEY"),
    "deepseek": Endpoint("deepseek", "https://api.deepseek.com/v1", api_key_env="DEEPSEEK_API_KEY"),
}
"""By name. One without an address can be used only when the file gives it one."""

ADDRESSES = {"azure": "https://RESOURCE.openai.azure.com/openai/v1"}
"""What the addresses of those look like that have none, with what is each customer's own in capitals."""


def without_address(known: Container[str]) -> list[Endpoint]:
    """Returns the ready-made endpoints that are not among those `known` to have an address, and have none by
    themselves."""
    return [BUILTIN[name] for name in ADDRESSES if name not in known]


def address_wanted(name: str, file: Path) -> str:
    """Returns the sentence for one of `ADDRESSES` that was chosen and has none: what to write where."""
    url = ADDRESSES[name]
    return (
        f'{name} has no address yet: write base_url = "{url}", with the name of your RESOURCE, '
        f"below [endpoints.{name}] in {file}."
    )
