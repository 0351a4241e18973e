"""NearModels: the models that exist and are most like one that does not, for who asked for that."""

import asyncio
from collections.abc import Iterable
from difflib import SequenceMatcher
from time import monotonic

from streamtui.providers.base import ProviderError
from streamtui.sanitize import clean_line
from streamtui.server.model_list import ask_all
from streamtui.server.refusal import Refusal
from streamtui.server.relay import Relay
from streamtui.server.routing import Route

NAMED = 3
"""How many are named at most."""
SECONDS = 2.0
"""In which an endpoint should have given its list: who waits for it has a mistake to mend, not a list to read."""
FRESH = 30.0
"""Seconds for which a list is good: a client that asks again and again costs the endpoints one question."""
_LIKE = 0.6
_NAME_LENGTH = 100


class NearModels:
    """Knows the names of all models for a while."""

    def __init__(self, relay: Relay) -> None:
        self._relay = relay
        self._names: list[str] = []
        self._until = 0.0
        self._asking = asyncio.Lock()

    async def refusal(self, route: Route, error: ProviderError) -> Refusal:
        """Returns the refusal for a model that its endpoint does not know, as `error` says."""
        near = await asyncio.to_thread(nearest_models, route, await self._known())
        advice = (
            f"did you mean {' or '.join(map(clean_line, near))}?" if near else "GET /v1/models lists those that exist."
        )
        _, it_said, words = error.sentence.partition(" It said: ")
        model = route.model if len(route.model) <= _NAME_LENGTH else f"{route.model[:_NAME_LENGTH]}…"
        message = f"{route.endpoint.name} does not know the model {model!r}; {advice}{it_said}{words}"
        return Refusal(error.status or 404, message, "model_not_found", param="model")

    async def _known(self) -> list[str]:
        async with self._asking:
            if monotonic() >= self._until:
                found = await ask_all(self._relay, SECONDS)
                self._names = [model["id"] for models in found.values() if isinstance(models, list) for model in models]
                self._until = monotonic() + FRESH
            return self._names


def nearest_models(route: Route, known: Iterable[str]) -> list[str]:
    """Returns those of `known`, names as ``ENDPOINT/MODEL``, that are most like the model asked for, the best first.

    The name of an endpoint may be what was mistaken: then the model stands with it at the usual endpoint.
    """
    wanted, asked = route.model.lower(), f"{route.endpoint.name}/{route.model}"
    matcher = SequenceMatcher(b=wanted, autojunk=False)
    scores = {name: _likeness(matcher, wanted, name.lower()) for name in known if name != asked}
    best = sorted(scores, key=lambda name: (-scores[name], not name.startswith(f"{route.endpoint.name}/")))
    return [name for name in best[:NAMED] if scores[name] >= _LIKE]


def _likeness(matcher: "SequenceMatcher[str]", wanted: str, name: str) -> float:
    """From 0 to 1, with the endpoint's name or without. One that holds what is wanted, as llama3:8b does llama3, is
    like it."""
    best = _LIKE if wanted in name else 0.0
    for form in (name, name.partition("/")[2]):
        matcher.set_seq1(form)
        # Cheap upper bounds first: some endpoints list hundreds of models.
        if matcher.real_quick_ratio() > best and matcher.quick_ratio() > best:
            best = max(best, matcher.ratio())
    return best
