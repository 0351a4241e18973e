"""Suggestions for models that don't exist."""

import asyncio
import json
from difflib import SequenceMatcher
from time import process_time

import pytest

from streamtui.config import DEMO, Endpoint
from streamtui.server import model_suggestions
from streamtui.server.model_suggestions import suggest_models
from streamtui.server.relay import Settings
from streamtui.server.routing import Route
from tests.support.raw_server import Exchange, Script, piece, serving, whole
from tests.support.relay import KEY, STREAMED, RelayServer, box, error_of, relay_to, request_bytes, run_relay

pytestmark = pytest.mark.asyncio(loop_scope="session")

OPENAI = {
    "error": {"message": "The model `x` does not exist.", "type": "invalid_request_error", "code": "model_not_found"}
}


def without(body: object, *models: str) -> Script:
    """Return a server that lists `models` and responds to requests with the error `body`."""
    listed = json.dumps({"data": [{"id": name} for name in models]}).encode()

    async def script(exchange: Exchange) -> None:
        lists = exchange.line.startswith("GET")
        content = listed if lists else body if isinstance(body, bytes) else json.dumps(body).encode()
        await whole(content, "200 OK" if lists else "404 Not Found", "application/json")(exchange)

    return script


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/completions", "/v1/responses", "/chat"])
@pytest.mark.parametrize(
    "body",
    [OPENAI, {"error": "model 'some-mdl' not found"}, {"object": "error", "message": "no such model"}, b"no model"],
    ids=["openai", "a text", "flat", "no JSON"],
)
async def test_similar_models_are_suggested(relay_server: RelayServer, path: str, body: object) -> None:
    async with relay_to(relay_server, without(body, "other", "some-model", "some-model-2", "same-mode")) as (relay, _):
        asked = {"model": "box/some-mdl", "prompt": "x"}
        reply = await relay.post(path, asked)
        error = error_of(reply)
        assert (reply.status_code, error["code"], error["param"]) == (404, "model_not_found", "model")
        named = "Did you mean box/some-model or box/some-model-2 or box/same-mode? box said: "
        assert error["message"].startswith(f"The model 'some-mdl' does not exist at box. {named}")


async def test_misspelled_endpoint_is_corrected(relay_server: RelayServer) -> None:
    async with (
        serving(without(OPENAI, "gpt-1")) as first,
        serving(without(OPENAI, "qwen3:8b")) as second,
        run_relay(relay_server, Settings(box(first.url), {"ollama": box(second.url, "ollama")})) as relay,
    ):
        error = error_of(await relay.post(body={**STREAMED, "model": "ollma/qwen3"}))
        assert "The model 'ollma/qwen3' does not exist at box. Did you mean ollama/qwen3:8b?" in error["message"]
        error = error_of(await relay.post(body={**STREAMED, "model": "qwen3"}))
        assert "The model 'qwen3' does not exist at box. Did you mean ollama/qwen3:8b?" in error["message"]
        # The lists are cached.
        assert [len([r for r in server.requests if r.line.startswith("GET")]) for server in (first, second)] == [1, 1]


async def test_without_similar_models_the_error_points_to_the_list(relay_server: RelayServer) -> None:
    async with relay_to(relay_server, without(OPENAI, "gpt-1")) as (relay, _):
        error = error_of(await relay.post(body={**STREAMED, "model": "zz\ud800\x1b"}))
        assert error["message"].startswith(
            "The model 'zz\N{REPLACEMENT CHARACTER}\N{SYMBOL FOR ESCAPE}' does not exist at box. "
            "GET /v1/models lists the available models. box said: The model"
        )


async def test_slow_model_list_is_not_waited_for(relay_server: RelayServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_suggestions, "TIMEOUT", 0.2)

    async def script(exchange: Exchange) -> None:
        await (Exchange.until_gone if exchange.line.startswith("GET") else without(OPENAI))(exchange)

    async with relay_to(relay_server, script) as (relay, _):
        error = error_of(await relay.post(body={**STREAMED, "model": "box/gpt"}))
        assert "GET /v1/models lists the available models" in error["message"]


