"""Failures in words: what happened, to whom, what to do; clean, short and without the key."""

from email.utils import formatdate
from time import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamtui.config import OPENAI_URL, Endpoint
from streamtui.providers.base import ErrorKind
from streamtui.providers.error_bodies import retry_after, server_message
from streamtui.providers.error_explainer import NAME_LENGTH, WORDS_LENGTH, Explainer
from tests.support.provider_requests import EXPLAIN

T = ErrorKind
NO_KEY = Explainer(Endpoint("box", "http://box.test/v1"), "some-model")


@pytest.mark.parametrize(
    ("status", "body", "trouble", "sentence"),
    [
        (400, {"message": "Unsupported value"}, T.REFUSED, "box refused the request for some-model (400)"),
        (
            400,
            {"code": "context_length_exceeded", "message": "Too much"},
            T.REFUSED,
            "longer than some-model can take",
        ),
        (
            400,
            {"message": "the request exceeds the available context size"},
            T.REFUSED,
            "longer than some-model",
        ),
        # LiteLLM
        (
            400,
            {"message": "/chat/completions: Invalid model name passed in model=nope."},
            T.UNKNOWN_MODEL,
            "box does not know the model some-model: pick another one.",
        ),
        (401, {"message": "Bad key"}, T.WRONG_KEY, "box did not accept the API key"),
        (402, {"message": "Insufficient Balance"}, T.BUSY, "box has no credit left"),
        (403, {"message": "Country"}, T.REFUSED, "box does not allow this (403)"),
        (
            404,
            {"message": "The model `x` does not exist"},
            T.UNKNOWN_MODEL,
            "box does not know the model some-model",
        ),
        (
            404,
            {"message": "not here", "code": "model_not_found"},
            T.UNKNOWN_MODEL,
            "box does not know the model some-model",
        ),
        (404, "<html><title>404 Not Found</title></html>", T.REFUSED, "no chat at http://box.test/v1 (404)"),
        (405, {"detail": "Method Not Allowed"}, T.REFUSED, "no chat at http://box.test/v1 (405)"),
        (408, "", T.TIMEOUT, "box gave up waiting"),
        (413, "", T.REFUSED, "box refused the request"),
        (422, {"detail": [{"loc": ["body"], "msg": "extra fields"}]}, T.REFUSED, "It said: “extra fields”"),
        (429, {"message": "Slow down"}, T.BUSY, "box got too many requests (429): try again in a moment."),
        (
            429,
            {"code": "insufficient_quota", "message": "You exceeded your current quota"},
            T.BUSY,
            "no credit left",
        ),
        (500, "", T.SERVER, "box failed (500)"),
        (502, "<html><head><title>502 Bad Gateway</title></head>", T.SERVER, "It said: “502 Bad Gateway”"),
        (529, {"message": "Overloaded"}, T.SERVER, "box failed (529)"),
        (307, "", T.REFUSED, "box sends requests elsewhere (307): use https://new.test/v1 instead."),
    ],
)
def test_statuses(status: int, body: object, trouble: ErrorKind, sentence: str) -> None:
    error = EXPLAIN.status(status, body, {"location": "https://new.test/v1"})
    assert sentence in error.message
    assert (error.kind, error.status) == (trouble, status)


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
def test_what_may_pass(status: int, words: str, headers: dict[str, str], retryable: bool) -> None:
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
def test_what_may_pass_of_what_is_sent_with_status_200(body: object, retryable: bool) -> None:
    assert EXPLAIN.sent_error(body).retryable is retryable


def test_a_server_that_wants_a_key_and_got_none() -> None:
    error = NO_KEY.status(401, {"message": "Who are you?"}, {})
    assert error.kind is T.NO_KEY
    assert "--api-key-env" in error.message


def test_openai_without_a_key() -> None:
    error = Explainer(Endpoint("openai", OPENAI_URL)).no_key()
    assert error.message == "No API key is set for openai: set OPENAI_API_KEY, or pick another server (shift+F2)."


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


def test_a_refusal_of_something_else_than_a_reply_names_no_model() -> None:
    error = Explainer(Endpoint("box", "http://box.test/v1")).status(400, {"error": "No connected db."}, {})
    assert error.message.startswith("box refused the request (400): change it.")


def test_retry_after_as_a_date() -> None:
    seconds = retry_after({"retry-after": formatdate(time() + 60, usegmt=True)})
    assert seconds is not None
    assert 50 < seconds <= 60
    assert EXPLAIN.status(429, "", {"retry-after": "12"}).retry_after == 12


@given(st.text())
def test_no_key_is_ever_shown_and_no_sentence_is_long_or_wild(words: str) -> None:
    for error in (
        EXPLAIN.status(400, {"message": f"{words} sk-very-secret {words}"}, {"location": "sk-very-secret"}),
        EXPLAIN.sent_error(f"{words}sk-very-secret"),
        EXPLAIN.not_a_stream(f"<title>{words} sk-very-secret", "sk-very-secret"),
    ):
        assert "very-secret" not in error.message
        assert error.message.isprintable() or "\n" not in error.message
        assert not any(ord(char) < 0x20 or 0x7F <= ord(char) < 0xA0 for char in error.message)
        assert len(error.message) < WORDS_LENGTH + 200


def test_a_key_cut_by_shortening_does_not_show_in_part() -> None:
    error = EXPLAIN.status(400, {"message": "x" * (WORDS_LENGTH - 8) + "sk-very-secret"}, {})
    assert "sk-" not in error.message


def test_a_password_in_the_address_is_not_shown() -> None:
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
def test_the_servers_words(body: object, words: str) -> None:
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
def test_a_huge_body_gives_a_short_sentence(body: object) -> None:
    """Matching must be linear: a quadratic pattern takes hours for these bodies and runs into the test's timeout."""
    for status in (400, 404, 500):
        assert len(Explainer(Endpoint("box", "http://box.test/v1"), "m").status(status, body, {}).message) < 500
    assert len(EXPLAIN.sent_error(body).message) < 500
    assert len(EXPLAIN.not_a_stream(str(body), str(body)).message) < 500


def test_a_huge_name_is_cut() -> None:
    explain = Explainer(Endpoint("box", "http://box.test/v1"), "m" * HUGE)
    assert f"model {'m' * (NAME_LENGTH - 1)}…: pick" in explain.status(404, {"message": "no such model"}, {}).message
    moved = explain.status(308, "", {"location": "http://elsewhere.test/" + "a" * HUGE}).message
    assert "http://elsewhere.test/aaa" in moved
    assert len(moved) < 500


@pytest.mark.parametrize(
    "stars", ["***", "****abcd", "sk-***", "sk-proj-**********abcd", "a***b***c", "a**b***", "x.***-y"]
)
def test_half_hidden_keys_are_left_out(stars: str) -> None:
    said = (
        Explainer(Endpoint("box", "http://box.test/v1")).status(401, f"Incorrect key: {stars} (of yours).", {}).message
    )
    assert "Incorrect key: [key] (of yours)." in said
