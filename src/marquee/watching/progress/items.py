"""Films and episodes as what is watched: the statements that both have, built once."""

from functools import cached_property
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    DateTime,
    Float,
    Integer,
    Select,
    Table,
    and_,
    any_,
    bindparam,
    case,
    cast,
    false,
    func,
    literal,
    literal_column,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql.dml import ReturningInsert

from marquee.catalogue.movies.models import Movie
from marquee.catalogue.tvshows.models import Episode
from marquee.db import find
from marquee.viewer import Viewer
from marquee.watching.progress.models import OF_EPISODES, OF_MOVIES, Watch

WATCHES = Watch.metadata.tables["watches"]
HAS_POSITION = Watch.duration_seconds.is_not(None)


def begun(watch: type[Watch]) -> ColumnElement[bool]:
    """Whether a position is past a twentieth."""
    return watch.progress_seconds * 20 > watch.duration_seconds


BEGUN = begun(Watch)
PERCENT = case(
    (
        HAS_POSITION,
        cast(func.least(Watch.progress_seconds * 1000 // Watch.duration_seconds, 1000), Float) / 10,
    )
).label("progress_percent")
"""How far it is, 0.0 to 100.0; None where there is no position."""
PROGRESS = (
    *(each for each in WATCHES.columns if each.key not in {"remark", "counted_at"}),
    PERCENT,
)
"""The columns of a position."""
SOONEST = 4
"""Within the fourth part of its length nobody watches anything twice: what is completed again so
soon was wound back a little, or runs on two devices at once."""


class Item:
    """One kind of what is watched. `usual_seconds` is how long one takes that says nothing."""

    def __init__(
        self,
        model: type[Movie | Episode],
        owner: InstrumentedAttribute[int | None],
        usual_seconds: int,
    ) -> None:
        self.model, self.owner = model, owner
        self._titles: Table = model.metadata.tables[model.__tablename__]
        self.usual_seconds = usual_seconds

    def find(self, viewer: Viewer, item_id: int) -> Movie | Episode:
        """One of them. Raises NotFound."""
        if self.model is Movie:
            return find(Movie.visible_to(viewer), item_id)
        return find(Episode.visible_to(viewer), item_id)

    @cached_property
    def position(self) -> Select[Any]:
        """The position of `user_id` in `item_id`."""
        return select(*PROGRESS).where(self._mine, HAS_POSITION)

    @cached_property
    def report(self) -> ReturningInsert[*tuple[Any, ...]]:
        """Store the position `progress_seconds` of `duration_seconds` at the moment `at`, unless a
        later one is stored; give it back, or nothing.

        One statement, so that of two at once the second sees what the first has stored. Nothing
        is stored for a title that does not exist.
        """
        progress = bindparam("progress_seconds", type_=BigInteger())
        duration = bindparam("duration_seconds", type_=BigInteger())
        at = bindparam("at", type_=DateTime(timezone=True))
        completed: ColumnElement[bool] = progress * 10 > duration * 9
        made = self._new(
            self._titles.c.id == bindparam("item_id"),
            progress_seconds=progress,
            duration_seconds=duration,
            is_completed=completed,
            watch_count=cast(completed, Integer),
            counted_at=case((completed, at)),
        )
        new, old = made.excluded, WATCHES.c
        again = and_(
            new.is_completed,
            ~old.is_completed,
            or_(
                old.counted_at.is_(None),
                new.last_watched_at - old.counted_at
                >= new.duration_seconds * literal_column("interval '1 s'") / SOONEST,
            ),
        )
        return made.on_conflict_do_update(
            **self._conflict,
            set_={
                "progress_seconds": new.progress_seconds,
                "duration_seconds": new.duration_seconds,
                "is_completed": new.is_completed,
                "watch_count": old.watch_count + cast(again, Integer),
                "counted_at": case((again, new.last_watched_at), else_=old.counted_at),
                "last_watched_at": func.greatest(old.last_watched_at, new.last_watched_at),
                "updated_at": func.clock_timestamp(),
            },
            where=(new.last_watched_at >= old.last_watched_at)
            | old.last_watched_at.is_(None)
            | old.duration_seconds.is_(None),
        ).returning(*PROGRESS)

    @cached_property
    def complete(self) -> ReturningInsert[int | None]:
        """Store that each of `item_ids` was watched to its end at the moment `at`, but for those
        that are completed already; give back the ids of the others.
        """
        made = self._new(
            self._titles.c.id == any_(bindparam("item_ids", type_=ARRAY(BigInteger))),
            progress_seconds=self._length,
            duration_seconds=self._length,
            is_completed=true(),
            watch_count=literal(1),
            counted_at=bindparam("at", type_=DateTime(timezone=True)),
        )
        new, old = made.excluded, WATCHES.c
        length = func.coalesce(old.duration_seconds, new.duration_seconds)
        return made.on_conflict_do_update(
            **self._conflict,
            set_={
                "progress_seconds": length,
                "duration_seconds": length,
                "is_completed": true(),
                "watch_count": old.watch_count + 1,
                "counted_at": new.counted_at,
                "last_watched_at": func.greatest(old.last_watched_at, new.last_watched_at),
                "updated_at": func.clock_timestamp(),
            },
            where=old.is_completed == false(),
        ).returning(self.owner)

    @property
    def _length(self) -> ColumnElement[int]:
        """In seconds, by the catalogue."""
        minutes = self._titles.c.runtime_minutes
        return case((minutes > 0, minutes * 60), else_=literal(self.usual_seconds))

    @property
    def _mine(self) -> ColumnElement[bool]:
        return and_(Watch.user_id == bindparam("user_id"), self.owner == bindparam("item_id"))

    def _new(self, wanted: ColumnElement[bool], **values: ColumnElement[Any]) -> Insert:
        """Insert a row for each title that is wanted and exists. In the order of ids, so that two
        at once wait for each other and never both; titles cannot go before it is committed.
        """
        values |= {
            "user_id": bindparam("user_id", type_=BigInteger()),
            "last_watched_at": bindparam("at", type_=DateTime(timezone=True)),
            self.owner.key: self._titles.c.id,
        }
        if self.owner is Watch.episode_id:
            values["tvshow_id"] = self._titles.c.tvshow_id
        titles = select(*values.values()).where(wanted).order_by(self._titles.c.id)
        locked = titles.with_for_update(key_share=True, read=True)
        return insert(WATCHES).from_select([*values], locked)

    @property
    def _conflict(self) -> dict[str, Any]:
        of_kind = OF_MOVIES if self.owner is Watch.movie_id else OF_EPISODES
        return {"index_elements": ["user_id", self.owner.key], "index_where": of_kind}


FILMS = Item(Movie, Watch.movie_id, 7200)
EPISODES = Item(Episode, Watch.episode_id, 2700)
