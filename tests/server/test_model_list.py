"""The list of models: of all endpoints at once, and of those that answer."""

import asyncio
import json
from contextlib import AsyncExitStack

import pytest

from streamtui.server import model_list
from streamtui.server.relay import Settings
from tests.providers.raw_server import Exchange, Script, serving, whole
from tests.server.relaying import KEY, Stage, box, passing, relaying
from tests.server.test_passing import refused

pytestmark = pytest.mark.asyncio(loop_scope="session")


def lists(*models: object) -> Script:
    return whole(json.dumps({"object": "list", "data": models}).encode(), content_type="application/json")


async def test_models_have_the_names_by_which_they_are_asked(stage: Stage) -> None:
    async with (
        serving(lists({"id": "a", "created": 7, "window": 9})) as first,
        serving(lists({"id": "x/b", "object": "model"}, {"no": "id"}, "c")) as second,
        relaying(stage, Settings(box(first.url), {"far": box(second.url, "far")})) as relay,
    ):
        reply = await relay.client.get("/v1/models")
        assert reply.json() == {
            "object": "list",
            "data": [
                {"id": "box/a", "object": "model", "created": 7, "owned_by": "box", "window": 9},
                {"id": "far/x/b", "object": "model", "created": 0, "owned_by": "far"},
            ],
        }
        assert first.requests[0].line == "GET /v1/models HTTP/1.1"
        assert first.requests[0].headers["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize(
    "script",
    [
        whole(b"<html>", content_type="text/html"),
        whole(b'{"error": {"message": "no"}}', "500 Oops"),
        whole(b'{"data": 3}'),
    ],
    ids=["page", "error", "no list"],
)
async def test_an_endpoint_without_a_list_is_named_and_left_out(stage: Stage, script: Script) -> None:
    async with (
        serving(lists({"id": "a"})) as first,
        serving(script) as second,
        relaying(stage, Settings(box(first.url), {"far": box(second.url, "far")})) as relay,
    ):
        found = (await relay.client.get("/v1/models")).json()
        assert [model["id"] for model in found["data"]] == ["box/a"]
        assert [error["endpoint"] for error in found["errors"]] == ["far"]
        await relay.logged("far ")


async def test_a_slow_endpoint_is_left_out(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_list, "SECONDS", 0.7)
    async with (
        serving(lists({"id": "a"})) as first,
        serving(Exchange.until_gone) as second,
        relaying(stage, Settings(box(first.url), {"far": box(second.url, "far")})) as relay,
    ):
        found = (await relay.client.get("/v1/models")).json()
        assert (len(found["data"]), found["errors"][0]["endpoint"]) == (1, "far")


async def test_no_list_at_all_is_a_failure(stage: Stage) -> None:
    async with passing(stage, whole(b"", "500 Oops")) as (relay, _):
        reply = await relay.client.get("/v1/models")
        assert (reply.status_code, (await refused(reply))["code"]) == (502, "upstream_unreachable")


async def test_endpoints_are_asked_together_but_not_all_at_once(stage: Stage) -> None:
    asked = most = 0
    full, go_on = asyncio.Event(), asyncio.Event()

    async def script(exchange: Exchange) -> None:
        nonlocal asked, most
        asked += 1
        most = max(most, asked)
        if asked == model_list.AT_ONCE:
            full.set()
        await go_on.wait()
        asked -= 1
        await lists({"id": "a"})(exchange)

    async with AsyncExitStack() as stack:
        urls = [(await stack.enter_async_context(serving(script))).url for _ in range(model_list.AT_ONCE + 2)]
        endpoints = {f"e{number}": box(url, f"e{number}") for number, url in enumerate(urls)}
        relay = await stack.enter_async_context(relaying(stage, Settings(endpoints["e0"], endpoints)))
        reply = asyncio.create_task(relay.client.get("/v1/models"))
        await full.wait()
        go_on.set()
        assert len((await reply).json()["data"]) == len(urls)
    assert most == model_list.AT_ONCE
