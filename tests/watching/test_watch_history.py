"""Tag watch_history: pages of what was watched, and making it unwatched."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from marquee.catalogue.movies.models import Movie
from marquee.catalogue.tvshows.models import Episode, TVShow
from marquee.db import session
from marquee.identity.users.models import User
from marquee.taste.favorites.models import Favorite
from marquee.watching.progress.models import Watch
from tests.answers import refused
from tests.catalogue.series import make_episodes
from tests.watching.conftest import Player, ago

Make = Callable[..., Any]
Unwatch = Callable[..., httpx.Response]
UNKNOWN = 2**53 - 1
FORBIDDEN, NO_USER = (403, "INSUFFICIENT_PERMISSIONS"), (404, "USER_NOT_FOUND")


@pytest.fixture
def films(make: Make, player: Player, me: User) -> list[Movie]:
    """Three films, watched one after the other; the second one twice, the first one kept. One more
    was only begun.
    """
    made = [make(Movie, title=title) for title in ("The Birds", "Alien", "Heat", "Jaws")]
    player.film(made[0], 950)
    for hours, seconds in enumerate((950, 0, 950), -2):
        player.film(made[1], seconds, last_watched_at=ago(hours=-hours))
    player.film(made[2], 950)
    player.film(made[3], 500)
    make(Favorite, user_id=me.id, movie_id=made[0].id)
    return made


class TestListMyMovieWatchHistory:
    @pytest.mark.parametrize(
        "sort,titles",
        [
            ("recent", ["Heat", "Alien", "The Birds"]),
            ("plays", ["Alien", "Heat", "The Birds"]),
            ("title", ["Alien", "The Birds", "Heat"]),
        ],
    )
    def test_is_in_order(
        self, client: httpx.Client, films: list[Movie], sort: str, titles: list[str]
    ) -> None:
        found = client.get("/movies/watch-history", params={"sort": sort}).json()
        assert [each["title"] for each in found["results"]] == titles
        assert (found["total_results"], found["page_size"]) == (3, 50)

    def test_tells_of_each(self, client: httpx.Client, films: list[Movie]) -> None:
        found = client.get("/movies/watch-history", params={"page": 2, "page_size": 2}).json()
        (birds,) = found["results"]
        assert (birds["movie_id"], birds["watch_count"], birds["is_favorite"]) == (
            films[0].id,
            1,
            True,
        )
        assert (found["total_pages"], found["total_results"]) == (2, 3)

    @pytest.mark.parametrize("asked", [{"sort": "x"}, {"page_size": 101}, {"page": 0}])
    def test_refuses_nonsense(self, client: httpx.Client, asked: Any) -> None:
        answer = client.get("/movies/watch-history", params=asked)
        assert refused(answer) == (400, "VALIDATION_ERROR")


class TestListUserMovieWatchHistory:
    def test_is_ones_own_or_an_administrators(
        self,
        client: httpx.Client,
        admin: httpx.Client,
        films: list[Movie],
        me: User,
        make_user: Make,
    ) -> None:
        url = f"/users/{me.id}/watch-history"
        mine = client.get(url)
        assert mine.json() == client.get("/movies/watch-history").json()
        assert admin.get(url).json() == mine.json()
        assert refused(client.get(f"/users/{make_user().id}/watch-history")) == FORBIDDEN
        assert refused(client.get(f"/users/{UNKNOWN}/watch-history")) == FORBIDDEN
        assert refused(admin.get(f"/users/{UNKNOWN}/watch-history")) == NO_USER


class TestListUserSeriesWatchHistory:
    @pytest.fixture
    def shows(self, make: Make, player: Player) -> list[TVShow]:
        """Three series: one with three plays, one with two and a special, one that was begun."""
        made = [make(TVShow, title=title) for title in ("The Wire", "Dark", "Lost")]
        wire, dark, lost = (make_episodes(make, show, s0=1, s1=2) for show in made)
        for hours, seconds in enumerate((950, 0, 950, 0, 950), -4):
            player.episode(wire[1], seconds, last_watched_at=ago(hours=-hours))
        player.episode(dark[0], 950)
        player.episode(dark[1], 950)
        player.episode(lost[1], 500)
        return made

    @pytest.mark.parametrize(
        "sort,titles",
        [
            ("recent", ["Dark", "The Wire"]),
            ("plays", ["The Wire", "Dark"]),
            ("title", ["Dark", "The Wire"]),
        ],
    )
    def test_is_in_order(
        self, client: httpx.Client, shows: list[TVShow], me: User, sort: str, titles: list[str]
    ) -> None:
        url = f"/users/{me.id}/series-watch-history"
        found = client.get(url, params={"sort": sort}).json()
        assert [each["title"] for each in found["results"]] == titles
        dark = next(each for each in found["results"] if each["title"] == "Dark")
        assert (dark["episodes_watched"], dark["total_episodes"], dark["watch_count"]) == (2, 3, 2)

    def test_whose_it_may_be(
        self, client: httpx.Client, admin: httpx.Client, make_user: Make
    ) -> None:
        other = make_user().id
        assert refused(client.get(f"/users/{other}/series-watch-history")) == FORBIDDEN
        assert admin.get(f"/users/{other}/series-watch-history").json()["total_results"] == 0
        assert refused(admin.get(f"/users/{UNKNOWN}/series-watch-history")) == NO_USER


@pytest.fixture
def manager(make_user: Make) -> User:
    """A user who may manage the watch history."""
    user: User = make_user(can_manage_watch_history=True)
    return user


@pytest.fixture
def unwatch(client_of: Callable[..., httpx.Client], manager: User) -> Unwatch:
    """A function that takes something out of the manager's history."""
    client = client_of(manager)
    return lambda path: client.delete(f"/users/{manager.id}/watch-history/{path}")


