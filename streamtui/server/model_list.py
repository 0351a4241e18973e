"""The list of models: those of all endpoints, each by the name the relay knows it by."""

import asyncio
import json
from typing import Any

from streamtui.config import Endpoint
from streamtui.providers.base import ProviderError
from streamtui.providers.errors import Explainer
from streamtui.server.journal import note_failure
from streamtui.server.refusal import Refusal
from streamtui.server.relay import Relay

AT_ONCE = 8
"""How many endpoints are asked at the same time."""
SECONDS = 10.0
"""In which an endpoint should have given its list."""
_MAX_LIST = 32 * 1024 * 1024


async def list_models(relay: Relay) -> dict[str, Any]:
    """Returns ``{"object": "list", "data": [...], "errors": [...]}``, with models as ``ENDPOINT/MODEL``.

    An endpoint that gives no list is left out and named in ``errors``, and in the log with the reason. Raises
    Refusal if none gives one.
    """
    found = await ask_all(relay, SECONDS)
    models = [model for answer in found.values() if isinstance(answer, list) for model in answer]
    failures = {name: answer for name, answer in found.items() if isinstance(answer, ProviderError)}
    for error in failures.values():
        note_failure(error)
    errors = [
        {"endpoint": name, "message": f"{name} gave no list of models: the relay's log says why."} for name in failures
    ]
    if len(errors) == len(found):
        raise Refusal(502, "No endpoint gave a list of models: the relay's log says why.", "upstream_unreachable")
    return {"object": "list", "data": models, **({"errors": errors} if errors else {})}


async def ask_all(relay: Relay, seconds: float) -> dict[str, list[dict[str, Any]] | ProviderError]:
    """Returns what each endpoint, by name, says of its models in `seconds`: a list, or why there is none."""
    turns = asyncio.Semaphore(AT_ONCE)

    async def ask(endpoint: Endpoint) -> list[dict[str, Any]] | ProviderError:
        async with turns:
            try:
                return await _models_of(relay, endpoint, seconds)
            except ProviderError as error:
                return error

    endpoints = relay.router.endpoints
    return dict(zip(endpoints, await asyncio.gather(*map(ask, endpoints.values())), strict=True))


async def _models_of(relay: Relay, endpoint: Endpoint, seconds: float) -> list[dict[str, Any]]:
    """Returns the models of `endpoint` as it describes them, with the relay's names. Raises ProviderError."""
    explain = Explainer(endpoint)
    try:
        async with (
            asyncio.timeout(seconds),
            await relay.upstream(endpoint).open("GET", "/models", headers={"accept": "application/json"}) as reply,
        ):
            body = await reply.read(_MAX_LIST)
    except TimeoutError as error:
        raise explain.network(error) from None
    text = "" if body is None else body.decode("utf-8-sig", "replace")
    if not 200 <= reply.status < 300:
        raise explain.status(reply.status, text, reply.headers)
    return [_named(endpoint, model) for model in _entries(text, explain)]


def _entries(text: str, explain: Explainer) -> list[dict[str, Any]]:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        raise explain.no_models(text) from None
    models = data.get("data") if isinstance(data, dict) else data
    if not isinstance(models, list):
        raise explain.no_models(text)
    return [model for model in models if isinstance(model, dict) and isinstance(model.get("id"), str)]


def _named(endpoint: Endpoint, model: dict[str, Any]) -> dict[str, Any]:
    needed = {"object": "model", "created": 0, "owned_by": endpoint.name}
    return {**needed, **model, "id": f"{endpoint.name}/{model['id']}"}
