"""Why a title is recommended to a user, or how near it is to what the user likes."""

from functools import cache
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    CompoundSelect,
    Select,
    and_,
    any_,
    bindparam,
    case,
    literal,
    select,
    text,
    union_all,
)

from marquee.catalogue.images.addresses import poster_url
from marquee.catalogue.movies.models import Movie
from marquee.catalogue.tvshows.models import TVShow
from marquee.db import checkpoint, first, missing, session
from marquee.identity.users.models import User
from marquee.taste.favorites.models import Favorite
from marquee.taste.ratings.models import Rating
from marquee.taste.recommendations import explaining
from marquee.taste.recommendations.listing import Answer, found, scored, titles_of
from marquee.taste.recommendations.runs import Kind
from marquee.taste.recommending.doings import DOINGS

HIGHLY_RATED = 7.0
TOP_GENRES = 5
LIKED = """
WITH liked AS MATERIALIZED (
    SELECT key FROM ({doings}) AS doings
    GROUP BY key HAVING coalesce(max(score), 10) > 3
        AND (max(unwanted) = 0 OR coalesce(max(score), 0) > 3)
    ORDER BY max(at) DESC NULLS LAST, key LIMIT 1000
)"""
"""The latest thousand titles that the user does not dislike, of all that `signals` has."""
NEAREST = """, own AS (
    SELECT model, vector FROM embeddings
    WHERE coalesce(movie_id, -tvshow_id) = :key AND (movie_id = abs(:key) OR tvshow_id = abs(:key))
    ORDER BY embedded_at DESC LIMIT 1
)
SELECT key AS id, 1 - (others.vector <=> own.vector) AS likeness
FROM own CROSS JOIN liked JOIN embeddings AS others ON others.model = own.model
    AND (others.movie_id = key OR others.tvshow_id = -key)
WHERE key <> :key ORDER BY likeness DESC, key LIMIT 10
"""
GENRES = """, genres AS (
    SELECT unnest(genres) AS name FROM movies JOIN liked ON id = key
    UNION ALL SELECT unnest(genres) FROM tvshows JOIN liked ON id = -key
)
SELECT name FROM genres GROUP BY name ORDER BY count(*) DESC, name
"""
FIND_NEAREST, FIND_GENRES = (
    text(LIKED.format(doings=DOINGS.format(of_users="user_id = :user_id")) + query)
    for query in (NEAREST, GENRES)
)


def insights(owner: User, kind: Kind, title_id: int, run_id: int | None) -> Answer:
    """How a title stands in the latest run, or in one that is named, what of the user's own titles
    speaks for it, and the same in a sentence. Raises NotFound.

    Of the titles of the list it is what the engine took into account; of others, what is nearest.
    """
    title = first(titles_of(kind), {"ids": [title_id]})
    if title is None:
        raise missing(Movie if kind == "movie" else TVShow, title_id)
    run = found(owner, kind, run_id)
    rank, candidate = _place(run, kind, title_id)
    selected_count = run.selected_count if run else 0
    evidence = _evidence(owner, kind, title_id, candidate)
    genres = [row.name for row in session.execute(FIND_GENRES, {"user_id": owner.id})]
    matching = [each for each in title.genres if each in genres]
    checkpoint()
    return {
        "run_id": run.id if run else None,
        "is_recommended": candidate is not None,
        "is_selected": candidate is not None and rank <= selected_count,
        "rank": rank or None,
        "scores": candidate and scored(candidate),
        "evidence": evidence,
        "genre_analysis": {
            "title_genres": title.genres,
            "matching_genres": matching,
            "new_genres": [each for each in title.genres if each not in genres],
            "user_top_genres": genres[:TOP_GENRES],
        },
        "explanation": explaining.sentence(title, rank, evidence, matching),
    }


def _place(run: Any, kind: Kind, title_id: int) -> tuple[int, Answer | None]:  # noqa: ANN401
    """Its rank and what is stored of it; 0 and None where it is not among the candidates."""
    if run is not None and run.media_type == kind:
        for rank, each in enumerate(run.candidates, 1):
            if each["id"] == title_id:
                return rank, each
    return 0, None


def _evidence(owner: User, kind: Kind, title_id: int, candidate: Answer | None) -> list[Answer]:
    told = (candidate or {}).get("evidence")
    if told is None:
        key = title_id if kind == "movie" else -title_id
        near = session.execute(FIND_NEAREST, {"user_id": owner.id, "key": key})
        told = [{"id": row.id, "likeness": row.likeness, "amount": None} for row in near]
    ids = {
        "movie_ids": [each["id"] for each in told if each["id"] > 0],
        "tvshow_ids": [-each["id"] for each in told if each["id"] < 0],
    }
    found_titles = session.execute(_titles(), {"user_id": owner.id, **ids})
    titles = {row.key: row for row in found_titles}
    return [
        {
            "media_type": "movie" if each["id"] > 0 else "tvshow",
            "title": titles[each["id"]],
            "likeness": each["likeness"],
            "amount": each["amount"],
            "evidence_type": titles[each["id"]].evidence_type,
        }
        for each in told
        if each["id"] in titles
    ]


@cache
def _titles() -> CompoundSelect[Any]:
    """The films `movie_ids` and series `tvshow_ids`, and what the user thinks of each."""
    return union_all(_titles_of("movie"), _titles_of("tvshow"))


def _titles_of(kind: Kind) -> Select[Any]:
    title = Movie if kind == "movie" else TVShow
    rated = Rating.movie_id if kind == "movie" else Rating.tvshow_id
    mine: ColumnElement[int] = bindparam("user_id", type_=BigInteger())
    kept: ColumnElement[bool] = literal(value=False)
    if kind == "movie":
        kept = (
            select(Favorite.id)
            .where(Favorite.movie_id == title.id, Favorite.user_id == mine)
            .exists()
        )
    return (
        select(
            (title.id if kind == "movie" else -title.id).label("key"),
            *(title.id, title.title, title.year, poster_url(title)),
            case(
                (kept, "favorite"),
                (Rating.score >= HIGHLY_RATED, "highly_rated"),
                else_="watched",
            ).label("evidence_type"),
        )
        .outerjoin(Rating, and_(rated == title.id, Rating.user_id == mine))
        .where(title.id == any_(bindparam(f"{kind}_ids", type_=ARRAY(BigInteger))))
    )
