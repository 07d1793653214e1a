"""openapi/taste/favorites.yaml"""

import itertools
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any

import httpx
import pytest
from marquee import db
from marquee.audit import Activity
from marquee.catalogue.movies.models import Movie
from marquee.identity.users.models import User
from marquee.taste.favorites.models import Favorite
from marquee.taste.ratings.models import Rating
from sqlalchemy import Engine, func, select

from tests.committed import committed
from tests.queries import statements

Make = Callable[..., Any]
NOBODY = 9_007_199_254_740_991


def kept(user: User) -> list[int]:
    """The films that a user keeps, by the database."""
    query = select(Favorite.movie_id).where(Favorite.user_id == user.id)
    return list(db.session.scalars(query.order_by(Favorite.id)))


def refused(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


@pytest.fixture
def other(make_user: Make) -> User:
    """Another user, who keeps a film."""
    user: User = make_user()
    return user


class TestCreateFavorite:
    def test_keeps_a_film_once(self, client: httpx.Client, make: Make, me: User) -> None:
        film = make(Movie)
        first = client.post(f"/users/{me.id}/favorites", json={"movie_id": film.id})
        assert (first.status_code, first.json()["movie_id"]) == (201, film.id)
        assert set(first.json()) == {"id", "movie_id", "created_at"}
        again = client.post(f"/users/{me.id}/favorites", json={"movie_id": film.id})
        assert refused(again) == (409, "FAVORITE_EXISTS")
        assert again.json()["error"]["details"] == {"existing_id": first.json()["id"]}
        assert kept(me) == [film.id]

    def test_changes_nothing_else(
        self, client: httpx.Client, make: Make, me: User, other: User
    ) -> None:
        film, another = make(Movie), make(Movie, title="Alien")
        make(Favorite, user_id=other.id, movie_id=film.id)
        make(Favorite, user_id=me.id, movie_id=another.id)
        client.post(f"/users/{me.id}/favorites", json={"movie_id": film.id})
        assert (kept(me), kept(other)) == ([another.id, film.id], [film.id])

    def test_takes_the_id_of_tmdb(self, client: httpx.Client, make: Make, me: User) -> None:
        film = make(Movie, tmdb_id=578)
        answer = client.post(f"/users/{me.id}/favorites", json={"tmdb_id": 578})
        assert (answer.status_code, answer.json()["movie_id"]) == (201, film.id)

    @pytest.mark.parametrize("body", [{"movie_id": NOBODY}, {"tmdb_id": 2147483647}])
    def test_an_unknown_film(self, client: httpx.Client, me: User, body: dict[str, int]) -> None:
        answer = client.post(f"/users/{me.id}/favorites", json=body)
        assert refused(answer) == (404, "MOVIE_NOT_FOUND")
        assert kept(me) == []

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"movie_id": 1, "tmdb_id": 1},
            {"movie_id": "1"},
            {"movie_id": 0},
            {"movie_id": True},
            {"movie_id": 2**53},
            {"movie_id": 1.5},
            {"movie_id": 1.0},
            {"movie_id": None},
            {"tmdb_id": 2**31},
            {"movie_id": 1, "user_id": 1},
            [],
        ],
    )
    def test_a_body_that_breaks_the_contract(
        self, client: httpx.Client, me: User, body: object
    ) -> None:
        answer = client.post(f"/users/{me.id}/favorites", json=body)
        assert refused(answer) == (400, "VALIDATION_ERROR")
        assert answer.json()["error"]["details"]["errors"]

    def test_another_user(self, client: httpx.Client, make: Make, other: User) -> None:
        film = make(Movie)
        for user_id in (other.id, NOBODY):
            answer = client.post(f"/users/{user_id}/favorites", json={"movie_id": film.id})
            assert refused(answer) == (403, "INSUFFICIENT_PERMISSIONS")
        assert kept(other) == []

    def test_an_administrator_may_for_others(
        self, admin: httpx.Client, make: Make, other: User
    ) -> None:
        film = make(Movie)
        assert (
            admin.post(f"/users/{other.id}/favorites", json={"movie_id": film.id}).status_code
            == 201
        )
        assert kept(other) == [film.id]
        unknown = admin.post(f"/users/{NOBODY}/favorites", json={"movie_id": film.id})
        assert refused(unknown) == (404, "USER_NOT_FOUND")

    def test_needs_a_key_that_writes(
        self, client_of: Callable[..., httpx.Client], make: Make, me: User
    ) -> None:
        reader = client_of(me, scopes=("read",))
        answer = reader.post(f"/users/{me.id}/favorites", json={"movie_id": make(Movie).id})
        assert refused(answer) == (403, "INSUFFICIENT_PERMISSIONS")
        assert kept(me) == []

    def test_is_recorded(self, client: httpx.Client, make: Make, me: User) -> None:
        film = make(Movie)
        headers = {"X-Request-Id": "keep-1", "User-Agent": "A client"}
        path, body = f"/users/{me.id}/favorites", {"movie_id": film.id}
        created = client.post(path, json=body, headers=headers)
        client.post(path, json=body)
        client.post(f"/users/{NOBODY}/favorites", json=body)
        lines = db.session.scalars(select(Activity).order_by(Activity.id)).all()
        assert [(line.success, line.error_code) for line in lines] == [
            (True, None),
            (False, "FAVORITE_EXISTS"),
            (False, "INSUFFICIENT_PERMISSIONS"),
        ]
        assert {(line.action, line.user_id, line.username) for line in lines} == {
            ("favorite.create", me.id, me.username)
        }
        assert lines[0].resource_id == str(created.json()["id"])
        assert (lines[0].request_id, lines[0].user_agent) == ("keep-1", "A client")
        assert [str(line.ip_address) for line in lines] == ["127.0.0.1"] * 3
        assert [line.details for line in lines][1:] == [
            {"user_id": str(me.id)},
            {"user_id": str(NOBODY)},
        ]


