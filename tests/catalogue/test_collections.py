"""openapi/catalogue/collections.yaml."""

from collections.abc import Callable
from datetime import date
from typing import Any

import httpx
import pytest

from marquee.catalogue.collections.models import Collection
from marquee.catalogue.movies.models import Movie
from tests.answers import refused

Make = Callable[..., Any]
NOWHERE = 9_007_199_254_740_991


@pytest.fixture
def saga(make: Make) -> Collection:
    """A collection of three films, one of them without a date."""
    saga: Collection = make(Collection, name="Jaws Collection", overview="Sharks.")
    for title, released in (
        ("Jaws 5", None),
        ("Jaws 2", date(1978, 6, 16)),
        ("Jaws", date(1975, 6, 20)),
    ):
        make(Movie, title=title, release_date=released, collection_id=saga.id)
    make(Movie, title="Airplane!")
    return saga


class TestGetCollection:
    def test_shows_it(self, client: httpx.Client, saga: Collection) -> None:
        assert client.get(f"/collections/{saga.id}").json() == {
            "id": saga.id,
            "tmdb_collection_id": None,
            "name": "Jaws Collection",
            "overview": "Sharks.",
            "poster_path": None,
            "backdrop_path": None,
        }

    def test_an_unknown_one(self, client: httpx.Client, database: None) -> None:
        answer = client.get(f"/collections/{NOWHERE}")
        assert refused(answer) == (404, "COLLECTION_NOT_FOUND")


class TestListCollectionMovies:
    def test_in_the_order_of_release(self, client: httpx.Client, saga: Collection) -> None:
        page = client.get(f"/collections/{saga.id}/movies").json()
        assert [film["title"] for film in page["results"]] == ["Jaws", "Jaws 2", "Jaws 5"]
        assert page["total_results"] == 3

    def test_of_an_unknown_one(self, client: httpx.Client, database: None) -> None:
        answer = client.get(f"/collections/{NOWHERE}/movies")
        assert refused(answer) == (404, "COLLECTION_NOT_FOUND")
