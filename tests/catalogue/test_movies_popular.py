"""openapi/catalogue/movies.yaml: the popular ones, from the catalogue itself."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine

from marquee import db
from marquee.catalogue.movies.models import Movie
from marquee.identity.users.models import User
from tests.answers import refused
from tests.contract.checking import check_answer
from tests.queries import statements
from tests.serving import serving_with

Make = Callable[..., Any]


def titles(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [film["title"] for film in answer.json()["results"]]


class TestListPopularMovies:
    @pytest.fixture
    def fresh(self, database: None) -> Iterator[httpx.Client]:
        """Nobody in particular, at a server that keeps answers for no time at all."""
        with (
            serving_with(cache_duration_seconds=0) as url,
            httpx.Client(
                base_url=f"{url}/api/v1", event_hooks={"response": [check_answer]}
            ) as client,
        ):
            yield client

    @pytest.fixture
    def cached(self, database: None) -> Iterator[httpx.Client]:
        """Nobody in particular, at a server that keeps answers as long as it is told to."""
        with (
            serving_with(cache_duration_seconds=30) as url,
            httpx.Client(
                base_url=f"{url}/api/v1", event_hooks={"response": [check_answer]}
            ) as client,
        ):
            yield client

    def test_lists_the_catalogue_by_popularity(
        self, fresh: httpx.Client, films: dict[str, Movie]
    ) -> None:
        answer = fresh.get("/movies/popular")
        wanted = sorted(films.values(), key=lambda film: (-film.popularity, -film.id))
        assert titles(answer) == [film.title for film in wanted]
        page = answer.json()
        assert (page["page"], page["total_pages"], page["total_results"]) == (1, 1, len(films))
        assert set(page["results"][0]) == {
            "id",
            "title",
            "release_date",
            "overview",
            "popularity",
            "vote_average",
        }

    def test_has_pages_of_20(self, fresh: httpx.Client, make: Make) -> None:
        for number in range(45):
            make(Movie, title=f"Film {number}", popularity=number % 3)
        pages = [
            fresh.get("/movies/popular", params={"page": page}).json() for page in (1, 2, 3, 4)
        ]
        assert [len(page["results"]) for page in pages] == [20, 20, 5, 0]
        assert {page["total_pages"] for page in pages} == {3}
        ids = [film["id"] for page in pages for film in page["results"]]
        assert len(set(ids)) == 45

    @pytest.mark.parametrize("query", ["page=0", "page=501", "page=x", "limit=5", "page=1&page=2"])
    def test_refuses_what_the_contract_does_not_have(self, fresh: httpx.Client, query: str) -> None:
        assert refused(fresh.get(f"/movies/popular?{query}")) == (400, "VALIDATION_ERROR")

    def test_is_kept_for_30_seconds(self, cached: httpx.Client, films: dict[str, Movie]) -> None:
        first = cached.get("/movies/popular")
        assert first.headers["cache-status"] == "marquee; fwd=miss; stored; ttl=30"
        assert first.headers["cache-control"] == "public, max-age=30"
        assert first.headers["age"] == "0"
        films["Jaws"].popularity = 1000
        db.session.commit()
        second = cached.get("/movies/popular")
        assert second.content == first.content
        assert second.headers["cache-status"].startswith("marquee; hit; ttl=")
        other = cached.get("/movies/popular", params={"page": 1})
        assert titles(other)[0] == "Jaws"

    def test_says_when_nothing_has_changed(
        self, cached: httpx.Client, films: dict[str, Movie]
    ) -> None:
        for coding in ("identity", "gzip", "br"):
            first = cached.get("/movies/popular", headers={"Accept-Encoding": coding})
            condition = {"If-None-Match": first.headers["etag"], "Accept-Encoding": coding}
            again = cached.get("/movies/popular", headers=condition)
            assert (again.status_code, again.content) == (304, b"")
            assert again.headers["etag"] == first.headers["etag"]
            assert "age" in again.headers
        assert cached.get("/movies/popular", headers={"If-None-Match": '"x"'}).status_code == 200

    def test_is_the_same_for_everybody(
        self, cached: httpx.Client, films: dict[str, Movie], key_of: Callable[..., str], me: User
    ) -> None:
        by_key = cached.get("/movies/popular", headers={"X-API-Key": key_of(me)})
        without = cached.get("/movies/popular")
        assert without.content == by_key.content
        assert without.headers["cache-status"].startswith("marquee; hit")
        assert "Authorization" not in without.headers["vary"]

    def test_costs_the_same_whatever_its_length(
        self, fresh: httpx.Client, engine: Engine, make: Make
    ) -> None:
        for number in range(21):
            make(Movie, title=f"Film {number}")
        with statements(engine) as few:
            fresh.get("/movies/popular", params={"page": 2})
        with statements(engine) as many:
            fresh.get("/movies/popular", params={"page": 1})
        assert len(many) == len(few) == 2
