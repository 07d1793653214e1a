"""Lists that the search index counts."""

import os
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from marquee.catalogue.listing import TITLES
from marquee.catalogue.movies.models import Movie
from marquee.catalogue.search import counting, folder
from marquee.catalogue.search.index import reader
from marquee.catalogue.search.schema import SAMPLED, in_sample, key_of
from marquee.catalogue.tvshows.models import TVShow
from marquee.web import paging
from tests.catalogue.indexing import index_everything, make_sharks

Make = Callable[..., Any]


@pytest.fixture
def hearing(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A process that remembers totals, and to which every list is a long one."""
    monkeypatch.setattr(paging, "SHORT", -1)
    TITLES.set_hears(hears=True)
    yield
    TITLES.set_hears(hears=False)


@pytest.mark.parametrize(
    "filters",
    [
        {},
        {"genre": ["Thriller"]},
        {"genre": ["Thriller", "Comedy"], "year_from": 1976},
        {"year_from": 1975, "year_to": 1978, "min_score": 6},
        {"age_rating": ["PG"]},
        {"has_file": True},
        {"has_file": False},
        {"genre": ["No such"]},
    ],
)
def test_as_the_database_counts(
    client: httpx.Client, make: Make, hearing: None, filters: dict[str, Any]
) -> None:
    make_sharks(make)
    index_everything()
    counted = counting.number_of("movie", filters)
    answer = client.get("/movies", params=filters).json()
    assert answer["total_results"] == counted == len(answer["results"])


def test_what_is_plainly_beyond_is_estimated_by_a_sample(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    sampled = [each for each in range(1, 1000) if in_sample(key_of("movie", each))]
    assert 5 <= len(sampled) <= 25
    for number in (*sampled[:3], sampled[0] + 1, sampled[1] + 1):
        make(Movie, id=number, genres=["Drama"])
    index_everything()
    assert counting.number_of("movie", {"genre": ["Drama"]}) == 5
    monkeypatch.setattr(counting, "ENOUGH", 3)
    assert counting.number_of("movie", {"genre": ["Drama"]}) == 3 * SAMPLED
    assert counting.number_of("movie", {"genre": ["Comedy"]}) == 0


def test_the_index_has_the_word(client: httpx.Client, make: Make, hearing: None) -> None:
    """What it has not followed yet is not counted yet."""
    make_sharks(make)
    index_everything()
    counted = counting.number_of("movie", {})
    make(Movie, title="Jaws 3-D")
    assert client.get("/movies").json()["total_results"] == counted


def test_what_it_does_not_know_the_database_counts(
    client: httpx.Client, make: Make, hearing: None
) -> None:
    make_sharks(make)
    index_everything()
    assert counting.number_of("movie", {"query": "jaws"}) is None
    assert client.get("/movies", params={"query": "jaws"}).json()["total_results"] == 3


def test_while_the_index_lags_behind_the_database_counts(
    client: httpx.Client, make: Make, hearing: None
) -> None:
    make(Movie, title="Jaws")
    index_everything()
    assert counting.number_of("movie", {}) == 1
    current = folder.folder().current()
    assert current is not None
    os.utime(current / "state.json", (0, 0))
    make(Movie, title="Jaws 2")
    assert counting.number_of("movie", {}) is None
    assert client.get("/movies").json()["total_results"] == 2


def test_without_an_index_the_database_counts(
    client: httpx.Client, make: Make, hearing: None
) -> None:
    make(TVShow, title="Shark Tank")
    index_everything()
    (folder.folder().path / "current").unlink()
    reader.refresh()
    assert counting.number_of("tvshow", {}) is None
    assert client.get("/tvshows").json()["total_results"] == 1
