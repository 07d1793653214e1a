"""Rules of scores of 1 to 10, for films and series: the same ratings that stars are."""

from functools import cache
from typing import Any, TypeAlias

from sqlalchemy import (
    ColumnElement,
    Integer,
    Row,
    Select,
    bindparam,
    case,
    cast,
    func,
    literal,
    literal_column,
    select,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import InstrumentedAttribute

from marquee import audit
from marquee.catalogue.images.addresses import poster_url
from marquee.catalogue.movies.models import Movie
from marquee.catalogue.tvshows.models import TVShow
from marquee.db import first, session
from marquee.errors import NotFound
from marquee.taste.ratings.models import Rating
from marquee.taste.trakt import changes
from marquee.viewer import Viewer

Title: TypeAlias = Movie | TVShow
Found: TypeAlias = Row[*tuple[Any, ...]]
RATINGS = Rating.metadata.tables["ratings"]
KINDS: dict[str, ColumnElement[Any]] = {
    "movie": Rating.movie_id.expression,
    "tvshow": Rating.tvshow_id.expression,
}
SCORE = cast(func.greatest(func.round(Rating.score), 1), Integer).label("rating")
"""A score as it is shown: whole, and 1 for 0."""
KEY = (Rating.id.expression,)
COUNTS = select(
    func.count(Rating.movie_id).label("movies"), func.count(Rating.tvshow_id).label("tvshows")
).where(Rating.user_id == bindparam("user_id"))


@cache
def listed(kind: str | None) -> Select[*tuple[Any, ...]]:
    """The ratings of the user `user_id` with their titles; of films or series alone where `kind` is
    `movie` or `tvshow`.
    """
    query = (
        select(
            *(Rating.id, Rating.movie_id, Rating.tvshow_id, SCORE, Rating.source),
            case((Rating.movie_id.is_not(None), literal("movie")), else_=literal("tvshow")).label(
                "kind"
            ),
            func.coalesce(Movie.title, TVShow.title).label("title"),
            func.coalesce(Movie.year, TVShow.year).label("year"),
            case((Rating.movie_id.is_not(None), poster_url(Movie)), else_=poster_url(TVShow)).label(
                "poster_url"
            ),
            *(Rating.created_at, Rating.updated_at),
        )
        .outerjoin(Movie, Movie.id == Rating.movie_id)
        .outerjoin(TVShow, TVShow.id == Rating.tvshow_id)
        .where(Rating.user_id == bindparam("user_id"))
    )
    return query if kind is None else query.where(KINDS[kind].is_not(None))


def counts(viewer: Viewer) -> Found:
    """How many films (`movies`) and series (`tvshows`) the viewer has rated."""
    found = first(COUNTS, {"user_id": viewer.id})
    assert found is not None  # noqa: S101 - counts are one row
    return found


def of(viewer: Viewer, title: Title) -> Found | None:
    """The viewer's rating of a title: `id`, `rating` (1 to 10), `source`, `created_at` and
    `updated_at`; None where there is none.
    """
    return first(_of(_owner(title)), {"user_id": viewer.id, "title_id": title.id})


def rate(viewer: Viewer, title: Title, score: float) -> tuple[Found, bool]:
    """Give a title a score of 1 to 10, and say whether it had none; from now on the rating is the
    user's own, wherever it came from. The row is as of `of`.
    """
    values = {"user_id": viewer.id, "title_id": title.id, "score": score}
    row = session.connection().execute(_saved(_owner(title)), values).one()
    audit.describe(str(row.id))
    changes.note_title(viewer.id, **{_owner(title).key: title.id})
    return row, row.is_new


def stored(viewer: Viewer, column: InstrumentedAttribute[int | None], title_id: int) -> Rating:
    """The viewer's rating of a title, locked. `column` is `Rating.movie_id` or `Rating.tvshow_id`.

    Raises NotFound (RATING_NOT_FOUND).
    """
    query = Rating.visible_to(viewer).where(column == title_id).with_for_update()
    rating: Rating | None = session.scalar(query)
    if rating is None:
        name = "movie" if column is Rating.movie_id else "series"
        raise NotFound(f"You have not rated {name} {title_id}.", "RATING_NOT_FOUND")
    audit.describe(str(rating.id))
    return rating


def _owner(title: Title) -> InstrumentedAttribute[int | None]:
    return Rating.movie_id if isinstance(title, Movie) else Rating.tvshow_id


@cache
def _of(owner: InstrumentedAttribute[int | None]) -> Select[*tuple[Any, ...]]:
    mine = (Rating.user_id == bindparam("user_id")) & (owner == bindparam("title_id"))
    return select(Rating.id, SCORE, Rating.source, Rating.created_at, Rating.updated_at).where(mine)


@cache
def _saved(owner: InstrumentedAttribute[int | None]) -> Any:  # noqa: ANN401 - an INSERT of any rows
    """One statement: of two first ratings at once the second changes what the first made."""
    new = insert(RATINGS).values(
        {
            "user_id": bindparam("user_id"),
            owner.key: bindparam("title_id"),
            "score": bindparam("score"),
        }
    )
    now = func.clock_timestamp()
    columns = RATINGS.c
    return new.on_conflict_do_update(
        index_elements=["user_id", owner.key],
        index_where=owner.is_not(None),
        set_={"score": new.excluded.score, "source": "manual", "updated_at": now},
    ).returning(
        *(columns.id, SCORE, columns.source, columns.created_at, columns.updated_at),
        literal_column("xmax = 0").label("is_new"),
    )
