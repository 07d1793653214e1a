"""Tests of the demo: its catalogue, its accounts, and synthetic ones of any size."""

import time
from collections import Counter
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest
from sqlalchemy import Engine, text

from marquee import db, settings
from marquee.catalogue.demo import synthetic
from marquee.catalogue.demo.audience import Audience
from marquee.catalogue.demo.invention import Catalogue, Ranked, Weighted, people
from marquee.catalogue.demo.loading import TITLES, load
from marquee.catalogue.demo.synthetic import Made, NotForProduction, generate
from marquee.catalogue.importing import read_lines
from marquee.catalogue.title_lines import read_title
from marquee.identity.auth import passwords
from marquee.identity.users.demo import create_demo_accounts
from tests.catalogue.lines import line
from tests.catalogue.lines import load as load_lines

TABLES = (
    *("movies", "tvshows", "seasons", "episodes", "collections", "translations", "media_files"),
    *("people", "credits", "users", "ratings"),
)


def silent(_line: str) -> None:
    """Progress that nobody wants to read."""


def contents(engine: Engine) -> dict[str, str]:
    """A digest of all rows of each table."""
    with engine.connect() as connection:
        query = "SELECT md5(string_agg(t::text, '\n' ORDER BY id)) FROM {} t"
        return {table: str(connection.scalar(text(query.format(table)))) for table in TABLES}


def values(engine: Engine, query: str) -> list[Any]:
    with engine.connect() as connection:
        return list(connection.execute(text(query)).scalars())


class TestTitles:
    def test_every_line_is_good(self) -> None:
        kinds = Counter(read_title(each).kind for each in read_lines(TITLES))
        assert kinds["movie"] > 17_000
        assert kinds["tvshow"] >= 150

    def test_is_small(self) -> None:
        assert TITLES.stat().st_size < 4_000_000


class TestLoad:
    def test_fills_an_empty_catalogue_once(self, scratch: Engine) -> None:
        started = time.monotonic()
        report = load(scratch)
        assert time.monotonic() - started < 60  # 5 s; machines that do much else take longer
        assert report is not None
        assert report.skipped == []
        assert report.inserted == report.read > 17_000
        assert values(scratch, "SELECT title FROM movies WHERE imdb_id = 'tt0073195'") == ["Jaws"]
        assert load(scratch) is None
        assert values(scratch, "SELECT count(*) FROM movies")[0] > 17_000

    def test_leaves_a_catalogue_alone(self, scratch: Engine) -> None:
        with scratch.begin() as connection:
            load_lines(connection, line(kind="tvshow", title="Mine"))
        assert load(scratch) is None
        assert values(scratch, "SELECT title FROM movies") == []


@pytest.fixture
def accounts(scratch: Engine) -> Engine:
    with scratch.begin() as connection:
        assert create_demo_accounts(connection)
    return scratch


class TestCreateDemoAccounts:
    def test_users(self, accounts: Engine) -> None:
        query = "SELECT id, username, email, display_name, password_hash FROM users ORDER BY id"
        with accounts.connect() as connection:
            admin, casey = connection.execute(text(query)).all()
        assert admin[:3] == (1, "admin", "admin@example.org")
        assert casey[:4] == (2, "casey", "casey@example.org", "Casey")
        assert passwords.fits("marquee-admin", admin[4])
        assert passwords.fits("marquee-casey", casey[4])

    def test_roles(self, accounts: Engine) -> None:
        query = (
            "SELECT r.name FROM user_roles u JOIN roles r ON r.id = u.role_id ORDER BY u.user_id"
        )
        assert values(accounts, query) == ["admin", "user"]

    def test_keys(self, accounts: Engine) -> None:
        query = "SELECT user_id, key_prefix, digest, scopes FROM api_keys ORDER BY user_id"
        with accounts.connect() as connection:
            keys = [tuple(row) for row in connection.execute(text(query))]
        assert [(user, prefix, bytes(digest), scopes) for user, prefix, digest, scopes in keys] == [
            (1, "abcd", sha256(b"abcdef1234567890").digest(), ["read", "write", "admin"]),
            (2, "1234", sha256(b"1234567890").digest(), ["read", "write"]),
        ]

    def test_ids_go_on_from_there(self, accounts: Engine) -> None:
        new = "INSERT INTO users (username, email) VALUES ('dana', 'd@example.org') RETURNING id"
        with accounts.begin() as connection:
            assert connection.scalar(text(new)) == 3

    def test_only_where_there_is_nobody(self, accounts: Engine) -> None:
        with accounts.begin() as connection:
            assert not create_demo_accounts(connection)
        assert values(accounts, "SELECT count(*) FROM users") == [2]

    def test_before_the_migrations(self, scratch: Engine) -> None:
        with scratch.connect() as connection:
            connection.execute(text("DELETE FROM roles"))
            with pytest.raises(LookupError, match="migrated"):
                create_demo_accounts(connection)


