"""Errors: turns what servers and libraries say of a failure into one sentence fit to show."""

import re
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

from streamtui.config import Api, Endpoint
from streamtui.core.sanitize import clean_line, short_line
from streamtui.providers.base import ErrorKind, ProviderError
from streamtui.providers.error_bodies import WORDS_READ, code_of, retry_after, server_message

WORDS_LENGTH = 200
"""Characters of the server's own words that are shown."""
NAME_LENGTH = 100
"""Characters of a name in a sentence: a model's, a content type's."""

_TOO_LONG = re.compile(
    r"context_length_exceeded|context (length|window|size)|prompt is too long|too many tokens",
    re.IGNORECASE,
)
_NO_CREDIT = re.compile(
    r"insufficient_quota|exceeded your current quota|insufficient (balance|credit|funds)|out of credit",
    re.IGNORECASE,
)
_PASSING = re.compile(r"server_error|overloaded|unavailable|try again|bad gateway", re.IGNORECASE)
"""Errors in place of a reply that would have been a 5xx, had the server not begun with 200."""
_OTHER_API = re.compile(r"(?:mean to use|supported in) (?:the )?/?v1/(chat|completions|responses)", re.IGNORECASE)
_INVALID_MODEL = re.compile(r"(invalid|unknown|no such) model|model_not_found", re.IGNORECASE)
_NO_MODEL = re.compile(r"model_not_found|\bmodel\b", re.IGNORECASE)
# The lookbehind lets a search begin at the start of a word only. Without it a long word without stars takes quadratic
# time: 27 s for 40,000 letters.
STARRED = re.compile(r"(?<![\w.*-])[\w.*-]*?\*{3}[\w.*-]*+")
"""How servers repeat a key half hidden; OpenAI shows its last four characters."""
_SHORTEST_SECRET = 6
_SECRET_HEADER = re.compile(r"auth|key|token|secret|cookie|password", re.IGNORECASE)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yields `error` and all that led to it. A connection tried at several addresses fails as a group."""
    todo: list[BaseException | None] = [error]
    seen: set[int] = set()
    while todo:
        at = todo.pop()
        if at is None or id(at) in seen:
            continue
        seen.add(id(at))
        yield at
        todo += [at.__cause__, at.__context__]
        if isinstance(at, BaseExceptionGroup):
            todo += at.exceptions


def secrets_of(endpoint: Endpoint) -> list[str]:
    """Returns what no sentence may hold: the key, what the headers hold in its place, the proxy's password."""
    found = []
    for name, value in endpoint.headers.items():
        if _SECRET_HEADER.search(name):
            found += [value, value.rpartition(" ")[2]]
    with suppress(ValueError):
        found.append(urlsplit(endpoint.proxy).password or "")
    # A short one would be found in every word.
    long = sorted((secret for secret in found if len(secret) >= _SHORTEST_SECRET), key=len, reverse=True)
    return [endpoint.api_key, *long] if endpoint.api_key else long


