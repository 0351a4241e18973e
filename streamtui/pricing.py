"""Pricing: what a `Usage` costs, where that is known."""

from collections.abc import Mapping
from math import floor, log10
from typing import NamedTuple

from streamtui import price_list
from streamtui.config import Endpoint
from streamtui.message import Message, Role, Usage
from streamtui.models import ModelInfo, facts_of
from streamtui.session import Session

Catalogue = Mapping[str, ModelInfo]
_MILLION = 1_000_000


class Cost(NamedTuple):
    """US dollars, and whether they are all."""

    dollars: float
    complete: bool
    """False where something else was paid for too, and it is not known what."""

    def __str__(self) -> str:
        return f"{'' if self.complete else '≥ '}{in_dollars(self.dollars)}"


def cost_of(
    usage: Usage, endpoint: Endpoint, model: str, said: ModelInfo | None = None, when: float = 0.0
) -> float | None:
    """Returns what `usage` costs in US dollars, None where nobody says: never a guess.

    By the prices the user set; else what the server said of this reply (`usage.cost`) or of its model (`said`);
    else the price list, at the time `when` (seconds since the epoch). A server on this machine costs nothing.
    """
    own = endpoint.settings_for(model)
    set_by_user = own.input_price is not None or own.output_price is not None
    if usage.cost is not None and not set_by_user:
        return usage.cost
    if set_by_user or (said is not None and said.input_price is not None):
        return _reckoned(usage, facts_of(endpoint, model, said))
    if endpoint.demo or endpoint.is_local:
        return 0.0
    return price_list.cost(
        endpoint.base_url, model, usage.prompt_tokens, usage.cached_tokens, usage.completion_tokens, when
    )


def _reckoned(usage: Usage, facts: ModelInfo) -> float | None:
    if facts.input_price is None or facts.output_price is None:
        return None
    cached = min(usage.cached_tokens, usage.prompt_tokens)
    cached_price = facts.input_price if facts.cached_price is None else facts.cached_price
    millionths = (usage.prompt_tokens - cached) * facts.input_price + cached * cached_price
    return (millionths + usage.completion_tokens * facts.output_price) / _MILLION


def cost_of_reply(message: Message, endpoint: Endpoint, catalogue: Catalogue) -> float | None:
    """Returns what a reply cost in US dollars, None where nobody knows.

    What was noted when it came counts; else today's prices, if it is `endpoint` that answered. `catalogue`: what
    that server says of its models, by name.
    """
    usage, ours = message.usage or Usage(), message.endpoint == endpoint.name
    if usage.cost is not None or not ours:
        return usage.cost
    if not usage.total_tokens and not (endpoint.demo or endpoint.is_local):
        return None  # stopped before its usage came, or never counted
    return cost_of(usage, endpoint, message.model, catalogue.get(message.model), message.created)


def session_cost(session: Session, endpoint: Endpoint, catalogue: Catalogue) -> Cost | None:
    """Returns what all replies and summaries of the session cost together; None where it is known of none.

    On all branches. A reply of which nothing came is not counted.
    """
    replies = [m for m in session.messages.values() if m.role is Role.ASSISTANT and (m.text or m.reasoning or m.usage)]
    costs = [cost_of_reply(message, endpoint, catalogue) for message in replies]
    costs += [m.recap.usage.cost for m in session.messages.values() if m.recap is not None and m.recap.usage]
    known = [cost for cost in costs if cost is not None]
    return Cost(sum(known), len(known) == len(costs)) if known else None


def in_dollars(dollars: float) -> str:
    """Returns an amount as it is read: two digits that say something, as in $1,234.50, $0.12, $0.0034, $0."""
    if dollars >= 0.095 or dollars == 0:
        return f"${dollars:,.2f}" if dollars else "$0"
    if dollars < 0.0001:
        return "< $0.0001"
    decimals = 1 - floor(log10(dollars))
    return f"${dollars:.{decimals}f}"
