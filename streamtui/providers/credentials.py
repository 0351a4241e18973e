"""Credentials: an endpoint whose key is fetched at the first use, and anew once it was refused."""

import asyncio
from dataclasses import replace

from streamtui.config import Endpoint
from streamtui.providers.api_keys import fetch_key
from streamtui.providers.error_explainer import Explainer


class Credentials:
    """Holds the key of an endpoint for those who send requests to it."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._given = self._endpoint = endpoint
        self._locked = True
        """Whether the key is still to be fetched, or to be fetched anew."""
        self._turn = asyncio.Lock()

    @property
    def endpoint(self) -> Endpoint:
        """The endpoint, with its key as soon as that was fetched."""
        return self._endpoint

    async def unlocked(self) -> Endpoint:
        """Returns the endpoint with its key, fetching it if need be. Raises ProviderError if it can't be had."""
        if self._locked:
            async with self._turn:
                if self._locked:
                    await self._fetch()
        return self._endpoint

    def refused(self) -> None:
        """Notes that the server did not accept the key: the token of a cloud, which a command prints, lasts an hour."""
        self._locked = self._locked or self._given.fetches_key

    async def _fetch(self) -> None:
        explain = Explainer(self._given)
        if self._given.needs_key:
            raise explain.no_key()
        key = await fetch_key(self._given)
        if not (key.isascii() and key.isprintable()):
            raise explain.unusable_key()
        self._endpoint = self._given if key == self._given.api_key else replace(self._given, api_key=key)
        self._locked = False
