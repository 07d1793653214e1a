"""The command line, as a person meets it: one line for what is wrong, and nothing half done."""

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text

from tests.live import free_port, own_database

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def url(database_url: str) -> Iterator[str]:
    with own_database(database_url) as url:
        yield url


@pytest.fixture
def marquee(url: str) -> Run:
    """Run `marquee` on a migrated database of its own."""

    def run(*words: str, typed: str = "", **environment: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "marquee", *words],
            env={**os.environ, "DATABASE_URL": url, **environment},
            input=typed,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


def rows(url: str, query: str) -> list[tuple[object, ...]]:
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg2"))
    with engine.connect() as connection:
        found = [tuple(row) for row in connection.execute(text(query))]
    engine.dispose()
    return found


def test_a_bad_setting_is_named(marquee: Run) -> None:
    refused = marquee("serve", PORT="eighty")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.startswith("marquee: PORT=")
    assert len(refused.stderr.splitlines()) == 1


def test_a_database_that_is_away_is_one_line(marquee: Run) -> None:
    refused = marquee("migrate", DATABASE_URL="postgresql://nobody@127.0.0.1:1/none")
    assert refused.returncode == 1
    assert refused.stderr.startswith("marquee: The database cannot be reached")


def test_a_database_that_is_none_is_one_line_without_its_password(marquee: Run) -> None:
    for url in ("bogus", "mysql://me:secret@db/x", "postgresql://me:secret@db:port/x"):
        refused = marquee("migrate", DATABASE_URL=url)
        assert (refused.returncode, len(refused.stderr.splitlines())) == (1, 1)
        assert refused.stderr.startswith("marquee: DATABASE_URL is not an address like postgresql")
        assert "secret" not in refused.stderr


def test_numbers_of_the_command_line_have_bounds(marquee: Run) -> None:
    for number in ("-3", "0", "513"):
        refused = marquee("serve", "--workers", number)
        assert refused.returncode == 1
        assert refused.stderr == (
            f"marquee: MARQUEE_WORKERS='{number}' is not between 1 and 512.\n"
        )
    refused = marquee("demo", "--titles", "0")
    assert (refused.returncode, "'0' is not a number from 1 on" in refused.stderr) == (2, True)


def test_a_worker_needs_a_database_with_its_tables(
    marquee: Run, database_url: str, tmp_path: Path
) -> None:
    elsewhere = (
        make_url(database_url).set(database="postgres").render_as_string(hide_password=False)
    )
    for variables, words in (
        (
            {"DATABASE_URL": "", "MARQUEE_DATA": str(tmp_path)},
            "needs DATABASE_URL, or `marquee up`",
        ),
        ({"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"}, "cannot be reached"),
        ({"DATABASE_URL": elsewhere}, "run `marquee migrate` first"),
    ):
        refused = marquee("worker", **variables)
        assert (refused.returncode, len(refused.stderr.splitlines())) == (1, 1)
        assert words in refused.stderr


def test_tables_that_are_missing_are_one_line(marquee: Run, database_url: str) -> None:
    elsewhere = make_url(database_url).set(database="postgres")
    away = elsewhere.render_as_string(hide_password=False)
    refused = marquee("user", "create", "zoe", "zoe@example.org", "--password-stdin",
                      typed="long enough\n", DATABASE_URL=away)  # fmt: skip
    assert refused.returncode == 1
    assert "run `marquee migrate` first" in refused.stderr


def test_creates_an_administrator_once(marquee: Run, url: str) -> None:
    words = ("user", "create", "root", "root@example.org", "--admin", "--password-stdin")
    made, again = (marquee(*words, typed="long enough\n") for _ in range(2))
    assert (made.returncode, again.returncode) == (0, 1)
    assert "exists" in again.stderr
    query = "select username, name from users join user_roles on user_id = users.id "
    assert rows(url, f"{query} join roles on roles.id = role_id") == [("root", "admin")]


def test_imports_what_is_good_and_names_the_rest(marquee: Run, url: str, tmp_path: Path) -> None:
    good = {"kind": "movie", "title": "Solaris", "year": 1972}
    file = tmp_path / "titles.jsonl.gz"
    file.write_bytes(gzip.compress(f"{json.dumps(good)}\nnonsense\n".encode()))
    done = marquee("import", "titles", str(file))
    assert done.returncode == 1
    assert f"{file}:2: " in done.stderr
    assert done.stdout == "2 lines: 1 titles new, 0 changed, 1 skipped\n"
    assert rows(url, "select title from movies where year = 1972") == [("Solaris",)]


def test_a_file_that_is_not_there_is_one_line(marquee: Run) -> None:
    refused = marquee("import", "titles", "/nowhere/titles.jsonl")
    assert (refused.returncode, len(refused.stderr.splitlines())) == (1, 1)


def test_demo_keys_and_production_exclude_each_other(marquee: Run) -> None:
    assert marquee("demo", "--titles", "5", MARQUEE_ENV="production").returncode == 1


def test_a_server_needs_a_secret_and_a_free_port(marquee: Run) -> None:
    refused = marquee("serve", MARQUEE_SECRET_KEY="short", PORT=str(free_port()))
    assert (refused.returncode, "MARQUEE_SECRET_KEY" in refused.stderr) == (1, True)
