"""What goes wrong between the openai package and a real socket: one sentence, and what came is kept."""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest

from streamtui.config import Api, Endpoint, Timeouts
from streamtui.core.message import FinishReason
from streamtui.providers.base import ErrorKind, ProviderError
from streamtui.providers.error_explainer import Explainer
from streamtui.providers.openai_provider import OpenAIProvider
from tests.support.api_formats import SPEAKERS, Speaker
from tests.support.provider_requests import Got, ask, request
from tests.support.raw_server import DONE, Exchange, Script, chunked, event, piece, serving, whole

T = ErrorKind
LONG = Timeouts()
HTML = b"<!doctype html><html><head><title>Log in</title></head><body>Please</body></html>"
NOT_FOUND = b'{"error": {"message": "The model does not exist", "code": "model_not_found"}}'
COMPLETION = b'{"model": "m", "choices": [{"message": {"content": "Whole."}, "finish_reason": "stop"}]}'
BARE = b'{"choices": [{"message": {"content": "Whole."}}]}'
GONE = "box closed the connection during the reply. Try again."


async def got_from(script: Script, api: Api = Api.CHAT, limits: Timeouts = LONG) -> Got:
    async with serving(script) as server:
        provider = OpenAIProvider(Endpoint("box", server.url, api_key="sk-secret-1", api=api, timeouts=limits))
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
async def test_statuses(status: int, trouble: ErrorKind, body: bytes) -> None:
    got = await got_from(whole(body, f"{status} Oh", "application/json", Retry_After="3"))
    assert got.error is not None
    assert (got.error.kind, got.error.status, got.error.retry_after) == (trouble, status, 3.0)
    assert got.error.detail == "Words"
    assert ": Words." in got.message
    assert got.error.retryable is (status in (409, 429, 500, 502))


async def test_an_unknown_model() -> None:
    got = await got_from(whole(NOT_FOUND, "404 Not Found", "application/json"))
    assert "box has no model some-model: " in got.message
    assert got.error is not None
    assert got.error.kind is T.UNKNOWN_MODEL


async def test_a_key_echoed_by_the_server_is_not_shown() -> None:
    got = await got_from(whole(b'{"error": {"message": "Wrong key: sk-secret-1"}}', "401 Oh", "application/json"))
    assert ": Wrong key: [key]." in got.message


async def test_a_redirect_is_not_followed() -> None:
    async with serving(chunked(piece("stolen", "stop"))) as other:
        got = await got_from(whole(b"", "307 Elsewhere", Location=f"{other.url}/chat/completions"))
        assert other.requests == []
    assert got.message == f"box redirects to {other.url} (307). Use that address."


async def test_nobody_listens() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
    got = await ask(OpenAIProvider(Endpoint("box", url)))
    assert got.message == f"Can't reach {url[7:-3]}. Is the server running?"
    assert got.error is not None
    assert got.error.kind is T.UNREACHABLE
    assert got.error.retryable


async def test_no_such_name() -> None:
    got = await ask(OpenAIProvider(Endpoint("box", "http://no-such-host.invalid/v1")))
    assert got.message.startswith("Can't find the host no-such-host.invalid. Check")


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:99999/v1", "http://[::1/v1", "ftp://127.0.0.1/v1", "http://a b/v1", "localhost:9/v1", ""]
)
async def test_an_address_that_is_none(url: str) -> None:
    got = await ask(OpenAIProvider(Endpoint("box", url)))
    assert got.error is not None
    assert got.error.kind is T.UNREACHABLE
    assert got.error.retryable is ("a b" in url)  # a name that is not found now may be in a moment


async def test_https_to_an_http_server() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        got = await ask(OpenAIProvider(Endpoint("box", url)))
    assert got.message == f"Can't connect securely to {url[8:-3]}. Is it an HTTPS server?"


