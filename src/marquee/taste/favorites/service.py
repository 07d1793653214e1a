"""Rules of favourites."""

from datetime import date
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, delete, func, select
from sqlalchemy.dialects.postgresql import insert

from marquee.catalogue.movies.models import Movie
from marquee.db import session
from marquee.errors import Conflict
from marquee.identity.users.models import User
from marquee.taste.favorites.models import Favorite
from marquee.taste.ratings.models import Rating
from marquee.watching.progress.models import Watch

OF_WATCHED = (
    select(Favorite.id)
    .where(Favorite.movie_id == Watch.movie_id, Favorite.user_id == Watch.user_id)
    .exists()
)
"""Whether a film that a user has watched is a favourite of that user."""
EARLIEST, LATEST = date(1, 1, 1), date(9999, 12, 31)


@cache
def listed(
    sort: str, *, descending: bool
) -> tuple[Select[*tuple[Any, ...]], tuple[ColumnElement[Any], ...]]:
    """The favourites of the user `owner_id` with their films and the user's stars, and the key to
    order them by.

    What has no value gets one beyond all others, so that it comes last in both orders.
    """
    query = (
        select(
            Favorite.id,
            Favorite.movie_id,
            Favorite.created_at,
            Movie.title,
            Movie.release_date,
            Movie.overview,
            Movie.popularity,
            Movie.vote_average,
            (func.round(Rating.score) / 2).label("user_rating"),
        )
        .join(Movie, Movie.id == Favorite.movie_id)
        .outerjoin(
            Rating, (Rating.movie_id == Favorite.movie_id) & (Rating.user_id == Favorite.user_id)
        )
        .where(Favorite.user_id == bindparam("owner_id"))
    )
    if sort == "rating":
        first: ColumnElement[Any] = func.coalesce(Rating.score, -1.0 if descending else 11.0)
    else:
        first = func.coalesce(Movie.release_date, EARLIEST if descending else LATEST)
    return query, (first, Favorite.id.expression)


def add(owner: User, movie: Movie) -> Favorite:
    """Keep a film. Raises Conflict (FAVORITE_EXISTS) with the id of a favourite that exists.

    The unique index decides, not a look beforehand: of two requests at once only one can insert.
    """
    new = insert(Favorite).values(user_id=owner.id, movie_id=movie.id)
    favorite: Favorite | None = session.scalar(new.on_conflict_do_nothing().returning(Favorite))
    if favorite is None:
        mine = select(Favorite.id).where(
            Favorite.user_id == owner.id, Favorite.movie_id == movie.id
        )
        existing = session.scalar(mine)
        raise Conflict(
            f"{movie.title} is a favourite already.",
            "FAVORITE_EXISTS",
            # It may have been removed since; then there is no id to tell.
            details={"existing_id": existing} if existing else None,
        )
    return favorite


def remove_all(owner: User) -> None:
    """Remove every favourite of a user."""
    session.execute(delete(Favorite).where(Favorite.user_id == owner.id))
