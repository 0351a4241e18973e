"""Journal: notes every request in the log and in the metrics, without a word of what was said."""

import logging
from time import monotonic

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from streamtui.core.sanitize import clean_line
from streamtui.providers.base import ErrorKind, ProviderError
from streamtui.server.metrics import Metrics
from streamtui.server.request_log import End, Exchange

LOG = logging.getLogger("streamtui.relay")
CLIENT_LEFT = 499
"""The status noted where the client left before there was one; nginx says so too."""
_PATH_LENGTH = 100


def note_failure(error: ProviderError) -> None:
    """Logs why an endpoint gave no reply; what it said itself, which may repeat a prompt, is left out."""
    sentence = error.message
    if error.kind not in (ErrorKind.NO_KEY, ErrorKind.WRONG_KEY, ErrorKind.UNREACHABLE):
        sentence = sentence.partition(" It said: ")[0]
    LOG.warning("%s", sentence)


class Journal:
    """An ASGI app around another one."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes everything on and counts."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange = Exchange(scope["method"], scope["path"])
        scope.setdefault("state", {})["exchange"] = exchange

        async def counted(message: Message) -> None:
            size = len(message.get("body", b""))
            if message["type"] == "http.response.start":
                exchange.status = message["status"]
            elif size and exchange.first is None:
                exchange.first = monotonic() - exchange.started
            await send(message)
            exchange.sent += size
            if message["type"] == "http.response.body" and not message.get("more_body", False):
                exchange.complete = True

        self._metrics.open_requests += 1
        try:
            await self._app(scope, receive, counted)
        finally:
            self._metrics.open_requests -= 1
            self._note(exchange)

    def _note(self, exchange: Exchange) -> None:
        if not exchange.complete and exchange.end is End.DONE:
            exchange.end = End.BROKEN
        exchange.status = exchange.status or CLIENT_LEFT
        self._metrics.record(exchange)
        # The query is left out: it may hold what is not for a log.
        LOG.info(
            "method=%s path=%s status=%d seconds=%.3f first=%s bytes=%d end=%s token=%s endpoint=%s",
            clean_line(exchange.method)[:10],
            clean_line(exchange.path)[:_PATH_LENGTH].replace(" ", "%20"),
            exchange.status,
            monotonic() - exchange.started,
            "-" if exchange.first is None else f"{exchange.first:.3f}",
            exchange.sent,
            exchange.end,
            exchange.token or "-",
            exchange.endpoint.replace(" ", "%20") or "-",
        )
