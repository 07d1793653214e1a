"""The figures of a profile."""

from functools import cache
from typing import Any

from sqlalchemy import (
    Float,
    Integer,
    Numeric,
    Select,
    any_,
    bindparam,
    cast,
    desc,
    func,
    select,
)

from marquee.db import as_dict, first, rows
from marquee.taste.favorites.models import Favorite
from marquee.taste.ratings.models import Rating
from marquee.taste.taste_profiles.kinds import MOVIE, Kind

MOST = 5
"""How many genres and favourites are named."""
LIKED = 8
"""The score, of 10, from which on a series counts among the favourites."""


def of(user_id: int, kind: Kind) -> dict[str, Any]:
    """The figures of what a user has watched, by two statements."""
    mine = {"user_id": user_id}
    found = first(_figures(kind), mine)
    figures = as_dict(found) if found else {}
    favorites = rows(_favorites(kind), mine)
    return {
        **figures,
        "top_genres": figures["top_genres"] or [],
        "recent_favorites": [as_dict(each) for each in favorites],
    }


@cache
def _figures(kind: Kind) -> Select[*tuple[Any, ...]]:
    # As an array the ids are looked up first, and each title is read once for all figures.
    watched = any_(func.array(kind.titles.scalar_subquery()))
    seen = (
        select(kind.model.genres, kind.model.year)
        .where(kind.model.id == watched)
        .cte("seen")
        .prefix_with("MATERIALIZED", dialect="postgresql")
    )
    each = select(func.unnest(seen.c.genres).label("genre")).subquery("each")
    genres = (
        select(each.c.genre, func.count().label("count"))
        .group_by(each.c.genre)
        .order_by(desc("count"), each.c.genre)
        .limit(MOST)
        .subquery("genres")
    )
    named = func.json_build_object("genre", genres.c.genre, "count", genres.c.count)
    decade = cast(seen.c.year // 10 * 10, Integer)
    favorite = (
        select(func.concat(decade, "s"))
        .where(seen.c.year.is_not(None))
        .group_by(decade)
        .order_by(func.count().desc(), decade.desc())
        .limit(1)
    )
    average = select(cast(func.round(cast(func.avg(Rating.score) / 2, Numeric), 2), Float))
    return select(
        select(func.count()).select_from(seen).scalar_subquery().label("total_watched"),
        select(func.json_agg(named)).scalar_subquery().label("top_genres"),
        average.where(kind.of_user).scalar_subquery().label("average_rating"),
        favorite.scalar_subquery().label("favorite_decade"),
    )


@cache
def _favorites(kind: Kind) -> Select[*tuple[Any, ...]]:
    # The few that are shown are found before their titles are read.
    if kind is MOVIE:
        found = select(Favorite.movie_id.label("title_id"), Favorite.created_at.label("since"))
        found = found.add_columns(Favorite.id).where(Favorite.user_id == bindparam("user_id"))
    else:
        found = select(kind.rated.label("title_id"), Rating.updated_at.label("since"))
        found = found.add_columns(Rating.id).where(kind.of_user, Rating.score >= LIKED)
    few = found.order_by(desc("since"), desc("id")).limit(MOST).subquery("few")
    return (
        select(kind.model.id, kind.model.title, kind.model.year)
        .join(few, few.c.title_id == kind.model.id)
        .order_by(few.c.since.desc(), few.c.id.desc())
    )
