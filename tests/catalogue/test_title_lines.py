"""Tests of title_lines.py: what a line may say, in both shapes, and what is refused."""

# ruff: noqa: RUF001 - titles have such characters

from typing import Any

import pytest
from sqlalchemy import Connection, Engine

from marquee.catalogue.importing import Report
from marquee.catalogue.title_lines import MAX_LINE
from tests.catalogue.lines import FILM, SERIES, Row, line, load, names, one, rows


class TestOurShape:
    def test_film(self, connection: Connection) -> None:
        assert load(connection, line(FILM)) == Report(read=1, inserted=1)
        film = one(connection, "movies", "Jaws")
        same = (
            *("imdb_id", "tmdb_id", "original_title", "year", "runtime_minutes", "age_rating"),
            *("genres", "languages", "countries", "overview", "tagline", "vote_average"),
            *("vote_count", "popularity", "attribution"),
        )
        assert {name: film[name] for name in same} == {name: FILM[name] for name in same}
        assert film["release_date"].isoformat() == "1975-06-20"
        assert film["revenue_usd"] == 470_653_000
        assert film["status"] == "released"
        assert (film["search_title"], film["sort_title"]) == ("jaws", "jaws")
        assert film["external_ratings"] == [
            {"source": "metacritic", "value": "87/100", "score": 8.7},
            {"source": "rotten_tomatoes", "value": "97%", "score": 9.7},
        ]
        assert names(connection, "Jaws") == {
            "director": FILM["directors"],
            "writer": FILM["writers"],
            "actor": FILM["cast_members"],
        }

    def test_series(self, connection: Connection) -> None:
        assert load(connection, line(SERIES)) == Report(read=1, inserted=1)
        show = one(connection, "tvshows", "Breaking Bad")
        same = ("imdb_id", "year", "status", "episode_runtime_minutes", "genres", "networks")
        assert {name: show[name] for name in same} == {name: SERIES[name] for name in same}
        assert show["last_air_date"].isoformat() == "2013-09-29"
        assert names(connection, "Breaking Bad") == {
            "creator": SERIES["creators"],
            "actor": SERIES["cast_members"],
        }
        seasons = rows(connection, "SELECT * FROM seasons ORDER BY season_number")
        assert [(s["season_number"], s["name"], s["episode_count"]) for s in seasons] == [
            (0, "Specials", 0),
            (1, "One", 7),
            (2, "Season 2", 13),
        ]
        assert seasons[1]["air_date"].isoformat() == "2008-01-20"
        assert rows(connection, "SELECT * FROM movies") == []

    def test_all_else_that_a_film_may_say(self, connection: Connection) -> None:
        same: Row = {
            "keywords": ["shark", "beach town"],
            "studios": ["Zanuck/Brown", "Universal Pictures"],
            "original_language": "en",
            "homepage": "https://example.org/jaws",
            "trailer_url": "https://example.org/watch?v=1",
            "poster_path": "/lxM6kqilAdpdhqUl2biYp5frUxE.jpg",
            "backdrop_path": "/nYs_3-x.png",
            "awards_summary": "Won 3 Oscars",
        }
        more = {"cinematographers": ["Bill Butler"], "composers": ["John Williams"]}
        assert load(connection, line(FILM, **same, **more, editors=["Verna Fields"])).inserted == 1
        film = one(connection, "movies", "Jaws")
        assert {name: film[name] for name in same} == same
        people = names(connection, "Jaws")
        assert (people["cinematographer"], people["composer"]) == tuple(more.values())
        assert people["editor"] == ["Verna Fields"]
        known = rows(connection, "SELECT name FROM studios ORDER BY name")
        assert [row["name"] for row in known] == sorted(same["studios"])
        assert {row["slug"] for row in rows(connection, "SELECT slug FROM genres")} >= {"thriller"}

    def test_ratings_elsewhere(self, connection: Connection) -> None:
        said = {"rotten_tomatoes_audience": 90, "imdb_rating": 8.1, "letterboxd": 4, "mdblist": 84}
        load(connection, line(FILM, **said))
        film = one(connection, "movies", "Jaws")
        scores = film["external_ratings"]
        assert [(each["source"], each["value"], each["score"]) for each in scores] == [
            ("metacritic", "87/100", 8.7),
            ("rotten_tomatoes", "97%", 9.7),
            ("rotten_tomatoes_audience", "90%", 9),
            ("imdb", "8.1/10", 8.1),
            ("letterboxd", "4/5", 8),
            ("mdblist", "84/100", 8.4),
        ]
        assert (film["rt_score"], film["metacritic_score"]) == (97, 87)

    def test_all_else_that_a_series_may_say(self, connection: Connection) -> None:
        same: Row = {"tvdb_id": 81189, "show_type": "scripted", "air_days": ["Sunday"]}
        episode: Row = {
            "episode_number": 1,
            "title": "Pilot",
            "overview": "A teacher falls ill.",
            "air_date": "2008-01-20",
            "runtime_minutes": 58,
            "imdb_id": "tt0959621",
            "tvdb_id": 349232,
        }
        season = {"season_number": 1, "overview": "The first.", "episodes": [episode]}
        load(connection, line(SERIES, **same, seasons=[season]))
        show = one(connection, "tvshows", "Breaking Bad")
        assert {name: show[name] for name in same} == same
        (kept,) = rows(connection, "SELECT * FROM seasons")
        assert (kept["overview"], kept["episode_count"]) == ("The first.", 1)
        (row,) = rows(connection, "SELECT *, air_date::text FROM episodes")
        assert {name: row[name] for name in episode} == episode
        assert (row["tvshow_id"], row["season_id"], row["season_number"]) == (
            show["id"],
            kept["id"],
            1,
        )
        assert rows(connection, "SELECT name FROM networks") == [{"name": "AMC"}]

    @pytest.mark.parametrize("kind", ["movie", "tvshow"])
    def test_translations(self, connection: Connection, kind: str) -> None:
        said = {
            "de": {"title": "Der weiße Hai", "overview": "Ein Hai.", "tagline": " "},
            "pt-BR": {"title": "Tubarão"},
            "fr": {"title": ""},
        }
        load(connection, line(kind=kind, title="Jaws", translations=said))
        found = rows(connection, "SELECT * FROM translations ORDER BY language")
        assert [(t["language"], t["title"], t["overview"], t["tagline"]) for t in found] == [
            ("de", "Der weiße Hai", "Ein Hai.", None),
            ("pt-BR", "Tubarão", None, None),
        ]

    @pytest.mark.parametrize("kind,table", [("movie", "movies"), ("tvshow", "tvshows")])
    def test_title_alone(self, connection: Connection, kind: str, table: str) -> None:
        assert load(connection, line(kind=kind, title="Only This")).inserted == 1
        row = one(connection, table, "Only This")
        assert row["genres"] == row["languages"] == row["countries"] == []
        assert (row["vote_count"], row["popularity"], row["external_ratings"]) == (0, 0, [])
        assert row["year"] is row["overview"] is row["status"] is None

    def test_nothing_said_in_other_words(self, connection: Connection) -> None:
        said = line(kind="movie", title="Blank", overview=" ", genres=["", " "], runtime_minutes=0)
        assert load(connection, said).inserted == 1
        row = one(connection, "movies", "Blank")
        assert row["overview"] is row["runtime_minutes"] is None
        assert row["genres"] == []

    def test_year_of_the_date(self, connection: Connection) -> None:
        load(connection, line(kind="tvshow", title="Dated", first_air_date="1999-12-31"))
        assert one(connection, "tvshows", "Dated")["year"] == 1999

    def test_backslashes_quotes_and_control_characters(self, connection: Connection) -> None:
        odd = 'C:\\new "\\N" \t {a,b} \\u0041 \x07'
        load(connection, line(kind="movie", title=odd, overview=odd, genres=[odd], directors=[odd]))
        kept = " ".join(odd.split())
        row = one(connection, "movies", kept)
        assert (row["overview"], row["genres"]) == (odd, [kept])
        assert names(connection, kept) == {"director": [kept]}

    @pytest.mark.parametrize(
        "title,words",
        [("Amélie", "amelie"), ("七人の侍", "七人の侍"), ("Ελληνικά", "ελληνικα"), ("😀 Ok", "ok")],
    )
    def test_any_script(self, connection: Connection, title: str, words: str) -> None:
        load(connection, line(kind="movie", title=title, cast_members=["三船 敏郎", "Zoë"]))
        row = one(connection, "movies", title)
        assert row["search_title"] == row["sort_title"] == words
        assert names(connection, title) == {"actor": ["三船 敏郎", "Zoë"]}

    def test_ids_follow_the_file(self, scratch: Engine) -> None:
        with scratch.begin() as connection:
            titles = [f"Film {number}" for number in (3, 1, 2)]
            load(connection, *(line(kind="movie", title=title) for title in titles))
            assert [
                row["title"] for row in rows(connection, "SELECT title FROM movies ORDER BY id")
            ] == titles


