"""Error messages: what happened, where, what to do; clean, short and without the API key."""

from email.utils import formatdate
from time import time

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamtui.config import OPENAI_URL, Api, Endpoint
from streamtui.core.builtin_endpoints import LOCAL
from streamtui.providers.base import ErrorKind
from streamtui.providers.error_bodies import retry_after, server_message
from streamtui.providers.error_explainer import DETAIL_LENGTH, NAME_LENGTH, Explainer
from tests.support.provider_requests import EXPLAIN

T = ErrorKind
NO_KEY = Explainer(Endpoint("box", "http://box.test/v1"), "some-model")


@pytest.mark.parametrize(
    ("status", "body", "kind", "message"),
    [
        (400, {"message": "Unsupported value"}, T.REFUSED, "Bad request (400): Unsupported value."),
        (
            400,
            {"code": "context_length_exceeded", "message": "Too much"},
            T.REFUSED,
            "The conversation is too long for some-model: Too much.",
        ),
        (
            400,
            {"message": "the request exceeds the available context size"},
            T.REFUSED,
            "too long for some-model",
        ),
        # LiteLLM
        (
            400,
            {"message": "/chat/completions: Invalid model name passed in model=nope."},
            T.UNKNOWN_MODEL,
            "box has no model some-model: /chat",
        ),
        (401, {"message": "Bad key"}, T.WRONG_KEY, "Invalid API key for box: Bad key."),
        (402, {"message": "Insufficient Balance"}, T.BUSY, "No credit left at box"),
        (403, {"message": "Country"}, T.REFUSED, "Access denied by box (403)"),
        (
            404,
            {"message": "The model `x` does not exist"},
            T.UNKNOWN_MODEL,
            "box has no model some-model",
        ),
        (
            404,
            {"message": "not here", "code": "model_not_found"},
            T.UNKNOWN_MODEL,
            "box has no model some-model",
        ),
        (
            404,
            "<html><title>404 Not Found</title></html>",
            T.REFUSED,
            "No Chat Completions API at http://box.test/v1 (404)",
        ),
        (405, {"detail": "Method Not Allowed"}, T.REFUSED, "No Chat Completions API at http://box.test/v1 (405)"),
        (408, "", T.TIMEOUT, "box timed out waiting"),
        (413, "", T.REFUSED, "Request too large (413)"),
        (
            422,
            {"detail": [{"loc": ["body"], "msg": "extra fields"}]},
            T.REFUSED,
            "Request rejected by box (422): extra fields.",
        ),
        (429, {"message": "Slow down"}, T.BUSY, "Rate limited by box (429): Slow down. Try again in a moment."),
        (
            429,
            {"code": "insufficient_quota", "message": "You exceeded your current quota"},
            T.BUSY,
            "No credit left",
        ),
        (500, "", T.SERVER, "Server error from box (500). Try again in a moment."),
        (
            502,
            "<html><head><title>502 Bad Gateway</title></head>",
            T.SERVER,
            "Server error from box (502): 502 Bad Gateway. Try",
        ),
        (529, {"message": "Overloaded"}, T.SERVER, "Server error from box (529): Overloaded."),
        (307, "", T.REFUSED, "box redirects to https://new.test/v1 (307). Use that address."),
    ],
)
def test_statuses(status: int, body: object, kind: ErrorKind, message: str) -> None:
    error = EXPLAIN.status(status, body, {"location": "https://new.test/v1/chat/completions"})
    assert message in error.message
    assert (error.kind, error.status) == (kind, status)


@pytest.mark.parametrize(
    ("status", "words", "headers", "retryable"),
    [
        (400, "", {}, False),
        (401, "", {}, False),
        (402, "", {}, False),
        (404, "", {}, False),
        (408, "", {}, True),
        (409, "", {}, True),
        (429, "Slow down", {}, True),
        (429, "You exceeded your current quota", {}, False),
        (500, "", {}, True),
        (501, "", {}, False),
        (529, "", {}, True),
        (500, "", {"x-should-retry": "false"}, False),
        (400, "", {"x-should-retry": "true"}, True),
        (500, "", {"x-should-retry": "maybe"}, True),
    ],
)
def test_retryable_statuses(status: int, words: str, headers: dict[str, str], retryable: bool) -> None:
    assert EXPLAIN.status(status, {"message": words}, headers).retryable is retryable


