"""Lists of the catalogue, narrowed by what was watched; and counting it."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from sqlalchemy import delete, select, update

from marquee.catalogue.listing import TITLES
from marquee.catalogue.movies.models import Movie
from marquee.catalogue.tvshows.models import Episode, TVShow
from marquee.db import session
from marquee.identity.users.models import User
from marquee.progress import Progress
from marquee.watching.progress.models import Watch
from marquee.watching.watch_history import counting
from marquee.watching.watch_history.models import WatchChange, WatchCount
from tests.answers import refused
from tests.catalogue.series import make_episodes
from tests.watching.conftest import Player

Make = Callable[..., Any]


def titles(client: httpx.Client, path: str, **asked: object) -> list[str]:
    answer = client.get(path, params={"sort": "title", "order": "asc", **asked})  # type: ignore[dict-item]
    found = answer.json()
    assert found["total_results"] == len(found["results"])
    return [each["title"] for each in found["results"]]


@pytest.fixture
def films(make: Make) -> list[Movie]:
    """Three films."""
    return [make(Movie, title=title) for title in ("Alien", "Birds", "Casablanca")]


@pytest.fixture
def remembering() -> Any:
    """Totals are remembered, as they are where notices are heard."""
    TITLES.set_hears(True)
    yield
    TITLES.set_hears(False)


class TestWatchStatus:
    def test_of_films(
        self,
        client: httpx.Client,
        player: Player,
        films: list[Movie],
        admin: httpx.Client,
        remembering: None,
    ) -> None:
        assert titles(client, "/movies", watch_status="watched") == []
        player.film(films[0], 950)
        player.film(films[1], 500)
        for asked, wanted in (("watched", ["Alien"]), ("unwatched", ["Birds", "Casablanca"])):
            assert titles(client, "/movies", watch_status=asked) == wanted
        assert len(titles(client, "/movies", watch_status="any")) == 3
        assert titles(admin, "/movies", watch_status="watched") == []
        assert titles(client, "/movies", watch_status="unwatched", query="casa") == ["Casablanca"]

    def test_of_series(self, client: httpx.Client, player: Player, make: Make) -> None:
        shows = [make(TVShow, title=title) for title in ("Dark", "Lost")]
        player.episode(make_episodes(make, shows[0], s1=2)[0], 950)
        assert titles(client, "/tvshows", watch_status="watched") == ["Dark"]
        assert titles(client, "/tvshows", watch_status="unwatched") == ["Lost"]

    def test_refuses_nonsense(self, client: httpx.Client) -> None:
        answer = client.get("/movies", params={"watch_status": "liked"})
        assert refused(answer) == (400, "VALIDATION_ERROR")


class TestWatchers:
    def test_are_counted(
        self,
        client: httpx.Client,
        films: list[Movie],
        make: Make,
        make_user: Make,
        count: Callable[[], int],
    ) -> None:
        for number, film in enumerate(films):
            for _ in range(number):
                make(Watch, user_id=make_user().id, movie_id=film.id, watch_count=3)
        assert count() == 2
        assert titles(client, "/movies", min_watchers=1) == ["Birds", "Casablanca"]
        assert titles(client, "/movies", min_watchers=2) == ["Casablanca"]
        assert titles(client, "/movies", max_watchers=1) == ["Alien", "Birds"]
        assert titles(client, "/movies", max_watchers=0) == ["Alien"]
        assert titles(client, "/movies", min_watchers=1, max_watchers=1) == ["Birds"]

    def test_of_series_are_users(
        self,
        client: httpx.Client,
        player: Player,
        show: TVShow,
        episodes: list[Episode],
        count: Callable[[], int],
        make: Make,
    ) -> None:
        make(TVShow, title="Lost")
        for each in episodes:
            player.episode(each, 950)
        assert count() == 1
        assert session.scalars(select(WatchCount.watchers)).one() == 1
        assert titles(client, "/tvshows", min_watchers=1) == ["Breaking Bad"]
        assert titles(client, "/tvshows", max_watchers=0) == ["Lost"]

    def test_only_what_has_changed_is_counted(
        self,
        player: Player,
        films: list[Movie],
        make: Make,
        me: User,
        count: Callable[[], int],
    ) -> None:
        player.film(films[0], 950)
        assert count() == 1
        player.film(films[0], 0)
        player.film(films[0], 990)
        player.film(films[1], 500)
        assert (count(), session.scalars(select(WatchChange)).all()) == (0, [])
        session.execute(update(Watch).values(watch_count=0))
        session.commit()
        assert (count(), session.scalars(select(WatchCount.watchers)).one()) == (1, 0)

    def test_who_leaves_counts_no_more(
        self, films: list[Movie], make: Make, make_user: Make, count: Callable[[], int]
    ) -> None:
        user = make_user()
        make(Watch, user_id=user.id, movie_id=films[0].id, watch_count=1)
        make(Watch, user_id=make_user().id, movie_id=films[1].id, watch_count=1)
        count()
        session.delete(session.merge(user))
        session.delete(session.merge(films[1]))
        session.commit()
        assert count() == 2
        counts = session.execute(select(WatchCount.movie_id, WatchCount.watchers)).all()
        assert counts == [(films[0].id, 0)]

    @pytest.fixture
    def count(self, database: None) -> Callable[[], int]:
        """Run the job; how many titles it has counted, of those that change from now on."""
        session.execute(delete(WatchChange))

        def count() -> int:
            # Its savepoint would take what the server has stored back with it.
            session.commit()
            session.remove()
            return counting.count(Progress())["titles"]

        return count

    @pytest.mark.parametrize("asked", [{"min_watchers": 0}, {"max_watchers": -1}])
    def test_refuses_nonsense(self, client: httpx.Client, asked: Any) -> None:
        assert refused(client.get("/movies", params=asked)) == (400, "VALIDATION_ERROR")
