"""src/marquee/services/media_server/library.py against fakes of Jellyfin and Emby."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from jellyfin_apiclient_python import JellyfinClient  # type: ignore[import-untyped]

from marquee.errors import NotConfigured, TimedOut, Unavailable
from marquee.services import media_server
from marquee.services.http import UpstreamNotFound
from marquee.services.media_server import Library, library, names
from tests.fakes.exchange import Asked, Reply
from tests.fakes.jellyfin import API_KEY, FakeJellyfin, Person
from tests.services.conftest import Clock, Lines, outcomes

CASEY, ROBIN = Person("casey", ""), Person("robin", "")


@pytest.fixture(params=["jellyfin", "emby"])
def fake(request: pytest.FixtureRequest) -> Iterator[FakeJellyfin]:
    """A server of each kind, with two films and a series."""
    with FakeJellyfin(CASEY, ROBIN, kind=request.param) as fake:
        add = fake.shelf.add
        add("Movie", "Jaws", providers={"Imdb": "tt0073195", "Tmdb": "578"}, played={CASEY.id})
        add("Movie", "Alien", providers={"Imdb": "alien", "Tmdb": "x"}, begun={CASEY.id})
        series = add("Series", "Lost", providers={"Tvdb": "73739"})
        for season, number in ((1, 1), (1, 2), (2, 1)):
            values = {"season": season, "number": number, "series_id": series.id}
            add("Episode", f"{season}x{number}", played={CASEY.id}, **values)
        yield fake


@pytest.fixture
def of(clock: Clock, lines: Lines) -> Callable[..., Library]:
    """The adapter of a fake."""

    def of(fake: FakeJellyfin, key: str = API_KEY, **options: Any) -> Library:
        timed = {"timing": clock.timing, "log": lines.log}
        return Library(fake.url, fake.kind, key, **{**timed, **options})

    return of


Of = Callable[..., Library]


def asked(fake: FakeJellyfin) -> list[str]:
    return [f"{each.method} {each.path}" for each in fake.seen]


class TestItems:
    def test_names_what_there_is(self, of: Of, fake: FakeJellyfin, lines: Lines) -> None:
        alien, jaws = of(fake).items(CASEY.id, "Movie")
        assert jaws.names == names(imdb_id="tt0073195", tmdb_id=578)
        assert (alien.names, alien.is_touched, jaws.is_touched) == (frozenset(), True, True)
        assert [each.is_touched for each in of(fake).items(ROBIN.id, "Movie")] == [False, False]
        (lost,) = of(fake).items(CASEY.id, "Series")
        assert (lost.names, lines.text) == (names(tvdb_id=73739), "")

    def test_what_is_watched(self, of: Of, fake: FakeJellyfin) -> None:
        jaws, alien = fake.shelf.things[:2]
        server = of(fake)
        assert [each.id for each in server.items(CASEY.id, "Movie", "IsPlayed")] == [jaws.id]
        assert [each.id for each in server.items(CASEY.id, "Movie", "IsResumable")] == [alien.id]
        assert list(server.items(ROBIN.id, "Movie", "IsPlayed")) == []

    def test_comes_by_pages_as_wanted(self, of: Of, fake: FakeJellyfin) -> None:
        for number in range(1200):
            fake.shelf.add("Movie", f"Film {number:04}", providers={"Tmdb": str(number + 1)})
        found = of(fake).items(CASEY.id, "Movie")
        assert next(found).names == frozenset()
        assert len(fake.seen) == 1
        assert len(list(found)) == 1201
        assert [each.query["StartIndex"] for each in fake.seen] == ["0", "500", "1000"]

    def test_an_account_that_is_gone(self, of: Of, fake: FakeJellyfin) -> None:
        with pytest.raises(UpstreamNotFound):
            list(of(fake).items("nobody", "Movie"))

    def test_passes_over_what_is_bad(self, of: Of, fake: FakeJellyfin) -> None:
        fake.shelf.things[0].id = "../x"
        (alien,) = of(fake).items(CASEY.id, "Movie")
        assert alien.id == fake.shelf.things[1].id


class TestEpisodes:
    def test_of_a_series_or_a_season(self, of: Of, fake: FakeJellyfin) -> None:
        series = fake.shelf.things[2].id
        found = of(fake).episodes(CASEY.id, series)
        assert [(each.season_number, each.first_number) for each in found] == [
            (1, 1),
            (1, 2),
            (2, 1),
        ]
        (second,) = of(fake).episodes(CASEY.id, series, 2)
        assert (second.first_number, second.last_number, second.is_touched) == (1, 1, True)

    def test_of_what_is_gone(self, of: Of, fake: FakeJellyfin) -> None:
        assert of(fake).episodes(CASEY.id, "none") == []


class TestMarkUnplayed:
    def test_forgets_it_for_one_account(self, of: Of, fake: FakeJellyfin) -> None:
        jaws = fake.shelf.things[0]
        jaws.played.add(ROBIN.id)
        jaws.begun.add(CASEY.id)
        of(fake).mark_unplayed(CASEY.id, jaws.id)
        assert (jaws.played, jaws.begun) == ({ROBIN.id}, set())
        of(fake).mark_unplayed(CASEY.id, "none")


class TestPlaylists:
    def test_are_made_and_filled(self, of: Of, fake: FakeJellyfin, lines: Lines) -> None:
        jaws, alien = fake.shelf.things[:2]
        made = of(fake).create_playlist(CASEY.id, "Sharks", [alien.id, jaws.id])
        playlist = fake.shelf.playlists[made]
        assert (playlist.name, playlist.owner, playlist.media_type) == ("Sharks", CASEY.id, "Video")
        assert playlist.titles == ["Alien", "Jaws"]
        assert of(fake).fill_playlist(CASEY.id, made, [jaws.id, alien.id]) is True
        assert playlist.titles == ["Jaws", "Alien"]
        assert of(fake).fill_playlist(CASEY.id, made, []) is True
        assert (playlist.titles, lines.text) == ([], "")

    def test_of_many_films(self, of: Of, fake: FakeJellyfin) -> None:
        ids = [fake.shelf.add("Movie", f"Film {number}").id for number in range(120)]
        made = of(fake).create_playlist(CASEY.id, "All", ids)
        assert len(fake.shelf.playlists[made].titles) == 120
        of(fake).fill_playlist(CASEY.id, made, list(reversed(ids)))
        assert fake.shelf.playlists[made].titles[0] == "Film 119"

    def test_that_is_gone(self, of: Of, fake: FakeJellyfin) -> None:
        assert of(fake).fill_playlist(CASEY.id, "none", ["x"]) is False

    def test_of_another(self, of: Of, fake: FakeJellyfin) -> None:
        made = of(fake).create_playlist(CASEY.id, "Mine", [])
        with pytest.raises(Unavailable):
            of(fake).fill_playlist(ROBIN.id, made, [])

    def test_is_not_made_twice(self, of: Of, fake: FakeJellyfin, clock: Clock) -> None:
        fake.breaks("status", status=503)
        with pytest.raises(Unavailable):
            of(fake).create_playlist(CASEY.id, "Once", [])
        assert (len(fake.seen), clock.waits) == (1, [])


class TestFailures:
    def test_the_key_is_refused_and_not_told(
        self, of: Of, fake: FakeJellyfin, lines: Lines
    ) -> None:
        with pytest.raises(Unavailable):
            list(of(fake, "another secret key").items(CASEY.id, "Movie"))
        assert outcomes(lines) == ["key_refused"]
        assert "another secret key" not in lines.text

    def test_the_key_is_in_no_log(self, of: Of, fake: FakeJellyfin, lines: Lines) -> None:
        class Echo(FakeJellyfin):
            def answer(self, asked: Asked) -> Reply:
                return Reply(400, str(asked.headers).encode())

        with Echo(CASEY, kind=fake.kind) as echo, pytest.raises(Unavailable):
            of(echo).episodes(CASEY.id, "7")
        assert API_KEY not in lines.text

    @pytest.mark.parametrize("kind", ["broken_json", "huge", "wrong_types"])
    def test_nonsense_is_503(self, of: Of, fake: FakeJellyfin, kind: str) -> None:
        fake.breaks(kind)
        with pytest.raises(Unavailable):
            list(of(fake).items(CASEY.id, "Movie"))

    def test_slowness_is_504(self, of: Of, fake: FakeJellyfin) -> None:
        fake.breaks("slow", seconds=5)
        with pytest.raises(TimedOut):
            of(fake, timeout=0.1).episodes(CASEY.id, "7")


class TestConfigured:
    @pytest.mark.parametrize("missing", ["MEDIA_SERVER_URL", "MEDIA_SERVER_API_KEY"])
    def test_needs_an_address_and_a_key(
        self, set_variables: Callable[..., None], missing: str
    ) -> None:
        good = {"MEDIA_SERVER_URL": "http://127.0.0.1:9", "MEDIA_SERVER_API_KEY": API_KEY}
        set_variables(**good)
        assert library() is media_server.library()
        set_variables(**{**good, missing: None})
        with pytest.raises(NotConfigured, match=missing):
            library()


class TestFake:
    """It is honest: a public client, which nobody here wrote, reads and writes there."""

    def test_serves_a_public_client(self) -> None:
        with FakeJellyfin(CASEY) as fake:
            jaws = fake.shelf.add("Movie", "Jaws", played={CASEY.id})
            client = JellyfinClient()
            client.config.app("Counterpart", "1.0", "A test", "a-device")
            client.config.data["auth.ssl"] = True
            server = {"address": fake.url, "AccessToken": API_KEY, "UserId": CASEY.id}
            client.authenticate({"Servers": [{**server, "Id": "1"}]}, discover=False)
            client.config.data["auth.token"] = API_KEY
            client.config.data["auth.user_id"] = CASEY.id
            client.config.data["auth.server"] = fake.url
            found = client.jellyfin.user_items(
                params={"Recursive": True, "IncludeItemTypes": "Movie"}
            )
            assert [each["Name"] for each in found["Items"]] == ["Jaws"]
            client.jellyfin.item_played(jaws.id, watched=False)
            assert jaws.played == set()
            made = Library(fake.url, "jellyfin", API_KEY).create_playlist(CASEY.id, "P", [jaws.id])
            assert client.jellyfin.get_playlist_items(made)["Items"][0]["Id"] == jaws.id
