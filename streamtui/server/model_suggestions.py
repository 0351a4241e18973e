"""Near models: those that exist and are most like one that does not, for the client that asked for it."""

import asyncio
from collections.abc import Callable, Iterable
from difflib import SequenceMatcher
from heapq import nlargest

from streamtui.core.sanitize import clean_line, short_line
from streamtui.providers.base import ProviderError
from streamtui.server.api_errors import Refusal
from streamtui.server.model_list import ModelLists, models_in
from streamtui.server.routing import Route

NAMED = 3
"""How many are named at most."""
SECONDS = 2.0
"""In which an endpoint should have given its list: who waits for it has a mistake to mend, not a list to read."""
_LIKE = 0.6
_NAME_LENGTH = 100
"""Characters of a name that is compared, or shown: difflib takes quadratic time."""
_COMPARED = 50
"""How many names are compared letter by letter, after a quick look at all."""


async def unknown_model(lists: ModelLists, route: Route, error: ProviderError) -> Refusal:
    """Return the refusal for a model that its endpoint does not know, as `error` says."""
    known = [model["id"] for model in models_in(await lists.all(SECONDS))]
    near = await asyncio.to_thread(nearest_models, route, known)
    advice = f"did you mean {' or '.join(map(clean_line, near))}?" if near else "GET /v1/models lists those that exist."
    _, it_said, words = error.message.partition(" It said: ")
    model = short_line(route.model, _NAME_LENGTH)
    message = f"{route.endpoint.name} does not know the model {model!r}; {advice}{it_said}{words}"
    return Refusal(error.status or 404, message, "model_not_found", param="model")


def nearest_models(route: Route, known: Iterable[str]) -> list[str]:
    """Returns those of `known`, names as ``ENDPOINT/MODEL``, that are most like the model asked for, the best first.

    The name of an endpoint may be what was mistaken: then the model stands with it at the usual endpoint.
    """
    wanted, asked = route.model.lower(), f"{route.endpoint.name}/{route.model}"
    if len(wanted) > _NAME_LENGTH:
        return []
    matcher = SequenceMatcher(b=wanted, autojunk=False)
    quick = {name: _likeness(matcher, wanted, name, matcher.quick_ratio) for name in known if _can_be(name, asked)}
    closest = nlargest(_COMPARED, quick, key=quick.__getitem__)
    scores = {name: _likeness(matcher, wanted, name, matcher.ratio) for name in closest}
    best = sorted(scores, key=lambda name: (-scores[name], not name.startswith(f"{route.endpoint.name}/")))
    return [name for name in best[:NAMED] if scores[name] >= _LIKE]


def _can_be(name: str, asked: str) -> bool:
    return name != asked and len(name) <= 2 * _NAME_LENGTH


def _likeness(matcher: "SequenceMatcher[str]", wanted: str, name: str, ratio: Callable[[], float]) -> float:
    """Return how alike they are by a `ratio` of `matcher`, from 0 to 1, with the endpoint's name or without it.

    A name that contains `wanted`, as llama3:8b does llama3, is like it.
    """
    name = name.lower()
    best = _LIKE if wanted in name else 0.0
    for form in (name, name.partition("/")[2]):
        matcher.set_seq1(form)
        if matcher.real_quick_ratio() > best:
            best = max(best, ratio())
    return best
