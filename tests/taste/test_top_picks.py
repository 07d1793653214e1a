"""openapi/taste/top_picks.yaml, and the job that makes the lists."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, update

from marquee import clock, db
from marquee.catalogue.movies.models import Movie
from marquee.catalogue.translations.models import Translation
from marquee.catalogue.tvshows.models import TVShow
from marquee.identity.users.models import User
from marquee.operations.jobs.named import JOBS
from marquee.progress import Progress
from marquee.taste.top_picks.models import TopPickList
from marquee.taste.top_picks.tasks import NAME
from marquee.watching.progress.models import Watch
from tests.answers import refused
from tests.catalogue.series import make_episodes
from tests.queries import statements

Make = Callable[..., Any]
DAY = timedelta(days=1)


def refresh() -> dict[str, int]:
    """Run the job."""
    db.session.remove()
    return JOBS[NAME].function(Progress())


@pytest.fixture
def users(make_user: Make) -> list[User]:
    return [make_user() for _ in range(4)]


@pytest.fixture
def watch(make: Make) -> Make:
    """That a user has watched a film to its end, yesterday."""

    def watch(user: User, **values: Any) -> None:
        usual = {"watch_count": 1, "is_completed": True, "last_watched_at": clock.now() - DAY}
        make(Watch, user_id=user.id, **usual | values)

    return watch


def half(days: float = 1) -> dict[str, Any]:
    """Half of it, so many days ago."""
    position = {"progress_seconds": 3000, "duration_seconds": 6000}
    at = clock.now() - days * DAY
    return {"watch_count": 0, "is_completed": False, "last_watched_at": at, **position}


class TestListTopPickMovies:
    def test_by_viewers_plays_and_completion(
        self, client: httpx.Client, make: Make, watch: Make, users: list[User]
    ) -> None:
        jaws = make(
            Movie,
            title="Jaws",
            year=1975,
            genres=["Thriller"],
            vote_average=8.1,
            backdrop_path="/b.jpg",
        )
        home, few = make(Movie, title="Home"), make(Movie, title="Seen by One")
        for user in users:
            watch(user, movie_id=jaws.id, watch_count=2)
        watch(users[0], movie_id=home.id)
        watch(users[1], movie_id=home.id, **half())
        watch(users[0], movie_id=few.id, watch_count=50)
        assert refresh() == {"movies": 2, "tvshows": 0}
        answer = client.get("/top-picks/movies").json()
        first, second = answer["movies"]
        assert first == {
            "movie_id": jaws.id,
            "title": "Jaws",
            "year": 1975,
            "poster_url": f"/api/v1/images/poster/w342/movies-{jaws.id}.webp",
            "backdrop_url": "/api/v1/images/backdrop/original/b.jpg",
            "overview": None,
            "genres": ["Thriller"],
            "community_rating": 8.1,
            "unique_viewers": 4,
            "play_count": 8,
            "avg_completion_rate": 1,
            "popularity_score": pytest.approx(4 * 0.5 + 8 * 0.3 + 100 * 0.2),
            "rank": 1,
        }
        assert (second["title"], second["rank"], second["unique_viewers"]) == ("Home", 2, 2)
        assert second["popularity_score"] == pytest.approx(2 * 0.5 + 1 * 0.3 + 75 * 0.2)
        assert second["backdrop_url"] is None
        rules = answer["rules"]
        assert (rules["window_days"], rules["min_unique_viewers"], rules["count"]) == (30, 2, 10)
        assert rules["last_refreshed_at"] is not None

    def test_only_what_was_watched_in_the_window(
        self, client: httpx.Client, make: Make, watch: Make, users: list[User]
    ) -> None:
        films = [make(Movie, title=title) for title in ("Long Ago", "A Look", "Said", "Begun")]
        for user in users[:2]:
            watch(user, movie_id=films[0].id, last_watched_at=clock.now() - 31 * DAY)
            look = half() | {"progress_seconds": 60}
            watch(user, movie_id=films[1].id, **look)
            watch(user, movie_id=films[2].id, last_watched_at=None)
            watch(user, movie_id=films[3].id, **half(29))
        refresh()
        movies = client.get("/top-picks/movies").json()["movies"]
        assert [(each["title"], each["avg_completion_rate"]) for each in movies] == [("Begun", 0.5)]

    def test_as_many_as_the_list_takes(
        self, client: httpx.Client, make: Make, watch: Make, users: list[User]
    ) -> None:
        db.session.execute(update(TopPickList).values(count=2, min_unique_viewers=1))
        for number in range(3):
            watch(users[0], movie_id=make(Movie, title=str(number)).id, watch_count=number + 1)
        refresh()
        answer = client.get("/top-picks/movies").json()
        assert [each["title"] for each in answer["movies"]] == ["2", "1"]
        assert (answer["rules"]["count"], answer["rules"]["min_unique_viewers"]) == (2, 1)

    def test_weights_are_parts_of_one(
        self, client: httpx.Client, make: Make, watch: Make, users: list[User]
    ) -> None:
        weights = {"viewers_weight": 3, "plays_weight": 1, "completion_weight": 0}
        db.session.execute(update(TopPickList).values(**weights))
        film = make(Movie)
        for user in users:
            watch(user, movie_id=film.id)
        refresh()
        (pick,) = client.get("/top-picks/movies").json()["movies"]
        assert pick["popularity_score"] == pytest.approx(4 * 0.75 + 4 * 0.25)

    def test_before_the_first_time_it_is_empty(self, client: httpx.Client, make: Make) -> None:
        make(Movie, popularity=100)
        answer = client.get("/top-picks/movies").json()
        assert (answer["movies"], answer["rules"]["last_refreshed_at"]) == ([], None)

    def test_each_time_anew(
        self, client: httpx.Client, make: Make, watch: Make, users: list[User]
    ) -> None:
        film = make(Movie)
        for user in users:
            watch(user, movie_id=film.id)
        assert refresh()["movies"] == refresh()["movies"] == 1
        db.session.execute(update(Watch).values(last_watched_at=clock.now() - 40 * DAY))
        db.session.commit()
        assert refresh()["movies"] == 0
        assert client.get("/top-picks/movies").json()["movies"] == []

    def test_in_the_language_asked_for(
        self, client: httpx.Client, make: Make, watch: Make, users: list[User]
    ) -> None:
        film = make(Movie, title="Jaws")
        make(Translation, movie_id=film.id, language="de", title="Der weiße Hai")
        for user in users:
            watch(user, movie_id=film.id)
        refresh()
        answer = client.get("/top-picks/movies", headers={"Accept-Language": "de"})
        assert answer.json()["movies"][0]["title"] == "Der weiße Hai"

    def test_is_read_by_one_query(
        self, client: httpx.Client, make: Make, watch: Make, users: list[User], engine: Engine
    ) -> None:
        for _ in range(3):
            film = make(Movie)
            for user in users:
                watch(user, movie_id=film.id)
        refresh()
        with statements(engine) as sent:
            client.get("/top-picks/movies")
        # One beside that for who is asking.
        assert len(sent) <= 2

    def test_guests_do_not_see_it(self, client_of: Make, make_user: Make) -> None:
        answer = client_of(make_user("guest")).get("/top-picks/movies")
        assert refused(answer) == (403, "INSUFFICIENT_PERMISSIONS")


class TestListTopPickSeries:
    def test_by_viewers_episodes_and_completion(
        self, client: httpx.Client, make: Make, watch: Make, users: list[User]
    ) -> None:
        show = make(TVShow, title="Twin Peaks", networks=["ABC", "Showtime"])
        other = make(TVShow, title="Seen by One")
        episodes = make_episodes(make, show, s1=4)
        db.session.execute(update(TVShow).values(total_episodes=4))
        db.session.commit()
        for user, number in zip(users, (4, 2, 1), strict=False):
            for episode in episodes[:number]:
                watch(user, episode_id=episode.id, tvshow_id=show.id)
        watch(users[3], episode_id=episodes[0].id, tvshow_id=show.id, **half())
        for episode in make_episodes(make, other, s1=2):
            watch(users[0], episode_id=episode.id, tvshow_id=other.id)
        assert refresh() == {"movies": 0, "tvshows": 1}
        (pick,) = client.get("/top-picks/series").json()["series"]
        assert (pick["tvshow_id"], pick["title"], pick["network"]) == (show.id, "Twin Peaks", "ABC")
        assert (pick["unique_viewers"], pick["total_episodes_watched"]) == (4, 7)
        completion = (1 + 0.5 + 0.25 + 0) / 4
        assert pick["avg_completion_rate"] == pytest.approx(completion)
        score = 4 * 0.5 + 0.7 * 0.3 + completion * 100 * 0.2
        assert pick["popularity_score"] == pytest.approx(score)

    def test_a_series_of_unknown_length(
        self, client: httpx.Client, make: Make, watch: Make, users: list[User]
    ) -> None:
        show = make(TVShow, title="Twin Peaks")
        (episode,) = make_episodes(make, show, s0=1)
        for user in users:
            watch(user, episode_id=episode.id, tvshow_id=show.id)
        refresh()
        (pick,) = client.get("/top-picks/series").json()["series"]
        assert (pick["avg_completion_rate"], pick["network"]) == (0, None)


class TestRefreshTopPicks:
    def test_is_a_daily_job(self) -> None:
        assert JOBS[NAME].schedule.cron == "0 6 * * *"
