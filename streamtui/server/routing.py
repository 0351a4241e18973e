"""Choosing the endpoint of a request, and rewriting the model in its body."""

import asyncio
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from streamtui.config import Endpoint
from streamtui.core.models import LONGEST_NAME
from streamtui.server.api_errors import ApiError, invalid_json, missing_model, model_not_found

LARGE_BODY = 128 * 1024
"""Bytes from which a body is parsed in a thread."""
_SPACE = re.compile(r"[ \t\n\r]*")
# Numbers stay text: converting a very long one takes quadratic time or fails.
_DECODER = json.JSONDecoder(parse_int=str, parse_float=str)


@dataclass(frozen=True, slots=True)
class Route:
    """The endpoint and the model of a request."""

    endpoint: Endpoint
    model: str
    """The endpoint's own name of the model; empty if neither the request nor the endpoint has one."""


class Router:
    """Chooses the endpoint by the model's name.

    ``ENDPOINT/MODEL`` goes to that endpoint, anything else to the default one. As model names contain slashes too, the
    longest endpoint name that matches wins: ``openai/gpt-4o`` is the model gpt-4o of the endpoint openai if there is
    one, otherwise the default endpoint's model openai/gpt-4o.
    """

    def __init__(self, endpoints: Mapping[str, Endpoint], default: Endpoint) -> None:
        self.default = default
        self.endpoints = {default.name: default, **endpoints}
        self._longest_first = sorted(self.endpoints.values(), key=lambda endpoint: -len(endpoint.name))

    def route(self, model: str) -> Route:
        """Return the route of `model`. Raises ApiError for an endpoint without a model, or a name that is too long."""
        if len(model) > LONGEST_NAME:
            message = (
                f"Invalid 'model': string too long. Expected a string with maximum length {LONGEST_NAME}, "
                f"but got a string with length {len(model)} instead."
            )
            raise ApiError(400, message, "invalid_model", param="model")
        for endpoint in self._longest_first:
            prefix = f"{endpoint.name}/"
            if model == prefix:
                raise model_not_found(model)
            if model.startswith(prefix):
                return Route(endpoint, model.removeprefix(prefix))
        return Route(self.default, model or self.default.model)

    async def route_body(self, body: bytes) -> tuple[Route, bytes]:
        """Call `rewrite`, in a thread for large bodies."""
        return self.rewrite(body) if len(body) < LARGE_BODY else await asyncio.to_thread(self.rewrite, body)

    def rewrite(self, body: bytes) -> tuple[Route, bytes]:
        """Return the route of a request with this JSON body, and the body with the endpoint's own model name.

        All other bytes stay the same. Raises ApiError for a body that isn't a JSON object or has an invalid model.
        """
        try:
            text = body.decode()
        except UnicodeDecodeError:
            raise invalid_json("it is not valid UTF-8") from None
        spans = _model_spans(text)
        models = [json.loads(text[start:end]) for start, end in spans]
        if not all(isinstance(model, str) for model in models):
            raise ApiError(400, "Invalid type for 'model': expected a string.", "invalid_type", param="model")
        # JSON doesn't define which of two equal keys counts, and servers differ: all get the same value.
        route = self.route(models[-1] if models else "")
        if not route.model:
            raise missing_model()
        if models and all(model == route.model for model in models):
            return route, body
        return route, _replace_model(text, spans, json.dumps(route.model)).encode()


def _model_spans(text: str) -> list[tuple[int, int]]:
    """Return start and end of each value of a "model" key in `text`, a JSON object."""
    try:
        return _scan_object(text)
    except RecursionError:
        raise invalid_json("it is nested too deeply") from None
    except (ValueError, IndexError):
        raise invalid_json("it is not a valid JSON object") from None


def _scan_object(text: str) -> list[tuple[int, int]]:
    spans = []
    at = _expect(text, 0, "{")
    if text[at] == "}":
        _expect_end(text, at + 1)
        return []
    while True:
        if text[at] != '"':
            raise ValueError("expected a string as key")
        key, at = _DECODER.raw_decode(text, at)
        start = _expect(text, at, ":")
        _, end = _DECODER.raw_decode(text, start)
        if key == "model":
            spans.append((start, end))
        at = _skip_space(text, end)
        if text[at] == "}":
            _expect_end(text, at + 1)
            return spans
        at = _expect(text, at, ",")


def _skip_space(text: str, at: int) -> int:
    space = _SPACE.match(text, at)
    return space.end() if space else at


def _expect(text: str, at: int, token: str) -> int:
    """Return the index of what follows `token` and space. Raises ValueError if `token` isn't next."""
    at = _skip_space(text, at)
    if text[at] != token:
        raise ValueError(f"expected {token}")
    return _skip_space(text, at + 1)


def _expect_end(text: str, at: int) -> None:
    if _skip_space(text, at) != len(text):
        raise ValueError("expected the end")


def _replace_model(text: str, spans: list[tuple[int, int]], model: str) -> str:
    if not spans:
        at = _expect(text, 0, "{")
        comma = "" if text[at] == "}" else ","
        return f'{text[:at]}"model":{model}{comma}{text[at:]}'
    starts, ends = zip(*spans, strict=True)
    kept = [text[start:end] for start, end in zip((0, *ends), (*starts, len(text)), strict=True)]
    return model.join(kept)
