"""openapi/catalogue/movies.yaml: what belongs to one film."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, select

from marquee import db
from marquee.catalogue.collections.models import Collection
from marquee.catalogue.companies.models import Studio
from marquee.catalogue.files.models import MediaFile
from marquee.catalogue.movies.models import Movie
from marquee.catalogue.people.models import Credit, Job, Person
from tests.answers import refused
from tests.queries import statements

Make = Callable[..., Any]
NOWHERE = 9_007_199_254_740_991
PARTS = ["cast", "crew", "files", "genres", "collection"]


@pytest.fixture
def film(make: Make) -> Movie:
    """A film with all that it can have."""
    saga = make(Collection, name="Jaws Collection", tmdb_collection_id=2366)
    film: Movie = make(
        Movie,
        title="Jaws",
        genres=["Thriller", "Adventure"],
        keywords=["shark", "beach"],
        studios=["Zanuck/Brown", "Universal Pictures"],
        collection_id=saga.id,
        awards_summary="3 Oscars",
        homepage="https://example.org/jaws",
        trailer_url="https://example.org/trailer",
        external_ratings=[
            {"source": "rotten_tomatoes", "value": "97%", "score": 9.7},
            {"source": "rotten_tomatoes_audience", "value": "90%", "score": 9.0},
            {"source": "metacritic", "value": "87/100", "score": 8.7},
        ],
        watch_providers=[
            {"country": "US", "kind": "rent", "provider_id": 2, "name": "Kino", "logo_path": None}
        ],
    )
    people = [
        ("Roy Scheider", Job.ACTOR, "Brody"),
        ("Robert Shaw", Job.ACTOR, "Quint"),
        ("Bill Butler", Job.CINEMATOGRAPHER, None),
        ("John Williams", Job.COMPOSER, None),
        ("Verna Fields", Job.EDITOR, None),
        ("Robert A. Mattey", "special effects", None),
    ]
    for position, (name, job, character) in enumerate(people):
        make(
            Credit,
            person_id=make(Person, name=name, tmdb_id=100 + position, profile_path="/p.jpg").id,
            movie_id=film.id,
            job=job,
            character=character,
            position=position,
            department="Crew" if job == "special effects" else None,
        )
    return film


class TestGetMovie:
    def test_shows_all_that_is_known(self, client: httpx.Client, film: Movie) -> None:
        shown = client.get(f"/movies/{film.id}").json()
        assert shown["keywords"] == ["shark", "beach"]
        studios = dict(db.session.execute(select(Studio.name, Studio.id)).all())
        assert shown["studios"] == [{"id": studios[name], "name": name} for name in film.studios]
        assert shown["collection"] == {"id": film.collection_id, "name": "Jaws Collection"}
        scores = [shown[name] for name in ("rt_score", "rt_audience_score", "metacritic_score")]
        assert scores == [97, 90, 87]
        assert shown["watch_providers"] == film.watch_providers
        for job, name in [
            ("cinematographers", "Bill Butler"),
            ("composers", "John Williams"),
            ("editors", "Verna Fields"),
        ]:
            assert [person["name"] for person in shown[job]] == [name]
        assert shown["cast_members"][0]["profile_path"] == "/p.jpg"
        assert (shown["awards_summary"], shown["homepage"]) == (
            "3 Oscars",
            "https://example.org/jaws",
        )
        assert shown["poster_url"].endswith(f"/movies-{film.id}.webp")

    def test_a_film_of_which_nothing_is_known(self, client: httpx.Client, make: Make) -> None:
        shown = client.get(f"/movies/{make(Movie).id}").json()
        assert (shown["studios"], shown["collection"], shown["editors"]) == ([], None, [])
        assert (shown["rt_audience_score"], shown["watch_providers"]) == (None, [])

    def test_costs_three_statements(
        self, client: httpx.Client, engine: Engine, film: Movie
    ) -> None:
        with statements(engine) as sent:
            client.get(f"/movies/{film.id}")
        assert len(sent) == 3


@pytest.mark.parametrize("part", PARTS)
class TestPartsOfMovies:
    def test_of_an_unknown_film(self, client: httpx.Client, database: None, part: str) -> None:
        assert refused(client.get(f"/movies/{NOWHERE}/{part}")) == (404, "MOVIE_NOT_FOUND")

    def test_what_is_no_id(self, client: httpx.Client, part: str) -> None:
        assert refused(client.get(f"/movies/0/{part}")) == (400, "VALIDATION_ERROR")


class TestListMovieCast:
    def test_in_the_order_of_billing(self, client: httpx.Client, film: Movie) -> None:
        page = client.get(f"/movies/{film.id}/cast", params={"page_size": 1}).json()
        assert (page["total_results"], page["total_pages"]) == (2, 2)
        (first,) = page["results"]
        del first["id"], first["person_id"]
        assert first == {
            "tmdb_person_id": 100,
            "name": "Roy Scheider",
            "credit_type": "cast",
            "character": "Brody",
            "job": "actor",
            "department": "Acting",
            "cast_order": 0,
            "profile_path": "/p.jpg",
        }


class TestListMovieCrew:
    def test_everybody_but_the_cast(self, client: httpx.Client, film: Movie) -> None:
        found = client.get(f"/movies/{film.id}/crew").json()["results"]
        assert [(each["name"], each["job"], each["department"]) for each in found] == [
            ("Bill Butler", "cinematographer", "Camera"),
            ("John Williams", "composer", "Sound"),
            ("Verna Fields", "editor", "Editing"),
            ("Robert A. Mattey", "special effects", "Crew"),
        ]
        assert {(each["credit_type"], each["cast_order"]) for each in found} == {("crew", None)}


class TestListMovieFiles:
    @pytest.fixture
    def path(self, make: Make, film: Movie) -> str:
        """Where a file of the film lies."""
        path = "/films/Jaws (1975).mkv"
        make(
            MediaFile,
            movie_id=film.id,
            file_path=path,
            file_name="Jaws (1975).mkv",
            file_size_bytes=9_126_805_504,
            resolution="1080p",
            framerate=23.976,
            audio_languages=["en"],
        )
        return path

    def test_hides_where_they_lie(self, client: httpx.Client, film: Movie, path: str) -> None:
        (file,) = client.get(f"/movies/{film.id}/files").json()["files"]
        assert (file["file_path"], file["file_name"]) == (None, "Jaws (1975).mkv")
        assert (file["movie_id"], file["resolution"]) == (film.id, "1080p")

    def test_but_not_from_administrators(self, admin: httpx.Client, film: Movie, path: str) -> None:
        (file,) = admin.get(f"/movies/{film.id}/files").json()["files"]
        assert file["file_path"] == path


class TestListGenresOfMovie:
    def test_in_the_films_order(self, client: httpx.Client, film: Movie) -> None:
        found = client.get(f"/movies/{film.id}/genres").json()["genres"]
        assert [(each["slug"], each["name"]) for each in found] == [
            ("thriller", "Thriller"),
            ("adventure", "Adventure"),
        ]


class TestGetMovieCollection:
    def test_is_the_collection(self, client: httpx.Client, film: Movie) -> None:
        shown = client.get(f"/movies/{film.id}/collection").json()
        assert (shown["id"], shown["tmdb_collection_id"]) == (film.collection_id, 2366)

    def test_of_a_film_in_none(self, client: httpx.Client, make: Make) -> None:
        answer = client.get(f"/movies/{make(Movie).id}/collection")
        assert refused(answer) == (404, "COLLECTION_NOT_FOUND")
