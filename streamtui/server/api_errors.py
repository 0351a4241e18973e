"""Error responses in OpenAI's format."""

import json
from collections.abc import Mapping

from starlette.responses import JSONResponse

from streamtui.config import Endpoint
from streamtui.core.sanitize import short_line
from streamtui.providers.base import ErrorKind, ProviderError
from streamtui.providers.error_explainer import Explainer

_BAD_KEY = (502, "upstream_authentication_failed", "The relay has no valid API key for {}. See the relay's log.")
_UPSTREAM_ERRORS = {
    ErrorKind.NO_KEY: _BAD_KEY,
    ErrorKind.WRONG_KEY: _BAD_KEY,
    ErrorKind.UNREACHABLE: (502, "upstream_unreachable", "Can't reach {}. See the relay's log for details."),
    ErrorKind.TIMEOUT: (504, "upstream_timeout", "{} didn't respond in time. Please try again."),
    ErrorKind.BROKEN: (502, "upstream_broken", "{} sent an incomplete or invalid response. Please try again."),
}
"""Status, code and message for upstream errors without a status, or with one of `OWN_STATUSES`."""
OWN_STATUSES = (401, 407)
"""Upstream statuses about the relay's own key and proxy, which a client would take for its own."""
_TYPES = {401: "authentication_error", 403: "permission_error", 404: "not_found_error", 429: "rate_limit_error"}
_MAX_SHOWN_NAME = 200


class AsciiJSON(JSONResponse):
    """A JSON response with escaped text, as a lone surrogate from a server has no UTF-8 form."""

    def render(self, content: object) -> bytes:
        """Return the body."""
        return json.dumps(content).encode()


class ApiError(Exception):
    """An error response that OpenAI's clients understand."""

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

    def response(self) -> JSONResponse:
        """Return the response, with the body ``{"error": {"message", "type", "param", "code"}}``."""
        kind = _TYPES.get(self.status, "invalid_request_error" if self.status < 500 else "server_error")
        error = {"message": self.message, "type": kind, "param": self.param, "code": self.code}
        return AsciiJSON({"error": error}, self.status, self.headers)


def upstream_error(endpoint: Endpoint, error: ProviderError) -> ApiError:
    """Return the response to a request that failed at `endpoint`.

    It doesn't contain the endpoint's address, which only the relay's log shows.
    """
    name = endpoint.name
    if error.status is not None and error.status < 400:
        message = f"{name} redirects requests to another address. See the relay's log for details."
        return ApiError(502, message, "upstream_moved")
    kind = ErrorKind.UNREACHABLE if error.status == 407 else error.kind
    if kind in _UPSTREAM_ERRORS and (error.status is None or error.status in OWN_STATUSES):
        status, code, message = _UPSTREAM_ERRORS[kind]
        return ApiError(status, message.format(name), code)
    message = error.message.replace(Explainer(endpoint).url, "its address")
    headers = {} if error.retry_after is None else {"retry-after": f"{error.retry_after:.0f}"}
    return ApiError(error.status or 502, message, "upstream_error", headers=headers)


def url_error(status: int, method: str, path: str) -> ApiError:
    """Return the response to a path (404) or a method (405) that the relay doesn't have."""
    path = short_line(path, _MAX_SHOWN_NAME)
    if status == 405:
        return ApiError(status, f"Not allowed to {method} on {path}.", "method_not_allowed")
    return ApiError(status, f"Unknown request URL: {method} {path}. Check the URL for typos.", "unknown_url")


def model_not_found(model: str) -> ApiError:
    """Return the response to a request for a model that doesn't exist."""
    name = short_line(model, _MAX_SHOWN_NAME)
    message = f"The model {name!r} does not exist. GET /v1/models lists the available models."
    return ApiError(404, message, "model_not_found", param="model")


def missing_model() -> ApiError:
    """Return the response to a request without a model for an endpoint without a default."""
    return ApiError(400, "You must provide a model parameter.", "missing_model", param="model")


def invalid_json(reason: str) -> ApiError:
    """Return the response to a body that isn't a JSON object."""
    return ApiError(400, f"Could not parse the request body: {reason}. Send a JSON object.", "invalid_json")