def test_a_certificate_nobody_vouches_for() -> None:
    cause = ssl.SSLCertVerificationError("certificate verify failed")
    cause.verify_message = "self-signed certificate"
    error = OSError("outer")
    error.__cause__ = cause
    explained = Explainer(Endpoint("box", "https://box.test/v1")).exception(error)
    assert explained.message.endswith("Its certificate is not trusted (self-signed certificate).")
    assert explained.kind is T.UNREACHABLE


async def _says_nothing(exchange: Exchange) -> None:
    await exchange.until_gone()


async def _closes_at_once(exchange: Exchange) -> None:
    exchange.writer.close()


def _only_pings(speaker: Speaker) -> Script:
    async def script(exchange: Exchange) -> None:
        await exchange.send_head()
        with suppress(ConnectionError):
            while not exchange.reader.at_eof():
                await exchange.send_chunks(b": ping\n\n", event({}))
                await asyncio.sleep(0.01)

    return script


def _falls_silent(speaker: Speaker) -> Script:
    async def script(exchange: Exchange) -> None:
        await exchange.send_head()
        await exchange.send_chunks(speaker.piece("Kept"))
        await exchange.until_gone()

    return script


def _closes_inside_a_chunk(speaker: Speaker) -> Script:
    async def script(exchange: Exchange) -> None:
        await exchange.send_head()
        await exchange.send_chunks(speaker.piece("Kept"))
        await exchange.send(b"ff\r\ndata: {")
        exchange.writer.close()

    return script


def _closes_a_body_without_length(speaker: Speaker) -> Script:
    async def script(exchange: Exchange) -> None:
        await exchange.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n")
        await exchange.send(speaker.piece("Kept"), b'data: {"choices": [{"del')
        exchange.writer.close()

    return script


def _after_a_piece(*events: bytes) -> Callable[[Speaker], Script]:
    return lambda speaker: chunked(speaker.piece("Kept"), *events)


def _always(script: Script) -> Callable[[Speaker], Script]:
    return lambda speaker: script