class TestLooseShape:
    def test_film(self, connection: Connection) -> None:
        film = {
            "title": "The Example",
            "year": 1940,
            "genres": ["Drama"],
            "cast": ["Ann One", "Ben Two"],
            "overview": "Text.",
            "wikipedia": "The_%22Example%22_(film)",
            "thumbnail": "https://example.org/poster.jpg",
            "imdb_id": "tt0032181",
            "runtime": 110.0,
            "director": "John Cromwell, Robert Downey, Sr.",
            "writer": "Grover Jones, Carl King, III, Robert Downey, Jr.",
            "language": "English, French",
            "country": "Chile, United States",
            "mpaa": "R",
            "metacritic": None,
            "rt_meter": 86,
            "rt_reviews": 7,
        }
        assert load(connection, line(film)).inserted == 1
        row = one(connection, "movies", "The Example")
        assert row["runtime_minutes"] == 110
        assert row["languages"] == ["English", "French"]
        assert row["countries"] == ["Chile", "United States"]
        assert (row["age_rating"], row["sort_title"]) == ("R", "example")
        assert row["external_ratings"] == [
            {"source": "rotten_tomatoes", "value": "86%", "score": 8.6}
        ]
        assert row["attribution"] == (
            "Wikipedia (CC BY-SA 4.0): https://en.wikipedia.org/wiki/The_%22Example%22_(film)"
        )
        assert names(connection, "The Example") == {
            "director": ["John Cromwell", "Robert Downey, Sr."],
            "writer": ["Grover Jones", "Carl King, III", "Robert Downey, Jr."],
            "actor": ["Ann One", "Ben Two"],
        }

    def test_cast_as_text(self, connection: Connection) -> None:
        load(connection, line(title="Texts", cast="Ann One, Ben Two", genres="Drama, War"))
        assert names(connection, "Texts") == {"actor": ["Ann One", "Ben Two"]}
        assert one(connection, "movies", "Texts")["genres"] == ["Drama", "War"]

    def test_series(self, connection: Connection) -> None:
        show = {
            "title": "Band",
            "premiered": "2001-09-09",
            "genres": ["Drama"],
            "rating": 9.5,
            "network": "HBO",
            "imdb_id": "tt0185906",
            "thetvdb": 74205,
            "tvmaze_id": 465,
            "tvmaze_url": "http://www.tvmaze.com/shows/465/band",
            "runtime": 60,
            "status": "Ended",
            "language": "English",
            "image": "http://example.org/9.jpg",
        }
        assert load(connection, line(show)).inserted == 1
        row = one(connection, "tvshows", "Band")
        assert (row["year"], row["vote_average"], row["networks"]) == (2001, 9.5, ["HBO"])
        assert (row["episode_runtime_minutes"], row["status"]) == (60, "ended")
        assert row["tvdb_id"] == 74205
        assert row["attribution"] == "TVmaze (CC BY-SA 4.0): http://www.tvmaze.com/shows/465/band"

    @pytest.mark.parametrize("key,value", [("network", "ITV"), ("tvmaze_id", 7)])
    def test_one_key_makes_a_series(self, connection: Connection, key: str, value: Any) -> None:
        load(connection, line({"title": "Show", key: value}))
        one(connection, "tvshows", "Show")


