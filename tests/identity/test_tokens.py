"""Access tokens and the keys that sign them: marquee/identity/auth/tokens.py."""

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import httpx
import jwt
import pytest

from marquee import clock, sealing, settings, signing
from marquee.identity.auth import tokens
from marquee.identity.auth.answers import csrf_token, session_cookie
from marquee.identity.auth.models import Session
from marquee.identity.users.models import User
from tests.answers import refused

Make = Callable[..., Any]
LATER = timedelta(days=1)
FIRST, SECOND, THIRD = (f"secret number {number} of the tests is long enough" for number in "123")


@pytest.fixture
def opened(make: Make, me: User) -> Session:
    session: Session = make(Session, user_id=me.id, expires_at=clock.now() + LATER)
    return session


@pytest.fixture
def claims(me: User, opened: Session) -> dict[str, Any]:
    """The claims of a good token."""
    return {
        "iss": "marquee",
        "aud": "marquee",
        "sub": str(me.id),
        "sid": opened.id,
        "iat": clock.now(),
        "exp": clock.now() + timedelta(minutes=5),
    }


def status(client: httpx.Client, token: str) -> int:
    """What a bearer token gets."""
    answer = client.get("/users/me", headers={"Authorization": f"Bearer {token}"})
    if answer.status_code == 401:
        assert refused(answer) == (401, "INVALID_TOKEN")
        assert answer.headers["www-authenticate"].startswith("Bearer")
    return answer.status_code


def key() -> bytes:
    return signing.key_for(tokens.PURPOSE)


def signed(claims: dict[str, Any], by: bytes | None = None, **header: Any) -> str:
    """A token with these claims, whatever they are."""
    names = {"kid": tokens.key_id(key()), "typ": "at+jwt", **header}
    return jwt.PyJWS().encode(as_json(claims), by or key(), "HS256", names)


def as_json(claims: dict[str, Any]) -> bytes:
    return json.dumps(claims, default=lambda moment: int(moment.timestamp())).encode()


