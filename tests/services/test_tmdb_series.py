"""src/marquee/services/tmdb: series, seasons, episodes, people, and what details bring along."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from marquee.errors import Invalid, Unavailable
from marquee.services.tmdb import Tmdb
from tests.fakes.tmdb import KEY, FakeTmdb
from tests.services.conftest import Clock, Lines


@pytest.fixture
def fake() -> Iterator[FakeTmdb]:
    with FakeTmdb() as fake:
        yield fake


@pytest.fixture
def tmdb(fake: FakeTmdb, clock: Clock, lines: Lines) -> Tmdb:
    return Tmdb(KEY, fake.url, timing=clock.timing, log=lines.log)


class Altered(FakeTmdb):
    """TMDB with other values in its documents."""

    def __init__(self, **values: Any) -> None:
        super().__init__()
        self.values = values

    def answer(self, asked: Any) -> Any:
        reply = super().answer(asked)
        reply.value.update(self.values)
        return reply


class TestSearchTvshows:
    def test_finds_by_words_and_year(self, tmdb: Tmdb, fake: FakeTmdb) -> None:
        page = tmdb.search_tvshows("the", year=2022)
        assert [show["title"] for show in page["results"]] == ["House of the Dragon"]
        assert page["results"][0]["first_air_date"] == date(2022, 8, 21)
        assert fake.seen[0].query["first_air_date_year"] == "2022"

    def test_for_nothing_is_refused(self, tmdb: Tmdb) -> None:
        with pytest.raises(Invalid):
            tmdb.search_tvshows(" ")


class TestTvshow:
    def test_has_all_that_we_use(self, tmdb: Tmdb) -> None:
        show = tmdb.tvshow(1396)
        assert show is not None
        assert (show["title"], show["imdb_id"], show["tvdb_id"]) == (
            "Breaking Bad",
            "tt0903747",
            81189,
        )
        assert (show["status"], show["show_type"], show["in_production"]) == (
            "Ended",
            "Scripted",
            False,
        )
        assert show["certifications"] == {"DE": "16", "US": "TV-MA"}
        assert [network["name"] for network in show["networks"]] == ["AMC"]
        assert show["keywords"] == ["cancer", "high school teacher"]
        assert [(each["name"], each["job"]) for each in show["crew"]] == [
            ("Vince Gilligan", "Creator"),
            ("Vince Gilligan", "Executive Producer"),
        ]
        assert [season["episode_count"] for season in show["seasons"]] == [2, 7, 13, 13, 13, 16]
        assert show["trailer_url"] == "https://www.youtube.com/watch?v=XZ8daibM3AE"

    def test_takes_the_length_of_the_latest_episode(self, tmdb: Tmdb) -> None:
        show = tmdb.tvshow(87108)
        assert show is not None
        assert show["episode_runtime_minutes"] == 62

    @pytest.mark.parametrize("tmdb_id", [9, 0, -1, 2**31])
    def test_may_be_unknown(self, tmdb: Tmdb, tmdb_id: int) -> None:
        assert tmdb.tvshow(tmdb_id) is None

    @pytest.mark.parametrize(
        "values", [{"id": 1399}, {"name": None}, {"networks": "HBO"}, {"content_ratings": []}]
    )
    def test_a_bad_document_is_a_failure(self, lines: Lines, values: Any) -> None:
        with Altered(**values) as altered, pytest.raises(Unavailable):
            Tmdb(KEY, altered.url, log=lines.log).tvshow(1396)


class TestSeason:
    def test_has_its_episodes(self, tmdb: Tmdb) -> None:
        season = tmdb.season(1396, 0)
        assert season is not None
        assert (season["name"], season["episode_count"]) == ("Specials", 2)
        assert [each["episode_number"] for each in season["episodes"]] == [1, 2]

    def test_may_be_unknown(self, tmdb: Tmdb) -> None:
        assert tmdb.season(1396, 99) is None
        assert tmdb.season(0, 1) is None

    def test_bad_episodes_are_skipped_and_logged(self, lines: Lines) -> None:
        good = {"id": 1, "season_number": 1, "episode_number": 4, "name": "", "runtime": 10**9}
        episodes = [good, {**good, "id": "1"}, {**good, "crew": {}}, None]
        with Altered(episodes=episodes) as altered:
            season = Tmdb(KEY, altered.url, log=lines.log).season(1396, 1)
        assert season is not None
        (episode,) = season["episodes"]
        assert (episode["title"], episode["runtime_minutes"]) == ("Episode 4", None)
        skipped = [entry["error"] for entry in lines.entries("upstream_item_skipped")]
        assert skipped == [
            "season.episodes[1].id is not an id",
            "season.episodes[2].crew is not an array",
            "season.episodes[3] is not an object",
        ]

    def test_of_another_number_is_a_failure(self, lines: Lines) -> None:
        with Altered(season_number=2) as altered, pytest.raises(Unavailable):
            Tmdb(KEY, altered.url, log=lines.log).season(1396, 1)


class TestEpisode:
    def test_has_crew_and_guests(self, tmdb: Tmdb) -> None:
        episode = tmdb.episode(1396, 1, 1)
        assert episode is not None
        assert (episode["title"], episode["air_date"]) == ("Pilot", date(2008, 1, 20))
        assert [each["name"] for each in episode["guest_stars"]] == ["Steven Michael Quezada"]
        assert [each["job"] for each in episode["crew"]] == ["Director"]

    def test_may_be_unknown(self, tmdb: Tmdb) -> None:
        assert tmdb.episode(1396, 1, 99) is None

    def test_of_another_number_is_a_failure(self, lines: Lines) -> None:
        with Altered(episode_number=2) as altered, pytest.raises(Unavailable):
            Tmdb(KEY, altered.url, log=lines.log).episode(1396, 1, 1)


class TestPartsOfAFilm:
    def test_are_read(self, tmdb: Tmdb) -> None:
        film = tmdb.movie(550)
        assert film is not None
        assert [each["character"] for each in film["cast"]][:2] == ["The Narrator", "Tyler Durden"]
        assert ("Jim Uhls", "Screenplay") in [(each["name"], each["job"]) for each in film["crew"]]
        assert film["keywords"][0] == "based on novel or book"
        assert film["trailer_url"] is None
        assert [each["image_type"] for each in film["images"]] == [
            *("poster", "poster", "backdrop", "logo")
        ]
        assert {(each["country"], each["kind"]) for each in film["watch_providers"]} == {
            *(("DE", "flatrate"), ("US", "flatrate"), ("US", "rent"), ("US", "buy"))
        }
        assert (film["country_names"], film["language_names"]) == (
            ["United States of America"],
            ["English"],
        )
        assert film["external_ids"]["instagram_id"] == "fightclub"

    def test_words_in_other_languages(self, tmdb: Tmdb) -> None:
        film = tmdb.movie(238)
        assert film is not None
        titles = {each["language"]: each["title"] for each in film["translations"]}
        assert (titles["de"], titles["fr"]) == ("Der Pate", "Le Parrain")

    def test_the_official_trailer(self, tmdb: Tmdb) -> None:
        film = tmdb.movie(603)
        assert film is not None
        assert film["trailer_url"] == "https://www.youtube.com/watch?v=vKQi3bBA1y8"

    def test_bad_ones_are_skipped_and_logged(self, lines: Lines) -> None:
        values = {
            "credits": {"cast": [{"id": 0, "name": "Nobody"}], "crew": [{"id": 1, "name": "A"}]},
            "images": {
                "posters": [{"file_path": "/a.jpg", "width": -1}, {"file_path": "http://x"}]
            },
            "watch/providers": {"results": {"US": {"rent": [{"provider_name": "X"}]}, "xx": {}}},
        }
        with Altered(**values) as altered:
            film = Tmdb(KEY, altered.url, log=lines.log).movie(550)
        assert film is not None
        assert (film["cast"], film["crew"], film["images"], film["watch_providers"]) == (
            *([], []),
            *([], []),
        )
        assert len(lines.entries("upstream_item_skipped")) == 4

    @pytest.mark.parametrize("name", ["credits", "images", "watch/providers", "translations"])
    def test_that_are_none_make_a_bad_document(self, lines: Lines, name: str) -> None:
        with Altered(**{name: "?"}) as altered, pytest.raises(Unavailable):
            Tmdb(KEY, altered.url, log=lines.log).movie(550)


class TestRecommended:
    def test_films_and_series(self, tmdb: Tmdb) -> None:
        films, shows = tmdb.recommended_movies(603), tmdb.recommended_tvshows(1399)
        assert films is not None
        assert shows is not None
        assert 603 not in [film["id"] for film in films["results"]]
        assert [show["id"] for show in shows["results"]] == [1396, 94997, 70523, 87108]
        assert tmdb.recommended_movies(9) is None
        with pytest.raises(Invalid):
            tmdb.recommended_tvshows(1399, page=501)


class TestOthers:
    def test_a_collection_has_its_films(self, tmdb: Tmdb) -> None:
        collection = tmdb.collection(119)
        assert collection is not None
        assert [film["id"] for film in collection["parts"]] == [120, 121, 122]
        assert tmdb.collection(1) is None

    def test_a_person_has_titles(self, tmdb: Tmdb) -> None:
        person = tmdb.person(66633)
        assert person is not None
        assert (person["name"], person["imdb_id"]) == ("Vince Gilligan", "nm0319213")
        assert (person["movie_ids"], person["tvshow_ids"]) == ([], [1396])
        assert tmdb.person(1) is None

    def test_an_imdb_id_is_found(self, tmdb: Tmdb, fake: FakeTmdb) -> None:
        assert tmdb.find("tt0137523") == {"movie_id": 550, "tvshow_id": None}
        assert tmdb.find("tt0903747") == {"movie_id": None, "tvshow_id": 1396}
        asked = len(fake.seen)
        assert tmdb.find("../movie/550") == {"movie_id": None, "tvshow_id": None}
        assert len(fake.seen) == asked
