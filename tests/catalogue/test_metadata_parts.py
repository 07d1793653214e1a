"""Seasons, episodes, collections and people by TMDB's ids; what TMDB recommends."""

from collections.abc import Callable
from typing import Any

import httpx
from sqlalchemy import func, select

from marquee.catalogue.collections.models import Collection
from marquee.catalogue.metadata.columns import ATTRIBUTION
from marquee.catalogue.movies import sources as movie_sources
from marquee.catalogue.movies.models import Movie
from marquee.catalogue.people.models import Credit, Person
from marquee.catalogue.tvshows import sources as tvshow_sources
from marquee.catalogue.tvshows.models import Episode, Season, TVShow
from marquee.db import transaction
from tests.answers import refused
from tests.catalogue.tmdb import Serve
from tests.committed import Committed
from tests.fakes.tmdb import FakeTmdb

Make = Callable[..., Any]


class TestGetMetadataSeason:
    def test_imports_the_series_and_all_episodes(
        self,
        serve: Serve,
        real: Committed,
    ) -> None:
        client = serve()
        season = client.get("/metadata/tv/1396/season/1").json()
        assert (season["season_number"], season["episode_count"]) == (1, 7)
        assert [each["episode_number"] for each in season["episodes"]] == [1, 2, 3, 4, 5, 6, 7]
        assert season["episodes"][0]["title"] == "Pilot"
        assert season["attribution"] == ATTRIBUTION
        count = select(func.count()).where(Episode.tvshow_id == season["tvshow_id"])
        assert real.session.scalar(count) == 7

    def test_follows_episodes_that_are_renumbered(
        self,
        serve: Serve,
        real: Committed,
    ) -> None:
        client = serve(cache_duration_seconds=0)
        season = client.get("/metadata/tv/1396/season/1").json()
        first = real.session.get(Episode, season["episodes"][0]["id"])
        assert first is not None
        moved = first.tmdb_id
        first.tmdb_id = None
        real.session.flush()
        real.make(
            Episode,
            tvshow_id=season["tvshow_id"],
            season_id=season["id"],
            season_number=1,
            episode_number=99,
            title="Pilot",
            tmdb_id=moved,
        )
        again = client.get("/metadata/tv/1396/season/1").json()
        numbers = {each["episode_number"]: each["tmdb_id"] for each in again["episodes"]}
        assert (numbers[1], numbers[99]) == (moved, None)

    def test_that_tmdb_lacks(self, serve: Serve) -> None:
        client = serve()
        assert refused(client.get("/metadata/tv/1396/season/9")) == (404, "SEASON_NOT_FOUND")
        assert refused(client.get("/metadata/tv/9/season/1")) == (404, "TV_SHOW_NOT_FOUND")

    def test_says_that_tmdb_is_slow(self, serve: Serve, tmdb: FakeTmdb) -> None:
        tmdb.breaks("slow", seconds=5)
        answer = serve().get("/metadata/tv/1396/season/1")
        assert refused(answer) == (504, "EXTERNAL_API_TIMEOUT")

    def test_without_a_key_the_catalogue_answers(self, client: httpx.Client, make: Make) -> None:
        show = make(TVShow, title="Dark", tmdb_id=70523)
        season = make(Season, tvshow_id=show.id, season_number=1, name="One", episode_count=10)
        shown = client.get("/metadata/tv/70523/season/1").json()
        assert (shown["id"], shown["episodes"]) == (season.id, [])


class TestGetMetadataEpisode:
    path = "/metadata/tv/1396/season/2/episode/3"

    def test_has_crew_and_guests(self, serve: Serve, real: Committed) -> None:
        episode = serve().get(self.path).json()
        assert (episode["season_number"], episode["episode_number"]) == (2, 3)
        (director,), (guest,) = episode["crew"], episode["guest_stars"]
        assert (director["name"], director["job"]) == ("Vince Gilligan", "director")
        assert (guest["name"], guest["character"]) == ("Steven Michael Quezada", "Steven Gomez")
        person = real.session.get(Person, guest["person_id"])
        assert person is not None
        assert person.tmdb_id == guest["tmdb_id"]

    def test_that_tmdb_lacks(self, serve: Serve) -> None:
        answer = serve().get("/metadata/tv/1396/season/2/episode/99")
        assert refused(answer) == (404, "EPISODE_NOT_FOUND")

    def test_says_that_tmdb_is_slow(self, serve: Serve, tmdb: FakeTmdb) -> None:
        tmdb.breaks("slow", seconds=5)
        assert refused(serve().get(self.path)) == (504, "EXTERNAL_API_TIMEOUT")

    def test_without_a_key_the_catalogue_answers(self, client: httpx.Client, make: Make) -> None:
        show = make(TVShow, title="Dark", tmdb_id=70523)
        season = make(Season, tvshow_id=show.id, season_number=1, name="One", episode_count=10)
        number = {"season_number": 1, "episode_number": 2}
        made = make(Episode, tvshow_id=show.id, season_id=season.id, title="Lies", **number)
        shown = client.get("/metadata/tv/70523/season/1/episode/2").json()
        assert (shown["id"], shown["crew"], shown["guest_stars"]) == (made.id, [], [])


