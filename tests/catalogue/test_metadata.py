"""Metadata by TMDB's ids: by TMDB itself, while it fails, and without a key."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from marquee.catalogue.collections.models import Collection
from marquee.catalogue.metadata.columns import ATTRIBUTION
from marquee.catalogue.movies.models import Movie
from marquee.catalogue.people.models import Credit, Person
from marquee.catalogue.translations.models import Translation
from marquee.catalogue.tvshows.models import TVShow
from tests.answers import refused
from tests.catalogue.tmdb import FAULTS, Serve, kind
from tests.committed import Committed
from tests.fakes.tmdb import FakeTmdb

Make = Callable[..., Any]


class TestGetMetadataMovie:
    def test_shows_and_imports_all_of_it(
        self,
        serve: Serve,
        real: Committed,
    ) -> None:
        film = serve().get("/metadata/movie/550").json()
        assert (film["title"], film["imdb_id"], film["runtime_minutes"]) == (
            "Fight Club",
            "tt0137523",
            139,
        )
        assert [genre["name"] for genre in film["genres"]] == ["Drama"]
        assert [(each["name"], each["character"]) for each in film["cast_members"]] == [
            ("Edward Norton", "The Narrator"),
            ("Brad Pitt", "Tyler Durden"),
            ("Helena Bonham Carter", "Marla Singer"),
        ]
        jobs = {each["name"]: (each["job"], each["department"]) for each in film["crew"]}
        assert jobs["David Fincher"] == ("director", "Directing")
        assert jobs["Jim Uhls"] == ("writer", "Writing")
        assert jobs["Chuck Palahniuk"] == ("novel", "Writing")
        assert jobs["Jeff Cronenweth"] == ("cinematographer", "Camera")
        assert jobs["John King"] == ("composer", "Sound")
        assert "dual identity" in film["keywords"]
        assert (film["languages"], film["countries"]) == (
            ["English"],
            ["United States of America"],
        )
        assert (film["source"], film["attribution"]) == ("tmdb", ATTRIBUTION)
        row = real.session.scalars(select(Movie).where(Movie.tmdb_id == 550)).one()
        assert {image["image_type"] for image in row.images} == {"poster", "backdrop", "logo"}
        assert {each["country"] for each in row.watch_providers} == {"DE", "US"}
        assert row.external_ids["wikidata_id"] == "Q190050"
        assert row.metadata_updated_at is not None

    def test_has_a_collection_and_a_trailer(self, serve: Serve) -> None:
        client = serve()
        ring = client.get("/metadata/movie/120").json()
        assert ring["collection"]["tmdb_collection_id"] == 119
        other = client.get("/metadata/movie/121").json()
        assert other["collection"]["id"] == ring["collection"]["id"]
        matrix = client.get("/metadata/movie/603").json()
        assert matrix["trailer_url"] == "https://www.youtube.com/watch?v=vKQi3bBA1y8"

    def test_speaks_other_languages(self, serve: Serve, real: Committed) -> None:
        client = serve()
        told = client.get("/metadata/movie/238", params={"language": "fr"}).json()
        assert (told["title"], told["overview"][:8]) == ("Le Parrain", "The youn")
        assert client.get("/metadata/movie/238").json()["title"] == "The Godfather"
        kept = real.session.scalars(
            select(Translation.language).join(Movie).where(Movie.tmdb_id == 238)
        )
        assert set(kept) == {"de", "fr"}

    def test_changes_nothing_that_is_the_same(
        self,
        serve: Serve,
        real: Committed,
    ) -> None:
        client = serve(cache_duration_seconds=0)
        client.get("/metadata/movie/550")
        query = (
            select(Credit.id, Movie.updated_at, Movie.metadata_updated_at)
            .join(Movie)
            .where(Movie.tmdb_id == 550)
            .order_by(Credit.id)
        )
        before = real.session.execute(query).all()
        real.session.rollback()
        client.get("/metadata/movie/550")
        after = real.session.execute(query).all()
        assert [row[:2] for row in after] == [row[:2] for row in before]
        assert after[0][2] > before[0][2]

    def test_replaces_the_people_that_are_known_by_name(
        self,
        serve: Serve,
        real: Committed,
    ) -> None:
        film = real.movie("Fight Club", imdb_id="tt0137523")
        namesake = real.make(Person, name="David Fincher")
        stylist = real.make(Person, name="A Stylist")
        for person, job in ((namesake, "director"), (stylist, "hairstylist")):
            real.make(Credit, person_id=person.id, movie_id=film.id, job=job)
        ids = (namesake.id, stylist.id)
        shown = serve().get("/metadata/movie/550").json()
        assert shown["id"] == film.id
        of = {each["name"]: each["person_id"] for each in shown["crew"]}
        assert of["David Fincher"] != ids[0]
        assert of["A Stylist"] == ids[1]
        for person in (namesake, stylist):
            real.session.delete(person)
        real.session.commit()

    @pytest.mark.parametrize("fault,status,code", FAULTS, ids=kind)
    def test_says_that_tmdb_fails(
        self,
        serve: Serve,
        tmdb: FakeTmdb,
        fault: Any,
        status: int,
        code: str,
    ) -> None:
        tmdb.breaks(**fault)
        assert refused(serve().get("/metadata/movie/550")) == (status, code)

    def test_that_tmdb_lacks(self, serve: Serve) -> None:
        assert refused(serve().get("/metadata/movie/9")) == (404, "MOVIE_NOT_FOUND")

    def test_two_at_once_import_films_with_the_same_people(
        self,
        serve: Serve,
        real: Committed,
    ) -> None:
        client = serve()
        together = threading.Barrier(4)

        def get(tmdb_id: int) -> httpx.Response:
            together.wait()
            return client.get(f"/metadata/movie/{tmdb_id}")

        with ThreadPoolExecutor(4) as threads:
            answers = list(threads.map(get, (603, 604, 550, 807)))
        assert [answer.status_code for answer in answers] == [200] * 4
        keanu = select(func.count()).where(Person.tmdb_id == 6384)
        assert real.session.scalar(keanu) == 1

    def test_without_a_key_the_catalogue_answers(self, client: httpx.Client, make: Make) -> None:
        collection = make(Collection, name="Jaws Collection")
        film = make(Movie, title="Jaws", tmdb_id=578, collection_id=collection.id)
        shown = client.get("/metadata/movie/578").json()
        assert (shown["id"], shown["collection"]["id"]) == (film.id, collection.id)
        assert (shown["source"], shown["attribution"]) == ("catalogue", None)
        assert refused(client.get("/metadata/movie/579")) == (404, "MOVIE_NOT_FOUND")


class TestGetMetadataTvshow:
    def test_shows_and_imports_all_of_it(
        self,
        serve: Serve,
        real: Committed,
    ) -> None:
        ours = real.make(
            TVShow,
            title="Breaking bad",
            search_title="breaking bad",
            sort_title="breaking bad",
            imdb_id="tt0903747",
        )
        show = serve().get("/metadata/tv/1396").json()
        assert (show["id"], show["title"], show["tvdb_id"]) == (ours.id, "Breaking Bad", 81189)
        assert (show["total_seasons"], show["total_episodes"]) == (5, 62)
        assert [each["season_number"] for each in show["seasons"]] == [0, 1, 2, 3, 4, 5]
        assert [each["name"] for each in show["networks"]] == ["AMC"]
        assert show["networks"][0]["tmdb_id"] == 174
        assert (show["status"], show["show_type"], show["age_rating"]) == (
            "ended",
            "scripted",
            "TV-MA",
        )
        creators = [each["name"] for each in show["crew"] if each["job"] == "creator"]
        assert creators == ["Vince Gilligan"]
        assert show["episode_runtime_minutes"] == 45

    def test_leaves_an_id_to_the_series_that_has_it(
        self,
        serve: Serve,
        real: Committed,
    ) -> None:
        real.make(
            TVShow,
            title="Another",
            search_title="another",
            sort_title="another",
            tvdb_id=81189,
            tmdb_id=5,
        )
        assert serve().get("/metadata/tv/1396").json()["tvdb_id"] is None

    def test_says_that_tmdb_is_slow(self, serve: Serve, tmdb: FakeTmdb) -> None:
        tmdb.breaks("slow", seconds=5)
        assert refused(serve().get("/metadata/tv/1396")) == (504, "EXTERNAL_API_TIMEOUT")

    def test_without_a_key_the_catalogue_answers(self, client: httpx.Client, make: Make) -> None:
        show = make(TVShow, title="Dark", tmdb_id=70523)
        assert client.get("/metadata/tv/70523").json()["id"] == show.id
        assert refused(client.get("/metadata/tv/1")) == (404, "TV_SHOW_NOT_FOUND")
