"""Messages, deltas, token usage and timing."""

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Role(StrEnum):
    """Who a message is from."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"


class FinishReason(StrEnum):
    """How a reply ended. A reply without one is still being written, or its program was killed."""

    STOP = "stop"
    """The model was done."""
    LENGTH = "length"
    """The model reached its limit of tokens."""
    CONTENT_FILTER = "content_filter"
    """The server withheld the rest."""
    TOOL_CALLS = "tool_calls"
    """The model wanted to call tools."""
    STOPPED = "stopped"
    """The user stopped it."""
    FAILED = "failed"
    """The stream broke; `Message.error` says how."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of a reply, as the server counted them or, where it did not, as they were counted here."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    reasoning_tokens: int = 0
    """Part of `completion_tokens`."""
    cached_tokens: int = 0
    """Part of `prompt_tokens`."""
    repeated_tokens: int = 0
    """Part of the two, where a reply took several requests: what the later ones were sent of the earlier. It was
    paid for again, but stands in the context once."""
    cost: float | None = None
    """US dollars, as the server said or as was reckoned when the reply came; None: not known."""
    cost_by_name: bool = False
    """Whether `cost` is what the model's maker asks, found by the model's name, as the server states no price."""
    requests: int = 1
    """How many requests the reply took: one, and one more each time it was continued."""
    estimated: bool = False
    """Whether some of it was counted here, as for a reply that was stopped before the server had counted it. Even the
    model's own encoding knows nothing of hidden thoughts, and of what stands around messages."""

    @property
    def total_tokens(self) -> int:
        """What the conversation takes of the context after this reply."""
        return self.prompt_tokens + self.completion_tokens - self.repeated_tokens

    @property
    def cost_estimated(self) -> bool:
        """Whether `cost` is an estimate, of the tokens or of the price."""
        return self.estimated or self.cost_by_name

    def then(self, later: "Usage") -> "Usage":
        """Return the usage of a reply that was continued: this one's and that of the `later` request."""
        return Usage(
            self.prompt_tokens + later.prompt_tokens,
            self.completion_tokens + later.completion_tokens,
            self.reasoning_tokens + later.reasoning_tokens,
            self.cached_tokens + later.cached_tokens,
            self.prompt_tokens + self.completion_tokens + later.repeated_tokens,
            None if self.cost is None or later.cost is None else self.cost + later.cost,
            self.cost_by_name or later.cost_by_name,
            self.requests + later.requests,
            self.estimated or later.estimated,
        )


@dataclass(frozen=True, slots=True)
class Timing:
    """How long a reply took, in seconds."""

    first: float | None = None
    """From the request that was answered until the first piece with text or reasoning; None before it."""
    text: float | None = None
    """From the same until the first piece of the answer itself; None before it."""
    total: float = 0.0
    """From when the user asked until the last piece, or until now while it is still arriving."""
    waited: float = 0.0
    """Of `total`: before the request that was answered was sent: making it up, tries that failed, the waits after."""
    resumed: float = 0.0
    """Of `total`, where the reply was continued: from each further request until its first piece."""

    @property
    def streaming(self) -> float | None:
        """How long pieces came; None before the first."""
        return None if self.first is None else self.total - self.waited - self.first - self.resumed

    def tokens_per_second(self, tokens: int) -> float | None:
        """Return the speed at which `tokens` arrived after the first one; None while that can't be measured."""
        streaming = self.streaming
        return None if streaming is None or streaming < 0.05 or not tokens else tokens / streaming

    @property
    def thinking(self) -> float | None:
        """From the first piece until the answer itself began, or until the end; None before the first."""
        return self.streaming if self.first is None or self.text is None else self.text - self.first

    def then(self, later: "Timing") -> "Timing":
        """Return the timing of a reply that was continued; the time between the two requests is left out."""
        again = later.total - later.waited if later.first is None else later.first + later.resumed
        return Timing(
            self.first,
            self.text,
            self.total + later.total,
            self.waited + later.waited,
            self.resumed + again,
        )


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes with a message."""

    name: str
    media_type: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Delta:
    """A piece of a reply, as a provider hands it on. Any part can be missing."""

    text: str = ""
    reasoning: str = ""
    usage: Usage | None = None
    finish_reason: FinishReason | None = None
    model: str = ""
    """The model that answers, where the server names it."""
    notice: str = ""
    """A sentence for the user about the request itself, such as a parameter the server does not know."""
    adapted: Mapping[str, str] | None = None
    """Fields of the body that this model of this server refused: their new names, or "" for left out. To be
    remembered, and given to the next `Request` as `adaptations`."""
    text_was_reasoning: bool = False
    """Whether all text of the reply before this piece was reasoning, as its closing tag has only come now."""

    def __bool__(self) -> bool:
        return bool(
            self.text
            or self.reasoning
            or self.usage
            or self.finish_reason
            or self.notice
            or self.adapted
            or self.text_was_reasoning
        )


@dataclass(frozen=True, slots=True)
class Recap:
    """What a request holds in place of all messages before the one that has it, which are not sent any more."""

    text: str = ""
    """A summary of them; empty: nothing takes their place."""
    created: float = field(default_factory=time.time)
    """Seconds since the epoch. What a server counted before then, it counted with them."""
    model: str = ""
    """The model that wrote the summary."""
    usage: Usage | None = None
    """What the summary took."""


def new_id() -> str:
    """Return an id that no other message, session or program will make: 16 hexadecimal digits."""
    return os.urandom(8).hex()


@dataclass(slots=True)
class Message:
    """A turn: what the user or the model said, and all that is known of it."""

    role: Role
    text: str = ""
    id: str = field(default_factory=new_id)
    parent_id: str | None = None
    """The message this one answers or follows; None for the first."""
    created: float = field(default_factory=time.time)
    """Seconds since the epoch."""
    reasoning: str = ""
    endpoint: str = ""
    """Name of the endpoint that answered."""
    model: str = ""
    """The model that answered."""
    finish_reason: FinishReason | None = None
    error: str = ""
    """Why it failed, or why it was to be asked again when it was stopped, in a sentence for the user. Never sent
    to a model."""
    usage: Usage | None = None
    timing: Timing | None = None
    attachments: tuple[Attachment, ...] = ()
    recap: Recap | None = None
    """Set where the messages before this one are not sent any more."""

    @property
    def is_cut(self) -> bool:
        """Whether it is a reply that ended before the model was done, so that it can be continued."""
        return self.role is Role.ASSISTANT and bool(self.text) and self.finish_reason in _CUT


_CUT = (None, FinishReason.LENGTH, FinishReason.STOPPED, FinishReason.FAILED)
