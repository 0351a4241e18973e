"""A model that does not exist: the relay names those that are most like it."""

import asyncio
import json
from difflib import SequenceMatcher
from time import process_time

import pytest

from streamtui.config import DEMO, Endpoint
from streamtui.server import model_suggestions
from streamtui.server.model_suggestions import nearest_models
from streamtui.server.relay import Settings
from streamtui.server.routing import Route
from tests.server.test_passthrough import refused
from tests.support.raw_server import Exchange, Script, piece, serving, whole
from tests.support.relay import KEY, STREAMED, Stage, box, passing, relaying, request_bytes

pytestmark = pytest.mark.asyncio(loop_scope="session")

OPENAI = {
    "error": {"message": "The model `x` does not exist.", "type": "invalid_request_error", "code": "model_not_found"}
}


def without(body: object, *models: str) -> Script:
    """A server with these models that says `body` to whoever asks for another one."""
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
async def test_the_nearest_are_named_in_the_form_of_openai(stage: Stage, path: str, body: object) -> None:
    async with passing(stage, without(body, "other", "some-model", "some-model-2", "same-mode")) as (relay, _):
        asked = {"model": "box/some-mdl", "prompt": "x"}
        reply = await relay.post(path, asked)
        error = await refused(reply)
        assert (reply.status_code, error["code"], error["param"]) == (404, "model_not_found", "model")
        named = "did you mean box/some-model or box/some-model-2 or box/same-mode? It said: “"
        assert error["message"].startswith(f"box does not know the model 'some-mdl'; {named}")


async def test_a_mistaken_endpoint_is_found_too(stage: Stage) -> None:
    async with (
        serving(without(OPENAI, "gpt-1")) as first,
        serving(without(OPENAI, "qwen3:8b")) as second,
        relaying(stage, Settings(box(first.url), {"ollama": box(second.url, "ollama")})) as relay,
    ):
        error = await refused(await relay.post(body={**STREAMED, "model": "ollma/qwen3"}))
        assert "does not know the model 'ollma/qwen3'; did you mean ollama/qwen3:8b?" in error["message"]
        error = await refused(await relay.post(body={**STREAMED, "model": "qwen3"}))
        assert "does not know the model 'qwen3'; did you mean ollama/qwen3:8b?" in error["message"]
        # Who asks again and again costs no list each time.
        assert [len([r for r in server.requests if r.line.startswith("GET")]) for server in (first, second)] == [1, 1]


async def test_where_none_is_like_it_the_list_is_named(stage: Stage) -> None:
    async with passing(stage, without(OPENAI, "gpt-1")) as (relay, _):
        error = await refused(await relay.post(body={**STREAMED, "model": "zz\ud800\x1b"}))
        assert error["message"].startswith(
            "box does not know the model 'zz\N{REPLACEMENT CHARACTER}\N{SYMBOL FOR ESCAPE}'; "
            "GET /v1/models lists those that exist. It said: “The model"
        )


async def test_a_server_that_gives_no_list_in_time_is_not_waited_for(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_suggestions, "SECONDS", 0.2)

    async def script(exchange: Exchange) -> None:
        await (Exchange.until_gone if exchange.line.startswith("GET") else without(OPENAI))(exchange)

    async with passing(stage, script) as (relay, _):
        error = await refused(await relay.post(body={**STREAMED, "model": "box/gpt"}))
        assert "GET /v1/models lists those that exist" in error["message"]


async def test_the_key_is_in_no_such_error(stage: Stage) -> None:
    async with passing(stage, without({"error": {"message": f"{KEY} may not use this model"}}, "m")) as (relay, _):
        assert "secret" not in (await relay.post(body={**STREAMED, "model": "box/x"})).text


async def test_the_demo_names_its_own(stage: Stage) -> None:
    async with relaying(stage, Settings(DEMO)) as relay:
        error = await refused(await relay.post(body={**STREAMED, "model": "demo-l"}))
        assert error["message"].startswith(
            "demo does not know the model 'demo-l'; did you mean demo/demo-1 or demo/demo-"
        )


async def test_names_of_hundreds_of_models_are_compared() -> None:
    known = [f"box/vendor-{number}/model-{number}-instruct" for number in range(400)]
    route = Route(Endpoint("box"), "vendor-77/model-77-instrct")
    assert nearest_models(route, known)[0] == "box/vendor-77/model-77-instruct"
    assert len(nearest_models(route, known)) == 3
    assert nearest_models(route, []) == []
    # A server may list a model that it does not let this key ask.
    assert nearest_models(Route(Endpoint("box"), "a"), ["box/a", "far/a"]) == ["far/a"]


@pytest.mark.parametrize(
    ("asked", "listed"), [("a" * 5_000, "a" * 4_999), ("a" * 90, "a" * 5_000), ("a" * 5_000, "b")], ids=[1, 2, 3]
)
async def test_long_names_are_not_compared(asked: str, listed: str) -> None:
    assert nearest_models(Route(Endpoint("box"), asked), [f"box/{listed}"] * 9) == []


async def test_of_thousands_of_names_a_few_are_compared_letter_by_letter(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = "mdel-00077"
    compared: list[str] = []

    class Counting(SequenceMatcher[str]):
        def ratio(self) -> float:
            compared.append(wanted)
            return super().ratio()

    monkeypatch.setattr(model_suggestions, "SequenceMatcher", Counting)
    known = [f"box/model-{number:05}" for number in range(10_000)]
    assert nearest_models(Route(Endpoint("box"), wanted), known)[0] == "box/model-00077"
    assert 0 < len(compared) <= 100


async def test_a_name_that_is_too_long_is_not_passed_on(stage: Stage) -> None:
    async with passing(stage, without(OPENAI, "gpt-1")) as (relay, server):
        for path in ("/v1/chat/completions", "/chat"):
            reply = await relay.post(path, {"model": "a" * 100_000, "prompt": "x"})
            error = await refused(reply)
            assert (reply.status_code, error["code"], error["param"]) == (400, "invalid_model", "model")
            assert error["message"] == "The model's name has 100,000 characters; at most 8,192 are allowed."
        assert not server.requests
        error = await refused(await relay.post(body={**STREAMED, "model": "a" * 8_000}))
        assert len(error["message"]) < 500


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/completions", "/v1/responses", "/chat"])
@pytest.mark.parametrize("start", ["", "box/"])
async def test_a_very_long_name_does_not_disturb_other_streams(stage: Stage, path: str, start: str) -> None:
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

    async with passing(stage, script) as (relay, server):
        reader, writer = await relay.raw(request_bytes({**STREAMED, "model": "m"}))
        await reader.readuntil(b"one")
        used = process_time()
        reply = await relay.post(path, {"model": start + "x" * 100_000, "prompt": "x"})
        used = process_time() - used
        go_on.set()
        await reader.readuntil(b"two")
        writer.close()
        assert (reply.status_code, (await refused(reply))["code"]) == (400, "invalid_model")
        assert len(reply.content) < 1000
        assert len(server.requests) == 1
        assert used < 1
        assert max(map(len, relay.lines)) < 1000
