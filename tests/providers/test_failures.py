"""What goes wrong between the openai package and a real socket: one sentence, and what came is kept."""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable

import pytest

from streamtui.config import Endpoint
from streamtui.message import FinishReason
from streamtui.providers.base import ProviderError, Trouble
from streamtui.providers.client import OpenAIProvider
from streamtui.providers.errors import Explainer
from tests.providers.asking import Got, ask, request
from tests.providers.raw_server import DONE, Exchange, Script, chunked, event, piece, serving, whole

T = Trouble
HTML = b"<!doctype html><html><head><title>Log in</title></head><body>Please</body></html>"
NOT_FOUND = b'{"error": {"message": "The model does not exist", "code": "model_not_found"}}'
COMPLETION = b'{"model": "m", "choices": [{"message": {"content": "Whole."}, "finish_reason": "stop"}]}'
BARE = b'{"choices": [{"message": {"content": "Whole."}}]}'
GONE = "box broke off in the middle of the reply: ask again."


async def got_from(script: Script, silence: float = 20.0) -> Got:
    async with serving(script) as server:
        provider = OpenAIProvider(Endpoint("box", server.url, api_key="sk-secret-1"), silence_timeout=silence)
        try:
            return await ask(provider)
        finally:
            await provider.aclose()


@pytest.mark.parametrize(
    ("status", "trouble"),
    [
        (400, T.REFUSED),
        (401, T.WRONG_KEY),
        (403, T.REFUSED),
        (404, T.REFUSED),
        (409, T.BUSY),
        (422, T.REFUSED),
        (429, T.BUSY),
        (500, T.SERVER),
        (502, T.SERVER),
    ],
)
@pytest.mark.parametrize("body", [b'{"error": {"message": "Words"}}', b'{"error": "Words"}', b"<title>Words</title>"])
async def test_statuses(status: int, trouble: Trouble, body: bytes) -> None:
    got = await got_from(whole(body, f"{status} Oh", "application/json", Retry_After="3"))
    assert got.error is not None
    assert (got.error.trouble, got.error.status, got.error.retry_after) == (trouble, status, 3.0)
    assert "It said: “Words”" in got.sentence
    assert got.error.retryable is (status in (409, 429, 500, 502))


async def test_an_unknown_model() -> None:
    got = await got_from(whole(NOT_FOUND, "404 Not Found", "application/json"))
    assert "box does not know the model some-model: pick another one." in got.sentence


async def test_a_key_echoed_by_the_server_is_not_shown() -> None:
    got = await got_from(whole(b'{"error": {"message": "Wrong key: sk-secret-1"}}', "401 Oh", "application/json"))
    assert "“Wrong key: [key]”" in got.sentence


async def test_a_redirect_is_not_followed() -> None:
    async with serving(chunked(piece("stolen", "stop"))) as other:
        got = await got_from(whole(b"", "307 Elsewhere", Location=f"{other.url}/chat/completions"))
        assert other.requests == []
    assert "box sends requests elsewhere (307)" in got.sentence


async def test_nobody_listens() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
    got = await ask(OpenAIProvider(Endpoint("box", url)))
    assert got.sentence == f"Nothing answers at {url} (connection refused): is the server running?"
    assert got.error is not None
    assert got.error.trouble is T.UNREACHABLE
    assert got.error.retryable


async def test_no_such_name() -> None:
    got = await ask(OpenAIProvider(Endpoint("box", "http://no-such-host.invalid/v1")))
    assert got.sentence.startswith("There is no server named no-such-host.invalid to be found")


@pytest.mark.parametrize("url", ["http://127.0.0.1:99999/v1", "http://[::1/v1", "ftp://127.0.0.1/v1", "http://a b/v1"])
async def test_an_address_that_is_none(url: str) -> None:
    got = await ask(OpenAIProvider(Endpoint("box", url)))
    assert got.error is not None
    assert got.error.trouble is T.UNREACHABLE
    assert got.error.retryable is ("a b" in url)  # a name that is not found now may be in a moment


async def test_https_to_an_http_server() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        got = await ask(OpenAIProvider(Endpoint("box", url)))
    assert got.sentence == f"No safe connection to {url} could be made: is it an https server?"


def test_a_certificate_nobody_vouches_for() -> None:
    cause = ssl.SSLCertVerificationError("certificate verify failed")
    cause.verify_message = "self-signed certificate"
    error = OSError("outer")
    error.__cause__ = cause
    explained = Explainer(Endpoint("box", "https://box.test/v1")).exception(error)
    assert explained.sentence.endswith("its certificate is not trusted (self-signed certificate)")
    assert explained.trouble is T.UNREACHABLE


async def _says_nothing(exchange: Exchange) -> None:
    await exchange.until_gone()


async def _falls_silent(exchange: Exchange) -> None:
    await exchange.send_head()
    await exchange.send_chunks(piece("Kept"))
    await exchange.until_gone()


async def _closes_at_once(exchange: Exchange) -> None:
    exchange.writer.close()


async def _closes_inside_a_chunk(exchange: Exchange) -> None:
    await exchange.send_head()
    await exchange.send_chunks(piece("Kept"))
    await exchange.send(b"ff\r\ndata: {")
    exchange.writer.close()


