"""The films that a channel may have: those nearest to what it is like, else those that most people
like.

Each has a score of 0 to 1. None is among the examples, watched or disliked by the owner, above the
owner's age, or without one of the channel's genres, if it has some.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from pgvector.sqlalchemy import HALFVEC
from sqlalchemy import ARRAY, BigInteger, Row, TextClause, bindparam, func, select, text

from marquee.catalogue.embeddings import vectors
from marquee.catalogue.embeddings.kinds import MOVIES, statement
from marquee.catalogue.embeddings.models import Embedding
from marquee.catalogue.embeddings.nearest import MOST_WIDTH, Meaning, widen
from marquee.db import rows, session
from marquee.identity.users.models import User
from marquee.services import embeddings
from marquee.services.embeddings import Floats
from marquee.taste.channels.models import Channel, ChannelExample
from marquee.taste.recommending.ages import age_of

DISLIKED = 3
"""The highest score of what is disliked, of 10."""
ENOUGH_VOTES = 50
"""From so many on, the rating of a film is believed."""
DUPLICATES = 20
"""So many more are looked for, as some may be other entries of the same films."""
ALLOWED = """
    (cardinality(cast(:genres AS text[])) = 0 OR movies.genres && cast(:genres AS text[]))
    AND movies.id <> ALL (cast(:examples AS bigint[]))
    AND NOT EXISTS (
        SELECT FROM watches WHERE watches.user_id = :owner_id AND watches.movie_id = movies.id
        AND (watches.watch_count > 0 OR watches.remark = 'not_interested'))
    AND NOT EXISTS (
        SELECT FROM ratings WHERE ratings.user_id = :owner_id AND ratings.movie_id = movies.id
        AND ratings.score <= :disliked)
"""
NEAR = f"""
WITH near AS MATERIALIZED (
    SELECT {{id}} AS id, -({{vector}} <#> CAST(:target AS halfvec)) AS product FROM embeddings
    WHERE model = :model AND {{id}} IS NOT NULL
    ORDER BY {{vector}} <#> CAST(:target AS halfvec) LIMIT :width)
SELECT movies.id, movies.search_title, movies.year, movies.age_rating,
    near.product / :length AS score
FROM near JOIN movies ON movies.id = near.id WHERE {ALLOWED}
ORDER BY near.product DESC, movies.id LIMIT :limit
"""  # noqa: S608 - constants
LIKED = text(f"""
SELECT movies.id, movies.search_title, movies.year, movies.age_rating,
    movies.vote_average / 10 AS score
FROM movies
WHERE movies.vote_average IS NOT NULL AND movies.vote_count >= :votes AND {ALLOWED}
ORDER BY movies.vote_average DESC NULLS LAST, movies.id DESC LIMIT :limit
""")  # noqa: S608 - constants
EXAMPLES = select(func.array_agg(ChannelExample.movie_id, type_=ARRAY(BigInteger))).where(
    ChannelExample.channel_id == bindparam("channel_id")
)
MEANS = (
    select(Embedding.model, func.avg(Embedding.vector, type_=HALFVEC).label("mean"))
    .where(Embedding.movie_id == func.any(bindparam("ids", type_=ARRAY(BigInteger))))
    .group_by(Embedding.model)
    .order_by(func.max(Embedding.embedded_at).desc())
)
"""The mean of some films' vectors by each model, that of the newest first."""


Name: TypeAlias = tuple[str, int | None]


class Candidate(NamedTuple):
    """A film, and how well it fits."""

    id: int
    score: float


class Target(NamedTuple):
    """What films are to be near to, among the vectors of a model."""

    model: str
    vector: Floats


def found(channel: Channel, owner: User, meaning: Meaning | None, limit: int) -> list[Candidate]:
    """Up to `limit` films, the best first. Where too few are near, liked ones are added."""
    examples = session.scalar(EXAMPLES, {"channel_id": channel.id}) or []
    oldest = owner.max_parental_rating
    values = {
        "genres": channel.genre_filters,
        "examples": examples,
        "owner_id": owner.id,
        "disliked": DISLIKED,
        "votes": ENOUGH_VOTES,
        "limit": limit + DUPLICATES if oldest is None else MOST_WIDTH,
    }
    target = _target(examples, meaning, channel.genre_filters)
    films = _once(_near(target, values) if target else [], oldest)
    if len(films) < limit:
        liked = session.connection().execute(LIKED, values).all()
        films = films | {name: it for name, it in _once(liked, oldest).items() if name not in films}
    return list(films.values())[:limit]


def _target(
    examples: Sequence[int], meaning: Meaning | None, genres: Sequence[str]
) -> Target | None:
    """The mean of the examples and the meaning of the words, both of the same weight.

    Where genres are asked for, theirs is the direction of the genres.
    """
    means = {row.model: np.asarray(row.mean, np.float32) for row in rows(MEANS, {"ids": examples})}
    model = _model(list(means), meaning)
    if model is None:
        return None
    parts = []
    if model in means:
        parts.append(_unit(means[model]))
    if meaning is not None and meaning.model == model:
        parts.append(vectors.padded(meaning.vector))
    whole: Floats = _unit(np.sum(parts, axis=0))
    if genres:
        of_text = whole[: -vectors.GENRE_NUMBERS]
        whole = _unit(vectors.whole(_unit(of_text), genres))
    return Target(model, whole)


def _model(models: Sequence[str], meaning: Meaning | None) -> str | None:
    """That of the words; without words the present one, else that of the examples."""
    if meaning is not None:
        return meaning.model
    name = embeddings.current().name
    ours = [each for each in models if each.rpartition("@")[0] == name]
    return next(iter([*ours, *models]), None)


def _near(target: Target, values: dict[str, Any]) -> Sequence[Row[Any]]:
    widen(MOST_WIDTH)
    query: TextClause = statement(NEAR, MOVIES.column, len(target.vector))
    asked = {
        "model": target.model,
        "target": vectors.text_of(target.vector),
        "length": float(np.sqrt(vectors.WITH_ITSELF)),
        "width": MOST_WIDTH,
    }
    return session.connection().execute(query, {**values, **asked}).all()


def _once(films: Sequence[Row[Any]], oldest: int | None) -> dict[Name, Candidate]:
    """Each film once, also of several entries, if it is fit for the age; by title and year."""
    found: dict[Name, Candidate] = {}
    for each in films:
        if oldest is None or (age_of(each.age_rating) or 0) <= oldest:
            candidate = Candidate(each.id, round(min(max(each.score, 0.0), 1.0), 4))
            found.setdefault((each.search_title, each.year), candidate)
    return found


def _unit(vector: Floats) -> Floats:
    length = np.linalg.norm(vector)
    return vector / np.float32(length) if length else vector
