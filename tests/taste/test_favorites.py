"""openapi/taste/favorites.yaml."""

from collections.abc import Callable
from datetime import date
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, func, select

from marquee import db
from marquee.audit import Activity
from marquee.catalogue.movies.models import Movie
from marquee.identity.users.models import User
from marquee.taste.favorites.models import Favorite
from marquee.taste.ratings.models import Rating
from tests.answers import refused
from tests.queries import statements

Make = Callable[..., Any]
NOBODY = 9_007_199_254_740_991


def kept(user: User) -> list[int]:
    """The films that a user keeps, by the database."""
    query = select(Favorite.movie_id).where(Favorite.user_id == user.id)
    return list(db.session.scalars(query.order_by(Favorite.id)))


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
            {"user_id": str(me.id), "error_message": "Jaws is a favourite already."},
            {"user_id": str(NOBODY), "error_message": "This is another user's."},
        ]


class TestListFavorites:
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
        assert unchanged.headers["etag"] == first.headers["etag"]
        make(Favorite, user_id=me.id, movie_id=make(Movie).id)
        assert client.get(path, headers=condition).status_code == 200

    def test_costs_the_same_whatever_its_length(
        self,
        client: httpx.Client,
        engine: Engine,
        me: User,
        films: list[Favorite],
    ) -> None:
        path = f"/users/{me.id}/favorites"
        with statements(engine) as few:
            client.get(path, params={"limit": 1})
        with statements(engine) as many:
            client.get(path, params={"limit": 100})
        assert len(many) == len(few) <= 3


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
