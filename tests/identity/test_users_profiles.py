"""openapi/identity/users.yaml: what users see of each other."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from marquee import clock
from marquee.catalogue.movies.models import Movie
from marquee.identity.users.models import Role, User, UserRole
from marquee.taste.favorites.models import Favorite
from marquee.taste.ratings.models import Rating
from tests.answers import refused

Make = Callable[..., Any]
NOBODY = 9_007_199_254_740_991
PUBLIC = {"id", "username", "display_name", "avatar_url", "cover_url", "created_at"}


def filled(answer: httpx.Response) -> set[str]:
    """The names of what a profile shows."""
    assert answer.status_code == 200
    return {name for name, value in answer.json().items() if value is not None}


@pytest.fixture
def public(make_user: Make) -> User:
    """Somebody who shows the profile to everybody, with a value in every column."""
    user: User = make_user(
        "user",
        display_name="Robin",
        avatar_url="https://images.example.org/robin.jpg",
        cover_url="https://images.example.org/sea.jpg",
        locale="pt-BR",
        timezone="Europe/Lisbon",
        password_hash="$argon2id$",
        provider="jellyfin",
        provider_user_id="8f2d",
        max_parental_rating=16,
        seerr_user_id=4,
        last_login_at=clock.now(),
        preferences={"profile_visibility": "public"},
    )
    return user


class TestGetUser:
    def test_shows_a_public_profile(self, client: httpx.Client, public: User) -> None:
        answer = client.get(f"/users/{public.id}")
        assert filled(answer) == PUBLIC
        assert answer.json()["display_name"] == "Robin"
        assert "etag" not in answer.headers

    @pytest.mark.parametrize(
        "preference,field", [("show_email", "email"), ("show_activity", "last_login_at")]
    )
    def test_shows_more_where_its_owner_wants_it(
        self, client: httpx.Client, make_user: Make, preference: str, field: str
    ) -> None:
        wanted = {"profile_visibility": "public", preference: True}
        user = make_user("user", last_login_at=clock.now(), preferences=wanted)
        assert filled(client.get(f"/users/{user.id}")) - PUBLIC == {field}

    @pytest.mark.parametrize(
        "hidden",
        [
            {},
            {"preferences": {"profile_visibility": "private", "show_email": True}},
            {"preferences": {"profile_visibility": "friends"}},
            {"preferences": {"profile_visibility": "public"}, "is_active": False},
        ],
        ids=["by default", "private", "friends", "disabled"],
    )
    def test_hides_like_somebody_who_does_not_exist(
        self, client: httpx.Client, make_user: Make, hidden: dict[str, Any]
    ) -> None:
        user = make_user("user", **hidden)
        there, nowhere = client.get(f"/users/{user.id}"), client.get(f"/users/{NOBODY}")
        assert refused(there) == refused(nowhere) == (404, "USER_NOT_FOUND")
        assert there.text.replace(str(user.id), "N") == nowhere.text.replace(str(NOBODY), "N")

    def test_shows_all_to_its_owner(
        self, client_of: Callable[..., httpx.Client], public: User
    ) -> None:
        answer = client_of(public).get(f"/users/{public.id}")
        assert filled(answer) == set(answer.json())
        assert (answer.json()["email"], answer.json()["roles"]) == (public.email, ["user"])
        assert answer.headers["etag"].startswith('"')

    @pytest.mark.parametrize("role", ["moderator", "admin"])
    def test_shows_all_to_who_may_read_users(
        self, client_of: Callable[..., httpx.Client], make_user: Make, role: str
    ) -> None:
        hidden = make_user("user", is_active=False)
        answer = client_of(make_user(role)).get(f"/users/{hidden.id}")
        shown = answer.json()
        assert (shown["email"], shown["is_active"], shown["is_admin"]) == (
            hidden.email,
            False,
            False,
        )
        assert "password_hash" not in answer.text

    def test_an_administrator_is_told_who_does_not_exist(self, admin: httpx.Client) -> None:
        assert refused(admin.get(f"/users/{NOBODY}")) == (404, "USER_NOT_FOUND")

    @pytest.mark.parametrize("id_", ["0", "x", "1.5", "9007199254740992", "-1"])
    def test_refuses_what_is_no_id(self, client: httpx.Client, id_: str) -> None:
        assert refused(client.get(f"/users/{id_}")) == (400, "VALIDATION_ERROR")


class TestGetUserStats:
    def test_counts(self, client: httpx.Client, make: Make, me: User, make_user: Make) -> None:
        films, other = [make(Movie) for _ in range(3)], make_user("user")
        for film in films[:2]:
            make(Favorite, user_id=me.id, movie_id=film.id)
        for film in films:
            make(Rating, user_id=me.id, movie_id=film.id, score=8)
            make(Rating, user_id=other.id, movie_id=film.id, score=3)
        answer = client.get(f"/users/{me.id}/stats")
        assert answer.status_code == 200
        assert answer.json() == {
            "favorites_count": 2,
            "ratings_count": 3,
            "watched_count": 0,
            "recommendations_count": 0,
        }

    def test_of_others_for_who_may_read_users(
        self, client_of: Callable[..., httpx.Client], make_user: Make, me: User
    ) -> None:
        moderator = client_of(make_user("moderator"))
        answer = moderator.get(f"/users/{me.id}/stats")
        assert answer.json() == dict.fromkeys(answer.json(), 0)
        assert refused(moderator.get(f"/users/{NOBODY}/stats")) == (404, "USER_NOT_FOUND")

    def test_of_others_for_nobody_else(self, client: httpx.Client, public: User) -> None:
        for user_id in (public.id, NOBODY):
            answer = client.get(f"/users/{user_id}/stats")
            assert refused(answer) == (403, "INSUFFICIENT_PERMISSIONS")

    def test_needs_a_role(self, client_of: Callable[..., httpx.Client], make: Make) -> None:
        nobody = make(User)
        client = client_of(nobody)
        assert client.get(f"/users/{nobody.id}/stats").status_code == 403
        role = make(Role, name="reader", permissions=["profile:get"])
        make(UserRole, user_id=nobody.id, role_id=role.id)
        assert client.get(f"/users/{nobody.id}/stats").status_code == 200
