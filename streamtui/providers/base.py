"""Provider: what answers; Request: what it is asked; ProviderError: why it could not."""

from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from streamtui.config import Api, Endpoint
from streamtui.core.message import Delta, Message
from streamtui.core.models import ModelInfo
from streamtui.core.parameters import Parameters

CONTINUE_PROMPT = (
    "Your last message was cut off. Go on with it exactly where it ends, with the very next characters: "
    "repeat nothing of it, and say nothing about this."
)
"""The last message of a request that asks a model to continue its reply; neither saved nor shown."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a provider gets: a model and the conversation so far."""

    model: str
    messages: tuple[Message, ...]
    system: str = ""
    """The system prompt; empty: none is sent."""
    parameters: Parameters = field(default_factory=Parameters)
    api: Api | None = None
    """None: the one that `streamtui.core.models.api_for` names."""
    stream: bool = True
    """False asks for the whole reply at once."""
    adaptations: Mapping[str, str] = field(default_factory=dict)
    """Fields that this model of this server is known to refuse; see `Delta.adapted`."""
    sent: Callable[[], None] | None = None
    """Called when the server has the whole request, or at the latest when it begins to answer."""
    tap: Callable[[str], None] | None = None
    """Called with the data of every event (or the whole body, where it is no stream), as the server sent it."""


class ErrorKind(Enum):
    """The kinds of failure a user can do different things about."""

    NO_KEY = "no key"
    WRONG_KEY = "wrong key"
    REFUSED = "refused"
    """The request itself: unknown parameter, too long, forbidden."""
    UNKNOWN_MODEL = "unknown model"
    UNREACHABLE = "unreachable"
    BUSY = "busy"
    """429: too many requests, or no credit left."""
    SERVER = "server"
    """5xx and errors sent in the middle of a stream."""
    TIMEOUT = "timeout"
    BROKEN = "broken"
    """The stream ended early or was not one."""


class ProviderError(Exception):
    """Why a provider could not answer, in one clean sentence that says what happened and what to do."""

    def __init__(
        self,
        message: str,
        kind: ErrorKind,
        *,
        status: int | None = None,
        retry_after: float | None = None,
        retryable: bool = False,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.kind = kind
        self.status = status
        """The HTTP status, if there was one."""
        self.retry_after = retry_after
        """Seconds the server asked to wait, if it did."""
        self.retryable = retryable
        """Whether the same request may succeed in a moment; never once a piece of the reply has come."""


class Provider(Protocol):
    """A server that answers."""

    @property
    def endpoint(self) -> Endpoint:
        """The server and its key."""

    def stream(self, request: Request) -> AsyncGenerator[Delta, None]:
        """Sends `request` and yields the reply piece by piece, as it arrives and not yet cleaned.

        Ends after a finish reason was seen. Raises ProviderError for everything else. Cancelling the task
        that iterates closes the connection at once; iterate inside ``contextlib.aclosing``, so that leaving
        the loop early does too.
        """

    async def catalog(self) -> list[ModelInfo]:
        """Returns the server's models and what it says of them, in its order. Raises ProviderError."""

    async def models(self) -> list[str]:
        """Returns the names of the server's models, cleaned, in its order. Raises ProviderError."""

    async def moderate(self, text: str) -> tuple[str, ...]:
        """Returns the categories, cleaned, for which the server's moderation flags `text`; none: it does not.

        Raises ProviderError, also where the server has no moderation.
        """

    def warm_up(self) -> None:
        """Loads what the first request needs; may be called from any thread. Raises ProviderError."""

    async def aclose(self) -> None:
        """Closes the connections."""
