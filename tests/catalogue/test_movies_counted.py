"""openapi/catalogue/movies.yaml: totals of long lists."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from sqlalchemy import insert, update

from marquee import db
from marquee.catalogue.movies.models import Movie

Make = Callable[..., Any]


class TestTotalsOfMovies:
    @pytest.fixture
    def many(self, database: None) -> None:
        """10,050 films: half of them of 2001, a third of them comedies."""
        row = {"search_title": "film", "sort_title": "film"}
        rows = [
            row
            | {
                "title": f"Film {number}",
                "year": 2001 if number % 2 else 1975,
                "genres": ["Comedy"] if number % 3 == 0 else [],
                "age_rating": "PG",
                "vote_average": 5.0,
                "runtime_minutes": 100,
            }
            for number in range(10_050)
        ]
        db.session.execute(insert(Movie), rows)
        db.session.commit()

    def test_are_exact_to_10000_and_estimated_beyond(
        self, client: httpx.Client, many: None
    ) -> None:
        half = client.get("/movies", params={"year_from": 2001}).json()
        assert (half["total_results"], half["total_is_estimate"]) == (5025, False)
        assert half["total_pages"] == 252
        whole = client.get("/movies").json()
        assert whole["total_is_estimate"] is True
        assert whole["total_results"] > 10_000
        # Every filter at once: the estimate is made of the same statement, with its values.
        db.session.execute(update(Movie).values(genres=["Comedy", "100% o'drama"]))
        db.session.commit()
        answer = client.get(
            "/movies?genre=Comedy&genre=100%25 o'drama&age_rating=PG&age_rating=R&min_score=1"
            "&year_from=1900&year_to=2100&duration=90-120&query=film"
        )
        page = answer.json()
        assert (page["total_is_estimate"], len(page["results"])) == (True, 20)