async def test_unknown_model_error_contains_no_key(relay_server: RelayServer) -> None:
    async with relay_to(relay_server, without({"error": {"message": f"{KEY} may not use this model"}}, "m")) as (
        relay,
        _,
    ):
        assert "secret" not in (await relay.post(body={**STREAMED, "model": "box/x"})).text


async def test_demo_models_are_suggested(relay_server: RelayServer) -> None:
    async with run_relay(relay_server, Settings(DEMO)) as relay:
        error = error_of(await relay.post(body={**STREAMED, "model": "demo-l"}))
        assert error["message"].startswith(
            "The model 'demo-l' does not exist at demo. Did you mean demo/demo-1 or demo/demo-"
        )


async def test_suggestions_from_hundreds_of_models() -> None:
    known = [f"box/vendor-{number}/model-{number}-instruct" for number in range(400)]
    route = Route(Endpoint("box"), "vendor-77/model-77-instrct")
    assert suggest_models(route, known)[0] == "box/vendor-77/model-77-instruct"
    assert len(suggest_models(route, known)) == 3
    assert suggest_models(route, []) == []
    # A server can list a model that this key may not use.
    assert suggest_models(Route(Endpoint("box"), "a"), ["box/a", "far/a"]) == ["far/a"]


@pytest.mark.parametrize(
    ("asked", "listed"), [("a" * 5_000, "a" * 4_999), ("a" * 90, "a" * 5_000), ("a" * 5_000, "b")], ids=[1, 2, 3]
)
async def test_long_names_are_not_compared(asked: str, listed: str) -> None:
    assert suggest_models(Route(Endpoint("box"), asked), [f"box/{listed}"] * 9) == []


async def test_only_the_best_candidates_are_compared_in_full(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = "mdel-00077"
    compared: list[str] = []

    class Counting(SequenceMatcher[str]):
        def ratio(self) -> float:
            compared.append(wanted)
            return super().ratio()

    monkeypatch.setattr(model_suggestions, "SequenceMatcher", Counting)
    known = [f"box/model-{number:05}" for number in range(10_000)]
    assert suggest_models(Route(Endpoint("box"), wanted), known)[0] == "box/model-00077"
    assert 0 < len(compared) <= 100


async def test_too_long_model_name_is_rejected(relay_server: RelayServer) -> None:
    async with relay_to(relay_server, without(OPENAI, "gpt-1")) as (relay, server):
        for path in ("/v1/chat/completions", "/chat"):
            reply = await relay.post(path, {"model": "a" * 100_000, "prompt": "x"})
            error = error_of(reply)
            assert (reply.status_code, error["code"], error["param"]) == (400, "invalid_model", "model")
            assert error["message"] == (
                "Invalid 'model': string too long. Expected a string with maximum length 8192, "
                "but got a string with length 100000 instead."
            )
        assert not server.requests
        error = error_of(await relay.post(body={**STREAMED, "model": "a" * 8_000}))
        assert len(error["message"]) < 500


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/completions", "/v1/responses", "/chat"])
@pytest.mark.parametrize("start", ["", "box/"])
async def test_too_long_model_name_does_not_block_other_streams(
    relay_server: RelayServer, path: str, start: str
) -> None:
    go_on = asyncio.Event()
    others = without(OPENAI, *(f"some-model-{number}" for number in range(50)))

    async def script(exchange: Exchange) -> None:
        if exchange.line.startswith("GET") or exchange.body["model"] != "m":
            await others(exchange)
            return
        await exchange.send_head()
        await exchange.send_chunks(piece("one"))
        await go_on.wait()
        await exchange.send_chunks(piece("two", "stop"))
        await exchange.end()

    async with relay_to(relay_server, script) as (relay, server):
        reader, writer = await relay.raw(request_bytes({**STREAMED, "model": "m"}))
        await reader.readuntil(b"one")
        used = process_time()
        reply = await relay.post(path, {"model": start + "x" * 100_000, "prompt": "x"})
        used = process_time() - used
        go_on.set()
        await reader.readuntil(b"two")
        writer.close()
        assert (reply.status_code, (error_of(reply))["code"]) == (400, "invalid_model")
        assert len(reply.content) < 1000
        assert len(server.requests) == 1
        assert used < 1
        assert max(map(len, relay.lines)) < 1000
