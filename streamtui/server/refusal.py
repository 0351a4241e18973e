"""Refusal: why a request is not carried out, in the form in which OpenAI says so."""

from collections.abc import Mapping
from http import HTTPStatus

from starlette.responses import JSONResponse

from streamtui.providers.base import ProviderError, Trouble

_TYPES = {401: "authentication_error", 403: "permission_error", 404: "not_found_error", 429: "rate_limit_error"}


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
        return JSONResponse(self.body(), self.status, self.headers)


def unreachable(name: str, error: ProviderError) -> Refusal:
    """Returns the refusal for an endpoint that gave no reply at all.

    It does not repeat the error, which holds the endpoint's address: that is for the log.
    """
    if error.trouble is Trouble.TIMEOUT:
        return Refusal(504, f"{name} did not answer in time: try again.", "upstream_timeout")
    if error.trouble in (Trouble.NO_KEY, Trouble.WRONG_KEY):
        return Refusal(502, f"The relay has no usable key for {name}: its log says more.", "upstream_key")
    return Refusal(502, f"{name} can't be reached: the relay's log says why.", "upstream_unreachable")


def failed(name: str, error: ProviderError) -> Refusal:
    """Returns the refusal for an endpoint that answered with a failure, or with what is no answer."""
    if error.status is None:
        return unreachable(name, error)
    status = error.status if 400 <= error.status < 600 else 502
    headers = {} if error.retry_after is None else {"retry-after": f"{error.retry_after:.0f}"}
    return Refusal(status, error.sentence, "upstream_error", headers=headers)


def nothing_at(status: int, method: str, path: str) -> Refusal:
    """Returns the refusal of a path, or of a method for it, that the relay does not have."""
    reason = "unknown_url" if status == HTTPStatus.NOT_FOUND else "method_not_allowed"
    return Refusal(status, f"The relay has no {method} {path}: see its manual for what it has.", reason)
