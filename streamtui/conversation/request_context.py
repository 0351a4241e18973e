"""Context: what of a path a request holds, and what to leave out of it where a model can't take it all."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from streamtui.conversation.token_usage import context_count
from streamtui.core.message import Message, Role
from streamtui.core.session import first_sent
from streamtui.tokens import Count

ROOM = 4_096
"""Tokens kept free for a reply where no limit is set; in small windows an eighth."""
KEPT = 0.6
"""Part of the window that is used once the oldest turns are left out: so it does not happen at every prompt."""
_RECAP = "[What was said before, summed up:]\n\n{recap}\n\n[Here the conversation goes on.]\n\n{text}"


def sent(path: Sequence[Message]) -> list[Message]:
    """Returns what a request holds of `path`: all of it, or what a recap leaves, the summary before the first prompt.

    Tokens that a server counted while more was sent are taken out.
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
    """What to do about a path that a model can't take."""

    window: int
    """Tokens the model can take."""
    needed: Count
    """Tokens of what would be sent, with room for the reply."""
    keep_from: int
    """The first message of the path that would still be sent if the oldest turns were left out."""
    left_out: int
    """How many messages that leaves out, of those that are sent now; 0: none can be."""
    fits: bool
    """Whether the rest fits."""


def room_for_reply(window: int, max_tokens: int | None) -> int:
    """Returns the tokens to keep free for the reply, which is half of the window at most."""
    return min(max_tokens or ROOM, window // (2 if max_tokens else 8))


def overflow(path: Sequence[Message], count: Count, window: int, room: int) -> Overflow | None:
    """Returns why `path`, which ends with a prompt, does not fit into `window` with `room` left; None: it does.

    `count`: what is sent of it takes.
    """
    needed = Count(count.tokens + room, count.exact)
    if needed.tokens <= window:
        return None
    start = first_sent(path)
    weights = [weight(message) for message in path[start:]]
    # Estimates of the parts, made to add up to what is known of the whole.
    scale = count.tokens / max(1, sum(weights))
    left = [needed.tokens - scale * before for before in accumulate(weights, initial=0)]
    starts = [index for index in range(start + 1, len(path)) if path[index].role is Role.USER]
    keep_from = next((i for i in starts if left[i - start] <= KEPT * window), starts[-1] if starts else start)
    return Overflow(window, needed, keep_from, keep_from - start, left[keep_from - start] <= window)


def weight(message: Message) -> int:
    """Returns about how many tokens a message takes by itself."""
    return context_count([replace(message, usage=None)]).tokens
