"""The combined model list of all endpoints, cached for a few seconds."""

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
from streamtui.server.access_log import log_upstream_error
from streamtui.server.api_errors import ApiError, model_not_found, upstream_error
from streamtui.server.request_body import is_too_complex
from streamtui.server.routing import Route

Model = dict[str, Any]

TIMEOUT = 10.0
"""Seconds to wait for an endpoint's list."""
CACHE_SECONDS = 10.0
ERROR_CACHE_SECONDS = 30.0
"""Seconds until an endpoint that failed is asked again."""
TIMEOUT_AFTER_ERROR = 1.0
"""Seconds to wait for an endpoint that failed the last time."""
_MAX_BODY = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class _CacheEntry:
    result: list[Model] | ProviderError
    expires: float


class ModelLists:
    """The model lists of all endpoints. Concurrent clients share one request to each endpoint."""

    def __init__(self, endpoints: Mapping[str, Endpoint], upstream: Callable[[Endpoint], Upstream]) -> None:
        self._endpoints = endpoints
        self._upstream = upstream
        self._cache: dict[str, _CacheEntry] = {}
        self._requests: dict[str, asyncio.Task[list[Model] | ProviderError]] = {}

    async def combined(self) -> dict[str, Any]:
        """Return ``{"object": "list", "data": [...], "errors": [...]}`` with models named ``ENDPOINT/MODEL``.

        ``errors`` has the endpoints that failed; the log has the reasons. Raises ApiError if all failed.
        """
        results = await self.all()
        errors = [
            {"endpoint": name, "message": f"{name} didn't return a list of models. See the relay's log for details."}
            for name, result in results.items()
            if isinstance(result, ProviderError)
        ]
        if len(errors) == len(results):
            message = "No endpoint returned a list of models. See the relay's log for details."
            raise ApiError(502, message, "upstream_unreachable")
        return {"object": "list", "data": successful(results), **({"errors": errors} if errors else {})}

    async def retrieve(self, route: Route) -> Model:
        """Return the description of one model. Raises ApiError."""
        name = f"{route.endpoint.name}/{route.model}"
        result = await self._result(route.endpoint)
        if isinstance(result, ProviderError):
            raise upstream_error(route.endpoint, result)
        for model in result:
            if model["id"] == name:
                return model
        raise model_not_found(name)

    async def all(self, timeout: float = TIMEOUT) -> dict[str, list[Model] | ProviderError]:
        """Return each endpoint's models, or its error, after at most `timeout` seconds."""
        results = await asyncio.gather(*(self._result(endpoint, timeout) for endpoint in self._endpoints.values()))
        return dict(zip(self._endpoints, results, strict=True))

    async def aclose(self) -> None:
        """Cancel running requests."""
        for request in self._requests.values():
            request.cancel()

    async def _result(self, endpoint: Endpoint, timeout: float = TIMEOUT) -> list[Model] | ProviderError:
        cached = self._cache.get(endpoint.name)
        if cached is not None and monotonic() < cached.expires:
            return cached.result
        if endpoint.name not in self._requests:
            self._requests[endpoint.name] = asyncio.create_task(self._fetch_and_cache(endpoint))
        request = self._requests[endpoint.name]
        if cached is not None and isinstance(cached.result, ProviderError):
            timeout = min(timeout, TIMEOUT_AFTER_ERROR)
        # Not wait_for, which would cancel the request that other clients may wait for.
        await asyncio.wait([request], timeout=timeout)
        return request.result() if request.done() else Explainer(endpoint).late_list(timeout)

    async def _fetch_and_cache(self, endpoint: Endpoint) -> list[Model] | ProviderError:
        result: list[Model] | ProviderError
        try:
            result, seconds = await self._fetch(endpoint), CACHE_SECONDS
        except ProviderError as error:
            log_upstream_error(error)
            result, seconds = error, ERROR_CACHE_SECONDS
        finally:
            del self._requests[endpoint.name]
        self._cache[endpoint.name] = _CacheEntry(result, monotonic() + seconds)
        return result

    async def _fetch(self, endpoint: Endpoint) -> list[Model]:
        """Return the models of `endpoint` under their relay names. Raises ProviderError."""
        explain = Explainer(endpoint)
        headers = {"accept": "application/json"}
        try:
            async with (
                asyncio.timeout(TIMEOUT),
                await self._upstream(endpoint).open("GET", "/models", headers=headers) as reply,
            ):
                body = await reply.read(_MAX_BODY)
        except TimeoutError:
            raise explain.late_list(TIMEOUT) from None
        text = "" if body is None or is_too_complex(body) else body.decode("utf-8-sig", "replace")
        if not 200 <= reply.status < 300:
            raise explain.status(reply.status, text, reply.headers)
        defaults = {"object": "model", "created": 0, "owned_by": endpoint.name}
        return [
            {**defaults, **model, "id": f"{endpoint.name}/{model['id']}"}
            for model in _parse(text, explain)
            if isinstance(name := model.get("id"), str) and len(name) <= LONGEST_NAME
        ]


def successful(results: Mapping[str, list[Model] | ProviderError]) -> list[Model]:
    """Return the models of all endpoints that didn't fail."""
    return [model for result in results.values() if isinstance(result, list) for model in result]


def _parse(text: str, explain: Explainer) -> list[Model]:
    try:
        data = json.loads(text, parse_float=_finite_float, parse_constant=lambda _: None)
    except (ValueError, RecursionError):
        raise explain.no_models(text) from None
    models = data.get("data") if isinstance(data, dict) else data
    if not isinstance(models, list):
        raise explain.no_models(text)
    return [model for model in models[:MOST_MODELS] if isinstance(model, dict)]


def _finite_float(text: str) -> float | None:
    """Return the number; None for one that overflows, as JSON has no infinity."""
    number = float(text)
    return number if isfinite(number) else None