def encoded(part: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(as_json(part)).rstrip(b"=").decode()


class TestIssued:
    def test_says_what_rfc_9068_wants(self, me: User, opened: Session) -> None:
        token = tokens.issue(me.id, opened.id)
        assert jwt.get_unverified_header(token) == {
            "alg": "HS256",
            "typ": "at+jwt",
            "kid": tokens.key_id(key()),
        }
        said = jwt.decode(token, key(), algorithms=["HS256"], audience="marquee")
        assert (said["iss"], said["sub"], said["sid"]) == ("marquee", str(me.id), opened.id)
        assert said["exp"] - said["iat"] == 900

    def test_no_two_are_alike(self, me: User, opened: Session) -> None:
        assert tokens.issue(me.id, opened.id) != tokens.issue(me.id, opened.id)

    def test_kid_tells_nothing_of_the_key(self) -> None:
        assert len(tokens.key_id(key())) == 8
        assert tokens.key_id(key()) not in key().hex()


class TestForged:
    def test_a_good_one_is_taken(self, anonymous: httpx.Client, claims: dict[str, Any]) -> None:
        assert status(anonymous, signed(claims)) == 200

    @pytest.mark.parametrize("algorithm", ["none", "None", "NONE", ""])
    def test_without_a_signature(
        self, anonymous: httpx.Client, claims: dict[str, Any], algorithm: str
    ) -> None:
        header = {"alg": algorithm, "typ": "at+jwt", "kid": tokens.key_id(key())}
        head = f"{encoded(header)}.{encoded(claims)}"
        _, _, signature = signed(claims).rpartition(".")
        for token in (f"{head}.", f"{head}.{signature}", f"{head}.AAAA"):
            assert status(anonymous, token) == 401

    @pytest.mark.parametrize("public", ["kid", "issuer", "empty"])
    def test_signed_by_what_everybody_knows(
        self, anonymous: httpx.Client, claims: dict[str, Any], public: str
    ) -> None:
        words = {"kid": tokens.key_id(key()).encode(), "issuer": b"marquee", "empty": b"\0"}
        by = words[public].ljust(32, b"\0")
        assert status(anonymous, signed(claims, by)) == 401

    @pytest.mark.parametrize("purpose", ["session", "csrf", "cursor", "sealing"])
    def test_signed_by_a_key_for_something_else(
        self, anonymous: httpx.Client, claims: dict[str, Any], purpose: str
    ) -> None:
        other = signing.key_for(purpose)
        for kid in (tokens.key_id(key()), tokens.key_id(other)):
            assert status(anonymous, signed(claims, other, kid=kid)) == 401

    @pytest.mark.parametrize(
        "header",
        [
            {"kid": "deadbeef"},
            {"kid": ""},
            {"kid": "../../dev/null"},
            {"typ": "JWT"},
            {"typ": "at+JWT "},
            {"typ": "refresh+jwt"},
            {"crit": ["exp"]},
        ],
        ids=str,
    )
    def test_another_header(
        self, anonymous: httpx.Client, claims: dict[str, Any], header: dict[str, Any]
    ) -> None:
        assert status(anonymous, signed(claims, **header)) == 401

    def test_a_key_in_the_header_is_not_used(
        self, anonymous: httpx.Client, claims: dict[str, Any]
    ) -> None:
        theirs = b"a key that the forger has made up, 32 bytes"
        jwk = {"kty": "oct", "k": base64.urlsafe_b64encode(theirs).rstrip(b"=").decode()}
        token = signed(claims, theirs, jwk=jwk, jku="http://127.0.0.1:1/keys")
        assert status(anonymous, token) == 401

    @pytest.mark.parametrize(
        "changes",
        [
            {"exp": timedelta(seconds=-1)},
            {"iss": "https://example.org"},
            {"iss": ["marquee"]},
            {"aud": "other"},
            {"aud": ["other", "another"]},
            {"nbf": LATER},
        ],
        ids=str,
    )
    def test_other_claims(
        self, anonymous: httpx.Client, claims: dict[str, Any], changes: dict[str, Any]
    ) -> None:
        """A span of time is from now on."""
        now = clock.now()
        for name, value in changes.items():
            claims[name] = now + value if isinstance(value, timedelta) else value
        assert status(anonymous, signed(claims)) == 401

    def test_each_character_counts(self, anonymous: httpx.Client, claims: dict[str, Any]) -> None:
        token = signed(claims)
        head, body, signature = token.split(".")
        for part in (head, body, signature):
            for at in (0, len(part) // 2, len(part) - 2):
                other = "A" if part[at] != "A" else "B"
                tampered = token.replace(part, part[:at] + other + part[at + 1 :])
                assert status(anonymous, tampered) == 401

    def test_claims_of_another_under_this_signature(
        self, anonymous: httpx.Client, claims: dict[str, Any], make_user: Make
    ) -> None:
        admin = make_user("admin")
        mine, theirs = signed(claims).split("."), signed(claims | {"sub": str(admin.id)}).split(".")
        assert status(anonymous, ".".join((mine[0], theirs[1], mine[2]))) == 401


@contextmanager
def secrets(set_variables: Callable[..., None], new: str, *old: str) -> Iterator[None]:
    """The server with other secrets: as after a restart."""
    set_variables(MARQUEE_SECRET_KEY=new, MARQUEE_OLD_SECRET_KEYS=",".join(old))
    signing.keys_for.cache_clear()
    try:
        yield
    finally:
        signing.keys_for.cache_clear()


class TestRotation:
    @pytest.fixture(autouse=True)
    def _keys_of_this_test(self, set_variables: Callable[..., None]) -> Iterator[None]:
        yield
        settings.current.cache_clear()
        signing.keys_for.cache_clear()

    def test_nobody_is_logged_out(
        self,
        anonymous: httpx.Client,
        me: User,
        opened: Session,
        set_variables: Callable[..., None],
    ) -> None:
        with secrets(set_variables, FIRST):
            token, cookie = tokens.issue(me.id, opened.id), session_cookie(opened.id)
            form, sealed = csrf_token(opened.id), sealing.seal("the seed")
            assert status(anonymous, token) == 200
        browser = {"Cookie": f"marquee_session={cookie}; __csrf={form}", "X-CSRF-Token": form}
        with secrets(set_variables, SECOND, FIRST):
            assert status(anonymous, token) == 200
            assert anonymous.get("/users/me", headers=browser).json()["id"] == me.id
            assert sealing.unseal(sealed) == "the seed"
            going = anonymous.delete("/sessions?keep_current=true", headers=browser)
            assert going.status_code == 204
        with secrets(set_variables, THIRD, SECOND, FIRST):
            assert status(anonymous, token) == 200
            assert sealing.unseal(sealed) == "the seed"

    def test_what_is_new_uses_the_new_key(
        self,
        anonymous: httpx.Client,
        me: User,
        opened: Session,
        set_variables: Callable[..., None],
    ) -> None:
        with secrets(set_variables, FIRST):
            old = tokens.issue(me.id, opened.id)
        with secrets(set_variables, SECOND, FIRST):
            token, cookie = tokens.issue(me.id, opened.id), session_cookie(opened.id)
            sealed = sealing.seal("the seed")
        kids = [jwt.get_unverified_header(each)["kid"] for each in (old, token)]
        assert kids[0] != kids[1]
        with secrets(set_variables, SECOND):
            assert status(anonymous, token) == 200
            me_ = anonymous.get("/users/me", headers={"Cookie": f"marquee_session={cookie}"})
            assert me_.status_code == 200
            assert sealing.unseal(sealed) == "the seed"

    def test_a_key_that_is_dropped_is_worth_nothing(
        self,
        anonymous: httpx.Client,
        me: User,
        opened: Session,
        set_variables: Callable[..., None],
    ) -> None:
        with secrets(set_variables, FIRST):
            token, cookie = tokens.issue(me.id, opened.id), session_cookie(opened.id)
            sealed = sealing.seal("the seed")
        with secrets(set_variables, SECOND):
            assert status(anonymous, token) == 401
            me_ = anonymous.get("/users/me", headers={"Cookie": f"marquee_session={cookie}"})
            assert refused(me_) == (401, "INVALID_TOKEN")
            with pytest.raises(sealing.Unreadable):
                sealing.unseal(sealed)
