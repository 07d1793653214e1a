"""A small catalogue for tests, with all that films can have or lack."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from marquee.catalogue.movies.models import Movie

Make = Callable[..., Any]


def make_films(make: Make) -> dict[str, Movie]:
    """Save them; by title."""
    rows: list[dict[str, Any]] = [
        {
            "title": "Jaws",
            "year": 1975,
            "runtime_minutes": 124,
            "vote_average": 8.1,
            "popularity": 60,
            "age_rating": "PG",
            "genres": ["Thriller", "Adventure"],
        },
        {
            "title": "Amélie",
            "year": 2001,
            "runtime_minutes": 122,
            "vote_average": 7.9,
            "popularity": 47,
            "age_rating": "R",
            "genres": ["Comedy", "Romance"],
        },
        {
            "title": "The Shawshank Redemption",
            "year": 1994,
            "runtime_minutes": 142,
            "vote_average": 8.7,
            "popularity": 160,
            "age_rating": "R",
            "genres": ["Drama"],
        },
        {
            "title": "Zazie dans le métro",
            "year": 1960,
            "runtime_minutes": 89,
            "vote_average": 6.9,
            "popularity": 5,
            "age_rating": None,
            "genres": ["Comedy"],
        },
        {
            "title": "千と千尋の神隠し",
            "year": 2001,
            "runtime_minutes": 90,
            "vote_average": 8.5,
            "popularity": 92,
            "age_rating": "PG",
            "genres": ["Animation"],
        },
        {
            "title": "Сталкер",
            "year": 1979,
            "runtime_minutes": 120,
            "vote_average": None,
            "popularity": 28,
            "age_rating": "NR",
            "genres": [],
        },
        {"title": "An Announcement", "popularity": 0},
    ]
    moments = (datetime(2026, 1, day, tzinfo=UTC) for day in range(1, 29))
    return {row["title"]: make(Movie, added_at=next(moments), **row) for row in rows}
