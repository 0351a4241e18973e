"""Relay: the endpoints that are passed on to, with what is open to them."""

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

SILENCE_TIMEOUT = 600.0
"""Seconds until the first byte, and between two. A model may think for minutes over a reply that is not streamed,
and who asked waits as long as they like: leaving ends the request."""


class OneTimeout(Timeouts):
    """The relay's own, for replies of every endpoint."""

    __slots__ = ()
    first_setting = silence_setting = "--timeout"


@dataclass(frozen=True, slots=True)
class Settings:
    """What a relay is started with. Goes to every worker process, so it holds plain values only."""

    default: Endpoint
    """Where requests go whose model names no endpoint."""
    endpoints: Mapping[str, Endpoint] = field(default_factory=dict)
    """All that are served, by name."""
    tokens: ClientTokens | None = None
    """None: no token is asked for, not even one made later."""
    hosts: tuple[str, ...] = ()
    """Names by which clients may call the relay, beside addresses and those of this machine's loopback; "*": any."""
    origins: tuple[str, ...] = ()
    """Web pages' origins that may use it, as ``https://example.com``; "*": any."""
    limits: Limits = field(default_factory=Limits)
    silence: float = SILENCE_TIMEOUT
    """Seconds after which a silent endpoint is given up."""


class Relay:
    """The state of one process. What it knows of endpoints it opens at the first use."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        served = {name: self._timed(endpoint) for name, endpoint in settings.endpoints.items()}
        self.router = Router(served, self._timed(settings.default))
        self.metrics = Metrics()
        self.models = ModelLists(self.router.endpoints, self.upstream)
        self._upstreams: dict[str, Upstream] = {}
        self._providers: dict[str, Provider] = {}

    def upstream(self, endpoint: Endpoint) -> Upstream:
        """What passes requests on to `endpoint`."""
        if endpoint.name not in self._upstreams:
            self._upstreams[endpoint.name] = upstream_for(endpoint)
        return self._upstreams[endpoint.name]

    def provider(self, endpoint: Endpoint) -> Provider:
        """What asks `endpoint` and reads its replies."""
        if endpoint.name not in self._providers:
            self._providers[endpoint.name] = connect(endpoint)
        return self._providers[endpoint.name]

    def _timed(self, endpoint: Endpoint) -> Endpoint:
        silence = self.settings.silence
        return replace(endpoint, timeouts=OneTimeout(endpoint.timeouts.connect, silence, silence))

    async def aclose(self) -> None:
        """Closes the connections."""
        await self.models.aclose()
        for upstream in self._upstreams.values():
            await upstream.aclose()
        for provider in self._providers.values():
            await provider.aclose()
