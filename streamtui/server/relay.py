"""The relay's settings, and its connections to endpoints."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from streamtui.config import Endpoint, Timeouts
from streamtui.providers import connect
from streamtui.providers.base import Provider
from streamtui.providers.upstream import Upstream, upstream_for
from streamtui.server.client_tokens import ClientTokens
from streamtui.server.limits import Limits
from streamtui.server.metrics import Metrics
from streamtui.server.model_list import ModelLists
from streamtui.server.routing import Router

READ_TIMEOUT = 600.0
"""Seconds to wait for upstream data. A model may think for minutes before a reply that isn't streamed, and a client
that doesn't want to wait can disconnect."""


class RelayTimeouts(Timeouts):
    """Timeouts that errors attribute to the relay's option rather than to a setting of the endpoint."""

    __slots__ = ()
    first_setting = silence_setting = "--timeout"


@dataclass(frozen=True, slots=True)
class Settings:
    """The relay's settings. Pickled for worker processes, so they contain plain values only."""

    default: Endpoint
    """The endpoint for models without an endpoint prefix."""
    endpoints: Mapping[str, Endpoint] = field(default_factory=dict)
    """All endpoints by name."""
    tokens: ClientTokens | None = None
    """None: tokens are never required."""
    hosts: tuple[str, ...] = ()
    """Allowed Host headers beside IP addresses and loopback names; ``*``: any."""
    origins: tuple[str, ...] = ()
    """Allowed web origins, such as ``https://example.com``; ``*``: any."""
    limits: Limits = field(default_factory=Limits)
    read_timeout: float = READ_TIMEOUT
    """Seconds to wait for upstream data."""


class Relay:
    """The state of one relay process. Connections open at first use."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        endpoints = {name: self._with_timeouts(endpoint) for name, endpoint in settings.endpoints.items()}
        self.router = Router(endpoints, self._with_timeouts(settings.default))
        self.metrics = Metrics()
        self.models = ModelLists(self.router.endpoints, self.upstream)
        self._upstreams: dict[str, Upstream] = {}
        self._providers: dict[str, Provider] = {}

    def upstream(self, endpoint: Endpoint) -> Upstream:
        """Return the client that forwards raw requests to `endpoint`."""
        if endpoint.name not in self._upstreams:
            self._upstreams[endpoint.name] = upstream_for(endpoint)
        return self._upstreams[endpoint.name]

    def provider(self, endpoint: Endpoint) -> Provider:
        """Return the client that parses the replies of `endpoint`."""
        if endpoint.name not in self._providers:
            self._providers[endpoint.name] = connect(endpoint)
        return self._providers[endpoint.name]

    async def aclose(self) -> None:
        """Close all connections."""
        await self.models.aclose()
        for upstream in self._upstreams.values():
            await upstream.aclose()
        for provider in self._providers.values():
            await provider.aclose()

    def _with_timeouts(self, endpoint: Endpoint) -> Endpoint:
        seconds = self.settings.read_timeout
        return replace(endpoint, timeouts=RelayTimeouts(endpoint.timeouts.connect, seconds, seconds))
