"""What models take in and what replies cost: said by the user, the server or the price list, and else unknown."""

import time
from dataclasses import replace

import pytest

from streamtui.config import DEMO, OPENAI_URL, Endpoint, ModelSettings
from streamtui.core import price_list
from streamtui.core.message import Message, Recap, Role, Usage
from streamtui.core.models import ModelInfo, context_window_of, may_cost, model_info, priced_by_name
from streamtui.core.pricing import Cost, cost_of, cost_of_reply, in_dollars, session_cost, spent
from streamtui.core.session import Session

OPENAI = Endpoint("openai", OPENAI_URL, api_key="sk-x")
PROXY = Endpoint("proxy", "https://proxy.example/v1")
LOCAL = Endpoint("local", "http://localhost:11434/v1")
USAGE = Usage(1_000_000, 100_000)


@pytest.fixture
def listed() -> None:
    """The price list is loaded; tests that don't ask for it may find it loaded or not."""
    price_list.load()


@pytest.fixture
def unlisted(monkeypatch: pytest.MonkeyPatch) -> None:
    """The price list is not loaded yet."""
    monkeypatch.setattr(price_list, "_list", None)


def with_settings(endpoint: Endpoint, model: str, settings: ModelSettings) -> Endpoint:
    """The endpoint, with something set for a model."""
    return replace(endpoint, models={model: settings})


# Windows


def test_the_window_the_user_set_wins(listed: None) -> None:
    endpoint = with_settings(OPENAI, "gpt-5", ModelSettings(window=1_000))
    assert context_window_of(endpoint, "gpt-5", ModelInfo("gpt-5", window=2_000)) == 1_000


def test_then_the_server_is_believed_then_the_list_then_the_name(listed: None) -> None:
    assert context_window_of(OPENAI, "gpt-5", ModelInfo("gpt-5", window=2_000)) == 2_000
    assert context_window_of(OPENAI, "gpt-5-2025-08-07", ModelInfo("gpt-5-2025-08-07")) == 400_000
    assert context_window_of(PROXY, "openai/gpt-4o-mini") == 128_000
    assert context_window_of(PROXY, "mine-7b") is None
    assert context_window_of(LOCAL, "gpt-oss:20b") is None


def test_nothing_waits_for_the_list(unlisted: None) -> None:
    assert context_window_of(OPENAI, "gpt-6-luna") == 1_050_000  # by its name
    assert cost_of(USAGE, OPENAI, "gpt-6-luna") is None
    assert model_info(OPENAI, "gpt-6-luna").input_price is None


def test_facts_say_prices(listed: None) -> None:
    facts = model_info(OPENAI, "gpt-4o-mini")
    assert (facts.input_price, facts.output_price) == (0.15, 0.6)


# Prices


def test_the_list_knows_the_models_of_the_providers_it_knows(listed: None) -> None:
    assert cost_of(USAGE, OPENAI, "gpt-4o-mini", when=time.time()) == pytest.approx(0.15 + 0.06)
    cached = replace(USAGE, cached_tokens=500_000)
    assert cost_of(cached, OPENAI, "gpt-4o-mini", when=time.time()) == pytest.approx(0.075 + 0.0375 + 0.06)
    assert cost_of(USAGE, OPENAI, "no-such-model") is None


def test_another_server_with_the_same_model_costs_nobody_knows_what(listed: None) -> None:
    assert cost_of(USAGE, PROXY, "gpt-4o-mini") is None
    assert cost_of(USAGE, PROXY, "openai/gpt-4o-mini") is None


def test_a_price_for_half_is_no_price(listed: None) -> None:
    assert cost_of(USAGE, OPENAI, "text-embedding-3-small") is None


def test_long_prompts_cost_what_they_cost(listed: None) -> None:
    short, long = Usage(200_000, 0), Usage(400_000, 0)
    prices = [cost_of(usage, OPENAI, "gpt-6-luna", when=time.time()) for usage in (short, long)]
    assert None not in prices
    assert (prices[1] or 0) > 2 * (prices[0] or 0)


def test_the_users_prices_win(listed: None) -> None:
    endpoint = with_settings(OPENAI, "gpt-4o-mini", ModelSettings(input_price=1.0, output_price=10.0))
    said = ModelInfo("gpt-4o-mini", input_price=5.0, output_price=5.0)
    assert cost_of(replace(USAGE, cost=9.0), endpoint, "gpt-4o-mini", said) == pytest.approx(2.0)


