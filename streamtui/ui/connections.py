"""The endpoints of this run, with a provider for each that is in use."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from streamtui.config import DEMO, Config, Endpoint

if TYPE_CHECKING:
    from streamtui.providers.base import Provider


class Connections:
    """Providers by endpoint, created on first use.

    They stay open until the app ends: after a switch, a reply of the previous server may still be stopping, and idle
    connections close by themselves.
    """

    def __init__(self, config: Config, connect: "Callable[[Endpoint], Provider]") -> None:
        self._connect = connect
        self._endpoints = {**config.endpoints, config.endpoint.name: config.endpoint}
        self._endpoints.setdefault(DEMO.name, DEMO)
        self._open: dict[str, Provider] = {}
        self._replaced: list[Provider] = []

    @property
    def endpoints(self) -> list[Endpoint]:
        """All endpoints to choose from."""
        return list(self._endpoints.values())

    def endpoint(self, name: str) -> Endpoint | None:
        """Return the endpoint called `name`; None if it is not configured."""
        return self._endpoints.get(name)

    def to(self, endpoint: Endpoint) -> "Provider":
        """Return the provider of `endpoint`, which replaces any other endpoint of that name."""
        name = endpoint.name
        if name in self._open and self._endpoints[name] != endpoint:
            self._replaced.append(self._open.pop(name))
        self._endpoints[name] = endpoint
        if name not in self._open:
            self._open[name] = self._connect(endpoint)
        return self._open[name]

    async def aclose(self) -> None:
        """Close all connections."""
        await asyncio.gather(*(provider.aclose() for provider in [*self._open.values(), *self._replaced]))
