"""openapi/taste/channels.yaml: channels as playlists of a media server."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest

from marquee import clock, db
from marquee.catalogue.movies.models import Movie
from marquee.errors import Unavailable
from marquee.identity.users.models import User
from marquee.job_runs import JobRun
from marquee.progress import Cancelled, Progress
from marquee.taste.channels import tasks
from marquee.taste.channels.models import Channel, ChannelItem
from tests.answers import refused
from tests.fakes.jellyfin import FakeJellyfin
from tests.media_servers import CASEY, leave

Make = Callable[..., Any]


@pytest.fixture
def channel(make: Make, member: User) -> Channel:
    """A channel of the member with three films."""
    made = make(Channel, owner_id=member.id, name="Sea", last_generated_at=clock.now())
    films: tuple[tuple[str, dict[str, Any]], ...] = (
        ("Jaws", {"imdb_id": "tt0073195"}),
        ("Orca", {"tmdb_id": 9916}),
        ("Piranha", {}),
    )
    for place, (title, ids) in enumerate(films, 1):
        film = make(Movie, title=title, **ids)
        make(ChannelItem, channel_id=made.id, movie_id=film.id, position=place, score=0.5)
    kept: Channel = made
    return kept


@pytest.fixture
def shelved(media_server: FakeJellyfin) -> None:
    """Two of them there, and another."""
    add = media_server.shelf.add
    add("Movie", "Another", providers={"Tmdb": "1"})
    add("Movie", "Orca", providers={"Tmdb": "9916"})
    add("Movie", "Jaws", providers={"Imdb": "tt0073195", "Tmdb": "578"})


def sync(channel_id: int | None = None) -> tuple[dict[str, int], list[str]]:
    """What the worker does; what it counts, and the films of its lines."""
    leave()
    progress = Progress()
    counted = tasks.sync(progress, channel_id)
    return counted, [line["data"].get("film", "") for line in progress.shown()["logs"]]


def stored(channel_id: int) -> Channel:
    return db.session.get_one(Channel, channel_id, populate_existing=True)


class TestSyncChannel:
    def test_asks_a_worker(
        self, client_of: Callable[..., httpx.Client], member: User, channel: Channel
    ) -> None:
        client, url = client_of(member), f"/channels/{channel.id}/sync"
        answer = client.post(url)
        assert answer.status_code == 202
        run = db.session.get_one(JobRun, answer.json()["job_id"])
        assert (run.job_name, run.arguments) == ("sync-channel", {"channel_id": channel.id})
        assert refused(client.post(url)) == (409, "JOB_RUNNING")

    def test_needs_an_account_and_a_list(
        self,
        client: httpx.Client,
        client_of: Callable[..., httpx.Client],
        make: Make,
        me: User,
        member: User,
    ) -> None:
        of_me = make(Channel, owner_id=me.id, name="x", last_generated_at=clock.now())
        answer = client.post(f"/channels/{of_me.id}/sync")
        assert refused(answer) == (409, "NO_MEDIA_SERVER_ACCOUNT")
        empty = make(Channel, owner_id=member.id, name="x")
        answer = client_of(member).post(f"/channels/{empty.id}/sync")
        assert refused(answer) == (409, "CHANNEL_NOT_GENERATED")
        assert refused(client.post("/channels/9007199254740991/sync")) == (404, "CHANNEL_NOT_FOUND")

    def test_needs_a_media_server(self, client: httpx.Client, make: Make, me: User) -> None:
        channel = make(Channel, owner_id=me.id, name="x", last_generated_at=clock.now())
        answer = client.post(f"/channels/{channel.id}/sync")
        assert refused(answer) == (503, "NOT_CONFIGURED")


class TestTheJob:
    def test_writes_a_playlist(
        self, media_server: FakeJellyfin, shelved: None, channel: Channel
    ) -> None:
        id_ = channel.id
        counted, lacking = sync(id_)
        assert counted == {"channels": 1, "films": 2, "lacking": 1}
        assert lacking == ["Piranha"]
        (playlist,) = media_server.shelf.playlists.values()
        assert (playlist.name, playlist.owner) == ("Sea", CASEY.id)
        assert playlist.titles == ["Jaws", "Orca"]
        kept = stored(id_)
        assert kept.playlist_id == playlist.id
        assert kept.last_synced_at is not None

    def test_fills_it_anew(
        self, media_server: FakeJellyfin, shelved: None, channel: Channel, make: Make
    ) -> None:
        id_ = channel.id
        sync(id_)
        first = stored(id_).playlist_id
        another = make(Movie, title="Another", tmdb_id=1)
        make(ChannelItem, channel_id=id_, movie_id=another.id, position=0, score=0.5)
        sync(id_)
        (playlist,) = media_server.shelf.playlists.values()
        assert (playlist.id, playlist.titles) == (first, ["Another", "Jaws", "Orca"])

    def test_makes_one_that_is_gone_again(
        self, media_server: FakeJellyfin, shelved: None, channel: Channel
    ) -> None:
        id_ = channel.id
        sync(id_)
        media_server.shelf.playlists.clear()
        sync(id_)
        (playlist,) = media_server.shelf.playlists.values()
        assert (stored(id_).playlist_id, playlist.titles) == (playlist.id, ["Jaws", "Orca"])

    def test_goes_on_after_a_fault(
        self, media_server: FakeJellyfin, shelved: None, channel: Channel
    ) -> None:
        id_ = channel.id
        sync(id_)
        media_server.breaks("reset")
        with pytest.raises(Unavailable):
            sync(id_)
        media_server.heals()
        sync(id_)
        (playlist,) = media_server.shelf.playlists.values()
        assert playlist.titles == ["Jaws", "Orca"]

    def test_of_all_that_have_changed(
        self, media_server: FakeJellyfin, shelved: None, channel: Channel
    ) -> None:
        id_ = channel.id
        assert sync()[0]["channels"] == 0  # nobody has asked for a playlist
        sync(id_)
        assert sync()[0]["channels"] == 0
        stored(id_).last_generated_at = clock.now() + timedelta(minutes=1)
        assert sync()[0]["channels"] == 1
        stored(id_).is_active = False
        assert sync()[0]["channels"] == 0

    @pytest.mark.parametrize("gone", ["channel", "account", "user", "settings"])
    def test_where_something_is_gone(
        self,
        media_server: FakeJellyfin,
        channel: Channel,
        member: User,
        set_variables: Callable[..., None],
        gone: str,
    ) -> None:
        id_ = channel.id
        if gone == "channel":
            db.session.delete(channel)
        elif gone == "account":
            media_server.people.clear()
        elif gone == "user":
            member.provider = "local"
        else:
            set_variables(MEDIA_SERVER_API_KEY=None)
        assert sync(id_)[0] == {"channels": 0, "films": 0, "lacking": 0}
        assert media_server.shelf.playlists == {}

    def test_stops_when_it_is_cancelled(
        self, media_server: FakeJellyfin, shelved: None, channel: Channel
    ) -> None:
        id_, progress = channel.id, Progress()
        leave()
        progress.cancel()
        with pytest.raises(Cancelled):
            tasks.sync(progress, id_)
        assert media_server.shelf.playlists == {}
