"""What a process knows of callers: marquee/identity/auth/known.py."""

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, update

from marquee import clock, db
from marquee.identity.auth import known
from marquee.identity.auth.models import Session
from marquee.identity.auth.tokens import issue
from marquee.identity.users.models import User
from marquee.viewer import Viewer
from tests.queries import statements

Make = Callable[..., Any]
CASEY, ROBIN = Viewer(2, "casey"), Viewer(3, "robin")


@pytest.fixture(autouse=True)
def hearing() -> Iterator[None]:
    """As in a process that hears notices."""
    known.hears(hears=True)
    yield
    known.hears(hears=False)


class Asked:
    """A look-up that counts how often it is asked."""

    def __init__(self, viewer: Viewer = CASEY, until: Any = None) -> None:
        self.found: known.Found | None = (viewer, until)
        self.times = 0

    def __call__(self) -> known.Found | None:
        self.times += 1
        return self.found


def ask(key: int, look_up: Callable[[], known.Found | None]) -> Viewer | None:
    return known.viewer(("session", key), look_up)


class TestViewer:
    def test_is_looked_up_once(self) -> None:
        look_up = Asked()
        assert [ask(1, look_up) for _ in range(3)] == [CASEY] * 3
        assert look_up.times == 1

    def test_by_its_own_kind_of_key(self) -> None:
        look_up = Asked()
        for key in (("session", 1), ("session", 2), ("key", b"1")):
            known.viewer(key, look_up)
        assert look_up.times == 3

    def test_nobody_is_looked_up_again(self) -> None:
        look_up = Asked()
        look_up.found = None
        assert [ask(1, look_up) for _ in range(2)] == [None, None]
        assert look_up.times == 2

    def test_until_the_credential_expires(self) -> None:
        look_up = Asked(until=clock.now() + timedelta(seconds=0.2))
        for _ in range(2):
            ask(1, look_up)
        assert look_up.times == 1
        time.sleep(0.25)
        look_up.found = None
        assert ask(1, look_up) is None

    def test_for_seconds_at_the_most(self) -> None:
        look_up = Asked()
        ask(1, look_up)
        time.sleep(known.SECONDS + 0.1)
        ask(1, look_up)
        assert look_up.times == 2


class TestForget:
    def test_one_user(self) -> None:
        casey, robin = Asked(CASEY), Asked(ROBIN)
        for _ in range(2):
            ask(1, casey)
            ask(2, robin)
            known.forget(str(CASEY.id))
        assert (casey.times, robin.times) == (2, 1)

    @pytest.mark.parametrize("word", ["*", "", "-1", "2;3"])
    def test_everybody_by_any_other_word(self, word: str) -> None:
        casey, robin = Asked(CASEY), Asked(ROBIN)
        for _ in range(2):
            ask(1, casey)
            ask(2, robin)
            known.forget(word)
        assert (casey.times, robin.times) == (2, 2)

    def test_more_users_than_are_kept(self) -> None:
        casey = Asked(CASEY)
        ask(1, casey)
        for user_id in range(10, known.MOST + 20):
            known.forget(str(user_id))
        ask(1, casey)
        known.forget(str(CASEY.id))
        ask(1, casey)
        assert casey.times == 3

    @pytest.mark.parametrize("word", ["2", "*"])
    def test_during_a_look_up(self, word: str) -> None:
        """What was read before a change is not kept after it."""
        look_up = Asked()

        def overtaken() -> known.Found | None:
            found = look_up()
            known.forget(word)
            return found

        ask(1, overtaken)
        ask(1, look_up)
        assert look_up.times == 2
        ask(1, look_up)
        assert look_up.times == 2

    def test_of_another_user_during_a_look_up(self) -> None:
        look_up = Asked()

        def meanwhile() -> known.Found | None:
            known.forget(str(ROBIN.id))
            return look_up()

        ask(1, meanwhile)
        ask(1, look_up)
        assert look_up.times == 1

    def test_costs_nothing_by_how_much_is_known(self) -> None:
        """A burst of notices must not keep the process from its requests."""
        for key in range(5000):
            ask(key, Asked(Viewer(key, "x")))
        started = time.perf_counter()
        for user_id in range(1000):
            known.forget(str(user_id))
        assert time.perf_counter() - started < 0.1


