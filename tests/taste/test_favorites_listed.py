"""openapi/taste/favorites.yaml: the list."""

import itertools
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine

from marquee.catalogue.movies.models import Movie
from marquee.identity.users.models import User
from marquee.taste.favorites.models import Favorite
from marquee.taste.ratings.models import Rating
from tests.answers import refused
from tests.queries import statements

Make = Callable[..., Any]
NOBODY = 9_007_199_254_740_991


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
