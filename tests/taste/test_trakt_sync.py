"""openapi/taste/trakt.yaml: ratings brought to the same on both sides, by hand and by the clock."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, select

from marquee import clock, db, sealing
from marquee.catalogue.movies.models import Movie
from marquee.catalogue.tvshows.models import TVShow
from marquee.errors import Conflict, Unavailable
from marquee.identity.users.models import User
from marquee.job_runs import JobRun
from marquee.progress import Progress
from marquee.services.trakt import Tokens
from marquee.taste.ratings.models import Rating
from marquee.taste.trakt import service, tasks, turn
from marquee.taste.trakt.models import TraktAccount
from tests.answers import refused
from tests.committed import committed
from tests.fakes.trakt import FakeTrakt, Leave, Member
from tests.queries import statements
from tests.taste.trakt import change, connect, leave, ratings, stored

Make = Callable[..., Any]
OLD = datetime(2026, 1, 5, 12, tzinfo=UTC)
NEW = datetime(2026, 2, 5, 12, tzinfo=UTC)
NOTHING = {
    f"{kind}_{name}": 0
    for kind in ("movies", "tvshows")
    for name in ("imported", "updated", "skipped", "exported")
}


class TestSyncTraktRatings:
    def test_matches_by_the_ids_of_others(
        self,
        client: httpx.Client,
        trakt: FakeTrakt,
        casey: Member,
        account: TraktAccount,
        me: User,
        make: Make,
    ) -> None:
        trakt.page = 2
        make(Movie, title="By IMDb", imdb_id="tt0073195", tmdb_id=1)
        make(Movie, title="By TMDB", tmdb_id=578)
        make(TVShow, title="By TVDB", tvdb_id=73739)
        first = trakt.add("movies", "a", imdb="tt0073195", tmdb=578)
        second = trakt.add("movies", "b", imdb="tt0000009", tmdb=578)
        third = trakt.add("movies", "unknown", imdb="tt0000001", tmdb=2)
        series = trakt.add("shows", "c", imdb="tt0000002", tmdb=3, tvdb=73739)
        for score, title in enumerate((first, second, third, series), 1):
            trakt.rate(casey, title, score, NEW)
        answer = client.post("/trakt/sync").json()
        assert answer.pop("synced_at") <= clock.now().isoformat()
        expected = {"movies_imported": 2, "movies_skipped": 1, "tvshows_imported": 1}
        assert answer == NOTHING | expected
        assert ratings(me) == {
            "By IMDb": (1, "trakt"),
            "By TMDB": (2, "trakt"),
            "By TVDB": (4, "trakt"),
        }
        assert stored(me).last_synced_at is not None
        shown = client.get("/ratings").json()
        assert {item["source"] for item in shown["items"]} == {"trakt"}

    def test_newer_wins(
        self,
        client: httpx.Client,
        trakt: FakeTrakt,
        casey: Member,
        account: TraktAccount,
        me: User,
        make: Make,
    ) -> None:
        cases = {  # score and moment here, at Trakt
            "newer here": ((9, NEW), (3, OLD)),
            "newer there": ((9, OLD), (3, NEW)),
            "the same": ((9.4, OLD), (9, NEW)),
            "only here": ((0, NEW), None),
        }
        for number, (title, (ours, theirs)) in enumerate(cases.items(), 1):
            film = make(Movie, title=title, tmdb_id=number)
            there = trakt.add("movies", title, tmdb=number)
            rated = {"score": ours[0], "updated_at": ours[1]}
            make(Rating, user_id=me.id, movie_id=film.id, **rated)
            if theirs:
                trakt.rate(casey, there, *theirs)
        answer = client.post("/trakt/sync").json()
        assert (answer["movies_updated"], answer["movies_skipped"]) == (1, 2)
        assert answer["movies_exported"] == 2
        assert ratings(me) == {
            "newer here": (9, "manual"),
            "newer there": (3, "trakt"),
            "the same": (9.4, "manual"),
            "only here": (0, "manual"),
        }
        expected = {"newer here": 9, "newer there": 3, "the same": 9, "only here": 1}
        assert trakt.scores(casey) == expected
        again = client.post("/trakt/sync").json()
        assert (again["movies_updated"], again["movies_exported"]) == (0, 0)

    def test_what_came_from_trakt_follows_it(
        self,
        client: httpx.Client,
        trakt: FakeTrakt,
        casey: Member,
        account: TraktAccount,
        me: User,
        make: Make,
    ) -> None:
        """Other programs give their ratings at Trakt dates of long ago."""
        make(Movie, tmdb_id=578)
        jaws = trakt.add("movies", "Jaws", tmdb=578)
        trakt.rate(casey, jaws, 7, NEW)
        client.post("/trakt/sync")
        trakt.rate(casey, jaws, 8, OLD)
        assert client.post("/trakt/sync").json()["movies_updated"] == 1
        casey.ratings.clear()
        assert client.post("/trakt/sync").json()["movies_exported"] == 0
        assert ratings(me) == {"Jaws": (8, "trakt")}

    def test_what_was_removed_here_stays_away(
        self,
        client: httpx.Client,
        trakt: FakeTrakt,
        casey: Member,
        account: TraktAccount,
        me: User,
        make: Make,
    ) -> None:
        film = make(Movie, tmdb_id=578)
        trakt.rate(casey, trakt.add("movies", "Jaws", tmdb=578), 7, OLD)
        client.post("/trakt/sync")
        assert client.delete(f"/ratings/movie/{film.id}").status_code == 204
        answer = client.post("/trakt/sync").json()
        assert (answer["movies_imported"], trakt.scores(casey), ratings(me)) == (0, {}, {})

    def test_statements_do_not_grow_with_the_ratings(
        self,
        client: httpx.Client,
        trakt: FakeTrakt,
        casey: Member,
        account: TraktAccount,
        make: Make,
        engine: Engine,
    ) -> None:
        counts = []
        for number in range(1, 41):
            make(Movie, tmdb_id=number)
            trakt.rate(casey, trakt.add("movies", f"Film {number}", tmdb=number), 5, NEW)
            if number in {1, 40}:
                with statements(engine) as sent:
                    client.post("/trakt/sync")
                counts.append(len(sent))
        assert counts[0] == counts[1]

    def test_expiring_token_is_refreshed(
        self, client: httpx.Client, trakt: FakeTrakt, account: TraktAccount, me: User
    ) -> None:
        change(account, expires_at=clock.now() + timedelta(minutes=9))
        assert client.post("/trakt/sync").status_code == 200
        again = stored(me)
        assert sealing.unseal(again.sealed_refresh_token) == trakt.leaves[-1].refresh_token
        assert again.expires_at > clock.now() + timedelta(hours=23)
        assert [each.is_refresh_good for each in trakt.leaves] == [False, True]

    def test_two_at_once_refresh_once(
        self, engine: Engine, trakt: FakeTrakt, casey: Member
    ) -> None:
        """The second waits, and finds the tokens of the first."""
        given = Leave(casey)
        trakt.leaves.append(given)
        tokens = Tokens(given.access_token, given.refresh_token, clock.now())
        with committed(engine) as rows, ThreadPoolExecutor(2) as threads:
            user_id = rows.user().id
            rows.make(TraktAccount, user_id=user_id, username="Casey", **turn.sealed(tokens))

            def name(_: int) -> str:
                with db.transaction(), turn.taken(user_id) as own:
                    return own.trakt.username(own.access_token)

            assert list(threads.map(name, range(2))) == ["Casey", "Casey"]
        paths = [asked.path for asked in trakt.seen]
        assert sorted(paths) == ["/oauth/token", "/users/settings", "/users/settings"]

    @pytest.mark.parametrize("minutes", [5, 60])
    def test_leave_that_ended(
        self, client: httpx.Client, trakt: FakeTrakt, account: TraktAccount, me: User, minutes: int
    ) -> None:
        [leave] = trakt.leaves
        leave.is_access_good = leave.is_refresh_good = False
        change(account, expires_at=clock.now() + timedelta(minutes=minutes))
        answer = client.post("/trakt/sync")
        assert refused(answer) == (409, "TRAKT_RECONNECT_REQUIRED")
        assert stored(me).turn_until is None

    def test_tokens_of_another_secret_key(
        self, client: httpx.Client, account: TraktAccount
    ) -> None:
        change(account, sealed_access_token="gAAAAA")
        answer = client.post("/trakt/sync")
        assert refused(answer) == (409, "TRAKT_RECONNECT_REQUIRED")

    def test_full_account(
        self, client: httpx.Client, trakt: FakeTrakt, account: TraktAccount, me: User, make: Make
    ) -> None:
        trakt.most_ratings = 0
        trakt.add("movies", "Jaws", tmdb=578)
        make(Rating, user_id=me.id, movie_id=make(Movie, tmdb_id=578).id, score=9)
        assert refused(client.post("/trakt/sync")) == (409, "TRAKT_ACCOUNT_LIMIT")

    def test_busy(
        self, client: httpx.Client, account: TraktAccount, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(turn, "PATIENCE", 0.0)
        change(account, turn_until=clock.now() + timedelta(minutes=1))
        assert refused(client.post("/trakt/sync")) == (409, "TRAKT_BUSY")
        change(account, turn_until=clock.now() - timedelta(seconds=1))
        assert client.post("/trakt/sync").status_code == 200

    def test_not_connected(self, client: httpx.Client, trakt: FakeTrakt) -> None:
        assert refused(client.post("/trakt/sync")) == (409, "TRAKT_NOT_CONNECTED")

    def test_not_configured(self, client: httpx.Client) -> None:
        assert refused(client.post("/trakt/sync")) == (503, "NOT_CONFIGURED")

    def test_disconnected_meanwhile(
        self,
        client: httpx.Client,
        trakt: FakeTrakt,
        casey: Member,
        account: TraktAccount,
        me: User,
        make: Make,
    ) -> None:
        """What the account had rated is not imported any more."""
        make(Movie, tmdb_id=578)
        trakt.rate(casey, trakt.add("movies", "Jaws", tmdb=578), 7, OLD)
        with turn.taken(me.id) as own:
            client.delete("/trakt/disconnect")
            with pytest.raises(Conflict, match="No Trakt account"):
                own.keep()
        assert ratings(me) == {}

    @pytest.mark.parametrize(
        "fault,status,code",
        [
            ({"kind": "status", "status": 429, "retry_after": "60"}, 503, "EXTERNAL_API_ERROR"),
            ({"kind": "broken_json"}, 503, "EXTERNAL_API_ERROR"),
            ({"kind": "slow", "seconds": 5}, 504, "EXTERNAL_API_TIMEOUT"),
        ],
    )
    def test_trakt_is_down(
        self,
        client: httpx.Client,
        trakt: FakeTrakt,
        account: TraktAccount,
        me: User,
        fault: dict[str, Any],
        status: int,
        code: str,
    ) -> None:
        trakt.breaks(**fault)
        assert refused(client.post("/trakt/sync")) == (status, code)
        assert stored(me).turn_until is None

    def test_what_takes_too_long_goes_on_in_the_background(
        self,
        client: httpx.Client,
        account: TraktAccount,
        me: User,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(service, "LONGEST", -1.0)
        for _ in range(2):
            assert refused(client.post("/trakt/sync")) == (504, "EXTERNAL_API_TIMEOUT")
        query = select(JobRun.arguments).where(JobRun.job_name == service.JOB)
        assert db.session.scalars(query).all() == [{"user_id": me.id}]

    def test_what_was_not_told_waits_too(
        self,
        client: httpx.Client,
        trakt: FakeTrakt,
        casey: Member,
        account: TraktAccount,
        make: Make,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        film = make(Movie, tmdb_id=578)
        trakt.add("movies", "Jaws", tmdb=578)
        client.post(f"/ratings/movie/{film.id}", json={"rating": 7})
        with monkeypatch.context() as late:
            late.setattr(service, "LONGEST", -1.0)
            assert refused(client.post("/trakt/sync")) == (504, "EXTERNAL_API_TIMEOUT")
        assert trakt.scores(casey) == {}
        assert client.post("/trakt/sync").status_code == 200
        assert trakt.scores(casey) == {"Jaws": 7}


class TestJob:
    def test_syncs_all_that_are_due(
        self,
        client: httpx.Client,
        client_of: Make,
        trakt: FakeTrakt,
        casey: Member,
        account: TraktAccount,
        me: User,
        other: User,
        make: Make,
    ) -> None:
        make(Movie, tmdb_id=578)
        trakt.rate(casey, trakt.add("movies", "Jaws", tmdb=578), 7, OLD)
        robin = Member("Robin")
        connect(client_of(other), trakt, robin)
        trakt.leaves[-1].is_access_good = False
        leave()
        done = tasks.sync(Progress())
        assert done == {"accounts": 1, "refused": 1, "imported": 1, "updated": 0, "exported": 0}
        assert ratings(me) == {"Jaws": (7, "trakt")}
        change(stored(other), last_synced_at=clock.now())
        leave()
        assert tasks.sync(Progress())["accounts"] == 0
        assert tasks.sync(Progress(), user_id=me.id)["accounts"] == 1

    def test_comes_again_where_trakt_is_down(self, trakt: FakeTrakt, account: TraktAccount) -> None:
        trakt.breaks("status", status=503)
        leave()
        with pytest.raises(Unavailable):
            tasks.sync(Progress())

    def test_where_trakt_is_not_configured(self, database: None) -> None:
        assert tasks.sync(Progress())["accounts"] == 0
