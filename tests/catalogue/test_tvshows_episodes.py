"""openapi/catalogue/tvshows.yaml: seasons, episodes and their files."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, delete, insert, text

from marquee import clock, db
from marquee.catalogue.files.models import MediaFile
from marquee.catalogue.tvshows.models import Episode, Season, TVShow
from marquee.identity.users.models import User
from tests.answers import refused
from tests.catalogue.series import make_episodes
from tests.queries import statements

Make = Callable[..., Any]
NOWHERE = 9_007_199_254_740_991


@pytest.fixture
def show(make: Make) -> TVShow:
    """A series."""
    made: TVShow = make(TVShow, title="Breaking Bad", poster_path="/poster.jpg")
    return made


@pytest.fixture
def episodes(make: Make, show: TVShow) -> list[Episode]:
    """Its episodes: three of season 2, two of season 1, a special, and another series' one."""
    make_episodes(make, make(TVShow, title="Another"), s1=1)
    return make_episodes(make, show, s2=3, s1=2, s0=1, s3=0)


def numbers(answer: httpx.Response) -> list[tuple[int, int]]:
    assert answer.status_code == 200, answer.text
    return [(it["season_number"], it["episode_number"]) for it in answer.json()["results"]]


class TestListTvshowSeasons:
    def test_lists_them_in_their_order(
        self, client: httpx.Client, show: TVShow, episodes: list[Episode]
    ) -> None:
        seasons = client.get(f"/tvshows/{show.id}/seasons").json()["seasons"]
        assert [each["season_number"] for each in seasons] == [0, 1, 2, 3]
        assert {each["tvshow_id"] for each in seasons} == {show.id}
        assert seasons == client.get(f"/tvshows/{show.id}").json()["seasons"]

    def test_refusals(self, client: httpx.Client, anonymous: httpx.Client) -> None:
        answer = client.get(f"/tvshows/{NOWHERE}/seasons")
        assert refused(answer) == (404, "TV_SHOW_NOT_FOUND")
        assert refused(anonymous.get("/tvshows/1/seasons")) == (401, "INVALID_TOKEN")


class TestListTvshowEpisodes:
    def test_lists_all_in_their_order_beside_the_seasons(
        self, client: httpx.Client, show: TVShow, episodes: list[Episode]
    ) -> None:
        answer = client.get(f"/tvshows/{show.id}/episodes", params={"page_size": 4})
        assert numbers(answer) == [(0, 1), (1, 1), (1, 2), (2, 1)]
        page = answer.json()
        assert (page["total_results"], page["total_pages"]) == (6, 2)
        assert (page["season_count"], page["total_episodes"]) == (4, 6)
        counted = [(each["season_number"], each["episode_count"]) for each in page["seasons"]]
        assert counted == [(0, 1), (1, 2), (2, 3), (3, 0)]
        second = client.get(f"/tvshows/{show.id}/episodes", params={"page_size": 4, "page": 2})
        assert numbers(second) == [(2, 2), (2, 3)]

    def test_of_one_season(
        self, client: httpx.Client, show: TVShow, episodes: list[Episode]
    ) -> None:
        for season, found in ((0, [(0, 1)]), (1, [(1, 1), (1, 2)]), (9, [])):
            answer = client.get(f"/tvshows/{show.id}/episodes", params={"season_number": season})
            assert numbers(answer) == found
            page = answer.json()
            assert (page["total_results"], page["total_episodes"]) == (len(found), 6)

    def test_a_series_of_10000_episodes(
        self, client: httpx.Client, engine: Engine, show: TVShow, make: Make
    ) -> None:
        """Although the planner takes their table for an empty one, as it may after an import."""
        season = make(Season, tvshow_id=show.id)
        row = {"tvshow_id": show.id, "season_id": season.id, "season_number": 1, "title": "It"}
        rows = [row | {"episode_number": number} for number in range(1, 10_001)]
        db.session.execute(insert(Episode), rows[:500])
        db.session.execute(delete(Episode))
        db.session.execute(text("analyze episodes"))
        db.session.execute(insert(Episode), rows)
        db.session.commit()
        with statements(engine) as sent:
            page = client.get(f"/tvshows/{show.id}/episodes?page=100&page_size=100").json()
        assert (page["total_episodes"], page["results"][-1]["episode_number"]) == (10_000, 10_000)
        assert len(sent) <= 5
        last = client.get(f"/tvshows/seasons/{season.id}/episodes?page=500").json()
        assert last["results"][-1]["episode_number"] == 10_000

    def test_refusals(self, client: httpx.Client, anonymous: httpx.Client, show: TVShow) -> None:
        path = f"/tvshows/{show.id}/episodes"
        for query in ("season_number=-1", "season_number=32768", "page=501", "sort=title"):
            assert refused(client.get(f"{path}?{query}")) == (400, "VALIDATION_ERROR")
        answer = client.get(f"/tvshows/{NOWHERE}/episodes")
        assert refused(answer) == (404, "TV_SHOW_NOT_FOUND")
        assert refused(anonymous.get(path)) == (401, "INVALID_TOKEN")

    def test_old_address_leads_here(self, client: httpx.Client, show: TVShow) -> None:
        answer = client.get(f"/series/{show.id}/episodes?page=2")
        target = f"/api/v1/tvshows/{show.id}/episodes?page=2"
        assert (answer.status_code, answer.headers["location"]) == (308, target)


