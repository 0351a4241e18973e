"""Relay: the endpoints that are passed on to, with what is open to them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from streamtui.config import Endpoint
from streamtui.providers import connect
from streamtui.providers.base import Provider
from streamtui.providers.upstream import SILENCE_TIMEOUT, Upstream, pass_to
from streamtui.server.client_tokens import ClientTokens
from streamtui.server.figures import Figures
from streamtui.server.limits import Limits
from streamtui.server.routing import Router


@dataclass(frozen=True, slots=True)
class Settings:
    """What a relay is started with. Goes to every worker process, so it holds plain values only."""

    default: Endpoint
    """Where requests go whose model names no endpoint."""
    endpoints: Mapping[str, Endpoint] = field(default_factory=dict)
    """All that are served, by name."""
    tokens: ClientTokens | None = None
    """None: no token is asked for."""
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
        self.router = Router(settings.endpoints, settings.default)
        self.figures = Figures()
        self._upstreams: dict[str, Upstream] = {}
        self._providers: dict[str, Provider] = {}

    def upstream(self, endpoint: Endpoint) -> Upstream:
        """What passes requests on to `endpoint`."""
        if endpoint.name not in self._upstreams:
            self._upstreams[endpoint.name] = pass_to(endpoint, silence_timeout=self.settings.silence)
        return self._upstreams[endpoint.name]

    def provider(self, endpoint: Endpoint) -> Provider:
        """What asks `endpoint` and reads its replies."""
        if endpoint.name not in self._providers:
            self._providers[endpoint.name] = connect(endpoint)
        return self._providers[endpoint.name]

    async def aclose(self) -> None:
        """Closes the connections."""
        for upstream in self._upstreams.values():
            await upstream.aclose()
        for provider in self._providers.values():
            await provider.aclose()
