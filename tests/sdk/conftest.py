"""A server for each generated client, with counters of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.demonstration import demonstration


@pytest.fixture(scope="session", autouse=True)
def authorities() -> None:
    """All that this machine trusts: npm may have to install."""


@pytest.fixture(scope="module")
def server(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server that nobody has called."""
    with demonstration(database_url, Path(tmp_path_factory.mktemp("server"))) as url:
        yield url