def test_one_price_of_the_user_leaves_the_other_to_the_list(listed: None) -> None:
    endpoint = with_settings(OPENAI, "gpt-4o-mini", ModelSettings(input_price=1.0))
    assert cost_of(USAGE, endpoint, "gpt-4o-mini") == pytest.approx(1.0 + 0.06)
    alone = with_settings(PROXY, "mine", ModelSettings(input_price=1.0))
    assert cost_of(USAGE, alone, "mine") is None


def test_the_server_knows_what_it_charges(listed: None) -> None:
    assert cost_of(replace(USAGE, cost=0.5), PROXY, "any") == 0.5
    said = ModelInfo("any", input_price=2.0, output_price=20.0, cached_price=1.0)
    assert cost_of(USAGE, PROXY, "any", said) == pytest.approx(4.0)
    assert cost_of(replace(USAGE, cached_tokens=1_000_000), PROXY, "any", said) == pytest.approx(3.0)
    assert cost_of(USAGE, PROXY, "any", replace(said, output_price=None)) is None


def test_what_runs_here_costs_nothing(listed: None) -> None:
    assert cost_of(USAGE, LOCAL, "gpt-5") == 0
    assert cost_of(USAGE, DEMO, "demo-1") == 0
    paid = with_settings(LOCAL, "gpt-5", ModelSettings(input_price=1.0, output_price=1.0))
    assert cost_of(USAGE, paid, "gpt-5") == pytest.approx(1.1)


HERE = Endpoint("localhost:4000", "http://localhost:4000/v1")


@pytest.mark.parametrize("model", ["gpt-4o-mini", "openai/gpt-4o-mini", "azure/gpt-4o-mini"])
def test_a_proxy_on_this_machine_costs_what_the_maker_of_the_model_asks(listed: None, model: str) -> None:
    assert cost_of(USAGE, HERE, model, when=time.time()) == pytest.approx(0.15 + 0.06)
    assert model_info(HERE, model).output_price == 0.6


def test_whoever_is_named_before_the_model_is_paid(listed: None) -> None:
    names = ["anthropic/claude-3-5-haiku-latest", "bedrock/anthropic.claude-3-5-sonnet-20241022-v2:0", "xai/grok-4"]
    assert all(cost_of(USAGE, HERE, name, when=time.time()) for name in names)


@pytest.mark.parametrize(
    "model", ["gpt-oss:20b", "openai/gpt-oss-20b", "google/gemma-3-12b", "llama3", "o-mine", "mine"]
)
def test_what_anybody_may_run_costs_nobody_knows_what(listed: None, model: str) -> None:
    assert cost_of(USAGE, HERE, model) is None
    free = replace(HERE, input_price=0.0, output_price=0.0)
    assert cost_of(USAGE, free, model) == 0


@pytest.mark.parametrize("owner", ["library", "llamacpp", "organization_owner", "vllm"])
def test_a_server_that_says_it_runs_its_models_costs_nothing_at_any_port(listed: None, owner: str) -> None:
    assert cost_of(USAGE, HERE, "gpt-4o-mini", ModelInfo("gpt-4o-mini", owner=owner)) == 0
    assert cost_of(USAGE, PROXY, "gpt-4o-mini", ModelInfo("gpt-4o-mini", owner=owner)) is None


def test_a_proxy_at_the_port_of_a_server_that_runs_models_gives_itself_away(listed: None) -> None:
    here = Endpoint("localhost:8000", "http://localhost:8000/v1")
    assert cost_of(USAGE, here, "gpt-4o-mini") == 0
    assert cost_of(USAGE, here, "gpt-4o-mini", ModelInfo("gpt-4o-mini", owner="openai")) == pytest.approx(0.21)


def test_a_known_name_at_another_port_runs_models(listed: None) -> None:
    assert cost_of(USAGE, Endpoint("ollama", "http://localhost:9999/v1"), "gpt-oss:20b") == 0
    assert cost_of(USAGE, Endpoint("ollama", "http://box.example:11434/v1"), "gpt-oss:20b") is None


def test_prices_of_an_endpoint_hold_for_models_that_have_none() -> None:
    box = replace(
        PROXY, input_price=1.0, output_price=10.0, models={"big": ModelSettings(input_price=2.0, output_price=20.0)}
    )
    assert cost_of(USAGE, box, "small") == pytest.approx(2.0)
    assert cost_of(USAGE, box, "big") == pytest.approx(4.0)


