"""ModelLists: the models of all endpoints, each by the name the relay knows it by, cached for some seconds."""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import isfinite
from time import monotonic
from typing import Any

from streamtui.config import Endpoint
from streamtui.core.models import LONGEST_NAME, MOST_MODELS
from streamtui.providers.base import ProviderError
from streamtui.providers.error_explainer import Explainer
from streamtui.providers.upstream import Upstream
from streamtui.server.access_log import note_failure
from streamtui.server.api_errors import Refusal, failed
from streamtui.server.request_body import is_too_complex
from streamtui.server.routing import Route, no_model

Model = dict[str, Any]

SECONDS = 10.0
"""How long an endpoint may take to send its list."""
FRESH = 10.0
"""How long a list is served from the cache, in seconds."""
FAILED = 30.0
"""How long an endpoint that sent no list is not asked again, in seconds."""
AFTER_FAILURE = 1.0
"""How long a client waits for an endpoint that sent no list the last time, in seconds."""
_MAX_LIST = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class _Cached:
    answer: list[Model] | ProviderError
    until: float


class ModelLists:
    """Asks each endpoint for its models once at a time, however many clients want to know."""

    def __init__(self, endpoints: Mapping[str, Endpoint], upstream: Callable[[Endpoint], Upstream]) -> None:
        self._endpoints = endpoints
        self._upstream = upstream
        self._cache: dict[str, _Cached] = {}
        self._asking: dict[str, asyncio.Task[list[Model] | ProviderError]] = {}

    async def listing(self) -> dict[str, Any]:
        """Return ``{"object": "list", "data": [...], "errors": [...]}``, with models as ``ENDPOINT/MODEL``.

        An endpoint that sends no list is left out and named in ``errors``, and in the log with the reason. Raises
        Refusal if none sends one.
        """
        found = await self.all()
        errors = [
            {"endpoint": name, "message": f"{name} gave no list of models: the relay's log says why."}
            for name, answer in found.items()
            if isinstance(answer, ProviderError)
        ]
        if len(errors) == len(found):
            raise Refusal(502, "No endpoint gave a list of models: the relay's log says why.", "upstream_unreachable")
        return {"object": "list", "data": models_in(found), **({"errors": errors} if errors else {})}

    async def model(self, route: Route) -> Model:
        """Return the model that `route` leads to, as its endpoint describes it. Raises Refusal."""
        name = f"{route.endpoint.name}/{route.model}"
        answer = await self._of(route.endpoint)
        if isinstance(answer, ProviderError):
            raise failed(route.endpoint, answer)
        for model in answer:
            if model["id"] == name:
                return model
        raise no_model(name)

    async def all(self, seconds: float = SECONDS) -> dict[str, list[Model] | ProviderError]:
        """Return each endpoint's models, or why there are none after `seconds`. All endpoints are asked at once."""
        answers = await asyncio.gather(*(self._of(endpoint, seconds) for endpoint in self._endpoints.values()))
        return dict(zip(self._endpoints, answers, strict=True))

    async def aclose(self) -> None:
        """Cancel the requests under way."""
        for task in self._asking.values():
            task.cancel()

    async def _of(self, endpoint: Endpoint, seconds: float = SECONDS) -> list[Model] | ProviderError:
        cached = self._cache.get(endpoint.name)
        if cached is not None and monotonic() < cached.until:
            return cached.answer
        if endpoint.name not in self._asking:
            self._asking[endpoint.name] = asyncio.create_task(self._ask(endpoint))
        asking = self._asking[endpoint.name]
        failed_before = cached is not None and isinstance(cached.answer, ProviderError)
        # Not wait_for: the answer is of use to others though this client waits for it no longer.
        await asyncio.wait([asking], timeout=min(seconds, AFTER_FAILURE) if failed_before else seconds)
        return asking.result() if asking.done() else Explainer(endpoint).late_list(seconds)

    async def _ask(self, endpoint: Endpoint) -> list[Model] | ProviderError:
        answer: list[Model] | ProviderError
        try:
            answer, fresh = await self._models_of(endpoint), FRESH
        except ProviderError as error:
            note_failure(error)
            answer, fresh = error, FAILED
        finally:
            del self._asking[endpoint.name]
        self._cache[endpoint.name] = _Cached(answer, monotonic() + fresh)
        return answer

    async def _models_of(self, endpoint: Endpoint) -> list[Model]:
        """Return the models of `endpoint` as it describes them, with the relay's names. Raises ProviderError."""
        explain = Explainer(endpoint)
        try:
            async with (
                asyncio.timeout(SECONDS),
                await self._upstream(endpoint).open("GET", "/models", headers={"accept": "application/json"}) as reply,
            ):
                body = await reply.read(_MAX_LIST)
        except TimeoutError:
            raise explain.late_list(SECONDS) from None
        text = "" if body is None or is_too_complex(body) else body.decode("utf-8-sig", "replace")
        if not 200 <= reply.status < 300:
            raise explain.status(reply.status, text, reply.headers)
        return [_named(endpoint, model) for model in _entries(text, explain)]


def models_in(found: Mapping[str, list[Model] | ProviderError]) -> list[Model]:
    """Return the models of all the lists in `found`."""
    return [model for answer in found.values() if isinstance(answer, list) for model in answer]


def _entries(text: str, explain: Explainer) -> list[Model]:
    try:
        data = json.loads(text, parse_float=_finite, parse_constant=lambda _: None)
    except (ValueError, RecursionError):
        raise explain.no_models(text) from None
    models = data.get("data") if isinstance(data, dict) else data
    if not isinstance(models, list):
        raise explain.no_models(text)
    return [model for model in models[:MOST_MODELS] if isinstance(model, dict) and _has_name(model)]


def _has_name(model: dict[str, Any]) -> bool:
    name = model.get("id")
    return isinstance(name, str) and len(name) <= LONGEST_NAME


def _finite(text: str) -> float | None:
    """Return the number, None for one so large that JSON would not take it back."""
    number = float(text)
    return number if isfinite(number) else None


def _named(endpoint: Endpoint, model: Model) -> Model:
    needed = {"object": "model", "created": 0, "owned_by": endpoint.name}
    return {**needed, **model, "id": f"{endpoint.name}/{model['id']}"}
