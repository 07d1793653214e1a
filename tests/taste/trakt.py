"""An account at Trakt beside a server: what tests of both share."""

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from sqlalchemy import select, update

from marquee import db
from marquee.catalogue.movies.models import Movie
from marquee.catalogue.tvshows.models import TVShow
from marquee.identity.users.models import User
from marquee.taste.ratings.models import Rating
from marquee.taste.trakt.models import TraktAccount
from tests.fakes.trakt import CLIENT_ID, CLIENT_SECRET, REDIRECT_URI, FakeTrakt, Member


@pytest.fixture
def trakt(set_variables: Callable[..., None]) -> Iterator[FakeTrakt]:
    """Trakt, as the server's settings name it."""
    with FakeTrakt() as trakt:
        set_variables(
            TRAKT_CLIENT_ID=CLIENT_ID,
            TRAKT_CLIENT_SECRET=CLIENT_SECRET,
            TRAKT_BASE_URL=trakt.url,
            TRAKT_TIMEOUT="1",
            APP_URL=REDIRECT_URI.removesuffix("/trakt/callback"),
        )
        yield trakt


@pytest.fixture
def casey(trakt: FakeTrakt) -> Member:
    return Member("Casey")


@pytest.fixture
def account(client: httpx.Client, trakt: FakeTrakt, casey: Member, me: User) -> TraktAccount:
    """The account of `me`, connected."""
    connect(client, trakt, casey)
    return stored(me)


def begun(client: httpx.Client) -> str:
    """The state of an attempt to connect."""
    url = client.get("/trakt/auth-url").json()["auth_url"]
    state: str = parse_qs(urlsplit(url).query)["state"][0]
    return state


def connect(client: httpx.Client, trakt: FakeTrakt, member: Member) -> httpx.Response:
    body = {"code": trakt.authorize(member), "state": begun(client)}
    return client.post("/trakt/callback", json=body)


def stored(user: User) -> TraktAccount:
    query = select(TraktAccount).where(TraktAccount.user_id == user.id)
    return db.session.scalars(query.execution_options(populate_existing=True)).one()


def change(account: TraktAccount, **values: Any) -> None:
    db.session.execute(update(TraktAccount).where(TraktAccount.id == account.id).values(**values))
    db.session.commit()


def ratings(user: User) -> dict[str, tuple[float, str]]:
    """Score and source of all that a user has rated, by title."""
    name = db.session.execute(
        select(Movie.title, TVShow.title, Rating.score, Rating.source)
        .select_from(Rating)
        .outerjoin(Movie, Movie.id == Rating.movie_id)
        .outerjoin(TVShow, TVShow.id == Rating.tvshow_id)
        .where(Rating.user_id == user.id)
    )
    return {film or series: (score, source) for film, series, score, source in name}


def leave() -> None:
    """End the test's own session: the worker begins one. All is one transaction underneath, so that
    what the server did in the meantime would be rolled back with it.
    """
    db.session.commit()
    db.session.remove()
