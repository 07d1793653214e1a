"""Rules of positions: which one holds, and what is watched by it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ARRAY, BigInteger, ColumnElement, Row, any_, delete, literal, select, update

from marquee import clock
from marquee.db import first, missing, session
from marquee.errors import Invalid, NotFound
from marquee.viewer import Viewer
from marquee.watching.progress.items import EPISODES, Item
from marquee.watching.progress.models import Watch

FASTEST_CLOCK = timedelta(minutes=5)
"""How far a player's clock may be ahead of ours."""


def position(viewer: Viewer, item: Item, item_id: int) -> Row[*tuple[Any, ...]]:
    """How far the viewer is. Raises NotFound, PROGRESS_NOT_FOUND where there is no position."""
    found = _position(viewer, item, item_id)
    if found is None:
        title = item.find(viewer, item_id).title
        raise NotFound(f"There is no position in {title}.", "PROGRESS_NOT_FOUND")
    return found


def report(viewer: Viewer, item: Item, item_id: int, body: dict[str, Any]) -> Row[*tuple[Any, ...]]:
    """Store a position; the one that then holds. An earlier moment than the stored one's changes
    nothing. Raises NotFound, and Invalid for a moment that is yet to come.
    """
    values = {
        "user_id": viewer.id,
        "item_id": item_id,
        "progress_seconds": body["progress_seconds"],
        "duration_seconds": body["duration_seconds"],
        "at": _moment(body.get("last_watched_at")),
    }
    stored = session.execute(item.report, values).first() or _position(viewer, item, item_id)
    if stored is None:
        raise missing(item.model, item_id)
    return stored


def forget_position(viewer: Viewer, item: Item, item_id: int) -> None:
    """Forget how far the viewer is, but not how often it was watched. Raises NotFound."""
    item.find(viewer, item_id)
    mine = (Watch.user_id == viewer.id) & (item.owner == item_id)
    emptied = {"progress_seconds": 0, "duration_seconds": None}
    session.execute(update(Watch).where(mine).values(**emptied, is_completed=Watch.watch_count > 0))
    _remove_empty(mine)


def forget(condition: ColumnElement[bool]) -> int:
    """Forget all that was watched of these rows; how many there were."""
    watched = condition & (Watch.last_watched_at.is_not(None) | (Watch.watch_count > 0))
    # In the order in which they are inserted, and no others: of two at once only one waits then.
    order = Watch.movie_id, Watch.episode_id
    locked = session.scalars(select(Watch.id).where(watched).order_by(*order).with_for_update())
    rows: ColumnElement[bool] = Watch.id == any_(literal(locked.all(), ARRAY(BigInteger)))
    emptied: dict[str, Any] = {
        "progress_seconds": 0,
        "duration_seconds": None,
        "is_completed": False,
        "watch_count": 0,
        "counted_at": None,
        "last_watched_at": None,
    }
    done = session.scalars(update(Watch).where(rows).values(**emptied).returning(Watch.id)).all()
    _remove_empty(rows)
    return len(done)


def complete(viewer: Viewer, item: Item, item_id: int) -> None:
    """Mark one as watched now; one that is completed stays as it is. Raises NotFound."""
    item.find(viewer, item_id)
    _complete(viewer, item, [item_id])


def complete_episodes(viewer: Viewer, ids: Sequence[int]) -> int:
    """Mark episodes as watched now; how many were not completed. Raises NotFound for one that is
    unknown, and marks none.
    """
    model = EPISODES.model
    known = set(session.scalars(select(model.id).where(model.id.in_(ids))))
    for each in ids:
        if each not in known:
            raise missing(model, each)
    return len(_complete(viewer, EPISODES, ids))


def _complete(viewer: Viewer, item: Item, ids: Sequence[int]) -> Sequence[Any]:
    values = {"user_id": viewer.id, "item_ids": list(ids), "at": clock.now()}
    return session.execute(item.complete, values).all()


def _position(viewer: Viewer, item: Item, item_id: int) -> Row[*tuple[Any, ...]] | None:
    return first(item.position, {"user_id": viewer.id, "item_id": item_id})


def _moment(said: datetime | None) -> datetime:
    """When a player was there. What a clock is fast is not believed: it would hold back the
    positions of others until then.
    """
    now = clock.now()
    if said is None:
        return now
    if said > now + FASTEST_CLOCK:
        raise Invalid.value("body", "/last_watched_at", "lies in the future")
    return min(said, now)


def _remove_empty(condition: ColumnElement[bool]) -> None:
    """Remove rows that say nothing any more."""
    nothing = (Watch.watch_count == 0) & Watch.duration_seconds.is_(None) & Watch.remark.is_(None)
    session.execute(delete(Watch).where(condition, nothing))
