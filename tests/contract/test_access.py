"""Who may call what: every operation with every kind of caller, credential and lack of one."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from jwt.warnings import InsecureKeyLengthWarning

from marquee import clock, signing
from marquee.db import session
from marquee.identity.auth import answers, tokens
from marquee.identity.auth.models import Session
from marquee.identity.users.models import User
from marquee.viewer import ADMINISTRATIVE
from tests.contract.calls import (
    ACCOUNT_ONLY,
    BY_NAME,
    FOR_KEYS,
    FOR_USERS,
    OPERATIONS,
    PERMITTED,
    SECURED,
    Operation,
    name_of,
    refused,
)

Call = Callable[..., Any]
TABLE = Path(__file__).with_name("access.txt")
FOUND = Path(__file__).parents[2] / "build" / "access.txt"
ROLES = ("anonymous", "guest", "user", "moderator", "admin")
ROW = "{:<34}{:<11}{:<9}{:<9}{:<11}{}"
UNSAFE = [each for each in FOR_USERS if each.method != "get"]
OF_EVERYBODY = {"get_user", "get_avatar"}
"""What others may see, as far as a profile is public."""
NAMING_A_USER = [
    each for each in FOR_KEYS if "{user_id}" in each.path and each.name not in OF_EVERYBODY
]
LATER = timedelta(hours=1)


def unauthenticated(answer: httpx.Response) -> None:
    """Assert a 401 that says how to authenticate."""
    refused(answer, 401, "INVALID_TOKEN")
    assert answer.headers["www-authenticate"].startswith("Bearer ")


@pytest.fixture
def opened(make: Call, me: User) -> Session:
    """A session of `me`."""
    made: Session = make(Session, user_id=me.id, expires_at=clock.now() + LATER)
    return made


@pytest.fixture
def browser(opened: Session) -> dict[str, str]:
    """The headers of a browser in which `me` has signed in."""
    csrf = answers.csrf_token(opened.id)
    cookie = f"marquee_session={answers.session_cookie(opened.id)}; __csrf={csrf}"
    return {"Cookie": cookie, "X-CSRF-Token": csrf}


def bearer(token: str) -> dict[str, str]:
    """The header of a bearer token."""
    return {"Authorization": f"Bearer {token}"}


class TestTable:
    def test_is_what_happens(
        self, token_of: Call, make_user: Call, anonymous: httpx.Client
    ) -> None:
        """Each operation by each role, on what is the caller's own."""
        users = {role: make_user(role) for role in ROLES[1:]}
        lines = []
        for operation in sorted(OPERATIONS, key=name_of):
            words = [operation.name]
            for role in ROLES:
                own = {"user_id": users[role].id} if role in users else {}
                headers = token_of(users[role]) if role in users else {}
                answer = operation.call(anonymous, headers, secret=False, **own)
                no = answer.status_code in (401, 403) and not operation.anonymous
                words.append("refused" if no else "allowed")
            lines.append(ROW.format(*words))
        header = ROW.format("# operation", *ROLES)
        table = "\n".join([header, *lines, ""])
        FOUND.parent.mkdir(exist_ok=True)
        FOUND.write_text(table)
        assert TABLE.read_text() == table, (
            "What each role may call has changed: see build/access.txt. If that is meant, edit "
            "tests/contract/access.txt."
        )


class TestWithoutCredential:
    @pytest.mark.parametrize("operation", SECURED, ids=name_of)
    def test_nobody_is_let_in(self, anonymous: httpx.Client, operation: Operation) -> None:
        answer = anonymous.request(operation.method.upper(), operation.url(), json=operation.body)
        unauthenticated(answer)

    @pytest.mark.parametrize("operation", FOR_USERS, ids=name_of)
    @pytest.mark.parametrize(
        "value", ["Basic YWRtaW46YWRtaW4=", "Bearer", "bearer\tx", "Bearer é", "é", ","]
    )
    def test_no_bearer_token_at_all(
        self, anonymous: httpx.Client, operation: Operation, value: str
    ) -> None:
        sent = {b"Authorization": value.encode()}
        unauthenticated(anonymous.request(operation.method.upper(), operation.url(), headers=sent))


