"""What tests of the web layer share."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from marquee import settings
from tests.serving import serving_any
from tests.web.probing import Probe


@pytest.fixture
def probe() -> Iterator[Probe]:
    """The application that is asked."""
    made = Probe()
    yield made
    made.go_on.set()


@pytest.fixture
def url(probe: Probe) -> Iterator[str]:
    """Where it is served, by a server that waits for a second."""
    values = replace(settings.current(), header_timeout=1)
    with serving_any(probe, values, timeout_graceful_shutdown=1) as base:
        yield base
