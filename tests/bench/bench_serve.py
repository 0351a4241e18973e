"""The relay under load, beside a bare Starlette pass-through in the same run: CPU, memory, added delay, lost bytes.

Run by hand: python -m tests.bench.bench_serve [streams] [tokens a second] [seconds] [http] [loop]

A server of raw sockets, each relay and the clients are processes of their own. Every piece carries the time at which it
was sent, so its delay is that of the whole way; the same way without a relay is measured first. A stream that lost,
doubled or reordered a byte ends with another hash than the one it says it has.
"""

import asyncio
import hashlib
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles

BODY = json.dumps({"model": "m", "stream": True, "messages": [{"role": "user", "content": "Hello"}]}).encode()
BOUNDARY = b"\n\n"
FIELDS = (
    b'"id":"chatcmpl-Abc123","object":"chat.completion.chunk","created":1760000000,"model":"gpt-6-luna",'
    b'"service_tier":"default","system_fingerprint":"fp_123456789","choices":[{"index":0,"delta":{"content":" word"},'
    b'"finish_reason":null}],"usage":null'
)


async def serve(rate: float, seconds: float) -> None:
    """Answers every request with `rate` pieces a second, the last of which is the hash of all."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(int(head.lower().partition(b"content-length:")[2].split()[0]))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        digest = hashlib.sha256()
        now = asyncio.get_running_loop().time
        # Not all at the same moment: real streams do not beat together.
        due = now() + (hash(os.urandom(4)) % 1000) / 1000 / rate
        for _ in range(int(rate * seconds)):
            if writer.is_closing():
                return
            await asyncio.sleep(max(0.0, due - now()))
            due += 1 / rate
            piece = b'data: {"sent":%d,%b}\n\n' % (time.monotonic_ns(), FIELDS)
            digest.update(piece)
            writer.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            await writer.drain()
        end = digest.hexdigest().encode() + BOUNDARY
        writer.write(b"%x\r\n%b\r\n0\r\n\r\n" % (len(end), end))
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def bare(url: str, http: str, loop: str) -> None:
    """The pass-through that Starlette's and httpx2's documentation suggest: no checks, no counting, no limits."""
    import httpx2
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import StreamingResponse
    from starlette.routing import Route

    limits = httpx2.Limits(max_connections=None)
    client = httpx2.AsyncClient(timeout=600, limits=limits, trust_env=False)

    async def passed(request: Request) -> StreamingResponse:
        asked = client.build_request("POST", f"{url}/chat/completions", content=await request.body())
        reply = await client.send(asked, stream=True)

        async def pieces() -> AsyncIterator[bytes]:
            try:
                async for piece in reply.aiter_raw():
                    yield piece
            finally:
                await reply.aclose()

        return StreamingResponse(pieces(), reply.status_code, media_type=reply.headers["content-type"])

    app = Starlette(routes=[Route("/v1/chat/completions", passed, methods=["POST"])])
    _serve_app(lambda: app, http, loop)


def ours(url: str, http: str, loop: str) -> None:
    """streamtui's relay, with a log of every request and a token that every request needs."""
    import logging

    from streamtui.config import Endpoint
    from streamtui.server.access_log import LOG
    from streamtui.server.asgi import create_app
    from streamtui.server.client_tokens import ClientTokens
    from streamtui.server.relay import Relay, Settings

    LOG.setLevel(logging.INFO)
    LOG.addHandler(logging.StreamHandler(open(os.devnull, "w")))  # noqa: SIM115
    tokens = ClientTokens(Path(os.environ["BENCH_TOKENS"]))
    _serve_app(lambda: create_app(Relay(Settings(Endpoint("box", url, api_key="k"), tokens=tokens))), http, loop)


def _serve_app(make: Callable[[], object], http: str, loop: str) -> None:
    import uvicorn

    from streamtui.server.runner import listening

    with listening("127.0.0.1", 0) as sockets:
        print(sockets[0].getsockname()[1], flush=True)
        config = uvicorn.Config(make, factory=True, log_config=None, access_log=False, http=http, loop=loop, ws="none")
        uvicorn.Server(config).run(sockets)