LONG = "is longer than"
BAD = [
    (b"{", "is not JSON"),
    (b"NaN", "is not JSON"),
    (b'{"title": "\\ud800"}', "is not JSON"),
    (b"[" * 3000, "is not JSON"),
    (b'{"title": "a\x00b"}', "is not JSON"),
    (b'{"title": "caf\xe9"}', "is not UTF-8"),
    (b'{"title": "\xed\xa0\x80"}', "is not UTF-8"),
    (b'["title"]', "is not a JSON object"),
    (b'"title"', "is not a JSON object"),
    (line(title="x", overview="y" * MAX_LINE), "is longer than 1 MiB"),
    (line(kind="movie"), "title: is missing"),
    (line(kind="movie", title=None), "title: is missing"),
    (line(kind="movie", title=" \t "), "title: is missing"),
    (line(kind="book", title="x"), "kind: is neither"),
    (line(kind=["movie"], title="x"), "kind: is neither"),
    (line(kind="", title="x"), "kind: is neither"),
    (line(FILM, title=7), "title: is not text"),
    (line(FILM, title=["x"]), "title: is not text"),
    (line(FILM, title="a\x00b"), "title: contains a NUL"),
    (line(FILM, title="x" * 501), f"title: {LONG} 500"),
    (line(FILM, overview="x" * 5001), f"overview: {LONG} 5000"),
    (line(FILM, overview="\x00"), "overview: contains a NUL"),
    (line(FILM, tagline="x" * 501), f"tagline: {LONG} 500"),
    (line(FILM, attribution=5), "attribution: is not text"),
    (line(FILM, year=1799), "year: is not within"),
    (line(FILM, year=2201), "year: is not within"),
    (line(FILM, year="1975"), "year: is not a number"),
    (line(FILM, year=True), "year: is not a number"),
    (line(FILM, year=1975.5), "year: is not a whole number"),
    (line(FILM).replace(b"1975,", b"1e400,"), "is not JSON"),
    (line(FILM, imdb_id="0073195"), "imdb_id: is not like"),
    (line(FILM, imdb_id="tt٠٠٧٣١٩٥"), "imdb_id: is not like"),
    (line(FILM, imdb_id=73195), "imdb_id: is not text"),
    (line(FILM, tmdb_id=0), "tmdb_id: is not within"),
    (line(FILM, tmdb_id=2**31), "tmdb_id: is not within"),
    (line(FILM, tmdb_id=10**30), "tmdb_id: is not within"),
    (line(FILM, release_date="1975-02-30"), "release_date: is not a date"),
    (line(FILM, release_date="19750620"), "release_date: is not a date"),
    (line(FILM, release_date="0999-06-20"), "release_date: is not a date"),
    (line(FILM, release_date=1975), "release_date: is not text"),
    (line(FILM, runtime_minutes=-1), "runtime_minutes: is not within"),
    (line(FILM, runtime_minutes="124"), "runtime_minutes: is not a number"),
    (line(FILM, vote_average=10.1), "vote_average: is not within"),
    (line(FILM, vote_count=-1), "vote_count: is not within"),
    (line(FILM, popularity="high"), "popularity: is not a number"),
    (line(FILM, metacritic=101), "metacritic: is not within"),
    (line(FILM, rotten_tomatoes=-1), "rotten_tomatoes: is not within"),
    (line(FILM, box_office_usd=2**53), "box_office_usd: is not within"),
    (line(FILM, genres="Drama"), "genres: is not a list"),
    (line(FILM, genres=["Drama", 7]), "genres: is not text"),
    (line(FILM, genres=["x" * 51]), f"genres: {LONG} 50"),
    (line(FILM, genres=[str(n) for n in range(51)]), "genres: has more than 50"),
    (line(FILM, directors={"name": "x"}), "directors: is not a list"),
    (line(FILM, directors=["x" * 301]), f"directors: {LONG} 300"),
    (line(FILM, cast_members=[{"name": "x"}]), "cast_members: is not text"),
    (line(FILM, cast_members=["a\x00"]), "cast_members: contains a NUL"),
    (line(FILM, cast_members=[str(n) for n in range(501)]), "cast_members: has more than 500"),
    (line(SERIES, last_air_date="soon"), "last_air_date: is not a date"),
    (line(SERIES, networks="AMC"), "networks: is not a list"),
    (line(SERIES, seasons={}), "seasons: is not a list of objects"),
    (line(SERIES, seasons=[1]), "seasons: is not a list of objects"),
    (line(SERIES, seasons=[{"name": "x"}]), "seasons: has one without season_number"),
    (line(SERIES, seasons=[{"season_number": -1}]), "seasons: season_number: is not within"),
    (line(SERIES, seasons=[{"season_number": 1}] * 2), "seasons: has one season_number twice"),
    (
        line(SERIES, seasons=[{"season_number": n} for n in range(1001)]),
        "seasons: has more than 1000",
    ),
    (line(FILM, keywords="shark"), "keywords: is not a list"),
    (line(FILM, studios=["x" * 201]), f"studios: {LONG} 200"),
    (line(FILM, original_language="English"), "original_language: is not like en"),
    (line(FILM, homepage="javascript:alert(1)"), "homepage: is not like https"),
    (line(FILM, poster_path="https://example.org/x.jpg"), "poster_path: is not like /name.jpg"),
    (line(FILM, imdb_rating=81), "imdb_rating: is not within"),
    (line(FILM, letterboxd=5.1), "letterboxd: is not within"),
    (line(FILM, collection=["x"]), "collection: is not text"),
    (line(FILM, translations=[]), "translations: is not an object of objects"),
    (line(FILM, translations={"de": "x"}), "translations: is not an object of objects"),
    (line(FILM, translations={"German": {}}), "translations: 'German' is no name"),
    (line(FILM, translations={"de": {"title": 1}}), "translations: de: title: is not text"),
    (line(SERIES, tvdb_id=0), "tvdb_id: is not within"),
    (line(SERIES, air_days=["Freitag"]), "air_days: has other words than Monday"),
    (
        line(SERIES, seasons=[{"season_number": 1, "episodes": [{"title": "x"}]}]),
        "seasons: episodes: has one without episode_number",
    ),
    (
        line(SERIES, seasons=[{"season_number": n, "episode_count": 2000} for n in range(26)]),
        "seasons: have more than 50000 episodes",
    ),
    (line(title="x", wikipedia=7), "wikipedia: is not text"),
    (line(title="x", tvmaze_url="javascript:alert(1)"), "tvmaze_url: is not a web address"),
    (line(title="x", director=7), "directors: is not a list"),
]


