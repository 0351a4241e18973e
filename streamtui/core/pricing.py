"""Compute the cost of a `Usage`, where it is known."""

from collections.abc import Iterable, Mapping
from dataclasses import fields
from math import floor, log10
from typing import NamedTuple

from streamtui.core import price_list
from streamtui.core.endpoint import Endpoint
from streamtui.core.message import Message, Role, Usage
from streamtui.core.models import ModelInfo, listed_at, model_info, priced_by_name, runs_models
from streamtui.core.session import Session

Catalog = Mapping[str, ModelInfo]
_MILLION = 1_000_000
_SUMMED = [field.name for field in fields(Usage) if field.name.endswith("_tokens") or field.name == "requests"]


class Cost(NamedTuple):
    """US dollars, and whether they are all."""

    dollars: float
    complete: bool = True
    """False where something else was paid for too, and it is not known what."""
    estimated: bool = False
    """Whether some of the tokens were counted here, not by the server, or a price was found by a model's name."""

    def __str__(self) -> str:
        mark = "~" if self.estimated and self.dollars else ""  # what costs nothing costs nothing
        return f"{'' if self.complete else '≥ '}{mark}{in_dollars(self.dollars)}"


def cost_of(
    usage: Usage, endpoint: Endpoint, model: str, said: ModelInfo | None = None, when: float = 0.0
) -> float | None:
    """Return what `usage` costs in US dollars, None where nobody says: never a guess.

    By the prices the user set; else what the server said of this reply (`usage.cost`) or of its model (`said`);
    else the price list, at the time `when` (seconds since the epoch). A server that runs its models on this machine
    costs nothing.
    """
    own = endpoint.settings_for(model)
    set_by_user = own.input_price is not None or own.output_price is not None
    if usage.cost is not None and not set_by_user:
        return usage.cost
    if set_by_user or (said is not None and said.input_price is not None):
        return _computed(usage, model_info(endpoint, model, said))
    if runs_models(endpoint, said):
        return 0.0
    address = listed_at(endpoint, model)
    return price_list.cost(address, model, usage.prompt_tokens, usage.cached_tokens, usage.completion_tokens, when)


def _computed(usage: Usage, facts: ModelInfo) -> float | None:
    if facts.input_price is None or facts.output_price is None:
        return None
    cached = min(usage.cached_tokens, usage.prompt_tokens)
    cached_price = facts.input_price if facts.cached_price is None else facts.cached_price
    millionths = (usage.prompt_tokens - cached) * facts.input_price + cached * cached_price
    return (millionths + usage.completion_tokens * facts.output_price) / _MILLION


def cost_of_reply(message: Message, endpoint: Endpoint, catalog: Catalog) -> float | None:
    """Return what a reply cost in US dollars, None where nobody knows.

    What was noted when it came counts; else today's prices, if it is `endpoint` that answered. `catalog`: what
    that server says of its models, by name.
    """
    usage, ours = message.usage or Usage(), message.endpoint == endpoint.name
    if usage.cost is not None or not ours:
        return usage.cost
    said = catalog.get(message.model)
    if not usage.total_tokens and not runs_models(endpoint, said):
        return None  # never counted
    return cost_of(usage, endpoint, message.model, said, message.created)


def is_estimate(message: Message, endpoint: Endpoint, catalog: Catalog) -> bool:
    """Return whether the cost of a reply, as `cost_of_reply` knows it, is an estimate."""
    usage = message.usage or Usage()
    if usage.cost is not None or message.endpoint != endpoint.name:
        return usage.cost_estimated
    return usage.estimated or priced_by_name(endpoint, message.model, catalog.get(message.model))


def session_cost(session: Session, endpoint: Endpoint, catalog: Catalog) -> Cost | None:
    """Return what all replies and summaries of the session cost together; None where it is known of none.

    On all branches. A reply of which nothing came is not counted.
    """
    messages = session.messages.values()
    costs = [(cost_of_reply(m, endpoint, catalog), is_estimate(m, endpoint, catalog)) for m in messages if _is_reply(m)]
    recaps = [m.recap.usage for m in messages if m.recap is not None and m.recap.usage]
    costs += [(usage.cost, usage.cost_estimated) for usage in recaps]
    known = [(cost, guessed) for cost, guessed in costs if cost is not None]
    estimated = any(cost and guessed for cost, guessed in known)
    return Cost(sum(cost for cost, _ in known), len(known) == len(costs), estimated) if known else None


def spent(messages: Iterable[Message]) -> Usage | None:
    """Return the tokens of all `messages` and summaries together, and what was noted that they cost if that is known
    of all that are counted; None where nothing was counted. See `uncounted`.
    """
    holders = [holder for message in messages for holder in (message, message.recap) if holder is not None]
    counted = [holder.usage for holder in holders if holder.usage is not None]
    if not counted:
        return None
    sums: dict[str, int] = {name: sum(getattr(usage, name) for usage in counted) for name in _SUMMED}
    costs = [usage.cost for usage in counted if usage.cost is not None]
    estimated = any(usage.estimated for usage in counted)
    by_name = any(usage.cost_by_name for usage in counted)
    cost = sum(costs) if len(costs) == len(counted) else None
    return Usage(**sums, cost=cost, cost_by_name=by_name, estimated=estimated)


def uncounted(messages: Iterable[Message]) -> int:
    """Return how many of the replies nobody counted, such as those of another program."""
    return sum(_is_reply(message) and message.usage is None for message in messages)


def _is_reply(message: Message) -> bool:
    """Whether it is a reply of which something came."""
    return message.role is Role.ASSISTANT and bool(message.text or message.reasoning or message.usage)


def in_dollars(dollars: float) -> str:
    """Return an amount as it is read: two digits that say something, as in $1,234.50, $0.12, $0.0034, $0."""
    if dollars >= 0.095 or dollars == 0:
        return f"${dollars:,.2f}" if dollars else "$0"
    if dollars < 0.0001:
        return "< $0.0001"
    decimals = 1 - floor(log10(dollars))
    return f"${dollars:.{decimals}f}"
