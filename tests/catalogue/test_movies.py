"""openapi/catalogue/movies.yaml."""

from collections.abc import Callable
from datetime import date
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, func, select

from marquee import db
from marquee.catalogue.movies.models import Movie
from marquee.catalogue.people.models import Credit, Job, Person
from tests.answers import refused
from tests.queries import statements

Make = Callable[..., Any]
NOWHERE = 9_007_199_254_740_991
HOSTILE = [
    "'",
    "''",
    "\\",
    "' & !",
    "a' | 'b",
    ":*",
    "') OR 1=1 --",
    "%",
    "_",
    '"; DROP TABLE movies; --',
    "jaws:*&!",
    "<->",
    "🦈",
    "́",
    "{}",
    "${jndi:x}",
    "%(x)s",
    ":name",
]


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

    @pytest.mark.parametrize(
        "query,expected",
        [
            ("jaws", ["Jaws"]),
            ("JAWS", ["Jaws"]),
            ("jaw", ["Jaws"]),
            ("aws", []),
            ("amelie", ["Amélie"]),
            ("Amélie", ["Amélie"]),
            ("AME\u0301LIE", ["Amélie"]),
            ("metro", ["Zazie dans le métro"]),
            ("redemption shawshank", ["The Shawshank Redemption"]),
            ("shaw redemption", []),
            ("redemption shaw", ["The Shawshank Redemption"]),
            ("the  shawshank,", ["The Shawshank Redemption"]),
            ("jaws amelie", []),
            ("千と千尋", ["千と千尋の神隠し"]),
            ("сталкер", ["Сталкер"]),
            ("СТАЛ", ["Сталкер"]),
            (" jaws ", ["Jaws"]),
        ],
    )
    def test_finds_words(
        self, client: httpx.Client, films: dict[str, Movie], query: str, expected: list[str]
    ) -> None:
        answer = client.get("/movies", params={"query": query})
        assert titles(answer) == expected
        assert answer.json()["total_results"] == len(expected)

    @pytest.mark.parametrize("query", HOSTILE)
    def test_takes_hostile_words_for_words(
        self, client: httpx.Client, films: dict[str, Movie], query: str
    ) -> None:
        answer = client.get("/movies", params={"query": query})
        assert set(titles(answer)) <= {"Jaws"}
        assert db.session.scalar(select(func.count()).select_from(Movie)) == len(films)

    @pytest.mark.parametrize("text", HOSTILE)
    def test_takes_hostile_genres_for_genres(
        self, client: httpx.Client, films: dict[str, Movie], text: str
    ) -> None:
        assert titles(client.get("/movies", params={"genre": text})) == []

    @pytest.mark.parametrize(
        "query,expected",
        [
            ("year_from=1990", {"Amélie", "The Shawshank Redemption", "千と千尋の神隠し"}),
            ("year_to=1975", {"Jaws", "Zazie dans le métro"}),
            ("year_from=1975&year_to=1979", {"Jaws", "Сталкер"}),
            ("year_from=1980&year_to=1970", set()),
            ("duration=under-90", {"Zazie dans le métro"}),
            ("duration=90-120", {"千と千尋の神隠し", "Сталкер"}),
            ("duration=over-120", {"Jaws", "Amélie", "The Shawshank Redemption"}),
            ("min_score=8.1", {"Jaws", "The Shawshank Redemption", "千と千尋の神隠し"}),
            ("age_rating=R", {"Amélie", "The Shawshank Redemption"}),
            ("age_rating=NR&age_rating=PG", {"Jaws", "千と千尋の神隠し", "Сталкер"}),
            ("genre=Comedy", {"Amélie", "Zazie dans le métro"}),
            (
                "genre=Comedy&genre=Drama",
                {"Amélie", "Zazie dans le métro", "The Shawshank Redemption"},
            ),
            ("genre=comedy", set()),
            (
                "genre=Comedy&age_rating=R&year_from=2001&min_score=7&duration=over-120&query=am",
                {"Amélie"},
            ),
        ],
    )
    def test_filters(
        self, client: httpx.Client, films: dict[str, Movie], query: str, expected: set[str]
    ) -> None:
        answer = client.get(f"/movies?{query}")
        assert set(titles(answer)) == expected
        assert answer.json()["total_results"] == len(expected)

    @pytest.mark.parametrize("order", ["asc", "desc"])
    @pytest.mark.parametrize(
        "sort,key",
        [
            ("popularity", lambda film: film.popularity),
            ("title", lambda film: film.sort_title),
            ("year", lambda film: film.year),
            ("added", lambda film: film.added_at),
            ("rating", lambda film: film.vote_average),
        ],
    )
    def test_sorts_with_the_unknown_last_and_ties_by_id(
        self,
        client: httpx.Client,
        films: dict[str, Movie],
        sort: str,
        order: str,
        key: Callable[[Movie], Any],
    ) -> None:
        known = [film for film in films.values() if key(film) is not None]
        unknown = [film for film in films.values() if key(film) is None]
        descending = order == "desc"
        wanted = sorted(known, key=lambda film: (key(film), film.id), reverse=descending)
        wanted += sorted(unknown, key=lambda film: film.id, reverse=descending)
        query = {"sort": sort, "order": order}
        assert titles(client.get("/movies", params=query)) == [film.title for film in wanted]
        pages = [
            title
            for page in (1, 2, 3, 4)
            for title in titles(
                client.get("/movies", params=query | {"page": page, "page_size": 2})
            )
        ]
        assert pages == [film.title for film in wanted]

    def test_the_popular_come_first_unless_told_otherwise(
        self, client: httpx.Client, films: dict[str, Movie]
    ) -> None:
        assert titles(client.get("/movies"))[:2] == ["The Shawshank Redemption", "千と千尋の神隠し"]

    def test_articles_do_not_count_in_the_order(
        self, client: httpx.Client, films: dict[str, Movie]
    ) -> None:
        found = titles(client.get("/movies", params={"sort": "title", "order": "asc"}))
        assert found[:4] == ["Amélie", "An Announcement", "Jaws", "The Shawshank Redemption"]

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
