"""The genres that series have."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.answers import refused
from tests.catalogue.genred import counts, make_titles

Make = Callable[..., Any]


@pytest.fixture
def titles(make: Make) -> dict[str, Any]:
    """Two films and a series, by title."""
    return make_titles(make)


class TestListTvshowGenres:
    def test_counts_series(self, client: httpx.Client, titles: dict[str, Any]) -> None:
        assert counts(client.get("/tvshows/genres")) == {"Adventure": 1, "Drama": 1}

    def test_needs_a_credential(self, anonymous: httpx.Client) -> None:
        assert refused(anonymous.get("/tvshows/genres")) == (401, "INVALID_TOKEN")
