"""Suggestions for model names that don't exist."""

import asyncio
from collections.abc import Callable, Iterable
from difflib import SequenceMatcher
from heapq import nlargest

from streamtui.core.sanitize import clean_line, short_line
from streamtui.providers.base import ProviderError
from streamtui.server.api_errors import ApiError
from streamtui.server.model_list import ModelLists, successful
from streamtui.server.routing import Route

MAX_SUGGESTIONS = 3
TIMEOUT = 2.0
"""Seconds to wait for model lists, as the client waits for an error."""
_MIN_SIMILARITY = 0.6
_MAX_NAME = 100
"""Characters of a name to compare or show, as difflib takes quadratic time."""
_MAX_COMPARED = 50
"""How many names to compare in full, chosen by an estimate."""


async def unknown_model(lists: ModelLists, route: Route, error: ProviderError) -> ApiError:
    """Return the response to `error`, which says that the endpoint doesn't know the model, with suggestions."""
    names = [model["id"] for model in successful(await lists.all(TIMEOUT))]
    similar = await asyncio.to_thread(suggest_models, route, names)
    if similar:
        hint = f"Did you mean {' or '.join(map(clean_line, similar))}?"
    else:
        hint = "GET /v1/models lists the available models."
    detail = f" {route.endpoint.name} said: {error.detail}" if error.detail else ""
    model = short_line(route.model, _MAX_NAME)
    message = f"The model {model!r} does not exist at {route.endpoint.name}. {hint}{detail}"
    return ApiError(error.status or 404, message, "model_not_found", param="model")


def suggest_models(route: Route, names: Iterable[str]) -> list[str]:
    """Return the `names` (``ENDPOINT/MODEL``) that are most similar to the requested model, best first.

    Names are compared with and without their endpoint: a misspelled endpoint is part of the default endpoint's model.
    """
    wanted, requested = route.model.lower(), f"{route.endpoint.name}/{route.model}"
    if len(wanted) > _MAX_NAME:
        return []
    matcher = SequenceMatcher(b=wanted, autojunk=False)
    candidates = [name for name in names if name != requested and len(name) <= 2 * _MAX_NAME]
    estimates = {name: _similarity(matcher, wanted, name, matcher.quick_ratio) for name in candidates}
    closest = nlargest(_MAX_COMPARED, estimates, key=estimates.__getitem__)
    scores = {name: _similarity(matcher, wanted, name, matcher.ratio) for name in closest}
    best = sorted(scores, key=lambda name: (-scores[name], not name.startswith(f"{route.endpoint.name}/")))
    return [name for name in best[:MAX_SUGGESTIONS] if scores[name] >= _MIN_SIMILARITY]


def _similarity(matcher: "SequenceMatcher[str]", wanted: str, name: str, ratio: Callable[[], float]) -> float:
    """Return the similarity of `wanted` and `name`, 0 to 1, by a `ratio` method of `matcher`.

    A name that contains `wanted` is similar, as llama3:8b is to llama3.
    """
    name = name.lower()
    best = _MIN_SIMILARITY if wanted in name else 0.0
    for form in (name, name.partition("/")[2]):
        matcher.set_seq1(form)
        if matcher.real_quick_ratio() > best:
            best = max(best, ratio())
    return best
