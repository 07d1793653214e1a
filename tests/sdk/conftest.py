"""A server for each generated client, with counters of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import running


@pytest.fixture(scope="session")
def prepared_database(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A database with the demo accounts and a few titles."""
    running.prepare(database_url, Path(tmp_path_factory.mktemp("titles")))
    return database_url


@pytest.fixture(scope="module")
def server(prepared_database: str) -> Iterator[str]:
    """The address of a `marquee serve` that nobody has called."""
    with running.serving(prepared_database) as url:
        yield url
