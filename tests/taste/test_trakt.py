"""openapi/taste/trakt.yaml: connecting an account; and what is rated here, told to Trakt."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from sqlalchemy import select, text, update

from marquee import clock, db, sealing
from marquee.catalogue.movies.models import Movie
from marquee.catalogue.tvshows.models import TVShow
from marquee.errors import Unavailable
from marquee.identity.auth.models import OneTimeToken
from marquee.identity.users import belongings
from marquee.identity.users.models import User
from marquee.taste.ratings.models import Rating
from marquee.taste.trakt import changes, tasks, turn
from marquee.taste.trakt.models import TraktAccount, TraktChange
from tests.answers import refused
from tests.fakes.trakt import CLIENT_ID, REDIRECT_URI, FakeTrakt, Member
from tests.taste.trakt import begun, change, connect, leave, ratings, stored

Make = Callable[..., Any]


def pending() -> int:
    return len(db.session.scalars(select(TraktChange.id)).all())


def pushed() -> list[dict[str, Any]]:
    """The arguments of what the worker is asked to push."""
    query = text("select args from procrastinate_jobs where task_name = :task")
    return list(db.session.scalars(query, {"task": changes.TASK}))


def work(user: User) -> None:
    """Push as the worker does."""
    leave()
    tasks.push(user.id)


class TestGetTraktAuthUrl:
    def test_leads_to_trakt(self, client: httpx.Client, trakt: FakeTrakt) -> None:
        answer = client.get("/trakt/auth-url").json()
        url = urlsplit(answer["auth_url"])
        query = parse_qs(url.query)
        assert (url.netloc, url.path) == ("trakt.tv", "/oauth/authorize")
        assert (query["client_id"], query["redirect_uri"]) == ([CLIENT_ID], [REDIRECT_URI])
        left = datetime.fromisoformat(answer["expires_at"]) - clock.now()
        assert timedelta(minutes=4) < left <= timedelta(minutes=5)
        assert trakt.seen == []

    def test_is_not_configured(self, client: httpx.Client) -> None:
        assert refused(client.get("/trakt/auth-url")) == (503, "NOT_CONFIGURED")


class TestHandleTraktCallback:
    def test_connects(
        self, client: httpx.Client, trakt: FakeTrakt, casey: Member, me: User
    ) -> None:
        answer = connect(client, trakt, casey)
        assert (answer.status_code, answer.json()["username"]) == (200, "Casey")
        account, [leave] = stored(me), trakt.leaves
        assert sealing.unseal(account.sealed_access_token) == leave.access_token
        assert sealing.unseal(account.sealed_refresh_token) == leave.refresh_token
        assert account.expires_at > clock.now() + timedelta(hours=23)

    def test_tokens_are_shown_to_nobody(self) -> None:
        columns = TraktAccount.metadata.tables["trakt_accounts"].columns
        hidden = [column.name for column in columns if not belongings.shown(column)]
        assert hidden == ["sealed_access_token", "sealed_refresh_token"]

    def test_again_takes_new_tokens(
        self, client: httpx.Client, trakt: FakeTrakt, casey: Member, account: TraktAccount, me: User
    ) -> None:
        old = account.sealed_access_token
        assert connect(client, trakt, casey).status_code == 200
        again = stored(me)
        assert (again.id, again.sealed_access_token == old) == (account.id, False)

    def test_another_account_takes_its_place(
        self, client: httpx.Client, trakt: FakeTrakt, account: TraktAccount, me: User, make: Make
    ) -> None:
        make(TraktChange, account_id=account.id, movie_id=make(Movie).id)
        before = account.id
        assert connect(client, trakt, Member("Robin")).json()["username"] == "Robin"
        assert (stored(me).id != before, pending()) == (True, 0)

    def test_state_is_good_once(
        self, client: httpx.Client, trakt: FakeTrakt, casey: Member
    ) -> None:
        body = {"code": trakt.authorize(casey), "state": begun(client)}
        assert client.post("/trakt/callback", json=body).status_code == 200
        body["code"] = trakt.authorize(casey)
        answer = client.post("/trakt/callback", json=body)
        assert refused(answer) == (400, "INVALID_OR_EXPIRED_TOKEN")

    def test_state_is_its_users_alone(
        self, client: httpx.Client, client_of: Make, other: User, trakt: FakeTrakt, casey: Member
    ) -> None:
        body = {"code": trakt.authorize(casey), "state": begun(client_of(other))}
        answer = client.post("/trakt/callback", json=body)
        assert refused(answer) == (400, "INVALID_OR_EXPIRED_TOKEN")
        assert trakt.seen == []

    def test_state_expires(self, client: httpx.Client, trakt: FakeTrakt, casey: Member) -> None:
        body = {"code": trakt.authorize(casey), "state": begun(client)}
        past = clock.now() - timedelta(seconds=1)
        db.session.execute(update(OneTimeToken).values(expires_at=past))
        db.session.commit()
        answer = client.post("/trakt/callback", json=body)
        assert refused(answer) == (400, "INVALID_OR_EXPIRED_TOKEN")

    def test_code_that_trakt_refuses(self, client: httpx.Client, trakt: FakeTrakt) -> None:
        body = {"code": "made-up", "state": begun(client)}
        answer = client.post("/trakt/callback", json=body)
        assert refused(answer) == (422, "TRAKT_CODE_REFUSED")
        answer = client.post("/trakt/callback", json=body)
        assert refused(answer) == (400, "INVALID_OR_EXPIRED_TOKEN")

    @pytest.mark.parametrize(
        "fault,status,code",
        [
            ({"kind": "status", "status": 502}, 503, "EXTERNAL_API_ERROR"),
            ({"kind": "slow", "seconds": 5}, 504, "EXTERNAL_API_TIMEOUT"),
        ],
    )
    def test_trakt_is_down(
        self,
        client: httpx.Client,
        trakt: FakeTrakt,
        casey: Member,
        fault: dict[str, Any],
        status: int,
        code: str,
    ) -> None:
        trakt.breaks(**fault)
        assert refused(connect(client, trakt, casey)) == (status, code)


class TestDisconnectTrakt:
    def test_forgets_and_revokes(
        self, client: httpx.Client, trakt: FakeTrakt, account: TraktAccount, me: User, make: Make
    ) -> None:
        make(Rating, user_id=me.id, movie_id=make(Movie).id, score=9, source="trakt")
        assert client.delete("/trakt/disconnect").status_code == 204
        assert [leave.is_access_good for leave in trakt.leaves] == [False]
        assert ratings(me) == {"Jaws": (9, "trakt")}
        assert refused(client.delete("/trakt/disconnect")) == (409, "TRAKT_NOT_CONNECTED")

    def test_where_trakt_is_down(
        self, client: httpx.Client, trakt: FakeTrakt, account: TraktAccount
    ) -> None:
        trakt.breaks("status", status=503)
        assert client.delete("/trakt/disconnect").status_code == 204
        assert db.session.scalars(select(TraktAccount.id)).all() == []

    def test_where_trakt_is_configured_no_more(
        self, client: httpx.Client, account: TraktAccount, set_variables: Callable[..., None]
    ) -> None:
        set_variables(TRAKT_CLIENT_ID=None)
        assert client.delete("/trakt/disconnect").status_code == 204


class TestPush:
    def test_what_is_rated_here_is_told(
        self,
        client: httpx.Client,
        trakt: FakeTrakt,
        casey: Member,
        account: TraktAccount,
        me: User,
        make: Make,
    ) -> None:
        film, series = make(Movie, tmdb_id=578), make(TVShow, title="Lost", tvdb_id=73739)
        trakt.add("movies", "Jaws", tmdb=578)
        trakt.add("shows", "Lost", tvdb=73739)
        client.post(f"/ratings/movie/{film.id}", json={"rating": 8})
        client.post(f"/ratings/series/{series.id}", json={"rating": 2})
        client.post(f"/ratings/series/{series.id}", json={"rating": 3})
        assert pushed() == [{"user_id": me.id}] * 3
        assert pending() == 2
        work(me)
        assert (trakt.scores(casey), pending()) == ({"Jaws": 8, "Lost": 3}, 0)
        count = len(trakt.seen)
        work(me)
        assert len(trakt.seen) == count
        client.delete(f"/ratings/movie/{film.id}")
        work(me)
        assert trakt.scores(casey) == {"Lost": 3}

    def test_stars_are_told_too(
        self,
        client: httpx.Client,
        trakt: FakeTrakt,
        casey: Member,
        account: TraktAccount,
        me: User,
        make: Make,
    ) -> None:
        film = make(Movie, tmdb_id=578)
        trakt.add("movies", "Jaws", tmdb=578)
        body = {"movie_id": film.id, "rating": 4.5}
        rating_id = client.post("/movies/ratings", json=body).json()["id"]
        work(me)
        assert trakt.scores(casey) == {"Jaws": 9}
        client.put(f"/movies/ratings/{rating_id}", json={"rating": 0})
        work(me)
        assert trakt.scores(casey) == {"Jaws": 1}

    def test_titles_that_nobody_else_knows(
        self, client: httpx.Client, trakt: FakeTrakt, account: TraktAccount, me: User, make: Make
    ) -> None:
        client.post(f"/ratings/movie/{make(Movie).id}", json={"rating": 8})
        count = len(trakt.seen)
        work(me)
        assert (len(trakt.seen), pending()) == (count, 0)

    def test_without_an_account_nothing_is_asked(
        self, client: httpx.Client, trakt: FakeTrakt, make: Make
    ) -> None:
        client.post(f"/ratings/movie/{make(Movie).id}", json={"rating": 8})
        assert (pushed(), pending()) == ([], 0)

    def test_is_patient_where_trakt_is_down(
        self,
        client: httpx.Client,
        trakt: FakeTrakt,
        casey: Member,
        account: TraktAccount,
        me: User,
        make: Make,
    ) -> None:
        film = make(Movie, tmdb_id=578)
        trakt.add("movies", "Jaws", tmdb=578)
        client.post(f"/ratings/movie/{film.id}", json={"rating": 8})
        trakt.breaks("status", status=503)
        with pytest.raises(Unavailable):
            work(me)
        trakt.heals()
        work(me)
        assert trakt.scores(casey) == {"Jaws": 8}

    def test_is_silent_where_trakt_refuses(
        self, client: httpx.Client, trakt: FakeTrakt, account: TraktAccount, me: User, make: Make
    ) -> None:
        client.post(f"/ratings/movie/{make(Movie, tmdb_id=578).id}", json={"rating": 8})
        trakt.leaves[0].is_access_good = False
        work(me)
        assert pending() == 1

    def test_waits_for_its_turn(
        self, account: TraktAccount, me: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(turn, "PATIENCE", 0.0)
        change(account, turn_until=clock.now() + timedelta(minutes=1))
        with pytest.raises(Unavailable):
            work(me)