class TestCreateFavoriteIdempotently:
    @pytest.fixture
    def path(self, me: User) -> str:
        return f"/users/{me.id}/favorites"

    def test_replays_the_answer(
        self, client: httpx.Client, make: Make, me: User, path: str
    ) -> None:
        body, headers = {"movie_id": make(Movie).id}, {"Idempotency-Key": "one"}
        first = client.post(path, json=body, headers=headers)
        again = client.post(path, json=body, headers=headers)
        assert (first.status_code, again.status_code) == (201, 201)
        assert again.content == first.content
        assert "idempotent-replayed" not in first.headers
        assert again.headers["idempotent-replayed"] == "true"
        assert len(kept(me)) == 1
        recorded = select(func.count()).select_from(Activity)
        assert db.session.scalar(recorded) == 1

    def test_is_for_one_request(
        self, client: httpx.Client, make: Make, me: User, path: str
    ) -> None:
        headers = {"Idempotency-Key": "two"}
        first = make(Movie)
        client.post(path, json={"movie_id": first.id}, headers=headers)
        answer = client.post(path, json={"movie_id": make(Movie).id}, headers=headers)
        assert refused(answer) == (422, "IDEMPOTENCY_KEY_REUSED")
        assert kept(me) == [first.id]

    def test_is_of_one_caller(
        self, client: httpx.Client, admin: httpx.Client, make: Make, me: User, path: str
    ) -> None:
        body, headers = {"movie_id": make(Movie).id}, {"Idempotency-Key": "three"}
        client.post(path, json=body, headers=headers)
        answer = admin.post(path, json=body, headers=headers)
        assert refused(answer) == (409, "FAVORITE_EXISTS")

    def test_stores_no_refusal(self, client: httpx.Client, make: Make, me: User, path: str) -> None:
        headers = {"Idempotency-Key": "four"}
        body = {"tmdb_id": 578}
        assert client.post(path, json=body, headers=headers).status_code == 404
        make(Movie, tmdb_id=578)
        answer = client.post(path, json=body, headers=headers)
        assert (answer.status_code, "idempotent-replayed" in answer.headers) == (201, False)

    @pytest.mark.parametrize("key", ["", "a b", "x" * 256])
    def test_a_key_that_breaks_the_contract(
        self, client: httpx.Client, make: Make, me: User, path: str, key: str
    ) -> None:
        body = {"movie_id": make(Movie).id}
        answer = client.post(path, json=body, headers={"Idempotency-Key": key})
        assert refused(answer) == (400, "VALIDATION_ERROR")
        assert kept(me) == []


