"""The two profiles that a user has: of films, and of series."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, bindparam, select
from sqlalchemy.orm import InstrumentedAttribute

from marquee.catalogue.movies.models import Movie
from marquee.catalogue.tvshows.models import TVShow
from marquee.taste.ratings.models import Rating
from marquee.watching.progress.models import Watch
from marquee.watching.watch_history.listing import SEEN_EPISODES, SEEN_FILMS


@dataclass(frozen=True)
class Kind:
    """What a profile is about, by the columns that tell of it."""

    name: str
    """`movie` or `tvshow`."""
    one: str
    many: str
    """What people call it."""
    model: type[Movie | TVShow]
    watched: InstrumentedAttribute[int | None]
    """The title of a `Watch`."""
    seen: tuple[Any, ...]
    """What a `Watch` of `user_id` must be."""
    rated: InstrumentedAttribute[int | None]
    minutes: InstrumentedAttribute[int | None]

    @property
    def of_user(self) -> Any:  # noqa: ANN401 - a condition
        """What a `Rating` of `user_id` must be."""
        return (Rating.user_id == bindparam("user_id")) & self.rated.is_not(None)

    @property
    def titles(self) -> Select[Any]:
        """The ids of what `user_id` has watched, a series from its first episode on."""
        ids = select(self.watched).where(*self.seen)
        # Of a film there is one row; to sort them for nothing tempts PostgreSQL to a bad index.
        return ids if self.model is Movie else ids.distinct()


MOVIE = Kind(
    *("movie", "film", "films", Movie, Watch.movie_id, SEEN_FILMS),
    *(Rating.movie_id, Movie.runtime_minutes),
)
TVSHOW = Kind(
    *("tvshow", "series", "series", TVShow, Watch.tvshow_id, SEEN_EPISODES),
    *(Rating.tvshow_id, TVShow.episode_runtime_minutes),
)
