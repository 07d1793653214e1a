"""The genres that films have."""

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


class TestListMovieGenres:
    def test_counts_films(self, client: httpx.Client, titles: dict[str, Any]) -> None:
        assert counts(client.get("/movies/genres")) == {
            "Adventure": 1,
            "Science Fiction": 1,
            "Thriller": 2,
        }

    def test_says_when_nothing_has_changed(
        self, client: httpx.Client, titles: dict[str, Any]
    ) -> None:
        first = client.get("/movies/genres")
        condition = {"If-None-Match": first.headers["etag"]}
        assert client.get("/movies/genres", headers=condition).status_code == 304

    def test_needs_a_credential(self, anonymous: httpx.Client) -> None:
        assert refused(anonymous.get("/movies/genres")) == (401, "INVALID_TOKEN")
