"""The doors of an earlier API: at once, without a job."""

from typing import Any

from marquee.catalogue.movies.sources import client
from marquee.db import checkpoint, rows
from marquee.errors import NotConfigured, Unavailable
from marquee.taste.recommendations.models import Recommendation
from marquee.taste.recommendations.quiz import moderation, showing
from marquee.taste.recommendations.quiz.asking import stored
from marquee.viewer import Viewer

PATH = "/api/v1/recommendations"
DESCRIPTION: dict[str, Any] = {
    "name": "movie-recommendation",
    "description": "Films for one person, or for several together, by the answers of a quiz.",
    "method": "POST",
    "path": "/api/v1/movie-recommendation",
    "successor": PATH,
    "most_people": 10,
    "most_movies": 6,
    "most_bytes": 16_384,
    "experience_modes": ["normal-match", "taste-swipe", "curated-showcase", "fast-pick-like"],
    "new_vs_classic": ["new", "classic", "both"],
    "tone_preferences": ["light", "balanced", "serious", "dark"],
}
"""What `GET /movie-recommendation` tells."""


def recommend_now(viewer: Viewer, body: dict[str, Any]) -> Recommendation:
    """Find films while the caller waits; stored as any other recommendation, also where it fails.

    Raises Unprocessable (UNSAFE_PROMPT), and Unavailable or TimedOut where TMDB does not serve.
    """
    from marquee.taste.recommendations.quiz import fulfilling  # noqa: PLC0415 - NumPy and more

    made = stored(viewer, body)
    checkpoint()
    try:
        fulfilling.fulfil(made, lambda _stage: None, is_strict=True)
    except Unavailable as error:
        fulfilling.fail(made.id, error.code)
        raise
    return made


def more_of_tmdb(viewer: Viewer, body: dict[str, Any]) -> list[dict[str, Any]]:
    """Films that TMDB discovers for the answers of a quiz, as they are shown; nothing is stored but
    the films. Raises NotConfigured without a key, Unprocessable (UNSAFE_PROMPT), and Unavailable
    or TimedOut where TMDB does not serve.
    """
    if client() is None:
        raise NotConfigured("This server has no key of TMDB.")
    moderation.check(body["people"])
    from marquee.taste.recommendations.quiz import making  # noqa: PLC0415 - NumPy and more
    from marquee.taste.recommendations.quiz.searching import Order  # noqa: PLC0415

    order = Order(
        people=body["people"],
        mode=body["experience_mode"],
        language=body["language"],
        user_id=viewer.id,
        recommendation_id=0,
        seed=body["page"],
        is_more=True,
        page=body["page"],
        from_tmdb_alone=True,
        is_strict=True,
        vetoed_tmdb_ids=frozenset(body["excluded_tmdb_ids"]),
    )
    made = making.make(order, lambda _stage: checkpoint())
    ids = [each.movie_id for each in made.films]
    films = {film["id"]: film for film in _listed(ids, body["language"])}
    return [
        films[each.movie_id]
        | {
            "similarity": each.similarity,
            "is_more": True,
            "ai_description": each.description,
            "is_main_recommendation": False,
            "from_tmdb": True,
            "source": each.source,
            "feedback_kind": None,
        }
        for each in made.films
        if each.movie_id in films
    ]


def _listed(ids: list[int], language: str) -> list[dict[str, Any]]:
    found = rows(showing.THESE, {"ids": ids}) if ids else []
    return showing.localized(found, language)
