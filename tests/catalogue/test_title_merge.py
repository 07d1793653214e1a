"""Tests of title_merge.py: finding titles again, and what changes then."""

import threading
import time

from sqlalchemy import Connection, Engine, text

from marquee.catalogue.importing import Report
from tests.catalogue.lines import FILM, SERIES, Row, age, is_new, line, load, names, one, rows


class TestAgain:
    def test_changes_nothing(self, connection: Connection) -> None:
        anonymous = [line(kind=kind, title="No Ids", year=1999) for kind in ("movie", "tvshow")]
        translated = {"fr": {"title": "Les Dents de la mer"}}
        film = line(FILM, collection="Jaws Collection", keywords=["shark"], translations=translated)
        lines = [film, line(SERIES), *anonymous, line(title="Neither"), line(title="七人")]
        assert load(connection, *lines).inserted == 6
        age(connection)
        tables = ("movies", "tvshows", "seasons", "episodes", "people", "credits", "translations")
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

    def test_are_counted_in_their_series(self, connection: Connection) -> None:
        counts = "SELECT total_seasons, total_episodes FROM tvshows"
        load(connection, line(SERIES))
        assert rows(connection, counts) == [{"total_seasons": 2, "total_episodes": 20}]
        seasons = [{"season_number": 0, "episode_count": 4}, {"season_number": 3, "episodes": []}]
        load(connection, line(SERIES, seasons=seasons))
        assert rows(connection, counts) == [{"total_seasons": 3, "total_episodes": 20}]
        load(connection, line(SERIES, seasons=[{"season_number": 3, "episode_count": 13}]))
        assert rows(connection, counts) == [{"total_seasons": 3, "total_episodes": 33}]

    def test_of_new_series_are_counted_at_once(self, connection: Connection) -> None:
        seasons = SERIES["seasons"]
        load(connection, line(kind="tvshow", title="No Credits", seasons=seasons))
        changes = rows(connection, "SELECT FROM title_changes WHERE kind = 'tvshow'")
        assert len(changes) == 1


def episodes(connection: Connection, season: int = 1) -> list[tuple[int, str]]:
    found = rows(
        connection,
        "SELECT episode_number, title FROM episodes WHERE season_number = :season"
        " ORDER BY episode_number",
        season=season,
    )
    return [(row["episode_number"], row["title"]) for row in found]


def with_season(**season: object) -> bytes:
    return line(SERIES, seasons=[{"season_number": 1, **season}])


class TestEpisodes:
    def test_of_a_counted_season_are_known_by_number(self, connection: Connection) -> None:
        load(connection, line(SERIES))
        assert episodes(connection) == [(n, f"Episode {n}") for n in range(1, 8)]
        assert len(episodes(connection, season=2)) == 13
        assert episodes(connection, season=0) == []

    def test_are_completed_later(self, connection: Connection) -> None:
        load(connection, with_season(episode_count=3))
        age(connection)
        said = with_season(
            episode_count=3, episodes=[{"episode_number": 2, "title": "Two", "overview": "Text."}]
        )
        assert load(connection, said) == Report(read=1, updated=1)
        assert is_new(one(connection, "tvshows", "Breaking Bad"))
        assert load(connection, said) == Report(read=1)
        assert load(connection, with_season(episode_count=3)) == Report(read=1)
        assert episodes(connection) == [(1, "Episode 1"), (2, "Two"), (3, "Episode 3")]
        dated = with_season(episodes=[{"episode_number": 2, "air_date": "2008-01-27"}])
        assert load(connection, dated) == Report(read=1, updated=1)
        (row,) = rows(connection, "SELECT * FROM episodes WHERE air_date IS NOT NULL")
        assert (row["title"], row["overview"]) == ("Two", "Text.")

    def test_are_not_lost(self, connection: Connection) -> None:
        load(connection, with_season(episode_count=3))
        load(connection, with_season(episode_count=2))
        assert len(episodes(connection)) == 3
        load(connection, with_season(episode_count=4))
        assert len(episodes(connection)) == 4

    def test_are_filled_up_between_those_that_are_said(self, connection: Connection) -> None:
        two = [{"episode_number": number, "title": f"The {number}."} for number in (1, 3)]
        load(connection, with_season(episode_count=4, episodes=two))
        expected = [(1, "The 1."), (2, "Episode 2"), (3, "The 3."), (4, "Episode 4")]
        assert episodes(connection) == expected
        far = [{"episode_number": 62, "title": "A"}]
        load(
            connection,
            line(SERIES, seasons=[{"season_number": 5, "episode_count": 2, "episodes": far}]),
        )
        assert episodes(connection, season=5) == [(62, "A")]

    def test_that_are_not_counted_from_one(self, connection: Connection) -> None:
        load(connection, with_season(episodes=[{"episode_number": 62, "title": "A"}]))
        load(connection, with_season(episode_count=20))
        assert episodes(connection) == [(62, "A")]

    def test_are_not_made_without_end(self, connection: Connection) -> None:
        load(connection, with_season(episode_count=1_000_000))
        assert len(episodes(connection)) == 2000
        assert rows(connection, "SELECT episode_count FROM seasons") == [
            {"episode_count": 1_000_000}
        ]