@dataclass(frozen=True, slots=True)
class Explainer:
    """Says why a request failed: to whom it went and for which model. No sentence of it holds the key."""

    endpoint: Endpoint
    model: str = ""
    api: Api | None = None
    """How it was asked; None: for something else than a reply."""

    @property
    def name(self) -> str:
        """The endpoint as the user knows it."""
        return clean_line(self.endpoint.name) or "the server"

    @property
    def url(self) -> str:
        """The endpoint's address without a user name or password."""
        try:
            parts = urlsplit(self.endpoint.base_url)
        except ValueError:
            return clean_line(self.endpoint.base_url.rpartition("@")[2])
        return clean_line(urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2])))

    def error(
        self,
        sentence: str,
        trouble: ErrorKind,
        *,
        words: str = "",
        status: int | None = None,
        wait: float | None = None,
        retryable: bool = False,
    ) -> ProviderError:
        """Returns the error that says `sentence`, and then what the server said in its own `words`."""
        words = short_line(self._redacted(clean_line(words[:WORDS_READ])), WORDS_LENGTH)
        said = f" It said: “{words}”" if words else ""
        sentence = self._redacted(clean_line(sentence)) + said
        return ProviderError(sentence, trouble, status=status, retry_after=wait, retryable=retryable)

    def _redacted(self, text: str) -> str:
        for secret in secrets_of(self.endpoint):
            text = text.replace(secret, "[key]")
        return STARRED.sub("[key]", text)

    # What the server says before or instead of a stream

    def no_key(self) -> ProviderError:
        """OpenAI itself without a key: nothing was sent."""
        return self.error(
            f"No API key is set for {self.name}: set {self.endpoint.key_variable}, or pick another server (shift+F2).",
            ErrorKind.NO_KEY,
        )

    def unusable_key(self) -> ProviderError:
        """A key that can't go into a header: nothing was sent."""
        return self.error(
            f"The API key for {self.name} holds characters no key has: copy it again.", ErrorKind.WRONG_KEY
        )

    def unusable_header(self, header: str) -> ProviderError:
        """A configured header that can't be sent: nothing was sent."""
        return self.error(
            f"The header {clean_line(header)} for {self.name} holds characters no header can have: correct it.",
            ErrorKind.REFUSED,
        )

    def unusable_setting(self, error: Exception) -> ProviderError:
        """An address or a proxy that no request can be made for: nothing was sent."""
        return self.error(
            f"No request can be made for {self.url}: check the address and the proxy settings.",
            ErrorKind.UNREACHABLE,
            words=str(error),
        )

    def status(self, status: int, body: object, headers: Mapping[str, str]) -> ProviderError:
        """An HTTP status other than success, with its body (parsed, or text) and its headers."""
        words = server_message(body)
        wait = retry_after(headers)
        text = f"{words} {code_of(body)}"
        sentence, trouble = self._by_status(status, text, wait, headers)
        asked = headers.get("x-should-retry", "")
        retryable = asked == "true" if asked in ("true", "false") else _passes(status, text)
        return self.error(sentence, trouble, words=words, status=status, wait=wait, retryable=retryable)

    def _by_status(
        self, status: int, words: str, wait: float | None, headers: Mapping[str, str]
    ) -> tuple[str, ErrorKind]:
        name = self.name
        if status in (401, 407):
            return self._unauthorized(status)
        if status == 402 or (status in (400, 403, 429) and _NO_CREDIT.search(words)):
            return (
                f"{name} has no credit left for this key: add credit, or use another model or server.",
                ErrorKind.BUSY,
            )
        if status == 409:
            return f"{name} could not take the request just now (409): try again in a moment.", ErrorKind.BUSY
        if status == 429:
            when = f"in {wait:.0f} s" if wait else "in a moment"
            return f"{name} got too many requests (429): try again {when}.", ErrorKind.BUSY
        if status in (400, 413, 422) and _TOO_LONG.search(words):
            return self._too_long(), ErrorKind.REFUSED
        if status in (404, 405, 501):
            return self._not_found(status, words)
        if status == 403:
            return (
                f"{name} does not allow this (403): the key may lack the right to use {self.model_name}.",
                ErrorKind.REFUSED,
            )
        if status == 408:
            return f"{name} gave up waiting (408): try again.", ErrorKind.TIMEOUT
        if 300 <= status < 400:
            to = short_line(headers.get("location", ""), WORDS_LENGTH)
            return (
                f"{name} sends requests elsewhere ({status}): use {to or 'its new address'} instead.",
                ErrorKind.REFUSED,
            )
        if status >= 500:
            return f"{name} failed ({status}): try again in a moment.", ErrorKind.SERVER
        if _INVALID_MODEL.search(words):
            return self._unknown_model(), ErrorKind.UNKNOWN_MODEL
        what = (
            f" for {self.model_name} ({status}): change it, or the model." if self.model else f" ({status}): change it."
        )
        return f"{name} refused the request{what}", ErrorKind.REFUSED

    @property
    def model_name(self) -> str:
        """The model as it can be shown."""
        return short_line(self.model, NAME_LENGTH) or "this model"

    def _unauthorized(self, status: int) -> tuple[str, ErrorKind]:
        if status == 407:
            return (
                f"The proxy on the way to {self.name} wants a password (407): put it into {self._proxy}.",
                ErrorKind.REFUSED,
            )
        if not self.endpoint.api_key:
            return (
                f"{self.name} wants an API key and got none: name its variable with --api-key-env.",
                ErrorKind.NO_KEY,
            )
        return (
            f"{self.name} did not accept the API key: check that it is complete and not expired.",
            ErrorKind.WRONG_KEY,
        )

    @property
    def _proxy(self) -> str:
        return "its proxy setting" if self.endpoint.proxy else "HTTPS_PROXY"

    def _too_long(self) -> str:
        return (
            f"The conversation is longer than {self.model_name} can take: "
            "start a new session, or use a model with a larger context."
        )

    def _unknown_model(self) -> str:
        return f"{self.name} does not know the model {self.model_name}: pick another one."

    def _not_found(self, status: int, words: str) -> tuple[str, ErrorKind]:
        if other := _OTHER_API.search(words):
            return f"{self.model_name} speaks another API: ask it with --api {other[1].lower()}.", ErrorKind.REFUSED
        if status == 404 and self.model and (self.model in words or _NO_MODEL.search(words)):
            return self._unknown_model(), ErrorKind.UNKNOWN_MODEL
        what = {None: "list of models", Api.CHAT: "chat", Api.COMPLETIONS: "Completions API"}
        advice = "ask by another (--api chat), or " if self.api in (Api.COMPLETIONS, Api.RESPONSES) else ""
        return (
            f"There is no {what.get(self.api, 'Responses API')} at {self.url} ({status}): "
            f"{advice}check the address, which usually ends in /v1."
        ), ErrorKind.REFUSED

    def sent_error(self, body: object) -> ProviderError:
        """An error object sent with status 200: in the middle of a stream, or in place of one."""
        code = body.get("code") if isinstance(body, dict) else None
        if isinstance(code, int) and 400 <= code < 600:
            return self.status(code, body, {})
        words = server_message(body)
        text = f"{words} {code_of(body)}"
        if _TOO_LONG.search(text):
            return self.error(self._too_long(), ErrorKind.REFUSED, words=words)
        if _NO_CREDIT.search(text):
            return self.status(402, body, {})
        if re.search(r"rate.?limit", text, re.IGNORECASE):
            sentence = f"{self.name} got too many requests: try again in a moment."
            return self.error(sentence, ErrorKind.BUSY, words=words, retryable=True)
        sentence = f"{self.name} stopped with an error: try again."
        return self.error(sentence, ErrorKind.SERVER, words=words, retryable=bool(_PASSING.search(text)))

    # Streams that are none, or end early

    def not_a_stream(self, body: str, content_type: str) -> ProviderError:
        """Status 200 and a body that holds neither a stream, nor a completion, nor an error."""
        kind = short_line(content_type.partition(";")[0], NAME_LENGTH) or "something"
        what = "an empty reply" if not body.strip() else f"{kind}, not a stream of text"
        return self.error(
            f"{self.name} sent {what}: check the address {self.url}, which usually ends in /v1.",
            ErrorKind.BROKEN,
            words=server_message(body),
        )

    def no_models(self, body: str) -> ProviderError:
        """Status 200 and a body that is no list of models."""
        return self.error(
            f"{self.name} has no list of models at {self.url}: type the name of one, or check the address.",
            ErrorKind.BROKEN,
            words=server_message(body),
        )

    def no_moderation(self, why: str) -> ProviderError:
        """A text that could not be shown to the moderation."""
        return self.error(
            f"The reply was stopped: {self.name} could not check it; ask without moderation, or elsewhere. {why}",
            ErrorKind.REFUSED,
        )

    def late_list(self, seconds: float) -> ProviderError:
        """The list of models was not there after `seconds`."""
        return self.error(
            f"{self.name} sent no list of models in {seconds:g} s: type the name of one, or try again.",
            ErrorKind.TIMEOUT,
        )

    def broke_off(self, begun: bool) -> ProviderError:
        """The stream or the connection ended before the reply did."""
        if begun:
            return self.error(f"{self.name} broke off in the middle of the reply: ask again.", ErrorKind.BROKEN)
        sentence = f"{self.name} closed the connection without a reply: try again."
        return self.error(sentence, ErrorKind.BROKEN, retryable=True)

    def broke_it_off(self, reason: str) -> ProviderError:
        """The server itself says that it did not end the reply, and for which `reason`."""
        return self.error(f"{self.name} broke the reply off: ask again.", ErrorKind.SERVER, words=reason)

    def garbled(self) -> ProviderError:
        """An event of the stream that is not JSON, or too large to be one."""
        return self.error(f"{self.name} sent something that can't be read: ask again.", ErrorKind.BROKEN)

    # What the libraries raise

    def exception(self, error: Exception, *, begun: bool = False) -> ProviderError:
        """Any exception of openai or httpx2, or an OSError; `begun`: after the reply had begun."""
        import openai

        if isinstance(error, ProviderError):
            return error
        if isinstance(error, openai.APIStatusError):
            return self.status(error.status_code, error.body, error.response.headers)
        return self.network(error, begun=begun)

    def network(self, error: Exception, *, begun: bool = False) -> ProviderError:
        """Any exception of httpx2, or an OSError. Unlike `exception` it does not load openai."""
        import httpx2

        causes = list(_causes(error))
        # A TimeoutError with a number is the network's, and says nothing of our limits.
        limits = (httpx2.TimeoutException, TimeoutError)
        if any(isinstance(cause, limits) and not getattr(cause, "errno", None) for cause in causes):
            return self._timeout(any(isinstance(cause, httpx2.ConnectTimeout) for cause in causes), begun)
        return self._connection(error, causes, begun)

    def _timeout(self, connecting: bool, begun: bool) -> ProviderError:
        limits = self.endpoint.timeouts
        if connecting:
            sentence = (
                f"{self.name} did not answer at {self.url} within {limits.connect:g} s (timeouts.connect): "
                "check the address and the network."
            )
        elif begun:
            sentence = (
                f"{self.name} fell silent for {limits.silence:g} s ({limits.silence_setting}) "
                "in the middle of the reply: ask again."
            )
        else:
            sentence = (
                f"{self.name} gave no word in {limits.first:g} s ({limits.first_setting}): "
                "ask again, or allow it more time."
            )
        # Whoever said nothing for so long is not asked again unbidden: the user has waited enough.
        return self.error(sentence, ErrorKind.TIMEOUT, retryable=connecting)

    def _connection(self, error: Exception, causes: list[BaseException], begun: bool) -> ProviderError:
        import httpx2

        def caused_by(*kinds: type[BaseException]) -> bool:
            return any(isinstance(cause, kinds) for cause in causes)

        if caused_by(httpx2.ProxyError):
            sentence = f"The proxy on the way to {self.name} did not let the request through: check {self._proxy}."
        elif caused_by(socket.gaierror):
            host = clean_line(urlsplit(self.endpoint.base_url).hostname or "")
            sentence = f"There is no server named {host} to be found: check the address and the network."
        elif caused_by(ssl.SSLError):
            return self._tls(causes)
        elif caused_by(ConnectionRefusedError):
            check = "is the server running?" if self.endpoint.is_local else "check the address, or try later."
            sentence = f"Nothing answers at {self.url} (connection refused): {check}"
        elif caused_by(httpx2.ConnectError):
            sentence = f"{self.name} can't be reached at {self.url}: check the address and the network."
        elif caused_by(httpx2.UnsupportedProtocol, httpx2.InvalidURL, httpx2.LocalProtocolError):
            return self.error(f"A request can't be sent to {self.url}: check the address.", ErrorKind.UNREACHABLE)
        elif caused_by(httpx2.NetworkError, httpx2.RemoteProtocolError, OSError):
            return self.broke_off(begun)
        else:
            return self.error(
                f"{self.name} sent something that can't be read: try again.", ErrorKind.BROKEN, words=str(error)
            )
        return self.error(sentence, ErrorKind.UNREACHABLE, retryable=not begun)

    def _tls(self, causes: list[BaseException]) -> ProviderError:
        reason = next((c.verify_message for c in causes if isinstance(c, ssl.SSLCertVerificationError)), "")
        check = f"its certificate is not trusted ({reason})" if reason else "is it an https server?"
        return self.error(f"No safe connection to {self.url} could be made: {check}", ErrorKind.UNREACHABLE)


def _passes(status: int, words: str) -> bool:
    """Whether a failure with `status` is one that may be over in a moment. An empty purse stays empty."""
    if status in (408, 409) or (status >= 500 and status != 501):
        return True
    return status == 429 and not _NO_CREDIT.search(words)
