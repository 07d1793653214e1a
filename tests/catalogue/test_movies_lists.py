"""openapi/catalogue/movies.yaml: more filters and orders, and the lists beside `GET /movies`."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, insert

from marquee import db, remembered
from marquee.catalogue.collections.models import Collection
from marquee.catalogue.files.models import MediaFile
from marquee.catalogue.listing import TITLES
from marquee.catalogue.movies.models import Movie
from marquee.catalogue.search.index import reader
from tests.answers import refused
from tests.queries import statements

Make = Callable[..., Any]
SCORES = {"rotten_tomatoes": "rt_score", "metacritic": "metacritic_score"}


def titles(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [film["title"] for film in answer.json()["results"]]


def rated(**scores: float) -> dict[str, Any]:
    """External ratings, of 10, by source."""
    return {
        "external_ratings": [
            {"source": source, "value": str(score), "score": score}
            for source, score in scores.items()
        ]
    }


@pytest.fixture
def few(make: Make) -> dict[str, Movie]:
    """Films that differ in what the filters ask."""
    saga = make(Collection, name="Jaws Collection")
    made = {
        "Jaws": {
            "release_date": date(1975, 6, 20),
            "runtime_minutes": 124,
            "countries": ["United States"],
            "awards_summary": "3 Oscars",
            "collection_id": saga.id,
            "vote_average": 8.1,
            "vote_count": 700,
            "popularity": 60,
            **rated(rotten_tomatoes=9.7, metacritic=8.7),
        },
        "Jaws 2": {
            "release_date": date(1978, 6, 16),
            "runtime_minutes": 116,
            "countries": ["United States"],
            "collection_id": saga.id,
            "vote_average": 6.3,
            "vote_count": 150,
            "popularity": 20,
            **rated(rotten_tomatoes=6.2, metacritic=5.1),
        },
        "Cruel Jaws": {"countries": ["Italy"], "vote_average": 9.9, "vote_count": 3},
    }
    moments = (datetime(2026, 1, day, tzinfo=UTC) for day in range(1, 29))
    films = {
        title: make(Movie, title=title, added_at=next(moments), **values)
        for title, values in made.items()
    }
    for number, (title, resolution) in enumerate(
        [("Jaws", "4K"), ("Jaws", "SD"), ("Jaws 2", "SD")]
    ):
        name = f"{number}.mkv"
        make(
            MediaFile,
            movie_id=films[title].id,
            file_path=f"/films/{name}",
            file_name=name,
            file_size_bytes=1,
            resolution=resolution,
        )
    return films


class TestListMovies:
    @pytest.mark.parametrize(
        "query,expected",
        [
            ("min_rt_score=90", {"Jaws"}),
            ("min_rt_score=62&min_metacritic=51", {"Jaws", "Jaws 2"}),
            ("min_metacritic=88", set()),
            ("min_votes=150", {"Jaws", "Jaws 2"}),
            ("has_awards=true", {"Jaws"}),
            ("has_awards=false", {"Jaws 2", "Cruel Jaws"}),
            ("min_runtime=117", {"Jaws"}),
            ("min_runtime=100&max_runtime=116", {"Jaws 2"}),
            ("country=Italy", {"Cruel Jaws"}),
            ("country=Italy&country=United%20States", {"Jaws", "Jaws 2", "Cruel Jaws"}),
            ("has_file=true", {"Jaws", "Jaws 2"}),
            ("has_file=false", {"Cruel Jaws"}),
            ("resolution=4K", {"Jaws"}),
            ("resolution=720p&resolution=SD", {"Jaws", "Jaws 2"}),
            ("has_file=true&has_awards=false&query=jaw&country=United%20States", {"Jaws 2"}),
        ],
    )
    def test_filters(
        self, client: httpx.Client, few: dict[str, Movie], query: str, expected: set[str]
    ) -> None:
        answer = client.get(f"/movies?{query}")
        assert set(titles(answer)) == expected
        assert answer.json()["total_results"] == len(expected)

    def test_filters_by_collection(self, client: httpx.Client, few: dict[str, Movie]) -> None:
        saga = few["Jaws"].collection_id
        assert set(titles(client.get(f"/movies?collection_id={saga}"))) == {"Jaws", "Jaws 2"}

    @pytest.mark.parametrize(
        "sort,key",
        [
            ("release_date", "release_date"),
            ("rt_score", "rt_score"),
            ("metacritic", "metacritic_score"),
            ("runtime", "runtime_minutes"),
        ],
    )
    @pytest.mark.parametrize("order", ["asc", "desc"])
    def test_sorts(
        self, client: httpx.Client, few: dict[str, Movie], sort: str, key: str, order: str
    ) -> None:
        known = [film for film in few.values() if getattr(film, key) is not None]
        wanted = sorted(known, key=lambda film: getattr(film, key), reverse=order == "desc")
        found = titles(client.get("/movies", params={"sort": sort, "order": order}))
        assert found == [*(film.title for film in wanted), "Cruel Jaws"]

    def test_rows_have_scores_awards_and_a_poster(
        self, client: httpx.Client, few: dict[str, Movie]
    ) -> None:
        first, *_, last = client.get("/movies").json()["results"]
        assert (first["rt_score"], first["awards_summary"]) == (97, "3 Oscars")
        drawn = f"/api/v1/images/poster/w342/movies-{first['id']}.webp"
        assert first["poster_url"] == drawn
        assert (last["rt_score"], last["awards_summary"]) == (None, None)

    @pytest.mark.parametrize(
        "query", ["min_rt_score=101", "resolution=8K", "has_file=yes", "sort=best", "country="]
    )
    def test_what_is_no_filter(self, client: httpx.Client, query: str) -> None:
        assert refused(client.get(f"/movies?{query}")) == (400, "VALIDATION_ERROR")


class TestRememberedLists:
    """What a process that hears of changes remembers of lists."""

    @pytest.fixture
    def hearing(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        """As if the notices of PostgreSQL were heard: those of a test are never sent. Nothing is
        dear, however slow the machine; an index that another test has left counts nothing.
        """
        monkeypatch.setattr(remembered, "DEAR", 60)
        monkeypatch.setattr(reader, "keeps_up", lambda: False)
        TITLES.set_hears(hears=True)
        yield
        TITLES.set_hears(hears=False)

    @pytest.fixture
    def many(self, database: None) -> None:
        """1,500 films; every other one is of 2001."""
        words = {"search_title": "film", "sort_title": "film"}
        rows = [
            words | {"title": f"Film {number}", "popularity": number, "year": 2000 + number % 2}
            for number in range(1_500)
        ]
        db.session.execute(insert(Movie), rows)
        db.session.commit()

    @pytest.mark.parametrize(
        "path", ["/movies?sort=title", "/movies?year_from=2001", "/movies/search?query=film"]
    )
    def test_are_the_same_as_others(
        self, client: httpx.Client, many: None, hearing: None, path: str
    ) -> None:
        paths = [f"{path}&page_size=50&page={page}" for page in (1, 2, 25, 30, 31, 30)]
        found = [client.get(each).json() for each in paths]
        TITLES.set_hears(hears=False)
        assert found == [client.get(each).json() for each in paths]

    def test_cost_no_count_and_no_search_until_a_title_changes(
        self, client: httpx.Client, engine: Engine, make: Make, many: None, hearing: None
    ) -> None:
        query = {"page": 25, "page_size": 50}

        def asked() -> tuple[int, int]:
            with statements(engine) as sent:
                total = client.get("/movies", params=query).json()["total_results"]
            return len(sent), total

        first, again = asked(), asked()
        assert (first[1], again[1]) == (1_500, 1_500)
        assert first[0] - again[0] == 2
        make(Movie, title="Another")
        TITLES.heard("")
        assert asked() == (first[0], 1_501)


class TestSearchMoviesByTitle:
    def test_what_is_called_so_comes_first_then_what_begins_so(
        self, client: httpx.Client, few: dict[str, Movie], make: Make
    ) -> None:
        make(Movie, title="The Jaws", popularity=1)
        make(Movie, title="Airplane!", popularity=90)
        found = titles(client.get("/movies/search", params={"query": "JAWS"}))
        assert found == ["Jaws", "The Jaws", "Jaws 2", "Cruel Jaws"]

    @pytest.mark.parametrize(
        "query,expected", [("jaws cru", ["Cruel Jaws"]), ("aws", []), ("%", []), ("'", [])]
    )
    def test_finds_words(
        self, client: httpx.Client, few: dict[str, Movie], query: str, expected: list[str]
    ) -> None:
        answer = client.get("/movies/search", params={"query": query})
        assert titles(answer) == expected
        assert answer.json()["total_results"] == len(expected)

    @pytest.mark.parametrize("query", ["", "query=", f"query={'x' * 101}", "query=a&genre=Drama"])
    def test_what_is_no_search(self, client: httpx.Client, query: str) -> None:
        assert refused(client.get(f"/movies/search?{query}")) == (400, "VALIDATION_ERROR")


class TestListRecentlyAddedMovies:
    def test_the_newest_first(self, client: httpx.Client, few: dict[str, Movie]) -> None:
        answer = client.get("/movies/recently-added", params={"page_size": 2})
        assert titles(answer) == ["Cruel Jaws", "Jaws 2"]
        assert answer.json()["total_pages"] == 2


class TestListTopRatedMovies:
    def test_only_with_votes_enough(self, client: httpx.Client, few: dict[str, Movie]) -> None:
        assert titles(client.get("/movies/top-rated")) == ["Jaws", "Jaws 2"]
        assert titles(client.get("/movies/top-rated?min_votes=151")) == ["Jaws"]
        everything = client.get("/movies/top-rated?min_votes=0")
        assert titles(everything) == ["Cruel Jaws", "Jaws", "Jaws 2"]
