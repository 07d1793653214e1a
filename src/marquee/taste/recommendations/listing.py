"""What was recommended to a user, as it is shown."""

from functools import cache
from typing import Any, TypeAlias

from sqlalchemy import ARRAY, BigInteger, Row, Select, any_, bindparam, func, select
from sqlalchemy.dialects.postgresql import distinct_on

from marquee.catalogue.images.addresses import poster_url
from marquee.catalogue.movies.models import Movie
from marquee.catalogue.translations.models import Translation
from marquee.catalogue.translations.service import translated
from marquee.catalogue.tvshows.models import TVShow
from marquee.db import as_dict, first, missing, rows
from marquee.identity.users.models import User
from marquee.taste.recommendations.models import RecommendationRun
from marquee.taste.recommendations.runs import Kind
from marquee.taste.recommending.ages import age_of

Statement: TypeAlias = Select[*tuple[Any, ...]]
Answer: TypeAlias = dict[str, Any]
PARTS = (
    *("collaborative", "content", "popularity", "rating", "novelty", "dislikes"),
    *("diversity", "penalty"),
)
DIGITS = 6
"""As the engine rounds: with as many, parts add up to their score."""
WORDS = {"movie": "films", "tvshow": "series"}
RUN = (
    *(RecommendationRun.id, RecommendationRun.user_id, RecommendationRun.run_type),
    *(RecommendationRun.kind.label("media_type"), RecommendationRun.candidate_count),
    *(RecommendationRun.selected_count, RecommendationRun.duration_ms, RecommendationRun.status),
    *(RecommendationRun.error_message, RecommendationRun.created_at),
    RecommendationRun.completed_at,
)
_whole = select(*RUN, RecommendationRun.candidates).where(
    RecommendationRun.user_id == bindparam("user_id")
)
LATEST = (
    _whole.where(
        RecommendationRun.kind == bindparam("kind"), RecommendationRun.status == "completed"
    )
    .order_by(RecommendationRun.id.desc())
    .limit(1)
)
NAMED = _whole.where(RecommendationRun.id == bindparam("run_id"))
_latest = (
    select(RecommendationRun.selected_count)
    .where(
        RecommendationRun.user_id == bindparam("user_id"), RecommendationRun.status == "completed"
    )
    .ext(distinct_on(RecommendationRun.kind))
    .order_by(RecommendationRun.kind, RecommendationRun.id.desc())
    .subquery()
)
SELECTED_COUNT = select(func.coalesce(func.sum(_latest.c.selected_count), 0).cast(BigInteger))
"""How many titles are on the latest lists of the user `user_id`."""
HISTORY = select(*RUN).where(RecommendationRun.user_id == bindparam("user_id"))
HISTORY_KEY = (RecommendationRun.id.expression,)
STATES = {"running": "This run has not ended yet.", "failed": "This run has come to nothing."}


def listed(
    owner: User,
    kind: Kind,
    run_id: int | None,
    languages: tuple[str, ...],
    *,
    selected: bool | None,
) -> Answer:
    """The recommendations of the latest run of a kind, or of one that is named, with their titles:
    those of its list, the others, or all. Raises NotFound (RECOMMENDATION_RUN_NOT_FOUND).

    What has gone, or is by now above the user's age, is left out.
    """
    run = found(owner, kind, run_id)
    if run is None:
        return {"run": None, "recommendations": [], "message": _without_run(owner, kind)}
    kind = run.media_type
    wanted = [
        (rank, each)
        for rank, each in enumerate(run.candidates, 1)
        if selected is None or selected == (rank <= run.selected_count)
    ]
    titles = _titles(kind, [each["id"] for _, each in wanted], owner, languages)
    shown = [
        {
            **placed(kind, rank, each, run.selected_count),
            **scored(each),
            "title": titles[each["id"]],
        }
        for rank, each in wanted
        if each["id"] in titles
    ]
    return {"run": as_dict(run), "recommendations": shown, "message": _of_run(run)}


def found(owner: User, kind: Kind, run_id: int | None) -> Row[*tuple[Any, ...]] | None:
    """The run that is asked for with its candidates; None where the user has no run of a kind yet.

    Raises NotFound (RECOMMENDATION_RUN_NOT_FOUND) for one that is named and not the user's.
    """
    if run_id is None:
        return first(LATEST, {"user_id": owner.id, "kind": kind})
    run = first(NAMED, {"user_id": owner.id, "run_id": run_id})
    if run is None:
        raise missing(RecommendationRun, run_id)
    return run


def placed(kind: Kind, rank: int, candidate: Answer, selected_count: int) -> Answer:
    """Which title it is, and where it stands."""
    is_selected = rank <= selected_count
    return {
        "movie_id": candidate["id"] if kind == "movie" else None,
        "tvshow_id": candidate["id"] if kind == "tvshow" else None,
        "rank": rank,
        "selected_rank": rank if is_selected else None,
        "is_selected": is_selected,
    }


def scored(candidate: Answer) -> Answer:
    """The score and its parts, of which those that the user's own titles have are one."""
    parts = {name: candidate["parts"].get(name, 0.0) for name in PARTS}
    return {
        "final_score": candidate["score"],
        "similarity_score": round(parts["collaborative"] + parts["content"], DIGITS),
        "novelty_score": parts["novelty"],
        "rating_score": parts["rating"],
        "diversity_score": parts["diversity"],
        "score_breakdown": parts,
    }


def _titles(
    kind: Kind, ids: list[int], owner: User, languages: tuple[str, ...]
) -> dict[int, Answer]:
    limit = owner.max_parental_rating
    fit = [
        row
        for row in rows(titles_of(kind), {"ids": ids})
        if limit is None or (age_of(row.age_rating) or 0) <= limit
    ]
    of = Translation.movie_id if kind == "movie" else Translation.tvshow_id
    return {each["id"]: each for each in map(as_dict, translated(fit, of, languages))}


@cache
def titles_of(kind: Kind) -> Statement:
    """The titles of a kind with the ids `ids`, as they are shown."""
    title = Movie if kind == "movie" else TVShow
    runtime = Movie.runtime_minutes if kind == "movie" else TVShow.episode_runtime_minutes
    return select(
        *(title.id, title.tmdb_id, title.title, title.year, title.overview, title.genres),
        *(title.vote_average, title.age_rating, runtime.label("runtime_minutes")),
        poster_url(title),
    ).where(title.id == any_(bindparam("ids", type_=ARRAY(BigInteger))))


def _without_run(owner: User, kind: Kind) -> str:
    if not (owner.movies_enabled if kind == "movie" else owner.series_enabled):
        return f"No {WORDS[kind]} are recommended to this user."
    return f"No {WORDS[kind]} have been recommended to this user yet: a POST here asks for them."


def _of_run(run: Row[*tuple[Any, ...]]) -> str | None:
    if run.status in STATES:
        return STATES[run.status]
    if run.candidate_count and not run.candidates:
        return "What this run recommended is not kept any more."
    return None if run.candidates else "There is nothing left to recommend."
