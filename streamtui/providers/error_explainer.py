"""Turn errors of servers and libraries into messages for the user."""

import re
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit, urlunsplit

from streamtui.config import Api, Endpoint
from streamtui.core.builtin_endpoints import LOCAL_PROGRAMS
from streamtui.core.sanitize import clean_line, short_line
from streamtui.providers.base import ErrorKind, ProviderError
from streamtui.providers.error_bodies import MAX_MESSAGE, error_code, retry_after, server_message

DETAIL_LENGTH = 200
"""Characters of the server's own words that are shown."""
NAME_LENGTH = 100
"""Characters of a model name or content type that are shown."""

_TOO_LONG = re.compile(
    r"context_length_exceeded|context (length|window|size)|prompt is too long|too many tokens",
    re.IGNORECASE,
)
_NO_CREDIT = re.compile(
    r"insufficient_quota|exceeded your current quota|insufficient (balance|credit|funds)|out of credit",
    re.IGNORECASE,
)
_TRANSIENT = re.compile(r"server_error|overloaded|unavailable|try again|bad gateway", re.IGNORECASE)
"""Errors sent in place of a reply that would have been a 5xx, had the server not begun with 200."""
_OTHER_API = re.compile(r"(?:mean to use|supported in) (?:the )?/?v1/(chat|completions|responses)", re.IGNORECASE)
_INVALID_MODEL = re.compile(r"(invalid|unknown|no such) model|model_not_found", re.IGNORECASE)
_NO_MODEL = re.compile(r"model_not_found|\bmodel\b", re.IGNORECASE)
# The lookbehind lets a search begin at the start of a word only. Without it a long word without stars takes quadratic
# time: 27 s for 40,000 letters.
STARRED = re.compile(r"(?<![\w.*-])[\w.*-]*?\*{3}[\w.*-]*+")
"""How servers repeat a key half hidden; OpenAI shows its last four characters."""
_SHORTEST_SECRET = 6
_SECRET_HEADER = re.compile(r"auth|key|token|secret|cookie|password", re.IGNORECASE)
_API_PATH = re.compile(r"/(chat/completions|completions|responses|models|moderations)/?$")
_API_TITLES = {
    None: "model list", Api.CHAT: "Chat Completions API", Api.COMPLETIONS: "Completions API",
    Api.RESPONSES: "Responses API",
}  # fmt: skip


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield `error` and everything that led to it. A connection tried at several addresses fails as a group."""
    todo: list[BaseException | None] = [error]
    seen: set[int] = set()
    while todo:
        cause = todo.pop()
        if cause is None or id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        todo += [cause.__cause__, cause.__context__]
        if isinstance(cause, BaseExceptionGroup):
            todo += cause.exceptions


def secrets_of(endpoint: Endpoint) -> list[str]:
    """Return what no message may contain: the API key, header values that replace it, the proxy's password."""
    found = []
    for name, value in endpoint.headers.items():
        if _SECRET_HEADER.search(name):
            found += [value, value.rpartition(" ")[2]]
    with suppress(ValueError):
        found.append(urlsplit(endpoint.proxy).password or "")
    # A short secret would match inside ordinary words.
    long = sorted((secret for secret in found if len(secret) >= _SHORTEST_SECRET), key=len, reverse=True)
    return [endpoint.api_key, *long] if endpoint.api_key else long


def duration(seconds: float) -> str:
    """Return `seconds` as a reader would say it: 20 s, 5 min, an hour, 3 hours, 2 days."""
    for size, one, many in ((86_400, "a day", "days"), (3_600, "an hour", "hours")):
        if seconds >= size:
            number = round(seconds / size)
            return one if number == 1 else f"{number:,} {many}"
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


