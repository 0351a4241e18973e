"""What the tests of the providers ask, and how they gather what comes."""

from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, AnyStr

from streamtui.config import Api, Endpoint
from streamtui.core.message import Delta, FinishReason, Message, Role, Usage
from streamtui.providers.base import ProviderError, Request
from streamtui.providers.error_explainer import Explainer
from streamtui.providers.openai_provider import OpenAIProvider
from tests.support import ROOT

RECORDINGS = ROOT / "tests" / "providers" / "recordings"
EXPLAIN = Explainer(Endpoint("box", "http://box.test/v1", api_key="sk-very-secret"), "some-model", Api.CHAT)


@dataclass
class Got:
    """All that came of a reply."""

    text: str = ""
    reasoning: str = ""
    usage: Usage | None = None
    finish_reason: FinishReason | None = None
    model: str = ""
    error: ProviderError | None = None
    deltas: list[Delta] = field(default_factory=list)

    def add(self, delta: Delta) -> None:
        """Add a piece."""
        self.deltas.append(delta)
        self.text += delta.text
        self.reasoning += delta.reasoning
        self.usage = delta.usage or self.usage
        self.finish_reason = delta.finish_reason or self.finish_reason
        self.model = delta.model or self.model

    @property
    def message(self) -> str:
        """What the error says; fails if there was none."""
        assert self.error is not None
        return self.error.message


def request(*prompts: str, model: str = "some-model", **fields: Any) -> Request:
    """Return a request with these prompts, each but the last answered, and these `fields` of `Request`."""
    messages: list[Message] = []
    for prompt in prompts or ("Hello",):
        messages += [Message(Role.USER, prompt), Message(Role.ASSISTANT, "Yes.")]
    return Request(model, tuple(messages[:-1]), **fields)


async def ask(provider: OpenAIProvider, *prompts: str, model: str = "some-model", **fields: Any) -> Got:
    """Return what `provider` replies, its error included."""
    got = Got()
    try:
        async with aclosing(provider.stream(request(*prompts, model=model, **fields))) as deltas:
            async for delta in deltas:
                got.add(delta)
    except ProviderError as error:
        got.error = error
    return got


def pieces_of(data: AnyStr, cuts: Sequence[int]) -> list[AnyStr]:
    """Return `data` cut at `cuts`."""
    at = sorted({0, len(data), *(cut for cut in cuts if 0 < cut < len(data))})
    return [data[start:end] for start, end in pairwise(at)]
