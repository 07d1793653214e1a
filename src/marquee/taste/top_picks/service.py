"""Rules of top picks: how they are found, and how they are shown.

The score of a title is the weighted sum of its viewers, its plays (of series, a tenth of the
episodes watched) and its completion in percent; the weights are made to add up to 1.
"""

from datetime import timedelta
from functools import cache
from typing import Any, TypeAlias

from sqlalchemy import (
    ColumnElement,
    Float,
    Insert,
    Select,
    Subquery,
    Text,
    and_,
    bindparam,
    case,
    cast,
    delete,
    func,
    insert,
    literal,
    or_,
    select,
    text,
    update,
)

from marquee import clock
from marquee.catalogue.images.addresses import IMAGES, poster_url
from marquee.catalogue.movies.models import Movie
from marquee.catalogue.translations.models import Translation
from marquee.catalogue.translations.service import translated
from marquee.catalogue.tvshows.models import TVShow
from marquee.db import rows, session, transaction
from marquee.progress import Progress
from marquee.taste.top_picks.models import TopPick, TopPickList
from marquee.watching.progress.items import BEGUN
from marquee.watching.progress.models import Watch

Statement: TypeAlias = Select[*tuple[Any, ...]]
KINDS: dict[str, type[Movie | TVShow]] = {"movie": Movie, "tvshow": TVShow}
PICKS = TopPick.metadata.tables["top_picks"]
CONFIG = ("window_days", "min_unique_viewers", "count")
WEIGHTS = ("viewers_weight", "plays_weight", "completion_weight")
SLOW = text("SET LOCAL statement_timeout = '30min'")
"""Ten million rows take longer to count than any request may."""
LATELY = and_(Watch.last_watched_at >= bindparam("since"), or_(Watch.is_completed, BEGUN))
"""What counts as watching: past a twentieth, as for what to go on with."""


def refresh(progress: Progress) -> dict[str, int]:
    """Make both lists anew; how many titles each has. Each in a transaction of its own."""
    progress.plan(len(KINDS))
    counted = {}
    for kind in KINDS:
        progress.step("Films" if kind == "movie" else "Series")
        with transaction():
            counted["movies" if kind == "movie" else "tvshows"] = _refresh(kind)
    return counted


def shown(kind: str, languages: tuple[str, ...]) -> dict[str, Any]:
    """The list of `movie` or `tvshow`, and how it was made (`rules`), by one query and another for
    a language.
    """
    found = rows(_shown(kind), {"kind": kind})
    head = found[0]
    titles = [row for row in found if row.rank is not None]
    owner = Translation.movie_id if kind == "movie" else Translation.tvshow_id
    rules = {name: getattr(head, f"list_{name}") for name in (*CONFIG, *WEIGHTS)}
    return {
        "items": translated(titles, owner, languages),
        "rules": rules | {"last_refreshed_at": head.refreshed_at},
    }


def _refresh(kind: str) -> int:
    session.execute(SLOW)
    made = session.scalars(
        select(TopPickList).where(TopPickList.kind == kind).with_for_update()
    ).one()
    now = clock.now()
    session.execute(delete(TopPick).where(TopPick.list_id == made.id))
    values = {
        "list_id": made.id,
        "since": now - timedelta(days=made.window_days),
        "min_unique_viewers": made.min_unique_viewers,
        "count": made.count,
        **_weights(made),
    }
    added = session.execute(_found(kind), values).all()
    kept = {"refreshed_at": now, "updated_at": TopPickList.updated_at}
    session.execute(update(TopPickList).where(TopPickList.id == made.id).values(kept))
    return len(added)


def _weights(made: TopPickList) -> dict[str, float]:
    """As parts of 1; alike where all are 0."""
    weights = {name: max(getattr(made, name), 0.0) for name in WEIGHTS}
    total = sum(weights.values())
    return {name: each / total if total else 1 / len(WEIGHTS) for name, each in weights.items()}


