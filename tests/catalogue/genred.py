"""Titles with genres, and how many a list counts of each."""

from collections.abc import Callable
from typing import Any

import httpx

from marquee.catalogue.movies.models import Movie
from marquee.catalogue.tvshows.models import TVShow

Make = Callable[..., Any]


def make_titles(make: Make) -> dict[str, Any]:
    """Two films and a series, by title."""
    return {
        "Jaws": make(Movie, title="Jaws", genres=["Thriller", "Adventure"]),
        "Heat": make(Movie, title="Heat", genres=["Thriller", "Science Fiction"]),
        "Lost": make(TVShow, title="Lost", genres=["Adventure", "Drama"]),
    }


def counts(answer: httpx.Response, name: str = "title_count") -> dict[str, int]:
    """The counts of an answer by genre."""
    assert answer.status_code == 200, answer.text
    return {genre["name"]: genre[name] for genre in answer.json()["genres"]}
