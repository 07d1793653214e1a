"""Completing and counting films; searching series, and everything together."""

from collections.abc import Callable
from datetime import date
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from marquee import db
from marquee.catalogue.collections.models import Collection
from marquee.catalogue.movies.models import Movie
from marquee.catalogue.people.models import Person
from marquee.catalogue.translations.models import Translation
from marquee.catalogue.tvshows.models import TVShow
from marquee.job_runs import JobRun
from tests.catalogue.indexing import index_everything, make_people, make_sharks, titles

Make = Callable[..., Any]


@pytest.fixture
def sharks(make: Make) -> dict[str, Movie]:
    """Films that have to do with Jaws, by title."""
    return make_sharks(make)


@pytest.fixture
def people(make: Make, sharks: dict[str, Movie]) -> dict[str, Person]:
    """Who made Jaws."""
    return make_people(make, sharks)


class TestAutocompleteMovies:
    @pytest.mark.parametrize(
        "q, first",
        [
            ("j", "Jawsome"),
            ("ja", "Jawsome"),
            ("JAWS", "Jaws"),
            ("jaws ", "Jaws"),
            ("mat", "The Matrix"),
            ("the m", "The Matrix"),
            ("matirx", "The Matrix"),
            ("ame", "Amélie"),
            ("fabuleux de", "Amélie"),
            ("千と", "千と千尋の神隠し"),
            ("神", "千と千尋の神隠し"),
            ("мос", "Москва слезам не верит"),
        ],
    )
    def test_completes(
        self, client: httpx.Client, sharks: dict[str, Movie], q: str, first: str
    ) -> None:
        index_everything()
        answer = client.get("/search/movies/autocomplete", params={"q": q})
        assert answer.json()["suggestions"][0]["title"] == first

    def test_nothing(self, client: httpx.Client, sharks: dict[str, Movie]) -> None:
        index_everything()
        for q in ("zzyzx", " ", "..."):
            answer = client.get("/search/movies/autocomplete", params={"q": q})
            assert answer.json() == {"suggestions": []}

    def test_limit(self, client: httpx.Client, sharks: dict[str, Movie]) -> None:
        index_everything()
        answer = client.get("/search/movies/autocomplete", params={"q": "jaws", "limit": 2})
        assert [each["title"] for each in answer.json()["suggestions"]] == ["Jaws", "Jaws 2"]


class TestOwnIndex:
    """What another engine decides for itself."""

    @pytest.mark.parametrize(
        "q, found",
        [
            ("ja", ["Jaws", "Jar", "Fair Jager", "Raiders of the Lost Ark"]),
            ("jäger", ["Raiders of the Lost Ark", "Fair Jager"]),
            ("b", ["Brave", "B.A.P.S."]),
            ("jurrasic par", ["Jurassic Park"]),
        ],
    )
    def test_the_title_itself_comes_first(
        self, client: httpx.Client, make: Make, q: str, found: list[str]
    ) -> None:
        raiders = make(Movie, title="Raiders of the Lost Ark", popularity=79)
        make(Translation, movie_id=raiders.id, language="de", title="Jäger des Schatzes")
        for name, popularity in (("Jaws", 60), ("Jar", 1), ("Brave", 81), ("B.A.P.S.", 32)):
            make(Movie, title=name, popularity=popularity)
        make(Movie, title="Jurassic Park")
        make(Movie, title="Fair Jager", popularity=90)
        index_everything()
        answer = client.get("/search/movies/autocomplete", params={"q": q})
        assert [each["title"] for each in answer.json()["suggestions"]][: len(found)] == found


class TestGetMovieSearchFacets:
    def test_of_everything(self, client: httpx.Client, sharks: dict[str, Movie]) -> None:
        index_everything()
        facets = client.get("/search/movies/facets").json()
        assert facets["has_file"] == [{"value": False, "count": 10}]
        assert [each["value"] for each in facets["years"]] == [2001, 1978, 1975]

    def test_of_a_query(self, client: httpx.Client, sharks: dict[str, Movie]) -> None:
        index_everything()
        facets = client.get("/search/movies/facets", params={"q": "jaws", "year_to": 1977}).json()
        assert facets["years"] == [{"value": 1975, "count": 1}]


