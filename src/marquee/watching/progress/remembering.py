"""What users say of films beside players and ratings: that they have seen one, or what they thought
of it. It stands in the same rows.

A film that somebody says to have seen has no position and no moment: nobody knows when that was.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    ColumnElement,
    Integer,
    Text,
    and_,
    bindparam,
    case,
    cast,
    column,
    delete,
    func,
    or_,
    select,
    text,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import Insert, insert

from marquee.catalogue.movies.models import Movie
from marquee.db import session
from marquee.viewer import Viewer
from marquee.watching.progress import service
from marquee.watching.progress.models import OF_MOVIES, Watch

WATCHED, NOT_SEEN = "watched", "not_seen"
WATCHES = Watch.metadata.tables["watches"]
IS_WATCHED = Watch.watch_count > 0
KIND = case(
    (IS_WATCHED & (Watch.remark.is_(None) | (Watch.remark == NOT_SEEN)), WATCHED),
    else_=Watch.remark,
).label("kind")
"""What is known of a film: `watched` or a remark; who has watched it since has seen it."""
ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtextextended('said ' || :user_id, 0))")
"""What takes several statements, a user does one after the other: between them rows come and go, so
that no order of locks would keep two from waiting for each other.
"""
IS_SAID = and_(Watch.movie_id.is_not(None), or_(IS_WATCHED, Watch.remark.is_not(None)))


def remember(viewer: Viewer, said: Mapping[int, str]) -> None:
    """Store what the viewer says of films that exist, by their ids: `watched` or a remark.

    The last word holds. What was not seen was not watched either: its position and its count go.
    """
    unseen = [movie_id for movie_id, kind in said.items() if kind == NOT_SEEN]
    session.execute(ONE_AT_A_TIME, {"user_id": viewer.id})
    if unseen:
        service.forget((Watch.user_id == viewer.id) & Watch.movie_id.in_(unseen))
    values = {"user_id": viewer.id, "movie_ids": list(said), "kinds": list(said.values())}
    session.execute(SAID, values)


def forget_said(viewer: Viewer, movie_ids: Iterable[int]) -> None:
    """Forget what the viewer said of films, and that they were watched; a position in one that was
    only begun stays.
    """
    mine = (Watch.user_id == viewer.id) & Watch.movie_id.in_(list(movie_ids))
    session.execute(ONE_AT_A_TIME, {"user_id": viewer.id})
    session.execute(delete(Watch).where(mine, IS_WATCHED | Watch.duration_seconds.is_(None)))
    session.execute(update(Watch).where(mine).values(remark=None))


def _statement() -> Insert:
    """In the order of ids, so that two at once wait for each other and never both."""
    columns = column("movie_id", BigInteger), column("kind", Text)
    said: Any = func.unnest(
        bindparam("movie_ids", type_=ARRAY(BigInteger)), bindparam("kinds", type_=ARRAY(Text))
    )
    said = said.table_valued(*columns, name="said").render_derived()
    watched: ColumnElement[bool] = cast(said.c.kind == WATCHED, Boolean)
    films = (
        select(
            bindparam("user_id", type_=BigInteger()),
            Movie.id,
            watched,
            cast(watched, Integer),
            case((watched, None), else_=said.c.kind),
        )
        .join(said, said.c.movie_id == Movie.id)
        .order_by(Movie.id)
        .with_for_update(key_share=True, read=True, of=Movie)
    )
    names = ("user_id", "movie_id", "is_completed", "watch_count", "remark")
    made = insert(WATCHES).from_select(names, films)
    new, old = made.excluded, WATCHES.c
    seen_now = and_(new.watch_count > 0, old.watch_count == 0)
    return made.on_conflict_do_update(
        index_elements=["user_id", "movie_id"],
        index_where=OF_MOVIES,
        set_={
            "remark": new.remark,
            "watch_count": func.greatest(old.watch_count, new.watch_count),
            "is_completed": case((seen_now, true()), else_=old.is_completed),
            "progress_seconds": case(
                (seen_now, func.coalesce(old.duration_seconds, 0)), else_=old.progress_seconds
            ),
            "updated_at": func.clock_timestamp(),
        },
    )


SAID = _statement()
