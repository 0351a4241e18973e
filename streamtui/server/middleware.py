"""Access control for the relay: host names, web origins, tokens and limits."""

import re
from abc import ABC, abstractmethod
from collections.abc import Collection
from ipaddress import ip_address
from math import ceil
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from streamtui.config import is_loopback
from streamtui.server.access_log import LOG
from streamtui.server.api_errors import ApiError
from streamtui.server.client_tokens import ClientTokens
from streamtui.server.limits import Limits, RateLimit
from streamtui.server.metrics import Metrics
from streamtui.server.request_log import log_entry

HEALTH = "/healthz"
METRICS = "/metrics"
_BEARER = re.compile(r"bearer +(\S+) *", re.IGNORECASE)


class _RequestCheck(ABC):
    """ASGI middleware that answers a request with an error or passes it on."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        error = self._check(scope) if scope["type"] == "http" else None
        await (self._app if error is None else error.response())(scope, receive, send)

    @abstractmethod
    def _check(self, scope: Scope) -> ApiError | None:
        """Return why the request is rejected, None if it isn't."""


class HostCheck(_RequestCheck):
    """Rejects unknown Host and Origin headers.

    The Host check prevents DNS rebinding, where a web page makes its own host name resolve to this machine. The
    browser still sends that name, while an IP address can't be made to resolve anywhere else.
    """

    def __init__(self, app: ASGIApp, hosts: Collection[str], origins: Collection[str]) -> None:
        """`hosts`: names beside IP addresses and loopback names; `origins`: web origins. ``*`` stands for any."""
        super().__init__(app)
        self._hosts = {host.lower() for host in hosts}
        self._origins = {origin.rstrip("/").lower() for origin in origins}

    def _check(self, scope: Scope) -> ApiError | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "").lower()
        # Browsers can't connect to a Unix socket, and its clients send any name.
        if not (_is_unix_socket(scope) or self._is_allowed_host(host)):
            message = "This Host header is not allowed. To allow it, start the relay with --allow-host NAME."
            return ApiError(403, message, "host_not_allowed")
        origin = headers.get("origin", "").lower()
        if origin and not self._is_allowed_origin(origin, host):
            message = "Requests from this origin are not allowed. To allow them, use --cors-origin ORIGIN."
            return ApiError(403, message, "origin_not_allowed")
        return None

    def _is_allowed_host(self, host: str) -> bool:
        if "*" in self._hosts:
            return True
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        return name in self._hosts or is_loopback(name) or _is_ip_address(name)

    def _is_allowed_origin(self, origin: str, host: str) -> bool:
        return not self._origins.isdisjoint({"*", origin}) or origin.partition("://")[2] == host


def _is_unix_socket(scope: Scope) -> bool:
    server = scope.get("server")
    return server is not None and server[1] is None


def _is_ip_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


class TokenAuth(_RequestCheck):
    """Rejects requests without a valid token, and requests over a limit."""

    def __init__(self, app: ASGIApp, tokens: ClientTokens | None, limits: Limits, metrics: Metrics) -> None:
        super().__init__(app)
        self._tokens = tokens
        self._limits = limits
        self._rate = RateLimit(limits.rate)
        self._metrics = metrics

    def _check(self, scope: Scope) -> ApiError | None:
        if scope["path"] == HEALTH:
            return None
        return self._check_token(scope) or self._check_limits(scope)

    def _check_token(self, scope: Scope) -> ApiError | None:
        try:
            if self._tokens is None or not self._tokens.are_required():
                return None
            token = _BEARER.fullmatch(Headers(scope=scope).get("authorization", ""))
            owner = self._tokens.owner(token[1]) if token else None
        except OSError as error:
            LOG.error("Can't read the token files: %s. All requests are rejected.", error.strerror)
            return ApiError(500, "The relay can't read its token files. See its log for details.", "internal_error")
        if owner is None:
            return _unauthorized(
                "Incorrect token provided. It may have been revoked."
                if token
                else "You didn't provide a token. Send the header Authorization: Bearer TOKEN. "
                "To create a token: streamtui serve token add NAME"
            )
        log_entry(scope).token = owner
        return None

    def _check_limits(self, scope: Scope) -> ApiError | None:
        if self._metrics.open_requests > self._limits.concurrent and scope["path"] != METRICS:
            message = "The relay has too many concurrent requests. Please try again in a moment."
            return ApiError(503, message, "overloaded", headers={"retry-after": "1"})
        wait = ceil(self._rate.acquire(log_entry(scope).token))
        if wait:
            message = f"Rate limit reached. Please try again in {wait} s."
            return ApiError(429, message, "rate_limit_exceeded", headers={"retry-after": str(wait)})
        return None


def _unauthorized(message: str) -> ApiError:
    return ApiError(401, message, "invalid_api_key", headers={"www-authenticate": "Bearer"})