class TestGetSeason:
    def test_shows_it(self, client: httpx.Client, make: Make, show: TVShow) -> None:
        it = {"season_number": 2, "name": "Two", "episode_count": 13, "air_date": date(2009, 3, 8)}
        season = make(Season, tvshow_id=show.id, tmdb_id=3573, vote_average=8.3, **it)
        assert client.get(f"/tvshows/seasons/{season.id}").json() == {
            **it,
            "air_date": "2009-03-08",
            "id": season.id,
            "tvshow_id": show.id,
            "tmdb_id": 3573,
            "vote_average": 8.3,
            "overview": None,
            "poster_path": None,
        }

    def test_refusals(self, client: httpx.Client, anonymous: httpx.Client) -> None:
        answer = client.get(f"/tvshows/seasons/{NOWHERE}")
        assert refused(answer) == (404, "SEASON_NOT_FOUND")
        assert refused(client.get("/tvshows/seasons/x")) == (400, "VALIDATION_ERROR")
        assert refused(anonymous.get("/tvshows/seasons/1")) == (401, "INVALID_TOKEN")


class TestListSeasonEpisodes:
    def test_lists_them_in_their_order(self, client: httpx.Client, episodes: list[Episode]) -> None:
        path = f"/tvshows/seasons/{episodes[0].season_id}/episodes"
        assert numbers(client.get(path)) == [(2, 1), (2, 2), (2, 3)]
        page = client.get(path, params={"page": 2, "page_size": 2})
        assert (numbers(page), page.json()["total_results"]) == ([(2, 3)], 3)

    def test_refusals(self, client: httpx.Client, anonymous: httpx.Client) -> None:
        path = f"/tvshows/seasons/{NOWHERE}/episodes"
        assert refused(client.get(path)) == (404, "SEASON_NOT_FOUND")
        assert refused(client.get(f"{path}?page=501")) == (404, "SEASON_NOT_FOUND")
        assert refused(anonymous.get(path)) == (401, "INVALID_TOKEN")


class TestGetEpisode:
    def test_shows_it(self, client: httpx.Client, make: Make, show: TVShow) -> None:
        season = make(Season, tvshow_id=show.id, season_number=1)
        known = {"tmdb_id": 62085, "imdb_id": "tt0959621", "title": "Pilot", "runtime_minutes": 58}
        episode = make(Episode, season_id=season.id, episode_number=1, **known)
        shown = client.get(f"/tvshows/episodes/{episode.id}").json()
        assert {name: shown[name] for name in known} == known
        assert (shown["tvshow_id"], shown["season_id"]) == (show.id, season.id)
        assert (shown["season_number"], shown["vote_count"], shown["air_date"]) == (1, 0, None)

    def test_refusals(
        self,
        client: httpx.Client,
        anonymous: httpx.Client,
        client_of: Callable[..., httpx.Client],
        make: Make,
    ) -> None:
        path = f"/tvshows/episodes/{NOWHERE}"
        assert refused(client.get(path)) == (404, "EPISODE_NOT_FOUND")
        assert refused(client.get("/tvshows/episodes/0")) == (400, "VALIDATION_ERROR")
        assert refused(anonymous.get(path)) == (401, "INVALID_TOKEN")
        nobody = client_of(make(User))
        assert refused(nobody.get(path)) == (403, "INSUFFICIENT_PERMISSIONS")


@pytest.fixture
def airing(make: Make, show: TVShow) -> None:
    """Episodes that air on these days, by the days from today; and one without a day."""
    season = make(Season, tvshow_id=show.id)
    today = clock.now().date()
    days = [0, -1, 1, -14, 14, -15, 15, -90, 90, -91, 91, 0]
    for number, day in enumerate(days):
        it = {"title": str(day), "air_date": today + timedelta(days=day)}
        make(Episode, season_id=season.id, episode_number=number, **it)
    make(Episode, season_id=season.id, episode_number=len(days), title="unknown")