class TestBadCredentials:
    @pytest.mark.parametrize("operation", FOR_KEYS, ids=name_of)
    def test_bad_token_beside_a_good_key(
        self, anonymous: httpx.Client, key_of: Call, me: User, operation: Operation
    ) -> None:
        headers = bearer("mq_" + "0" * 40) | {"X-API-Key": key_of(me)}
        unauthenticated(operation.call(anonymous, headers, user_id=me.id))

    @pytest.mark.parametrize("operation", FOR_KEYS, ids=name_of)
    def test_bad_key_beside_a_good_token(
        self, anonymous: httpx.Client, token_of: Call, me: User, operation: Operation
    ) -> None:
        headers = token_of(me) | {"X-API-Key": "wrong"}
        unauthenticated(operation.call(anonymous, headers, user_id=me.id))

    @pytest.mark.parametrize("operation", ACCOUNT_ONLY, ids=name_of)
    def test_good_key_where_only_the_account_may_act(
        self, anonymous: httpx.Client, key_of: Call, me: User, operation: Operation
    ) -> None:
        key = key_of(me)
        for headers in (bearer(key), {"X-API-Key": key}):
            unauthenticated(operation.call(anonymous, headers, user_id=me.id))

    @pytest.mark.parametrize("operation", FOR_USERS, ids=name_of)
    def test_key_that_has_expired_or_was_revoked(
        self, client_of: Call, me: User, operation: Operation
    ) -> None:
        before = clock.now() - timedelta(minutes=1)
        for ended in ({"expires_at": before}, {"revoked_at": before}):
            unauthenticated(operation.call(client_of(me, **ended), user_id=me.id))

    @pytest.mark.parametrize("operation", FOR_USERS, ids=name_of)
    def test_key_token_and_cookie_of_a_disabled_user(
        self,
        anonymous: httpx.Client,
        key_of: Call,
        me: User,
        opened: Session,
        browser: dict[str, str],
        operation: Operation,
    ) -> None:
        credentials = [bearer(key_of(me)), bearer(tokens.issue(me.id, opened.id)), browser]
        me.is_active = False
        session.commit()
        for headers in credentials:
            unauthenticated(operation.call(anonymous, headers, user_id=me.id))

    @pytest.mark.parametrize("operation", FOR_USERS, ids=name_of)
    @pytest.mark.parametrize("ended", ["revoked_at", "expires_at"])
    def test_token_and_cookie_of_a_session_that_has_ended(
        self,
        anonymous: httpx.Client,
        me: User,
        opened: Session,
        browser: dict[str, str],
        operation: Operation,
        ended: str,
    ) -> None:
        token = bearer(tokens.issue(me.id, opened.id))
        setattr(opened, ended, clock.now() - timedelta(minutes=1))
        session.commit()
        for headers in (token, browser):
            unauthenticated(operation.call(anonymous, headers, user_id=me.id))

    @pytest.mark.parametrize("name", ["metrics_token", "cron_secret"])
    def test_secrets_of_the_system_are_for_their_own_operations(
        self, anonymous: httpx.Client, key_of: Call, make_user: Call, name: str
    ) -> None:
        admin_key = key_of(make_user("admin"))
        for operation in (each for each in OPERATIONS if name in each.schemes):
            unauthenticated(operation.call(anonymous, bearer(admin_key)))
            unauthenticated(operation.call(anonymous, bearer("the other secret")))
        for operation in FOR_USERS:
            unauthenticated(operation.call(anonymous, bearer(name.replace("_", " "))))


