"""CPU per streamed token, from socket to Delta: ours beside the SDK's typed loop and the parts between.

Run by hand: python -m tests.bench.bench_providers [tokens] [tokens per write]
"""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx2
import openai

from streamtui.config import Api, Endpoint
from streamtui.core.message import Message, Role
from streamtui.providers.base import Request
from streamtui.providers.openai_provider import OpenAIProvider
from streamtui.providers.sse import SSEDecoder

SERVER = "serve"
MESSAGES = [{"role": "user", "content": "Hello"}]


def chat(number: int) -> dict[str, Any]:
    """A chunk as OpenAI sends it."""
    return {
        "id": "chatcmpl-Abc123", "object": "chat.completion.chunk", "created": 1760000000,
        "model": "gpt-6-luna",
        "service_tier": "default", "system_fingerprint": "fp_123456789", "obfuscation": "aB3",
        "choices": [{"index": 0, "delta": {"content": f" word{number}"}, "finish_reason": None}],
        "usage": None,
    }  # fmt: skip


def completion(number: int) -> dict[str, Any]:
    """A piece of a completion as OpenAI sends it."""
    choice = {"text": f" word{number}", "index": 0, "logprobs": None, "finish_reason": None}
    return {
        "id": "cmpl-Abc123", "object": "text_completion", "created": 1760000000, "choices": [choice],
        "model": "gpt-3.5-turbo-instruct:20230824-v2",
    }  # fmt: skip


def response(number: int) -> dict[str, Any]:
    """An event of a response as OpenAI sends it."""
    return {
        "type": "response.output_text.delta", "sequence_number": number, "item_id": "msg_0123456789abcdef",
        "output_index": 0, "content_index": 0, "delta": f" word{number}", "logprobs": [], "obfuscation": "aB3dEf",
    }  # fmt: skip


FINISH: dict[str, Any] = {"choices": [{"index": 0, "delta": {}, "text": "", "finish_reason": "stop"}]}
COMPLETED = {"type": "response.completed", "response": {"object": "response", "status": "completed", "output": []}}
SPOKEN: dict[str, tuple[Callable[[int], dict[str, Any]], dict[str, Any]]] = {
    "/v1/chat/completions": (chat, FINISH),
    "/v1/completions": (completion, FINISH),
    "/v1/responses": (response, COMPLETED),
}


def event(data: dict[str, Any]) -> bytes:
    """A server-sent event."""
    name = f"event: {data['type']}\n" if "type" in data else ""
    return f"{name}data: {json.dumps(data)}\n\n".encode()


async def serve(tokens: int, together: int) -> None:
    """Answers every request with `tokens` events, `together` to a write; runs in a process of its own."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(int(head.lower().partition(b"content-length:")[2].split()[0]))
        say, last = SPOKEN[head.split()[1].decode()]
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        end = event(last) + b"data: [DONE]\n\n"
        for number in range(0, tokens, together):
            body = b"".join(event(say(at)) for at in range(number, min(tokens, number + together)))
            writer.write(b"%x\r\n%b\r\n" % (len(body), body))
            await writer.drain()
            if together == 1:
                await asyncio.sleep(0)
        writer.write(b"%x\r\n%b\r\n0\r\n\r\n" % (len(end), end))
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


async def _ours(url: str, api: Api) -> int:
    provider = OpenAIProvider(Endpoint("bench", url))
    request = Request("gpt-6-luna", (Message(Role.USER, "Hello"),), api=api)
    count = 0
    async for delta in provider.stream(request):
        count += bool(delta.text)
    await provider.aclose()
    return count


async def ours(url: str) -> int:
    """streamtui's provider, by Chat Completions."""
    return await _ours(url, Api.CHAT)


async def our_completions(url: str) -> int:
    """streamtui's provider, by Completions."""
    return await _ours(url, Api.COMPLETIONS)


async def our_responses(url: str) -> int:
    """streamtui's provider, by Responses."""
    return await _ours(url, Api.RESPONSES)


