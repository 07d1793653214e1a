"""The search index of real servers: fresh, shared, and made again whatever becomes of it."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from sqlalchemy import Engine, text

from marquee import db
from tests.committed import Committed, committed
from tests.live import Live, live, own_database

FRESH = 2.0
PATIENCE = 30.0
MANY = 12
"""Connections, so that each of two processes answers some."""


@dataclass
class House:
    """A server with an index of its own, and rows that are committed."""

    database_url: str
    data: Path
    engine: Engine
    rows: Committed
    key: str = ""
    server: Live | None = None
    asking: httpx.Client = field(
        # Each request has a connection of its own, and none waits for certificates to be loaded.
        default_factory=lambda: httpx.Client(
            limits=httpx.Limits(max_keepalive_connections=0), timeout=10
        )
    )

    @contextlib.contextmanager
    def serving(self, workers: int = 1) -> Iterator[Live]:
        """A server on the folder of this house."""
        variables = {"MARQUEE_DATA": str(self.data), "MARQUEE_THREADS": "2"}
        with live(self.database_url, self.data, workers=workers, **variables) as server:
            self.server = server
            if not self.key:
                client = self.rows.client(server.url, self.rows.user("admin"))
                self.key = client.headers["authorization"]
            yield server

    def get(self, path: str, **asked: Any) -> httpx.Response:
        """Ask by a connection of its own."""
        assert self.server is not None
        url, headers = f"{self.server.url}/api/v1{path}", {"Authorization": self.key}
        return self.asking.get(url, params=asked, headers=headers)

    def totals(self, q: str) -> Iterator[int | None]:
        """How much each process finds; None where it does not search yet."""
        for _ in range(MANY):
            answer = self.get("/search/movies", q=q)
            assert answer.status_code in {200, 503}
            yield answer.json()["total_results"] if answer.is_success else None

    def finds(self, q: str) -> bool:
        """Whether every process finds something."""
        return all(self.totals(q))

    def misses(self, q: str) -> bool:
        """Whether every process searches, and finds nothing."""
        return all(total == 0 for total in self.totals(q))

    def finds_after_a_death(self, q: str) -> bool:
        """The same as `finds`, where a process has been killed: its connections break."""
        with contextlib.suppress(httpx.TransportError):
            return self.finds(q)
        return False

    def keepers(self) -> list[int]:
        """The processes that hold the lock of the folder."""
        assert self.server is not None
        found = []
        for each in self.server.workers:
            with contextlib.suppress(psutil.Error):
                if any(file.path.endswith("keeper.lock") for file in each.open_files()):
                    found.append(each.pid)
        return found

    def kill_the_keeper(self) -> None:
        """End the process that writes at once, and wait until another one has taken over."""
        (first,) = self.keepers()
        os.kill(first, signal.SIGKILL)
        until(lambda: (now := self.keepers()) and now != [first])

    def indexes(self) -> list[Any]:
        """What the machines tell of their indexes."""
        with self.engine.connect() as connection:
            return list(connection.execute(text("select * from search_indexes order by id")))

    def files(self, pattern: str) -> list[Path]:
        """Files of the index."""
        return sorted(self.data.glob(f"search/*/{pattern}"))


def until(condition: Callable[[], object], seconds: float = PATIENCE) -> float:
    """Wait for something; for how long it was asked for in vain.

    What the last answers took does not count: many questions take long on a slow machine.
    """
    started = asked = time.monotonic()
    while True:
        in_vain, asked = asked - started, time.monotonic()
        if condition():
            return in_vain
        assert asked < started + seconds, "in vain"
        time.sleep(0.05)


@pytest.fixture
def house(database_url: str, tmp_path: Path) -> Iterator[House]:
    """One with a film, and without a server."""
    with ExitStack() as stack:
        url = stack.enter_context(own_database(database_url))
        engine = db.engine_for(url)
        stack.callback(engine.dispose)
        rows = stack.enter_context(committed(engine))
        rows.movie("Jaws")
        made = House(url, tmp_path, engine, rows)
        stack.callback(made.asking.close)
        yield made


def test_every_process_finds_what_has_changed(house: House) -> None:
    with house.serving(workers=2):
        until(lambda: house.finds("jaws"))
        film = house.rows.movie("Zazie dans le métro")
        assert until(lambda: house.finds("zazie")) < FRESH + 1
        with house.engine.begin() as connection:
            values = {"id": film.id}
            change = (
                "update movies set title = 'Lola', search_title = 'lola', "
                "sort_title = 'lola' where id = :id"
            )
            connection.execute(text(change), values)
            later = "insert into translations (movie_id, language, title) values (:id, 'de', 'Eva')"
            connection.execute(text(later), values)
        assert until(lambda: house.finds("lola") and house.finds("eva")) < FRESH + 1
        assert house.misses("zazie")
        with house.engine.begin() as connection:
            connection.execute(text("delete from movies where id = :id"), {"id": film.id})
        assert until(lambda: house.misses("lola")) < FRESH + 1


def test_another_process_takes_over(house: House) -> None:
    with house.serving(workers=2):
        until(lambda: house.finds("jaws"))
        house.kill_the_keeper()
        house.rows.movie("Amélie")
        until(lambda: house.finds_after_a_death("amelie"))


def test_a_damaged_index_is_built_anew(house: House) -> None:
    with house.serving():
        until(lambda: house.finds("jaws"))
    (terms,) = house.files("*/*.term")
    content = bytearray(terms.read_bytes())
    content[len(content) // 2] ^= 0xFF
    terms.write_bytes(content)
    with house.serving():
        until(lambda: house.finds("jaws"))
        assert not terms.exists()


def test_a_folder_that_is_lost_under_way_is_built_anew(house: House) -> None:
    with house.serving():
        until(lambda: house.finds("jaws"))
        for path in house.files("*/*"):
            path.unlink()
        house.rows.movie("Amélie")
        until(lambda: house.finds("amelie"))


@pytest.mark.parametrize("workers", [1, 2])
def test_the_whole_folder_can_be_deleted_under_way(house: House, workers: int) -> None:
    """By `rm -rf`, lock and all; there is one keeper afterwards, too."""
    with house.serving(workers=workers):
        until(lambda: house.finds("jaws"))
        until(house.indexes)
        (folder,) = house.data.glob("search/*")
        shutil.rmtree(folder)
        house.rows.movie("Amélie")
        until(lambda: house.finds("jaws") and house.finds("amelie"))
        until(lambda: len(house.files("*/meta.json")) == len(house.keepers()) == 1)
        assert [each.error for each in house.indexes()] == [None]


def test_what_changes_while_nobody_serves_is_found_later(house: House) -> None:
    with house.serving():
        until(lambda: house.finds("jaws"))
        built = house.files("*/meta.json")
    house.rows.movie("Amélie")
    with house.serving():
        until(lambda: house.finds("amelie"))
    assert house.files("*/meta.json") == built


def test_reindexing(house: House) -> None:
    with house.serving(workers=2) as server:
        until(lambda: house.finds("jaws"))
        (before,) = house.indexes()
        headers = {"Authorization": house.key}
        answer = httpx.post(f"{server.url}/api/v1/search/reindex", headers=headers, timeout=10)
        assert answer.status_code == 202
        worker = subprocess.Popen(
            [sys.executable, "-m", "marquee", "worker"],
            env={**os.environ, "DATABASE_URL": house.database_url, "MARQUEE_DATA": str(house.data)},
            stderr=subprocess.DEVNULL,
        )
        try:
            path = "/jobs/reindex-search/history"
            until(lambda: house.get(path).json()["history"][0]["status"] == "completed")
        finally:
            worker.send_signal(signal.SIGTERM)
            worker.wait(20)
        result = house.get(path).json()["history"][0]["metadata"]["result"]
        assert (result["indexes"], result["documents"]) == (1, 1)
        (after,) = house.indexes()
        assert (before.generation, after.generation) == (0, 1)
        assert (after.documents, after.building, after.error) == (1, None, None)
        assert house.finds("jaws")