class TestTokens:
    """Access tokens, on one operation: the check is the same for all."""

    def claims(self, me: User, opened: Session, **changes: Any) -> dict[str, Any]:
        """Good ones but for the changes, in which a span of time is from now on."""
        now = clock.now()
        good = {
            "iss": tokens.ISSUER,
            "aud": tokens.AUDIENCE,
            "sub": str(me.id),
            "sid": opened.id,
            "iat": now,
            "exp": now + LATER,
        }
        return {
            name: now + value if isinstance(value, timedelta) else value
            for name, value in {**good, **changes}.items()
            if value is not None
        }

    def signed(self, claims: dict[str, Any], key: bytes | None = None) -> str:
        ours = signing.key_for(tokens.PURPOSE)
        headers = {"kid": tokens.key_id(ours), "typ": tokens.TYPE}
        return jwt.encode(claims, key or ours, tokens.ALGORITHM, headers=headers)

    def test_good_one_is_taken(self, anonymous: httpx.Client, me: User, opened: Session) -> None:
        token = self.signed(self.claims(me, opened))
        assert anonymous.get("/users/me", headers=bearer(token)).json()["id"] == me.id

    @pytest.mark.parametrize(
        "changes",
        [
            {"exp": timedelta(minutes=-1)},
            {"exp": None},
            {"nbf": LATER},
            {"iat": LATER},
            {"iss": "somebody"},
            {"iss": None},
            {"aud": "something"},
            {"aud": None},
            {"sub": None},
            {"sub": "1 or 1=1"},
            {"sub": "9" * 30},
            {"sid": None},
            {"sid": 2**70},
            {"sid": "x"},
            {"sid": -1},
        ],
        ids=str,
    )
    def test_wrong_claims(
        self, anonymous: httpx.Client, me: User, opened: Session, changes: dict[str, Any]
    ) -> None:
        token = self.signed(self.claims(me, opened, **changes))
        unauthenticated(anonymous.get("/users/me", headers=bearer(token)))

    def test_another_users_session(
        self, anonymous: httpx.Client, make_user: Call, opened: Session
    ) -> None:
        token = self.signed(self.claims(make_user(), opened))
        unauthenticated(anonymous.get("/users/me", headers=bearer(token)))

    def test_foreign_key_and_no_algorithm(
        self, anonymous: httpx.Client, me: User, opened: Session
    ) -> None:
        claims = self.claims(me, opened)
        good = self.signed(claims)
        with pytest.warns(InsecureKeyLengthWarning):
            other_algorithm = jwt.encode(claims, signing.key_for(tokens.PURPOSE), "HS512")
        forged = [
            other_algorithm,
            self.signed(claims, b"another key, as long as a key has to be"),
            self.signed(claims, signing.key_for("session")),
            jwt.encode(claims, None, "none"),
            good[:-2],
            good.rpartition(".")[0] + ".",
            good + ".x",
            "a.b.c",
            "..",
        ]
        for token in forged:
            unauthenticated(anonymous.get("/users/me", headers=bearer(token)))

    def test_session_cookies_value_is_no_token(
        self, anonymous: httpx.Client, opened: Session
    ) -> None:
        cookie = answers.session_cookie(opened.id)
        unauthenticated(anonymous.get("/users/me", headers=bearer(cookie)))
        headers = {"Cookie": f"marquee_session={answers.csrf_token(opened.id)}"}
        unauthenticated(anonymous.get("/users/me", headers=headers))


