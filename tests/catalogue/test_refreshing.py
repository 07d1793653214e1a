"""The job that brings titles up to date from TMDB."""

import threading
import time
from typing import Any

import pytest
from sqlalchemy import Engine, func, select

from marquee import clock, settings
from marquee.catalogue.metadata import refreshing
from marquee.catalogue.people.models import Credit
from marquee.catalogue.tvshows.models import Episode
from marquee.errors import NotConfigured, TimedOut, Unavailable
from marquee.progress import Cancelled, Progress
from tests.catalogue.tmdb import LONG_AGO, show
from tests.committed import Committed
from tests.fakes.tmdb import FakeTmdb
from tests.queries import statements


class TestJob:
    def test_finds_a_film_by_its_imdb_id(self, tmdb: FakeTmdb, real: Committed) -> None:
        film = real.movie("Fight club", imdb_id="tt0137523")
        done = refreshing.refresh(Progress(), movie_id=film.id)
        assert done == {"refreshed": 1, "unknown": 0}
        real.session.refresh(film)
        assert (film.tmdb_id, film.title, film.runtime_minutes) == (550, "Fight Club", 139)
        people = select(func.count()).where(Credit.movie_id == film.id)
        assert real.session.scalar(people) == 10

    @pytest.mark.parametrize(
        "title,year,tmdb_id",
        [
            ("The Matrix", 1999, 603),
            ("The Matrix", None, None),
            ("The Matrix", 2003, None),
            ("Matrix", 1999, None),
        ],
    )
    def test_finds_one_by_title_and_year_if_there_is_one(
        self,
        tmdb: FakeTmdb,
        real: Committed,
        title: str,
        year: int | None,
        tmdb_id: int | None,
    ) -> None:
        film = real.movie(title, year=year)
        done = refreshing.refresh(Progress(), movie_id=film.id)
        assert done["refreshed"] == (tmdb_id is not None)
        real.session.refresh(film)
        assert film.tmdb_id == tmdb_id

    def test_takes_no_id_that_another_film_has(self, tmdb: FakeTmdb, real: Committed) -> None:
        real.movie("The other one", tmdb_id=603)
        film, progress = real.movie("The Matrix", year=1999), Progress()
        assert refreshing.refresh(progress, movie_id=film.id)["unknown"] == 1
        (line,) = progress.shown()["logs"]
        assert line["message"] == "Another title has its TMDB id."

    def test_brings_all_episodes(self, tmdb: FakeTmdb, real: Committed) -> None:
        ours = show(real, "Dark", imdb_id="tt5753856")
        refreshing.refresh(Progress(), tvshow_id=ours.id)
        episodes = select(func.count()).where(Episode.tvshow_id == ours.id)
        assert real.session.scalar(episodes) == 26
        real.session.refresh(ours)
        assert (ours.total_seasons, ours.total_episodes) == (3, 26)

    def test_without_arguments_does_the_oldest(self, tmdb: FakeTmdb, real: Committed) -> None:
        old = real.movie("Old", tmdb_id=550, metadata_updated_at=LONG_AGO)
        gone = real.movie("Gone", tmdb_id=9, metadata_updated_at=LONG_AGO)
        new = real.movie("New", tmdb_id=603, metadata_updated_at=clock.now())
        alone = real.movie("The Godfather", year=1972)
        series = show(real, "Chernobyl", tmdb_id=87108)
        done = refreshing.refresh(Progress())
        assert done == {"refreshed": 2, "unknown": 1}
        for title in (old, gone, new, alone, series):
            real.session.refresh(title)
        assert [title.title for title in (old, gone, new, alone)] == [
            "Fight Club",
            "Gone",
            "New",
            "The Godfather",
        ]
        assert (alone.tmdb_id, series.networks) == (None, ["HBO"])
        assert refreshing.refresh(Progress()) == {"refreshed": 0, "unknown": 0}

    def test_leaves_what_tmdb_does_not_know(self, tmdb: FakeTmdb, real: Committed) -> None:
        film = real.movie(
            "The Untitled Sequel",
            tmdb_id=1999999,
            overview="Ours.",
            keywords=["ours"],
            vote_count=12,
            images=[{"image_type": "poster", "path": "/ours.jpg"}],
        )
        refreshing.refresh(Progress(), movie_id=film.id)
        real.session.refresh(film)
        assert (film.overview, film.keywords, film.vote_count) == ("Ours.", ["ours"], 12)
        assert film.images == [{"image_type": "poster", "path": "/ours.jpg"}]

    @pytest.mark.parametrize(
        "fault,error",
        [({"kind": "broken_json"}, Unavailable), ({"kind": "slow", "seconds": 5}, TimedOut)],
        ids=["broken", "slow"],
    )
    def test_waits_for_tmdb(
        self,
        tmdb: FakeTmdb,
        real: Committed,
        fault: Any,
        error: type[Exception],
    ) -> None:
        film = real.movie("Fight Club", tmdb_id=550)
        tmdb.breaks(**fault)
        with pytest.raises(error):
            refreshing.refresh(Progress(), movie_id=film.id)

    def test_stops_when_it_is_cancelled(self, tmdb: FakeTmdb, real: Committed) -> None:
        progress = Progress()
        progress.cancel()
        with pytest.raises(Cancelled):
            refreshing.refresh(progress)
        assert tmdb.seen == []

    def test_stops_within_a_second_while_tmdb_is_slow(
        self, tmdb: FakeTmdb, real: Committed, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("TMDB_TIMEOUT", "20")
        settings.current.cache_clear()
        film = real.movie("Fight Club", tmdb_id=550)
        tmdb.breaks("slow", seconds=5)
        progress = Progress()
        timer = threading.Timer(0.2, progress.cancel)
        timer.start()
        started = time.monotonic()
        with pytest.raises(Cancelled):
            refreshing.refresh(progress, movie_id=film.id)
        assert time.monotonic() - started < 0.2 + 1
        timer.join()

    def test_takes_as_many_statements_for_many_people(
        self, tmdb: FakeTmdb, real: Committed, engine: Engine
    ) -> None:
        counts = []
        for tmdb_id in (550, 807):
            film = real.movie("A film", tmdb_id=tmdb_id)
            with statements(engine) as sent:
                refreshing.refresh(Progress(), movie_id=film.id)
            counts.append(len(sent))
        assert len(set(counts)) == 1
        assert counts[0] <= 12

    def test_does_nothing_without_a_key(self) -> None:
        assert refreshing.refresh(Progress()) == {"refreshed": 0, "unknown": 0}

    def test_fails_without_a_key_for_one_title(self) -> None:
        for title in ({"movie_id": 1}, {"tvshow_id": 1}):
            with pytest.raises(NotConfigured):
                refreshing.refresh(Progress(), **title)
