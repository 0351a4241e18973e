"""The access log: one line per request, without prompts, replies and keys."""

import logging
from time import monotonic

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from streamtui.core.sanitize import clean_line
from streamtui.providers.base import ErrorKind, ProviderError
from streamtui.server.metrics import Metrics
from streamtui.server.request_log import End, RequestLogEntry

LOG = logging.getLogger("streamtui.relay")
CLIENT_CLOSED_REQUEST = 499
"""The status logged for a client that disconnected before the response started, as in nginx."""
_MAX_PATH = 100


def log_upstream_error(error: ProviderError) -> None:
    """Log why an endpoint failed, without its own words, which may repeat the prompt."""
    own = error.kind in (ErrorKind.NO_KEY, ErrorKind.WRONG_KEY, ErrorKind.UNREACHABLE)
    LOG.warning("%s", error.message if own else error.summary)


class AccessLog:
    """ASGI middleware that logs and counts every request."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request and log it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        entry = RequestLogEntry(scope["method"], scope["path"])
        scope.setdefault("state", {})["log_entry"] = entry

        async def observed_send(message: Message) -> None:
            size = len(message.get("body", b""))
            if message["type"] == "http.response.start":
                entry.status = message["status"]
            elif size and entry.first_byte is None:
                entry.first_byte = monotonic() - entry.started
            await send(message)
            entry.sent_bytes += size
            if message["type"] == "http.response.body" and not message.get("more_body", False):
                entry.complete = True

        self._metrics.open_requests += 1
        try:
            await self._app(scope, receive, observed_send)
        finally:
            self._metrics.open_requests -= 1
            self._finish(entry)

    def _finish(self, entry: RequestLogEntry) -> None:
        if not entry.complete and entry.end is End.DONE:
            entry.end = End.BROKEN
        entry.status = entry.status or CLIENT_CLOSED_REQUEST
        self._metrics.record(entry)
        # Without the query string, which may contain secrets.
        LOG.info(
            "method=%s path=%s status=%d seconds=%.3f first=%s bytes=%d end=%s token=%s endpoint=%s",
            clean_line(entry.method)[:10],
            clean_line(entry.path)[:_MAX_PATH].replace(" ", "%20"),
            entry.status,
            monotonic() - entry.started,
            "-" if entry.first_byte is None else f"{entry.first_byte:.3f}",
            entry.sent_bytes,
            entry.end,
            entry.token or "-",
            entry.endpoint.replace(" ", "%20") or "-",
        )
