"""What is unwatched here is unwatched on the media server."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from marquee import db
from marquee.catalogue.movies.models import Movie
from marquee.catalogue.tvshows.models import Episode, TVShow
from marquee.errors import Unavailable
from marquee.identity.users.models import User
from marquee.watching.watch_history import unplaying
from marquee.watching.watch_history.unplaying import TASK, Unwatched
from tests.fakes.jellyfin import FakeJellyfin
from tests.fakes.jellyfin_shelf import Thing
from tests.media_servers import CASEY, leave, queued

Make = Callable[..., Any]
Unwatch = Callable[[str], list[str]]


@pytest.fixture
def unwatch(
    client_of: Callable[..., httpx.Client], member: User, media_server: FakeJellyfin
) -> Unwatch:
    """A function that takes something out of the member's history, and does what the worker is to
    do; the titles that are watched there afterwards.
    """
    client, user_id = client_of(member), member.id

    def unwatch(path: str) -> list[str]:
        assert client.delete(f"/users/{user_id}/watch-history/{path}").status_code == 200
        wanted = queued(TASK)[-1]
        assert wanted.pop("user_id") == user_id
        assert media_server.seen == []
        leave()
        unplaying.unplay(user_id, Unwatched(**wanted))
        return [
            each.name for each in media_server.shelf.things if CASEY.id in each.played | each.begun
        ]

    return unwatch


class TestOfFilms:
    @pytest.fixture
    def jaws(self, make: Make) -> Movie:
        film: Movie = make(Movie, title="Jaws", imdb_id="tt0073195", tmdb_id=578)
        return film

    def test_every_copy_is_unwatched(
        self, unwatch: Unwatch, media_server: FakeJellyfin, jaws: Movie
    ) -> None:
        add = media_server.shelf.add
        add("Movie", "By IMDb", providers={"Imdb": "tt0073195"}, played={CASEY.id})
        add("Movie", "By TMDB", providers={"Tmdb": "578"}, begun={CASEY.id})
        add("Movie", "Another", providers={"Tmdb": "579"}, played={CASEY.id})
        assert unwatch(f"movies/{jaws.id}") == ["Another"]

    def test_that_the_server_lacks(self, unwatch: Unwatch, jaws: Movie) -> None:
        assert unwatch(f"movies/{jaws.id}") == []

    def test_where_the_server_is_down(
        self, media_server: FakeJellyfin, member: User, jaws: Movie
    ) -> None:
        user_id, what = member.id, Unwatched(movie_id=jaws.id)
        leave()
        media_server.breaks("status")
        with pytest.raises(Unavailable):
            unplaying.unplay(user_id, what)

    @pytest.mark.parametrize("gone", ["title", "user", "account", "settings"])
    def test_where_something_is_gone(
        self,
        media_server: FakeJellyfin,
        member: User,
        jaws: Movie,
        set_variables: Callable[..., None],
        gone: str,
    ) -> None:
        """Nothing is done, and nothing is tried again."""
        user_id, movie_id = member.id, jaws.id
        if gone == "title":
            db.session.delete(jaws)
        elif gone == "user":
            member.provider = "local"
        elif gone == "account":
            media_server.people.clear()
        else:
            set_variables(MEDIA_SERVER_API_KEY=None)
        leave()
        unplaying.unplay(user_id, Unwatched(movie_id=movie_id))
        assert len(media_server.seen) == (gone == "account")


class TestOfSeries:
    @pytest.fixture
    def there(self, media_server: FakeJellyfin, show: TVShow, episodes: list[Episode]) -> None:
        """The series of the test there, all watched, with a file of two episodes; and another."""
        db.session.get_one(TVShow, show.id).tvdb_id = 81189
        db.session.commit()
        add = media_server.shelf.add
        series: Thing = add("Series", "Breaking Bad", providers={"Tvdb": "81189"})
        other: Thing = add("Series", "Lost", providers={"Tvdb": "73739"})
        for of, name, season, number, last in (
            (series, "0x1", 0, 1, None),
            (series, "1x1", 1, 1, 2),
            (series, "1x3", 1, 3, None),
            (series, "2x1", 2, 1, None),
            (other, "lost", 1, 1, None),
        ):
            numbers = {"season": season, "number": number, "last_number": last}
            add("Episode", name, series_id=of.id, played={CASEY.id}, **numbers)

    @pytest.mark.parametrize(
        "path,left",
        [
            ("series/{0}", ["lost"]),
            ("series/{0}/seasons/1", ["0x1", "2x1", "lost"]),
            ("series/{0}/seasons/0", ["1x1", "1x3", "2x1", "lost"]),
            ("episodes/{1}", ["0x1", "1x3", "2x1", "lost"]),
        ],
    )
    def test_what_is_meant_is_unwatched(
        self,
        unwatch: Unwatch,
        there: None,
        show: TVShow,
        episodes: list[Episode],
        path: str,
        left: list[str],
    ) -> None:
        second = next(
            each for each in episodes if (each.season_number, each.episode_number) == (1, 2)
        )
        assert unwatch(path.format(show.id, second.id)) == left


class TestNobodyIsTold:
    """Where there is no account, no server or no key of it."""

    @pytest.mark.parametrize("without", ["account", "MEDIA_SERVER_API_KEY", "MEDIA_SERVER_URL"])
    def test_and_it_is_unwatched_here(
        self,
        client_of: Callable[..., httpx.Client],
        media_server: FakeJellyfin,
        member: User,
        make: Make,
        set_variables: Callable[..., None],
        without: str,
    ) -> None:
        if without == "account":
            member.provider, member.provider_user_id = "local", None
            db.session.commit()
        else:
            set_variables(**{without: None})
        url = f"/users/{member.id}/watch-history/movies/{make(Movie).id}"
        assert client_of(member).delete(url).status_code == 200
        assert (queued(TASK), media_server.seen) == ([], [])
