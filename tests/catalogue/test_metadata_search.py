"""Searching TMDB: by itself, while it fails, and without a key."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from marquee.catalogue.metadata.columns import ATTRIBUTION
from marquee.catalogue.movies.models import Movie
from marquee.catalogue.tvshows.models import TVShow
from tests.answers import refused
from tests.catalogue.tmdb import FAULTS, Serve, kind
from tests.committed import Committed
from tests.fakes.tmdb import FakeTmdb

Make = Callable[..., Any]


class TestSearchMetadataMovies:
    path = "/metadata/search/movie"

    def test_finds_what_tmdb_finds_and_imports_it(self, serve: Serve) -> None:
        client = serve()
        page = client.get(self.path, params={"query": "the matrix"}).json()
        assert [film["tmdb_id"] for film in page["results"]] == [603, 604]
        assert (page["total_results"], page["total_pages"], page["source"]) == (2, 1, "tmdb")
        assert page["attribution"] == ATTRIBUTION
        first = page["results"][0]
        shown = client.get(f"/movies/{first['id']}").json()
        assert (shown["tmdb_id"], shown["title"]) == (603, "The Matrix")
        assert first["genres"] == shown["genres"] == ["Action", "Science Fiction"]

    def test_speaks_other_languages_and_leaves_the_catalogue_in_ours(
        self,
        serve: Serve,
        real: Committed,
    ) -> None:
        ours = real.movie("The Godfather", tmdb_id=238)
        query = {"query": "pate", "language": "de-DE"}
        (found,) = serve().get(self.path, params=query).json()["results"]
        assert (found["id"], found["title"]) == (ours.id, "Der Pate")
        real.session.refresh(ours)
        assert ours.title == "The Godfather"

    def test_narrows_by_year(self, serve: Serve) -> None:
        query = {"query": "blade runner", "year": 2017}
        (found,) = serve().get(self.path, params=query).json()["results"]
        assert found["tmdb_id"] == 335984

    @pytest.mark.parametrize("provider", ["tvdb", "radarr"])
    def test_has_one_provider(self, client: httpx.Client, provider: str) -> None:
        answer = client.get(self.path, params={"query": "jaws", "provider": provider})
        assert refused(answer) == (503, "NOT_CONFIGURED")

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
        answer = serve().get(self.path, params={"query": "matrix"})
        assert refused(answer) == (status, code)
        assert answer.headers["cache-control"] == "no-store"

    def test_serves_the_last_good_page_to_all_when_tmdb_is_down(
        self,
        serve: Serve,
        tmdb: FakeTmdb,
        real: Committed,
    ) -> None:
        client = serve(cache_duration_seconds=1)
        first = client.get(self.path, params={"query": "matrix"})
        assert first.headers["cache-status"] == "marquee; fwd=miss; stored; ttl=1"
        assert first.headers["cache-control"] == "private, no-cache"
        tmdb.stop()
        time.sleep(1.1)
        other = real.client(str(client.base_url).removesuffix("/api/v1/"), real.user())
        old = other.get(self.path, params={"query": "matrix"})
        assert (old.status_code, old.content) == (200, first.content)
        assert int(old.headers["age"]) >= 1
        assert old.headers["cache-status"].startswith("marquee; hit; fwd=stale; fwd-status=503;")
        tag = {"If-None-Match": old.headers["etag"]}
        assert other.get(self.path, params={"query": "matrix"}, headers=tag).status_code == 304
        assert refused(client.get(self.path, params={"query": "dune"}))[0] == 503

    def test_what_is_stored_is_for_those_who_may(
        self,
        serve: Serve,
        real: Committed,
    ) -> None:
        client = serve()
        client.get(self.path, params={"query": "matrix"})
        guest = real.client(str(client.base_url).removesuffix("/api/v1/"), real.user("guest"))
        answer = guest.get(self.path, params={"query": "matrix"})
        assert refused(answer) == (403, "INSUFFICIENT_PERMISSIONS")

    def test_many_at_once_ask_tmdb_once(self, serve: Serve, tmdb: FakeTmdb) -> None:
        client = serve()
        tmdb.breaks("slow", seconds=0.3)
        together = threading.Barrier(8)

        def get(_number: int) -> httpx.Response:
            together.wait()
            return client.get(self.path, params={"query": "matrix"})

        with ThreadPoolExecutor(8) as threads:
            answers = list(threads.map(get, range(8)))
        assert {answer.status_code for answer in answers} == {200}
        assert len(tmdb.seen) == 1

    def test_without_a_key_the_catalogue_answers(self, client: httpx.Client, make: Make) -> None:
        film = make(Movie, title="The Zyzzyva", year=1999, tmdb_id=77)
        make(Movie, title="Zyzzyva", year=1998)
        page = client.get(self.path, params={"query": "zyzzyva", "year": 1999}).json()
        assert [found["id"] for found in page["results"]] == [film.id]
        assert (page["source"], page["attribution"]) == ("catalogue", None)
        assert client.get(self.path, params={"query": "& | !"}).json()["results"] == []


class TestSearchMetadataTvshows:
    path = "/metadata/search/tv"

    def test_finds_what_tmdb_finds_and_imports_it(self, serve: Serve) -> None:
        client = serve()
        page = client.get(self.path, params={"query": "the dragon", "year": 2022}).json()
        (found,) = page["results"]
        assert (found["tmdb_id"], found["first_air_date"]) == (94997, "2022-08-21")
        assert found["genres"] == ["Sci-Fi & Fantasy", "Drama"]
        shown = client.get(f"/tvshows/{found['id']}").json()
        assert shown["title"] == "House of the Dragon"

    @pytest.mark.parametrize("provider", ["tvdb", "sonarr"])
    def test_has_one_provider(self, client: httpx.Client, provider: str) -> None:
        answer = client.get(self.path, params={"query": "jaws", "provider": provider})
        assert refused(answer) == (503, "NOT_CONFIGURED")

    def test_says_that_tmdb_is_slow(self, serve: Serve, tmdb: FakeTmdb) -> None:
        tmdb.breaks("slow", seconds=5)
        answer = serve().get(self.path, params={"query": "dark"})
        assert refused(answer) == (504, "EXTERNAL_API_TIMEOUT")

    def test_without_a_key_the_catalogue_answers(self, client: httpx.Client, make: Make) -> None:
        show = make(TVShow, title="The Zyzzyva", year=1999, tmdb_id=77)
        page = client.get(self.path, params={"query": "zyzzyva"}).json()
        assert [found["id"] for found in page["results"]] == [show.id]
