"""Tag progress: positions."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, select

from marquee import db
from marquee.catalogue.movies.models import Movie
from marquee.catalogue.tvshows.models import Episode
from marquee.db import session
from marquee.identity.users.models import User
from marquee.watching.progress.models import Watch
from tests.answers import refused
from tests.committed import committed
from tests.live import live, own_database
from tests.queries import statements
from tests.watching.conftest import Player, ago

Make = Callable[..., Any]
UNKNOWN = 2**53 - 1


class TestGetMovieProgress:
    def test_is_what_was_said(self, client: httpx.Client, player: Player, jaws: Movie) -> None:
        said = player.film(jaws, 483, 1000)
        answer = client.get(f"/movies/{jaws.id}/progress")
        assert answer.json() == said
        assert (said["progress_percent"], said["is_completed"], said["watch_count"]) == (
            48.3,
            False,
            0,
        )

    def test_there_is_none(
        self, client: httpx.Client, jaws: Movie, make: Make, make_user: Make, me: User
    ) -> None:
        make(Watch, user_id=make_user().id, movie_id=jaws.id, duration_seconds=9)
        make(Watch, user_id=me.id, movie_id=jaws.id, remark="liked")
        assert refused(client.get(f"/movies/{jaws.id}/progress")) == (404, "PROGRESS_NOT_FOUND")

    def test_refuses_an_unknown_film(self, client: httpx.Client) -> None:
        assert refused(client.get(f"/movies/{UNKNOWN}/progress")) == (404, "MOVIE_NOT_FOUND")

    def test_needs_an_account(self, anonymous: httpx.Client, jaws: Movie) -> None:
        assert refused(anonymous.get(f"/movies/{jaws.id}/progress")) == (401, "INVALID_TOKEN")


class TestUpdateMovieProgress:
    def test_is_one_statement(
        self, client: httpx.Client, player: Player, jaws: Movie, engine: Engine
    ) -> None:
        player.film(jaws, 10)
        with statements(engine) as sent:
            player.film(jaws, 20)
        assert len([each for each in sent if "watches" in each]) == 1

    @pytest.mark.parametrize("seconds,count", [(0, 0), (900, 0), (901, 1)])
    def test_is_completed_past_nine_tenths(
        self, player: Player, jaws: Movie, seconds: int, count: int
    ) -> None:
        said = player.film(jaws, seconds)
        assert (said["is_completed"], said["watch_count"]) == (count == 1, count)

    def test_counts_each_time_that_it_is_completed_once(self, player: Player, jaws: Movie) -> None:
        moves = (500, 950, 990, 1000, 10, 500, 950, 1000)
        counts = [
            player.film(jaws, each, last_watched_at=ago(seconds=1000 - 100 * number))
            for number, each in enumerate(moves)
        ]
        assert [each["watch_count"] for each in counts] == [0, 1, 1, 1, 1, 1, 2, 2]

    def test_does_not_count_again_what_is_wound_back_or_runs_twice(
        self, client: httpx.Client, player: Player, jaws: Movie
    ) -> None:
        """Within the fourth part of its length, here 250 seconds."""
        moves = ((910, 900), (890, 890), (910, 880), (300, 800), (950, 750), (305, 700), (955, 651))
        for seconds, past in moves:
            told = player.film(jaws, seconds, last_watched_at=ago(seconds=past))
        assert (told["is_completed"], told["watch_count"]) == (True, 1)
        for seconds, past in ((500, 649), (950, 648)):
            told = player.film(jaws, seconds, last_watched_at=ago(seconds=past))
        assert told["watch_count"] == 2
        assert client.post(f"/movies/{jaws.id}/watched").status_code == 204
        assert client.get(f"/movies/{jaws.id}/progress").json()["watch_count"] == 2

    def test_is_no_more_than_all_of_it(self, player: Player, jaws: Movie) -> None:
        assert player.film(jaws, 1200)["progress_percent"] == 100

    def test_the_latest_position_holds(self, player: Player, jaws: Movie) -> None:
        held = player.film(jaws, 500, last_watched_at=ago(minutes=10))
        late = player.film(jaws, 990, last_watched_at=ago(minutes=11))
        assert late == held
        assert player.film(jaws, 100)["progress_seconds"] == 100

    def test_the_same_again_changes_nothing_that_counts(self, player: Player, jaws: Movie) -> None:
        at = ago(minutes=1)
        first, again = (player.film(jaws, 950, last_watched_at=at) for _ in range(2))
        assert first | {"updated_at": ""} == again | {"updated_at": ""}

    def test_a_fast_clock_holds_nobody_back(self, player: Player, jaws: Movie) -> None:
        player.film(jaws, 500, last_watched_at=ago(minutes=-4))
        assert player.film(jaws, 600)["progress_seconds"] == 600

    def test_refuses_the_future(self, client: httpx.Client, jaws: Movie) -> None:
        body = {"progress_seconds": 1, "duration_seconds": 2, "last_watched_at": ago(minutes=-6)}
        answer = client.post(f"/movies/{jaws.id}/progress", json=body)
        assert refused(answer) == (400, "VALIDATION_ERROR")

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"progress_seconds": 1},
            {"progress_seconds": -1, "duration_seconds": 1},
            {"progress_seconds": 1, "duration_seconds": 0},
            {"progress_seconds": 1.5, "duration_seconds": 2},
            {"progress_seconds": 1, "duration_seconds": 2, "watch_count": 9},
            {"progress_seconds": 1, "duration_seconds": 2, "last_watched_at": "yesterday"},
        ],
    )
    def test_refuses_nonsense(self, client: httpx.Client, jaws: Movie, body: Any) -> None:
        assert refused(client.post(f"/movies/{jaws.id}/progress", json=body)) == (
            400,
            "VALIDATION_ERROR",
        )

    def test_refuses_an_unknown_film(self, client: httpx.Client) -> None:
        body = {"progress_seconds": 1, "duration_seconds": 2}
        answer = client.post(f"/movies/{UNKNOWN}/progress", json=body)
        assert refused(answer) == (404, "MOVIE_NOT_FOUND")

    def test_keeps_a_remark(self, player: Player, jaws: Movie, make: Make, me: User) -> None:
        make(Watch, user_id=me.id, movie_id=jaws.id, remark="liked")
        assert player.film(jaws, 950)["watch_count"] == 1
        assert session.scalars(select(Watch.remark)).one() == "liked"

    def test_of_many_at_once_the_latest_holds(self, database_url: str, tmp_path: Any) -> None:
        """Two devices of one user, and a server of two processes: real transactions."""
        with own_database(database_url) as url, live(url, tmp_path, workers=2) as server:
            engine = db.engine_for(url)
            with committed(engine) as rows:
                film, user = rows.movie(), rows.user()
                clients = [rows.client(server.url, user) for _ in range(4)]
                moments = [ago(seconds=90 - number) for number in range(60)]

                def tell(number: int) -> None:
                    body = {
                        "progress_seconds": 940 + number,
                        "duration_seconds": 1000,
                        "last_watched_at": moments[number],
                    }
                    told = clients[number % 4].post(f"/movies/{film.id}/progress", json=body)
                    assert told.status_code == 200

                with ThreadPoolExecutor(4) as threads:
                    list(threads.map(tell, [(7 * each) % 60 for each in range(60)]))
                held = clients[0].get(f"/movies/{film.id}/progress").json()
            engine.dispose()
        assert (held["progress_seconds"], held["watch_count"]) == (999, 1)


class TestDeleteMovieProgress:
    def test_forgets_the_position(self, client: httpx.Client, player: Player, jaws: Movie) -> None:
        player.film(jaws, 500)
        for _ in range(2):
            assert client.delete(f"/movies/{jaws.id}/progress").status_code == 204
        assert refused(client.get(f"/movies/{jaws.id}/progress")) == (404, "PROGRESS_NOT_FOUND")
        assert session.scalars(select(Watch)).all() == []

    def test_what_was_watched_stays_so(
        self, client: httpx.Client, player: Player, jaws: Movie
    ) -> None:
        player.film(jaws, 950)
        player.film(jaws, 100)
        client.delete(f"/movies/{jaws.id}/progress")
        assert refused(client.get(f"/movies/{jaws.id}/progress")) == (404, "PROGRESS_NOT_FOUND")
        watch = session.scalars(select(Watch)).one()
        assert (watch.is_completed, watch.watch_count) == (True, 1)
        assert player.film(jaws, 100, last_watched_at=ago(days=9))["progress_seconds"] == 100

    def test_refuses_an_unknown_film(self, client: httpx.Client) -> None:
        assert refused(client.delete(f"/movies/{UNKNOWN}/progress")) == (404, "MOVIE_NOT_FOUND")


class TestMarkMovieWatched:
    def test_completes_it_once(self, client: httpx.Client, jaws: Movie) -> None:
        for _ in range(2):
            assert client.post(f"/movies/{jaws.id}/watched").status_code == 204
        held = client.get(f"/movies/{jaws.id}/progress").json()
        assert (held["progress_seconds"], held["duration_seconds"]) == (7440, 7440)
        assert (held["is_completed"], held["watch_count"]) == (True, 1)

    def test_one_that_was_begun(self, client: httpx.Client, player: Player, jaws: Movie) -> None:
        player.film(jaws, 500)
        client.post(f"/movies/{jaws.id}/watched")
        held = client.get(f"/movies/{jaws.id}/progress").json()
        assert (held["progress_seconds"], held["progress_percent"]) == (1000, 100)

    def test_one_of_unknown_length(self, client: httpx.Client, make: Make) -> None:
        film = make(Movie, title="Short")
        client.post(f"/movies/{film.id}/watched")
        assert client.get(f"/movies/{film.id}/progress").json()["duration_seconds"] == 7200

    def test_refuses_an_unknown_film(self, client: httpx.Client) -> None:
        assert refused(client.post(f"/movies/{UNKNOWN}/watched")) == (404, "MOVIE_NOT_FOUND")


class TestGetEpisodeProgress:
    def test_is_what_was_said(
        self, client: httpx.Client, player: Player, episodes: list[Episode]
    ) -> None:
        said = player.episode(episodes[1], 450)
        answer = client.get(f"/tvshows/episodes/{episodes[1].id}/progress")
        assert (answer.json(), said["episode_id"]) == (said, episodes[1].id)
        there = client.get(f"/tvshows/episodes/{episodes[2].id}/progress")
        assert refused(there) == (404, "PROGRESS_NOT_FOUND")

    def test_refuses_an_unknown_one(self, client: httpx.Client) -> None:
        assert refused(client.get(f"/tvshows/episodes/{UNKNOWN}/progress")) == (
            404,
            "EPISODE_NOT_FOUND",
        )


class TestUpdateEpisodeProgress:
    def test_counts_as_films_do(self, player: Player, episodes: list[Episode]) -> None:
        moves = (950, 990, 10, 999)
        counts = [
            player.episode(episodes[1], each, last_watched_at=ago(seconds=900 - 200 * number))
            for number, each in enumerate(moves)
        ]
        assert [each["watch_count"] for each in counts] == [1, 1, 1, 2]

    def test_refuses_an_unknown_one(self, client: httpx.Client) -> None:
        body = {"progress_seconds": 1, "duration_seconds": 2}
        answer = client.put(f"/tvshows/episodes/{UNKNOWN}/progress", json=body)
        assert refused(answer) == (404, "EPISODE_NOT_FOUND")


class TestDeleteEpisodeProgress:
    def test_forgets_the_position(
        self, client: httpx.Client, player: Player, episodes: list[Episode]
    ) -> None:
        player.episode(episodes[1], 450)
        url = f"/tvshows/episodes/{episodes[1].id}/progress"
        assert client.delete(url).status_code == 204
        assert refused(client.get(url)) == (404, "PROGRESS_NOT_FOUND")

    def test_refuses_an_unknown_one(self, client: httpx.Client) -> None:
        assert refused(client.delete(f"/tvshows/episodes/{UNKNOWN}/progress")) == (
            404,
            "EPISODE_NOT_FOUND",
        )


class TestMarkEpisodeWatched:
    def test_completes_it(self, client: httpx.Client, episodes: list[Episode]) -> None:
        assert client.post(f"/tvshows/episodes/{episodes[1].id}/watched").status_code == 204
        held = client.get(f"/tvshows/episodes/{episodes[1].id}/progress").json()
        assert (held["duration_seconds"], held["watch_count"]) == (2700, 1)

    def test_refuses_an_unknown_one(self, client: httpx.Client) -> None:
        assert refused(client.post(f"/tvshows/episodes/{UNKNOWN}/watched")) == (
            404,
            "EPISODE_NOT_FOUND",
        )


class TestMarkEpisodesWatched:
    URL = "/tvshows/episodes/bulk-watched"

    def test_completes_them_all(
        self, client: httpx.Client, player: Player, episodes: list[Episode], engine: Engine
    ) -> None:
        player.episode(episodes[1], 950)
        player.episode(episodes[2], 100)
        body = {"episode_ids": [each.id for each in reversed(episodes)]}
        with statements(engine) as sent:
            answer = client.post(self.URL, json=body)
        assert answer.json() == {"requested": 6, "changed": 5}
        assert len([each for each in sent if "watches" in each or "episodes" in each]) == 2
        assert client.post(self.URL, json=body).json() == {"requested": 6, "changed": 0}
        assert set(session.scalars(select(Watch.watch_count))) == {1}
        assert len(set(session.scalars(select(Watch.tvshow_id)))) == 1

    def test_marks_none_where_one_is_unknown(
        self, client: httpx.Client, episodes: list[Episode]
    ) -> None:
        answer = client.post(self.URL, json={"episode_ids": [episodes[1].id, UNKNOWN]})
        assert refused(answer) == (404, "EPISODE_NOT_FOUND")
        assert session.scalars(select(Watch)).all() == []

    @pytest.mark.parametrize("ids", [[], [1, 1], [0], list(range(1, 502)), ["1"]])
    def test_refuses_nonsense(self, client: httpx.Client, ids: list[Any]) -> None:
        assert refused(client.post(self.URL, json={"episode_ids": ids})) == (
            400,
            "VALIDATION_ERROR",
        )