class TestCreateFavoriteAtOnce:
    def test_one_is_created_and_the_others_conflict(self, engine: Engine, base_url: str) -> None:
        with committed(engine) as real, ThreadPoolExecutor(4) as threads:
            user, film = real.user(), real.movie()
            clients = [real.client(base_url, user) for _ in range(4)]

            def post(client: httpx.Client) -> httpx.Response:
                return client.post(f"/users/{user.id}/favorites", json={"movie_id": film.id})

            for client in clients:
                client.get("/users/me")
            answers = list(threads.map(post, clients))
            assert sorted(each.status_code for each in answers) == [201, 409, 409, 409]
            (created,) = [each.json()["id"] for each in answers if each.status_code == 201]
            existing = [each.json()["error"] for each in answers if each.status_code == 409]
            assert {each["details"]["existing_id"] for each in existing} == {created}
            mine = select(func.count()).select_from(Favorite).where(Favorite.user_id == user.id)
            assert real.session.scalar(mine) == 1

    def test_one_key_has_its_effect_once(self, engine: Engine, base_url: str) -> None:
        """Each of the others comes while the first is running, or gets its answer again."""
        with committed(engine) as real, ThreadPoolExecutor(4) as threads:
            user, film = real.user(), real.movie()
            clients = [real.client(base_url, user) for _ in range(4)]

            def post(client: httpx.Client) -> httpx.Response:
                return client.post(
                    f"/users/{user.id}/favorites",
                    json={"movie_id": film.id},
                    headers={"Idempotency-Key": "at-once"},
                )

            answers = list(threads.map(post, clients))
            made = [each for each in answers if each.status_code == 201]
            running = [each for each in answers if each.status_code == 409]
            assert len(made) + len(running) == 4
            assert {each.content for each in made} == {made[0].content}
            assert [each for each in made if "idempotent-replayed" not in each.headers] != []
            assert {refused(each)[1] for each in running} <= {"IDEMPOTENT_REQUEST_RUNNING"}

    def test_says_that_the_first_is_running(self, engine: Engine, base_url: str) -> None:
        with committed(engine) as real, engine.connect() as holder:
            user, film = real.user(), real.movie()
            name = f"idempotency:{user.id}:held"
            lock = select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0)))
            holder.execute(lock)
            answer = real.client(base_url, user).post(
                f"/users/{user.id}/favorites",
                json={"movie_id": film.id},
                headers={"Idempotency-Key": "held"},
            )
            assert refused(answer) == (409, "IDEMPOTENT_REQUEST_RUNNING")
            holder.rollback()


DATES = [date(1975, 6, 20), None, date(1999, 3, 31), date(1975, 6, 20), None, date(1942, 1, 1)]
STARS = [4.5, None, 0, 4.5, None, 5]


@pytest.fixture
def films(make: Make, me: User) -> list[Favorite]:
    """Six favourites: two without a date and without a rating, two with the same of each."""
    favorites = []
    for number, (day, stars) in enumerate(zip(DATES, STARS, strict=True)):
        film = make(Movie, title=f"Film {number}", release_date=day, popularity=number)
        favorites.append(make(Favorite, user_id=me.id, movie_id=film.id))
        if stars is not None:
            make(Rating, user_id=me.id, movie_id=film.id, score=stars * 2)
    return favorites


