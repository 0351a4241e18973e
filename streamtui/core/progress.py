"""The progress of the current or last reply."""

import time
from dataclasses import dataclass, field
from enum import StrEnum

from streamtui.core.message import Timing, Usage
from streamtui.tokens import Count, TokenCounter


class State(StrEnum):
    """What a conversation is doing."""

    READY = "ready"
    CONNECTING = "connecting"
    """The request is being made up and sent: which model, what it is known to refuse, a connection to the server."""
    WAITING = "waiting"
    """The request is sent whole, nothing has come yet."""
    RETRYING = "retrying"
    """It failed; it will be sent again at `Progress.retry_at`."""
    STREAMING = "streaming"
    SUMMARIZING = "summarizing"
    """What is not sent any more is summed up."""
    STOPPED = "stopped"
    FAILED = "failed"


_REPLYING = frozenset({State.CONNECTING, State.WAITING, State.RETRYING, State.STREAMING})


@dataclass(slots=True)
class Progress:
    """How the current or last reply is doing. Times are seconds on the monotonic clock."""

    state: State = State.READY
    asked: float = 0.0
    """When the user asked."""
    sent: float = 0.0
    """When the newest request began to be sent."""
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
    usage_before: Usage | None = None
    """Where it continues a reply: what that took until it was cut."""
    timing_before: Timing | None = None
    """How long that took."""
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
        return self.replying or self.state is State.SUMMARIZING

    @property
    def retry_in(self) -> float:
        """Seconds until the request is sent again."""
        return max(0.0, self.retry_at - time.monotonic())

    # The whole reply, what it continues included

    @property
    def timing(self) -> Timing:
        """How long the reply took, until its newest piece."""
        first, text = _since(self.sent, self.first), _since(self.sent, self.text)
        timing = Timing(first, text, self.last - self.asked, self.sent - self.asked)
        return timing if self.timing_before is None else self.timing_before.then(timing)

    @property
    def elapsed(self) -> float:
        """Seconds the reply has taken, until now while it is under way."""
        return self.timing.total + (time.monotonic() - self.last if self.running else 0.0)

    @property
    def reply_usage(self) -> Usage | None:
        """What the reply took; None while nobody has counted it."""
        if self.usage is None or self.usage_before is None:
            return self.usage
        return self.usage_before.then(self.usage)

    @property
    def reply_count(self) -> Count:
        """Tokens of the reply."""
        count, before = self.request_count, self.usage_before
        if before is None:
            return count
        exact = (count.exact or not count.tokens) and not before.estimated
        return Count(before.completion_tokens + count.tokens, exact)

    @property
    def tokens_per_second(self) -> float | None:
        """Speed after the first token; None while it can't be measured."""
        return self.timing.tokens_per_second(self.reply_count.tokens)

    # This request alone

    @property
    def waiting(self) -> float:
        """Seconds since the newest request began to be sent."""
        return time.monotonic() - self.sent

    @property
    def silence(self) -> float:
        """Seconds since the newest piece, while more is to come; else 0."""
        return time.monotonic() - self.last if self.state is State.STREAMING else 0.0

    @property
    def request_count(self) -> Count:
        """Tokens that came."""
        if self.usage is not None and self.usage.completion_tokens and not self.usage.estimated:
            return Count(self.usage.completion_tokens, True)
        return self.counter.count


def _since(start: float, moment: float | None) -> float | None:
    return None if moment is None else moment - start
