"""Tests of title_merge.py: finding titles again, and what changes then."""

import threading
import time

from sqlalchemy import Connection, Engine, text

from marquee.catalogue.importing import Report
from tests.catalogue.lines import FILM, SERIES, Row, age, is_new, line, load, names, one, rows


class TestAgain:
    def test_changes_nothing(self, connection: Connection) -> None:
        anonymous = [line(kind=kind, title="No Ids", year=1999) for kind in ("movie", "tvshow")]
        lines = [line(FILM), line(SERIES), *anonymous, line(title="Neither"), line(title="七人")]
        assert load(connection, *lines).inserted == 6
        age(connection)
        tables = ("movies", "tvshows", "seasons", "people", "credits")
        before = [rows(connection, f"SELECT * FROM {table} ORDER BY id") for table in tables]  # noqa: S608
        assert load(connection, *lines) == Report(read=6)
        after = [rows(connection, f"SELECT * FROM {table} ORDER BY id") for table in tables]  # noqa: S608
        assert before == after

    def test_absent_values_erase_nothing(self, connection: Connection) -> None:
        load(connection, line(FILM))
        age(connection)
        bare: Row = {name: [] if isinstance(value, list) else None for name, value in FILM.items()}
        again = line(bare, kind="movie", title="Jaws", imdb_id="tt0073195")
        assert load(connection, again) == Report(read=1)
        assert names(connection, "Jaws")["actor"] == FILM["cast_members"]
        assert not is_new(one(connection, "movies", "Jaws"))

    def test_changed_values_are_taken(self, connection: Connection) -> None:
        load(connection, line(FILM), line(SERIES))
        age(connection)
        changed = line(kind="movie", imdb_id="tt0073195", title="Der weiße Hai", metacritic=88)
        assert load(connection, changed) == Report(read=1, updated=1)
        film = one(connection, "movies", "Der weiße Hai")
        assert (film["search_title"], film["sort_title"]) == ("der weisse hai", "weisse hai")
        assert film["overview"] == FILM["overview"]
        assert {r["source"]: r["score"] for r in film["external_ratings"]} == {
            "metacritic": 8.8,
            "rotten_tomatoes": 9.7,
        }
        assert is_new(film)
        assert not is_new(one(connection, "tvshows", "Breaking Bad"))
        assert load(connection, changed) == Report(read=1)

    def test_status_that_is_known_stays(self, connection: Connection) -> None:
        load(connection, line(FILM, status="rumoured"))
        assert load(connection, line(FILM)) == Report(read=1)
        assert one(connection, "movies", "Jaws")["status"] == "rumoured"

    def test_year_that_comes_later_releases(self, connection: Connection) -> None:
        load(connection, line(kind="movie", title="Later", tmdb_id=9))
        assert one(connection, "movies", "Later")["status"] is None
        load(connection, line(kind="movie", title="Later", tmdb_id=9, year=2001))
        assert one(connection, "movies", "Later")["status"] == "released"


class TestMatching:
    def test_by_imdb_id_then_tmdb_id(self, connection: Connection) -> None:
        load(
            connection,
            line(title="One", imdb_id="tt0000001"),
            line(title="Two", tmdb_id=2, kind="movie"),
        )
        again = load(
            connection,
            line(kind="movie", title="Eins", imdb_id="tt0000001", tmdb_id=1),
            line(kind="movie", title="Zwei", imdb_id="tt0000002", tmdb_id=2),
        )
        assert again == Report(read=2, updated=2)
        found = rows(connection, "SELECT title, imdb_id, tmdb_id FROM movies ORDER BY tmdb_id")
        assert [tuple(row.values()) for row in found] == [
            ("Eins", "tt0000001", 1),
            ("Zwei", "tt0000002", 2),
        ]

    def test_by_words_and_year_without_ids(self, connection: Connection) -> None:
        load(connection, line(FILM, title="The Déjà-Vu"))
        assert load(connection, line(title="the deja vu", year=1975)).inserted == 0
        assert load(connection, line(title="Deja Vu", year=1975)).inserted == 1
        assert load(connection, line(title="The Deja Vu", year=1976)).inserted == 1
        assert load(connection, line(title="The Deja Vu")).inserted == 1

    def test_an_id_is_never_matched_by_words(self, connection: Connection) -> None:
        load(connection, line(title="Heat", year=1995))
        other = load(connection, line(title="Heat", year=1995, imdb_id="tt0113277"))
        assert other.inserted == 1
        assert load(connection, line(title="Heat", year=1995)) == Report(read=1)

    def test_film_and_series_are_two(self, connection: Connection) -> None:
        both = [line(kind=kind, title="Fargo", tmdb_id=275) for kind in ("movie", "tvshow")]
        assert load(connection, *both).inserted == 2

    def test_ids_of_two_titles(self, connection: Connection) -> None:
        load(
            connection,
            line(title="One", imdb_id="tt0000001"),
            line(kind="movie", title="Two", tmdb_id=2),
        )
        mixed = line(kind="movie", title="Mixed", imdb_id="tt0000001", tmdb_id=2)
        report = load(connection, line(title="Good"), mixed)
        assert (report.inserted, report.updated) == (1, 0)
        assert report.skipped == [(2, "imdb_id and tmdb_id: are not of one title in the catalogue")]

    def test_an_id_does_not_change(self, connection: Connection) -> None:
        load(connection, line(FILM))
        assert load(connection, line(FILM, imdb_id="tt0000009")).skipped[0][0] == 1
        assert load(connection, line(FILM, tmdb_id=9)).skipped[0][0] == 1

    def test_last_line_of_a_title_wins(self, connection: Connection) -> None:
        lines = [
            line(FILM, title="First", directors=["Nobody"]),
            line(kind="movie", title="By TMDB", tmdb_id=7),
            line(title="Words", year=1990, overview="first"),
            *(line(title=f"Filler {number}") for number in range(20)),
            line(title="WORDS!", year=1990, overview="last"),
            line(kind="movie", title="By tmdb", tmdb_id=7),
            line(kind="movie", title="Last", imdb_id="tt0073195"),
        ]
        assert load(connection, *lines) == Report(read=26, inserted=23)
        for title in ("Last", "By tmdb", "WORDS!"):
            one(connection, "movies", title)
        assert one(connection, "movies", "Last")["overview"] is None
        assert rows(connection, "SELECT * FROM people") == []
        assert load(connection, *lines) == Report(read=26)

    def test_last_of_two_that_match_one_title_wins(self, connection: Connection) -> None:
        load(connection, line(FILM))
        lines = [
            line(kind="movie", title="Jaws", imdb_id="tt0073195", overview="by imdb_id"),
            line(kind="movie", title="Jaws", tmdb_id=578, overview="by tmdb_id"),
        ]
        assert load(connection, *lines) == Report(read=2, updated=1)
        assert one(connection, "movies", "Jaws")["overview"] == "by tmdb_id"
        assert load(connection, *lines) == Report(read=2)

    def test_a_film_that_somebody_adds_meanwhile(self, scratch: Engine) -> None:
        reports: list[Report] = []

        def run() -> None:
            with scratch.begin() as connection:
                reports.append(load(connection, line(FILM), line(title="Other")))

        with scratch.begin() as other:
            other.execute(
                text(
                    "INSERT INTO movies (imdb_id, title, search_title, sort_title)"
                    " VALUES ('tt0073195', 'Theirs', 'theirs', 'theirs')"
                )
            )
            importing = threading.Thread(target=run)
            importing.start()
            waiting = "SELECT FROM pg_locks WHERE NOT granted AND locktype = 'transactionid'"
            deadline = time.monotonic() + 10
            while not rows(other, waiting) and time.monotonic() < deadline:
                time.sleep(0.01)
        importing.join(10)
        assert reports == [
            Report(2, 1, 0, [(1, "was added by somebody else at the same time")]),
        ]
        with scratch.connect() as connection:
            assert one(connection, "movies", "Theirs")
            assert rows(connection, "SELECT FROM credits") == []


