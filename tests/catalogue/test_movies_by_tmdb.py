"""Films by way of TMDB: the whole server on one side, a TMDB that can fail on the other."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, select, update

from marquee.catalogue.movies import sources
from marquee.catalogue.movies.models import Movie
from tests.answers import refused
from tests.committed import Committed
from tests.contract.checking import check_answer
from tests.fakes.tmdb import KEY, FakeTmdb
from tests.fakes.tmdb_films import FILMS, Film
from tests.queries import statements
from tests.serving import serving_with

FIGHT_CLUB = 550
IMDB = "tt0137523"
Serve = Callable[..., httpx.Client]


@pytest.fixture
def serve(tmdb: FakeTmdb) -> Iterator[Serve]:
    """Serve with settings, and call as nobody."""
    with ExitStack() as opened:

        def serve(**changes: Any) -> httpx.Client:
            url = opened.enter_context(serving_with(**changes))
            hooks = {"response": [check_answer]}
            client = httpx.Client(base_url=f"{url}/api/v1", event_hooks=hooks, timeout=30)
            return opened.enter_context(client)

        yield serve


@pytest.fixture
def user(serve: Serve, real: Committed) -> tuple[httpx.Client, int]:
    """A user's client, and the user's id."""
    account = real.user()
    url = str(serve().base_url).removesuffix("/api/v1/")
    return real.client(url, account), account.id


def films(real: Committed, tmdb_id: int) -> list[Any]:
    real.session.rollback()
    columns = (Movie.id, Movie.title, Movie.updated_at, Movie.imdb_id, Movie.overview)
    return list(real.session.execute(select(*columns).where(Movie.tmdb_id == tmdb_id)))


def year(film: Film) -> int:
    return int(film.released[:4])


class TestListPopularMovies:
    def test_lists_what_tmdb_lists_in_its_order(self, serve: Serve) -> None:
        page = serve().get("/movies/popular").json()
        popular = sorted(FILMS.values(), key=lambda film: -film.popularity)
        assert [film["title"] for film in page["results"]] == [film.title for film in popular[:20]]
        assert (page["page"], page["total_pages"], page["total_results"]) == (1, 3, len(FILMS))
        first = page["results"][0]
        assert (first["popularity"], first["release_date"]) == (
            popular[0].popularity,
            popular[0].released,
        )

    def test_takes_pages(self, serve: Serve) -> None:
        client = serve()
        seen = [
            film["id"]
            for page in (1, 2, 3, 4)
            for film in client.get("/movies/popular", params={"page": page}).json()["results"]
        ]
        assert len(set(seen)) == len(seen) == len(FILMS)

    def test_its_ids_are_ids_everywhere(self, serve: Serve, user: tuple[httpx.Client, int]) -> None:
        listed = serve().get("/movies/popular").json()["results"]
        client, user_id = user
        movie_id = listed[0]["id"]
        favorite = client.post(f"/users/{user_id}/favorites", json={"movie_id": movie_id})
        rating = client.post("/movies/ratings", json={"movie_id": movie_id, "rating": 4.5})
        assert (favorite.status_code, rating.status_code) == (201, 201)
        shown = client.get(f"/movies/{movie_id}").json()
        assert (shown["title"], shown["attribution"]) == (listed[0]["title"], sources.ATTRIBUTION)
        (kept,) = client.get(f"/users/{user_id}/favorites").json()["favorites"]
        assert (kept["title"], kept["user_rating"]) == (listed[0]["title"], 4.5)

    def test_imports_again_only_what_has_changed(self, serve: Serve, real: Committed) -> None:
        client = serve(cache_duration_seconds=0)
        client.get("/movies/popular?page=1")
        popular = sorted(FILMS.values(), key=lambda film: -film.popularity)
        changed, same = popular[0].id, popular[1].id
        (before,), (other,) = films(real, changed), films(real, same)
        real.session.execute(
            update(Movie).where(Movie.id == before.id).values(title="An old title")
        )
        real.session.commit()
        client.get("/movies/popular?page=1")
        (after,) = films(real, changed)
        assert (after.id, after.title) == (before.id, before.title)
        assert after.updated_at > before.updated_at
        assert films(real, same) == [other]

    def test_are_those_of_the_catalogue_that_have_an_imdb_id_alone(
        self, serve: Serve, real: Committed, engine: Engine
    ) -> None:
        first, second, third, fourth = sorted(FILMS.values(), key=lambda film: -film.popularity)[:4]
        ours = real.movie(first.title, year=year(first), imdb_id=first.imdb_id)
        others = [
            real.movie(second.title, year=year(second) + 1),
            real.movie(third.title, year=year(third), imdb_id="tt0000001"),
            real.movie(third.title, year=year(third), imdb_id="tt0000002"),
        ]
        theirs = real.movie("Another title", tmdb_id=fourth.id)
        others.append(real.movie(fourth.title, year=year(fourth)))
        client = serve(cache_duration_seconds=0)
        with statements(engine) as sent:
            shown = client.get("/movies/popular").json()["results"]
        assert len(sent) == 7
        assert [shown[0]["id"], shown[3]["id"]] == [ours.id, theirs.id]
        real.session.refresh(ours)
        assert (ours.tmdb_id, ours.imdb_id) == (first.id, first.imdb_id)
        for other in others:
            real.session.refresh(other)
            assert other.tmdb_id is None
        with statements(engine) as sent:
            client.get("/movies/popular")
        assert len(sent) == 4

    def test_bad_items_are_left_out(self, serve: Serve, tmdb: FakeTmdb) -> None:
        tmdb.breaks("bad_items")
        assert len(serve().get("/movies/popular").json()["results"]) == 10

    @pytest.mark.parametrize(
        "fault,status,code",
        [
            ({"kind": "status", "status": 503}, 503, "EXTERNAL_API_ERROR"),
            ({"kind": "status", "status": 401}, 503, "EXTERNAL_API_ERROR"),
            ({"kind": "status", "status": 404}, 503, "EXTERNAL_API_ERROR"),
            ({"kind": "status", "status": 429, "retry_after": "60"}, 503, "EXTERNAL_API_ERROR"),
            ({"kind": "reset"}, 503, "EXTERNAL_API_ERROR"),
            ({"kind": "truncated"}, 503, "EXTERNAL_API_ERROR"),
            ({"kind": "broken_json"}, 503, "EXTERNAL_API_ERROR"),
            ({"kind": "html"}, 503, "EXTERNAL_API_ERROR"),
            ({"kind": "empty"}, 503, "EXTERNAL_API_ERROR"),
            ({"kind": "wrong_types"}, 503, "EXTERNAL_API_ERROR"),
            ({"kind": "huge"}, 503, "EXTERNAL_API_ERROR"),
            ({"kind": "redirect"}, 503, "EXTERNAL_API_ERROR"),
            ({"kind": "slow", "seconds": 5}, 504, "EXTERNAL_API_TIMEOUT"),
            ({"kind": "drip", "seconds": 0.1}, 504, "EXTERNAL_API_TIMEOUT"),
        ],
        ids=lambda value: value["kind"] if isinstance(value, dict) else None,
    )
    def test_says_that_tmdb_fails(
        self, serve: Serve, tmdb: FakeTmdb, fault: dict[str, Any], status: int, code: str
    ) -> None:
        tmdb.breaks(**fault)
        answer = serve().get("/movies/popular")
        assert refused(answer) == (status, code)
        asked = fault.get("retry_after")
        assert 1 <= int(answer.headers["retry-after"]) <= 60
        assert asked is None or answer.headers["retry-after"] == asked
        assert answer.headers["cache-control"] == "no-store"
        assert KEY not in answer.text

    def test_tries_again(self, serve: Serve, tmdb: FakeTmdb) -> None:
        tmdb.breaks("status", status=503, times=3)
        assert serve().get("/movies/popular").status_code == 200
        assert len(tmdb.seen) == 4

    def test_serves_the_last_good_page_when_tmdb_is_down(
        self, serve: Serve, tmdb: FakeTmdb
    ) -> None:
        client = serve(cache_duration_seconds=1)
        first = client.get("/movies/popular")
        assert first.headers["cache-status"] == "marquee; fwd=miss; stored; ttl=1"
        tmdb.stop()
        time.sleep(1.1)
        old = client.get("/movies/popular")
        assert (old.status_code, old.content) == (200, first.content)
        assert int(old.headers["age"]) >= 1
        assert old.headers["cache-status"].startswith(
            "marquee; hit; fwd=stale; fwd-status=503; ttl="
        )
        assert refused(client.get("/movies/popular?page=2")) == (503, "EXTERNAL_API_ERROR")

    def test_comes_back(self, serve: Serve, tmdb: FakeTmdb) -> None:
        client = serve()
        tmdb.breaks("broken_json")
        assert client.get("/movies/popular").status_code == 503
        tmdb.heals()
        assert client.get("/movies/popular").status_code == 200

    def test_many_at_once_ask_tmdb_once(self, serve: Serve, tmdb: FakeTmdb) -> None:
        client = serve()
        tmdb.breaks("slow", seconds=0.3)
        together = threading.Barrier(20)

        def get(_number: int) -> httpx.Response:
            together.wait()
            return client.get("/movies/popular")

        with ThreadPoolExecutor(20) as threads:
            answers = list(threads.map(get, range(20)))
        assert {answer.status_code for answer in answers} == {200}
        assert len({answer.content for answer in answers}) == 1
        assert len(tmdb.seen) == 1

    def test_the_circuit_opens(self, serve: Serve, tmdb: FakeTmdb) -> None:
        client = serve()
        tmdb.breaks("broken_json")
        for _ in range(8):
            assert client.get("/movies/popular").status_code == 503
        assert len(tmdb.seen) == 5
        tmdb.heals()
        assert 1 <= int(client.get("/movies/popular").headers["retry-after"]) <= 30
        assert len(tmdb.seen) == 5


class TestCreateByTmdbId:
    """`POST /users/{user_id}/favorites` and `POST /movies/ratings` with the id of TMDB."""

    def test_imports_the_film(self, user: tuple[httpx.Client, int], real: Committed) -> None:
        client, user_id = user
        made = client.post(f"/users/{user_id}/favorites", json={"tmdb_id": FIGHT_CLUB})
        assert made.status_code == 201
        shown = client.get(f"/movies/{made.json()['movie_id']}").json()
        assert (shown["tmdb_id"], shown["imdb_id"]) == (FIGHT_CLUB, IMDB)
        assert (shown["title"], shown["runtime_minutes"]) == ("Fight Club", 139)
        assert (shown["age_rating"], shown["status"]) == ("R", "released")
        assert shown["genres"] == ["Drama"]
        rated = client.post("/movies/ratings", json={"tmdb_id": FIGHT_CLUB, "rating": 5})
        assert (rated.status_code, rated.json()["movie_id"]) == (201, shown["id"])
        assert len(films(real, FIGHT_CLUB)) == 1

    def test_asks_only_for_what_the_catalogue_lacks(
        self, user: tuple[httpx.Client, int], real: Committed, tmdb: FakeTmdb
    ) -> None:
        client, user_id = user
        film = real.movie("Jaws", tmdb_id=578)
        made = client.post(f"/users/{user_id}/favorites", json={"tmdb_id": 578})
        assert made.json()["movie_id"] == film.id
        assert tmdb.seen == []

    def test_a_film_that_tmdb_lacks_too(self, user: tuple[httpx.Client, int]) -> None:
        client, user_id = user
        body = {"tmdb_id": 2_000_000_000}
        answer = client.post(f"/users/{user_id}/favorites", json=body)
        assert refused(answer) == (404, "MOVIE_NOT_FOUND")
        rated = client.post("/movies/ratings", json=body | {"rating": 1})
        assert refused(rated) == (404, "MOVIE_NOT_FOUND")

    @pytest.mark.parametrize(
        "fault,status,code",
        [
            ({"kind": "broken_json"}, 503, "EXTERNAL_API_ERROR"),
            ({"kind": "slow", "seconds": 5}, 504, "EXTERNAL_API_TIMEOUT"),
        ],
        ids=["broken", "slow"],
    )
    def test_says_that_tmdb_fails(
        self,
        user: tuple[httpx.Client, int],
        tmdb: FakeTmdb,
        fault: dict[str, Any],
        status: int,
        code: str,
    ) -> None:
        client, user_id = user
        tmdb.breaks(**fault)
        headers = {"Idempotency-Key": "again"}
        path, body = f"/users/{user_id}/favorites", {"tmdb_id": FIGHT_CLUB}
        assert refused(client.post(path, json=body, headers=headers)) == (status, code)
        tmdb.heals()
        assert client.post(path, json=body, headers=headers).status_code == 201

    def test_says_so_to_a_rating_too(self, user: tuple[httpx.Client, int], tmdb: FakeTmdb) -> None:
        tmdb.breaks(kind="slow", seconds=5)
        rated = user[0].post("/movies/ratings", json={"tmdb_id": FIGHT_CLUB, "rating": 1})
        assert refused(rated) == (504, "EXTERNAL_API_TIMEOUT")

    def test_takes_a_film_that_is_known_by_its_imdb_id(
        self, user: tuple[httpx.Client, int], real: Committed
    ) -> None:
        """The films of the demo have no TMDB id. They keep their own id, and what TMDB lacks."""
        film = real.movie("Fight club", imdb_id=IMDB, trailer_url="https://example.org/trailer")
        client, user_id = user
        made = client.post(f"/users/{user_id}/favorites", json={"tmdb_id": FIGHT_CLUB})
        assert (made.status_code, made.json()["movie_id"]) == (201, film.id)
        shown = client.get(f"/movies/{film.id}").json()
        assert (shown["tmdb_id"], shown["title"]) == (FIGHT_CLUB, "Fight Club")
        assert shown["trailer_url"] == "https://example.org/trailer"

    def test_an_imdb_id_that_another_film_has(
        self, user: tuple[httpx.Client, int], real: Committed
    ) -> None:
        other = real.movie("Another", imdb_id=IMDB, tmdb_id=999_999)
        client, user_id = user
        made = client.post(f"/users/{user_id}/favorites", json={"tmdb_id": FIGHT_CLUB})
        assert made.status_code == 201
        (film,) = films(real, FIGHT_CLUB)
        assert (film.id == other.id, film.imdb_id) == (False, None)
        assert films(real, 999_999)[0].imdb_id == IMDB

    def test_what_tmdb_does_not_know_stays(self, serve: Serve, real: Committed) -> None:
        announced = real.movie("The Untitled Sequel", tmdb_id=1_999_999, overview="Ours.")
        serve().get("/movies/popular?page=3")
        (film,) = films(real, announced.tmdb_id or 0)
        assert (film.id, film.overview) == (announced.id, "Ours.")

    def test_two_at_once_import_it_once(
        self, serve: Serve, real: Committed, tmdb: FakeTmdb
    ) -> None:
        url = str(serve().base_url).removesuffix("/api/v1/")
        accounts = [real.user() for _ in range(4)]
        clients = [real.client(url, account) for account in accounts]
        tmdb.breaks("slow", seconds=0.2)

        def keep(number: int) -> httpx.Response:
            path = f"/users/{accounts[number].id}/favorites"
            return clients[number].post(path, json={"tmdb_id": FIGHT_CLUB})

        with ThreadPoolExecutor(4) as threads:
            answers = list(threads.map(keep, range(4)))
        assert [answer.status_code for answer in answers] == [201] * 4
        assert len(films(real, FIGHT_CLUB)) == 1