class TestListFavorites:
    @pytest.mark.parametrize(
        "sort,order,expected",
        [
            ("release_date", "desc", [2, 3, 0, 5, 4, 1]),
            ("release_date", "asc", [5, 0, 3, 2, 1, 4]),
            ("rating", "desc", [5, 3, 0, 2, 4, 1]),
            ("rating", "asc", [2, 0, 3, 5, 1, 4]),
        ],
    )
    def test_sorts_with_the_unknown_last(
        self,
        client: httpx.Client,
        me: User,
        films: list[Favorite],
        sort: str,
        order: str,
        expected: list[int],
    ) -> None:
        wanted = [films[number].id for number in expected]
        path, query = f"/users/{me.id}/favorites", {"sort": sort, "order": order}
        whole = client.get(path, params=query).json()
        assert [each["id"] for each in whole["favorites"]] == wanted
        assert whole["next_cursor"] is None
        assert [each["id"] for each in pages(client, path, query | {"limit": "1"})] == wanted
        assert [each["id"] for each in pages(client, path, query | {"limit": "4"})] == wanted

    def test_sorts_by_date_with_the_latest_first_unless_told_otherwise(
        self, client: httpx.Client, me: User, films: list[Favorite]
    ) -> None:
        path = f"/users/{me.id}/favorites"
        told = client.get(path, params={"sort": "release_date", "order": "desc"})
        assert client.get(path).json() == told.json()

    def test_shows_the_film_and_the_users_own_rating(
        self, client: httpx.Client, make: Make, me: User, other: User
    ) -> None:
        film = make(
            Movie,
            title="Jaws",
            release_date=date(1975, 6, 20),
            overview="A shark.",
            popularity=63.2,
            vote_average=8.1,
        )
        favorite = make(Favorite, user_id=me.id, movie_id=film.id)
        make(Rating, user_id=other.id, movie_id=film.id, score=1)
        path = f"/users/{me.id}/favorites"
        (shown,) = client.get(path).json()["favorites"]
        assert shown == {
            "id": favorite.id,
            "movie_id": film.id,
            "title": "Jaws",
            "release_date": "1975-06-20",
            "overview": "A shark.",
            "popularity": 63.2,
            "vote_average": 8.1,
            "user_rating": None,
            "created_at": shown["created_at"],
        }
        make(Rating, user_id=me.id, movie_id=film.id, score=9)
        assert client.get(path).json()["favorites"][0]["user_rating"] == 4.5

    def test_shows_nobody_elses(
        self, client: httpx.Client, make: Make, me: User, other: User
    ) -> None:
        make(Favorite, user_id=other.id, movie_id=make(Movie).id)
        assert client.get(f"/users/{me.id}/favorites").json()["favorites"] == []

    def test_pages_without_gap_or_repeat_while_rows_are_added(
        self, client: httpx.Client, make: Make, me: User, films: list[Favorite]
    ) -> None:
        path = f"/users/{me.id}/favorites"
        seen = []
        for added, item in enumerate(pages(client, path, {"limit": "1", "order": "asc"})):
            seen.append(item["id"])
            if added < 6:
                film = make(Movie, release_date=date(1900 + added, 1, 1))
                make(Favorite, user_id=me.id, movie_id=film.id)
        assert [each for each in seen if each in {film.id for film in films}] == [
            films[number].id for number in (5, 0, 3, 2, 1, 4)
        ]
        assert len(seen) == len(set(seen))

    def test_refuses_cursors_that_are_not_its_own(
        self,
        client: httpx.Client,
        admin: httpx.Client,
        me: User,
        other: User,
        films: list[Favorite],
    ) -> None:
        path = f"/users/{me.id}/favorites"
        cursor = client.get(path, params={"limit": 1}).json()["next_cursor"]
        assert client.get(path, params={"cursor": cursor}).status_code == 200
        last = "A" if cursor[-1] != "A" else "B"
        wrong = [
            (path, {"cursor": cursor, "sort": "rating"}),
            (path, {"cursor": cursor, "order": "asc"}),
            (f"/users/{other.id}/favorites", {"cursor": cursor}),
            (path, {"cursor": cursor[:-1] + last}),
            (path, {"cursor": "x" + cursor}),
            (path, {"cursor": cursor.partition(".")[0]}),
            (path, {"cursor": "bm90IG91cnM.AAAAAAAAAAAAAAAAAAAAAA"}),
        ]
        for url, query in wrong:
            answer = admin.get(url, params=query)
            assert refused(answer) == (400, "VALIDATION_ERROR"), query
            (error,) = answer.json()["error"]["details"]["errors"]
            assert (error["in"], error["path"]) == ("query", "/cursor")

    @pytest.mark.parametrize(
        "query",
        [
            "limit=0",
            "limit=101",
            "limit=1_0",
            "sort=title",
            "order=up",
            "page=1",
            "limit=1&limit=2",
        ],
    )
    def test_refuses_what_the_contract_does_not_have(
        self, client: httpx.Client, me: User, query: str
    ) -> None:
        answer = client.get(f"/users/{me.id}/favorites?{query}")
        assert refused(answer) == (400, "VALIDATION_ERROR")

    def test_another_user(self, client: httpx.Client, other: User) -> None:
        for user_id in (other.id, NOBODY):
            answer = client.get(f"/users/{user_id}/favorites")
            assert refused(answer) == (403, "INSUFFICIENT_PERMISSIONS")

    def test_who_may_read_users_may_see_those_of_others(
        self,
        admin: httpx.Client,
        client_of: Callable[..., httpx.Client],
        make_user: Make,
        me: User,
        films: list[Favorite],
    ) -> None:
        path = f"/users/{me.id}/favorites"
        moderator = client_of(make_user("moderator"))
        for caller in (admin, moderator):
            assert len(caller.get(path).json()["favorites"]) == len(films)
            assert refused(caller.get(f"/users/{NOBODY}/favorites")) == (404, "USER_NOT_FOUND")
        refusal = moderator.delete(f"{path}/{films[0].id}")
        assert refused(refusal) == (403, "INSUFFICIENT_PERMISSIONS")

    def test_says_when_nothing_has_changed(
        self, client: httpx.Client, make: Make, me: User, films: list[Favorite]
    ) -> None:
        path = f"/users/{me.id}/favorites"
        first = client.get(path)
        assert first.headers["cache-control"].startswith("private")
        condition = {"If-None-Match": first.headers["etag"]}
        unchanged = client.get(path, headers=condition)
        assert (unchanged.status_code, unchanged.content) == (304, b"")
        assert unchanged.headers["etag"] == first.headers["etag"].replace('-br"', '"').replace(
            '-gzip"', '"'
        )
        make(Favorite, user_id=me.id, movie_id=make(Movie).id)
        assert client.get(path, headers=condition).status_code == 200

    def test_costs_the_same_whatever_its_length(
        self,
        client: httpx.Client,
        engine: Engine,
        make: Make,
        me: User,
        films: list[Favorite],
    ) -> None:
        path = f"/users/{me.id}/favorites"
        with statements(engine) as few:
            client.get(path, params={"limit": 1})
        with statements(engine) as many:
            client.get(path, params={"limit": 100})
        assert len(many) == len(few) <= 3


