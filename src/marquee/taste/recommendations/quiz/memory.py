"""What is known of the one who asks: what must not be given, and what was liked or was not."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import Boolean, and_, bindparam, literal, or_, select, union_all

from marquee import clock
from marquee.db import first, rows
from marquee.identity.users.models import User
from marquee.taste.favorites.models import Favorite
from marquee.taste.ratings.models import Rating
from marquee.taste.recommendations.models import Recommendation, RecommendedMovie
from marquee.taste.recommending.weighing import DISLIKED
from marquee.watching.progress.models import Watch

LIKED_FROM = 7.5
"""Ratings of so many of 10, or more, are likes."""
LATELY, LATEST = timedelta(days=30), 2
"""What was recommended within these days, by so many recommendations, is not given again."""
MOST_LIKED = 200
USER = select(User.max_parental_rating).where(User.id == bindparam("user_id"))
WATCHES = select(Watch.movie_id, Watch.remark, (Watch.watch_count > 0).label("is_watched")).where(
    Watch.user_id == bindparam("user_id"),
    Watch.movie_id.is_not(None),
    or_(Watch.watch_count > 0, Watch.remark.is_not(None)),
)
LIKES = union_all(
    select(Favorite.movie_id, Favorite.created_at.label("at"), literal(10.0).label("score")).where(
        Favorite.user_id == bindparam("user_id")
    ),
    select(Rating.movie_id, Rating.updated_at, Rating.score).where(
        Rating.user_id == bindparam("user_id"), Rating.movie_id.is_not(None)
    ),
).subquery()
RATED = select(LIKES).order_by(LIKES.c.at.desc())
LAST = (
    select(Recommendation.id)
    .where(
        Recommendation.user_id == bindparam("user_id"),
        Recommendation.id < bindparam("recommendation_id"),
        Recommendation.created_at >= bindparam("since"),
        Recommendation.status == "completed",
    )
    .order_by(Recommendation.id.desc())
    .limit(LATEST)
)
GIVEN = select(RecommendedMovie.movie_id).where(
    or_(
        RecommendedMovie.recommendation_id.in_(LAST),
        and_(
            RecommendedMovie.recommendation_id == bindparam("recommendation_id"),
            bindparam("is_more", type_=Boolean()),
            ~RecommendedMovie.is_more,
        ),
    )
)


@dataclass(frozen=True)
class Memory:
    """What a user did, by the ids of films."""

    vetoed: frozenset[int] = frozenset()
    """Watched, not wanted, disliked, or given lately."""
    wrong_mood: frozenset[int] = frozenset()
    liked: Mapping[int, float] = field(default_factory=dict)
    """Those that were liked, the latest first, of 0 to 1: how much."""
    max_age: int | None = None
    """Films for older people are not for this user; None for no bound."""

    @property
    def is_known(self) -> bool:
        """Whether it says anything of the user's taste."""
        return bool(self.liked or self.wrong_mood)


def of(user_id: int, recommendation_id: int, *, is_more: bool) -> Memory:
    """What a user did until this recommendation was asked for, by four queries. Where more is
    wanted, what it has given already is vetoed too.
    """
    values: dict[str, Any] = {
        "user_id": user_id,
        "recommendation_id": recommendation_id,
        "is_more": is_more,
        "since": clock.now() - LATELY,
    }
    watches, rated = rows(WATCHES, values), rows(RATED, values)
    given = rows(GIVEN, values)
    user = first(USER, values)
    disliked = {row.movie_id for row in rated if row.score <= DISLIKED}
    seen = {row.movie_id for row in watches if row.is_watched or row.remark == "not_interested"}
    said = {row.movie_id: 1.0 for row in watches if row.remark == "liked"}
    liked = {row.movie_id: row.score / 10 for row in reversed(rated) if row.score >= LIKED_FROM}
    newest = dict(list((said | dict(reversed(liked.items()))).items())[:MOST_LIKED])
    return Memory(
        vetoed=frozenset({*disliked, *seen, *(row.movie_id for row in given)}),
        wrong_mood=frozenset(row.movie_id for row in watches if row.remark == "wrong_mood"),
        liked=newest,
        max_age=user.max_parental_rating if user else None,
    )