class TestBadLines:
    @pytest.mark.parametrize("bad,reason", BAD, ids=range(len(BAD)))
    def test_is_reported_and_nothing_of_it_loaded(
        self, connection: Connection, bad: bytes, reason: str
    ) -> None:
        before, after = (line(kind="movie", title=title) for title in ("Before", "After"))
        report = load(connection, before, bad, after)
        assert (report.read, report.inserted, report.updated) == (3, 2, 0)
        ((number, said),) = report.skipped
        assert number == 2
        assert said.startswith(reason)
        titles = "SELECT title FROM movies UNION ALL SELECT title FROM tvshows ORDER BY title"
        assert [row["title"] for row in rows(connection, titles)] == ["After", "Before"]
        for table in ("people", "credits", "seasons", "episodes", "translations", "collections"):
            assert rows(connection, f"SELECT * FROM {table}") == []  # noqa: S608

    def test_longest_and_greatest_that_are_good(self, connection: Connection) -> None:
        good = line(
            *[FILM],
            title="é" * 500,
            overview="é" * 5000,
            year=2200,
            tmdb_id=2**31 - 1,
            vote_average=10,
            box_office_usd=2**53 - 1,
            genres=[str(n) * 20 for n in range(50)],
            directors=["名" * 300],
            cast_members=[str(n) for n in range(500)],
        )
        assert load(connection, good, line(kind="movie", title="\ufdfa" * 500)).inserted == 2
        assert len(good) < MAX_LINE

    def test_numbers_of_lines(self, connection: Connection) -> None:
        lines = (
            b"\xef\xbb\xbf" + line(title="A") + b"\r\n",
            b"\n",
            b" \n",
            b"bad\n",
            line(title="B"),
        )
        assert load(connection, *lines) == Report(3, 2, 0, [(4, "is not JSON")])

    def test_empty_file(self, connection: Connection) -> None:
        assert load(connection) == Report()