def pages(client: httpx.Client, path: str, query: dict[str, str]) -> Iterator[dict[str, Any]]:
    """All items of a list, page by page."""
    for _ in itertools.count():
        page = client.get(path, params=query).json()
        assert len(page["favorites"]) <= int(query["limit"])
        yield from page["favorites"]
        if page["next_cursor"] is None:
            return
        query = query | {"cursor": page["next_cursor"]}


class TestDeleteFavorite:
    def test_removes_one(
        self, client: httpx.Client, me: User, films: list[Favorite], other: User, make: Make
    ) -> None:
        make(Favorite, user_id=other.id, movie_id=films[0].movie_id)
        path = f"/users/{me.id}/favorites/{films[0].id}"
        answer = client.delete(path)
        assert (answer.status_code, answer.content) == (204, b"")
        assert kept(me) == [film.movie_id for film in films[1:]]
        assert kept(other) == [films[0].movie_id]
        assert db.session.get(Movie, films[0].movie_id) is not None
        assert refused(client.delete(path)) == (404, "FAVORITE_NOT_FOUND")

    def test_another_users_is_unknown(
        self, client: httpx.Client, admin: httpx.Client, make: Make, me: User, other: User
    ) -> None:
        theirs = make(Favorite, user_id=other.id, movie_id=make(Movie).id)
        below_me = client.delete(f"/users/{me.id}/favorites/{theirs.id}")
        assert refused(below_me) == (404, "FAVORITE_NOT_FOUND")
        below_them = client.delete(f"/users/{other.id}/favorites/{theirs.id}")
        assert refused(below_them) == (403, "INSUFFICIENT_PERMISSIONS")
        by_admin = admin.delete(f"/users/{me.id}/favorites/{theirs.id}")
        assert refused(by_admin) == (404, "FAVORITE_NOT_FOUND")
        assert len(kept(other)) == 1

    def test_an_administrator_may_for_others(
        self, admin: httpx.Client, me: User, films: list[Favorite]
    ) -> None:
        assert admin.delete(f"/users/{me.id}/favorites/{films[0].id}").status_code == 204
        assert len(kept(me)) == len(films) - 1

    def test_is_recorded(self, client: httpx.Client, me: User, films: list[Favorite]) -> None:
        client.delete(f"/users/{me.id}/favorites/{films[0].id}")
        (line,) = db.session.scalars(select(Activity)).all()
        assert (line.action, line.success, line.user_id) == ("favorite.delete", True, me.id)
        assert (line.resource_type, line.resource_id) == ("favorite", str(films[0].id))


