"""openapi/taste/favorites.yaml: the orders of the list, and its pages."""

import itertools
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import httpx
import pytest

from marquee.catalogue.movies.models import Movie
from marquee.identity.users.models import User
from marquee.taste.favorites.models import Favorite
from tests.answers import refused

Make = Callable[..., Any]


def pages(client: httpx.Client, path: str, query: dict[str, str]) -> Iterator[dict[str, Any]]:
    """All items of a list, page by page."""
    for _ in itertools.count():
        page = client.get(path, params=query).json()
        assert len(page["favorites"]) <= int(query["limit"])
        yield from page["favorites"]
        if page["next_cursor"] is None:
            return
        query = query | {"cursor": page["next_cursor"]}


class TestPagesOfFavorites:
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
