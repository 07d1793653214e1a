"""openapi/identity/users.yaml: the page of one's account, and all that is stored about oneself."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import orjson
import pytest
from sqlalchemy import Engine, text

from marquee import clock, db
from marquee.catalogue.movies.models import Movie
from marquee.identity.auth.models import Session
from marquee.identity.auth.tokens import issue
from marquee.identity.users import belongings
from marquee.identity.users.models import User
from marquee.taste.favorites.models import Favorite
from marquee.taste.ratings.models import Rating
from marquee.watching.progress.models import Watch
from marquee.web.app import App
from tests.answers import refused
from tests.committed import committed
from tests.identity.belongings import CANARY, fill
from tests.identity.browsers import bearer

Make = Callable[..., Any]
LATER = timedelta(hours=1)


@pytest.fixture
def home(anonymous: httpx.Client, me: User, make: Make) -> httpx.Client:
    """A client by which `me` has signed in."""
    opened = make(Session, user_id=me.id, expires_at=clock.now() + LATER)
    anonymous.headers.update(bearer(issue(me.id, opened.id)))
    return anonymous


def lines_of(answer: httpx.Response) -> list[dict[str, Any]]:
    """The lines of an export."""
    assert answer.status_code == 200
    return [orjson.loads(line) for line in answer.content.splitlines()]


class TestGetAccount:
    def test_shows_the_account_and_its_figures(
        self, home: httpx.Client, me: User, make: Make
    ) -> None:
        make(Favorite, user_id=me.id, movie_id=make(Movie).id)
        answer = home.get("/account")
        assert answer.status_code == 200
        assert answer.json() == {
            "user": home.get("/users/me").json(),
            "stats": {
                "favorites_count": 1,
                "ratings_count": 0,
                "watched_count": 0,
                "recommendations_count": 0,
            },
            "recommendations": [],
            "movie_memory": {"items": [], "next_cursor": None, "total": 0},
        }
        assert answer.headers["cache-control"] == "no-store"
        assert "Cookie" in answer.headers["vary"]

    def test_shows_the_first_page_of_the_memory(
        self, home: httpx.Client, me: User, make: Make
    ) -> None:
        films = [make(Movie, title=f"Film {number}") for number in range(51)]
        for film in films:
            make(Watch, user_id=me.id, movie_id=film.id, watch_count=1)
        memory = home.get("/account").json()["movie_memory"]
        assert [each["movie_id"] for each in memory["items"]] == [
            film.id for film in reversed(films[1:])
        ]
        more = home.get("/account/movie-memory", params={"cursor": memory["next_cursor"]}).json()
        assert [each["movie_id"] for each in more["items"]] == [films[0].id]

    def test_refuses_an_api_key(self, client: httpx.Client) -> None:
        assert refused(client.get("/account")) == (401, "INVALID_TOKEN")


class TestExportAccount:
    def test_has_a_line_for_each_row(
        self, home: httpx.Client, me: User, make: Make, make_user: Make
    ) -> None:
        film, other = make(Movie), make_user("user")
        rating = make(Rating, user_id=me.id, movie_id=film.id, score=8.5)
        make(Rating, user_id=other.id, movie_id=film.id, score=1)
        answer = home.get("/account/export")
        head, *rest = lines_of(answer)
        assert set(head) == {"exported_at", "user_id"}
        assert head["user_id"] == me.id
        ratings = [each["row"] for each in rest if each["table"] == "ratings"]
        assert [(each["id"], each["score"]) for each in ratings] == [(rating.id, 8.5)]
        (account,) = (each["row"] for each in rest if each["table"] == "users")
        assert (account["email"], "password_hash" in account) == (me.email, False)
        assert other.email not in answer.text
        assert answer.headers["content-type"] == "application/x-ndjson"
        assert answer.headers["content-disposition"].startswith("attachment; filename=")
        assert answer.headers["cache-control"] == "no-store"

    def test_has_every_table_and_no_secret(self, home: httpx.Client, me: User) -> None:
        filled = fill(me.id)
        answer = home.get("/account/export")
        assert {each["table"] for each in lines_of(answer)[1:]} >= {each.name for each in filled}
        for table in filled:
            for column in table.columns:
                hidden = CANARY.format(f"{table.name}.{column.name}")
                assert (hidden in answer.text) <= belongings.shown(column), hidden
        assert CANARY.format("users.cover_url") in answer.text
        assert CANARY.format("sessions.user_agent") in answer.text

    def test_which_columns_are_kept_back(self, app: App) -> None:
        """Is what you add to the tables a secret? Then it is here; else its owner is shown it."""
        kept = {
            f"{table.name}.{column.name}"
            for table in belongings.of(1)
            for column in table.columns
            if not belongings.shown(column)
        }
        assert kept == {
            "avatars.file_key",
            "api_keys.digest",
            "backup_codes.digest",
            "idempotency_keys.body",
            "idempotency_keys.fingerprint",
            "one_time_tokens.data",
            "one_time_tokens.digest",
            "passkeys.credential_id",
            "passkeys.public_key",
            "refresh_tokens.digest",
            "totps.sealed_secret",
            "trakt_accounts.sealed_access_token",
            "trakt_accounts.sealed_refresh_token",
            "users.password_hash",
        }

    def test_is_written_down(self, home: httpx.Client, me: User) -> None:
        home.get("/account/export")
        query = text("select action, user_id from activity order by id")
        assert [tuple(row) for row in db.session.execute(query)] == [("user.export", me.id)]

    def test_a_head_request_makes_nothing(self, home: httpx.Client) -> None:
        answer = home.head("/account/export")
        assert (answer.status_code, answer.content) == (200, b"")

    def test_refuses_an_api_key(self, client: httpx.Client) -> None:
        assert refused(client.get("/account/export")) == (401, "INVALID_TOKEN")


class TestExportOfMuch:
    def test_takes_little_memory(self, engine: Engine, base_url: str) -> None:
        """100,000 rows, by a server that keeps none of the answer."""
        with committed(engine) as rows:
            user = rows.user()
            opened = rows.make(Session, user_id=user.id, expires_at=clock.now() + LATER)
            with engine.begin() as connection:
                connection.execute(
                    text(
                        "insert into idempotency_keys (user_id, key, fingerprint, status, headers, "
                        "body) select :user, n::text, '', 200, '{}', '' "
                        "from generate_series(1, 100000) n"
                    ),
                    {"user": user.id},
                )
            headers = bearer(issue(user.id, opened.id))
            url = f"{base_url}/api/v1/account/export"
            with httpx.stream("GET", url, headers=headers, timeout=60) as answer:
                assert "content-length" not in answer.headers
                assert sum(piece.count(b"\n") for piece in answer.iter_bytes()) > 100_000