class TestDeaf:
    def test_nothing_is_believed(self) -> None:
        look_up = Asked()
        ask(1, look_up)
        known.hears(hears=False)
        for _ in range(2):
            ask(1, look_up)
        assert look_up.times == 3

    def test_nor_what_was_known_before(self) -> None:
        look_up = Asked()
        ask(1, look_up)
        known.hears(hears=False)
        known.hears(hears=True)
        ask(1, look_up)
        assert look_up.times == 2

    def test_becoming_so_during_a_look_up(self) -> None:
        look_up = Asked()

        def interrupted() -> known.Found | None:
            found = look_up()
            known.hears(hears=False)
            known.hears(hears=True)
            return found

        ask(1, interrupted)
        ask(1, look_up)
        assert look_up.times == 2


class TestRequests:
    @pytest.fixture
    def bearers(self, make: Make, me: User, key_of: Make) -> list[dict[str, str]]:
        opened = make(Session, user_id=me.id, expires_at=clock.now() + timedelta(days=1))
        return [
            {"Authorization": f"Bearer {issue(me.id, opened.id)}"},
            {"X-API-Key": key_of(me, last_used_at=clock.now())},
        ]

    def test_need_one_query_for_the_caller_and_then_none(
        self, anonymous: httpx.Client, bearers: list[dict[str, str]], engine: Engine
    ) -> None:
        # Of the list itself there is one.
        for headers in bearers:
            for queries in (2, 1, 1):
                with statements(engine) as sent:
                    assert anonymous.get("/sessions", headers=headers).status_code == 200
                assert len(sent) == queries, sent

    def test_note_once_a_minute_that_a_credential_is_used(
        self, anonymous: httpx.Client, make: Make, me: User
    ) -> None:
        opened = make(
            Session,
            user_id=me.id,
            expires_at=clock.now() + timedelta(days=1),
            last_activity_at=clock.now() - timedelta(minutes=2),
        )
        bearer = {"Authorization": f"Bearer {issue(me.id, opened.id)}"}
        moments = []
        for _ in range(2):
            known.forget("*")
            shown = anonymous.get("/sessions/current", headers=bearer).json()
            moments.append(shown["last_activity_at"])
        assert moments[0] == moments[1]
        db.session.refresh(opened)
        assert opened.last_activity_at > clock.now() - timedelta(minutes=1)

    def test_note_it_though_they_are_refused(
        self, anonymous: httpx.Client, make: Make, me: User
    ) -> None:
        opened = make(Session, user_id=me.id, expires_at=clock.now() + timedelta(days=1))
        long_ago = clock.now() - timedelta(hours=1)
        db.session.execute(update(Session).values(last_activity_at=long_ago))
        db.session.commit()
        bearer = {"Authorization": f"Bearer {issue(me.id, opened.id)}"}
        assert anonymous.delete("/sessions/9007199254740991", headers=bearer).status_code == 404
        db.session.refresh(opened)
        assert opened.last_activity_at > long_ago

    def test_by_a_token_until_it_expires(
        self,
        anonymous: httpx.Client,
        make: Make,
        me: User,
        set_variables: Callable[..., None],
        engine: Engine,
    ) -> None:
        """Its session goes on."""
        opened = make(Session, user_id=me.id, expires_at=clock.now() + timedelta(days=1))
        set_variables(ACCESS_TOKEN_LIFETIME="2")
        bearer = {"Authorization": f"Bearer {issue(me.id, opened.id)}"}
        for queries in (2, 1):
            with statements(engine) as sent:
                assert anonymous.get("/sessions", headers=bearer).status_code == 200
            assert len(sent) == queries
        time.sleep(2)
        assert anonymous.get("/sessions", headers=bearer).status_code == 401
