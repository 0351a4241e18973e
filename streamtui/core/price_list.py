"""The price list that comes with the program (genai-prices): what models of known providers cost, what they take in."""

from datetime import UTC, datetime
from decimal import Decimal
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from genai_prices.data_snapshot import DataSnapshot
    from genai_prices.types import ModelInfo, Provider

_list: "DataSnapshot | None" = None
_LONGEST = 200
"""Characters of a model's name that is looked up."""


class Listed(NamedTuple):
    """What the list says of a model. None: nothing."""

    window: int | None = None
    """Tokens of context."""
    input_price: float | None = None
    """US dollars a million tokens, for prompts that are not long: some models ask more for those."""
    output_price: float | None = None


def load() -> None:
    """Load the list; until then it says nothing. For a thread: takes 0.3 s of CPU. Asks no network."""
    global _list
    from genai_prices.data_snapshot import get_snapshot

    _list = get_snapshot()


def listed(base_url: str, model: str) -> Listed:
    """Return what is known of `model` of the provider whose API is at `base_url`; "": as its name says, see `cost`."""
    found = _found(base_url, model)
    if found is None:
        return Listed()
    prices: Any = found[1].get_prices(datetime.now(UTC)) if found[1].prices else None
    return Listed(
        found[1].context_window,
        _base(prices and prices.input_mtok),
        _base(prices and prices.output_mtok),
    )


def cost(base_url: str, model: str, prompt: int, cached: int, completion: int, when: float) -> float | None:
    """Return what so many tokens cost at the time `when` (seconds since the epoch), in US dollars.

    `cached` is part of `prompt`. `base_url`: of the provider's API; "" for whoever is in the name, as proxies put it
    there, else whoever made the model. None where the list has no price for both prompt and reply: never a guess.
    """
    return None if _list is None else _costs(_list.timestamp, base_url, model, prompt, cached, completion, when)


@lru_cache(maxsize=10_000)  # 0.2 ms each, asked again whenever a session's cost is summed up
def _costs(
    _: datetime, base_url: str, model: str, prompt: int, cached: int, completion: int, when: float
) -> float | None:
    found = _found(base_url, model)
    if found is None or not found[1].prices:
        return None
    moment = datetime.fromtimestamp(when, UTC)
    prices: Any = found[1].get_prices(moment)
    if prices.input_mtok is None or prices.output_mtok is None:
        return None
    from genai_prices.types import Usage

    usage = Usage(input_tokens=prompt, cache_read_tokens=min(cached, prompt), output_tokens=completion)
    return float(found[1].calc_price(usage, found[0], genai_request_timestamp=moment).total_price)


def _found(base_url: str, model: str) -> "tuple[Provider, ModelInfo] | None":
    # A longer name is none of the list's; here it would go through a thousand patterns and stay in the cache.
    return None if _list is None or len(model) > _LONGEST else _looked_up(_list.timestamp, base_url, model)


@cache  # a model that is not listed takes 2 ms to be missed
def _looked_up(_: datetime, base_url: str, model: str) -> "tuple[Provider, ModelInfo] | None":
    assert _list is not None
    try:
        # By the address, not by the name of the model: a gpt-oss of one's own costs what nobody knows.
        return _list.find_provider_model(model, None, None if base_url else "litellm", base_url or None)
    except LookupError:
        return None


def _base(price: object) -> float | None:
    """A price, or the base of one in tiers."""
    price = getattr(price, "base", price)
    return float(price) if isinstance(price, Decimal) else None
