"""The latest recommendations of a user, in a line each."""

from typing import Any

from sqlalchemy import Text, and_, bindparam, case, cast, func, select
from sqlalchemy.dialects.postgresql import distinct_on

from marquee.catalogue.images.addresses import poster_url
from marquee.catalogue.movies.models import Movie
from marquee.db import as_dict, rows
from marquee.taste.recommendations.models import (
    Recommendation,
    RecommendationFeedback,
    RecommendedMovie,
)
from marquee.viewer import Viewer

MOST, LOOKED_AT = 20, 100
"""Summaries, and the recommendations that they are found among."""

_mine = (
    select(Recommendation)
    .where(Recommendation.user_id == bindparam("user_id"))
    .order_by(Recommendation.id.desc())
    .limit(LOOKED_AT)
    .subquery()
)
_asked = (cast(_mine.c.people, Text), _mine.c.experience_mode)
_latest = select(_mine).ext(distinct_on(*_asked)).order_by(*_asked, _mine.c.id.desc()).subquery()
_said = (
    select(RecommendationFeedback.kind)
    .where(RecommendationFeedback.recommendation_id == _latest.c.id)
    .order_by(RecommendationFeedback.updated_at.desc(), RecommendationFeedback.id.desc())
    .limit(1)
    .scalar_subquery()
)
_main = and_(RecommendedMovie.recommendation_id == _latest.c.id, RecommendedMovie.is_main)
SUMMARIES = (
    select(
        *(_latest.c.slug.label("id"), _latest.c.status, _latest.c.stage),
        *(_latest.c.created_at, _latest.c.completed_at),
        func.jsonb_array_length(_latest.c.people).label("people_count"),
        Movie.title.label("movie_name"),
        Movie.year.label("movie_year"),
        case((Movie.id.is_not(None), poster_url(Movie))).label("poster_url"),
        _said.label("feedback_kind"),
    )
    .select_from(_latest)
    .outerjoin(RecommendedMovie, _main)
    .outerjoin(Movie, Movie.id == RecommendedMovie.movie_id)
    .order_by(_latest.c.id.desc())
    .limit(MOST)
)


def latest(viewer: Viewer) -> list[dict[str, Any]]:
    """What the viewer asked for, each with the film that was chosen first, the newest before. The
    same questions asked again are one.
    """
    return [as_dict(row) for row in rows(SUMMARIES, {"user_id": viewer.id})]