class TestGetMetadataCollection:
    def test_imports_its_films(self, serve: Serve, real: Committed) -> None:
        ours = real.movie("The Two Towers", tmdb_id=121)
        shown = serve().get("/metadata/collection/119").json()
        assert [film["tmdb_id"] for film in shown["movies"]] == [120, 121, 122]
        assert shown["overview"] == "A ring and its end."
        real.session.refresh(ours)
        assert ours.collection_id == shown["id"]

    def test_that_tmdb_lacks(self, serve: Serve) -> None:
        answer = serve().get("/metadata/collection/1")
        assert refused(answer) == (404, "COLLECTION_NOT_FOUND")

    def test_says_that_tmdb_is_slow(self, serve: Serve, tmdb: FakeTmdb) -> None:
        tmdb.breaks("slow", seconds=5)
        answer = serve().get("/metadata/collection/119")
        assert refused(answer) == (504, "EXTERNAL_API_TIMEOUT")

    def test_without_a_key_the_catalogue_answers(self, client: httpx.Client, make: Make) -> None:
        made = make(Collection, name="Jaws Collection", tmdb_collection_id=2366)
        film = make(Movie, collection_id=made.id)
        shown = client.get("/metadata/collection/2366").json()
        assert (shown["id"], [each["id"] for each in shown["movies"]]) == (made.id, [film.id])


class TestGetMetadataPerson:
    def test_is_imported(self, serve: Serve, real: Committed) -> None:
        shown = serve().get("/metadata/person/287").json()
        assert (shown["name"], shown["birthday"]) == ("Brad Pitt", "1963-12-18")
        assert sorted(shown["movie_ids"]) == [550, 807]
        person = real.session.get(Person, shown["id"])
        assert person is not None
        assert (person.tmdb_id, person.imdb_id) == (287, "nm0000093")

    def test_that_tmdb_lacks(self, serve: Serve) -> None:
        assert refused(serve().get("/metadata/person/1")) == (404, "PERSON_NOT_FOUND")

    def test_says_that_tmdb_is_slow(self, serve: Serve, tmdb: FakeTmdb) -> None:
        tmdb.breaks("slow", seconds=5)
        assert refused(serve().get("/metadata/person/287")) == (504, "EXTERNAL_API_TIMEOUT")

    def test_without_a_key_the_catalogue_answers(self, client: httpx.Client, make: Make) -> None:
        person, film = make(Person, name="A", tmdb_id=7), make(Movie, tmdb_id=77)
        make(Credit, person_id=person.id, movie_id=film.id, job="actor")
        shown = client.get("/metadata/person/7").json()
        assert (shown["id"], shown["movie_ids"], shown["source"]) == (person.id, [77], "catalogue")


class TestRecommended:
    """`catalogue.movies.sources.recommended`, and the same of series."""

    def test_gives_rows_of_the_catalogue(self, tmdb: FakeTmdb, real: Committed) -> None:
        with transaction():
            films, shows = movie_sources.recommended(603), tvshow_sources.recommended(1399)
        assert films is not None
        assert shows is not None
        ids = [film["id"] for film in films.results]
        assert len(set(real.session.scalars(select(Movie.id).where(Movie.id.in_(ids))))) == len(ids)
        assert [show["tmdb_id"] for show in shows.results] == [1396, 94997, 70523, 87108]
        with transaction():
            assert movie_sources.recommended(9) is None

    def test_without_a_key_there_are_none(self) -> None:
        assert movie_sources.recommended(603) is None
        assert tvshow_sources.recommended(1399) is None
