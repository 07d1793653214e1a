"""Rules of the quiz: who may ask, see, share, go on and say what they think of it."""

import secrets
from typing import Any

from sqlalchemy import func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from marquee import job_runs
from marquee.catalogue.movies.models import Movie
from marquee.db import missing, session
from marquee.errors import Conflict, Forbidden, NotFound
from marquee.job_runs import JobRun
from marquee.taste.recommendations.models import (
    Recommendation,
    RecommendationFeedback,
    RecommendedMovie,
)
from marquee.taste.recommendations.quiz import moderation
from marquee.taste.recommendations.quiz.strategies import strategy_of
from marquee.viewer import Viewer
from marquee.watching.progress.remembering import WATCHED, remember

MAKE, MORE = "make-recommendation", "make-more-picks"
"""The jobs that find films."""
SLUG_BYTES = 9
MEMORY = {
    "useful": "liked",
    "already_watched": WATCHED,
    "wrong_mood": "wrong_mood",
    "too_obvious": "not_interested",
    "too_obscure": "not_interested",
}
"""What the memory of the user holds of a film after feedback; `close` says nothing of it."""


def ask(viewer: Viewer, body: dict[str, Any]) -> Recommendation:
    """Store what a quiz says, and let a worker find films for it. Raises Unprocessable
    (UNSAFE_PROMPT).
    """
    made = stored(viewer, body)
    job_runs.start(MAKE, viewer.id, recommendation_id=made.id)
    return made


def stored(viewer: Viewer, body: dict[str, Any]) -> Recommendation:
    """What a quiz says, stored without films yet. Raises Unprocessable (UNSAFE_PROMPT)."""
    people = body["people"]
    moderation.check(people)
    made = Recommendation(
        slug=new_slug(),
        user_id=viewer.id,
        is_shared=body["is_shared"],
        people=people,
        experience_mode=body["experience_mode"],
        source_strategy=strategy_of(body["experience_mode"], len(people), knows=False),
        language=body["language"],
    )
    session.add(made)
    session.flush()
    return made


def share(viewer: Viewer, slug: str, *, is_shared: bool) -> None:
    """Let others who know the slug read it, or no longer. Raises NotFound, and Forbidden where it
    is shared by somebody else.
    """
    own(viewer, slug).is_shared = is_shared
    session.flush()


def want_more(viewer: Viewer, slug: str) -> JobRun:
    """Claim the one further search that a recommendation has. Raises NotFound, Forbidden, and
    Conflict (RECOMMENDATION_NOT_COMPLETED, MORE_PICKS_REQUESTED).
    """
    found = own(viewer, slug)
    _require_completed(found)
    unclaimed = or_(
        Recommendation.more_picks_status.is_(None), Recommendation.more_picks_status == "failed"
    )
    claim = update(Recommendation).where(Recommendation.id == found.id, unclaimed)
    claim = claim.values(more_picks_status="pending").returning(Recommendation.id)
    if session.scalar(claim.execution_options(synchronize_session=False)) is None:
        raise Conflict("More were asked for already.", "MORE_PICKS_REQUESTED")
    return job_runs.start(MORE, viewer.id, recommendation_id=found.id)


def say(viewer: Viewer, slug: str, kind: str, movie_id: int | None) -> None:
    """Store what the owner thinks of one of the films, the one before all if none is named. What is
    said again holds, here and in the user's memory.

    Raises NotFound, also for a film that is none of these, Forbidden, and Conflict
    (RECOMMENDATION_NOT_COMPLETED).
    """
    found = own(viewer, slug)
    _require_completed(found)
    of = select(RecommendedMovie.movie_id).where(RecommendedMovie.recommendation_id == found.id)
    if movie_id is None:
        of = of.order_by(RecommendedMovie.is_main.desc(), RecommendedMovie.rank).limit(1)
    else:
        of = of.where(RecommendedMovie.movie_id == movie_id)
    meant = session.scalar(of)
    if meant is None:
        if movie_id is None:
            raise NotFound("This recommendation has no films.", "MOVIE_NOT_FOUND")
        raise missing(Movie, movie_id)
    said = insert(RecommendationFeedback).values(
        recommendation_id=found.id, movie_id=meant, kind=kind
    )
    again = said.on_conflict_do_update(
        index_elements=["recommendation_id", "movie_id"],
        set_={"kind": said.excluded.kind, "updated_at": func.clock_timestamp()},
    )
    session.execute(again)
    if kind in MEMORY:
        remember(viewer, {meant: MEMORY[kind]})


def own(viewer: Viewer, slug: str) -> Recommendation:
    """A recommendation of the viewer's. Raises NotFound, and Forbidden for one that somebody else
    shares.
    """
    found = session.scalar(Recommendation.visible_to(viewer).where(Recommendation.slug == slug))
    if found is None:
        raise unknown(slug)
    if found.user_id != viewer.id:
        raise Forbidden("Only who asked for a recommendation may do this.")
    return found


def unknown(slug: str) -> NotFound:
    """The refusal that there is none of this slug, as far as the viewer may know."""
    return NotFound(f"There is no recommendation {slug}.", "RECOMMENDATION_NOT_FOUND")


def new_slug() -> str:
    """Twelve URL-safe characters, at least one of them a letter, as a number is a user's id."""
    slug = secrets.token_urlsafe(SLUG_BYTES)
    return slug if any(each.isalpha() for each in slug) else new_slug()


def _require_completed(found: Recommendation) -> None:
    if found.status != "completed":
        raise Conflict("Its films have not been found yet.", "RECOMMENDATION_NOT_COMPLETED")