class TestTranslations:
    def test_are_added_and_completed(self, connection: Connection) -> None:
        load(connection, line(FILM, translations={"de": {"title": "Der weiße Hai"}}))
        age(connection)
        load(connection, line(FILM))
        assert not is_new(one(connection, "movies", "Jaws"))
        more = {"de": {"overview": "Ein Hai."}, "es": {"title": "Tiburón"}}
        assert load(connection, line(FILM, translations=more)) == Report(read=1, updated=1)
        found = rows(connection, "SELECT * FROM translations ORDER BY language")
        assert [(row["language"], row["title"], row["overview"]) for row in found] == [
            ("de", "Der weiße Hai", "Ein Hai."),
            ("es", "Tiburón", None),
        ]
        assert is_new(one(connection, "movies", "Jaws"))


class TestCollections:
    def test_hold_the_films_that_name_them(self, connection: Connection) -> None:
        alien = [line(title=title, collection="Alien") for title in ("Alien", "Aliens")]
        alien = [each.replace(b"{", b'{"kind": "movie", ', 1) for each in alien]
        load(connection, *alien, line(FILM))
        query = "SELECT m.title FROM movies m JOIN collections c ON c.id = m.collection_id"
        assert len(rows(connection, query)) == 2
        assert load(connection, line(kind="movie", title="Aliens")) == Report(read=1)
        assert len(rows(connection, "SELECT FROM collections")) == 1
        assert load(connection, alien[0].replace(b'"Alien"}', b'"Other"}')).updated == 1
        assert len(rows(connection, "SELECT FROM collections")) == 2

    def test_of_tmdb_stay(self, connection: Connection) -> None:
        load(connection, line(FILM, collection="Jaws"))
        connection.execute(text("UPDATE collections SET tmdb_collection_id = 2366"))
        connection.execute(text("INSERT INTO collections (name) VALUES ('Jaws')"))
        assert load(connection, line(FILM, collection="Jaws")) == Report(read=1)


class TestTvdbIds:
    def test_find_a_series_after_the_others(self, connection: Connection) -> None:
        load(connection, line(SERIES, tvdb_id=81189))
        again = line(kind="tvshow", title="Breaking Bad!", tvdb_id=81189)
        assert load(connection, again) == Report(read=1, updated=1)
        assert one(connection, "tvshows", "Breaking Bad!")["imdb_id"] == SERIES["imdb_id"]

    def test_of_another_series(self, connection: Connection) -> None:
        load(connection, line(SERIES), line(kind="tvshow", title="Other", tvdb_id=81189))
        (skipped,) = load(connection, line(SERIES, tvdb_id=81189)).skipped
        assert skipped == (
            1,
            "imdb_id and tmdb_id and tvdb_id: are not of one title in the catalogue",
        )