@pytest.mark.parametrize(
    ("body", "retryable"),
    [
        ({"code": 502, "message": "Bad gateway"}, True),
        ({"code": 400, "message": "No"}, False),
        ({"code": "rate_limit_exceeded"}, True),
        ({"code": "insufficient_quota"}, False),
        ({"message": "Boom"}, False),
    ],
)
def test_retryable_errors_in_a_stream(body: object, retryable: bool) -> None:
    assert EXPLAIN.sent_error(body).retryable is retryable


def test_missing_key() -> None:
    error = NO_KEY.status(401, {"message": "Who are you?"}, {})
    assert error.kind is T.NO_KEY
    assert "--api-key-env" in error.message


def test_missing_openai_key() -> None:
    error = Explainer(Endpoint("openai", OPENAI_URL)).no_key()
    assert error.message == "No API key for openai yet. Set OPENAI_API_KEY."


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({}, None),
    ],
)
def test_retry_after(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers) == seconds


def test_failing_task_is_named() -> None:
    explain = Explainer(Endpoint("box", "http://box.test/v1"), task="Can't list models")
    error = explain.status(400, {"error": "No connected db."}, {})
    assert error.message == "Can't list models: Bad request (400): No connected db."
    assert (error.summary, error.detail) == ("Can't list models: Bad request (400).", "No connected db.")


@pytest.mark.parametrize("location", ["", "/v1/chat/completions", "http://box.test/v1/models", "http://[", "models"])
def test_redirect_loop(location: str) -> None:
    error = EXPLAIN.status(307, "", {"location": location})
    assert error.message == "box redirects to itself (307). Check the address http://box.test/v1."


def test_redirect_to_a_page() -> None:
    error = EXPLAIN.status(302, "", {"location": "/login"})
    assert error.message == "box redirects to http://box.test/login (302). Check the address http://box.test/v1."


@pytest.mark.parametrize(
    ("address", "advice"),
    [
        ("http://box.test/v1", "Check the address."),
        ("http://box.test/v1/", "Check the address."),
        ("http://box.test", "Check the address, which usually ends in /v1."),
    ],
)
def test_advice_on_the_address_suits_it(address: str, advice: str) -> None:
    assert Explainer(Endpoint("box", address), "m", Api.CHAT).status(404, "", {}).message.endswith(advice)


@pytest.mark.parametrize(
    ("seconds", "when"),
    [("7", "7 s"), ("90", "90 s"), ("300", "5 min"), ("3600", "an hour"), ("7300", "2 hours"), ("86400", "a day")],
)
def test_rate_limit_says_how_long(seconds: str, when: str) -> None:
    message = EXPLAIN.status(429, "", {"retry-after": seconds}).message
    assert message == f"Rate limited by box (429). Try again in {when}."


def test_damaged_body_is_not_explained_by_the_decoder() -> None:
    error = EXPLAIN.network(httpx2.DecodingError("Error -3 while decompressing data: incorrect header check"))
    assert error.message == "Invalid response from box. Try again."


@pytest.mark.parametrize(("name", "program"), [("ollama", "Ollama"), ("lmstudio", "LM Studio"), ("vllm", "vLLM")])
def test_local_server_that_is_not_running(name: str, program: str) -> None:
    error = httpx2.ConnectError("All connection attempts failed")
    error.__cause__ = ConnectionRefusedError()
    message = Explainer(LOCAL[name]).network(error).message
    assert message == f"Can't reach {LOCAL[name].base_url[7:-3]}. Is {program} running?"


