"""marquee/web/caching.py: answers of one user, in a Redis between two servers."""

import time
from collections.abc import Iterator

import httpx
import pytest
from sqlalchemy import Engine, delete, select

from marquee.catalogue.movies.models import Movie
from marquee.catalogue.translations.models import Translation
from marquee.taste.favorites.models import Favorite
from tests.committed import Committed, committed
from tests.redis_server import PASSWORD, RedisServer
from tests.serving import serving_with


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


@pytest.fixture(scope="module")
def servers(redis: RedisServer, engine: Engine) -> Iterator[tuple[str, str]]:
    """The addresses of two servers with one Redis."""
    shared = {"redis_url": redis.url, "redis_password": PASSWORD}
    with serving_with(**shared) as one, serving_with(**shared) as two:
        yield one, two


@pytest.fixture
def real(engine: Engine) -> Iterator[Committed]:
    with committed(engine) as made:
        yield made


def titles(client: httpx.Client, user_id: int) -> list[str]:
    answer = client.get(f"/users/{user_id}/favorites")
    assert answer.status_code == 200
    return [favorite["title"] for favorite in answer.json()["favorites"]]


def behind_the_back(real: Committed, user_id: int) -> None:
    """Remove a user's favourites without a word to any server."""
    real.session.execute(delete(Favorite).where(Favorite.user_id == user_id))
    real.session.commit()


def test_are_stored_for_one_user(real: Committed, servers: tuple[str, str]) -> None:
    me, other, film = real.user(), real.user("moderator"), real.movie("Jaws")
    mine, theirs = real.client(servers[0], me), real.client(servers[0], other)
    mine.post(f"/users/{me.id}/favorites", json={"movie_id": film.id})
    assert titles(mine, me.id) == ["Jaws"]
    behind_the_back(real, me.id)
    assert titles(mine, me.id) == ["Jaws"]
    assert titles(real.client(servers[1], me), me.id) == ["Jaws"]
    assert titles(theirs, me.id) == []


def test_are_stored_for_one_query(real: Committed, servers: tuple[str, str]) -> None:
    me = real.user()
    client, path = real.client(servers[0], me), f"/users/{me.id}/favorites"
    for title in ("Jaws", "Alien"):
        client.post(path, json={"movie_id": real.movie(title).id})
    assert len(client.get(path).json()["favorites"]) == 2
    assert len(client.get(f"{path}?limit=1").json()["favorites"]) == 1
    assert client.get(f"{path}?limit=0").status_code == 400


def test_are_stored_for_one_language(real: Committed, servers: tuple[str, str]) -> None:
    film = real.movie("Jaws")
    real.session.add(Translation(movie_id=film.id, language="de", title="Der weiße Hai"))
    real.session.commit()
    client = real.client(servers[0], real.user())
    for _ in range(2):
        for accepted, title in (("en", "Jaws"), ("de", "Der weiße Hai")):
            answer = client.get(f"/movies/{film.id}", headers={"Accept-Language": accepted})
            assert answer.json()["title"] == title


def test_ones_own_write_is_visible_at_once_on_every_server(
    real: Committed, servers: tuple[str, str]
) -> None:
    me = real.user()
    one, two = (real.client(url, me) for url in servers)
    path = f"/users/{me.id}/favorites"
    for number, title in enumerate(["Alien", "Brazil", "Casablanca"], 1):
        film = real.movie(title)
        made = one.post(path, json={"movie_id": film.id})
        assert len(titles(two, me.id)) == len(titles(one, me.id)) == number
    rated = two.post("/movies/ratings", json={"movie_id": film.id, "rating": 5})
    assert [each["user_rating"] for each in one.get(path).json()["favorites"]].count(5) == 1
    two.put(f"/movies/ratings/{rated.json()['id']}", json={"rating": 2})
    assert [each["user_rating"] for each in one.get(path).json()["favorites"]].count(2) == 1
    two.delete(f"{path}/{made.json()['id']}")
    assert sorted(titles(one, me.id)) == ["Alien", "Brazil"]


