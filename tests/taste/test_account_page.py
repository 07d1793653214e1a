"""What taste shows on the page of an account: see also tests/identity/test_users_account.py."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from marquee.identity.users.models import User
from marquee.taste.recommendations.models import RecommendationRun
from tests.taste.quizzes import IN_LOVE, JAWS, ask, got, made

Make = Callable[..., Any]


@pytest.fixture
def client(anonymous: httpx.Client, token_of: Callable[..., Any], me: User) -> httpx.Client:
    """A client by which `me` has signed in."""
    anonymous.headers.update(token_of(me))
    return anonymous


def shown(client: httpx.Client) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get("/account").json()["recommendations"]
    return found


class TestGetAccount:
    @pytest.mark.usefixtures("quiz_films")
    def test_recommendations_the_newest_first(self, client: httpx.Client) -> None:
        first = made(client, JAWS)
        waiting = ask(client, JAWS, IN_LOVE)
        newest, oldest = shown(client)
        assert (newest["id"], newest["status"], newest["people_count"]) == (waiting, "pending", 2)
        assert (newest["movie_name"], newest["poster_url"], newest["feedback_kind"]) == (None,) * 3
        main = got(client, first["id"])["movies"][0]
        assert (oldest["id"], oldest["movie_name"]) == (first["id"], main["title"])
        assert oldest["poster_url"] == main["poster_url"]

    @pytest.mark.usefixtures("quiz_films")
    def test_the_same_questions_are_one_with_what_was_said_last(self, client: httpx.Client) -> None:
        made(client, JAWS)
        again = made(client, JAWS)["id"]
        for kind in ("close", "useful"):
            client.post(f"/recommendations/{again}/feedback", json={"kind": kind})
        assert [(each["id"], each["feedback_kind"]) for each in shown(client)] == [
            (again, "useful")
        ]

    def test_nobody_elses(self, client: httpx.Client, client_of: Make, make_user: Make) -> None:
        ask(client_of(make_user()), JAWS)
        assert shown(client) == []

    def test_counts_what_is_on_the_latest_lists(
        self, client: httpx.Client, make: Make, me: User
    ) -> None:
        run = {"user_id": me.id, "run_type": "manual", "status": "completed"}
        for kind, count in (("movie", 5), ("movie", 12), ("tvshow", 7)):
            make(RecommendationRun, kind=kind, selected_count=count, **run)
        make(RecommendationRun, kind="movie", selected_count=0, **{**run, "status": "failed"})
        assert client.get("/account").json()["stats"]["recommendations_count"] == 19

    def test_twenty_at_the_most(self, client: httpx.Client) -> None:
        for number in range(25):
            ask(client, {**JAWS, "favorite_movie": f"Jaws {number}"})
        assert len(shown(client)) == 20