class TestPermissions:
    @pytest.mark.parametrize("operation", PERMITTED, ids=name_of)
    def test_role_without_the_permission(
        self, anonymous: httpx.Client, token_of: Call, make: Call, operation: Operation
    ) -> None:
        nobody = make(User)
        answer = operation.call(anonymous, token_of(nobody), user_id=nobody.id)
        refused(answer, 403, "INSUFFICIENT_PERMISSIONS")
        assert str(operation.permission) in answer.json()["error"]["message"]

    @pytest.mark.parametrize("operation", [each for each in UNSAFE if each.takes_keys], ids=name_of)
    def test_key_that_may_only_read(
        self, client_of: Call, make_user: Call, operation: Operation
    ) -> None:
        admin = make_user("admin")
        client = client_of(admin, scopes=("read",))
        refused(operation.call(client, user_id=admin.id), 403, "INSUFFICIENT_PERMISSIONS")

    @pytest.mark.parametrize("operation", FOR_KEYS, ids=name_of)
    def test_key_without_any_scope(
        self, client_of: Call, make_user: Call, operation: Operation
    ) -> None:
        admin = make_user("admin")
        client = client_of(admin, scopes=())
        refused(operation.call(client, user_id=admin.id), 403, "INSUFFICIENT_PERMISSIONS")

    def test_administration_needs_a_key_for_it(self, client_of: Call, make_user: Call) -> None:
        admin = make_user("admin")
        client = client_of(admin, scopes=("read", "write"))
        for operation in FOR_KEYS:
            if (operation.permission or "").partition(":")[0] in ADMINISTRATIVE:
                answer = operation.call(client, user_id=admin.id)
                refused(answer, 403, "INSUFFICIENT_PERMISSIONS")

    @pytest.mark.parametrize("operation", NAMING_A_USER, ids=name_of)
    def test_another_user_in_the_path(
        self, client: httpx.Client, make_user: Call, operation: Operation
    ) -> None:
        """The same answer whether that user exists or not."""
        others = [make_user("user").id, make_user("admin").id, 2**53 - 1]
        answers = [operation.call(client, user_id=each) for each in others]
        for answer in answers:
            refused(answer, 403, "INSUFFICIENT_PERMISSIONS")
        assert len({answer.text for answer in answers}) == 1


class TestBrowsers:
    @pytest.mark.parametrize("operation", UNSAFE, ids=name_of)
    def test_session_without_csrf_token(
        self, anonymous: httpx.Client, me: User, browser: dict[str, str], operation: Operation
    ) -> None:
        cookie = {"Cookie": browser["Cookie"]}
        refused(operation.call(anonymous, cookie, user_id=me.id), 403, "CSRF_FAILED")

    @pytest.mark.parametrize("operation", UNSAFE, ids=name_of)
    def test_csrf_token_that_is_not_the_sessions(
        self,
        anonymous: httpx.Client,
        make: Call,
        me: User,
        opened: Session,
        browser: dict[str, str],
        operation: Operation,
    ) -> None:
        other = make(Session, user_id=me.id, expires_at=clock.now() + LATER)
        cookie = f"marquee_session={answers.session_cookie(opened.id)}; __csrf="
        for theirs in (answers.csrf_token(other.id), signing.sign("csrf", "made.up"), "x", ""):
            headers = {"Cookie": cookie + theirs, "X-CSRF-Token": theirs}
            refused(operation.call(anonymous, headers, user_id=me.id), 403, "CSRF_FAILED")
        headers = browser | {"X-CSRF-Token": answers.csrf_token(opened.id)}
        refused(operation.call(anonymous, headers, user_id=me.id), 403, "CSRF_FAILED")

    @pytest.mark.parametrize("operation", FOR_USERS, ids=name_of)
    def test_session_with_its_csrf_token_is_the_user(
        self,
        anonymous: httpx.Client,
        token_of: Call,
        me: User,
        browser: dict[str, str],
        operation: Operation,
    ) -> None:
        by_cookie = operation.call(anonymous, browser, user_id=me.id)
        by_token = operation.call(anonymous, token_of(me), user_id=me.id)
        assert (by_cookie.status_code in (401, 403)) == (by_token.status_code in (401, 403))

    def test_login_with_half_a_csrf_pair(
        self, anonymous: httpx.Client, browser: dict[str, str]
    ) -> None:
        operation = BY_NAME["login"]
        headers = {"X-CSRF-Token": browser["X-CSRF-Token"]}
        refused(operation.call(anonymous, headers), 403, "CSRF_FAILED")