@pytest.fixture
def series(make: Make) -> TVShow:
    """A series."""
    made: TVShow = make(
        TVShow,
        title="Breaking Bad",
        year=2008,
        networks=["AMC"],
        genres=["Crime"],
        status="ended",
        popularity=300,
        first_air_date=date(2008, 1, 20),
    )
    return made


class TestSearchTvshows:
    def test_finds(self, client: httpx.Client, series: TVShow) -> None:
        index_everything()
        for q in ("breaking bad", "braeking", "amc crime"):
            assert titles(client, q, "/search/tvshows") == ["Breaking Bad"]
        assert titles(client, "breaking", "/search/movies") == []

    def test_filters_and_facets(self, client: httpx.Client, series: TVShow) -> None:
        index_everything()
        asked = {"q": "breaking", "network": "AMC", "facets": True, "sort_by": "first_air_date:asc"}
        assert client.get("/search/tvshows", params=asked).json()["facets"] == {
            "genres": [{"value": "Crime", "count": 1}],
            "years": [{"value": 2008, "count": 1}],
            "status": [{"value": "ended", "count": 1}],
            "networks": [{"value": "AMC", "count": 1}],
        }
        assert titles(client, "breaking", "/search/tvshows", network="HBO") == []


class TestAutocompleteTvshows:
    def test_completes(self, client: httpx.Client, series: TVShow) -> None:
        index_everything()
        answer = client.get("/search/tvshows/autocomplete", params={"q": "brea"})
        assert [each["id"] for each in answer.json()["suggestions"]] == [series.id]


class TestGetTvshowSearchFacets:
    def test_of_everything(self, client: httpx.Client, series: TVShow) -> None:
        index_everything()
        facets = client.get("/search/tvshows/facets").json()
        assert facets["networks"] == [{"value": "AMC", "count": 1}]


class TestSearchEverything:
    @pytest.fixture
    def all_kinds(self, make: Make, people: dict[str, Person], series: TVShow) -> None:
        make(Collection, name="Jaws Collection", overview="Sharks & more.")
        make(TVShow, title="Jaws of Life")

    def test_finds_all_kinds(self, client: httpx.Client, all_kinds: None) -> None:
        index_everything()
        hits = client.get("/search", params={"q": "jaws"}).json()["hits"]
        assert [(hits[0]["kind"], hits[0]["title"]) for _ in hits[:1]] == [("movie", "Jaws")]
        assert {hit["kind"] for hit in hits} == {"movie", "tvshow", "collection"}

    def test_finds_people_before_their_films(self, client: httpx.Client, all_kinds: None) -> None:
        index_everything()
        hits = client.get("/search", params={"q": "steven spielberg"}).json()["hits"]
        assert [(hit["kind"], hit["title"]) for hit in hits] == [
            ("person", "Steven Spielberg"),
            ("movie", "Jaws"),
        ]

    def test_narrows_by_kind(self, client: httpx.Client, all_kinds: None) -> None:
        index_everything()
        found = titles(client, "jaws", "/search", kind=["tvshow", "collection"])
        assert sorted(found) == ["Jaws Collection", "Jaws of Life"]


class TestReindexSearch:
    def test_starts_a_job(self, admin: httpx.Client, database: None) -> None:
        answer = admin.post("/search/reindex")
        assert answer.status_code == 202
        run = db.session.get(JobRun, answer.json()["job_id"])
        assert run is not None
        assert (run.job_name, run.status) == ("reindex-search", "pending")
        same = select(func.count()).where(JobRun.job_name == "reindex-search")
        assert db.session.scalar(same) == 1

    def test_once_at_a_time(self, admin: httpx.Client, database: None) -> None:
        job_id = admin.post("/search/reindex").json()["job_id"]
        answer = admin.post("/search/reindex")
        assert answer.status_code == 409
        error = answer.json()["error"]
        assert (error["code"], error["details"]) == ("JOB_RUNNING", {"job_id": job_id})

    def test_is_for_administrators(self, client: httpx.Client) -> None:
        assert client.post("/search/reindex").status_code == 403
