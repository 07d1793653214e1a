"""Keeping what was found for a recommendation: the worker's part, and that of the synchronous door.

Each stage is committed, so that whoever polls sees it. A worker that is killed leaves a
recommendation as it is; another one makes it from the start.
"""

import hashlib
from collections.abc import Callable
from typing import Any

from sqlalchemy import delete, func, insert, select, update

from marquee import clock
from marquee.catalogue.movies.models import Movie
from marquee.db import checkpoint, session
from marquee.taste.recommendations.models import Recommendation, RecommendedMovie
from marquee.taste.recommendations.quiz.making import Made, make
from marquee.taste.recommendations.quiz.searching import Order

Told = Callable[[str], object]
MORE_PAGE = 2
"""Of what TMDB discovers: the first was for the films that are shown."""


def fulfil(found: Recommendation, told: Told, *, is_strict: bool = False) -> int:
    """Find films for a recommendation and store them; how many. `told` hears the stages.

    Raises Unavailable or TimedOut as `make` does; the recommendation stays as it is then.
    """

    def stage(name: str) -> None:
        _write(found.id, status="processing", stage=name)
        checkpoint()
        told(name)

    made = make(_order(found, is_strict=is_strict), stage)
    _store(found.id, made, is_more=False)
    _write(
        found.id,
        status="completed",
        stage="complete",
        error_code=None,
        source_strategy=made.strategy,
        used_broader_search=made.used_broader_search,
        completed_at=clock.now(),
    )
    checkpoint()
    return len(made.films)


def fulfil_more(found: Recommendation, told: Told) -> int:
    """Find further films, none of those that were shown, and store them; how many."""

    def stage(name: str) -> None:
        checkpoint()
        told(name)

    _write(found.id, more_picks_status="processing")
    made = make(_order(found, is_more=True), stage)
    _store(found.id, made, is_more=True)
    _write(found.id, more_picks_status="completed")
    checkpoint()
    return len(made.films)


def fail(recommendation_id: int, code: str, *, is_more: bool = False) -> None:
    """Write down that nothing was found, and why."""
    if is_more:
        _write(recommendation_id, more_picks_status="failed")
    else:
        _write(recommendation_id, status="failed", error_code=code, completed_at=clock.now())
    checkpoint()


def seed_of(slug: str) -> int:
    """A number that is the same for a slug everywhere."""
    return int.from_bytes(hashlib.sha256(slug.encode()).digest()[:8])


def _order(found: Recommendation, *, is_more: bool = False, is_strict: bool = False) -> Order:
    return Order(
        people=found.people,
        mode=found.experience_mode,
        language=found.language,
        user_id=found.user_id,
        recommendation_id=found.id,
        seed=seed_of(found.slug),
        is_more=is_more,
        page=MORE_PAGE if is_more else 1,
        is_strict=is_strict,
    )


def _store(recommendation_id: int, made: Made, *, is_more: bool) -> None:
    """In place of what an earlier attempt may have stored; films that are gone by now are left
    out.
    """
    mine = RecommendedMovie.recommendation_id == recommendation_id
    session.execute(delete(RecommendedMovie).where(mine, RecommendedMovie.is_more == is_more))
    before = session.scalar(select(func.max(RecommendedMovie.rank)).where(mine)) or 0
    ids = [each.movie_id for each in made.films]
    alive = set(
        session.scalars(select(Movie.id).where(Movie.id.in_(ids)).with_for_update(read=True))
    )
    lines: list[dict[str, Any]] = [
        {
            "recommendation_id": recommendation_id,
            "movie_id": each.movie_id,
            "is_more": is_more,
            "rank": before + place,
            "is_main": each.is_main and not is_more,
            "similarity": each.similarity,
            "source": each.source,
            "description": each.description,
        }
        for place, each in enumerate(made.films, 1)
        if each.movie_id in alive
    ]
    if lines:
        session.execute(insert(RecommendedMovie), lines)
    if lines and not is_more and not any(line["is_main"] for line in lines):
        first = mine & (RecommendedMovie.rank == lines[0]["rank"])
        session.execute(update(RecommendedMovie).where(first).values(is_main=True))


def _write(recommendation_id: int, **values: Any) -> None:  # noqa: ANN401 - columns
    change = update(Recommendation).where(Recommendation.id == recommendation_id).values(values)
    session.execute(change.execution_options(synchronize_session=False))
