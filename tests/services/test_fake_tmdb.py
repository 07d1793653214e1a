"""The fake TMDB is honest: a public client can use it, and it says no as TMDB does."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import tmdbsimple  # type: ignore[import-untyped]

from tests.fakes.tmdb import KEY, TOKEN, FakeTmdb


@pytest.fixture
def fake() -> Iterator[FakeTmdb]:
    with FakeTmdb() as fake:
        yield fake


class TestFake:
    @pytest.fixture
    def simple(self, fake: FakeTmdb, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeTmdb]:
        with requests.Session() as session:
            monkeypatch.setattr(tmdbsimple, "API_KEY", KEY)
            monkeypatch.setattr(tmdbsimple, "REQUESTS_SESSION", session)
            yield fake

    def test_serves_a_public_client(self, simple: FakeTmdb) -> None:
        def of(resource: Any) -> Any:
            resource.base_uri = simple.url
            return resource

        popular = of(tmdbsimple.Movies()).popular(page=2)
        assert (popular["page"], len(popular["results"])) == (2, 20)
        search = of(tmdbsimple.Search())
        search.movie(query="the matrix", include_adult=False)
        assert [film["id"] for film in search.results] == [603, 604]
        film = of(tmdbsimple.Movies(search.results[0]["id"]))
        details = film.info(append_to_response="external_ids,release_dates")
        assert (film.title, film.runtime) == ("The Matrix", 136)
        assert details["external_ids"]["imdb_id"] == "tt0133093"
        assert details["release_dates"]["results"][0]["iso_3166_1"] == "US"
        assert of(tmdbsimple.Movies(603)).external_ids()["id"] == 603
        assert len(of(tmdbsimple.Genres()).movie_list()["genres"]) == 19
        assert "w342" in of(tmdbsimple.Configuration()).info()["images"]["poster_sizes"]
        with pytest.raises(requests.HTTPError, match="404"):
            of(tmdbsimple.Movies(999)).info()

    def test_serves_it_series_and_people(self, simple: FakeTmdb) -> None:
        def of(resource: Any) -> Any:
            resource.base_uri = simple.url
            return resource

        search = of(tmdbsimple.Search())
        search.tv(query="breaking bad", first_air_date_year=2008)
        show = of(tmdbsimple.TV(search.results[0]["id"]))
        details = show.info(append_to_response="credits,content_ratings,watch/providers")
        assert (show.name, show.number_of_seasons) == ("Breaking Bad", 5)
        assert details["credits"]["cast"][0]["character"] == "Walter White"
        assert set(details["watch/providers"]["results"]) == {"DE", "US"}
        assert show.external_ids()["tvdb_id"] == 81189
        season = of(tmdbsimple.TV_Seasons(1396, 1)).info()
        assert len(season["episodes"]) == 7
        episode = of(tmdbsimple.TV_Episodes(1396, 1, 1)).info()
        assert episode["guest_stars"][0]["character"] == "Steven Gomez"
        assert of(tmdbsimple.People(287)).info()["name"] == "Brad Pitt"
        assert len(of(tmdbsimple.Collections(119)).info()["parts"]) == 3
        found = of(tmdbsimple.Find("tt0903747")).info(external_source="imdb_id")
        assert found["tv_results"][0]["id"] == 1396
        assert of(tmdbsimple.Movies(603)).recommendations()["results"]
        with pytest.raises(requests.HTTPError, match="404"):
            of(tmdbsimple.TV_Seasons(1396, 9)).info()

    def test_serves_it_by_token(self, simple: FakeTmdb, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(tmdbsimple, "API_KEY", TOKEN)
        monkeypatch.setattr(tmdbsimple, "USE_BEARER_AUTH", True)
        movies = tmdbsimple.Movies(550)
        movies.base_uri = simple.url
        assert movies.release_dates()["id"] == 550

    @pytest.mark.parametrize(
        "path,status,code",
        [
            ("/movie/popular", 401, 7),
            ("/nowhere", 401, 7),
            (f"/movie/popular?api_key={KEY}&page=501", 400, 22),
            (f"/movie/popular?api_key={KEY}&page=0", 400, 22),
            (f"/movie/popular?api_key={KEY}&page=x", 400, 22),
            (f"/movie/1?api_key={KEY}", 404, 34),
            (f"/nowhere?api_key={KEY}", 404, 34),
            (f"/movie/550?api_key={KEY}&append_to_response={'a,' * 21}", 400, 27),
        ],
    )
    def test_says_no_as_tmdb_does(self, fake: FakeTmdb, path: str, status: int, code: int) -> None:
        answer = requests.get(fake.url + path, timeout=5)
        said = answer.json()
        assert (answer.status_code, said["status_code"], said["success"]) == (status, code, False)
        assert set(said) == {"success", "status_code", "status_message"}

    def test_limits(self, fake: FakeTmdb) -> None:
        fake.breaks("status", status=429, times=2, retry_after="3")
        url = f"{fake.url}/movie/550?api_key={KEY}"
        answers = [requests.get(url, timeout=5) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [429, 429, 200]
        assert (answers[0].headers["Retry-After"], answers[0].json()["status_code"]) == ("3", 25)

    def test_can_be_broken_from_another_process(self, fake: FakeTmdb) -> None:
        control = fake.url.removesuffix("/3") + "/_fake"
        url = f"{fake.url}/movie/550?api_key={KEY}"
        fault = {"kind": "status", "status": 503}
        assert requests.put(f"{control}/fault", json=fault, timeout=5).ok
        assert requests.get(url, timeout=5).status_code == 503
        assert requests.delete(f"{control}/fault", timeout=5).ok
        assert requests.get(url, timeout=5).status_code == 200
        counted = requests.get(f"{control}/requests", timeout=5).json()
        assert counted == {"count": 2, "requests": ["GET /3/movie/550"] * 2}

    def test_can_refuse_connections_for_a_while(self, fake: FakeTmdb) -> None:
        control = fake.url.removesuffix("/3") + "/_fake"
        fault = {"kind": "refused", "seconds": 0.3}
        assert requests.put(f"{control}/fault", json=fault, timeout=5).ok
        time.sleep(0.2)
        with pytest.raises(requests.ConnectionError, match="refused"):
            requests.get(fake.url, timeout=5)
        time.sleep(0.3)
        assert requests.get(fake.url, timeout=5).status_code == 401
