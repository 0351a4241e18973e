"""Connections: the endpoints that can answer in this run, with a provider for each that was asked."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from streamtui.config import DEMO, Config, Endpoint

if TYPE_CHECKING:
    from streamtui.providers.base import Provider


class Connections:
    """Providers by endpoint, made when they are first wanted.

    They stay open until the end: a server that was left may still be sending the reply that is being stopped, and
    idle connections close by themselves.
    """

    def __init__(self, config: Config, connect: "Callable[[Endpoint], Provider]") -> None:
        self._connect = connect
        self._endpoints = {**config.endpoints, config.endpoint.name: config.endpoint}
        self._endpoints.setdefault(DEMO.name, DEMO)
        self._open: dict[str, Provider] = {}
        self._replaced: list[Provider] = []

    @property
    def endpoints(self) -> list[Endpoint]:
        """All that can be picked."""
        return list(self._endpoints.values())

    def endpoint(self, name: str) -> Endpoint | None:
        """Returns the endpoint called `name`; None where there is none."""
        return self._endpoints.get(name)

    def to(self, endpoint: Endpoint) -> "Provider":
        """Returns the provider of `endpoint`, which from now on is the endpoint of its name."""
        name = endpoint.name
        if name in self._open and self._endpoints[name] != endpoint:
            self._replaced.append(self._open.pop(name))
        self._endpoints[name] = endpoint
        if name not in self._open:
            self._open[name] = self._connect(endpoint)
        return self._open[name]

    async def aclose(self) -> None:
        """Closes all connections."""
        await asyncio.gather(*(provider.aclose() for provider in [*self._open.values(), *self._replaced]))
