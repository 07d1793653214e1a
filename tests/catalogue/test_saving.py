"""Saving what TMDB says, while others save or import as well."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, select, text
from sqlalchemy.pool import QueuePool

from marquee.catalogue import importing
from marquee.catalogue.movies.models import Movie
from tests.answers import refused
from tests.catalogue.tmdb import Serve, show
from tests.committed import Committed
from tests.fakes.tmdb import FakeTmdb

PATIENCE = 30.0
FILM = "INSERT INTO movies (tmdb_id, title, search_title, sort_title) VALUES (550, 'X', 'x', 'x')"
SEASON = (
    "INSERT INTO seasons (tvshow_id, season_number, name, episode_count) VALUES (:id, :n, 'x', 5)"
)
WAITING = text(
    "SELECT count(*) FROM pg_locks WHERE NOT granted AND "
    "pid IN (SELECT pid FROM pg_stat_activity WHERE datname = current_database())"
)


def until_one_waits(engine: Engine) -> None:
    """Wait until a transaction waits for another."""
    ends = time.monotonic() + PATIENCE
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        while not connection.execute(WAITING).scalar():
            assert time.monotonic() < ends, "in vain"
            time.sleep(0.01)


@pytest.mark.parametrize(
    "path",
    [
        "/metadata/movie/550",
        "/metadata/search/movie?query=matrix",
        "/metadata/tv/1396/season/1",
        "/metadata/collection/119",
        "/metadata/person/287",
    ],
)
def test_nothing_is_saved_while_a_file_is_imported(serve: Serve, engine: Engine, path: str) -> None:
    """An import locks the same rows in another order."""
    client = serve()
    with engine.begin() as connection:
        connection.execute(text(importing.PREPARE))
        assert refused(client.get(path)) == (503, "EXTERNAL_API_ERROR")
    assert client.get(path).status_code == 200


def test_a_list_has_the_film_first(serve: Serve, real: Committed, engine: Engine) -> None:
    """A film that is known by its IMDb id alone leaves the TMDB id to the one that has it."""
    client, ours = serve(), real.movie("Fight Club", imdb_id="tt0137523")
    with ThreadPoolExecutor(1) as threads:
        with engine.begin() as connection:
            other = connection.execute(text(f"{FILM} RETURNING id")).scalar_one()
            answer = threads.submit(client.get, "/metadata/movie/550")
            until_one_waits(engine)
        shown = answer.result().json()
    assert (shown["id"], shown["imdb_id"], shown["title"]) == (other, None, "Fight Club")
    real.session.refresh(ours)
    assert (ours.tmdb_id, ours.imdb_id) == (None, "tt0137523")


def test_seasons_of_two_transactions_are_counted(real: Committed, engine: Engine) -> None:
    ours = show(real, "Dark")

    def second() -> None:
        with engine.begin() as connection:
            connection.execute(text(SEASON), {"id": ours.id, "n": 2})

    with ThreadPoolExecutor(1) as threads:
        with engine.begin() as connection:
            connection.execute(text(SEASON), {"id": ours.id, "n": 1})
            done = threads.submit(second)
            until_one_waits(engine)
        done.result()
    real.session.refresh(ours)
    assert (ours.total_seasons, ours.total_episodes) == (2, 10)
    real.session.delete(ours)
    real.session.commit()


@pytest.mark.parametrize(
    "asked,status",
    [
        (("GET", "/metadata/tv/1396/season/1"), 504),
        (("GET", "/metadata/tv/1396/season/2/episode/3"), 504),
        (("GET", "/movies/{id}/similar?source=tmdb"), 504),
        (("GET", "/movies/{id}/images"), 200),
        (("POST", "/movies/ratings"), 504),
    ],
    ids=str,
)
def test_no_connection_is_held_while_tmdb_is_waited_for(
    serve: Serve,
    real: Committed,
    tmdb: FakeTmdb,
    engine: Engine,
    asked: tuple[str, str],
    status: int,
) -> None:
    film = real.movie("A film", tmdb_id=550)
    show(real, "Breaking Bad", tmdb_id=1396)
    client, pool = serve(), engine.pool
    real.session.rollback()
    assert isinstance(pool, QueuePool)
    assert pool.checkedout() == 0
    tmdb.breaks("slow", seconds=5)
    body: Any = {"tmdb_id": 603, "rating": 4} if asked[0] == "POST" else None
    with ThreadPoolExecutor(1) as threads:
        ends = time.monotonic() + PATIENCE
        answer = threads.submit(client.request, asked[0], asked[1].format(id=film.id), json=body)
        while not tmdb.seen:
            assert time.monotonic() < ends, "in vain"
            time.sleep(0.005)
        assert pool.checkedout() == 0
        assert answer.result().status_code == status


@pytest.mark.parametrize(
    "tmdb_id,change",
    [
        (550, "DELETE FROM credits WHERE id = (SELECT min(id) FROM credits WHERE movie_id = :id)"),
        (238, "UPDATE translations SET title = 'Another' WHERE movie_id = :id"),
    ],
    ids=["credits", "translations"],
)
def test_a_title_has_changed_when_its_parts_have(
    serve: Serve, real: Committed, tmdb_id: int, change: str
) -> None:
    client = serve(cache_duration_seconds=0)
    client.get(f"/metadata/movie/{tmdb_id}")
    film = real.session.scalars(select(Movie).where(Movie.tmdb_id == tmdb_id)).one()
    long_ago = datetime(2020, 1, 1, tzinfo=UTC)
    film.updated_at = long_ago
    real.session.flush()
    real.session.execute(text(change), {"id": film.id})
    real.session.commit()
    client.get(f"/metadata/movie/{tmdb_id}")
    real.session.refresh(film)
    assert film.updated_at > long_ago
    now = film.updated_at
    real.session.rollback()
    client.get(f"/metadata/movie/{tmdb_id}")
    real.session.refresh(film)
    assert film.updated_at == now


def test_what_tmdb_does_not_know_is_not_asked_at_each_request(
    serve: Serve, real: Committed, tmdb: FakeTmdb
) -> None:
    film = real.movie("Nobody's", imdb_id="tt9999999")
    client = serve(cache_duration_seconds=0)

    def asked() -> httpx.Response:
        return client.get(f"/movies/{film.id}/external-ids")

    assert asked().json()["tmdb_id"] is None
    before = len(tmdb.seen)
    assert (asked().status_code, len(tmdb.seen)) == (200, before)
    assert before > 0
