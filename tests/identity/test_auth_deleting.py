"""openapi/identity/auth.yaml: deleting one's account, of which nothing stays."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import (
    ARRAY,
    Column,
    ColumnElement,
    Engine,
    LargeBinary,
    String,
    Table,
    cast,
    func,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import INET, JSONB

from marquee import clock, db
from marquee.audit import Activity
from marquee.db import Model
from marquee.identity.auth.models import Session
from marquee.identity.auth.tokens import issue
from marquee.identity.users import belongings
from marquee.identity.users.models import User
from marquee.web.app import App
from tests.answers import refused
from tests.committed import committed
from tests.identity.belongings import ADDRESS, CANARY, fill
from tests.identity.browsers import bearer, cookies_of, credentials, csrf_pair, signed_in
from tests.identity.conftest import PASSWORD
from tests.identity.pictures import halves, written

Make = Callable[..., Any]
LATER = timedelta(hours=1)
BODY = {"email": "Casey@Example.org", "password": PASSWORD}
PATH = "/auth/delete-account"
OF_CATALOGUE = {
    *("movies", "tvshows", "seasons", "episodes", "people", "credits", "collections"),
    *("genres", "genre_tallies", "studios", "networks", "translations", "media_files"),
    *("embeddings", "search_indexes", "title_changes", "kept_images"),
}
OF_NOBODY = {
    *OF_CATALOGUE,
    "activity_days",  # numbers
    "job_runs",  # `started_by` is forgotten
    "job_schedules",
    "oidc_providers",
    "rate_limits",  # ids and addresses, for as long as a limit's window
    "roles",
    "sign_in_attempts",  # `attempts.forget`
    "top_pick_lists",
    "top_picks",  # numbers
    "watch_changes",  # titles
    "watch_counts",  # numbers
}
"""The tables with nothing of any user, and what else becomes of the rest."""
SEARCHED = (String, JSONB, INET, ARRAY, LargeBinary)


@pytest.fixture
def home(anonymous: httpx.Client, casey: User) -> httpx.Client:
    """A client by which Casey has signed in."""
    anonymous.headers.update(bearer(signed_in(anonymous)["access_token"]))
    return anonymous


def there_is(user_id: int) -> bool:
    return db.session.scalar(select(User.id).where(User.id == user_id)) is not None


def as_text(column: Column[Any]) -> ColumnElement[str]:
    """What a column holds, in characters that can be searched."""
    if isinstance(column.type, LargeBinary):
        return func.encode(column, "escape")
    return cast(column, String)


def rows_with(table: Table, word: str) -> int:
    """How many rows of a table have a word in any column of text, address, JSON or bytes."""
    columns = [each for each in table.columns if isinstance(each.type, SEARCHED)]
    texts = [
        func.convert_from(each, "UTF8")
        if isinstance(each.type, LargeBinary)
        else cast(each, String)
        for each in columns
    ]
    found = or_(*(each.ilike(f"%{word}%") for each in texts)) if texts else False
    query = select(func.count()).select_from(table).where(found)
    return int(db.session.execute(query).scalar_one())


class TestDeleteAccount:
    def test_deletes_it_for_ever(self, home: httpx.Client, casey: User) -> None:
        answer = home.post(PATH, json={**BODY, "email": "casey@EXAMPLE.org"})
        assert (answer.status_code, answer.json()) == (200, {"ok": True})
        assert not there_is(casey.id)
        assert home.get("/users/me").status_code == 401
        del home.headers["authorization"]
        late = home.post("/auth/login", json=credentials())
        assert refused(late) == (401, "INVALID_CREDENTIALS")

    def test_takes_a_browsers_cookies_away(self, anonymous: httpx.Client, casey: User) -> None:
        answer = anonymous.post("/auth/login", json=credentials(), headers=csrf_pair())
        cookies = {name: cookie.value for name, cookie in cookies_of(answer).items()}
        sent = {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}
        alone = anonymous.post(PATH, json=BODY, headers=sent)
        assert refused(alone) == (403, "CSRF_FAILED")
        headers = sent | {"X-CSRF-Token": cookies["__csrf"]}
        gone = anonymous.post(PATH, json=BODY, headers=headers)
        assert gone.status_code == 200
        assert {name: cookie["max-age"] for name, cookie in cookies_of(gone).items()} == {
            "marquee_session": "0",
            "__csrf": "0",
        }
        assert gone.headers["cache-control"] == "no-store"

    @pytest.mark.parametrize(
        "body",
        [{"email": "Casey@Example.org", "password": "wrong"}, {**BODY, "email": "x@example.org"}],
        ids=["password", "address"],
    )
    def test_wrong_credentials(self, home: httpx.Client, casey: User, body: dict[str, str]) -> None:
        assert refused(home.post(PATH, json=body)) == (401, "INVALID_CREDENTIALS")
        assert there_is(casey.id)

    def test_guessing_locks(
        self, home: httpx.Client, casey: User, set_variables: Callable[..., None]
    ) -> None:
        set_variables(SIGN_IN_ATTEMPTS="5")
        body = {**BODY, "password": "wrong"}
        assert [home.post(PATH, json=body).status_code for _ in range(6)] == [401] * 5 + [429]
        assert home.post(PATH, json=BODY).status_code == 429
        assert there_is(casey.id)

    @pytest.mark.parametrize(
        "body", [{}, {"password": PASSWORD}, {"email": BODY["email"]}, {**BODY, "user_id": 1}]
    )
    def test_a_body_that_breaks_the_contract(
        self, home: httpx.Client, casey: User, body: dict[str, Any]
    ) -> None:
        assert refused(home.post(PATH, json=body)) == (400, "VALIDATION_ERROR")
        assert there_is(casey.id)

    def test_an_api_key_cannot(self, client: httpx.Client, me: User) -> None:
        answer = client.post(PATH, json={"email": me.email})
        assert refused(answer) == (401, "INVALID_TOKEN")
        assert there_is(me.id)

    def test_without_a_password_who_has_just_signed_in(
        self, anonymous: httpx.Client, make_user: Make, make: Make
    ) -> None:
        """By the user name, where there is no address either."""
        guest = make_user("guest", email=None)
        for opened_at, expected in ((clock.now() - LATER, 403), (clock.now(), 200)):
            opened = make(
                Session, user_id=guest.id, expires_at=clock.now() + LATER, created_at=opened_at
            )
            headers = bearer(issue(guest.id, opened.id))
            answer = anonymous.post(PATH, json={"email": guest.username}, headers=headers)
            assert answer.status_code == expected
        assert not there_is(guest.id)

    def test_the_last_administrator_stays(
        self, anonymous: httpx.Client, make_user: Make, make: Make
    ) -> None:
        make_user("admin", is_active=False)
        one = make_user("admin")
        opened = make(Session, user_id=one.id, expires_at=clock.now() + LATER)
        headers = bearer(issue(one.id, opened.id))
        answer = anonymous.post(PATH, json={"email": one.email}, headers=headers)
        assert refused(answer) == (409, "LAST_ADMIN")
        make_user("admin")
        assert anonymous.post(PATH, json={"email": one.email}, headers=headers).status_code == 200

    def test_of_two_administrators_at_once_one_stays(self, engine: Engine, base_url: str) -> None:
        with committed(engine) as rows:
            both = [rows.user("admin") for _ in range(2)]
            later = clock.now() + LATER
            sessions = [rows.make(Session, user_id=each.id, expires_at=later) for each in both]

            def leave(number: int) -> int:
                headers = bearer(issue(both[number].id, sessions[number].id))
                url, body = f"{base_url}/api/v1{PATH}", {"email": both[number].email}
                return httpx.post(url, json=body, headers=headers, timeout=30).status_code

            with ThreadPoolExecutor(2) as threads:
                assert sorted(threads.map(leave, range(2))) == [200, 409]

    def test_the_picture_goes_too(
        self, home: httpx.Client, tmp_path: Path, set_variables: Callable[..., None]
    ) -> None:
        set_variables(MARQUEE_DATA=str(tmp_path))
        files = {"file": ("me.png", written(halves()), "image/png")}
        assert home.post("/users/me/avatar", files=files).status_code == 201
        assert len(list(tmp_path.rglob("*.webp"))) == 1
        assert home.post(PATH, json=BODY).status_code == 200
        assert list(tmp_path.rglob("*.webp")) == []

    def test_the_log_keeps_what_was_done_and_not_by_whom(
        self, home: httpx.Client, casey: User
    ) -> None:
        home.post(PATH, json={**BODY, "password": "wrong"})
        home.post(PATH, json=BODY)
        query = select(Activity).where(Activity.user_id == casey.id).order_by(Activity.id)
        lines = db.session.scalars(query.execution_options(populate_existing=True)).all()
        assert [(line.action, line.success) for line in lines] == [
            ("user.login", True),
            ("user.delete", False),
            ("user.delete", True),
        ]
        for line in lines:
            assert (line.username, line.ip_address) == (None, None)
            assert (line.user_agent, line.details) == (None, None)


class TestNothingStays:
    def test_in_any_table(self, home: httpx.Client, casey: User) -> None:
        """A row in every table that can hold one; then no row, and no word of theirs anywhere."""
        home.post("/auth/login", json=credentials(password="wrong"), headers={"Authorization": ""})
        filled = fill(casey.id)
        assert rows_with(User.__table__, CANARY.format("users")) == 1
        assert home.post(PATH, json=BODY).status_code == 200
        for table, mine in belongings.of(casey.id).items():
            left = db.session.execute(select(func.count()).select_from(table).where(mine))
            assert left.scalar_one() == 0 or table is Activity.__table__, table.name
        words = ["casey", ADDRESS, *(CANARY.format(f"{each.name}.") for each in filled)]
        kept = CANARY.format("activity.")
        for table in Model.metadata.sorted_tables:
            for word in words:
                if word != kept:
                    assert rows_with(table, word) == 0, f"{table.name} still has {word}"

    def test_which_tables_have_a_rule(self, app: App) -> None:
        """A new table belongs to a user, or holds nothing of any: decide which."""
        owned = {table.name for table in belongings.of(1)}
        assert {table.name for table in Model.metadata.sorted_tables} - owned == OF_NOBODY

    def test_no_reference_outlives_a_user(self, app: App) -> None:
        """What refers to a user goes with the user, or forgets whom it referred to."""
        for table in Model.metadata.sorted_tables:
            for key in table.foreign_keys:
                if key.column.table is User.__table__:
                    assert key.ondelete in ("CASCADE", "SET NULL"), (
                        f"{table.name}.{key.parent.name}"
                    )
