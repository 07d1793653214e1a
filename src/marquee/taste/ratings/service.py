"""Rules of rating."""

from sqlalchemy import bindparam, select
from sqlalchemy.dialects.postgresql import insert

from marquee import clock
from marquee.catalogue.movies.models import Movie
from marquee.db import session
from marquee.errors import Conflict
from marquee.taste.ratings.models import Rating
from marquee.taste.trakt import changes
from marquee.viewer import Viewer

# Built once: to build a statement costs more than to run it.
RATINGS = Rating.metadata.tables["ratings"]
ADD_UNLESS_RATED = select(Rating).from_statement(
    insert(RATINGS)
    .values({name: bindparam(name) for name in ("user_id", "movie_id", "score")})
    .on_conflict_do_nothing()
    .returning(*RATINGS.c)
)


def rate_movie(user: Viewer, movie: Movie, stars: float) -> Rating:
    """Store a first rating. Raises Conflict (RATING_EXISTS) with the id of one that exists.

    The unique index decides, not a look beforehand: of two requests at once only one can insert.
    """
    values = {"user_id": user.id, "movie_id": movie.id, "score": stars * 2}
    rating: Rating | None = session.scalar(ADD_UNLESS_RATED, values)
    if rating is None:
        existing = session.scalar(
            select(Rating.id).where(Rating.user_id == user.id, Rating.movie_id == movie.id)
        )
        raise Conflict(
            f"You have rated {movie.title} already.",
            "RATING_EXISTS",
            # It may have been removed since; then there is no id to tell.
            details={"existing_id": existing} if existing else None,
        )
    changes.note(rating)
    return rating


def change(rating: Rating, stars: float) -> Rating:
    """Give a rating another number of stars; from now on it is the user's own, wherever it came
    from.
    """
    rating.score, rating.source, rating.updated_at = stars * 2, "manual", clock.now()
    session.flush()
    changes.note(rating)
    return rating


def remove(rating: Rating) -> None:
    """Take a rating back, in stars and from 1 to 10."""
    changes.note(rating)
    session.delete(rating)