class TestPeople:
    def test_one_person_for_one_name(self, connection: Connection) -> None:
        load(
            connection,
            line(kind="movie", title="A", directors=["Ann", "Ben", "Ann"], cast_members=["Ann"]),
            line(kind="tvshow", title="B", creators=["Ann"]),
        )
        found = rows(connection, "SELECT name FROM people ORDER BY name")
        assert [row["name"] for row in found] == ["Ann", "Ben"]
        assert names(connection, "A") == {"director": ["Ann", "Ben"], "actor": ["Ann"]}
        assert names(connection, "B") == {"creator": ["Ann"]}

    def test_named_jobs_are_replaced_and_others_stay(self, connection: Connection) -> None:
        load(connection, line(FILM), line(title="Other", director="Steven Spielberg"))
        age(connection)
        report = load(connection, line(FILM, cast_members=["Robert Shaw", "New"], writers=[]))
        assert report == Report(read=1, updated=1)
        assert names(connection, "Jaws") == {
            "director": FILM["directors"],
            "writer": FILM["writers"],
            "actor": ["Robert Shaw", "New"],
        }
        assert names(connection, "Other") == {"director": ["Steven Spielberg"]}
        assert is_new(one(connection, "movies", "Jaws"))
        assert not is_new(one(connection, "movies", "Other"))

    def test_order_of_billing_counts(self, connection: Connection) -> None:
        load(connection, line(title="A", cast=["Ann", "Ben"]))
        assert load(connection, line(title="A", cast=["Ben", "Ann"])).updated == 1
        assert names(connection, "A") == {"actor": ["Ben", "Ann"]}

    def test_people_of_tmdb_stay_where_the_names_are_the_same(self, connection: Connection) -> None:
        load(connection, line(FILM))
        connection.execute(text("UPDATE people SET tmdb_id = 488 WHERE name = 'Steven Spielberg'"))
        assert load(connection, line(FILM)) == Report(read=1)
        load(connection, line(title="Other", director="Steven Spielberg"))
        found = rows(connection, "SELECT tmdb_id FROM people WHERE name = 'Steven Spielberg'")
        assert sorted(row["tmdb_id"] or 0 for row in found) == [0, 488]


class TestSeasons:
    def test_are_added_and_changed_but_not_lost(self, connection: Connection) -> None:
        load(connection, line(SERIES))
        age(connection)
        seasons = [{"season_number": 1, "episode_count": 8}, {"season_number": 3}]
        assert load(connection, line(SERIES, seasons=seasons)) == Report(read=1, updated=1)
        found = rows(connection, "SELECT * FROM seasons ORDER BY season_number")
        assert [(s["season_number"], s["name"], s["episode_count"]) for s in found] == [
            (0, "Specials", 0),
            (1, "One", 8),
            (2, "Season 2", 13),
            (3, "Season 3", 0),
        ]
        assert found[1]["air_date"] is not None
        assert is_new(one(connection, "tvshows", "Breaking Bad"))
        assert load(connection, line(SERIES, seasons=seasons)) == Report(read=1)
