"""Tag watch_history: figures."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from sqlalchemy import Engine

from marquee import clock
from marquee.catalogue.movies.models import Movie
from marquee.catalogue.people.models import Credit, Person
from marquee.catalogue.tvshows.models import Episode, TVShow
from marquee.identity.users.models import User
from marquee.taste.favorites.models import Favorite
from marquee.watching.progress.models import Watch
from tests.answers import refused
from tests.queries import statements
from tests.watching.conftest import Player, ago

Make = Callable[..., Any]
UNKNOWN = 2**53 - 1


class TestGetMyMovieStats:
    def test_counts(
        self, client: httpx.Client, player: Player, make: Make, make_user: Make
    ) -> None:
        films = [make(Movie, title=f"Film {number}") for number in range(4)]
        for film, moves in zip(films, ((950, 0, 950), (950, 500), (500,), (10,)), strict=True):
            for hours, seconds in enumerate(moves, -2):
                player.film(film, seconds, last_watched_at=ago(hours=-hours))
        make(Watch, user_id=make_user().id, movie_id=films[0].id, watch_count=9)
        found = client.get("/movies/stats").json()
        assert found == {"watched_count": 2, "in_progress_count": 2, "total_watches": 3}


class TestGetMyTvshowStats:
    def test_counts(
        self, client: httpx.Client, player: Player, episodes: list[Episode], make: Make, me: User
    ) -> None:
        nothing = client.get("/tvshows/stats").json()
        assert nothing == dict.fromkeys(nothing, 0) | {"user_id": me.id}
        ids = [each.id for each in episodes[1:]]
        client.post("/tvshows/episodes/bulk-watched", json={"episode_ids": ids[:-1]})
        found = client.get("/tvshows/stats").json()
        assert (found["total_series"], found["completed_series"], found["current_series"]) == (
            1,
            0,
            1,
        )
        client.post("/tvshows/episodes/bulk-watched", json={"episode_ids": ids})
        found = client.get("/tvshows/stats").json()
        assert (found["completed_series"], found["current_series"]) == (1, 0)
        assert (found["total_episodes_watched"], found["total_watch_time_minutes"]) == (5, 225)


class TestGetTvshowWatchStats:
    def test_counts(
        self, client: httpx.Client, player: Player, episodes: list[Episode], show: TVShow
    ) -> None:
        url = f"/tvshows/{show.id}/watch-stats"
        assert client.get(url).json()["completion_percent"] == 0
        said = player.episode(episodes[1], 3000, 3000)
        player.episode(episodes[2], 600, 1200)
        player.episode(episodes[0], 1000)  # a special
        assert client.get(url).json() == {
            "tvshow_id": show.id,
            "total_episodes": 5,
            "watched_episodes": 1,
            "total_runtime_minutes": 70,
            "watched_runtime_minutes": 50,
            "completion_percent": 20,
            "last_watched_at": said["last_watched_at"],
        }

    def test_one_without_episodes(self, client: httpx.Client, show: TVShow) -> None:
        found = client.get(f"/tvshows/{show.id}/watch-stats").json()
        assert (found["total_episodes"], found["completion_percent"]) == (0, 0)

    def test_refuses_an_unknown_one(self, client: httpx.Client) -> None:
        answer = client.get(f"/tvshows/{UNKNOWN}/watch-stats")
        assert refused(answer) == (404, "TV_SHOW_NOT_FOUND")


class TestGetUserWatchStats:
    def ask(self, client: httpx.Client, user: User, **asked: str) -> Any:
        answer = client.get(f"/users/{user.id}/watch-stats", params=asked)
        assert answer.status_code == 200
        return answer.json()

    def test_has_all_lists(
        self,
        client: httpx.Client,
        player: Player,
        make: Make,
        me: User,
        engine: Engine,
    ) -> None:
        actor, maker = make(Person, name="Roy Scheider"), make(Person, name="Steven Spielberg")
        genres = [["Thriller"], ["Thriller", "Drama"], ["Drama"]]
        films = [
            make(
                Movie,
                title=f"Film {number}",
                year=1975 + number * 5,
                genres=genres[number],
                vote_average=7.4 + number / 10,
                runtime_minutes=100,
                studios=["Universal"],
            )
            for number in range(3)
        ]
        for film in films[:2]:
            make(Credit, person_id=actor.id, movie_id=film.id, job="actor", character="One")
            make(Credit, person_id=actor.id, movie_id=film.id, job="actor", character="Two")
            make(Credit, person_id=maker.id, movie_id=film.id, job="director")
            player.film(film, 950, last_watched_at=ago(seconds=500))
        player.film(films[0], 0)
        player.film(films[0], 950)
        player.film(films[2], 500)
        make(Favorite, user_id=me.id, movie_id=films[2].id)
        with statements(engine) as sent:
            found = self.ask(client, me)
        assert len([each for each in sent if "watches" in each]) == 11
        assert {name: found[name] for name in found if name.startswith("total")} == {
            "total_movies": 2,
            "total_episodes": 0,
            "total_series": 0,
            "total_plays": 3,
            "total_watch_time_minutes": 50,
            "total_favorites": 1,
        }
        assert found["genre_distribution"] == [
            {"genre": "Thriller", "count": 2, "percentage": 100},
            {"genre": "Drama", "count": 1, "percentage": 50},
        ]
        assert found["decade_distribution"] == [
            {"decade": "1970s", "count": 1},
            {"decade": "1980s", "count": 1},
        ]
        assert found["rating_distribution"] == [{"rating": 7.5, "count": 2}]
        (top,) = found["top_actors"]
        assert (top["name"], top["count"]) == ("Roy Scheider", 2)
        assert [each["name"] for each in found["top_directors"]] == ["Steven Spielberg"]
        assert [each["count"] for each in found["top_studios"]] == [2]

    def test_series(
        self, client: httpx.Client, player: Player, episodes: list[Episode], make: Make, me: User
    ) -> None:
        show = make(TVShow, title="Dark", genres=["Drama"], networks=["Netflix"])
        actor = make(Person, name="Louis Hofmann")
        make(Credit, person_id=actor.id, tvshow_id=show.id, job="actor")
        make(
            Watch,
            user_id=me.id,
            episode_id=episodes[1].id,
            tvshow_id=show.id,
            watch_count=2,
            duration_seconds=3000,
        )
        found = self.ask(client, me)
        assert (found["total_series"], found["total_episodes"], found["total_plays"]) == (1, 1, 2)
        assert found["total_watch_time_minutes"] == 100
        assert found["series_genre_distribution"] == [
            {"genre": "Drama", "count": 1, "percentage": 100}
        ]
        assert found["top_networks"][0]["name"] == "Netflix"
        assert found["top_actors"][0]["name"] == "Louis Hofmann"

    def test_months_are_those_of_a_zone(
        self, client: httpx.Client, make: Make, me: User, jaws: Movie
    ) -> None:
        zone = ZoneInfo("Pacific/Auckland")
        this = clock.now().astimezone(zone).replace(day=1, hour=0, minute=0, second=0)
        begins = this.astimezone(UTC) + timedelta(minutes=1)
        make(Watch, user_id=me.id, movie_id=jaws.id, watch_count=1, last_watched_at=begins)
        there = self.ask(client, me, timezone="Pacific/Auckland")["watch_timeline"]
        assert (len(there), there[-1]) == (
            12,
            {"month": f"{this:%Y-%m}", "movies": 1, "episodes": 0},
        )
        here = self.ask(client, me)["watch_timeline"]
        before = datetime.strftime(begins, "%Y-%m")
        assert [each["movies"] for each in here if each["month"] == before] == [1]

    def test_the_zone_is_the_users_own(
        self, client: httpx.Client, me: User, set_zone: Callable[[str], None]
    ) -> None:
        set_zone("Pacific/Kiritimati")
        months = [each["month"] for each in self.ask(client, me)["watch_timeline"]]
        assert months[-1] == f"{clock.now().astimezone(ZoneInfo('Pacific/Kiritimati')):%Y-%m}"

    @pytest.fixture
    def set_zone(self, client: httpx.Client) -> Callable[[str], None]:
        def set_zone(name: str) -> None:
            assert client.put("/users/me", json={"timezone": name}).status_code == 200

        return set_zone

    @pytest.mark.parametrize("zone", ["Mars/Olympus", "../etc/passwd", ""])
    def test_refuses_an_unknown_zone(self, client: httpx.Client, me: User, zone: str) -> None:
        answer = client.get(f"/users/{me.id}/watch-stats", params={"timezone": zone})
        assert refused(answer) == (400, "VALIDATION_ERROR")

    def test_whose_it_may_be(
        self, client: httpx.Client, admin: httpx.Client, me: User, make_user: Make
    ) -> None:
        other = make_user().id
        answer = client.get(f"/users/{other}/watch-stats")
        assert refused(answer) == (403, "INSUFFICIENT_PERMISSIONS")
        assert admin.get(f"/users/{me.id}/watch-stats").status_code == 200
        answer = admin.get(f"/users/{UNKNOWN}/watch-stats")
        assert refused(answer) == (404, "USER_NOT_FOUND")
