"""Finds the servers that run on this machine."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, replace

from streamtui.config import Endpoint, Timeouts
from streamtui.core.builtin_endpoints import LOCAL
from streamtui.providers.base import ProviderError
from streamtui.providers.openai_provider import OpenAIProvider

LIMIT = 2.0
"""Seconds in which a server on this machine should say what models it has."""


@dataclass(frozen=True, slots=True)
class LocalServer:
    """A server that answers, and what it has."""

    endpoint: Endpoint
    models: tuple[str, ...]
    """Names, never none of them: what lists no model may be any web server."""


async def find_servers(candidates: Iterable[Endpoint] = tuple(LOCAL.values())) -> AsyncIterator[LocalServer]:
    """Asks all `candidates` that are on this machine at once, and yields those that answer, as they do.

    Their keys are not fetched: one that wants a key which a command or the keyring has is not found.
    """
    asked = [asyncio.create_task(_look(endpoint)) for endpoint in candidates if endpoint.is_local]
    try:
        for answer in asyncio.as_completed(asked):
            if (found := await answer) is not None:
                yield found
    finally:
        for task in asked:
            task.cancel()
        await asyncio.gather(*asked, return_exceptions=True)


async def _look(endpoint: Endpoint) -> LocalServer | None:
    hasty = replace(
        endpoint, timeouts=Timeouts(connect=LIMIT), retries=0, api_key_command="", api_key_keyring=False, api_key_env=""
    )
    provider = OpenAIProvider(hasty)
    try:
        # Importing openai, which takes longer than the server may, does not count.
        await asyncio.to_thread(provider.warm_up)
        async with asyncio.timeout(LIMIT):
            models = await provider.models()
    except (ProviderError, TimeoutError):
        return None
    finally:
        await provider.aclose()
    return LocalServer(endpoint, tuple(models)) if models else None
