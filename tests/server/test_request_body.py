"""Request bodies: JSON that would take long to parse is rejected."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamtui.config import DEMO
from streamtui.server import request_body
from streamtui.server.relay import Settings
from streamtui.server.request_body import MAX_JSON_VALUES, is_too_complex
from tests.support.raw_server import whole
from tests.support.relay import RelayServer, error_of, relay_to, run_relay

JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.integers() | st.text('ab,[{"\\/') | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text('a,[{"\\'), inner, max_size=4),
    max_leaves=20,
)


def structure(value: object) -> int:
    """Count the commas and opening brackets of a JSON value."""
    if isinstance(value, dict | list):
        inner = value.values() if isinstance(value, dict) else value
        return max(len(value), 1) + sum(map(structure, inner))
    return 0


@given(JSON, st.booleans(), st.integers(0, 40))
def test_only_structure_outside_of_strings_counts(value: Any, ascii: bool, limit: int) -> None:
    body = json.dumps(value, ensure_ascii=ascii).encode("utf-8", "surrogatepass")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(request_body, "MAX_JSON_VALUES", limit)
        assert is_too_complex(body) == (structure(value) > limit)


@pytest.mark.parametrize("unit", [b"[],", b"1,", b'{"a":1},', b'"",', b"[" * 3], ids=repr)
@pytest.mark.parametrize("path", ["/v1/chat/completions", "/chat"])
@pytest.mark.asyncio(loop_scope="session")
async def test_a_body_with_too_many_values_is_rejected(relay_server: RelayServer, path: str, unit: bytes) -> None:
    async with run_relay(relay_server, Settings(DEMO)) as relay:
        reply = await relay.post(path, b'{"prompt": "x", "x": [' + unit * MAX_JSON_VALUES + b"1]}")
        assert (reply.status_code, (error_of(reply))["code"]) == (413, "request_too_large")


@pytest.mark.asyncio(loop_scope="session")
async def test_brackets_and_commas_in_a_prompt_are_accepted(relay_server: RelayServer) -> None:
    body = {"model": "m", "prompt": json.dumps([[], "\\"] * MAX_JSON_VALUES)}
    async with relay_to(relay_server, whole(b"{}")) as (relay, _):
        assert (await relay.post("/v1/completions", body)).status_code == 200


@pytest.mark.asyncio(loop_scope="session")
async def test_a_model_list_with_too_many_values_is_an_error(relay_server: RelayServer) -> None:
    listing = b'{"data": [{"id": "a"}' + b",[]" * MAX_JSON_VALUES + b"]}"
    async with relay_to(relay_server, whole(listing, content_type="application/json")) as (relay, _):
        assert (await relay.client.get("/v1/models")).status_code == 502