class TestAdminDeleteUserFavorites:
    def test_removes_all_of_one_user(
        self, admin: httpx.Client, make: Make, me: User, films: list[Favorite], other: User
    ) -> None:
        make(Favorite, user_id=other.id, movie_id=films[0].movie_id)
        ratings = select(func.count()).select_from(Rating)
        before = db.session.scalar(ratings)
        path = f"/admin/users/{me.id}/favorites"
        assert admin.delete(path).status_code == 204
        assert (kept(me), kept(other)) == ([], [films[0].movie_id])
        assert db.session.scalar(ratings) == before
        assert admin.delete(path).status_code == 204

    def test_an_unknown_user(self, admin: httpx.Client) -> None:
        answer = admin.delete(f"/admin/users/{NOBODY}/favorites")
        assert refused(answer) == (404, "USER_NOT_FOUND")

    def test_is_for_administrators(
        self, client: httpx.Client, anonymous: httpx.Client, me: User, films: list[Favorite]
    ) -> None:
        path = f"/admin/users/{me.id}/favorites"
        assert refused(client.delete(path)) == (403, "INSUFFICIENT_PERMISSIONS")
        assert refused(anonymous.delete(path)) == (401, "INVALID_TOKEN")
        assert len(kept(me)) == len(films)

    def test_needs_a_key_for_administration(
        self,
        client_of: Callable[..., httpx.Client],
        make_user: Make,
        me: User,
        films: list[Favorite],
    ) -> None:
        writer = client_of(make_user("admin"), scopes=("read", "write"))
        answer = writer.delete(f"/admin/users/{me.id}/favorites")
        assert refused(answer) == (403, "INSUFFICIENT_PERMISSIONS")
        assert len(kept(me)) == len(films)

    def test_is_recorded_with_the_user(
        self, admin: httpx.Client, me: User, films: list[Favorite]
    ) -> None:
        admin.delete(f"/admin/users/{me.id}/favorites")
        (line,) = db.session.scalars(select(Activity)).all()
        assert (line.action, line.success) == ("favorite.delete_all", True)
        assert line.details == {"user_id": str(me.id)}