@pytest.fixture
def watched(make: Make, manager: User, me: User, jaws: Movie, episodes: list[Episode]) -> None:
    """All that there is, by the manager and by another; the manager likes the film."""
    done = {"is_completed": True, "watch_count": 1, "duration_seconds": 9}
    for user in (manager, me):
        remark = "liked" if user is manager else None
        make(Watch, user_id=user.id, movie_id=jaws.id, remark=remark, **done)
        for each in episodes:
            make(Watch, user_id=user.id, episode_id=each.id, tvshow_id=each.tvshow_id, **done)


def left(user: User) -> int:
    return len(session.scalars(select(Watch).where(Watch.user_id == user.id)).all())


class TestUnwatchMovie:
    def test_forgets_all_but_a_remark(
        self, unwatch: Unwatch, jaws: Movie, watched: None, manager: User, me: User
    ) -> None:
        for _ in range(2):
            answer = unwatch(f"movies/{jaws.id}")
            assert answer.json() == {"success": True, "message": "Jaws is unwatched."}
        (row,) = session.scalars(select(Watch).where(Watch.user_id == manager.id).limit(1)).all()
        film = session.scalars(
            select(Watch).where(Watch.user_id == manager.id, Watch.movie_id == jaws.id)
        ).one()
        assert (film.watch_count, film.is_completed, film.remark) == (0, False, "liked")
        assert (row is not None, left(me)) == (True, 7)

    def test_is_not_for_everybody(
        self, client: httpx.Client, admin: httpx.Client, jaws: Movie, watched: None, me: User
    ) -> None:
        url = f"/users/{me.id}/watch-history/movies/{jaws.id}"
        assert refused(client.delete(url)) == FORBIDDEN
        assert admin.delete(url).status_code == 200
        assert left(me) == 6

    def test_not_for_anothers(
        self, client_of: Callable[..., httpx.Client], manager: User, me: User, jaws: Movie
    ) -> None:
        answer = client_of(manager).delete(f"/users/{me.id}/watch-history/movies/{jaws.id}")
        assert refused(answer) == FORBIDDEN

    def test_refuses_what_is_unknown(
        self, unwatch: Unwatch, admin: httpx.Client, jaws: Movie
    ) -> None:
        assert refused(unwatch(f"movies/{UNKNOWN}")) == (404, "MOVIE_NOT_FOUND")
        url = f"/users/{UNKNOWN}/watch-history/movies/{jaws.id}"
        assert refused(admin.delete(url)) == NO_USER


class TestUnwatchEpisode:
    def test_forgets_one(
        self, unwatch: Unwatch, episodes: list[Episode], watched: None, manager: User
    ) -> None:
        answer = unwatch(f"episodes/{episodes[1].id}")
        assert answer.json() == {"success": True, "message": "Episode 1 is unwatched."}
        assert left(manager) == 6

    def test_refuses(self, unwatch: Unwatch, client: httpx.Client, me: User) -> None:
        assert refused(unwatch(f"episodes/{UNKNOWN}")) == (404, "EPISODE_NOT_FOUND")
        url = f"/users/{me.id}/watch-history/episodes/{UNKNOWN}"
        assert refused(client.delete(url)) == FORBIDDEN


class TestUnwatchSeason:
    def test_forgets_its_episodes(
        self, unwatch: Unwatch, show: TVShow, watched: None, manager: User, me: User
    ) -> None:
        answer = unwatch(f"series/{show.id}/seasons/1").json()
        message = "3 episodes of season 1 of Breaking Bad unwatched."
        assert answer == {"success": True, "message": message, "episodes": 3}
        assert (left(manager), left(me)) == (4, 7)
        assert unwatch(f"series/{show.id}/seasons/1").json()["episodes"] == 0

    def test_refuses(
        self, unwatch: Unwatch, client: httpx.Client, show: TVShow, episodes: Any, me: User
    ) -> None:
        assert refused(unwatch(f"series/{show.id}/seasons/9")) == (404, "SEASON_NOT_FOUND")
        assert refused(unwatch(f"series/{UNKNOWN}/seasons/1")) == (404, "TV_SHOW_NOT_FOUND")
        url = f"/users/{me.id}/watch-history/series/{show.id}/seasons/1"
        assert refused(client.delete(url)) == FORBIDDEN


class TestUnwatchSeries:
    def test_forgets_its_episodes(
        self, unwatch: Unwatch, show: TVShow, watched: None, manager: User, me: User
    ) -> None:
        answer = unwatch(f"series/{show.id}").json()
        assert (answer["episodes"], left(manager), left(me)) == (6, 1, 7)

    def test_refuses(self, unwatch: Unwatch, client: httpx.Client, me: User) -> None:
        assert refused(unwatch(f"series/{UNKNOWN}")) == (404, "TV_SHOW_NOT_FOUND")
        assert refused(client.delete(f"/users/{me.id}/watch-history/series/1")) == FORBIDDEN
