"""Find model servers running on this machine."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, replace

from streamtui.config import Endpoint, Timeouts
from streamtui.core.builtin_endpoints import LOCAL
from streamtui.providers.base import ProviderError
from streamtui.providers.openai_provider import OpenAIProvider

LIMIT = 2.0
"""Seconds that a server on this machine has to list its models."""


@dataclass(frozen=True, slots=True)
class LocalServer:
    """A running server and its models."""

    endpoint: Endpoint
    models: tuple[str, ...]
    """Never empty: a server that lists no models may be any web server."""


async def find_servers(candidates: Iterable[Endpoint] = tuple(LOCAL.values())) -> AsyncIterator[LocalServer]:
    """Query all local `candidates` at once and yield those that respond, as they do.

    Keys are not fetched: a server that needs one from a command or the keyring is not found.
    """
    asked = [asyncio.create_task(_probe(endpoint)) for endpoint in candidates if endpoint.is_local]
    try:
        for answer in asyncio.as_completed(asked):
            if (found := await answer) is not None:
                yield found
    finally:
        for task in asked:
            task.cancel()
        await asyncio.gather(*asked, return_exceptions=True)


async def _probe(endpoint: Endpoint) -> LocalServer | None:
    probe_endpoint = replace(
        endpoint, timeouts=Timeouts(connect=LIMIT), retries=0, api_key_command="", api_key_keyring=False, api_key_env=""
    )
    provider = OpenAIProvider(probe_endpoint)
    try:
        # Importing openai takes longer than the limit, and does not count.
        await asyncio.to_thread(provider.warm_up)
        async with asyncio.timeout(LIMIT):
            models = await provider.models()
    except (ProviderError, TimeoutError):
        return None
    finally:
        await provider.aclose()
    return LocalServer(endpoint, tuple(models)) if models else None
