"""Building search indexes anew: what machines tell of it, and who waits for them."""

import shutil
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, Row, select, text

from marquee import clock, db
from marquee.catalogue.search import reindexing
from marquee.catalogue.search.keeping import Building, Keeper
from marquee.catalogue.search.models import SearchIndex
from marquee.processes import Lock
from marquee.progress import Progress
from tests.catalogue.test_search_live import until

Make = Callable[..., Any]
FULL = "No space left on device"


class Machine(Progress):
    """Builds, or fails to, as soon as somebody waits for it."""

    def __init__(self, row: SearchIndex, error: str | None) -> None:
        super().__init__()
        self.row, self.error = row, error

    def advance(self, items: int = 1, current: str | None = None) -> None:
        super().advance(items, current)
        asked = db.session.scalars(select(text("last_value from search_generation"))).one()
        self.row.attempted, self.row.error = asked, self.error
        if self.error is None:
            self.row.generation, self.row.documents = asked, 7
        self._tell()

    def _tell(self) -> None:
        db.session.add(self.row)
        db.session.commit()
        db.session.remove()


class Silent(Machine):
    """Is heard of no more as soon as somebody waits for it."""

    def advance(self, items: int = 1, current: str | None = None) -> None:
        Progress.advance(self, items, current)
        self.row.seen_at = clock.now() - timedelta(hours=1)
        self._tell()


class Returning(Machine):
    """Tells of its index again a moment after somebody has looked for it."""

    def check(self) -> None:
        super().check()
        self.row.seen_at = clock.now()
        self._tell()


@pytest.fixture
def silent(make: Make) -> SearchIndex:
    """A machine that had no database for a minute, as nobody had."""
    made: SearchIndex = make(
        SearchIndex, place="here:/data", seen_at=clock.now() - timedelta(minutes=1)
    )
    return made


@pytest.fixture
def failed(make: Make) -> SearchIndex:
    """A machine that could not build its index some time ago."""
    made: SearchIndex = make(SearchIndex, place="here:/data", error=FULL)
    return made


@pytest.fixture
def numbered(engine: Engine) -> Iterator[None]:
    """Numbers of a sequence are not given back by a rollback."""
    yield
    with engine.begin() as connection:
        connection.execute(text("SELECT setval('search_generation', 1, false)"))


class TestReindex:
    def test_an_earlier_failure_is_none_of_this(self, failed: SearchIndex, numbered: None) -> None:
        db.session.remove()
        assert reindexing.reindex(Machine(failed, None)) == {"indexes": 1, "documents": 7}

    def test_a_failure_is(self, failed: SearchIndex, numbered: None) -> None:
        db.session.remove()
        with pytest.raises(reindexing.NotBuilt, match=FULL):
            reindexing.reindex(Machine(failed, FULL))

    def test_it_is_one_if_nobody_has_built(self, failed: SearchIndex, numbered: None) -> None:
        db.session.remove()
        with pytest.raises(reindexing.NotBuilt, match="not heard of"):
            reindexing.reindex(Silent(failed, None))

    def test_servers_may_be_silent_for_a_while(self, silent: SearchIndex, numbered: None) -> None:
        db.session.remove()
        assert reindexing.reindex(Returning(silent, None)) == {"indexes": 1, "documents": 7}

    def test_no_server_is_no_failure(
        self, silent: SearchIndex, numbered: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(reindexing, "LIVING_SECONDS", 0)
        db.session.remove()
        progress = Progress()
        assert reindexing.reindex(progress) == {"indexes": 0, "documents": 0}
        assert "No server is running" in progress.shown()["logs"][-1]["message"]


class TestBuilding:
    def test_may_say_much(self, tmp_path: Path) -> None:
        """More than a pipe holds; the last of it is why it has failed."""
        said = "import sys; sys.stderr.write(100_000 * 'x\\n'); raise OSError('The disk is full.')"
        building = Building("timeit", said, folder=tmp_path)
        until(lambda: building.has_ended)
        assert building.failure == "OSError: The disk is full."
        building.end()
        assert list(tmp_path.iterdir()) == []

    def test_is_killed(self, tmp_path: Path) -> None:
        building = Building("timeit", "import time; time.sleep(60)", folder=tmp_path)
        assert not building.has_ended
        building.end()
        assert building.has_ended


class Kept:
    """The keeper of a folder, whose thread goes round when a test says so."""

    def __init__(self, engine: Engine, data: Path) -> None:
        self.engine, self.data, self.keeper = engine, data, Keeper(engine)

    def turned(self) -> Row[Any]:
        """What it tells after a turn."""
        self.keeper._turn(heard=True)  # noqa: SLF001 - a turn of its thread
        with self.engine.connect() as connection:
            return connection.execute(text("SELECT * FROM search_indexes")).one()

    def end(self) -> None:
        """As its process would."""
        with self.engine.begin() as connection:
            connection.execute(text("TRUNCATE search_indexes"))
        self.keeper._lock.close()  # noqa: SLF001
        self.keeper._engine.dispose()  # noqa: SLF001


@pytest.fixture
def kept(
    scratch_database: Engine, tmp_path: Path, set_variables: Callable[..., None]
) -> Iterator[Kept]:
    """One whose builder fails: it is told of no database."""
    set_variables(MARQUEE_DATA=str(tmp_path))
    made = Kept(scratch_database, tmp_path)
    yield made
    made.end()


class TestKeeper:
    def test_tries_at_once_when_it_is_asked_again(self, kept: Kept) -> None:
        """Although it has failed a moment ago; and tells of the error no more."""
        until(lambda: kept.turned().error)
        assert kept.turned().building is None
        with kept.engine.begin() as connection:
            asked = connection.execute(text("SELECT nextval('search_generation')")).scalar_one()
        again = kept.turned()
        assert (again.error, again.attempted) == (None, asked)
        until(lambda: kept.turned().error)

    def test_begins_anew_where_the_folder_is_gone(self, kept: Kept) -> None:
        """And builds at once, although it builds already, or has failed a moment ago."""
        kept.turned()
        for _ in range(2):
            shutil.rmtree(kept.data / "search")
            assert kept.turned().error is None
            assert len(list(kept.data.glob("search/*/*/"))) == 1
            until(lambda: kept.turned().error)

    def test_leaves_a_folder_that_another_has_made(self, kept: Kept) -> None:
        kept.turned()
        (folder,) = kept.data.glob("search/*")
        shutil.rmtree(folder)
        folder.mkdir()
        with Lock(folder / "keeper.lock") as another:
            assert another.take()
            kept.turned()
            assert [each.name for each in folder.iterdir()] == ["keeper.lock"]