@cache
def _found(kind: str) -> Insert:
    """Put the best titles of a kind on its list."""
    watched = _films() if kind == "movie" else _series()
    viewers: ColumnElement[Any] = watched.c.unique_viewers
    plays = watched.c.plays if kind == "movie" else watched.c.plays / literal(10.0)
    score = (
        viewers * bindparam("viewers_weight", type_=Float())
        + plays * bindparam("plays_weight", type_=Float())
        + watched.c.completion * 100 * bindparam("completion_weight", type_=Float())
    )
    order = (score.desc(), viewers.desc(), watched.c.title_id)
    best = (
        select(
            bindparam("list_id"),
            func.row_number().over(order_by=order),
            watched.c.title_id,
            *(viewers, watched.c.plays, watched.c.completion, score),
        )
        .where(viewers >= bindparam("min_unique_viewers"))
        .order_by(*order)
        .limit(bindparam("count"))
    )
    names = ("list_id", "rank", f"{kind}_id", "unique_viewers", "plays", "completion", "score")
    return insert(PICKS).from_select(names, best).returning(PICKS.c.id)


def _films() -> Subquery:
    """One row for each user and film, so that rows are viewers."""
    part = case(
        (Watch.watch_count > 0, 1.0),
        else_=func.least(cast(Watch.progress_seconds, Float) / Watch.duration_seconds, 1.0),
    )
    return (
        select(
            Watch.movie_id.label("title_id"),
            func.count().label("unique_viewers"),
            func.sum(Watch.watch_count).label("plays"),
            func.avg(part).label("completion"),
        )
        .where(Watch.movie_id.is_not(None), LATELY)
        .group_by(Watch.movie_id)
        .subquery("watched")
    )


def _series() -> Subquery:
    """First by viewer, then by series: what one has watched of it in this time is of all of it."""
    episodes = func.count().filter(Watch.watch_count > 0)
    viewers = (
        select(Watch.tvshow_id, episodes.label("episodes"))
        .where(Watch.episode_id.is_not(None), LATELY)
        .group_by(Watch.tvshow_id, Watch.user_id)
        .subquery("viewers")
    )
    known = TVShow.total_episodes
    part = case((known > 0, func.least(cast(viewers.c.episodes, Float) / known, 1.0)), else_=0.0)
    return (
        select(
            viewers.c.tvshow_id.label("title_id"),
            func.count().label("unique_viewers"),
            func.sum(viewers.c.episodes).label("plays"),
            func.avg(part).label("completion"),
        )
        .join(TVShow, TVShow.id == viewers.c.tvshow_id)
        .group_by(viewers.c.tvshow_id)
        .subquery("watched")
    )


@cache
def _shown(kind: str) -> Statement:
    """The list's row beside each of its titles; once, beside nothing, where it has none."""
    title = KINDS[kind]
    owner = TopPick.movie_id if kind == "movie" else TopPick.tvshow_id
    names = ("movie_id", "play_count")
    if kind == "tvshow":
        names = ("tvshow_id", "total_episodes_watched")
    rules = (getattr(TopPickList, name).label(f"list_{name}") for name in (*CONFIG, *WEIGHTS))
    backdrop = literal(f"{IMAGES}/backdrop/original", Text) + title.backdrop_path
    more = (TVShow.networks[1].label("network"),) if kind == "tvshow" else ()
    return (
        select(
            *(title.id, title.id.label(names[0]), title.title, title.year, title.overview),
            *(title.genres, title.vote_average.label("community_rating"), poster_url(title)),
            *(backdrop.label("backdrop_url"), *more),
            *(TopPick.rank, TopPick.unique_viewers, TopPick.plays.label(names[1])),
            *(
                TopPick.completion.label("avg_completion_rate"),
                TopPick.score.label("popularity_score"),
            ),
            *(*rules, TopPickList.refreshed_at),
        )
        .select_from(TopPickList)
        .outerjoin(TopPick, TopPick.list_id == TopPickList.id)
        .outerjoin(title, title.id == owner)
        .where(TopPickList.kind == bindparam("kind"))
        .order_by(TopPick.rank)
    )
