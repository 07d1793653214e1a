"""Tag progress: what to go on with."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine

from marquee import clock
from marquee.catalogue.movies.models import Movie
from marquee.catalogue.tvshows.models import Episode, TVShow
from marquee.db import session
from marquee.identity.users.models import User
from marquee.watching.progress.models import Watch
from tests.answers import refused
from tests.catalogue.series import make_episodes
from tests.queries import statements
from tests.watching.conftest import Player

Make = Callable[..., Any]
UNKNOWN = 2**53 - 1


class TestListContinueWatchingMovies:
    URL = "/movies/continue-watching"

    def test_lists_what_was_begun(self, client: httpx.Client, player: Player, make: Make) -> None:
        films = [make(Movie, title=f"Film {number}", year=1975) for number in range(6)]
        for film, seconds in zip(films, (50, 51, 900, 901, 0, 500), strict=True):
            player.film(film, seconds)
        found = client.get(self.URL).json()["movies"]
        assert [each["title"] for each in found] == ["Film 5", "Film 2", "Film 1"]
        assert (found[0]["progress_percent"], found[0]["year"]) == (50, 1975)
        assert found[0]["poster_url"].endswith(f"/movies-{films[5].id}.webp")

    def test_what_is_watched_once_more_is_there(
        self, client: httpx.Client, player: Player, jaws: Movie
    ) -> None:
        for seconds in (950, 300):
            player.film(jaws, seconds)
        (found,) = client.get(self.URL).json()["movies"]
        assert (found["watch_count"], found["is_completed"]) == (1, False)

    def test_is_ones_own_and_bounded(
        self, client: httpx.Client, player: Player, make: Make, make_user: Make
    ) -> None:
        films = [make(Movie, title=f"Film {number}") for number in range(12)]
        for film in films:
            player.film(film, 500)
        begun = {"progress_seconds": 5, "duration_seconds": 10, "last_watched_at": clock.now()}
        make(Watch, user_id=make_user().id, movie_id=films[0].id, **begun)
        assert len(client.get(self.URL).json()["movies"]) == 10
        assert len(client.get(self.URL, params={"limit": 50}).json()["movies"]) == 12

    @pytest.mark.parametrize("limit", [0, 51, "x"])
    def test_refuses_nonsense(self, client: httpx.Client, limit: object) -> None:
        answer = client.get(self.URL, params={"limit": str(limit)})
        assert refused(answer) == (400, "VALIDATION_ERROR")


class TestListContinueWatchingTvshows:
    URL = "/tvshows/continue-watching"

    def places(self, client: httpx.Client) -> list[tuple[str, int, int, float]]:
        return [
            (each["title"], each["season_number"], each["episode_number"], each["progress_percent"])
            for each in client.get(self.URL).json()["tvshows"]
        ]

    def test_goes_on_with_what_was_begun(
        self, client: httpx.Client, player: Player, episodes: list[Episode], show: TVShow
    ) -> None:
        player.episode(episodes[1], 950)
        player.episode(episodes[3], 400)
        (found,) = client.get(self.URL).json()["tvshows"]
        assert (found["tvshow_id"], found["episode_id"]) == (show.id, episodes[3].id)
        assert (found["progress_seconds"], found["duration_seconds"]) == (400, 1000)
        assert found["poster_url"].endswith(f"/tvshows-{show.id}.webp")

    def test_goes_on_with_the_next_one(
        self, client: httpx.Client, player: Player, episodes: list[Episode]
    ) -> None:
        player.episode(episodes[1], 950)
        assert self.places(client) == [("Breaking Bad", 1, 2, 0)]
        player.episode(episodes[2], 30)  # opened: not yet begun
        assert self.places(client) == [("Breaking Bad", 1, 2, 3)]
        for episode in (episodes[3], episodes[2]):
            player.episode(episode, 950)
        assert self.places(client) == [("Breaking Bad", 2, 1, 0)]

    def test_several_marked_at_once(self, client: httpx.Client, episodes: list[Episode]) -> None:
        ids = [episodes[number].id for number in (4, 1, 3, 2)]
        client.post("/tvshows/episodes/bulk-watched", json={"episode_ids": ids})
        assert self.places(client) == [("Breaking Bad", 2, 2, 0)]

    def test_is_done_with_what_is_over_or_yet_to_air(
        self, client: httpx.Client, player: Player, episodes: list[Episode]
    ) -> None:
        episodes[5].air_date = clock.now().date() + timedelta(days=2)
        session.merge(episodes[5])
        session.commit()
        player.episode(episodes[4], 950)
        assert self.places(client) == []

    def test_those_of_late_come_first(
        self, client: httpx.Client, player: Player, make: Make, engine: Engine
    ) -> None:
        for number in range(12):
            show = make(TVShow, title=f"Series {number}")
            player.episode(make_episodes(make, show, s1=2)[0], 950 if number % 2 else 500)
        with statements(engine) as sent:
            found = self.places(client)
        assert [each[0] for each in found] == [f"Series {number}" for number in range(11, 1, -1)]
        assert [each[2] for each in found] == [2, 1] * 5
        assert len([each for each in sent if "watches" in each]) == 1


class TestGetNextEpisode:
    def next(self, client: httpx.Client, show: TVShow) -> tuple[int, int]:
        found = client.get(f"/tvshows/{show.id}/next-episode").json()
        return found["season_number"], found["episode_number"]

    def test_is_the_first_that_is_not_completed(
        self, client: httpx.Client, player: Player, episodes: list[Episode], show: TVShow
    ) -> None:
        assert self.next(client, show) == (1, 1)
        player.episode(episodes[2], 950)
        player.episode(episodes[1], 500)
        assert self.next(client, show) == (1, 1)
        player.episode(episodes[1], 950)
        assert self.next(client, show) == (1, 3)

    def test_one_that_is_opened_again_stays_seen_until_it_is_begun(
        self, client: httpx.Client, player: Player, episodes: list[Episode], show: TVShow
    ) -> None:
        player.episode(episodes[1], 950)
        player.episode(episodes[1], 50)
        assert self.next(client, show) == (1, 2)
        player.episode(episodes[1], 51)
        assert self.next(client, show) == (1, 1)

    def test_there_is_none(
        self, client: httpx.Client, episodes: list[Episode], show: TVShow, make: Make, me: User
    ) -> None:
        ids = [each.id for each in episodes[1:]]
        client.post("/tvshows/episodes/bulk-watched", json={"episode_ids": ids})
        answer = client.get(f"/tvshows/{show.id}/next-episode")
        assert refused(answer) == (404, "EPISODE_NOT_FOUND")
        answer = client.get(f"/tvshows/{UNKNOWN}/next-episode")
        assert refused(answer) == (404, "TV_SHOW_NOT_FOUND")
