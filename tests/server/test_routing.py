"""Routing: which endpoint a model's name means, and that nothing of a body but that name changes."""

import json
from time import process_time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamtui.config import Endpoint
from streamtui.core.models import LONGEST_NAME
from streamtui.server.api_errors import Refusal
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
def test_the_longest_name_of_an_endpoint_counts(asked: str, endpoint: str, model: str) -> None:
    route = ROUTER.route(asked)
    assert (route.endpoint.name, route.model) == (endpoint, model)


def test_an_endpoint_alone_is_no_model() -> None:
    with pytest.raises(Refusal) as caught:
        ROUTER.route("far/")
    assert (caught.value.status, caught.value.code) == (404, "model_not_found")


@given(st.dictionaries(st.text(), JSON, max_size=5), st.integers(0, 5), st.booleans(), st.sampled_from([None, 1]))
def test_only_the_model_changes(fields: dict[str, Any], at: int, ascii: bool, indent: int | None) -> None:
    def body(model: str) -> bytes:
        items = [item for item in fields.items() if item[0] != "model"]
        whole = dict([*items[:at], ("model", model), *items[at:]])
        return json.dumps(whole, ensure_ascii=ascii, indent=indent).encode("utf-8", "surrogatepass")

    route, routed = ROUTER.routed(body("open/router/m\u00fcller"))
    assert (route.endpoint.name, route.model) == ("open/router", "m\u00fcller")
    assert json.loads(routed) == json.loads(body("m\u00fcller"))
    assert ROUTER.routed(body("m"))[1] == body("m")


def test_a_missing_model_is_the_endpoints() -> None:
    assert ROUTER.routed(b" {} ")[1] == b' {"model":"small"} '
    assert json.loads(ROUTER.routed(b'{"a": 1}')[1]) == {"model": "small", "a": 1}
    with pytest.raises(Refusal) as caught:
        Router({}, Endpoint("home")).routed(b"{}")
    assert (caught.value.status, caught.value.param) == (400, "model")


def test_a_second_model_does_not_slip_through() -> None:
    route, body = ROUTER.routed(b'{"model": "open/secret", "m\\u006fdel" : "far/a"}')
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
def test_what_is_no_request_is_refused(body: bytes) -> None:
    with pytest.raises(Refusal) as caught:
        ROUTER.routed(body)
    assert caught.value.status == 400


def test_numbers_of_any_length_pass() -> None:
    body = b'{"model": "m", "n": ' + b"1" * 10_000 + b"}"
    assert ROUTER.routed(body)[1] == body


def test_the_cost_of_a_body_grows_with_its_length() -> None:
    def seconds(fields: int) -> float:
        body = b'{"model": "m"' + b', "model": "a"' * fields + b"}"
        started = process_time()
        ROUTER.routed(body)
        return process_time() - started

    # Eight times the fields: 8 if it grows with the length, 64 if with its square.
    assert min(seconds(32_000) for _ in range(3)) < 24 * min(seconds(4_000) for _ in range(3))


def test_the_longest_name_that_is_taken() -> None:
    assert ROUTER.route("x" * LONGEST_NAME).model == "x" * LONGEST_NAME
    with pytest.raises(Refusal) as caught:
        ROUTER.route("x" * (LONGEST_NAME + 1))
    assert (caught.value.status, caught.value.code) == (400, "invalid_model")
