"""Routing by model name, and rewriting the model in a request body."""

import json
from time import process_time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamtui.config import Endpoint
from streamtui.core.models import LONGEST_NAME
from streamtui.server.api_errors import ApiError
from streamtui.server.routing import Router

HOME = Endpoint("home", "http://home.test/v1", model="small")
ROUTER = Router({name: Endpoint(name) for name in ("open", "open/router", "open/router/x", "far")}, HOME)
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("asked", "endpoint", "model"),
    [
        ("gpt", "home", "gpt"),
        ("qwen/qwen3", "home", "qwen/qwen3"),
        ("home/qwen/qwen3", "home", "qwen/qwen3"),
        ("open/a", "open", "a"),
        ("open/router/qwen/qwen3", "open/router", "qwen/qwen3"),
        ("open/router/x/y", "open/router/x", "y"),
        ("open/routers/y", "open", "routers/y"),
        ("far", "home", "far"),
        ("far/home/x", "far", "home/x"),
        ("", "home", "small"),
    ],
)
def test_longest_matching_endpoint_name_wins(asked: str, endpoint: str, model: str) -> None:
    route = ROUTER.route(asked)
    assert (route.endpoint.name, route.model) == (endpoint, model)


def test_endpoint_without_model_is_an_error() -> None:
    with pytest.raises(ApiError) as caught:
        ROUTER.route("far/")
    assert (caught.value.status, caught.value.code) == (404, "model_not_found")


@given(st.dictionaries(st.text(), JSON, max_size=5), st.integers(0, 5), st.booleans(), st.sampled_from([None, 1]))
def test_rewriting_changes_only_the_model(fields: dict[str, Any], at: int, ascii: bool, indent: int | None) -> None:
    def body(model: str) -> bytes:
        items = [item for item in fields.items() if item[0] != "model"]
        whole = dict([*items[:at], ("model", model), *items[at:]])
        return json.dumps(whole, ensure_ascii=ascii, indent=indent).encode("utf-8", "surrogatepass")

    route, routed = ROUTER.rewrite(body("open/router/m\u00fcller"))
    assert (route.endpoint.name, route.model) == ("open/router", "m\u00fcller")
    assert json.loads(routed) == json.loads(body("m\u00fcller"))
    assert ROUTER.rewrite(body("m"))[1] == body("m")


def test_missing_model_is_the_endpoints_default() -> None:
    assert ROUTER.rewrite(b" {} ")[1] == b' {"model":"small"} '
    assert json.loads(ROUTER.rewrite(b'{"a": 1}')[1]) == {"model": "small", "a": 1}
    with pytest.raises(ApiError) as caught:
        Router({}, Endpoint("home")).rewrite(b"{}")
    assert (caught.value.status, caught.value.param) == (400, "model")


def test_duplicate_model_keys_get_the_same_value() -> None:
    route, body = ROUTER.rewrite(b'{"model": "open/secret", "m\\u006fdel" : "far/a"}')
    assert route.endpoint.name == "far"
    assert body == b'{"model": "a", "m\\u006fdel" : "a"}'


@pytest.mark.parametrize(
    "body",
    [
        b"", b" ", b"[]", b"null", b'"model"', b"{", b'{"model"', b'{"model":', b'{"model":"a"', b'{"model":"a",}',
        b'{"model":"a"}x', b'{"a":1 "model":"b"}', b"{1:2}", b"\xff{}", b"\xef\xbb\xbf{}", b"\xff\xfe{\0}\0",
        b'{"model": 3}', b'{"model": null}', b'{"model": ["a"]}', b'{"a":' + b"[" * 100_000,
    ],
    ids=lambda body: repr(body[:12]),
)  # fmt: skip
def test_invalid_bodies_are_rejected(body: bytes) -> None:
    with pytest.raises(ApiError) as caught:
        ROUTER.rewrite(body)
    assert caught.value.status == 400


def test_numbers_of_any_length_are_kept() -> None:
    body = b'{"model": "m", "n": ' + b"1" * 10_000 + b"}"
    assert ROUTER.rewrite(body)[1] == body


def test_rewriting_takes_linear_time() -> None:
    def seconds(fields: int) -> float:
        body = b'{"model": "m"' + b', "model": "a"' * fields + b"}"
        started = process_time()
        ROUTER.rewrite(body)
        return process_time() - started

    # For eight times the fields: about 8 if linear, 64 if quadratic.
    assert min(seconds(32_000) for _ in range(3)) < 24 * min(seconds(4_000) for _ in range(3))


def test_length_limit_of_model_names() -> None:
    assert ROUTER.route("x" * LONGEST_NAME).model == "x" * LONGEST_NAME
    with pytest.raises(ApiError) as caught:
        ROUTER.route("x" * (LONGEST_NAME + 1))
    assert (caught.value.status, caught.value.code) == (400, "invalid_model")
