"""Figures: what the relay counts, as text for Prometheus."""

import re
from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field
from itertools import accumulate
from time import monotonic

from streamtui.server.request_log import End, Exchange

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_BOUNDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0)
"""Seconds; a reply takes from a tenth of one to minutes."""
_UNSAFE = re.compile(r'[\\"\n]')


@dataclass
class Histogram:
    """How many took how long."""

    buckets: list[int] = field(default_factory=lambda: [0] * (len(_BOUNDS) + 1))
    total: float = 0.0

    def add(self, seconds: float) -> None:
        """Counts one."""
        self.buckets[bisect_left(_BOUNDS, seconds)] += 1
        self.total += seconds


@dataclass
class Figures:
    """Counts since the start of this process."""

    open: int = 0
    """Requests being answered."""
    requests: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By endpoint (empty: the relay itself answered) and status."""
    ends: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By endpoint and `End`, the good ones left out."""
    sent: Counter[str] = field(default_factory=Counter)
    """Bytes by endpoint."""
    first: dict[str, Histogram] = field(default_factory=dict)
    total: dict[str, Histogram] = field(default_factory=dict)

    def add(self, exchange: Exchange) -> None:
        """Counts an exchange that is over."""
        endpoint = exchange.endpoint
        self.requests[endpoint, str(exchange.status)] += 1
        self.sent[endpoint] += exchange.sent
        if exchange.end is not End.DONE:
            self.ends[endpoint, exchange.end] += 1
        if not endpoint:
            return
        self.total.setdefault(endpoint, Histogram()).add(monotonic() - exchange.started)
        if exchange.first is not None:
            self.first.setdefault(endpoint, Histogram()).add(exchange.first)

    def text(self) -> str:
        """Returns all of it, as a scrape wants it."""
        lines = _head("open_requests", "gauge", "Requests being answered now.")
        lines.append(f"streamtui_open_requests {self.open}")
        lines += _head("requests_total", "counter", "Requests answered; without an endpoint: by the relay itself.")
        for (endpoint, status), count in sorted(self.requests.items()):
            lines.append(f"streamtui_requests_total{_labels(endpoint=endpoint, status=status)} {count}")
        lines += _head("unfinished_total", "counter", "Answers that did not come to their end.")
        for (endpoint, end), count in sorted(self.ends.items()):
            lines.append(f"streamtui_unfinished_total{_labels(endpoint=endpoint, end=end)} {count}")
        lines += _head("sent_bytes_total", "counter", "Bytes of answers sent.")
        for endpoint, count in sorted(self.sent.items()):
            lines.append(f"streamtui_sent_bytes_total{_labels(endpoint=endpoint)} {count}")
        lines += _histograms("first_byte_seconds", "Seconds until the first byte of an answer.", self.first)
        lines += _histograms("request_seconds", "Seconds until the end of an answer.", self.total)
        return "\n".join(lines) + "\n"


def _head(name: str, kind: str, help: str) -> list[str]:
    return [f"# HELP streamtui_{name} {help}", f"# TYPE streamtui_{name} {kind}"]


def _labels(**labels: str) -> str:
    pairs = (f'{name}="{_UNSAFE.sub(_escaped, value)}"' for name, value in labels.items())
    return "{" + ",".join(pairs) + "}"


def _escaped(match: re.Match[str]) -> str:
    return "\\n" if match[0] == "\n" else "\\" + match[0]


def _histograms(name: str, help: str, by_endpoint: dict[str, Histogram]) -> list[str]:
    lines = _head(name, "histogram", help)
    for endpoint, found in sorted(by_endpoint.items()):
        counts = list(accumulate(found.buckets))
        for bound, count in zip((*map(str, _BOUNDS), "+Inf"), counts, strict=True):
            lines.append(f"streamtui_{name}_bucket{_labels(endpoint=endpoint, le=bound)} {count}")
        lines.append(f"streamtui_{name}_sum{_labels(endpoint=endpoint)} {found.total:.6f}")
        lines.append(f"streamtui_{name}_count{_labels(endpoint=endpoint)} {counts[-1]}")
    return lines