async def sdk(url: str) -> int:
    """The loop the SDK's documentation shows, by Chat Completions."""
    client = openai.AsyncOpenAI(base_url=url, api_key="none", max_retries=0)
    count = 0
    stream = await client.chat.completions.create(
        model="m", messages=[{"role": "user", "content": "Hello"}], stream=True
    )
    async for chunk in stream:
        count += bool(chunk.choices and chunk.choices[0].delta.content)
    await client.close()
    return count


async def sdk_completions(url: str) -> int:
    """The same by Completions."""
    client = openai.AsyncOpenAI(base_url=url, api_key="none", max_retries=0)
    count = 0
    async for chunk in await client.completions.create(model="m", prompt="Hello", stream=True):
        count += bool(chunk.choices and chunk.choices[0].text)
    await client.close()
    return count


async def sdk_responses(url: str) -> int:
    """The same by Responses."""
    client = openai.AsyncOpenAI(base_url=url, api_key="none", max_retries=0)
    count = 0
    async for item in await client.responses.create(model="m", input="Hello", stream=True):
        count += item.type == "response.output_text.delta"
    await client.close()
    return count


async def _raw(url: str, events_of: Callable[[httpx2.Response], AsyncIterator[str]]) -> int:
    count = 0
    async with (
        httpx2.AsyncClient() as client,
        client.stream("POST", f"{url}/chat/completions", json={"messages": MESSAGES}) as response,
    ):
        async for data in events_of(response):
            if data and data != "[DONE]":
                count += bool(json.loads(data)["choices"][0]["delta"])
    return count


async def httpx2_sse(url: str) -> int:
    """httpx2, its EventSource, json."""

    async def events(response: httpx2.Response) -> AsyncIterator[str]:
        async for item in httpx2.EventSource(response):
            yield item.data

    return await _raw(url, events)


async def own_sse(url: str) -> int:
    """httpx2, our SSEDecoder, json."""

    async def events(response: httpx2.Response) -> AsyncIterator[str]:
        decoder = SSEDecoder()
        async for chunk in response.aiter_bytes():
            for item in decoder.feed(chunk):
                yield item.data

    return await _raw(url, events)


async def bytes_only(url: str) -> int:
    """httpx2 alone: what no decoder can go below."""
    count = 0
    async with (
        httpx2.AsyncClient() as client,
        client.stream("POST", f"{url}/chat/completions", json={"messages": MESSAGES}) as response,
    ):
        async for chunk in response.aiter_bytes():
            count += chunk.count(b"\n\n")
    return count


def measure(loop: Callable[[str], Awaitable[int]], url: str, tokens: int) -> float:
    """Returns the microseconds of CPU a token took in the best of three runs."""

    async def once() -> float:
        before = time.process_time()
        assert await loop(url) >= tokens
        return time.process_time() - before

    return min(asyncio.run(once()) for _ in range(5)) / tokens * 1e6


LOOPS = (
    ours, sdk, our_completions, sdk_completions, our_responses, sdk_responses, httpx2_sse, own_sse, bytes_only,
)  # fmt: skip


def main(tokens: int, together: int) -> None:
    """Prints the table."""
    command = [sys.executable, "-m", "tests.bench.bench_providers", SERVER, str(tokens), str(together)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]) as server:
        try:
            assert server.stdout is not None
            url = f"http://127.0.0.1:{int(server.stdout.readline())}/v1"
            print(f"{tokens} tokens, {together} to a write: microseconds of CPU per token")
            for loop in LOOPS:
                print(f"  {measure(loop, url, tokens):7.1f}  {loop.__doc__}", flush=True)
        finally:
            server.terminate()


if __name__ == "__main__":
    if sys.argv[1:2] == [SERVER]:
        asyncio.run(serve(int(sys.argv[2]), int(sys.argv[3])))
    else:
        main(*(int(argument) for argument in (*sys.argv[1:], *("2000", "1")[len(sys.argv) - 1 :])))
