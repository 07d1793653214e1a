"""Watching: what one user changes on several devices at once, in real transactions."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

from marquee import db
from marquee.catalogue.tvshows.models import Episode, Season, TVShow
from tests.committed import Committed, committed
from tests.live import live, own_database

FILMS, EPISODES, DEVICES, CALLS = 20, 100, 8, 96


def make_episodes(rows: Committed) -> tuple[int, list[int]]:
    """A series, and the ids of its episodes."""
    show = rows.make(TVShow, title="The Wire", search_title="the wire", sort_title="wire")
    season = rows.make(
        Season, tvshow_id=show.id, season_number=1, name="Season 1", episode_count=EPISODES
    )
    place = {"tvshow_id": show.id, "season_id": season.id, "season_number": 1}
    made = [
        Episode(**place, episode_number=number, title=f"Episode {number}")
        for number in range(1, EPISODES + 1)
    ]
    rows.session.add_all(made)
    rows.session.commit()
    return show.id, [each.id for each in made]


def test_nobody_waits_for_each_other_for_ever(database_url: str, tmp_path: Path) -> None:
    with own_database(database_url) as url, live(url, tmp_path, workers=2) as server:
        engine = db.engine_for(url)
        with committed(engine) as rows:
            user = rows.user()
            user.can_manage_watch_history = True
            rows.session.commit()
            films = [rows.movie(f"Film {number}").id for number in range(FILMS)]
            show, episodes = make_episodes(rows)
            devices = [rows.client(server.url, user) for _ in range(DEVICES)]

            def remember(number: int, device: httpx.Client) -> httpx.Response:
                half = FILMS // 2
                ids = films if number % 4 else films[::-1]
                said = [{"movie_id": each, "kind": "not_seen"} for each in ids[:half]]
                said += [{"movie_id": each, "kind": "watched"} for each in ids[half:]]
                return device.post("/account/movie-memory", json={"items": said})

            def watch(number: int, device: httpx.Client) -> httpx.Response:
                ids = episodes[number % 7 * 10 :][::-1]
                return device.post("/tvshows/episodes/bulk-watched", json={"episode_ids": ids})

            def unwatch(_number: int, device: httpx.Client) -> httpx.Response:
                return device.delete(f"/users/{user.id}/watch-history/series/{show}")

            def call(number: int) -> int:
                act = (remember, watch, remember, unwatch)[number % 4]
                return act(number, devices[number % DEVICES]).status_code

            with ThreadPoolExecutor(DEVICES) as threads:
                statuses = set(threads.map(call, range(CALLS)))
            rows.session.delete(rows.session.get_one(TVShow, show))
            rows.session.commit()
        engine.dispose()
    assert statuses == {200}
