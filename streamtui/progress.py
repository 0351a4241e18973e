"""Progress: how the current or last reply is doing."""

import time
from dataclasses import dataclass, field
from enum import StrEnum

from streamtui.message import Timing, Usage
from streamtui.tokens import Count, TokenCounter


class State(StrEnum):
    """What a conversation is doing."""

    READY = "ready"
    CONNECTING = "connecting"
    """The request is being made up: which model, what it is known to refuse."""
    WAITING = "waiting"
    """The request is sent, nothing has come yet."""
    RETRYING = "retrying"
    """It failed; it will be sent again at `Progress.retry_at`."""
    STREAMING = "streaming"
    SUMMARISING = "summarising"
    """What is not sent any more is summed up."""
    STOPPED = "stopped"
    FAILED = "failed"


_REPLYING = frozenset({State.CONNECTING, State.WAITING, State.RETRYING, State.STREAMING})


@dataclass(slots=True)
class Progress:
    """How the current or last reply is doing. Times are seconds on the monotonic clock."""

    state: State = State.READY
    sent: float = 0.0
    first: float | None = None
    """When the first piece with text or reasoning came."""
    text: float | None = None
    """When the first piece of the answer itself came."""
    last: float = 0.0
    """When the newest piece came, or when it ended."""
    counter: TokenCounter = field(default_factory=TokenCounter)
    """Counts text and reasoning as they come."""
    usage: Usage | None = None
    """Of this request alone."""
    attempt: int = 0
    """How often the request is sent again, the time it is waiting for included; 0: this is the first."""
    retries: int = 0
    """How often it may be."""
    retry_at: float = 0.0
    """When it is sent again, while the state is RETRYING."""
    reason: str = ""
    """Why, in a word or two, such as ``429``."""

    @property
    def replying(self) -> bool:
        """Whether a reply is under way."""
        return self.state in _REPLYING

    @property
    def running(self) -> bool:
        """Whether something is under way."""
        return self.replying or self.state is State.SUMMARISING

    @property
    def retry_in(self) -> float:
        """Seconds until the request is sent again."""
        return max(0.0, self.retry_at - time.monotonic())

    @property
    def timing(self) -> Timing:
        """The same, in seconds since the request was sent."""
        return Timing(_since(self.sent, self.first), _since(self.sent, self.text), self.last - self.sent)

    @property
    def elapsed(self) -> float:
        """Seconds the reply has taken, until now while it is under way."""
        return (time.monotonic() if self.running else self.last) - self.sent

    @property
    def reply_count(self) -> Count:
        """Tokens of the reply."""
        if self.usage is not None and self.usage.completion_tokens:
            return Count(self.usage.completion_tokens, True)
        return self.counter.count

    @property
    def tokens_per_second(self) -> float | None:
        """Speed since the first piece; None while it can't be said."""
        if self.first is None or self.last - self.first < 0.05:
            return None
        return self.reply_count.tokens / (self.last - self.first)


def _since(start: float, moment: float | None) -> float | None:
    return None if moment is None else moment - start
