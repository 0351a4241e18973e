"""The provider of a session whose endpoint is unavailable, until the user chooses another one."""

from collections.abc import AsyncGenerator

from streamtui.config import Endpoint
from streamtui.core.message import Delta
from streamtui.core.models import ModelInfo
from streamtui.providers.base import ErrorKind, Provider, ProviderError, Request


class UnconfirmedProvider(Provider):
    """Rejects every request without sending anything."""

    def __init__(self, name: str) -> None:
        """`name`: the endpoint the session was last used with."""
        self._endpoint = Endpoint(name)

    @property
    def endpoint(self) -> Endpoint:
        """The endpoint's name, without an address or key."""
        return self._endpoint

    async def stream(self, request: Request) -> AsyncGenerator[Delta, None]:
        """Raise ProviderError."""
        raise self._error()
        yield Delta()

    async def catalog(self) -> list[ModelInfo]:
        """Raise ProviderError."""
        raise self._error()

    async def models(self) -> list[str]:
        """Raise ProviderError."""
        raise self._error()

    async def moderate(self, text: str) -> tuple[str, ...]:
        """Raise ProviderError."""
        raise self._error()

    def warm_up(self) -> None:
        """Do nothing."""

    async def aclose(self) -> None:
        """Do nothing."""

    def _error(self) -> ProviderError:
        message = f"{self._endpoint.name} is not available, so nothing was sent. Choose another endpoint first."
        return ProviderError(message, ErrorKind.REFUSED)
