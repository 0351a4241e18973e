"""Refusal: why a request is not carried out, in the form in which OpenAI says so."""

import json
from collections.abc import Mapping
from http import HTTPStatus

from starlette.responses import JSONResponse

from streamtui.config import Endpoint
from streamtui.providers.base import ErrorKind, ProviderError
from streamtui.providers.error_explainer import Explainer

_BAD_KEY = (502, "upstream_authentication_failed", "The relay has no valid API key for {}: its log says more.")
_UNANSWERED = {
    ErrorKind.NO_KEY: _BAD_KEY,
    ErrorKind.WRONG_KEY: _BAD_KEY,
    ErrorKind.UNREACHABLE: (502, "upstream_unreachable", "{} can't be reached: the relay's log says why."),
    ErrorKind.TIMEOUT: (504, "upstream_timeout", "{} did not answer in time: try again."),
    ErrorKind.BROKEN: (502, "upstream_broken", "{} broke off, or sent what is no reply: try again."),
}
"""What clients are told of an endpoint that sent no status, or one of `OWN_STATUSES`: status, code and sentence."""
OWN_STATUSES = (401, 407)
"""Statuses that are about the relay's own key and proxy: a client would take them for its own."""
_TYPES = {401: "authentication_error", 403: "permission_error", 404: "not_found_error", 429: "rate_limit_error"}


class AsciiJSON(JSONResponse):
    """JSON that holds any text: half a surrogate pair, which a server may send, can't be UTF-8."""

    def render(self, content: object) -> bytes:
        """Return the body."""
        return json.dumps(content).encode()


class Refusal(Exception):
    """An answer other than the one asked for: the official clients read it as they read OpenAI's own."""

    def __init__(
        self,
        status: int,
        message: str,
        code: str,
        *,
        param: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.param = param
        self.headers = dict(headers or {})

    def body(self) -> dict[str, object]:
        """The JSON body: ``{"error": {"message", "type", "param", "code"}}``."""
        kind = _TYPES.get(self.status, "invalid_request_error" if self.status < 500 else "server_error")
        return {"error": {"message": self.message, "type": kind, "param": self.param, "code": self.code}}

    def response(self) -> JSONResponse:
        """The whole answer."""
        return AsciiJSON(self.body(), self.status, self.headers)


def failed(endpoint: Endpoint, error: ProviderError) -> Refusal:
    """Returns the refusal for an endpoint that gave no reply, or one that is an error.

    Addresses of endpoints are for the log: who uses the relay need not know where it passes on to.
    """
    name = endpoint.name
    if error.status is not None and error.status < 400:
        return Refusal(502, f"{name} sends requests elsewhere: the relay's log says where to.", "upstream_moved")
    trouble = ErrorKind.UNREACHABLE if error.status == 407 else error.kind
    if trouble in _UNANSWERED and (error.status is None or error.status in OWN_STATUSES):
        status, code, sentence = _UNANSWERED[trouble]
        return Refusal(status, sentence.format(name), code)
    sentence = error.message.replace(Explainer(endpoint).url, "its address")
    headers = {} if error.retry_after is None else {"retry-after": f"{error.retry_after:.0f}"}
    return Refusal(error.status or 502, sentence, "upstream_error", headers=headers)


def nothing_at(status: int, method: str, path: str) -> Refusal:
    """Returns the refusal of a path, or of a method for it, that the relay does not have."""
    reason = "unknown_url" if status == HTTPStatus.NOT_FOUND else "method_not_allowed"
    return Refusal(status, f"The relay has no {method} {path}: see its manual for what it has.", reason)
