"""How an endpoint is reached: its own headers, proxy and key, and nobody else's."""

import asyncio
from contextlib import suppress
from pathlib import Path

import pytest

from streamtui.config import Api, Endpoint
from streamtui.providers.base import ErrorKind
from streamtui.providers.openai_provider import OpenAIProvider
from streamtui.providers.upstream import Upstream
from tests.support.provider_requests import Got, ask
from tests.support.raw_server import DONE, Exchange, RawServer, chunked, piece, serving, whole

WHOLE = chunked(piece("Hi!", "stop"), DONE)


async def asked(endpoint: Endpoint) -> Got:
    provider = OpenAIProvider(endpoint)
    try:
        return await ask(provider)
    finally:
        await provider.aclose()


@pytest.mark.parametrize(
    ("headers", "authorization"),
    [
        ({"X-Title": "streamtui", "HTTP-Referer": "https://a.test"}, "Bearer sk-key-1"),
        ({"api-key": "azure-key"}, None),
        ({"Api-Key": "azure-key"}, None),
        ({"Authorization": "Basic dXNlcjpw"}, "Basic dXNlcjpw"),
        ({"authorization": ""}, None),
        ({"User-Agent": "mine/1"}, "Bearer sk-key-1"),
    ],
)
async def test_the_headers_of_an_endpoint_are_sent(headers: dict[str, str], authorization: str | None) -> None:
    async with serving(WHOLE) as server:
        got = await asked(Endpoint("box", server.url, api_key="sk-key-1", headers=headers))
    assert got.error is None
    sent = server.requests[0].headers
    assert sent.get("authorization") == authorization
    assert {name.lower(): value for name, value in headers.items() if value}.items() <= sent.items()


@pytest.mark.parametrize("headers", [{"X-A": "a\r\nX-B: b"}, {"X A": "a"}, {"": "a"}, {"X-A": "ключ"}, {"X:": "a"}])
async def test_a_header_that_cannot_be_sent(headers: dict[str, str]) -> None:
    async with serving(WHOLE) as server:
        got = await asked(Endpoint("box", server.url, headers=headers))
    assert "for box contains invalid characters. Correct it in the settings." in got.message
    assert server.requests == []


async def test_what_headers_hold_in_place_of_a_key_is_not_shown() -> None:
    refusal = b'{"error": {"message": "Who is azure-secret, who is dXNlcjpw?"}}'
    headers = {"api-key": "azure-secret", "authorization": "Basic dXNlcjpw", "x-title": "Who is"}
    async with serving(whole(refusal, "401 Oh", "application/json")) as server:
        got = await asked(Endpoint("box", server.url, headers=headers))
    assert ": Who is [key], who is [key]? Name" in got.message


async def test_azure_and_its_version() -> None:
    async with serving(WHOLE) as server:
        url = f"{server.url}/openai/deployments/mine/?api-version=2024-10-21"
        got = await asked(Endpoint("azure", url, headers={"api-key": "azure-secret"}))
    assert got.text == "Hi!"
    line = "POST /v1/openai/deployments/mine/chat/completions?api-version=2024-10-21 HTTP/1.1"
    assert server.requests[0].line == line


async def test_every_api_has_its_path() -> None:
    async with serving(WHOLE) as server:
        for api in Api:
            await asked(Endpoint("box", server.url, api=api))
    paths = [exchange.line.split()[1] for exchange in server.requests]
    assert paths == ["/v1/chat/completions", "/v1/completions", "/v1/responses"]


# Proxies


def through(proxy: RawServer) -> str:
    """Return the address of `proxy` without a path."""
    return proxy.url.removesuffix("/v1")


async def test_a_proxy_of_its_own() -> None:
    async with serving(WHOLE) as proxy:
        got = await asked(Endpoint("box", "http://box.invalid/v1", proxy=through(proxy)))
        assert got.text == "Hi!"
        got = await asked(Endpoint("box", "http://127.0.0.1:9/v1", proxy=through(proxy)))
        assert got.text == "Hi!"
    lines = [exchange.line for exchange in proxy.requests]
    assert lines[0] == "POST http://box.invalid/v1/chat/completions HTTP/1.1"
    assert lines[1] == "POST http://127.0.0.1:9/v1/chat/completions HTTP/1.1"


async def test_the_proxy_of_the_environment_is_for_servers_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving(WHOLE) as proxy, serving(WHOLE) as local:
        monkeypatch.setenv("HTTP_PROXY", through(proxy))
        monkeypatch.setenv("http_proxy", through(proxy))
        assert (await asked(Endpoint("box", "http://box.invalid/v1"))).text == "Hi!"
        assert (await asked(Endpoint("box", local.url))).text == "Hi!"
        got = await asked(Endpoint("box", "http://box.invalid/v1", proxy="none"))
    assert got.error is not None
    assert got.error.kind is ErrorKind.UNREACHABLE
    assert (len(proxy.requests), len(local.requests)) == (1, 1)


