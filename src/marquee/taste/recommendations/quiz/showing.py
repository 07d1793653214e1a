"""Recommendations as they are shown."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import ARRAY, BigInteger, any_, bindparam, or_, select

from marquee.catalogue.images.addresses import poster_url
from marquee.catalogue.movies.models import Movie
from marquee.catalogue.translations.models import Translation
from marquee.catalogue.translations.service import named
from marquee.db import first, rows
from marquee.taste.recommendations.models import (
    Recommendation,
    RecommendationFeedback,
    RecommendedMovie,
)
from marquee.taste.recommendations.quiz.asking import unknown
from marquee.viewer import Viewer

Answer = dict[str, Any]
STAGES = (
    *("queued", "preparing", "embedding", "local-search", "tmdb-search"),
    *("ai-ranking", "posters", "descriptions", "complete"),
)
"""In their order. One that has failed stays at the stage that it was in."""
FROM_TMDB = "tmdb-discover"
ONE = select(
    *(Recommendation.id, Recommendation.slug, Recommendation.user_id, Recommendation.is_shared),
    *(Recommendation.people, Recommendation.experience_mode, Recommendation.source_strategy),
    *(Recommendation.language, Recommendation.status, Recommendation.stage),
    *(Recommendation.error_code, Recommendation.used_broader_search),
    *(Recommendation.more_picks_status, Recommendation.created_at, Recommendation.completed_at),
).where(
    Recommendation.slug == bindparam("slug"),
    or_(Recommendation.user_id == bindparam("viewer_id"), Recommendation.is_shared),
)
SAID = (RecommendationFeedback.recommendation_id == RecommendedMovie.recommendation_id) & (
    RecommendationFeedback.movie_id == RecommendedMovie.movie_id
)
FILM = (
    *(Movie.id, Movie.id.label("movie_id"), Movie.tmdb_id, Movie.title, Movie.year),
    *(Movie.age_rating, Movie.runtime_minutes.label("duration_minutes")),
    *(Movie.vote_average.label("score_rating"), poster_url(Movie)),
)
"""What is told of each film besides why it was chosen."""
THESE = select(*FILM).where(Movie.id == any_(bindparam("ids", type_=ARRAY(BigInteger))))
FILMS = (
    select(
        *(*FILM, RecommendedMovie.similarity, RecommendedMovie.is_more),
        RecommendedMovie.description.label("ai_description"),
        RecommendedMovie.is_main.label("is_main_recommendation"),
        RecommendedMovie.source,
        RecommendationFeedback.kind.label("feedback_kind"),
    )
    .join(Movie, Movie.id == RecommendedMovie.movie_id)
    .outerjoin(RecommendationFeedback, SAID)
    .where(RecommendedMovie.recommendation_id == bindparam("recommendation_id"))
    .order_by(RecommendedMovie.is_main.desc(), RecommendedMovie.rank)
)


def shown(viewer: Viewer, slug: str) -> Answer:
    """A recommendation of the viewer's, or one that is shared: `Recommendation` of the contract, by
    two queries and one for a language. Raises NotFound.
    """
    row = first(ONE, {"slug": slug, "viewer_id": viewer.id})
    if row is None:
        raise unknown(slug)
    films: Sequence[Answer] = []
    if row.status == "completed":
        films = localized(rows(FILMS, {"recommendation_id": row.id}), row.language)
    return described(row, films, viewer)


def described(row: Any, films: Sequence[Answer], viewer: Viewer) -> Answer:  # noqa: ANN401 - a row
    """The same of what is at hand."""
    is_mine = row.user_id == viewer.id
    for film in films:
        film["from_tmdb"] = film["source"] == FROM_TMDB
        film["feedback_kind"] = film["feedback_kind"] if is_mine else None
    done = len(STAGES) if row.status == "completed" else STAGES.index(row.stage) + 1
    return {
        "id": row.slug,
        "status": row.status,
        "stage": row.stage,
        "progress": round(done / len(STAGES) * 100),
        "error_code": row.error_code,
        "movies": films,
        "used_broader_search": row.used_broader_search,
        "is_shared": row.is_shared,
        "is_shared_result": not is_mine,
        "viewer_can_rate": is_mine and row.status == "completed",
        "has_actor_signal": any(each.get("favorite_actor") for each in row.people),
        "db_movie_count": sum(not film["from_tmdb"] for film in films),
        "people_count": len(row.people),
        "experience_mode": row.experience_mode,
        "source_strategy": row.source_strategy,
        "language": row.language,
        "group_insights": insights(row.people) if len(row.people) > 1 else None,
        "more_picks_status": row.more_picks_status or "none",
        "created_at": row.created_at,
        "completed_at": row.completed_at,
    }


def localized(found: Sequence[Any], language: str) -> list[Answer]:
    """Rows of films with their `localized_name`; None where there is none in this language."""
    return named(found, Translation.movie_id, (language.lower(),))


def insights(people: Sequence[Mapping[str, Any]]) -> Answer:
    """What several people have in common, by what each has said."""
    names = [each.get("name") or f"Person {number}" for number, each in enumerate(people, 1)]
    moods = [{mood.casefold(): mood for mood in each["mood_preference"]} for each in people]
    shared = [mood for key, mood in moods[0].items() if all(key in each for each in moods[1:])]
    return {
        "participant_names": names,
        "participant_profiles": [
            {
                "name": name,
                "favorite_movie": each["favorite_movie"],
                "mood_preferences": each["mood_preference"],
                "tone_preference": each["tone_preference"],
                "era_preference": each["new_vs_classic"],
            }
            for name, each in zip(names, people, strict=True)
        ],
        "shared_moods": shared,
        "tone_preferences": _each_once(each["tone_preference"] for each in people),
        "era_preferences": _each_once(each["new_vs_classic"] for each in people),
        "favorite_actors": _each_once(each.get("favorite_actor") for each in people),
    }


def _each_once(values: Iterable[str | None]) -> list[str]:
    return list(dict.fromkeys(each for each in values if each))