FIRST = "No response from box within 0.2 s (timeouts.first). Try again, or increase the timeout."
SILENCE = "No data from box for 0.2 s (timeouts.silence). Try again."
NOTHING = "box closed the connection without a reply. Try again."
LIMITS = Timeouts(first=0.2, silence=0.2)
BROKEN = {
    "nothing": (_always(_says_nothing), "", T.TIMEOUT, FIRST),
    "only pings": (_only_pings, "", T.TIMEOUT, FIRST),
    "silence": (_falls_silent, "Kept", T.TIMEOUT, SILENCE),
    "closed at once": (_always(_closes_at_once), "", T.BROKEN, NOTHING),
    "closed inside a chunk": (_closes_inside_a_chunk, "Kept", T.BROKEN, GONE),
    "closed without length": (_closes_a_body_without_length, "Kept", T.BROKEN, GONE),
    "ended early": (lambda speaker: chunked(speaker.piece("Ke"), speaker.piece("pt")), "Kept", T.BROKEN, GONE),
    "only a comment": (_always(chunked(b": nothing\n\n")), "", T.BROKEN, NOTHING),
    "only done": (_always(chunked(DONE)), "", T.BROKEN, NOTHING),
    "bad JSON": (_after_a_piece(b"data: {bad json\n\n"), "Kept", T.BROKEN, "Invalid response from box"),
    "an error": (_after_a_piece(event({"error": {"message": "Boom"}})), "Kept", T.SERVER, "from box: Boom."),
    "an error event": (_after_a_piece(b"event: error\n" + event({"error": "Boom"})), "Kept", T.SERVER, ": Boom."),
    "an odd error event": (_after_a_piece(b"event: error\n" + event({"x": 1})), "Kept", T.SERVER, "Server error"),
    "no body": (_always(whole(b"")), "", T.BROKEN, "box sent an empty response. Check"),
    "HTML": (_always(whole(HTML, content_type="text/html")), "", T.BROKEN, "box sent text/html instead of a reply: "),
    "other JSON": (_always(whole(b'{"ok": true}', content_type="application/json")), "", T.BROKEN, "application/json"),
    "a whole error": (_always(whole(b'{"error": {"message": "Boom"}}')), "", T.SERVER, "from box: Boom."),
    "a picture": (_always(whole(b"\x00\xff" * 5000, content_type="image/png")), "", T.BROKEN, "image/png instead of"),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
@pytest.mark.parametrize("speaker", SPEAKERS, ids=lambda speaker: speaker.api)
async def test_streams_that_break(speaker: Speaker, name: str) -> None:
    script, text, trouble, sentence = BROKEN[name]
    limits = LIMITS if trouble is T.TIMEOUT else LONG
    got = await got_from(script(speaker), speaker.api, limits)
    assert (got.text, got.finish_reason) == (text, None)
    assert sentence in got.message
    assert got.error is not None
    assert got.error.kind is trouble
    assert got.error.retryable is (sentence == NOTHING)


async def test_a_reader_that_takes_its_time_is_not_taken_for_silence() -> None:
    async with serving(chunked(piece("a"), piece("b"), piece("", "stop"))) as server:
        provider = OpenAIProvider(Endpoint("box", server.url, timeouts=Timeouts(first=20, silence=0.2)))
        texts = []
        async for delta in provider.stream(request()):
            texts.append(delta.text)
            if delta.text == "a":
                await asyncio.sleep(0.3)  # longer than the limit, with the next piece already there
        await provider.aclose()
    assert "".join(texts) == "ab"


async def test_a_server_that_lets_nobody_in() -> None:
    """A socket whose queue is full answers no handshake."""
    with socket.socket() as full, socket.socket() as first, socket.socket() as second:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for other in (first, second):
            other.setblocking(False)
            other.connect_ex(full.getsockname())
        url = f"http://127.0.0.1:{full.getsockname()[1]}/v1"
        got = await ask(OpenAIProvider(Endpoint("box", url, timeouts=Timeouts(connect=0.2))))
    assert got.message.startswith(f"Can't connect to {url[7:-3]} within 0.2 s (timeouts.connect). ")
    assert got.error is not None
    assert got.error.retryable


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
        with pytest.raises(ProviderError, match="closed the connection during the reply"):
            await anext(deltas)
        await provider.aclose()


@pytest.mark.parametrize(
    "script",
    [
        whole(COMPLETION, content_type="application/json"),
        whole(b"\n " + BARE, content_type="application/json"),
        chunked(b"\xef\xbb\xbf", COMPLETION[:20], COMPLETION[20:]),
        whole(piece("Whole.", "stop"), content_type="application/octet-stream"),
        chunked(event({"choices": None}), event({"choices": [{"delta": None}]}), piece("Whole.", "stop")),
    ],
)
async def test_odd_but_whole(script: Script) -> None:
    got = await got_from(script)
    assert got.error is None
    assert (got.text, got.finish_reason) == ("Whole.", FinishReason.STOP)


ODD: dict[str, Callable[[Speaker], Script]] = {
    "as it should be": lambda it: chunked(it.piece("Whole."), it.end(), DONE),
    "no [DONE]": lambda it: chunked(it.piece("Who"), it.piece("le."), it.end()),
    "no end but [DONE]": lambda it: chunked(it.piece("Whole."), DONE),
    "not streamed": lambda it: whole(it.whole("Whole."), content_type="application/json"),
    "empty events": lambda it: chunked(
        b"event: ping\n\n", b"id: 1\n\n", it.piece("Whole."), event({}), event(None), it.end()
    ),
    "unknown events": lambda it: chunked(
        event({"type": "keepalive", "sequence_number": 3}), it.piece("Whole."), event({"type": ["odd"]}), it.end()
    ),
}


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("speaker", SPEAKERS, ids=lambda speaker: speaker.api)
async def test_odd_but_whole_by_every_api(speaker: Speaker, name: str) -> None:
    got = await got_from(ODD[name](speaker), speaker.api)
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
