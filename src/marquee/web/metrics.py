"""Figures for Prometheus, by operationId. Several server processes add up through files, see
`cli.py`.
"""

import os

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

REQUESTS = Counter(
    "http_requests", "Requests that were answered.", ("method", "operation", "status")
)
DURATION = Histogram(
    "http_request_duration_seconds",
    "Time from the request's first byte to the answer's last.",
    ("operation",),
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)

_children: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}


def observe(method: str, operation: str, status: int, seconds: float) -> None:
    """Count one answered request."""
    key = (method, operation, status)
    found = _children.get(key)
    if found is None:
        found = _children[key] = (
            REQUESTS.labels(method, operation, str(status)),
            DURATION.labels(operation),
        )
    found[0].inc()
    found[1].observe(seconds)


def exposition() -> str:
    """All figures in Prometheus' text format."""
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call] # its types lack it
        return generate_latest(registry).decode()
    return generate_latest().decode()