async def _closes_a_body_without_length(exchange: Exchange) -> None:
    await exchange.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n")
    await exchange.send(piece("Kept"), b'data: {"choices": [{"del')
    exchange.writer.close()


@pytest.mark.parametrize(
    ("script", "text", "trouble", "sentence"),
    [
        (_says_nothing, "", T.TIMEOUT, "box took the request and then said nothing for too long: try again."),
        (_falls_silent, "Kept", T.TIMEOUT, "box fell silent in the middle of the reply: ask again."),
        (_closes_at_once, "", T.BROKEN, "box closed the connection without a reply: try again."),
        (_closes_inside_a_chunk, "Kept", T.BROKEN, GONE),
        (_closes_a_body_without_length, "Kept", T.BROKEN, GONE),
        (chunked(piece("Ke"), piece("pt")), "Kept", T.BROKEN, GONE),
        (chunked(b": nothing\n\n"), "", T.BROKEN, "box closed the connection without a reply: try again."),
        (chunked(DONE), "", T.BROKEN, "box closed the connection without a reply: try again."),
        (
            chunked(piece("Kept"), b"data: {bad json\n\n"),
            "Kept",
            T.BROKEN,
            "box sent something that can't be read",
        ),
        (chunked(piece("Kept"), event({"error": {"message": "Boom"}})), "Kept", T.SERVER, "It said: “Boom”"),
        (chunked(piece("Kept"), b"event: error\n" + event({"error": "Boom"})), "Kept", T.SERVER, "“Boom”"),
        (
            chunked(piece("Kept"), b"event: error\n" + event({"reason": "x"})),
            "Kept",
            T.SERVER,
            "box stopped with",
        ),
        (whole(b""), "", T.BROKEN, "box sent an empty reply"),
        (whole(HTML, content_type="text/html"), "", T.BROKEN, "box sent text/html, not a stream of text"),
        (
            whole(b'{"ok": true}', content_type="application/json"),
            "",
            T.BROKEN,
            "box sent application/json, not",
        ),
        (whole(b'{"error": {"message": "Boom"}}'), "", T.SERVER, "It said: “Boom”"),
        (whole(b"\x00\xff" * 5000, content_type="image/png"), "", T.BROKEN, "box sent image/png, not"),
    ],
)
async def test_streams_that_break(script: Script, text: str, trouble: Trouble, sentence: str) -> None:
    silence = 0.3 if script in (_says_nothing, _falls_silent) else 20.0
    got = await got_from(script, silence)
    assert (got.text, got.finish_reason) == (text, None)
    assert sentence in got.sentence
    assert got.error is not None
    assert got.error.trouble is trouble
    assert got.error.retryable is (sentence.endswith(("for too long: try again.", "without a reply: try again.")))


async def test_a_reset_in_the_middle() -> None:
    """What was sent just before a reset may be lost with it, so the client must have read it first."""
    read = asyncio.Event()

    async def script(exchange: Exchange) -> None:
        await exchange.send_head()
        await exchange.send_chunks(piece("Kept"))
        await read.wait()
        exchange.reset()

    async with serving(script) as server:
        provider = OpenAIProvider(Endpoint("box", server.url))
        deltas = provider.stream(request())
        assert (await anext(deltas)).text == "Kept"
        read.set()
        with pytest.raises(ProviderError, match="broke off in the middle"):
            await anext(deltas)
        await provider.aclose()


@pytest.mark.parametrize(
    "script",
    [
        whole(COMPLETION, content_type="application/json"),
        whole(b"\n " + BARE, content_type="application/json"),
        chunked(b"\xef\xbb\xbf", COMPLETION[:20], COMPLETION[20:]),
        whole(piece("Whole.", "stop"), content_type="application/octet-stream"),
        chunked(piece("Whole."), DONE),
        chunked(b"event: ping\n\n", b"id: 1\n\n", piece("Whole."), event({}), event(None), piece("", "stop")),
        chunked(event({"choices": None}), event({"choices": [{"delta": None}]}), piece("Whole.", "stop")),
    ],
)
async def test_odd_but_whole(script: Script) -> None:
    got = await got_from(script)
    assert got.error is None
    assert (got.text, got.finish_reason) == ("Whole.", FinishReason.STOP)


async def test_invalid_utf8_is_replaced() -> None:
    got = await got_from(chunked(piece("a").replace(b'"a"', b'"\xff\xfe"'), piece("", "stop")))
    assert (got.text, got.error) == ("\ufffd\ufffd", None)


async def _leaves_it_open(exchange: Exchange) -> None:
    await exchange.send_head()
    await exchange.send_chunks(piece("Whole."), piece("", "stop"), DONE)
    await exchange.until_gone()


async def _breaks_after_the_end(exchange: Exchange) -> None:
    await exchange.send_head()
    await exchange.send_chunks(piece("Whole.", "stop"))
    exchange.writer.close()


@pytest.mark.parametrize("script", [_leaves_it_open, _breaks_after_the_end])
async def test_after_the_end_nothing_can_go_wrong(script: Callable[[Exchange], Awaitable[None]]) -> None:
    got = await got_from(script)
    assert got.error is None
    assert (got.text, got.finish_reason) == ("Whole.", FinishReason.STOP)
