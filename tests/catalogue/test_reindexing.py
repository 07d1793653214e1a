"""Building search indexes anew: what machines tell of it, and who waits for them."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, Row, select, text

from marquee import db
from marquee.catalogue.search import reindexing
from marquee.catalogue.search.keeping import Keeper
from marquee.catalogue.search.models import SearchIndex
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
        db.session.add(self.row)
        db.session.commit()
        db.session.remove()


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


class TestKeeper:
    def test_tries_at_once_when_it_is_asked_again(
        self, scratch_database: Engine, tmp_path: Path, set_variables: Callable[..., None]
    ) -> None:
        """Although it has failed a moment ago; and tells of the error no more."""
        set_variables(MARQUEE_DATA=str(tmp_path))
        keeper = Keeper(scratch_database)

        def turned() -> Row[Any]:
            keeper._turn(heard=True)  # noqa: SLF001 - a turn of its thread
            with scratch_database.connect() as connection:
                return connection.execute(text("SELECT * FROM search_indexes")).one()

        # The process that builds is told of no database.
        until(lambda: turned().error)
        assert turned().building is None
        with scratch_database.begin() as connection:
            asked = connection.execute(text("SELECT nextval('search_generation')")).scalar_one()
        again = turned()
        assert (again.error, again.attempted) == (None, asked)
        until(lambda: turned().error)
        with scratch_database.begin() as connection:
            connection.execute(text("TRUNCATE search_indexes"))
        keeper._lock.close()  # noqa: SLF001 - as at the end of its process
        keeper._engine.dispose()  # noqa: SLF001
