"""The messages of a path that are sent with a request, and which to exclude if they exceed the context window."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from streamtui.conversation.token_usage import context_count
from streamtui.core.message import Message, Role
from streamtui.core.session import first_sent
from streamtui.tokens import Count

REPLY_TOKENS = 4_096
"""Tokens reserved for a reply without max_tokens; in small windows an eighth."""
TARGET_SHARE = 0.6
"""Share of the window to fill after excluding messages, so that the next prompt still fits."""
_RECAP = "[Summary of the earlier conversation:]\n\n{recap}\n\n[The conversation continues here.]\n\n{text}"


def sent_messages(path: Sequence[Message]) -> list[Message]:
    """Return the messages of `path` to send: all of them, or those since the last recap with its summary prepended.

    Token counts from requests that included more messages are removed.
    """
    start = first_sent(path)
    recap = path[start].recap if path else None
    if recap is None:
        return list(path)
    kept = [replace(m, usage=None) if m.created < recap.created else m for m in path[start:]]
    if recap.text:
        kept[0] = replace(kept[0], text=_RECAP.format(recap=recap.text, text=kept[0].text))
    return kept


@dataclass(frozen=True, slots=True)
class Overflow:
    """A path that exceeds the context window, and what to exclude."""

    window: int
    """Size of the context window in tokens."""
    needed: Count
    """Tokens of the request and those reserved for the reply."""
    keep_from: int
    """Index in the path of the first message to keep if the oldest are excluded."""
    left_out: int
    """Number of messages to exclude; 0: none can be."""
    fits: bool
    """Whether the remaining messages fit."""


def reply_budget(window: int, max_tokens: int | None) -> int:
    """Return the number of tokens to reserve for the reply, at most half of the window."""
    return min(max_tokens or REPLY_TOKENS, window // (2 if max_tokens else 8))


def overflow(path: Sequence[Message], count: Count, window: int, reserved: int) -> Overflow | None:
    """Return the overflow of `path`, which ends with a prompt, with `reserved` tokens for the reply; None if it fits.

    `count` is the size of the request.
    """
    needed = Count(count.tokens + reserved, count.exact)
    if needed.tokens <= window:
        return None
    start = first_sent(path)
    weights = [weight(message) for message in path[start:]]
    # Estimates for single messages, scaled to add up to the known total.
    scale = count.tokens / max(1, sum(weights))
    left = [needed.tokens - scale * before for before in accumulate(weights, initial=0)]
    starts = [index for index in range(start + 1, len(path)) if path[index].role is Role.USER]
    keep_from = next((i for i in starts if left[i - start] <= TARGET_SHARE * window), starts[-1] if starts else start)
    return Overflow(window, needed, keep_from, keep_from - start, left[keep_from - start] <= window)


def weight(message: Message) -> int:
    """Return the approximate number of tokens of a message."""
    return context_count([replace(message, usage=None)]).tokens
