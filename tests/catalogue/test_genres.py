"""openapi/catalogue/genres.yaml."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine

from marquee import db
from marquee.catalogue.movies.models import Movie
from tests.answers import refused
from tests.catalogue.genred import counts, make_titles
from tests.queries import statements

Make = Callable[..., Any]


@pytest.fixture
def titles(make: Make) -> dict[str, Any]:
    """Two films and a series, by title."""
    return make_titles(make)


class TestListGenres:
    def test_by_name_with_counts(self, client: httpx.Client, titles: dict[str, Any]) -> None:
        genres = client.get("/genres").json()["genres"]
        assert [
            (genre["name"], genre["slug"], genre["movie_count"], genre["tvshow_count"])
            for genre in genres
        ] == [
            ("Adventure", "adventure", 1, 1),
            ("Drama", "drama", 0, 1),
            ("Science Fiction", "science-fiction", 1, 0),
            ("Thriller", "thriller", 2, 0),
        ]
        assert len({genre["id"] for genre in genres}) == 4

    def test_follow_the_titles(self, client: httpx.Client, titles: dict[str, Any]) -> None:
        titles["Jaws"].genres = ["Thriller", "Horror"]
        db.session.delete(titles["Lost"])
        db.session.commit()
        answer = client.get("/genres")
        expected = {"Horror": 1, "Science Fiction": 1, "Thriller": 2}
        assert counts(answer, "movie_count") == expected
        assert set(counts(answer, "tvshow_count").values()) == {0}
        titles["Jaws"].popularity = 99
        db.session.commit()
        assert counts(client.get("/genres"), "movie_count") == expected

    def test_are_counted_however_often_tallies_are_summed_up(
        self, client: httpx.Client, make: Make
    ) -> None:
        for number in range(300):
            make(Movie, title=f"Film {number}", genres=["Drama"])
        assert counts(client.get("/genres"), "movie_count") == {"Drama": 300}

    def test_an_empty_catalogue_has_none(self, client: httpx.Client) -> None:
        assert client.get("/genres").json() == {"genres": []}

    def test_asks_once(self, client: httpx.Client, titles: dict[str, Any], engine: Engine) -> None:
        client.get("/genres")
        with statements(engine) as asked:
            client.get("/genres")
        assert len([each for each in asked if "genre_tallies" in each]) == 1

    def test_guests_may(self, client_of: Callable[..., httpx.Client], make_user: Make) -> None:
        assert client_of(make_user("guest")).get("/genres").status_code == 200

    def test_needs_a_credential(self, anonymous: httpx.Client) -> None:
        assert refused(anonymous.get("/genres")) == (401, "INVALID_TOKEN")
