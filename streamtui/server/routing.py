"""Routing: which endpoint and model a request means, and its body as that endpoint is to get it."""

import asyncio
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from streamtui.config import Endpoint
from streamtui.core.models import LONGEST_NAME
from streamtui.server.api_errors import Refusal

LARGE = 128 * 1024
"""Bytes of a body that takes longer to go through than other streams should wait."""
_SPACE = re.compile(r"[ \t\n\r]*")
_DECODER = json.JSONDecoder(parse_int=str, parse_float=str)


@dataclass(frozen=True, slots=True)
class Route:
    """Where a request goes."""

    endpoint: Endpoint
    model: str
    """The model by the endpoint's own name; empty where neither the request nor the endpoint names one."""


class Router:
    """Finds the endpoint in a model's name.

    ``ENDPOINT/MODEL`` goes to that endpoint, anything else to the default one. As names of models hold slashes
    themselves, the longest name of an endpoint that fits counts; so ``openai/gpt-4o`` means the endpoint openai
    where there is one, and else the default endpoint's model of that name.
    """

    def __init__(self, endpoints: Mapping[str, Endpoint], default: Endpoint) -> None:
        self.default = default
        self.endpoints = {default.name: default, **endpoints}
        self._by_length = sorted(self.endpoints.values(), key=lambda endpoint: -len(endpoint.name))

    def route(self, model: str) -> Route:
        """Returns where a request for `model` goes.

        Raises Refusal for an endpoint's name without a model's, and for a name too long to be one.
        """
        if len(model) > LONGEST_NAME:
            message = f"The model's name has {len(model):,} characters; at most {LONGEST_NAME:,} are allowed."
            raise Refusal(400, message, "invalid_model", param="model")
        for endpoint in self._by_length:
            if model.startswith(f"{endpoint.name}/"):
                rest = model[len(endpoint.name) + 1 :]
                if not rest:
                    raise no_model(model)
                return Route(endpoint, rest)
        return Route(self.default, model or self.default.model)

    async def routed_aside(self, body: bytes) -> tuple[Route, bytes]:
        """Does what `routed` does, in a thread where it takes long."""
        return self.routed(body) if len(body) < LARGE else await asyncio.to_thread(self.routed, body)

    def routed(self, body: bytes) -> tuple[Route, bytes]:
        """Returns where the request with this JSON body goes, and the body with that endpoint's name of the model.

        No other byte of the body changes. Raises Refusal for a body that is no JSON object and for a model that
        is no text.
        """
        text = _decoded(body)
        places = _places_of_model(text)
        asked = [json.loads(text[start:end]) for start, end in places]
        if not all(isinstance(model, str) for model in asked):
            raise Refusal(400, "model should be a text.", "invalid_type", param="model")
        # JSON does not say which of two fields with one name counts, and servers differ: all become the same one.
        route = self.route(asked[-1] if asked else "")
        if not route.model:
            raise Refusal(400, "You must say which model: the field model is missing.", "missing_model", param="model")
        if asked and all(model == route.model for model in asked):
            return route, body
        return route, _with_model(text, places, json.dumps(route.model)).encode()


def no_model(name: str) -> Refusal:
    """Returns the refusal of a model that is not there."""
    return Refusal(
        404, f"The model {name!r} does not exist: GET /v1/models lists them.", "model_not_found", param="model"
    )


def _decoded(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise _no_json("it is not UTF-8") from None


def _no_json(why: str) -> Refusal:
    return Refusal(400, f"The body should be a JSON object, but {why}.", "invalid_json")


def _places_of_model(text: str) -> list[tuple[int, int]]:
    """Returns where in `text`, a JSON object, the values of its fields named model stand."""
    try:
        return _places(text)
    except RecursionError:
        raise _no_json("it is nested too deeply") from None
    except (ValueError, IndexError):
        raise _no_json("it can't be read as one") from None


def _places(text: str) -> list[tuple[int, int]]:
    places = []
    at = _expect(text, 0, "{")
    if text[at] == "}":
        _expect_end(text, at + 1)
        return []
    while True:
        if text[at] != '"':
            raise ValueError("a name that is no text")
        name, at = _DECODER.raw_decode(text, at)
        start = _expect(text, at, ":")
        _, end = _DECODER.raw_decode(text, start)
        if name == "model":
            places.append((start, end))
        at = _skip(text, end)
        if text[at] == "}":
            _expect_end(text, at + 1)
            return places
        at = _expect(text, at, ",")


def _skip(text: str, at: int) -> int:
    space = _SPACE.match(text, at)
    return space.end() if space else at


def _expect(text: str, at: int, mark: str) -> int:
    """Returns the place of what follows `mark`, which comes next in `text`. Raises ValueError if it does not."""
    at = _skip(text, at)
    if text[at] != mark:
        raise ValueError(f"no {mark}")
    return _skip(text, at + 1)


def _expect_end(text: str, at: int) -> None:
    if _skip(text, at) != len(text):
        raise ValueError("more after the end")


def _with_model(text: str, places: list[tuple[int, int]], model: str) -> str:
    if not places:
        at = _expect(text, 0, "{")
        comma = "" if text[at] == "}" else ","
        return f'{text[:at]}"model":{model}{comma}{text[at:]}'
    starts, ends = zip(*places, strict=True)
    kept = [text[start:end] for start, end in zip((0, *ends), (*starts, len(text)), strict=True)]
    return model.join(kept)
