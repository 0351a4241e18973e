"""The provider interface, the requests it takes and the errors it raises."""

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
"""The last message of a request that asks a model to continue its reply. Neither saved nor shown."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request for a reply: a model and the conversation so far."""

    model: str
    messages: tuple[Message, ...]
    system: str = ""
    """The system prompt. Not sent if empty."""
    parameters: Parameters = field(default_factory=Parameters)
    api: Api | None = None
    """The API to use; None: the one that `streamtui.core.models.api_for` returns."""
    stream: bool = True
    """False requests the whole reply at once."""
    adaptations: Mapping[str, str] = field(default_factory=dict)
    """Fields that this model on this server is known to reject; see `Delta.adapted`."""
    sent: Callable[[], None] | None = None
    """Called when the server has the whole request, or at the latest when it begins to respond."""
    tap: Callable[[str], None] | None = None
    """Called with the data of every event (or the whole body if it is not a stream), as the server sent it."""


class ErrorKind(Enum):
    """The kinds of failure, by what the user can do about them."""

    NO_KEY = "no key"
    WRONG_KEY = "wrong key"
    REFUSED = "refused"
    """The request itself: an unknown parameter, too long, forbidden."""
    UNKNOWN_MODEL = "unknown model"
    UNREACHABLE = "unreachable"
    BUSY = "busy"
    """429: rate limited, or no credit left."""
    SERVER = "server"
    """5xx, and errors sent in the middle of a stream."""
    TIMEOUT = "timeout"
    BROKEN = "broken"
    """The stream ended early, or the body was not a stream."""


class ProviderError(Exception):
    """Why a provider could not reply: a clean message that says what happened and what to do."""

    def __init__(
        self,
        message: str,
        kind: ErrorKind,
        *,
        summary: str = "",
        detail: str = "",
        status: int | None = None,
        retry_after: float | None = None,
        retryable: bool = False,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.kind = kind
        self.summary = summary or message
        """The message without the server's own words, which may repeat a prompt."""
        self.detail = detail
        """The server's own words, cleaned and shortened; empty if there were none."""
        self.status = status
        """The HTTP status, if there was one."""
        self.retry_after = retry_after
        """Seconds that the server asked to wait, if it did."""
        self.retryable = retryable
        """True if the same request may succeed in a moment. Never true once part of the reply has arrived."""


class Provider(Protocol):
    """A server that generates replies."""

    @property
    def endpoint(self) -> Endpoint:
        """The server and its API key."""

    def stream(self, request: Request) -> AsyncGenerator[Delta, None]:
        """Send `request` and yield the deltas of the reply as they arrive, not yet cleaned.

        Ends after a finish reason; raises ProviderError otherwise. Canceling the task that iterates closes the
        connection at once. Iterate inside ``contextlib.aclosing``, so that leaving the loop early closes it too.
        """

    async def catalog(self) -> list[ModelInfo]:
        """Return the server's models with what it reports about them, in its order. Raise ProviderError."""

    async def models(self) -> list[str]:
        """Return the names of the server's models, cleaned, in its order. Raise ProviderError."""

    async def moderate(self, text: str) -> tuple[str, ...]:
        """Return the categories, cleaned, that the server's moderation flags `text` for; empty if none.

        Raise ProviderError, also if the server has no moderation.
        """

    def warm_up(self) -> None:
        """Load what the first request needs. May be called from any thread. Raise ProviderError."""

    async def aclose(self) -> None:
        """Close the connections."""