@dataclass(frozen=True, slots=True)
class Explainer:
    """Explains why a request to an endpoint failed. No message contains the API key."""

    endpoint: Endpoint
    model: str = ""
    api: Api | None = None
    """The API that the reply was requested with; None for any other request."""
    task: str = ""
    """What failed if it was not a reply, such as "Can't list models"."""

    @property
    def name(self) -> str:
        """The endpoint's name."""
        return clean_line(self.endpoint.name) or "the server"

    @property
    def url(self) -> str:
        """The endpoint's address without a user name or password."""
        try:
            parts = urlsplit(self.endpoint.base_url)
        except ValueError:
            return clean_line(self.endpoint.base_url.rpartition("@")[2])
        return clean_line(urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2])))

    @property
    def _host(self) -> str:
        """The endpoint's host and port."""
        try:
            return clean_line(urlsplit(self.endpoint.base_url).netloc.rpartition("@")[2]) or self.name
        except ValueError:
            return self.name

    @property
    def model_name(self) -> str:
        """The model's name, fit to show."""
        return short_line(self.model, NAME_LENGTH) or "this model"

    def error(
        self,
        what: str,
        advice: str,
        kind: ErrorKind,
        *,
        detail: str = "",
        status: int | None = None,
        wait: float | None = None,
        retryable: bool = False,
    ) -> ProviderError:
        """Return the error whose message says what happened, the server's own words (`detail`) and what to do."""
        detail = short_line(self._redact(clean_line(detail[:MAX_MESSAGE])), DETAIL_LENGTH)
        what, advice = self._redact(clean_line(what)), self._redact(clean_line(advice))
        end = "" if detail.endswith((".", "!", "?", "…")) else "."
        message = f"{what}: {detail}{end} {advice}" if detail else f"{what}. {advice}"
        return ProviderError(
            message.rstrip(),
            kind,
            summary=f"{what}. {advice}".rstrip(),
            detail=detail,
            status=status,
            retry_after=wait,
            retryable=retryable,
        )

    def _redact(self, text: str) -> str:
        for secret in secrets_of(self.endpoint):
            text = text.replace(secret, "[key]")
        return STARRED.sub("[key]", text)

    # Before anything is sent

    def no_key(self) -> ProviderError:
        """Return the error for an endpoint whose key is not set."""
        return self.error(f"No API key for {self.name} yet", f"Set {self.endpoint.key_variable}.", ErrorKind.NO_KEY)

    def unusable_key(self) -> ProviderError:
        """Return the error for a key that can't go into a header."""
        what = f"The API key for {self.name} contains invalid characters"
        return self.error(what, "Copy it again.", ErrorKind.WRONG_KEY)

    def unusable_header(self, header: str) -> ProviderError:
        """Return the error for a configured header that can't be sent."""
        what = f"The header {clean_line(header)} for {self.name} contains invalid characters"
        return self.error(what, "Correct it in the settings.", ErrorKind.REFUSED)

    def unusable_setting(self, error: Exception) -> ProviderError:
        """Return the error for an address or a proxy that no request can be made with."""
        what, advice = f"Can't send requests to {self.url}", "Check the address and the proxy settings."
        return self.error(what, advice, ErrorKind.UNREACHABLE, detail=str(error))

    # Error statuses and error bodies

    def status(self, status: int, body: object, headers: Mapping[str, str]) -> ProviderError:
        """Return the error for an HTTP status other than success, with its body (parsed, or text) and headers."""
        detail = server_message(body)
        wait = retry_after(headers)
        text = f"{detail} {error_code(body)}"
        what, advice, kind = self._by_status(status, text, wait, headers)
        if (
            self.task
            and kind in (ErrorKind.BUSY, ErrorKind.SERVER, ErrorKind.REFUSED)
            and status not in (404, 405, 501)
        ):
            what = f"{self.task}: {what}"
        should_retry = headers.get("x-should-retry", "")
        retryable = should_retry == "true" if should_retry in ("true", "false") else _is_transient(status, text)
        return self.error(what, advice, kind, detail=detail, status=status, wait=wait, retryable=retryable)

    def _by_status(
        self, status: int, text: str, wait: float | None, headers: Mapping[str, str]
    ) -> tuple[str, str, ErrorKind]:
        name = self.name
        if status in (401, 407):
            return self._unauthorized(status)
        if status == 402 or (status in (400, 403, 429) and _NO_CREDIT.search(text)):
            what = f"No credit left at {name} for this API key ({status})"
            return what, "Add credit, or use another model or endpoint.", ErrorKind.BUSY
        if status == 409:
            return f"{name} is busy (409)", "Try again in a moment.", ErrorKind.BUSY
        if status == 429:
            when = f"in {duration(wait)}" if wait else "in a moment"
            return f"Rate limited by {name} (429)", f"Try again {when}.", ErrorKind.BUSY
        if status in (400, 413, 422) and _TOO_LONG.search(text):
            return self._too_long()
        if status in (404, 405, 501):
            return self._not_found(status, text)
        if status == 403:
            advice = f"The API key may not have access to {self.model_name}." if self.model else "Check the API key."
            return f"Access denied by {name} (403)", advice, ErrorKind.REFUSED
        if status == 408:
            return f"{name} timed out waiting for the request (408)", "Try again.", ErrorKind.TIMEOUT
        if 300 <= status < 400:
            return self._redirect(status, headers.get("location", ""))
        if status >= 500:
            return f"Server error from {name} ({status})", "Try again in a moment.", ErrorKind.SERVER
        if _INVALID_MODEL.search(text):
            return self._unknown_model()
        what = {400: "Bad request", 413: "Request too large"}.get(status, f"Request rejected by {name}")
        return f"{what} ({status})", "", ErrorKind.REFUSED

    def _unauthorized(self, status: int) -> tuple[str, str, ErrorKind]:
        if status == 407:
            what = f"The proxy for {self.name} requires a password (407)"
            return what, f"Add it to {self._proxy}.", ErrorKind.REFUSED
        if not self.endpoint.api_key:
            what = f"{self.name} requires an API key"
            return what, "Name the variable that has it: api_key_env, or --api-key-env.", ErrorKind.NO_KEY
        what = f"Invalid API key for {self.name}"
        return what, "Check that it is complete and has not expired.", ErrorKind.WRONG_KEY

    @property
    def _proxy(self) -> str:
        return "its proxy setting" if self.endpoint.proxy else "HTTPS_PROXY"

    def _too_long(self) -> tuple[str, str, ErrorKind]:
        what = f"The conversation is too long for {self.model_name}"
        return what, "Start a new session, or use a model with a larger context window.", ErrorKind.REFUSED

    def _unknown_model(self) -> tuple[str, str, ErrorKind]:
        return f"{self.name} has no model {self.model_name}", "Choose another model.", ErrorKind.UNKNOWN_MODEL

    def _redirect(self, status: int, location: str) -> tuple[str, str, ErrorKind]:
        own = self.url.rstrip("/")
        try:
            target = urljoin(f"{own}/models", location[:MAX_MESSAGE])
        except ValueError:
            target = ""
        base = _API_PATH.sub("", target)
        if base in ("", own):
            return f"{self.name} redirects to itself ({status})", self._check_address(), ErrorKind.REFUSED
        advice = "Use that address." if base != target else self._check_address()
        return f"{self.name} redirects to {short_line(base, DETAIL_LENGTH)} ({status})", advice, ErrorKind.REFUSED

    def _not_found(self, status: int, text: str) -> tuple[str, str, ErrorKind]:
        if other := _OTHER_API.search(text):
            what = f"{self.model_name} doesn't support this API ({status})"
            return what, f"Set its API to {other[1].lower()} (--api {other[1].lower()}).", ErrorKind.REFUSED
        if status == 404 and self.model and (self.model in text or _NO_MODEL.search(text)):
            return self._unknown_model()
        other_api = "Use --api chat, or check" if self.api in (Api.COMPLETIONS, Api.RESPONSES) else "Check"
        what = f"No {_API_TITLES[self.api]} at {self.url} ({status})"
        return what, self._check_address(other_api, named=True), ErrorKind.REFUSED

    def _check_address(self, check: str = "Check", *, named: bool = False) -> str:
        """Return the advice to check the address; `named`: the message has said it already."""
        hint = "" if self.url.rstrip("/").endswith("/v1") else ", which usually ends in /v1"
        return f"{check} the address{'' if named else f' {self.url}'}{hint}."

    def sent_error(self, body: object) -> ProviderError:
        """Return the error for an error object sent with status 200: within a stream, or in place of one."""
        code = body.get("code") if isinstance(body, dict) else None
        if isinstance(code, int) and 400 <= code < 600:
            return self.status(code, body, {})
        detail = server_message(body)
        text = f"{detail} {error_code(body)}"
        if _TOO_LONG.search(text):
            return self.error(*self._too_long(), detail=detail)
        if _NO_CREDIT.search(text):
            return self.status(402, body, {})
        if re.search(r"rate.?limit", text, re.IGNORECASE):
            what = f"Rate limited by {self.name}"
            return self.error(what, "Try again in a moment.", ErrorKind.BUSY, detail=detail, retryable=True)
        what, retryable = f"Server error from {self.name}", bool(_TRANSIENT.search(text))
        return self.error(what, "Try again.", ErrorKind.SERVER, detail=detail, retryable=retryable)

    # Bodies that can't be used

    def not_a_stream(self, body: str, content_type: str) -> ProviderError:
        """Return the error for status 200 with neither a stream, nor a completion, nor an error."""
        kind = short_line(content_type.partition(";")[0], NAME_LENGTH) or "unknown data"
        what = f"{self.name} sent {f'{kind} instead of a reply' if body.strip() else 'an empty response'}"
        return self.error(what, self._check_address(), ErrorKind.BROKEN, detail=server_message(body))

    def no_models(self, body: str) -> ProviderError:
        """Return the error for status 200 and a body that is no model list."""
        what, advice = f"No model list from {self.name} at {self.url}", "Type a model name, or check the address."
        return self.error(what, advice, ErrorKind.BROKEN, detail=server_message(body))

    def no_moderation(self, reason: str) -> ProviderError:
        """Return the error for a text that could not be moderated."""
        what = f"Reply stopped because {self.name} could not moderate it"
        return self.error(what, f"{reason} To continue, turn off moderation or switch endpoints.", ErrorKind.REFUSED)

    def late_list(self, seconds: float) -> ProviderError:
        """Return the error for a model list that did not arrive within `seconds`."""
        what = f"{self.name} did not list its models within {seconds:g} s"
        return self.error(what, "Type a model name, or try again.", ErrorKind.TIMEOUT)

    def connection_lost(self, begun: bool) -> ProviderError:
        """Return the error for a stream or connection that ended early; `begun`: after the reply had begun."""
        if begun:
            return self.error(f"{self.name} closed the connection during the reply", "Try again.", ErrorKind.BROKEN)
        what = f"{self.name} closed the connection without a reply"
        return self.error(what, "Try again.", ErrorKind.BROKEN, retryable=True)

    def aborted(self, reason: str) -> ProviderError:
        """Return the error for a reply that the server says it did not finish."""
        return self.error(f"{self.name} aborted the reply", "Try again.", ErrorKind.SERVER, detail=reason)

    def invalid_response(self) -> ProviderError:
        """Return the error for a response that can't be decoded, or an event that is not JSON or too large."""
        return self.error(f"Invalid response from {self.name}", "Try again.", ErrorKind.BROKEN)

    # Exceptions of the libraries

    def exception(self, error: Exception, *, begun: bool = False) -> ProviderError:
        """Return the error for an exception of openai or httpx2, or an OSError; `begun`: see `connection_lost`."""
        import openai

        if isinstance(error, ProviderError):
            return error
        if isinstance(error, openai.APIStatusError):
            return self.status(error.status_code, error.body, error.response.headers)
        return self.network(error, begun=begun)

    def network(self, error: Exception, *, begun: bool = False) -> ProviderError:
        """Return the error for an exception of httpx2, or an OSError. Unlike `exception` it does not load openai."""
        import httpx2

        causes = list(_causes(error))
        # A TimeoutError with an errno is the network's, and has nothing to do with our limits.
        limits = (httpx2.TimeoutException, TimeoutError)
        if any(isinstance(cause, limits) and not getattr(cause, "errno", None) for cause in causes):
            return self._timeout(any(isinstance(cause, httpx2.ConnectTimeout) for cause in causes), begun)
        return self._connection_error(causes, begun)

    def _timeout(self, connecting: bool, begun: bool) -> ProviderError:
        limits = self.endpoint.timeouts
        if connecting:
            what = f"Can't connect to {self._host} within {limits.connect:g} s (timeouts.connect)"
            advice = "Check the address and the network."
        elif begun:
            what, advice = f"No data from {self.name} for {limits.silence:g} s ({limits.silence_setting})", "Try again."
        else:
            what = f"No response from {self.name} within {limits.first:g} s ({limits.first_setting})"
            advice = "Try again, or increase the timeout."
        # No automatic retry after such a long wait: the user has waited enough.
        return self.error(what, advice, ErrorKind.TIMEOUT, retryable=connecting)

    def _connection_error(self, causes: list[BaseException], begun: bool) -> ProviderError:
        import httpx2

        def caused_by(*kinds: type[BaseException]) -> bool:
            return any(isinstance(cause, kinds) for cause in causes)

        what, advice = f"Can't reach {self._host}", "Check the address and the network."
        if caused_by(httpx2.ProxyError):
            what, advice = f"The proxy for {self.name} rejected the connection", f"Check {self._proxy}."
        elif caused_by(socket.gaierror):
            what = f"Can't find the host {self._host}"
        elif caused_by(ssl.SSLError):
            return self._tls(causes)
        elif caused_by(ConnectionRefusedError):
            local = f"Is {LOCAL_PROGRAMS.get(self.endpoint.base_url, 'the server')} running?"
            advice = local if self.endpoint.is_local else "Check the address, or try again later."
        elif caused_by(httpx2.UnsupportedProtocol, httpx2.InvalidURL, httpx2.LocalProtocolError):
            return self.error(f"Can't send requests to {self.url}", "Check the address.", ErrorKind.UNREACHABLE)
        elif not caused_by(httpx2.ConnectError):
            # Neither their texts nor zlib's about a damaged body are the server's words.
            lost = caused_by(httpx2.NetworkError, httpx2.RemoteProtocolError, OSError)
            return self.connection_lost(begun) if lost else self.invalid_response()
        return self.error(what, advice, ErrorKind.UNREACHABLE, retryable=not begun)

    def _tls(self, causes: list[BaseException]) -> ProviderError:
        reason = next((c.verify_message for c in causes if isinstance(c, ssl.SSLCertVerificationError)), "")
        what = f"Can't connect securely to {self._host}"
        advice = f"Its certificate is not trusted ({reason})." if reason else "Is it an HTTPS server?"
        return self.error(what, advice, ErrorKind.UNREACHABLE)


def _is_transient(status: int, text: str) -> bool:
    """Return whether a failure with `status` may be over in a moment. Missing credit is not."""
    if status in (408, 409) or (status >= 500 and status != 501):
        return True
    return status == 429 and not _NO_CREDIT.search(text)