class TestGenerate:
    def test_counts(self, scratch: Engine) -> None:
        made = generate(scratch, 400, progress=silent)
        counted = {table: values(scratch, f"SELECT count(*) FROM {table}")[0] for table in TABLES}  # noqa: S608
        assert made == Made(**counted)
        assert (made.movies, made.tvshows, made.people) == (350, 50, 80)
        assert (made.users, made.ratings) == (40, 4000)
        assert 6 <= made.credits / 400 <= 8

    def test_is_the_same_for_the_same_seed(self, scratch: Engine) -> None:
        found = []
        for seed in (1, 1, 2):
            with scratch.begin() as connection:
                tables = ", ".join(TABLES)
                connection.execute(text(f"TRUNCATE {tables} RESTART IDENTITY CASCADE"))
            generate(scratch, 300, seed=seed, progress=silent)
            found.append(contents(scratch))
        assert found[0] == found[1]
        assert all(found[0][table] != found[2][table] for table in TABLES if table != "people")

    def test_goes_beside_what_is_there(self, scratch: Engine) -> None:
        with scratch.begin() as connection:
            load_lines(connection, line(title="Mine", cast=next(people(1))))
            create_demo_accounts(connection)
        for _ in range(2):
            generate(scratch, 50, progress=silent)
        assert values(scratch, "SELECT count(*) FROM movies") == [1 + 2 * 44]
        assert values(scratch, "SELECT count(*) FROM people") == [10]
        new = "INSERT INTO users (username, email) VALUES ('dana', 'd@example.org') RETURNING id"
        with scratch.begin() as connection:
            assert connection.scalar(text(new)) == 13

    def test_users_have_a_taste(self, scratch: Engine) -> None:
        generate(scratch, 2000, users=50, ratings=5000, progress=silent)
        favourite = """
            WITH scores AS (
                SELECT user_id, genre, avg(score) AS mean, count(*) AS times
                FROM ratings r JOIN movies m ON m.id = r.movie_id, unnest(genres) genre
                GROUP BY 1, 2 HAVING count(*) >= 5),
            best AS (SELECT DISTINCT ON (user_id) * FROM scores ORDER BY user_id, times DESC)
            SELECT avg(b.mean - s.mean) FROM best b JOIN scores s USING (user_id)
            WHERE s.genre <> b.genre
        """
        assert values(scratch, favourite)[0] > 0.2
        counts = values(scratch, "SELECT count(*) FROM ratings GROUP BY user_id ORDER BY 1")
        assert counts[-1] > 5 * counts[len(counts) // 2]

    def test_titles_are_whole(self, scratch: Engine) -> None:
        generate(scratch, 100, progress=silent)
        broken = (
            "SELECT title FROM movies WHERE imdb_id IS NOT NULL OR tmdb_id IS NOT NULL"
            " OR attribution <> 'Synthetic' OR status <> 'released' OR genres = '{}'"
            " OR release_date IS NULL OR runtime_minutes NOT BETWEEN 40 AND 200"
            " OR vote_average NOT BETWEEN 1 AND 10 OR overview = '' OR languages = '{}'"
        )
        assert values(scratch, broken) == []
        late = (
            "SELECT t.title FROM tvshows t JOIN seasons s ON s.tvshow_id = t.id"
            " WHERE s.air_date < t.first_air_date"
        )
        assert values(scratch, late) == []
        assert values(scratch, "SELECT password_hash FROM users") == [None] * 10
        without = (
            "SELECT title FROM movies WHERE keywords = '{}' OR studios = '{}'"
            " UNION ALL SELECT title FROM tvshows WHERE keywords = '{}' OR studios = '{}'"
        )
        assert values(scratch, without) == []
        assert 0 < values(scratch, "SELECT count(rt_score) FROM movies")[0] < 88

    def test_totals_and_names_are_as_triggers_would_have_it(self, scratch: Engine) -> None:
        generate(scratch, 200, progress=silent)
        wrong = (
            "SELECT t.title FROM tvshows t WHERE (total_seasons, total_episodes) <>"
            " (SELECT count(*), sum(episode_count) FROM seasons s WHERE s.tvshow_id = t.id)"
            " OR total_episodes <> (SELECT count(*) FROM episodes e WHERE e.tvshow_id = t.id)"
        )
        assert values(scratch, wrong) == []
        stray = (
            "SELECT e.id FROM episodes e JOIN seasons s ON s.id = e.season_id"
            " WHERE (e.tvshow_id, e.season_number) <> (s.tvshow_id, s.season_number)"
        )
        assert values(scratch, stray) == []
        unknown = "SELECT unnest({0}) FROM movies EXCEPT SELECT name FROM {0}"
        assert values(scratch, unknown.format("genres")) == []
        assert values(scratch, unknown.format("studios")) == []
        tallied = (
            "SELECT genre FROM genre_tallies GROUP BY kind, genre HAVING kind = 'movie'"
            " AND sum(titles) <> (SELECT count(*) FROM movies WHERE genres @> ARRAY[genre])"
        )
        assert values(scratch, tallied) == []
        assert len(values(scratch, "SELECT DISTINCT genre FROM genre_tallies")) > 5

    def test_episodes_of_these_days(self, scratch: Engine) -> None:
        generate(scratch, 400, progress=silent)
        near = "SELECT count(*) FROM episodes WHERE air_date BETWEEN current_date {} "
        assert values(scratch, near.format("- 7 AND current_date"))[0] > 0
        assert values(scratch, near.format("AND current_date + 7"))[0] > 0

    def test_files_and_collections(self, scratch: Engine) -> None:
        made = generate(scratch, 800, progress=silent)
        assert values(scratch, "SELECT count(*) FROM media_files WHERE movie_id > 0") == [70]
        assert values(scratch, "SELECT count(*) FROM media_files WHERE episode_id > 0")[0] > 0
        query = "SELECT count(*) FROM movies GROUP BY collection_id HAVING collection_id > 0"
        assert values(scratch, query) == [3] * made.collections
        assert made.collections == 18
        languages = "SELECT language FROM translations GROUP BY 1"
        assert {"de", "fr"} <= set(values(scratch, languages))

    def test_indexes_are_to_be_built_anew(self, scratch: Engine) -> None:
        generation = "SELECT nextval('search_generation')"
        before = values(scratch, generation)[0]
        generate(scratch, 10, progress=silent)
        assert values(scratch, generation)[0] == before + 2

    def test_needs_no_superuser(self, scratch: Engine) -> None:
        with scratch.begin() as connection:
            connection.execute(text("DROP ROLE IF EXISTS plain"))
            connection.execute(text("CREATE ROLE plain LOGIN PASSWORD 'plain'"))
            for kind in ("TABLES", "SEQUENCES"):
                connection.execute(text(f"GRANT ALL ON ALL {kind} IN SCHEMA public TO plain"))
        url = scratch.url.set(username="plain", password="plain")
        plain = db.engine_for(url.render_as_string(hide_password=False))
        try:
            assert generate(plain, 20, progress=silent).ratings == 20
        finally:
            plain.dispose()
            with scratch.begin() as connection:
                connection.execute(text("DROP OWNED BY plain"))
                connection.execute(text("DROP ROLE plain"))

    def test_tells_how_it_goes(self, scratch: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(synthetic, "PATIENCE", 0)
        said: list[str] = []
        generate(scratch, 10, progress=said.append)
        assert any(each.startswith("movies: 9 rows, ") for each in said)

    def test_not_for_production(self, scratch: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
        production = replace(settings.current(), marquee_env="production")
        monkeypatch.setattr(settings, "current", lambda: production)
        with pytest.raises(NotForProduction):
            generate(scratch, 10, progress=silent)
        assert generate(scratch, 10, progress=silent, force=True).movies == 9

    @pytest.mark.parametrize(
        "titles,users,ratings", [(0, None, None), (10, -1, 0), (10, 1, -1), (10, 1, 11), (10, 0, 5)]
    )
    def test_numbers_that_cannot_be(
        self, scratch: Engine, titles: int, users: int | None, ratings: int | None
    ) -> None:
        with pytest.raises(ValueError, match=r"(title|negative|rate)"):
            generate(scratch, titles, users=users, ratings=ratings, progress=silent)

    def test_smallest(self, scratch: Engine) -> None:
        assert generate(scratch, 1, progress=silent).ratings == 0
        assert generate(scratch, 1, users=1, ratings=1, progress=silent).ratings == 1
        assert generate(scratch, 1, users=0, progress=silent).users == 0


class TestInvention:
    def test_everybody_can_rate_everything(self) -> None:
        audience = Audience(Catalogue(7, seed=1), users=3, ratings=21)
        pairs = [row.split("\t")[:3] for row in audience.ratings(1, 1, 1)]
        assert len({tuple(pair) for pair in pairs}) == 21

    def test_people_differ(self) -> None:
        assert len(set(people(50_000))) == 50_000

    def test_draws_stay_within(self) -> None:
        nearly = 1 - 2**-53
        for size in (1, 2, 1_000_000):
            ranked = Ranked(size, 5)
            assert ranked.draw(0.0) == 0
            assert 0 <= ranked.draw(nearly) < size
        weighted = Weighted([1, 0.5, 2])
        assert (weighted.draw(0.0), weighted.draw(nearly)) == (0, 2)
