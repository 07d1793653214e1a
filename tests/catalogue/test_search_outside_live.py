"""Real servers that search by an engine of one's own: fresh, swapped, and without it."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest

from marquee import db
from tests.catalogue.test_search_live import FRESH, House, until
from tests.committed import committed
from tests.fakes.meilisearch import KEY, FakeMeilisearch
from tests.live import Live, live, own_database


class Engines(House):
    """A house whose servers search by a fake."""

    fake: FakeMeilisearch

    @property
    def variables(self) -> dict[str, str]:
        """Where the engine is."""
        told = {"SEARCH_URL": self.fake.url, "SEARCH_API_KEY": KEY, "SEARCH_TIMEOUT": "3"}
        return {"MARQUEE_DATA": str(self.data), "MARQUEE_THREADS": "2", **told}

    @contextmanager
    def serving(self, workers: int = 1) -> Iterator[Live]:
        """A server that uses it."""
        with live(self.database_url, self.data, workers=workers, **self.variables) as server:
            self.server = server
            client = self.rows.client(server.url, self.rows.user("admin"))
            self.key = client.headers["authorization"]
            yield server


@pytest.fixture
def house(database_url: str, tmp_path: Path) -> Iterator[Engines]:
    """One with a film, and without a server."""
    with ExitStack() as stack:
        url = stack.enter_context(own_database(database_url))
        engine = db.engine_for(url)
        stack.callback(engine.dispose)
        rows = stack.enter_context(committed(engine))
        rows.movie("Jaws")
        made = Engines(url, tmp_path, engine, rows)
        stack.callback(made.asking.close)
        made.fake = stack.enter_context(FakeMeilisearch())
        yield made


def test_every_process_finds_what_has_changed_whoever_dies(house: Engines) -> None:
    with house.serving(workers=2):
        until(lambda: house.finds("jaws"))
        house.rows.movie("Zazie")
        assert until(lambda: house.finds("zazie")) < FRESH + 1
        house.kill_the_keeper()
        house.rows.movie("Amélie")
        until(lambda: house.finds_after_a_death("amelie"))


def test_reindexing_while_it_answers(house: Engines) -> None:
    with house.serving() as server:
        until(lambda: house.finds("jaws"))
        (before,) = house.indexes()
        headers = {"Authorization": house.key}
        answer = httpx.post(f"{server.url}/api/v1/search/reindex", headers=headers, timeout=10)
        assert answer.status_code == 202
        worker = subprocess.Popen(
            [sys.executable, "-m", "marquee", "worker"],
            env={**os.environ, "DATABASE_URL": house.database_url, **house.variables},
            stderr=subprocess.DEVNULL,
        )
        statuses: set[int] = set()

        def is_done() -> bool:
            statuses.add(house.get("/search/movies", q="jaws").status_code)
            history = house.get("/jobs/reindex-search/history").json()["history"]
            return bool(history[0]["status"] == "completed")

        try:
            until(is_done)
        finally:
            worker.send_signal(signal.SIGTERM)
            worker.wait(20)
        (after,) = house.indexes()
        assert (before.generation, after.generation) == (0, 1)
        assert (after.documents, after.building, after.error) == (1, None, None)
        assert after.place == f"{house.fake.url}/marquee"
        assert statuses == {200}
        assert list(house.fake.indexes) == ["marquee"]


def test_all_else_goes_on_without_the_engine(house: Engines) -> None:
    with house.serving():
        until(lambda: house.finds("jaws"))
        house.fake.breaks("slow", seconds=2)
        searches = [
            threading.Thread(target=house.get, args=("/search/movies",), kwargs={"q": "jaws"})
            for _ in range(2)
        ]
        for each in searches:
            each.start()
        # As many searches wait as there are threads and connections for all else.
        started = time.monotonic()
        assert house.get("/movies").status_code == 200
        assert time.monotonic() - started < 1.5
        for each in searches:
            each.join()
        house.fake.heals()
        house.fake.stop()
        answer = house.get("/search/movies", q="jaws")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        house.rows.movie("Zazie")
        house.fake.start()
        until(lambda: house.finds("zazie"), 60)
