"""openapi/taste/movie_memory.yaml."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, select, text

from marquee import db
from marquee.audit import Activity
from marquee.catalogue.movies.models import Movie
from marquee.catalogue.translations.models import Translation
from marquee.identity.users.models import User
from marquee.taste.favorites.models import Favorite
from marquee.taste.movie_memory import service
from marquee.taste.ratings.models import Rating
from marquee.watching.progress.models import Watch
from tests.answers import refused
from tests.catalogue.tmdb import Serve, real, serve, tmdb
from tests.fakes.tmdb import FakeTmdb
from tests.queries import statements

__all__ = ["real", "serve", "tmdb"]
Make = Callable[..., Any]
PATH = "/account/movie-memory"
NOBODY = 9_007_199_254_740_991
MOMENT = datetime(2026, 3, 1, tzinfo=UTC)


def kinds(answer: httpx.Response) -> list[tuple[str, str | None]]:
    """What an answer shows: names and kinds."""
    assert answer.status_code == 200, answer.text
    return [(each["movie_name"], each["kind"]) for each in answer.json()["items"]]


def watch_of(film: Movie) -> Watch | None:
    db.session.expire_all()
    return db.session.scalar(select(Watch).where(Watch.movie_id == film.id))


class TestListMovieMemory:
    def test_all_that_was_said_the_newest_first(
        self, client: httpx.Client, make: Make, me: User, make_user: Make
    ) -> None:
        said: list[dict[str, Any]] = [
            {"watch_count": 2, "is_completed": True},
            {"remark": "not_seen"},
            {"remark": "not_seen", "watch_count": 1},
            {"remark": "liked", "watch_count": 1},
            {"remark": "wrong_mood"},
            {"progress_seconds": 60, "duration_seconds": 6000, "last_watched_at": MOMENT},
        ]
        films = [make(Movie, title=f"Film {number}") for number in range(len(said))]
        for film, values in zip(films, said, strict=True):
            make(Watch, user_id=me.id, movie_id=film.id, **values)
        make(Watch, user_id=make_user().id, movie_id=films[5].id, watch_count=1)
        answer = client.get(PATH)
        assert kinds(answer) == [
            ("Film 4", "wrong_mood"),
            ("Film 3", "liked"),
            ("Film 2", "watched"),
            ("Film 1", "not_seen"),
            ("Film 0", "watched"),
        ]
        assert (answer.json()["total"], answer.json()["next_cursor"]) == (5, None)

    def test_an_index_has_the_order(self, database: None, engine: Engine) -> None:
        query, key = service.MODES["list"]
        page = query.order_by(*(each.desc() for each in key)).limit(50)
        with engine.connect() as connection:
            # The table is small: what the planner can do is asked, not what pays here.
            for method in ("seqscan", "sort", "bitmapscan"):
                connection.execute(text(f"SET LOCAL enable_{method} = off"))
            written = page.compile(connection).construct_expanded_state({"user_id": 1})
            rows = connection.exec_driver_sql(f"EXPLAIN {written.statement}", written.parameters)
            plan = "\n".join(rows.scalars())
        assert ("watches_user_said_idx" in plan, "Sort" in plan) == (True, False)

    def test_names_films(self, client: httpx.Client, make: Make, me: User) -> None:
        jaws = make(Movie, title="Jaws", year=1975, tmdb_id=578)
        own = make(Movie, title="Amélie!", year=2001)
        undated = make(Movie, title="Home")
        for film in (jaws, own, undated):
            make(Watch, user_id=me.id, movie_id=film.id, watch_count=1)
        make(Translation, movie_id=jaws.id, language="de", title="Der weiße Hai")
        items = client.get(PATH, params={"language": "de"}).json()["items"]
        assert [each["movie_key"] for each in items] == [
            "title:home:na",
            "title:amelie:2001",
            "tmdb:578",
        ]
        assert [each["localized_name"] for each in items] == [None, None, "Der weiße Hai"]
        assert items[2]["movie_name"] == "Jaws"
        assert items[2]["poster_url"] == f"/api/v1/images/poster/w342/movies-{jaws.id}.webp"

    def test_pages(self, client: httpx.Client, make: Make, me: User) -> None:
        for number in range(5):
            film = make(Movie, title=str(number))
            make(Watch, user_id=me.id, movie_id=film.id, watch_count=1)
        first = client.get(PATH, params={"limit": 3})
        cursor = first.json()["next_cursor"]
        second = client.get(PATH, params={"limit": 3, "cursor": cursor})
        assert [name for name, _ in kinds(first) + kinds(second)] == ["4", "3", "2", "1", "0"]
        assert (second.json()["next_cursor"], second.json()["total"]) == (None, 5)
        other = client.get(PATH, params={"mode": "candidates", "cursor": cursor})
        assert refused(other) == (400, "VALIDATION_ERROR")

    def test_candidates_are_popular_and_nothing_was_said_of_them(
        self, client: httpx.Client, make: Make, me: User, make_user: Make
    ) -> None:
        films = [make(Movie, title=str(n), popularity=100 - n) for n in range(7)]
        make(Watch, user_id=me.id, movie_id=films[0].id, watch_count=1)
        make(Watch, user_id=me.id, movie_id=films[1].id, remark="not_seen")
        make(Rating, user_id=me.id, movie_id=films[2].id, score=5)
        make(Favorite, user_id=me.id, movie_id=films[3].id)
        make(Watch, user_id=make_user().id, movie_id=films[4].id, watch_count=1)
        first = client.get(PATH, params={"mode": "candidates", "limit": 2})
        assert kinds(first) == [("4", None), ("5", None)]
        assert first.json()["total"] is None
        query = {"mode": "candidates", "limit": 2, "cursor": first.json()["next_cursor"]}
        assert kinds(client.get(PATH, params=query)) == [("6", None)]

    @pytest.mark.parametrize("name", ["query", "q"])
    def test_search_in_the_catalogue(
        self, client: httpx.Client, make: Make, me: User, name: str
    ) -> None:
        film = make(Movie, title="Amélie", popularity=1)
        make(Movie, title="Amelia", popularity=9)
        make(Movie, title="Jaws")
        make(Watch, user_id=me.id, movie_id=film.id, watch_count=1)
        answer = client.get(PATH, params={name: "ameli"})
        assert kinds(answer) == [("Amelia", None), ("Amélie", "watched")]
        assert (answer.json()["total"], answer.json()["next_cursor"]) == (None, None)

    @pytest.mark.parametrize(
        "params",
        [
            {"query": "x"},
            {"query": "x" * 81},
            {"mode": "all"},
            {"limit": 101},
            {"query": "jaws", "cursor": "abc"},
        ],
    )
    def test_a_query_that_breaks_the_contract(
        self, client: httpx.Client, params: dict[str, str]
    ) -> None:
        assert refused(client.get(PATH, params=params)) == (400, "VALIDATION_ERROR")

    def test_costs_the_same_however_many(
        self, client: httpx.Client, make: Make, me: User, engine: Engine
    ) -> None:
        costs = []
        for number in (1, 6):
            for _ in range(number):
                make(Watch, user_id=me.id, movie_id=make(Movie).id, watch_count=1)
            client.get(PATH, params={"language": "de"})
            with statements(engine) as sent:
                client.get(PATH, params={"language": "de"})
            costs.append(len(sent))
        assert costs[0] == costs[1] <= 4

    def test_tmdb_finds_and_provides(self, serve: Serve, tmdb: FakeTmdb) -> None:
        caller = serve()
        found = caller.get(PATH, params={"query": "godfather"}).json()["items"]
        assert found
        assert all(each["tmdb_id"] for each in found)
        asked = len(tmdb.seen)
        candidates = caller.get(PATH, params={"mode": "candidates", "limit": 40}).json()["items"]
        assert len(candidates) == 40
        assert len(tmdb.seen) > asked

    def test_the_catalogue_finds_where_tmdb_does_not_serve(
        self, serve: Serve, tmdb: FakeTmdb, real: Any
    ) -> None:
        real.movie("A Film of Ours Alone")
        caller = serve()
        tmdb.breaks("status", status=500)
        answer = caller.get(PATH, params={"query": "film of ours"})
        assert kinds(answer) == [("A Film of Ours Alone", None)]


class TestSaveMovieMemory:
    def test_one_that_was_watched(self, client: httpx.Client, make: Make, me: User) -> None:
        film = make(Movie, title="Jaws", tmdb_id=578)
        answer = client.post(PATH, json={"movie_id": film.id})
        assert answer.status_code == 200
        assert (answer.json()["status"], answer.json()["requested"]) == ("saved", 1)
        assert kinds(answer) == [("Jaws", "watched")]
        watch = watch_of(film)
        assert watch is not None
        assert (watch.user_id, watch.is_completed, watch.watch_count) == (me.id, True, 1)
        assert (watch.last_watched_at, watch.remark) == (None, None)

    def test_a_second_time_counts_once(self, client: httpx.Client, make: Make) -> None:
        film = make(Movie)
        for _ in range(2):
            client.post(PATH, json={"movie_id": film.id, "kind": "watched"})
        watch = watch_of(film)
        assert watch is not None
        assert watch.watch_count == 1

    def test_what_was_played_stays(self, client: httpx.Client, make: Make, me: User) -> None:
        film = make(Movie)
        played = {"watch_count": 3, "progress_seconds": 50, "duration_seconds": 6000}
        make(Watch, user_id=me.id, movie_id=film.id, last_watched_at=MOMENT, **played)
        client.post(PATH, json={"movie_id": film.id})
        watch = watch_of(film)
        assert watch is not None
        assert (watch.watch_count, watch.progress_seconds, watch.last_watched_at) == (3, 50, MOMENT)

    def test_what_was_begun_is_completed(self, client: httpx.Client, make: Make, me: User) -> None:
        film = make(Movie)
        make(Watch, user_id=me.id, movie_id=film.id, progress_seconds=50, duration_seconds=6000)
        client.post(PATH, json={"movie_id": film.id})
        watch = watch_of(film)
        assert watch is not None
        assert (watch.is_completed, watch.progress_seconds, watch.watch_count) == (True, 6000, 1)

    def test_the_last_word_holds(self, client: httpx.Client, make: Make, me: User) -> None:
        film = make(Movie, title="Jaws")
        make(Watch, user_id=me.id, movie_id=film.id, watch_count=1, last_watched_at=MOMENT)
        answer = client.post(PATH, json={"movie_id": film.id, "kind": "not_seen"})
        assert kinds(answer) == [("Jaws", "not_seen")]
        watch = watch_of(film)
        assert watch is not None
        assert (watch.watch_count, watch.is_completed, watch.last_watched_at) == (0, False, None)
        assert kinds(client.post(PATH, json={"movie_id": film.id})) == [("Jaws", "watched")]

    def test_several(self, client: httpx.Client, make: Make) -> None:
        films = [make(Movie, title=str(number), tmdb_id=900 + number) for number in range(3)]
        body = {
            "items": [
                {"tmdb_id": 902, "kind": "not_seen"},
                {"movie_id": films[0].id},
                {"movie_id": NOBODY},
                {"movie_id": films[1].id, "kind": "not_seen"},
                {"tmdb_id": 901, "kind": "watched"},
            ]
        }
        answer = client.post(PATH, json=body)
        assert kinds(answer) == [("2", "not_seen"), ("0", "watched"), ("1", "watched")]
        assert answer.json()["requested"] == 5

    @pytest.mark.parametrize(
        "body",
        [
            {"movie_id": NOBODY},
            {"tmdb_id": 2_147_483_647, "kind": "not_seen"},
            {"items": [{"movie_id": NOBODY}, {"tmdb_id": 2_147_483_647}]},
        ],
    )
    def test_unknown_films(self, client: httpx.Client, body: dict[str, Any]) -> None:
        assert refused(client.post(PATH, json=body)) == (404, "MOVIE_NOT_FOUND")

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"kind": "watched"},
            {"items": []},
            {"items": [{"movie_id": 1}] * 51},
            {"items": [{"movie_id": 1}], "kind": "watched"},
            {"items": [{"movie_id": 1}], "movie_id": 1},
            {"items": [{"kind": "watched"}]},
            {"items": [{"movie_id": 1, "tmdb_id": 2}]},
            {"movie_id": 1, "tmdb_id": 2},
            {"movie_id": 1, "kind": "liked"},
            {"movie_id": -578},
        ],
    )
    def test_a_body_that_breaks_the_contract(
        self, client: httpx.Client, body: dict[str, Any]
    ) -> None:
        assert refused(client.post(PATH, json=body)) == (400, "VALIDATION_ERROR")

    def test_costs_the_same_however_many(
        self, client: httpx.Client, make: Make, engine: Engine
    ) -> None:
        films = [make(Movie) for _ in range(7)]
        costs = []
        for some in (films[:2], films[2:]):
            items = [{"movie_id": film.id, "kind": "not_seen"} for film in some]
            with statements(engine) as sent:
                client.post(PATH, json={"items": items})
            costs.append(len(sent))
        assert costs[0] == costs[1]

    def test_what_the_catalogue_lacks_is_fetched(self, serve: Serve, tmdb: FakeTmdb) -> None:
        caller = serve()
        answer = caller.post(PATH, json={"items": [{"tmdb_id": 238}, {"tmdb_id": 999_999_999}]})
        assert [each["tmdb_id"] for each in answer.json()["items"]] == [238]
        tmdb.breaks("slow", seconds=2)
        late = caller.post(PATH, json={"tmdb_id": 680})
        assert refused(late) == (504, "EXTERNAL_API_TIMEOUT")

    def test_is_recorded(self, client: httpx.Client, make: Make, me: User) -> None:
        client.post(PATH, json={"movie_id": make(Movie).id})
        line = db.session.scalars(select(Activity)).one()
        assert (line.action, line.user_id) == ("movie_memory.save", me.id)

    def test_guests_have_none(self, client_of: Make, make_user: Make, make: Make) -> None:
        body = {"movie_id": make(Movie).id}
        answer = client_of(make_user("guest")).post(PATH, json=body)
        assert refused(answer) == (403, "INSUFFICIENT_PERMISSIONS")


class TestDeleteMovieMemory:
    @pytest.mark.parametrize(
        "values,key",
        [
            ({"tmdb_id": 578, "year": 1975}, "tmdb:578"),
            ({"tmdb_id": 578, "year": 1975}, "title:jaws:1975"),
            ({"year": 1975}, "title:jaws:1975"),
            ({}, "title:jaws:na"),
        ],
    )
    def test_by_key(
        self, client: httpx.Client, make: Make, values: dict[str, Any], key: str
    ) -> None:
        film = make(Movie, title="Jaws", **values)
        client.post(PATH, json={"movie_id": film.id})
        answer = client.delete(PATH, params={"movie_key": key})
        assert (answer.status_code, answer.content) == (204, b"")
        assert watch_of(film) is None
        again = client.delete(PATH, params={"movie_key": key})
        assert refused(again) == (404, "MOVIE_MEMORY_NOT_FOUND")

    def test_a_position_stays(self, client: httpx.Client, make: Make, me: User) -> None:
        film = make(Movie, tmdb_id=578)
        begun = {"progress_seconds": 50, "duration_seconds": 6000, "remark": "wrong_mood"}
        make(Watch, user_id=me.id, movie_id=film.id, last_watched_at=MOMENT, **begun)
        assert client.delete(PATH, params={"movie_key": "tmdb:578"}).status_code == 204
        watch = watch_of(film)
        assert watch is not None
        assert (watch.remark, watch.progress_seconds) == (None, 50)

    def test_only_ones_own(self, client: httpx.Client, admin: httpx.Client, make: Make) -> None:
        film = make(Movie, tmdb_id=578)
        client.post(PATH, json={"movie_id": film.id})
        answer = admin.delete(PATH, params={"movie_key": "tmdb:578"})
        assert refused(answer) == (404, "MOVIE_MEMORY_NOT_FOUND")
        assert watch_of(film) is not None

    @pytest.mark.parametrize("key", ["", "578", "tmdb:0", "tmdb:", "title:jaws", "title::1975"])
    def test_no_key(self, client: httpx.Client, key: str) -> None:
        answer = client.delete(PATH, params={"movie_key": key})
        assert refused(answer) == (400, "VALIDATION_ERROR")
