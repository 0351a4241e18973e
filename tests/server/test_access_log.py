"""The access log and the metrics."""

import re
from pathlib import Path

import pytest

from streamtui.config import DEMO
from streamtui.server.client_tokens import ClientTokens
from streamtui.server.metrics import Metrics
from streamtui.server.relay import Settings
from streamtui.server.request_log import RequestLogEntry
from tests.support.raw_server import DONE, chunked, piece, whole
from tests.support.relay import KEY, RelayServer, relay_to, run_relay

pytestmark = pytest.mark.asyncio(loop_scope="session")

LINE = re.compile(
    r"method=\S+ path=\S+ status=\d+ seconds=[\d.]+ first=[\d.-]+ bytes=\d+ end=\w+ token=\S+ endpoint=\S+"
)


async def test_log_lines_contain_no_prompt_reply_or_key(relay_server: RelayServer, tmp_path: Path) -> None:
    tokens = ClientTokens(tmp_path / "tokens")
    token = tokens.add("laptop")
    async with relay_to(relay_server, chunked(piece("a secret reply"), DONE), tokens=tokens) as (relay, _):
        body = {"model": "m", "messages": [{"role": "user", "content": "a secret prompt"}]}
        reply = await relay.post("/v1/chat/completions?q=secret", body, headers={"authorization": f"Bearer {token}"})
        line = await relay.logged("status=200")
        assert LINE.fullmatch(line)
        assert f"bytes={len(reply.content)} end=done token=laptop endpoint=box" in line
        assert not any(part in "".join(relay.lines) for part in ("secret", KEY, token))


async def test_log_injection_through_the_path_is_prevented(relay_server: RelayServer) -> None:
    async with run_relay(relay_server, Settings(DEMO)) as relay:
        await relay.client.get("/a%0Astatus=200 end=done%1b[31m" + "x" * 500)
        line = await relay.logged("status=404")
        assert LINE.fullmatch(line)
        assert len(line) < 300


async def test_metrics_count_requests(relay_server: RelayServer) -> None:
    async with relay_to(relay_server, chunked(piece("x"), DONE)) as (relay, _):
        sent = sum([len((await relay.post()).content) for _ in range(2)])
        await relay.client.get("/nothing")
        reply = await relay.client.get("/metrics")
        assert reply.headers["content-type"].startswith("text/plain; version=0.0.4")
        lines = reply.text.splitlines()
    for line in (
        "streamtui_open_requests 1.0",
        'streamtui_requests_total{endpoint="box",status="200"} 2.0',
        'streamtui_requests_total{endpoint="",status="404"} 1.0',
        f'streamtui_sent_bytes_total{{endpoint="box"}} {float(sent)}',
        'streamtui_request_seconds_count{endpoint="box"} 2.0',
        'streamtui_first_byte_seconds_bucket{endpoint="box",le="+Inf"} 2.0',
    ):
        assert line in lines
    counts = [float(line.split()[-1]) for line in lines if line.startswith("streamtui_request_seconds_bucket")]
    assert counts == sorted(counts)


async def test_metrics_count_errors_by_endpoint(relay_server: RelayServer) -> None:
    async with relay_to(relay_server, whole(b"{}", "500 Oops", "application/json")) as (relay, _):
        await relay.post()
        assert 'streamtui_requests_total{endpoint="box",status="500"} 1.0' in relay.relay.metrics.text()


async def test_a_label_value_is_escaped() -> None:
    metrics = Metrics()
    metrics.record(RequestLogEntry("POST", "/", endpoint='a"b\\c\nd', sent_bytes=3))
    assert r'streamtui_sent_bytes_total{endpoint="a\"b\\c\nd"} 3.0' in metrics.text().splitlines()


async def test_apps_do_not_share_metrics() -> None:
    Metrics().record(RequestLogEntry("POST", "/", endpoint="box"))
    assert "box" not in Metrics().text()
