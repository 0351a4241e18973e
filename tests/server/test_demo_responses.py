"""The demo through the relay, validated against the Responses API's schema."""

import json
from typing import Any

import pytest
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

from streamtui.config import DEMO
from streamtui.server.relay import Settings
from tests.support.relay import RelayServer, run_relay

pytestmark = pytest.mark.asyncio(loop_scope="session")

EVENT: TypeAdapter[ResponseStreamEvent] = TypeAdapter(ResponseStreamEvent)


@pytest.mark.parametrize("limit", [None, 20], ids=["complete", "cut"])
async def test_events_match_the_responses_api_schema(relay_server: RelayServer, limit: int | None) -> None:
    body = {"model": "demo-fast", "input": "thinking", "max_output_tokens": limit or 1000}
    async with run_relay(relay_server, Settings(DEMO)) as relay:
        streamed = await relay.post("/v1/responses", body | {"stream": True})
        whole = Response.model_validate((await relay.post("/v1/responses", body)).json())
    events = [json.loads(line[6:]) for line in streamed.text.splitlines() if line.startswith("data: ")]
    assert [EVENT.validate_python(event).type for event in events] == [event["type"] for event in events]
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    assert events[-1]["type"] == ("response.incomplete" if limit else "response.completed")
    assert whole.status == ("incomplete" if limit else "completed")


async def test_deltas_follow_the_added_event_of_their_part(relay_server: RelayServer) -> None:
    async with run_relay(relay_server, Settings(DEMO)) as relay:
        reply = await relay.post("/v1/responses", {"model": "demo-fast", "input": "thinking", "stream": True})
    texts: dict[tuple[str, int], str] = {}
    done: dict[tuple[str, int], str] = {}
    for event in (json.loads(line[6:]) for line in reply.text.splitlines() if line.startswith("data: ")):
        if event["type"].endswith("part.added"):
            texts[place(event)] = event["part"]["text"]
        elif event["type"].endswith("text.delta"):
            texts[place(event)] += event["delta"]
        elif event["type"].endswith("text.done"):
            done[place(event)] = event["text"]
    assert [name for name, _ in texts] == ["rs_1", "msg_1"]
    assert all(texts.values())
    assert done == texts


def place(event: dict[str, Any]) -> tuple[str, int]:
    return event["item_id"], event["output_index"]
