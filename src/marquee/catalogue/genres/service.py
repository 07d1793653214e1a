"""Rules about genres."""

from typing import Any, Literal

from sqlalchemy import BigInteger, Select, bindparam, cast, func, select

from marquee.catalogue.genres.models import Genre, GenreTally
from marquee.db import Rows, rows

MOST = 1000
"""A file may name any genre; so many are listed."""
COUNT = func.sum(GenreTally.titles)
MOVIES, TVSHOWS = (
    cast(func.coalesce(COUNT.filter(GenreTally.kind == kind), 0), BigInteger)
    for kind in ("movie", "tvshow")
)
ALL: Select[*tuple[Any, ...]] = (
    select(
        Genre.id,
        Genre.slug,
        Genre.name,
        MOVIES.label("movie_count"),
        TVSHOWS.label("tvshow_count"),
    )
    .join(GenreTally, GenreTally.genre == Genre.name)
    .group_by(Genre.id)
    .having(COUNT > 0)
    .order_by(Genre.name)
    .limit(MOST)
)
OF_A_KIND: Select[*tuple[Any, ...]] = (
    select(Genre.id, Genre.slug, Genre.name, cast(COUNT, BigInteger).label("title_count"))
    .join(GenreTally, GenreTally.genre == Genre.name)
    .where(GenreTally.kind == bindparam("kind"))
    .group_by(Genre.id)
    .having(COUNT > 0)
    .order_by(Genre.name)
    .limit(MOST)
)


def genres() -> Rows:
    """The genres of all titles, by name, with how many films and series each has."""
    return rows(ALL)


def genres_with(kind: Literal["movie", "tvshow"]) -> Rows:
    """The genres of titles of a kind, by name, with how many of them each has."""
    return rows(OF_A_KIND, {"kind": kind})