def test_retry_after_as_a_date() -> None:
    seconds = retry_after({"retry-after": formatdate(time() + 60, usegmt=True)})
    assert seconds is not None
    assert 50 < seconds <= 60
    assert EXPLAIN.status(429, "", {"retry-after": "12"}).retry_after == 12


@given(st.text())
def test_messages_are_short_and_clean_and_hold_no_key(words: str) -> None:
    for error in (
        EXPLAIN.status(400, {"message": f"{words} sk-very-secret {words}"}, {"location": "sk-very-secret"}),
        EXPLAIN.sent_error(f"{words}sk-very-secret"),
        EXPLAIN.not_a_stream(f"<title>{words} sk-very-secret", "sk-very-secret"),
    ):
        assert "very-secret" not in error.message
        assert error.message.isprintable() or "\n" not in error.message
        assert not any(ord(char) < 0x20 or 0x7F <= ord(char) < 0xA0 for char in error.message)
        assert len(error.message) < DETAIL_LENGTH + 200


def test_key_is_redacted_before_shortening() -> None:
    error = EXPLAIN.status(400, {"message": "x" * (DETAIL_LENGTH - 8) + "sk-very-secret"}, {})
    assert "sk-" not in error.message


def test_password_in_the_address_is_not_shown() -> None:
    explain = Explainer(Endpoint("box", "http://me:hush@box.test/v1"))
    assert explain.url == "http://box.test/v1"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"error": {"message": "a\nb"}}, "a b"),
        ({"error": "a"}, "a"),
        ({"detail": "a"}, "a"),
        ([{"error": {"message": "a"}}], "a"),
        ("<html><body>long page</body></html>", ""),
        ({"error": {"message": None, "code": "bad"}}, "bad"),
        # LiteLLM, which answers a request for a stream by an event, whatever the status.
        ('data: {"error": {"message": "a", "code": "500"}}\n\ndata: [DONE]\n\n', "a"),
        ("event: error\ndata: no JSON\n\n", "event: error data: no JSON"),
        ({}, ""),
        (None, ""),
    ],
)
def test_server_message(body: object, words: str) -> None:
    assert server_message(body) == words


HUGE = 1_000_000


@pytest.mark.parametrize(
    "body",
    [
        "a" * HUGE,
        "a." * HUGE + "***",
        "<title" * HUGE,
        "<title>" * HUGE,
        "data: {}" + "\n" * HUGE + "x",
        "data: {" * HUGE,
        {"error": {"message": "a" * HUGE, "code": "a" * HUGE, "type": "*" * HUGE}},
        {"error": [{"msg": "-" * HUGE}] * 3},
    ],
    ids=lambda body: str(body)[:20],
)
def test_huge_body_gives_a_short_message(body: object) -> None:
    """Matching must be linear: a quadratic pattern takes hours for these bodies and runs into the test's timeout."""
    for status in (400, 404, 500):
        assert len(Explainer(Endpoint("box", "http://box.test/v1"), "m").status(status, body, {}).message) < 500
    assert len(EXPLAIN.sent_error(body).message) < 500
    assert len(EXPLAIN.not_a_stream(str(body), str(body)).message) < 500


def test_huge_name_is_shortened() -> None:
    explain = Explainer(Endpoint("box", "http://box.test/v1"), "m" * HUGE)
    assert (
        f"model {'m' * (NAME_LENGTH - 1)}…: no such model"
        in explain.status(404, {"message": "no such model"}, {}).message
    )
    moved = explain.status(308, "", {"location": "http://elsewhere.test/" + "a" * HUGE}).message
    assert "redirects to http://elsewhere.test/aaa" in moved
    assert len(moved) < 500


@pytest.mark.parametrize(
    "stars", ["***", "****abcd", "sk-***", "sk-proj-**********abcd", "a***b***c", "a**b***", "x.***-y"]
)
def test_partly_hidden_keys_are_redacted(stars: str) -> None:
    said = (
        Explainer(Endpoint("box", "http://box.test/v1")).status(401, f"Incorrect key: {stars} (of yours).", {}).message
    )
    assert "Incorrect key: [key] (of yours)." in said