@pytest.mark.parametrize(
    ("proxy", "sentence"),
    [
        ("http://127.0.0.1:9", "Can't reach box.invalid. Check"),
        ("gopher://me:hush-hush@127.0.0.1:9", "Check the address and the proxy settings."),
        ("nonsense", "Check the address and the proxy settings."),
    ],
)
async def test_a_proxy_that_does_not_help(proxy: str, sentence: str) -> None:
    got = await asked(Endpoint("box", "http://box.invalid/v1", proxy=proxy))
    assert sentence in got.message
    assert "hush" not in got.message


async def test_a_proxy_that_wants_a_password() -> None:
    async with serving(whole(b"", "407 Proxy Authentication Required")) as proxy:
        got = await asked(Endpoint("box", "http://box.invalid/v1", proxy=through(proxy)))
    assert got.message == "The proxy for box requires a password (407). Add it to its proxy setting."


# Keys


async def test_two_endpoints_each_get_their_own_key() -> None:
    async with serving(WHOLE) as one, serving(WHOLE) as two:
        endpoints = (
            Endpoint("one", one.url, api_key="sk-one", organization="org-one", headers={"X-One": "1"}),
            Endpoint("two", two.url, api_key_command="echo sk-two"),
        )
        providers = [OpenAIProvider(endpoint) for endpoint in endpoints]
        for _ in range(2):
            await asyncio.gather(*map(ask, providers))
        for provider in providers:
            await provider.aclose()
    assert [exchange.headers["authorization"] for exchange in one.requests] == ["Bearer sk-one"] * 2
    assert [exchange.headers["authorization"] for exchange in two.requests] == ["Bearer sk-two"] * 2
    assert b"two" not in b"".join(exchange.raw for exchange in one.requests)
    assert b"one" not in b"".join(exchange.raw for exchange in two.requests)


async def test_a_command_runs_at_the_first_request_and_only_then(tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    async with serving(WHOLE) as server:
        provider = OpenAIProvider(Endpoint("box", server.url, api_key_command=f"echo x >>{ran}; echo sk-command"))
        await asyncio.to_thread(provider.warm_up)
        assert not ran.exists()
        await asyncio.gather(ask(provider), ask(provider))
        await provider.aclose()
    assert ran.read_text() == "x\n"
    assert provider.endpoint.api_key == "sk-command"


async def test_a_key_from_a_command_is_not_shown_either() -> None:
    async with serving(whole(b'{"error": "Not sk-command"}', "400 Oh", "application/json")) as server:
        got = await asked(Endpoint("box", server.url, api_key_command="echo sk-command"))
    assert ": Not [key]." in got.message


async def test_a_key_that_has_expired_is_fetched_anew(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("sk-monday")

    async def script(exchange: Exchange) -> None:
        fresh = exchange.headers["authorization"] == "Bearer sk-tuesday"
        await (WHOLE if fresh else whole(b"{}", "401 Unauthorized", "application/json"))(exchange)

    async with serving(script) as server:
        provider = OpenAIProvider(Endpoint("box", server.url, api_key_command=f"cat {token}"))
        got = await ask(provider)
        assert got.error is not None
        assert got.error.kind is ErrorKind.WRONG_KEY
        token.write_text("sk-tuesday")
        assert (await ask(provider)).text == "Hi!"
        await provider.aclose()


async def test_a_command_that_fails_is_told_and_nothing_sent() -> None:
    async with serving(WHOLE) as server:
        got = await asked(Endpoint("box", server.url, api_key_command="echo locked >&2; exit 3"))
    assert got.error is not None
    assert got.error.kind is ErrorKind.NO_KEY
    assert "locked" in got.message
    assert server.requests == []


# Canceling


@pytest.mark.parametrize("kind", [OpenAIProvider, Upstream])
@pytest.mark.parametrize("tunneled", [False, True], ids=["direct", "tunneled"])
async def test_canceling_a_tls_handshake_closes_the_connection(
    kind: type[OpenAIProvider | Upstream], tunneled: bool
) -> None:
    begun, closed = asyncio.Event(), asyncio.Event()

    async def never_answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if tunneled:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await reader.readexactly(1)
        begun.set()
        with suppress(ConnectionError):
            await reader.read()
        closed.set()
        writer.close()

    listener = await asyncio.start_server(never_answer, "127.0.0.1", 0)
    address = f"127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    if tunneled:
        endpoint = Endpoint("box", "https://box.invalid/v1", proxy=f"http://{address}")
    else:
        endpoint = Endpoint("box", f"https://{address}/v1")
    server = kind(endpoint)
    sent = ask(server) if isinstance(server, OpenAIProvider) else server.open("POST", "/chat/completions", b"{}")
    sending = asyncio.ensure_future(sent)
    async with listener, asyncio.timeout(20):
        await begun.wait()
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        await closed.wait()
    await server.aclose()
