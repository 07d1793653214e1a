"""openapi/catalogue/movies.yaml."""

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine

from marquee import db
from marquee.catalogue.movies.models import Movie
from marquee.catalogue.people.models import Credit, Job, Person
from marquee.identity.users.models import User
from tests.answers import refused
from tests.contract.checking import check_answer
from tests.queries import statements
from tests.serving import serving_with

Make = Callable[..., Any]
NOWHERE = 9_007_199_254_740_991


def titles(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [film["title"] for film in answer.json()["results"]]


class TestListMovies:
    def test_shows_the_contracts_fields_and_no_others(
        self, client: httpx.Client, make: Make
    ) -> None:
        film = make(Movie, title="Jaws", tmdb_id=578, imdb_id="tt0073195", year=1975)
        answer = client.get("/movies")
        page = answer.json()
        assert {name: page[name] for name in page if name != "results"} == {
            "page": 1,
            "page_size": 20,
            "total_pages": 1,
            "total_results": 1,
            "total_is_estimate": False,
        }
        (shown,) = page["results"]
        assert (shown["id"], shown["tmdb_id"], shown["imdb_id"]) == (film.id, 578, "tt0073195")
        assert not {"search_title", "sort_title", "title_words", "attribution"} & set(shown)

    def test_a_page_beyond_the_last_is_empty(
        self, client: httpx.Client, films: dict[str, Movie]
    ) -> None:
        page = client.get("/movies", params={"page": 3, "page_size": 5}).json()
        assert (page["page"], page["total_pages"], page["results"]) == (3, 2, [])

    @pytest.mark.parametrize(
        "query", ["page=101&page_size=100", "page=501", "page=10000&page_size=2"]
    )
    def test_a_page_beyond_10000_results_is_refused(self, client: httpx.Client, query: str) -> None:
        answer = client.get(f"/movies?{query}")
        assert refused(answer) == (400, "VALIDATION_ERROR")
        (error,) = answer.json()["error"]["details"]["errors"]
        assert (error["in"], error["path"]) == ("query", "/page")
        assert "filter" in error["message"]

    @pytest.mark.parametrize(
        "query", ["page=500", "page=100&page_size=100", "page=10000&page_size=1"]
    )
    def test_the_last_page_within_10000_results_is_not(
        self, client: httpx.Client, query: str
    ) -> None:
        assert client.get(f"/movies?{query}").status_code == 200

    @pytest.mark.parametrize(
        "query",
        [
            "page=0",
            "page=-1",
            "page=10001",
            "page=1.0",
            "page=٣",
            "page=nan",
            "page_size=101",
            "query=",
            "query=" + "x" * 81,
            "query=%00",
            "query=%0A",
            "query=%ff",
            "query=%ed%a0%80",
            "year_from=1800",
            "year_to=2101",
            "duration=long",
            "min_score=11",
            "min_score=nan",
            "min_score=1e400",
            "age_rating=X",
            "genre=",
            "genre=a,b",
            "&".join(f"genre={number}" for number in range(11)),
            "sort=id",
            "order=random",
            "offset=1",
            "Page=1",
            "page=1&page=1",
        ],
    )
    def test_refuses_what_the_contract_does_not_have(
        self, client: httpx.Client, query: str
    ) -> None:
        assert refused(client.get(f"/movies?{query}")) == (400, "VALIDATION_ERROR")

    def test_needs_a_credential(self, anonymous: httpx.Client) -> None:
        assert refused(anonymous.get("/movies")) == (401, "INVALID_TOKEN")

    def test_says_when_nothing_has_changed(
        self, client: httpx.Client, films: dict[str, Movie]
    ) -> None:
        first = client.get("/movies")
        condition = {"If-None-Match": first.headers["etag"]}
        assert client.get("/movies", headers=condition).status_code == 304
        assert client.head("/movies").status_code == 200
        films["Jaws"].popularity = 61
        db.session.commit()
        assert client.get("/movies", headers=condition).status_code == 200

    def test_costs_the_same_whatever_its_length(
        self, client: httpx.Client, engine: Engine, films: dict[str, Movie]
    ) -> None:
        with statements(engine) as few:
            client.get("/movies", params={"page_size": 1})
        with statements(engine) as many:
            client.get("/movies", params={"page_size": 100})
        assert len(many) == len(few) <= 3


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
        same = cached.get("/movies/popular", params={"page": 1})
        assert same.content == first.content
        other = cached.get("/movies/popular", params={"page": 2})
        assert other.headers["cache-status"].startswith("marquee; fwd=miss")

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


class TestGetMovie:
    @pytest.fixture
    def film(self, make: Make) -> Movie:
        """A film with its people, out of order."""
        film: Movie = make(
            Movie,
            title="Jaws",
            tmdb_id=578,
            imdb_id="tt0073195",
            release_date=date(1975, 6, 20),
            genres=["Thriller"],
            external_ratings=[{"source": "metacritic", "value": "87/100", "score": 8.7}],
            revenue_usd=470_653_000,
            attribution="Facts: Wikidata (CC0 1.0)",
        )
        people = [
            ("Robert Shaw", Job.ACTOR, 2, "Quint"),
            ("Roy Scheider", Job.ACTOR, 1, None),
            ("Steven Spielberg", Job.DIRECTOR, 0, None),
            ("Peter Benchley", Job.WRITER, 0, None),
        ]
        for name, job, position, character in people:
            person = make(Person, name=name)
            make(
                Credit,
                person_id=person.id,
                movie_id=film.id,
                job=job,
                position=position,
                character=character,
            )
        return film

    def test_shows_the_film_with_its_people(self, client: httpx.Client, film: Movie) -> None:
        answer = client.get(f"/movies/{film.id}")
        assert answer.status_code == 200
        shown = answer.json()
        assert (shown["title"], shown["release_date"]) == ("Jaws", "1975-06-20")
        assert [person["name"] for person in shown["directors"]] == ["Steven Spielberg"]
        assert [person["name"] for person in shown["writers"]] == ["Peter Benchley"]
        cast = [(each["name"], each["character"]) for each in shown["cast_members"]]
        assert cast == [("Roy Scheider", None), ("Robert Shaw", "Quint")]
        assert shown["external_ratings"] == film.external_ratings
        assert shown["revenue_usd"] == 470_653_000
        assert shown["added_at"].endswith("Z")
        assert "search_title" not in shown

    def test_an_unknown_film(self, client: httpx.Client, database: None) -> None:
        assert refused(client.get(f"/movies/{NOWHERE}")) == (404, "MOVIE_NOT_FOUND")

    @pytest.mark.parametrize(
        "movie_id", ["0", "-1", "x", "1.0", "9007199254740992", "1e3", "٣", "%00", "1%2F2", "%FF"]
    )
    def test_what_is_no_id(self, client: httpx.Client, movie_id: str) -> None:
        assert refused(client.get(f"/movies/{movie_id}")) == (400, "VALIDATION_ERROR")

    def test_has_an_etag(self, client: httpx.Client, film: Movie) -> None:
        first = client.get(f"/movies/{film.id}")
        assert first.headers["cache-control"] == "private, no-cache"
        condition = {"If-None-Match": f"W/{first.headers['etag']}"}
        assert client.get(f"/movies/{film.id}", headers=condition).status_code == 304

    def test_needs_a_credential(self, anonymous: httpx.Client, film: Movie) -> None:
        assert refused(anonymous.get(f"/movies/{film.id}")) == (401, "INVALID_TOKEN")

    def test_costs_the_same_whatever_its_cast(
        self, client: httpx.Client, engine: Engine, film: Movie, make: Make
    ) -> None:
        alone = make(Movie, title="Alone")
        with statements(engine) as few:
            client.get(f"/movies/{alone.id}")
        with statements(engine) as many:
            client.get(f"/movies/{film.id}")
        assert len(many) == len(few) <= 3
