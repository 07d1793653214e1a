"""What hangs on a title and is read from TMDB: the same tests for films and for series."""

from typing import Any, ClassVar

import pytest

from marquee.catalogue.movies.models import Movie
from marquee.catalogue.tvshows.models import TVShow
from tests.answers import refused
from tests.catalogue.tmdb import LONG_AGO, Serve, show
from tests.committed import Committed
from tests.fakes.tmdb import FakeTmdb


class OfTitle:
    """Tests of operations that films and series have alike."""

    kind: ClassVar[str]
    """`movies` or `tvshows`."""

    def on_tmdb(self, real: Committed) -> Movie | TVShow:
        """A title that TMDB knows."""
        if self.kind == "movies":
            return real.movie("A film", tmdb_id=550)
        return show(real, "A series", tmdb_id=1396)


class RefreshMetadata(OfTitle):
    """`refresh_movie_metadata` and `refresh_tvshow_metadata`."""

    def test_starts_a_job_once(self, serve: Serve, real: Committed) -> None:
        title = real.movie("Jaws") if self.kind == "movies" else show(real, "Dark", tmdb_id=70523)
        client, path = serve("moderator"), f"/{self.kind}/{title.id}/refresh"
        started = client.post(path, headers={"Idempotency-Key": "once"})
        assert (started.status_code, started.json()["status"]) == (202, "pending")
        again = client.post(path, headers={"Idempotency-Key": "once"})
        assert again.json() == started.json()
        other = client.post(path)
        assert refused(other) == (409, "JOB_RUNNING")
        assert other.json()["error"]["details"] == {"job_id": started.json()["job_id"]}

    def test_needs_a_title_and_a_permission(self, serve: Serve) -> None:
        code = "MOVIE_NOT_FOUND" if self.kind == "movies" else "TV_SHOW_NOT_FOUND"
        assert refused(serve("moderator").post(f"/{self.kind}/999999999/refresh")) == (404, code)
        assert refused(serve("user").post(f"/{self.kind}/1/refresh"))[0] == 403

    def test_needs_a_key(self, admin: Any, make: Any) -> None:
        title = make(Movie if self.kind == "movies" else TVShow, title="Dark")
        answer = admin.post(f"/{self.kind}/{title.id}/refresh")
        assert refused(answer) == (503, "NOT_CONFIGURED")


class Images(OfTitle):
    """`list_movie_images` and `list_tvshow_images`."""

    def test_are_those_of_tmdb(self, serve: Serve, real: Committed, tmdb: FakeTmdb) -> None:
        film = real.movie("Fight club", imdb_id="tt0137523")
        client = serve()
        images = client.get(f"/movies/{film.id}/images").json()["images"]
        assert [each["image_type"] for each in images] == ["poster", "poster", "backdrop", "logo"]
        assert images[0]["url"] == "/api/v1/images/poster/original/movieposter550.jpg"
        asked = len(tmdb.seen)
        only = client.get(f"/movies/{film.id}/images", params={"image_type": "logo"}).json()
        assert [each["image_type"] for each in only["images"]] == ["logo"]
        assert len(tmdb.seen) == asked

    def test_of_a_series(self, serve: Serve, real: Committed) -> None:
        ours = show(real, "Dark", tmdb_id=70523)
        images = serve().get(f"/tvshows/{ours.id}/images").json()["images"]
        assert images[0]["path"] == "/tvposter70523.jpg"

    def test_come_as_they_are_stored_while_tmdb_fails(
        self,
        serve: Serve,
        real: Committed,
        tmdb: FakeTmdb,
    ) -> None:
        film = real.movie("Fight Club", tmdb_id=550, metadata_updated_at=LONG_AGO)
        tmdb.breaks("broken_json")
        answer = serve().get(f"/movies/{film.id}/images")
        assert answer.status_code == 200
        assert int(answer.headers["age"]) >= 40 * 24 * 3600
        assert answer.headers["cache-status"] == "marquee; hit; fwd=stale; fwd-status=503"

    @pytest.mark.parametrize("what", ["images", "external-ids", "watch-providers"])
    def test_come_while_tmdb_is_slow_that_never_told_of_the_title(
        self,
        serve: Serve,
        real: Committed,
        tmdb: FakeTmdb,
        what: str,
    ) -> None:
        title = self.on_tmdb(real)
        title.updated_at = LONG_AGO
        real.session.commit()
        tmdb.breaks("slow", seconds=5)
        answer = serve().get(f"/{self.kind}/{title.id}/{what}")
        assert answer.status_code == 200
        assert int(answer.headers["age"]) >= 40 * 24 * 3600
        assert answer.headers["cache-status"] == "marquee; hit; fwd=stale; fwd-status=504"

    def test_are_drawn_without_a_key(self, client: Any, make: Any) -> None:
        model = Movie if self.kind == "movies" else TVShow
        title = make(model, title="Dark", backdrop_path="/b.jpg")
        images = client.get(f"/{self.kind}/{title.id}/images").json()["images"]
        assert [(each["path"], each["url"]) for each in images] == [
            (None, f"/api/v1/images/poster/original/{self.kind}-{title.id}.webp"),
            ("/b.jpg", "/api/v1/images/backdrop/original/b.jpg"),
        ]

    @pytest.mark.parametrize("what", ["images", "external-ids", "watch-providers"])
    def test_are_those_of_a_title(self, client: Any, what: str) -> None:
        code = "MOVIE_NOT_FOUND" if self.kind == "movies" else "TV_SHOW_NOT_FOUND"
        assert refused(client.get(f"/{self.kind}/999999999/{what}")) == (404, code)


class ExternalIds(OfTitle):
    """`get_movie_external_ids` and `get_tvshow_external_ids`."""

    def test_are_those_that_tmdb_knows(self, serve: Serve, real: Committed) -> None:
        film, ours = real.movie("Fight Club", tmdb_id=550), show(real, "Dark", tmdb_id=70523)
        client = serve()
        assert client.get(f"/movies/{film.id}/external-ids").json() == {
            "tmdb_id": 550,
            "imdb_id": "tt0137523",
            "wikidata_id": "Q190050",
            "facebook_id": "FightClub",
            "instagram_id": "fightclub",
            "twitter_id": None,
        }
        ids = client.get(f"/tvshows/{ours.id}/external-ids").json()
        assert (ids["imdb_id"], ids["tvdb_id"]) == ("tt5753856", 334824)

    def test_of_the_catalogue(self, client: Any, make: Any) -> None:
        film = make(Movie, imdb_id="tt0073195")
        ids = client.get(f"/movies/{film.id}/external-ids").json()
        assert (ids["imdb_id"], ids["tmdb_id"]) == ("tt0073195", None)


class WatchProviders(OfTitle):
    """`list_movie_watch_providers` and `list_tvshow_watch_providers`."""

    def test_are_those_of_a_country(self, serve: Serve, real: Committed) -> None:
        title = self.on_tmdb(real)
        client, path = serve(), f"/{self.kind}/{title.id}/watch-providers"
        everywhere = client.get(path).json()
        assert len(everywhere["watch_providers"]) == 5
        assert "JustWatch" in everywhere["attribution"]
        german = client.get(path, params={"country": "DE"}).json()["watch_providers"]
        assert [(each["kind"], each["name"]) for each in german] == [("flatrate", "Netflix")]

    def test_without_a_key(self, client: Any, make: Any) -> None:
        title = make(Movie if self.kind == "movies" else TVShow, title="Dark")
        shown = client.get(f"/{self.kind}/{title.id}/watch-providers").json()
        assert shown == {"watch_providers": [], "attribution": None}