# A session


def reply(endpoint: str = "openai", usage: Usage | None = None, text: str = "hi") -> Message:
    """A reply."""
    return Message(Role.ASSISTANT, text, endpoint=endpoint, model="gpt-4o-mini", usage=usage)


def session_of(*messages: Message) -> Session:
    """A session with all `messages` on branches of their own."""
    session = Session()
    for message in [Message(Role.USER, "hello"), *messages]:
        session.attach(message, None)
    return session


def test_all_branches_are_paid_for(listed: None) -> None:
    session = session_of(reply(usage=Usage(1_000_000, 0)), reply(usage=Usage(0, 1_000_000)))
    cost = session_cost(session, OPENAI, {})
    assert cost is not None
    assert cost.dollars == pytest.approx(0.75)
    assert str(cost) == "$0.75"


def test_what_is_not_known_makes_the_sum_a_least(listed: None) -> None:
    known, stopped, elsewhere = reply(usage=Usage(1_000_000, 0)), reply(), reply("other", USAGE)
    for unknown in (stopped, elsewhere):
        assert str(session_cost(session_of(known, unknown), OPENAI, {})) == "≥ $0.15"
    assert session_cost(session_of(stopped, elsewhere), OPENAI, {}) is None
    assert session_cost(session_of(), OPENAI, {}) is None


def test_what_was_noted_when_a_reply_came_counts(listed: None) -> None:
    noted = reply("other", replace(USAGE, cost=0.25))
    assert cost_of_reply(noted, OPENAI, {}) == 0.25
    assert session_cost(session_of(noted, reply(text="")), OPENAI, {}) == Cost(0.25, True)


def test_summaries_are_paid_for_too(listed: None) -> None:
    session = session_of(reply(usage=Usage(1_000_000, 0)))
    last = Message(Role.USER, "more", recap=Recap("what was", usage=Usage(9, 9, cost=0.5)))
    session.add(last)
    assert str(session_cost(session, OPENAI, {})) == "$0.65"
    last.recap = Recap("what was", usage=Usage(9, 9))
    assert str(session_cost(session, OPENAI, {})) == "≥ $0.15"


def test_a_stopped_reply_of_a_local_server_costs_nothing() -> None:
    assert cost_of_reply(reply("local"), LOCAL, {}) == 0


@pytest.mark.parametrize(
    ("dollars", "shown"),
    [
        (0, "$0"),
        (0.00002, "< $0.0001"),
        (0.00012, "$0.00012"),
        (0.0034, "$0.0034"),
        (0.0999, "$0.10"),
        (0.25, "$0.25"),
        (1234.5, "$1,234.50"),
    ],
)
def test_dollars(dollars: float, shown: str) -> None:
    assert in_dollars(dollars) == shown


def test_what_a_server_on_this_machine_may_cost() -> None:
    passes_on = ModelInfo("mistral-large", owner="openai")
    assert not may_cost(HERE, "gpt-oss:20b")
    assert may_cost(HERE, "mistral-large", passes_on)
    assert may_cost(HERE, "gpt-5")
    assert may_cost(PROXY, "gpt-oss:20b")
    assert not may_cost(LOCAL, "gpt-5")


def test_a_price_by_name_is_an_estimate_and_the_others_are_not(listed: None) -> None:
    assert priced_by_name(HERE, "gpt-4o-mini")
    assert not priced_by_name(OPENAI, "gpt-4o-mini")
    assert not priced_by_name(LOCAL, "gpt-4o-mini")
    assert not priced_by_name(HERE, "gpt-4o-mini", ModelInfo("gpt-4o-mini", input_price=1.0, output_price=1.0))
    assert not priced_by_name(replace(HERE, input_price=1.0, output_price=1.0), "gpt-4o-mini")
    reply = Message(Role.ASSISTANT, "hi", endpoint=HERE.name, model="gpt-4o-mini", usage=USAGE)
    session = Session()
    session.add(reply)
    assert str(session_cost(session, HERE, {})) == "~$0.21"
    reply.usage = replace(USAGE, cost=0.5)  # the server's own word
    assert str(session_cost(session, HERE, {})) == "$0.50"
    reply.usage = replace(USAGE, cost=0.5, cost_by_name=True)
    assert str(session_cost(session, OPENAI, {})) == "~$0.50"
    assert reply.usage.then(USAGE).cost_by_name
    total = spent([reply])
    assert total is not None
    assert total.cost_estimated
