"""openapi/catalogue/movies.yaml: finding, filtering and sorting films."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from marquee import db
from marquee.catalogue.movies.models import Movie

Make = Callable[..., Any]
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


class TestFindingMovies:
    @pytest.mark.parametrize("query", ["$", "!!!  ???", "\u2019"])
    @pytest.mark.parametrize("path", ["/movies", "/movies/search"])
    def test_a_title_of_symbols_is_found_by_them_alone(
        self, client: httpx.Client, make: Make, path: str, query: str
    ) -> None:
        for title in ("$", "$$", "!!! ???", "\u2019", "$9"):
            make(Movie, title=title)
        found = client.get(path, params={"query": query})
        assert titles(found) == [" ".join(query.split())]
        assert found.json()["total_results"] == 1

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
