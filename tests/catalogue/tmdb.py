"""A TMDB beside a server: what tests of all that reads TMDB share."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, delete

from marquee import clock, settings
from marquee.catalogue.collections.models import Collection
from marquee.catalogue.companies.models import Network, Studio
from marquee.catalogue.movies import sources
from marquee.catalogue.people.models import Person
from marquee.catalogue.titles import search_title, sort_title
from marquee.catalogue.tvshows.models import TVShow
from marquee.job_runs import JobRun
from marquee.services import http
from tests.committed import Committed, committed
from tests.fakes.tmdb import KEY, FakeTmdb
from tests.serving import serving_with

Serve = Callable[..., httpx.Client]
LONG_AGO = clock.now() - timedelta(days=40)
FAULTS = [
    ({"kind": "status", "status": 429, "retry_after": "60"}, 503, "EXTERNAL_API_ERROR"),
    ({"kind": "broken_json"}, 503, "EXTERNAL_API_ERROR"),
    ({"kind": "wrong_types"}, 503, "EXTERNAL_API_ERROR"),
    ({"kind": "reset"}, 503, "EXTERNAL_API_ERROR"),
    ({"kind": "slow", "seconds": 5}, 504, "EXTERNAL_API_TIMEOUT"),
]
"""What can go wrong with TMDB, and what we answer then where nothing is kept."""


def show(real: Committed, title: str, **values: Any) -> TVShow:
    """A committed series."""
    words = {"search_title": search_title(title), "sort_title": sort_title(title)}
    return real.make(TVShow, title=title, **words, **values)


def kind(value: Any) -> str | None:
    """What a case of FAULTS is called."""
    return value["kind"] if isinstance(value, dict) else None


@pytest.fixture
def real(engine: Engine) -> Iterator[Committed]:
    """Rows that are really committed; what TMDB adds goes with them."""
    with committed(engine) as made:
        yield made
        made.session.rollback()
        made.session.execute(delete(TVShow).where(TVShow.tmdb_id.is_not(None)))
        made.session.execute(delete(Collection).where(Collection.tmdb_collection_id.is_not(None)))
        for model in (Person, Studio, Network):
            made.session.execute(delete(model).where(model.tmdb_id.is_not(None)))
        made.session.execute(delete(JobRun).where(JobRun.job_name == "refresh-metadata"))
        made.session.commit()


@pytest.fixture
def tmdb(monkeypatch: pytest.MonkeyPatch, real: Committed) -> Iterator[FakeTmdb]:
    """A TMDB that the settings name. Waits between attempts are a hundredth of the usual."""
    with FakeTmdb() as fake:
        monkeypatch.setenv("TMDB_API_KEY", KEY)
        monkeypatch.setenv("TMDB_BASE_URL", fake.url)
        monkeypatch.setenv("TMDB_TIMEOUT", "0.5")
        monkeypatch.setattr(http, "FIRST_WAIT", 0.01)
        for cached in (settings.current, sources.source):
            cached.cache_clear()
        yield fake
        monkeypatch.undo()
        for cached in (settings.current, sources.source):
            cached.cache_clear()


@pytest.fixture
def serve(tmdb: FakeTmdb, real: Committed) -> Iterator[Serve]:
    """Serve with settings, and call as a user with a role."""
    with ExitStack() as opened:

        def serve(role: str = "user", **changes: Any) -> httpx.Client:
            url = opened.enter_context(serving_with(**changes))
            return real.client(url, real.user(role))

        yield serve