@dataclass
class Outcome:
    """What the clients of a relay saw, and what it took."""

    delays: list[float] = field(default_factory=list)
    """Milliseconds, a piece each."""
    wrong: int = 0
    """Streams whose hash is not the one they say."""
    cpu: float = 0
    """Seconds."""
    wall: float = 0
    memory: float = 0
    """KiB more than before, at most, a stream."""

    def add(self, other: "Outcome") -> None:
        """Adds another round."""
        self.delays += other.delays
        self.wrong += other.wrong
        self.cpu += other.cpu
        self.wall += other.wall
        self.memory = max(self.memory, other.memory)

    def line(self) -> str:
        """Says it in a line; half and 99 in 100 of the pieces took no longer than p50 and p99."""
        cuts, pieces = quantiles(self.delays, n=100), len(self.delays)
        return (
            f"{pieces:>8} pieces {self.wall:5.1f} s {self.cpu:6.2f} s CPU {self.cpu / pieces * 1e6:5.0f} us a piece"
            f" {self.memory:5.1f} KiB a stream   delay p50 {cuts[49]:7.2f} p99 {cuts[98]:8.2f} ms"
            f"   wrong streams {self.wrong}"
        )


async def load(port: int, streams: int, token: str) -> Outcome:
    """Asks for so many streams at once and reads them to their ends."""
    outcome = Outcome()
    request = (
        b"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        b"Authorization: Bearer %b\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%b"
        % (token.encode(), len(BODY), BODY)
    )

    async def one() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request)
        await reader.readuntil(b"\r\n\r\n")
        digest, rest, last = hashlib.sha256(), b"", b""
        async for part in _dechunked(reader):
            now = time.monotonic_ns()
            *pieces, rest = (rest + part).split(BOUNDARY)
            for piece in pieces:
                if piece.startswith(b"data: "):
                    digest.update(piece + BOUNDARY)
                    sent = int(piece[len(b'data: {"sent":') : piece.index(b",")])
                    outcome.delays.append((now - sent) / 1e6)
                last = piece
        outcome.wrong += last != digest.hexdigest().encode()
        writer.close()

    await asyncio.gather(*(one() for _ in range(streams)))
    return outcome


async def _dechunked(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    while size := int(await reader.readline(), 16):
        yield await reader.readexactly(size)
        await reader.readexactly(2)


@contextmanager
def process(*arguments: str) -> Iterator[tuple[int, int]]:
    """Runs a part of this file by its name; yields its port and its process id."""
    command = [sys.executable, "-m", "tests.bench.bench_serve", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]) as running:
        try:
            assert running.stdout is not None
            yield int(running.stdout.readline()), running.pid
        finally:
            running.kill()


def cpu(pid: int) -> float:
    """Seconds of CPU that a process has used."""
    values = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(values[11]) + int(values[12])) / os.sysconf("SC_CLK_TCK")


def memory(pid: int) -> int:
    """Bytes of memory that a process had at most."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) * 1024


def run(kind: str, url: str, streams: int, token: str, http: str, loop: str) -> Outcome:
    """Measures one relay once."""
    with process(kind, url, http, loop) as (port, pid):
        asyncio.run(load(port, 1, token))
        return measured(port, pid, streams, token)


def measured(port: int, pid: int, streams: int, token: str) -> Outcome:
    """Measures what the process `pid` does for so many streams."""
    before, held, begun = cpu(pid), memory(pid), time.monotonic()
    outcome = asyncio.run(load(port, streams, token))
    outcome.cpu, outcome.wall = cpu(pid) - before, time.monotonic() - begun
    outcome.memory = (memory(pid) - held) / streams / 1024
    return outcome


def main(streams: int = 500, rate: float = 50, seconds: float = 3, http: str = "auto", loop: str = "auto") -> None:
    """Prints the table."""
    import tempfile

    from streamtui.server.client_tokens import ClientTokens

    found = {"bare": Outcome(), "ours": Outcome()}
    with tempfile.TemporaryDirectory() as folder, process("serve", str(rate), str(seconds)) as (port, pid):
        os.environ["BENCH_TOKENS"] = folder
        token = ClientTokens(Path(folder)).add("bench")
        print(
            f"{streams} streams of {rate:g} pieces a second for {seconds:g} s; {http}, {loop}; {os.cpu_count()} cores"
        )
        print("direct", measured(port, pid, streams, token).line(), flush=True)
        url = f"http://127.0.0.1:{port}/v1"
        # In this order, as a machine gets slower or faster while it is measured.
        for kind in ("bare", "ours", "ours", "bare"):
            found[kind].add(run(kind, url, streams, token, http, loop))
    for kind, outcome in found.items():
        print(f"{kind:<6}", outcome.line())
    print(f"CPU of ours beside bare: {found['ours'].cpu / found['bare'].cpu:.2f}")


if __name__ == "__main__":
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    match sys.argv[1:]:
        case ["serve", rate, seconds]:
            asyncio.run(serve(float(rate), float(seconds)))
        case ["bare", url, http, loop]:
            bare(url, http, loop)
        case ["ours", url, http, loop]:
            ours(url, http, loop)
        case [*numbers]:
            kinds = (int, float, float, str, str)
            main(*(kind(text) for kind, text in zip(kinds, numbers, strict=False)))
