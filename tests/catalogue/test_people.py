"""openapi/catalogue/people.yaml."""

from collections.abc import Callable
from datetime import date
from typing import Any

import httpx
import pytest

from marquee.catalogue.movies.models import Movie
from marquee.catalogue.people.models import Credit, Job, Person
from marquee.catalogue.tvshows.models import TVShow
from tests.answers import refused

Make = Callable[..., Any]
NOWHERE = 9_007_199_254_740_991


@pytest.fixture
def person(make: Make) -> Person:
    """Somebody with films and a series."""
    person: Person = make(
        Person,
        name="Steven Spielberg",
        tmdb_id=488,
        birthday=date(1946, 12, 18),
        known_for_department="Directing",
        popularity=21.4,
    )
    titles: list[tuple[Movie | TVShow, str, str | None]] = [
        (make(Movie, title="Jaws", year=1975, release_date=date(1975, 6, 20)), Job.DIRECTOR, None),
        (make(Movie, title="Lost"), "producer", None),
        (make(TVShow, title="Amazing Stories", year=1985), Job.CREATOR, None),
        (
            make(Movie, title="The Blues Brothers", release_date=date(1980, 6, 20)),
            Job.ACTOR,
            "Clerk",
        ),
    ]
    for title, job, character in titles:
        owner = "movie_id" if isinstance(title, Movie) else "tvshow_id"
        make(Credit, person_id=person.id, job=job, character=character, **{owner: title.id})
    return person


class TestGetPerson:
    def test_shows_them(self, client: httpx.Client, person: Person) -> None:
        shown = client.get(f"/people/{person.id}").json()
        assert (shown["name"], shown["tmdb_id"]) == ("Steven Spielberg", 488)
        assert (shown["birthday"], shown["deathday"]) == ("1946-12-18", None)
        assert (shown["known_for_department"], shown["popularity"]) == ("Directing", 21.4)

    def test_an_unknown_one(self, client: httpx.Client, database: None) -> None:
        assert refused(client.get(f"/people/{NOWHERE}")) == (404, "PERSON_NOT_FOUND")


class TestListPersonCredits:
    def test_films_and_series_the_newest_first(self, client: httpx.Client, person: Person) -> None:
        page = client.get(f"/people/{person.id}/credits").json()
        assert page["total_results"] == 4
        found = [
            (each["kind"], each["title"], each["credit_type"], each["department"])
            for each in page["results"]
        ]
        assert found == [
            ("tvshow", "Amazing Stories", "crew", "Creator"),
            ("movie", "The Blues Brothers", "cast", "Acting"),
            ("movie", "Jaws", "crew", "Directing"),
            ("movie", "Lost", "crew", None),
        ]
        first, second, *_ = page["results"]
        assert (first["year"], second["character"]) == (1985, "Clerk")
        assert first["poster_url"].endswith(f"/tvshows-{first['title_id']}.webp")
        assert second["poster_url"].endswith(f"/movies-{second['title_id']}.webp")

    def test_by_pages(self, client: httpx.Client, person: Person) -> None:
        page = client.get(f"/people/{person.id}/credits", params={"page": 2, "page_size": 3}).json()
        assert [each["title"] for each in page["results"]] == ["Lost"]

    def test_of_an_unknown_one(self, client: httpx.Client, database: None) -> None:
        assert refused(client.get(f"/people/{NOWHERE}/credits")) == (404, "PERSON_NOT_FOUND")
