"""src/marquee/services/tmdb.py against a fake of TMDB."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from marquee.errors import Invalid, TimedOut, Unavailable
from marquee.services.fields import Fields, Malformed
from marquee.services.tmdb import Tmdb
from tests.fakes.faults import HARMS
from tests.fakes.tmdb import KEY, TOKEN, FakeTmdb
from tests.fakes.tmdb_films import FILMS
from tests.services.conftest import Clock, Lines


@pytest.fixture
def fake() -> Iterator[FakeTmdb]:
    with FakeTmdb() as fake:
        yield fake


@pytest.fixture
def tmdb(fake: FakeTmdb, clock: Clock, lines: Lines) -> Tmdb:
    return Tmdb(KEY, fake.url, timing=clock.timing, log=lines.log)


class Altered(FakeTmdb):
    """TMDB with other values in its answers: in each item of a list, and in details."""

    def __init__(self, **values: Any) -> None:
        super().__init__()
        self.values = values

    def answer(self, asked: Any) -> Any:
        reply = super().answer(asked)
        for item in reply.value.get("results", [reply.value]):
            item.update(self.values)
        return reply


class TestPopular:
    def test_lists_twenty_a_page(self, tmdb: Tmdb, lines: Lines) -> None:
        pages = [tmdb.popular(page) for page in (1, 2, 3, 4)]
        assert [len(page["results"]) for page in pages] == [20, 20, 14, 0]
        assert {(page["total_pages"], page["total_results"]) for page in pages} == {(3, 54)}
        assert [page["page"] for page in pages] == [1, 2, 3, 4]
        films = [film for page in pages for film in page["results"]]
        assert {film["id"] for film in films} == set(FILMS)
        assert films == sorted(films, key=lambda film: -film["popularity"])
        assert lines.text == ""

    def test_gives_values_of_our_kinds(self, tmdb: Tmdb) -> None:
        films = {film["id"]: film for page in (1, 2, 3) for film in tmdb.popular(page)["results"]}
        assert films[129] == {
            "id": 129,
            "title": "Spirited Away",
            "original_title": "千と千尋の神隠し",
            "original_language": "ja",
            "overview": FILMS[129].overview,
            "release_date": date(2001, 7, 20),
            "popularity": 92.6,
            "vote_average": 8.53,
            "vote_count": 16480,
            "genre_ids": [16, 10751, 14],
            "poster_path": "/poster129.jpg",
            "backdrop_path": "/backdrop129.jpg",
            "adult": False,
        }
        announced = films[1999999]
        assert (announced["release_date"], announced["poster_path"]) == (None, None)
        assert (announced["overview"], announced["vote_average"]) == ("", 0)

    def test_speaks_other_languages(self, tmdb: Tmdb, fake: FakeTmdb) -> None:
        titles = [film["title"] for film in tmdb.popular(language="de-DE")["results"]]
        assert "Der Pate" in titles
        assert fake.seen[0].query["language"] == "de-DE"

    @pytest.mark.parametrize("page", [0, -1, 501, 2**63])
    def test_asks_for_no_page_that_tmdb_refuses(
        self, tmdb: Tmdb, fake: FakeTmdb, page: int
    ) -> None:
        with pytest.raises(Invalid):
            tmdb.popular(page)
        assert fake.seen == []

    def test_promises_no_page_that_tmdb_refuses(self, clock: Clock, lines: Lines) -> None:
        class Large(FakeTmdb):
            def answer(self, asked: Any) -> Any:
                reply = super().answer(asked)
                reply.value.update(total_pages=48_000, total_results=960_000)
                return reply

        with Large() as large:
            page = Tmdb(KEY, large.url, timing=clock.timing, log=lines.log).popular(500)
        assert (page["total_pages"], page["total_results"]) == (500, 960_000)


class TestMovie:
    def test_has_all_that_we_use(self, tmdb: Tmdb, fake: FakeTmdb) -> None:
        film = tmdb.movie(550)
        assert film is not None
        assert film["title"] == "Fight Club"
        assert film["genre_ids"] == [18]
        assert film["genres"] == [{"id": 18, "name": "Drama"}]
        assert (film["imdb_id"], film["wikidata_id"]) == ("tt0137523", "Q190050")
        assert (film["runtime_minutes"], film["status"]) == (139, "Released")
        assert (film["budget_usd"], film["revenue_usd"]) == (20_000_000, 100_000_000)
        assert [studio["name"] for studio in film["studios"]] == ["Fake Pictures"]
        assert (film["production_countries"], film["spoken_languages"]) == (["US"], ["en"])
        assert film["certifications"] == {"US": "R"}
        assert (film["collection"], film["homepage"], film["tagline"]) == (None, None, "")
        (asked,) = fake.seen
        assert asked.path == "/3/movie/550"
        assert "release_dates,external_ids,credits," in asked.query["append_to_response"]

    def test_knows_its_collection(self, tmdb: Tmdb) -> None:
        film = tmdb.movie(120)
        assert film is not None
        assert film["collection"] == {
            "id": 119,
            "name": "The Lord of the Rings Collection",
            "poster_path": "/poster119.jpg",
            "backdrop_path": "/backdrop119.jpg",
        }

    def test_of_which_little_is_known(self, tmdb: Tmdb) -> None:
        film = tmdb.movie(1999999)
        assert film is not None
        unknown = ["release_date", "runtime_minutes", "imdb_id", "budget_usd", "revenue_usd"]
        assert [film[name] for name in unknown] == [None] * 5  # type: ignore[literal-required]
        assert (film["genres"], film["certifications"]) == ([], {})

    def test_that_tmdb_lacks_is_none(self, tmdb: Tmdb, clock: Clock, lines: Lines) -> None:
        assert tmdb.movie(404_404) is None
        assert (clock.waits, lines.text) == ([], "")

    @pytest.mark.parametrize("tmdb_id", [0, -1, 2**31, 2**63])
    def test_that_cannot_be_is_not_asked_for(
        self, tmdb: Tmdb, fake: FakeTmdb, tmdb_id: int
    ) -> None:
        assert tmdb.movie(tmdb_id) is None
        assert fake.seen == []

    def test_that_is_another_is_a_failure(self, clock: Clock, lines: Lines) -> None:
        with Altered(id=551) as wrong, pytest.raises(Unavailable):
            Tmdb(KEY, wrong.url, timing=clock.timing, log=lines.log).movie(550)
        assert lines.entries()[0]["outcome"] == "malformed"


class TestSearchMovies:
    def test_finds_by_all_words(self, tmdb: Tmdb) -> None:
        titles = [film["title"] for film in tmdb.search_movies("ring lord KING")["results"]]
        assert titles == ["The Lord of the Rings: The Return of the King"]

    def test_finds_accents_and_other_scripts(self, tmdb: Tmdb) -> None:
        for words in ("amelie", "Amélie", "le fabuleux"):
            assert [film["id"] for film in tmdb.search_movies(words)["results"]] == [194]
        assert [film["id"] for film in tmdb.search_movies("となりのトトロ")["results"]] == [8392]

    def test_narrows_by_year(self, tmdb: Tmdb, fake: FakeTmdb) -> None:
        both = tmdb.search_movies("blade runner")
        new = tmdb.search_movies("blade runner", year=2017)
        assert [page["total_results"] for page in (both, new)] == [2, 1]
        assert new["results"][0]["id"] == 335984
        assert "primary_release_year" not in fake.seen[0].query

    def test_pages(self, tmdb: Tmdb) -> None:
        first, second = tmdb.search_movies("e"), tmdb.search_movies("e", page=2)
        assert (first["total_pages"], len(first["results"])) == (3, 20)
        assert (second["page"], len(second["results"])) == (2, 20)
        assert not {f["id"] for f in first["results"]} & {f["id"] for f in second["results"]}

    def test_finds_nothing(self, tmdb: Tmdb) -> None:
        page = tmdb.search_movies("xyzzy & ?#%00")
        assert (page["results"], page["total_pages"]) == ([], 0)

    def test_for_nothing_is_refused(self, tmdb: Tmdb, fake: FakeTmdb) -> None:
        with pytest.raises(Invalid):
            tmdb.search_movies("  ")
        assert fake.seen == []


class TestDiscoverMovies:
    def test_by_filters(self, tmdb: Tmdb) -> None:
        wanted: dict[str, str | int] = {
            "with_genres": "53|9648",
            "without_genres": "27",
            "vote_count.gte": 100,
            "primary_release_date.lte": "2000-12-31",
            "with_runtime.lte": 140,
            "sort_by": "vote_average.desc",
        }
        found = tmdb.discover_movies(wanted)["results"]
        assert found == sorted(found, key=lambda film: -film["vote_average"]) != []
        for film in (FILMS[film["id"]] for film in found):
            assert {53, 9648} & set(film.genres)
            assert 27 not in film.genres
            assert film.released < "2001"
            assert film.minutes <= 140

    def test_only_pages_that_tmdb_shows(self, tmdb: Tmdb) -> None:
        with pytest.raises(Invalid):
            tmdb.discover_movies({}, 501)


class TestKey:
    def test_of_version_3_goes_into_the_query(self, tmdb: Tmdb, fake: FakeTmdb) -> None:
        tmdb.popular()
        assert fake.seen[0].query["api_key"] == KEY
        assert "authorization" not in fake.seen[0].headers

    def test_of_version_4_is_a_bearer(self, fake: FakeTmdb) -> None:
        Tmdb(TOKEN, fake.url).popular()
        assert "api_key" not in fake.seen[0].query
        assert fake.seen[0].headers["authorization"] == f"Bearer {TOKEN}"

    @pytest.mark.parametrize("key", ["feedfacefeedface", "eyJ.not.it"])
    def test_that_is_refused_makes_tmdb_unavailable(
        self, fake: FakeTmdb, lines: Lines, key: str
    ) -> None:
        tmdb = Tmdb(key, fake.url, log=lines.log)
        with pytest.raises(Unavailable):
            tmdb.popular()
        (entry,) = lines.entries()
        assert entry["error"].startswith("The key was refused. 401: ")
        assert "Invalid API key" in entry["error"]
        assert key not in lines.text
        assert len(fake.seen) == 1


class TestFailures:
    @pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
    def test_pass(self, tmdb: Tmdb, fake: FakeTmdb, clock: Clock, status: int) -> None:
        fake.breaks("status", status=status, times=3)
        assert len(tmdb.popular()["results"]) == 20
        waits = [1, 1, 1] if status == 429 else [1, 2, 4]  # TMDB's Retry-After
        assert clock.waits == waits

    @pytest.mark.parametrize("kind", ["reset", "html", "broken_json", "bomb", "wrong_types"])
    def test_that_last_are_refusals(self, tmdb: Tmdb, fake: FakeTmdb, kind: str) -> None:
        fake.breaks(kind)
        with pytest.raises(Unavailable) as refused:
            tmdb.popular()
        assert (refused.value.status, refused.value.code) == (503, "EXTERNAL_API_ERROR")
        assert "tmdb" in refused.value.message

    def test_a_film_of_wrong_types_is_one(self, tmdb: Tmdb, fake: FakeTmdb) -> None:
        fake.breaks("wrong_types")
        with pytest.raises(Unavailable):
            tmdb.movie(550)

    def test_slowness_is_one(self, fake: FakeTmdb, clock: Clock, lines: Lines) -> None:
        fake.breaks("slow", seconds=3)
        with pytest.raises(TimedOut):
            Tmdb(KEY, fake.url, timeout=0.05, timing=clock.timing, log=lines.log).popular()

    def test_a_wrong_base_url_is_one(self, fake: FakeTmdb, lines: Lines) -> None:
        tmdb = Tmdb(KEY, fake.url + "/4", log=lines.log)
        with pytest.raises(Unavailable):
            tmdb.popular()

    def test_tmdb_down_and_up_again(self, tmdb: Tmdb, fake: FakeTmdb, clock: Clock) -> None:
        tmdb.popular()
        fake.stop()
        clock.meanwhile = fake.start
        assert tmdb.movie(550) is not None
        assert clock.waits == [1]


class TestBadValues:
    def test_a_bad_item_is_skipped_and_logged(
        self, tmdb: Tmdb, fake: FakeTmdb, lines: Lines
    ) -> None:
        fake.breaks("bad_items")
        assert len(tmdb.popular()["results"]) == 10
        skipped = lines.entries("upstream_item_skipped")
        assert [entry["upstream"] for entry in skipped] == ["tmdb"] * len(HARMS)
        assert skipped[0]["error"] == "results[1].id is not an id"

    def test_each_film_stands_once(self, clock: Clock, lines: Lines) -> None:
        with Altered(id=550) as repeating:
            tmdb = Tmdb(KEY, repeating.url, timing=clock.timing, log=lines.log)
            assert [film["id"] for film in tmdb.popular()["results"]] == [550]

    @pytest.mark.parametrize(
        "name,given,got",
        [
            ("title", " J\0aws ", "Jaws"),
            ("title", "x" * 10_000, "x" * 500),
            ("overview", None, ""),
            ("overview", "é" * 20_000, "é" * 10_000),
            ("release_date", None, None),
            ("release_date", "", None),
            ("release_date", "2024-02-30", None),
            ("release_date", "20240229", None),
            ("release_date", "2024-02-29", date(2024, 2, 29)),
            ("poster_path", "https://elsewhere.example/x.jpg", None),
            ("poster_path", "/../../etc/passwd", None),
            ("poster_path", "/a.jpg?x=1", None),
            ("original_title", "", "Jaws"),
            ("original_language", "english", None),
            ("popularity", 7, 7.0),
            ("vote_average", None, 0.0),
            ("genre_ids", None, []),
            ("adult", None, False),
        ],
    )
    def test_values_are_cleaned(self, lines: Lines, name: str, given: Any, got: Any) -> None:
        with Altered(**{"title": "Jaws", name: given}) as altered:
            film = Tmdb(KEY, altered.url, log=lines.log).movie(550)
            assert film is not None
            listed = Tmdb(KEY, altered.url, log=lines.log).popular()["results"][0]
        if name != "genre_ids":  # details have `genres`
            assert film[name] == got  # type: ignore[literal-required]
        assert listed[name] == got  # type: ignore[literal-required]

    @pytest.mark.parametrize(
        "name,given,got",
        [
            ("imdb_id", "http://www.imdb.com/title/tt0137523", "tt0137523"),
            ("homepage", "javascript:alert(1)", None),
            ("homepage", "https://example.org/a", "https://example.org/a"),
            ("runtime", 0, None),
            ("budget", None, None),
            ("external_ids", None, None),
            ("release_dates", None, None),
            ("spoken_languages", [{"iso_639_1": ""}, {"iso_639_1": "fr"}], ["fr"]),
        ],
    )
    def test_so_are_those_of_details(self, lines: Lines, name: str, given: Any, got: Any) -> None:
        with Altered(**{name: given}) as altered:
            film = Tmdb(KEY, altered.url, log=lines.log).movie(550)
        assert film is not None
        ours = {"runtime": "runtime_minutes", "budget": "budget_usd", "external_ids": "wikidata_id"}
        if name == "release_dates":
            assert film["certifications"] == {}
        else:
            assert film[ours.get(name, name)] == got  # type: ignore[literal-required]

    @pytest.mark.parametrize(
        "name,given",
        [
            ("title", ""),
            ("title", "\0"),
            ("title", 7),
            ("id", 1.5),
            ("id", 10**30),
            ("vote_average", -0.5),
            ("vote_count", 2**60),
            ("adult", "no"),
            ("genres", {}),
            ("genres", [{"id": 1, "name": ""}]),
            ("belongs_to_collection", "Rings"),
            ("production_companies", [None]),
            ("runtime", "139"),
            ("release_dates", {"results": [{"iso_3166_1": "US", "release_dates": "R"}]}),
        ],
    )
    def test_a_bad_document_is_a_failure(self, lines: Lines, name: str, given: Any) -> None:
        with Altered(**{name: given}) as altered, pytest.raises(Unavailable):
            Tmdb(KEY, altered.url, log=lines.log).movie(550)
        assert lines.entries()[0]["outcome"] == "malformed"

    def test_no_value_is_quoted(self) -> None:
        with pytest.raises(Malformed, match=r"^film\.id is not an id$"):
            Fields({"id": "s3cr3t"}, "film").identifier("id")


class TestStandardError:
    @pytest.mark.parametrize("level", ["INFO", "DEBUG"])
    def test_has_a_failure_as_json_and_no_key(self, fake: FakeTmdb, level: str) -> None:
        """As the server logs it, in a process that is set up as the server's are."""
        program = (
            "import logging\n"
            "from marquee.services.tmdb import Tmdb\n"
            "from marquee.web import logs\n"
            f"logs.configure({level!r}); logging.getLogger().setLevel({level!r})\n"
            f"try: Tmdb({KEY!r}, {fake.url!r}).popular()\n"
            "except Exception as error: print(type(error).__name__)\n"
        )
        fake.breaks("html")
        done = subprocess.run(
            [sys.executable, "-c", program],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "PYTHONWARNINGS": "ignore"},
        )
        assert done.stdout.strip() == "Unavailable"
        entries = [json.loads(line) for line in done.stderr.splitlines()]
        (failure,) = [entry for entry in entries if entry["event"] == "upstream_failed"]
        assert (failure["upstream"], failure["attempt"]) == ("tmdb", 1)
        assert "Traceback" in failure["exception"]
        assert KEY not in done.stderr
