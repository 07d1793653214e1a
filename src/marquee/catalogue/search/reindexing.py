"""Building all search indexes anew, on every machine."""

import time
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, select, text
from sqlalchemy.sql import func

from marquee import clock
from marquee.catalogue.search.models import SearchIndex
from marquee.db import rows, session, transaction
from marquee.progress import Progress

LIVING_SECONDS = 30
LOOK_SECONDS = 0.5
ASK = text("SELECT nextval('search_generation')")
LIVING = select(
    SearchIndex.place,
    SearchIndex.generation,
    SearchIndex.attempted,
    SearchIndex.documents,
    SearchIndex.building,
    SearchIndex.error,
).where(SearchIndex.seen_at > func.now() - func.make_interval(0, 0, 0, 0, 0, 0, LIVING_SECONDS))


class NotBuilt(RuntimeError):
    """An index could not be built."""


def reindex(progress: Progress) -> dict[str, int]:
    """Ask every machine for a new index, and wait until all have one.

    They are asked in a transaction of its own. Raises NotBuilt where one says that it cannot, or
    where one has lived and none has built.
    """
    progress.plan(1)
    asked_at = clock.now()
    with transaction():
        generation = session.execute(ASK).scalar_one()
    living = _living(progress)
    if not living:
        progress.log("No server is running: indexes are built when one starts.", "warn")
        return {"indexes": 0, "documents": 0}
    progress.step("search indexes", items=sum(row.documents for row in living))
    progress.log(f"{len(living)} to build.", since=asked_at.isoformat())
    built = 0
    while any(row.generation < generation for row in living):
        for row in living:
            if row.error and row.generation < generation <= row.attempted:
                raise NotBuilt(f"{row.place}: {row.error}")
        now_built = sum(_built(row, generation) for row in living)
        progress.advance(max(0, now_built - built))
        built = max(built, now_built)
        time.sleep(LOOK_SECONDS)
        with transaction():
            living = rows(LIVING)
    if not living:
        raise NotBuilt("The servers were not heard of any more before they had built an index.")
    return {"indexes": len(living), "documents": sum(row.documents for row in living)}


def _living(progress: Progress) -> Sequence[Row[*tuple[Any, ...]]]:
    """What machines tell of their indexes; none if nobody tells of one for as long as they may be
    silent: after an outage of the database they had no time yet.
    """
    deadline = time.monotonic() + LIVING_SECONDS
    while True:
        with transaction():
            living = rows(LIVING)
        if living or time.monotonic() >= deadline:
            return living
        progress.check()
        time.sleep(LOOK_SECONDS)


def _built(row: Row[*tuple[Any, ...]], generation: int) -> int:
    """How many documents of the new index there are."""
    return int(row.documents if row.generation >= generation else row.building or 0)
