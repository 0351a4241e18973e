"""UnconfirmedProvider: stands in for the server of a session until the user says where it goes on."""

from collections.abc import AsyncGenerator

from streamtui.config import Endpoint
from streamtui.core.message import Delta
from streamtui.core.models import ModelInfo
from streamtui.providers.base import ErrorKind, Provider, ProviderError, Request


class UnconfirmedProvider(Provider):
    """Sends nothing, whatever it is asked."""

    def __init__(self, name: str) -> None:
        """`name`: of the endpoint that the session was held with."""
        self._endpoint = Endpoint(name)

    @property
    def endpoint(self) -> Endpoint:
        """The name of the endpoint, without an address or a key."""
        return self._endpoint

    async def stream(self, request: Request) -> AsyncGenerator[Delta, None]:
        """Raises ProviderError."""
        raise self._error()
        yield Delta()

    async def catalog(self) -> list[ModelInfo]:
        """Raises ProviderError."""
        raise self._error()

    async def models(self) -> list[str]:
        """Raises ProviderError."""
        raise self._error()

    async def moderate(self, text: str) -> tuple[str, ...]:
        """Raises ProviderError."""
        raise self._error()

    def warm_up(self) -> None:
        """Does nothing."""

    async def aclose(self) -> None:
        """Does nothing."""

    def _error(self) -> ProviderError:
        sentence = f"{self._endpoint.name} is not available, so nothing was sent: choose another endpoint first."
        return ProviderError(sentence, ErrorKind.REFUSED)
