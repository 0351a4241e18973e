"""The relay's Prometheus metrics."""

from functools import partial
from time import monotonic

import prometheus_client as prometheus

from streamtui.server.request_log import End, RequestLogEntry

CONTENT_TYPE = prometheus.CONTENT_TYPE_PLAIN_0_0_4
_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0)
"""Upper bounds in seconds. Replies take from a tenth of a second to several minutes."""


class Metrics:
    """The metrics of one process since its start. Responses of the relay itself have an empty endpoint label."""

    def __init__(self) -> None:
        # Each counter and histogram would otherwise come with a _created series, which doubles a scrape.
        prometheus.disable_created_metrics()  # type: ignore[no-untyped-call]
        self.open_requests = 0
        """Requests in progress."""
        self._registry = registry = prometheus.CollectorRegistry()
        counter = partial(prometheus.Counter, namespace="streamtui", registry=registry)
        histogram = partial(prometheus.Histogram, namespace="streamtui", registry=registry, buckets=_BUCKETS)
        gauge = prometheus.Gauge("streamtui_open_requests", "Requests in progress.", registry=registry)
        gauge.set_function(lambda: self.open_requests)
        self._requests = counter("requests", "Requests, by endpoint and status.", ["endpoint", "status"])
        self._unfinished = counter("unfinished", "Incomplete responses, by endpoint and reason.", ["endpoint", "end"])
        self._sent_bytes = counter("sent_bytes", "Bytes of response bodies.", ["endpoint"])
        self._first_byte = histogram("first_byte_seconds", "Time to the first byte of the response body.", ["endpoint"])
        self._duration = histogram("request_seconds", "Time to the end of the response.", ["endpoint"])

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
        return prometheus.generate_latest(self._registry).decode()
