"""openapi/identity/users.yaml: what users change of their own."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from marquee import clock, db
from marquee.audit import Activity
from marquee.identity.auth import one_time
from marquee.identity.auth.models import Session
from marquee.identity.auth.service import RESET, VERIFY
from marquee.identity.auth.tokens import issue
from marquee.identity.users.models import User
from tests.answers import refused
from tests.identity.browsers import bearer, signed_in
from tests.identity.conftest import PASSWORD
from tests.letters import Letters

Make = Callable[..., Any]
LATER = timedelta(hours=1)
NEW = "new@example.org"
MASS_ASSIGNMENT: list[dict[str, Any]] = [
    {"id": 1},
    {"role": "admin"},
    {"roles": ["admin"]},
    {"is_admin": True},
    {"is_active": True},
    {"email_verified": True},
    {"username": "root"},
    {"provider": "local"},
    {"password_hash": "x"},
    {"can_manage_watch_history": True},
    {"preferences": {}},
]


@pytest.fixture
def home(anonymous: httpx.Client, casey: User) -> httpx.Client:
    """A client by which Casey has signed in."""
    anonymous.headers.update(bearer(signed_in(anonymous)["access_token"]))
    return anonymous


class TestUpdateCurrentUser:
    def test_changes_what_is_named_alone(self, client: httpx.Client) -> None:
        before = client.get("/users/me").json()
        body = {"display_name": "Robin", "timezone": "America/Sao_Paulo", "locale": "pt-BR"}
        answer = client.put("/users/me", json=body)
        assert answer.status_code == 200
        changed = {name: value for name, value in answer.json().items() if value != before[name]}
        assert {name: changed[name] for name in body} == body
        assert set(changed) - {"updated_at"} == set(body)
        assert client.get("/users/me").json() == answer.json()
        nothing = dict.fromkeys(body)
        assert nothing.items() <= client.put("/users/me", json=nothing).json().items()

    def test_may_change_nothing(self, client: httpx.Client) -> None:
        before = client.get("/users/me").json()
        assert client.put("/users/me", json={}).json() == before

    def test_another_address_must_be_confirmed(
        self, home: httpx.Client, casey: User, letters: Letters
    ) -> None:
        casey.email_verified = True
        old = [one_time.grant(each, LATER, user_id=casey.id) for each in (VERIFY, RESET)]
        db.session.commit()
        answer = home.put("/users/me", json={"email": NEW, "current_password": PASSWORD})
        assert (answer.json()["email"], answer.json()["email_verified"]) == (NEW, False)
        for path, body in (
            ("verify-email", {"token": old[0]}),
            ("reset-password", {"token": old[1], "new_password": "seven purple bicycles"}),
        ):
            late = home.post(f"/auth/{path}", json=body, headers={"Authorization": ""})
            assert refused(late) == (400, "INVALID_OR_EXPIRED_TOKEN")
        token = letters.token()
        del home.headers["authorization"]
        assert home.post("/auth/verify-email", json={"token": token}).status_code == 204
        moved = db.session.get_one(User, casey.id)
        assert (moved.email, moved.email_verified) == (NEW, True)

    def test_the_same_address_needs_nothing(
        self, home: httpx.Client, casey: User, letters: Letters
    ) -> None:
        casey.email_verified = True
        db.session.commit()
        answer = home.put("/users/me", json={"email": "CASEY@example.org"})
        assert answer.json()["email"] == "CASEY@example.org"
        assert answer.json()["email_verified"] is True
        assert letters.deliver() == []

    def test_another_address_takes_the_password(self, home: httpx.Client, casey: User) -> None:
        without = home.put("/users/me", json={"email": NEW})
        assert refused(without) == (400, "VALIDATION_ERROR")
        assert without.json()["error"]["details"]["errors"][0]["path"] == "/current_password"
        wrong = home.put("/users/me", json={"email": NEW, "current_password": "wrong"})
        assert refused(wrong) == (401, "INVALID_CREDENTIALS")
        assert home.get("/users/me").json()["email"] == casey.email

    def test_guessing_the_password_locks(
        self, home: httpx.Client, set_variables: Callable[..., None]
    ) -> None:
        set_variables(SIGN_IN_ATTEMPTS="5")
        body = {"email": NEW, "current_password": "wrong"}
        statuses = [home.put("/users/me", json=body).status_code for _ in range(6)]
        assert statuses == [401] * 5 + [429]

    def test_an_api_key_cannot_change_the_address(self, client: httpx.Client, me: User) -> None:
        answer = client.put("/users/me", json={"email": NEW, "current_password": "x"})
        assert refused(answer) == (403, "INSUFFICIENT_PERMISSIONS")
        assert client.put("/users/me", json={"email": me.email}).status_code == 200

    def test_without_a_password_who_has_just_signed_in(
        self, anonymous: httpx.Client, me: User, make: Make
    ) -> None:
        old, new = (
            make(Session, user_id=me.id, expires_at=clock.now() + LATER, created_at=opened)
            for opened in (clock.now() - LATER, clock.now())
        )
        anonymous.headers.update(bearer(issue(me.id, old.id)))
        late = anonymous.put("/users/me", json={"email": NEW})
        assert refused(late) == (403, "REAUTHENTICATION_REQUIRED")
        anonymous.headers.update(bearer(issue(me.id, new.id)))
        assert anonymous.put("/users/me", json={"email": NEW}).json()["email"] == NEW

    def test_an_address_that_is_taken(
        self, home: httpx.Client, casey: User, make_user: Make
    ) -> None:
        other = make_user("user", email="Taken@example.org")
        body = {"email": "taken@EXAMPLE.org", "current_password": PASSWORD}
        assert refused(home.put("/users/me", json=body)) == (409, "EMAIL_TAKEN")
        assert home.get("/users/me").json()["email"] == casey.email != other.email

    @pytest.mark.parametrize("zone", ["Mars/Olympus", "../../etc/passwd", "europe", "Europe/"])
    def test_a_time_zone_that_there_is_not(self, client: httpx.Client, zone: str) -> None:
        answer = client.put("/users/me", json={"timezone": zone})
        assert refused(answer) == (400, "VALIDATION_ERROR")
        assert answer.json()["error"]["details"]["errors"][0]["path"] == "/timezone"

    @pytest.mark.parametrize(
        "body",
        [
            *MASS_ASSIGNMENT,
            {"email": None},
            {"email": "no address"},
            {"email": "x" * 250 + "@example.org"},
            {"display_name": ""},
            {"display_name": "x" * 101},
            {"locale": "x"},
            {"locale": "en_US"},
            {"timezone": ""},
            [],
        ],
        ids=str,
    )
    def test_a_body_that_breaks_the_contract(self, client: httpx.Client, body: object) -> None:
        assert refused(client.put("/users/me", json=body)) == (400, "VALIDATION_ERROR")

    def test_a_guest_may_only_look(
        self, client_of: Callable[..., httpx.Client], make_user: Make
    ) -> None:
        guest = client_of(make_user("guest"))
        for method in ("PUT", "PATCH"):
            answer = guest.request(method, "/users/me", json={"display_name": "Robin"})
            assert refused(answer) == (403, "INSUFFICIENT_PERMISSIONS")

    def test_is_recorded_without_what_was_written(self, home: httpx.Client, casey: User) -> None:
        home.put("/users/me", json={"email": NEW, "current_password": PASSWORD})
        home.put("/users/me", json={"email": "other@example.org", "current_password": "wrong"})
        lines = db.session.scalars(
            select(Activity).where(Activity.action == "user.update").order_by(Activity.id)
        ).all()
        assert [(line.user_id, line.error_code) for line in lines] == [
            (casey.id, None),
            (casey.id, "INVALID_CREDENTIALS"),
        ]
        assert not any("example.org" in str(line.details) for line in lines)


class TestPatchCurrentUser:
    @pytest.mark.parametrize(
        "body",
        [
            {"display_name": "Robin"},
            {"avatar_url": "https://images.example.org/robin.jpg"},
            {"cover_url": "https://images.example.org/sea.jpg?x=1", "display_name": None},
        ],
        ids=str,
    )
    def test_changes_any_of_three(self, client: httpx.Client, body: dict[str, Any]) -> None:
        answer = client.patch("/users/me", json=body)
        assert answer.status_code == 200
        assert body.items() <= answer.json().items()
        nothing = dict.fromkeys(body)
        assert nothing.items() <= client.patch("/users/me", json=nothing).json().items()

    @pytest.mark.parametrize(
        "body",
        [
            {},
            *MASS_ASSIGNMENT,
            {"email": NEW},
            {"avatar_url": "http://images.example.org/robin.jpg"},
            {"avatar_url": "javascript:alert(1)"},
            {"avatar_url": "data:image/png;base64,AAAA"},
            {"avatar_url": "https://images.example.org/a b"},
            {"cover_url": "//images.example.org/sea.jpg"},
            {"cover_url": ""},
            {"cover_url": "https://" + "x" * 2000},
        ],
        ids=lambda body: str(body)[:60],
    )
    def test_a_body_that_breaks_the_contract(self, client: httpx.Client, body: object) -> None:
        assert refused(client.patch("/users/me", json=body)) == (400, "VALIDATION_ERROR")


class TestGetUserPreferences:
    def test_of_who_has_set_none(self, client: httpx.Client, me: User) -> None:
        answer = client.get("/users/me/preferences")
        assert answer.status_code == 200
        shown = answer.json()
        assert (shown["user_id"], shown["profile_visibility"]) == (me.id, "private")
        assert shown["email_notifications"] == {"enabled": True, "frequency": "instant"}
        assert (shown["show_email"], shown["show_activity"]) == (False, False)


class TestUpdateUserPreferences:
    def test_merges(self, client: httpx.Client, me: User) -> None:
        before = client.get("/users/me/preferences").json()
        first = {"theme": "dark", "email_notifications": {"frequency": "weekly"}}
        second = {"email_notifications": {"enabled": False}, "content_language": "pt-BR"}
        for body in (first, second):
            answer = client.put("/users/me/preferences", json=body)
            assert answer.status_code == 200
        assert answer.json() == {
            **before,
            "theme": "dark",
            "content_language": "pt-BR",
            "email_notifications": {"enabled": False, "frequency": "weekly"},
        }
        assert client.get("/users/me/preferences").json() == answer.json()

    def test_stores_what_differs_from_the_defaults(self, client: httpx.Client, me: User) -> None:
        for body in (
            {"theme": "dark", "email_notifications": {"frequency": "weekly", "enabled": False}},
            {"theme": "system", "email_notifications": {"enabled": True}},
        ):
            client.put("/users/me/preferences", json=body)
        db.session.refresh(me)
        assert me.preferences == {"email_notifications": {"frequency": "weekly"}}

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"user_id": 1},
            {"is_admin": True},
            {"theme": "blue"},
            {"theme": None},
            {"display_language": None},
            {"display_language": "e"},
            {"email_notifications": {}},
            {"email_notifications": None},
            {"email_notifications": {"frequency": "monthly"}},
            {"digest_notifications": {"frequency": "instant"}},
            {"push_notifications": {"enabled": True, "frequency": "daily"}},
        ],
        ids=str,
    )
    def test_a_body_that_breaks_the_contract(self, client: httpx.Client, body: object) -> None:
        answer = client.put("/users/me/preferences", json=body)
        assert refused(answer) == (400, "VALIDATION_ERROR")
