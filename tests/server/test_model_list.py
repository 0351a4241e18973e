"""The combined model list."""

import asyncio
import json
from contextlib import AsyncExitStack
from time import monotonic

import pytest

from streamtui.server import model_list
from streamtui.server.relay import Settings
from tests.support.raw_server import Exchange, Script, serving, whole
from tests.support.relay import KEY, RelayServer, box, error_of, relay_to, run_relay

pytestmark = pytest.mark.asyncio(loop_scope="session")


def lists(*models: object) -> Script:
    return whole(json.dumps({"object": "list", "data": models}).encode(), content_type="application/json")


async def test_models_are_listed_with_their_endpoint(relay_server: RelayServer) -> None:
    async with (
        serving(lists({"id": "a", "created": 7, "window": 9})) as first,
        serving(lists({"id": "x/b", "object": "model"}, {"no": "id"}, "c")) as second,
        run_relay(relay_server, Settings(box(first.url), {"far": box(second.url, "far")})) as relay,
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
async def test_failed_endpoint_is_left_out_and_reported(relay_server: RelayServer, script: Script) -> None:
    async with (
        serving(lists({"id": "a"})) as first,
        serving(script) as second,
        run_relay(relay_server, Settings(box(first.url), {"far": box(second.url, "far")})) as relay,
    ):
        found = (await relay.client.get("/v1/models")).json()
        assert [model["id"] for model in found["data"]] == ["box/a"]
        assert [error["endpoint"] for error in found["errors"]] == ["far"]
        await relay.logged("far ")


async def test_slow_endpoint_is_left_out(relay_server: RelayServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_list, "TIMEOUT", 0.7)
    async with (
        serving(lists({"id": "a"})) as first,
        serving(Exchange.until_gone) as second,
        run_relay(relay_server, Settings(box(first.url), {"far": box(second.url, "far")})) as relay,
    ):
        found = (await relay.client.get("/v1/models")).json()
        assert (len(found["data"]), found["errors"][0]["endpoint"]) == (1, "far")


async def test_no_list_from_any_endpoint_is_an_error(relay_server: RelayServer) -> None:
    async with relay_to(relay_server, whole(b"", "500 Oops")) as (relay, _):
        reply = await relay.client.get("/v1/models")
        assert (reply.status_code, (error_of(reply))["code"]) == (502, "upstream_unreachable")


async def test_endpoints_are_requested_concurrently(relay_server: RelayServer) -> None:
    asked = 0
    all_asked = asyncio.Event()

    async def script(exchange: Exchange) -> None:
        nonlocal asked
        asked += 1
        if asked == 20:
            all_asked.set()
        await all_asked.wait()
        await lists({"id": "a"})(exchange)

    async with AsyncExitStack() as stack:
        urls = [(await stack.enter_async_context(serving(script))).url for _ in range(20)]
        endpoints = {f"e{number}": box(url, f"e{number}") for number, url in enumerate(urls)}
        relay = await stack.enter_async_context(run_relay(relay_server, Settings(endpoints["e0"], endpoints)))
        assert len((await relay.client.get("/v1/models")).json()["data"]) == 20


async def test_concurrent_clients_share_one_request(relay_server: RelayServer) -> None:
    async with relay_to(relay_server, lists({"id": "a"})) as (relay, server):
        replies = await asyncio.gather(*(relay.client.get("/v1/models") for _ in range(5)))
        assert {reply.text for reply in replies} == {replies[0].text}
        assert len(server.requests) == 1


async def test_failed_endpoint_gets_a_short_timeout(relay_server: RelayServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_list, "TIMEOUT", 3600)

    async def script(exchange: Exchange) -> None:
        await (Exchange.until_gone if len(second.requests) > 1 else whole(b"", "500 Oops"))(exchange)

    async with (
        serving(lists({"id": "a"})) as first,
        serving(script) as second,
        run_relay(relay_server, Settings(box(first.url), {"far": box(second.url, "far")})) as relay,
        asyncio.timeout(20),
    ):

        async def failed() -> list[str]:
            found = (await relay.client.get("/v1/models")).json()
            assert [model["id"] for model in found["data"]] == ["box/a"]
            return [error["endpoint"] for error in found["errors"]]

        assert await failed() == ["far"]
        assert await failed() == ["far"]
        assert (len(first.requests), len(second.requests)) == (1, 1)
        monkeypatch.setattr(model_list, "monotonic", lambda: monotonic() + 60)
        # The endpoint is asked again, and never responds.
        assert await failed() == ["far"]
        while len(second.requests) < 2:
            await asyncio.sleep(0.005)


async def test_retrieve_model(relay_server: RelayServer) -> None:
    async with relay_to(relay_server, lists({"id": "org/a:b", "window": 9}, {"id": "c d"})) as (relay, server):
        found = {"object": "model", "created": 0, "owned_by": "box", "window": 9, "id": "box/org/a:b"}
        for name in ("box/org/a:b", "box%2Forg%2Fa%3Ab", "org/a:b"):
            assert (await relay.client.get(f"/v1/models/{name}")).json() == found
        assert (await relay.client.get("/v1/models/c%20d")).json()["id"] == "box/c d"
        reply = await relay.client.get("/v1/models/box/org/x")
        assert (reply.status_code, (error_of(reply))["code"]) == (404, "model_not_found")
        assert len(server.requests) == 1


async def test_retrieve_model_of_a_failed_endpoint(relay_server: RelayServer) -> None:
    async with relay_to(relay_server, whole(b"", "401 No")) as (relay, _):
        reply = await relay.client.get("/v1/models/box/a")
        assert (reply.status_code, (error_of(reply))["code"]) == (502, "upstream_authentication_failed")


async def test_invalid_numbers_and_surrogates_do_not_break_the_list(relay_server: RelayServer) -> None:
    body = rb'{"data": [{"id": "\ud800", "a": NaN, "b": 1e999, "c": 1.5}]}'
    async with relay_to(relay_server, whole(body, content_type="application/json")) as (relay, _):
        (model,) = (await relay.client.get("/v1/models")).json()["data"]
        assert (model["id"], model["a"], model["b"], model["c"]) == ("box/\ud800", None, None, 1.5)
