"""Credentials of an endpoint: its API key is fetched at the first use, and again after it was rejected."""

import asyncio
from dataclasses import replace

from streamtui.config import Endpoint
from streamtui.providers.api_keys import fetch_key
from streamtui.providers.error_explainer import Explainer


class Credentials:
    """An endpoint and its API key."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._configured = self._endpoint = endpoint
        self._stale = True
        """Whether the key is yet to be fetched, or to be fetched again."""
        self._lock = asyncio.Lock()

    @property
    def endpoint(self) -> Endpoint:
        """The endpoint, with its key once fetched."""
        return self._endpoint

    async def resolve(self) -> Endpoint:
        """Return the endpoint with its key, fetching it if needed. Raise ProviderError if that fails."""
        if self._stale:
            async with self._lock:
                if self._stale:
                    await self._fetch()
        return self._endpoint

    def invalidate(self) -> None:
        """Fetch the key again next time, as the server rejected it: a cloud token from a command lasts an hour."""
        self._stale = self._stale or self._configured.fetches_key

    async def _fetch(self) -> None:
        explain = Explainer(self._configured)
        if self._configured.needs_key:
            raise explain.no_key()
        key = await fetch_key(self._configured)
        if not (key.isascii() and key.isprintable()):
            raise explain.unusable_key()
        self._endpoint = self._configured if key == self._configured.api_key else replace(self._configured, api_key=key)
        self._stale = False