def aired(client: httpx.Client, path: str, **query: int) -> list[str]:
    answer = client.get(path, params=query)
    assert answer.status_code == 200, answer.text
    return [each["title"] for each in answer.json()["results"]]


class TestListRecentEpisodes:
    PATH = "/tvshows/episodes/recent"

    def test_the_newest_come_first(self, client: httpx.Client, airing: None) -> None:
        assert aired(client, self.PATH) == ["0", "0", "-1", "-14"]
        assert aired(client, self.PATH, days=1) == ["0", "0", "-1"]
        assert aired(client, self.PATH, days=90) == ["0", "0", "-1", "-14", "-15", "-90"]
        assert aired(client, self.PATH, days=90, page=2, page_size=4) == ["-15", "-90"]

    def test_tells_the_series(self, client: httpx.Client, airing: None, show: TVShow) -> None:
        first = client.get(self.PATH).json()["results"][0]
        assert (first["tvshow_id"], first["tvshow_title"]) == (show.id, "Breaking Bad")
        assert first["tvshow_poster_path"] == "/poster.jpg"
        assert first["poster_url"] == "/api/v1/images/poster/w342/poster.jpg"

    def test_costs_the_same_whatever_its_length(
        self, client: httpx.Client, engine: Engine, airing: None
    ) -> None:
        client.get(self.PATH)
        with statements(engine) as few:
            client.get(self.PATH, params={"page_size": 1})
        with statements(engine) as many:
            client.get(self.PATH, params={"days": 90})
        assert len(many) == len(few) <= 3

    def test_refusals(self, client: httpx.Client, anonymous: httpx.Client) -> None:
        for query in ("days=0", "days=91", "page=501"):
            assert refused(client.get(f"{self.PATH}?{query}")) == (400, "VALIDATION_ERROR")
        assert refused(anonymous.get(self.PATH)) == (401, "INVALID_TOKEN")


class TestListUpcomingEpisodes:
    PATH = "/tvshows/episodes/upcoming"

    def test_the_soonest_come_first(self, client: httpx.Client, airing: None) -> None:
        assert aired(client, self.PATH) == ["0", "0", "1", "14"]
        assert aired(client, self.PATH, days=1) == ["0", "0", "1"]
        assert aired(client, self.PATH, days=90) == ["0", "0", "1", "14", "15", "90"]

    def test_refusals(
        self,
        client: httpx.Client,
        client_of: Callable[..., httpx.Client],
        make: Make,
    ) -> None:
        for query in ("days=0", "days=91", "sort=title"):
            assert refused(client.get(f"{self.PATH}?{query}")) == (400, "VALIDATION_ERROR")
        nobody = client_of(make(User))
        assert refused(nobody.get(self.PATH)) == (403, "INSUFFICIENT_PERMISSIONS")


class TestListEpisodeFiles:
    @pytest.fixture
    def path(self, make: Make, episodes: list[Episode]) -> str:
        """Where the files of an episode are listed: two, and another episode's is none of them."""
        for number, episode in enumerate((episodes[0], episodes[1], episodes[0])):
            name = f"{number}.mkv"
            it = {"file_path": f"/media/{name}", "file_name": name, "file_size_bytes": 2**33}
            make(MediaFile, episode_id=episode.id, sonarr_file_id=number, **it)
        return f"/tvshows/episodes/{episodes[0].id}/files"

    def test_lists_them_without_their_place(self, client: httpx.Client, path: str) -> None:
        files = client.get(path).json()["files"]
        assert [each["file_name"] for each in files] == ["0.mkv", "2.mkv"]
        assert [each["file_path"] for each in files] == [None, None]
        assert (files[0]["movie_id"], files[0]["file_size_bytes"]) == (None, 2**33)
        assert (files[0]["radarr_file_id"], files[0]["sonarr_file_id"]) == (None, 0)

    def test_administrators_see_where_they_lie(self, admin: httpx.Client, path: str) -> None:
        files = admin.get(path).json()["files"]
        assert [each["file_path"] for each in files] == ["/media/0.mkv", "/media/2.mkv"]

    def test_refusals(self, client: httpx.Client, anonymous: httpx.Client) -> None:
        path = f"/tvshows/episodes/{NOWHERE}/files"
        assert refused(client.get(path)) == (404, "EPISODE_NOT_FOUND")
        assert refused(anonymous.get(path)) == (401, "INVALID_TOKEN")
