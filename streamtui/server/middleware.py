"""The door of the relay: who may come in, by what name it was called, from which page, with which token."""

import re
from collections.abc import Collection
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from streamtui.config import is_loopback
from streamtui.server.access_log import LOG
from streamtui.server.api_errors import Refusal
from streamtui.server.client_tokens import ClientTokens
from streamtui.server.limits import Limits, RateLimit
from streamtui.server.metrics import Metrics
from streamtui.server.request_log import exchange_of

HEALTH = "/healthz"
METRICS = "/metrics"
_BEARER = re.compile(r"bearer +(\S+) *", re.IGNORECASE)


class NamesChecked:
    """An ASGI app around another one, which only requests reach that name the relay by a name it has.

    A page of another site can make its own name point to this machine and then ask as if it were asking itself
    (DNS rebinding), but its browser still says the name; an address can't be made to point anywhere. A page that
    asks openly from elsewhere says so in Origin.
    """

    def __init__(self, app: ASGIApp, hosts: Collection[str], origins: Collection[str]) -> None:
        self._app = app
        self._hosts = {host.lower() for host in hosts}
        self._origins = {origin.rstrip("/").lower() for origin in origins}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on, or answers it with a refusal."""
        if scope["type"] == "http":
            refusal = self._refusal(Headers(scope=scope), local=_is_unix(scope))
            if refusal is not None:
                await refusal.response()(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _refusal(self, headers: Headers, *, local: bool) -> Refusal | None:
        host = headers.get("host", "")
        # No page can make a browser connect to a Unix socket, and what its clients call it is up to them.
        if not (local or self._knows(host)):
            message = "This relay does not go by the name the request calls it: start it with --allow-host NAME."
            return Refusal(403, message, "host_not_allowed")
        origin = headers.get("origin", "").lower()
        if origin and not self._lets(origin, host.lower()):
            message = "Web pages of this origin may not use the relay: start it with --cors-origin ORIGIN."
            return Refusal(403, message, "origin_not_allowed")
        return None

    def _knows(self, host: str) -> bool:
        if "*" in self._hosts:
            return True
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        return name in self._hosts or is_loopback(name) or _is_address(name)

    def _lets(self, origin: str, host: str) -> bool:
        return "*" in self._origins or origin in self._origins or origin.partition("://")[2] == host


def _is_unix(scope: Scope) -> bool:
    """Return whether the request came over a Unix socket, which has a path and no port."""
    server = scope.get("server")
    return server is not None and server[1] is None


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


class Admission:
    """An ASGI app around another one, which only requests with a token reach, and no more than the limits let."""

    def __init__(self, app: ASGIApp, tokens: ClientTokens | None, limits: Limits, metrics: Metrics) -> None:
        self._app = app
        self._tokens = tokens
        self._limits = limits
        self._rate = RateLimit(limits.rate)
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on, or answers it with a refusal."""
        if scope["type"] == "http" and scope["path"] != HEALTH:
            refusal = self._refusal(scope)
            if refusal is not None:
                await refusal.response()(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _refusal(self, scope: Scope) -> Refusal | None:
        exchange = exchange_of(scope)
        try:
            if self._tokens is not None and self._tokens.are_required():
                found = _BEARER.fullmatch(Headers(scope=scope).get("authorization", ""))
                owner = self._tokens.owner(found[1]) if found else None
                if owner is None:
                    return _no_token(given=found is not None)
                exchange.token = owner
        except OSError as error:
            LOG.error("The tokens can't be read (%s): nobody is let in.", error.strerror)
            return Refusal(500, "The relay can't read its tokens: its log says why.", "internal_error")
        if self._metrics.open_requests > self._limits.streams and scope["path"] != METRICS:
            return Refusal(
                503,
                "The relay answers as many requests as it may: try again.",
                "overloaded",
                headers={"retry-after": "1"},
            )
        wait = self._rate.wait(exchange.token)
        if wait:
            seconds = max(1, int(wait + 0.999))
            message = f"Too many requests: try again in {seconds} s."
            return Refusal(429, message, "rate_limit_exceeded", headers={"retry-after": str(seconds)})
        return None


def _no_token(*, given: bool) -> Refusal:
    if given:
        message = "The relay does not know this token, or it was revoked."
    else:
        message = "The relay wants a token: send Authorization: Bearer TOKEN; streamtui serve token add NAME makes one."
    return Refusal(401, message, "invalid_api_key", headers={"www-authenticate": "Bearer"})
