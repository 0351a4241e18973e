"""The relay's Prometheus metrics."""

from time import monotonic

from prometheus_client import (
    CONTENT_TYPE_PLAIN_0_0_4,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)

from streamtui.server.request_log import End, RequestLogEntry

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0)
"""Upper bounds in seconds. Replies take from a tenth of a second to several minutes."""


class Metrics:
    """The metrics of one process since its start. Responses of the relay itself have an empty endpoint label."""

    def __init__(self) -> None:
        # Each counter and histogram would otherwise come with a _created series, which doubles a scrape.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.open_requests = 0
        """Requests in progress."""
        registry = self._registry = CollectorRegistry()
        Gauge("streamtui_open_requests", "Requests in progress.", registry=registry).set_function(
            lambda: self.open_requests
        )
        by_endpoint = ["endpoint"]
        self._requests = Counter(
            "streamtui_requests", "Requests, by endpoint and status.", ["endpoint", "status"], registry=registry
        )
        self._unfinished = Counter(
            "streamtui_unfinished",
            "Incomplete responses, by endpoint and reason.",
            ["endpoint", "end"],
            registry=registry,
        )
        self._sent_bytes = Counter("streamtui_sent_bytes", "Bytes of response bodies.", by_endpoint, registry=registry)
        self._first_byte = Histogram(
            "streamtui_first_byte_seconds",
            "Time to the first byte of the response body.",
            by_endpoint,
            buckets=_BUCKETS,
            registry=registry,
        )
        self._duration = Histogram(
            "streamtui_request_seconds",
            "Time to the end of the response.",
            by_endpoint,
            buckets=_BUCKETS,
            registry=registry,
        )

    def record(self, entry: RequestLogEntry) -> None:
        """Count a finished request."""
        endpoint = entry.endpoint
        self._requests.labels(endpoint, entry.status).inc()
        self._sent_bytes.labels(endpoint).inc(entry.sent_bytes)
        if entry.end is not End.DONE:
            self._unfinished.labels(endpoint, entry.end).inc()
        if endpoint:
            self._duration.labels(endpoint).observe(monotonic() - entry.started)
        if endpoint and entry.first_byte is not None:
            self._first_byte.labels(endpoint).observe(entry.first_byte)

    def text(self) -> str:
        """Return all metrics in the Prometheus text format."""
        return generate_latest(self._registry).decode()