def test_a_write_while_redis_was_away_is_visible_afterwards(real: Committed) -> None:
    me = real.user()
    with RedisServer() as redis, redis.client() as store:
        shared = {"redis_url": redis.url, "redis_password": PASSWORD}
        with serving_with(**shared) as one, serving_with(**shared) as two:
            writer, reader = real.client(one, me), real.client(two, me)
            assert titles(writer, me.id) == titles(reader, me.id) == []
            kept = {key: store.dump(key) for key in store.keys("*private*")}
            redis.stop()
            film = real.movie("Alien")
            assert writer.post(f"/users/{me.id}/favorites", json={"movie_id": film.id}).is_success
            redis.start()
            for key, value in kept.items():
                store.restore(key, 60_000, value)
            deadline = time.monotonic() + 30
            while not store.keys(f"*generation:{me.id}"):
                assert time.monotonic() < deadline
                time.sleep(0.05)
            assert titles(writer, me.id) == titles(reader, me.id) == ["Alien"]


def test_an_administrators_write_is_visible_to_the_user_at_once(
    real: Committed, servers: tuple[str, str]
) -> None:
    me, boss, film = real.user(), real.user("admin"), real.movie("Jaws")
    mine, admin = real.client(servers[0], me), real.client(servers[1], boss)
    mine.post(f"/users/{me.id}/favorites", json={"movie_id": film.id})
    assert titles(mine, me.id) == titles(admin, me.id) == ["Jaws"]
    assert admin.delete(f"/admin/users/{me.id}/favorites").status_code == 204
    assert titles(mine, me.id) == titles(admin, me.id) == []


def test_a_refused_write_forgets_nothing(real: Committed, servers: tuple[str, str]) -> None:
    me, film = real.user(), real.movie("Jaws")
    client = real.client(servers[0], me)
    client.post(f"/users/{me.id}/favorites", json={"movie_id": film.id})
    assert titles(client, me.id) == ["Jaws"]
    behind_the_back(real, me.id)
    assert client.post("/movies/ratings", json={"movie_id": film.id}).status_code == 400
    assert titles(client, me.id) == ["Jaws"]


def test_have_etags_and_revoked_callers_get_none(
    real: Committed, servers: tuple[str, str], engine: Engine
) -> None:
    me = real.user()
    client = real.client(servers[0], me)
    first = client.get(f"/users/{me.id}/favorites")
    condition = {"If-None-Match": first.headers["etag"]}
    assert client.get(f"/users/{me.id}/favorites", headers=condition).status_code == 304
    me.is_active = False
    real.session.commit()
    assert client.get(f"/users/{me.id}/favorites").status_code == 401


def test_without_redis_nothing_is_stored(real: Committed, base_url: str) -> None:
    me, film = real.user(), real.movie("Jaws")
    client = real.client(base_url, me)
    client.post(f"/users/{me.id}/favorites", json={"movie_id": film.id})
    assert titles(client, me.id) == ["Jaws"]
    behind_the_back(real, me.id)
    assert titles(client, me.id) == []


def test_the_end_of_redis_is_harmless_and_quick(real: Committed) -> None:
    me = real.user()
    with (
        RedisServer() as own,
        serving_with(redis_url=own.url, redis_password=PASSWORD) as url,
    ):
        client = real.client(url, me)
        assert titles(client, me.id) == []
        own.stop()
        started = time.perf_counter()
        for number in range(5):
            film = real.movie(f"Film {number}")
            made = client.post(f"/users/{me.id}/favorites", json={"movie_id": film.id})
            assert made.status_code == 201
            assert len(titles(client, me.id)) == number + 1
        assert time.perf_counter() - started < 3
        assert real.session.scalar(select(Movie.id).where(Movie.title == "Film 4"))
