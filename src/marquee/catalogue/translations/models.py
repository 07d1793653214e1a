"""What titles are called, and how they are told, in other languages."""

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from marquee.catalogue.movies.models import Movie
from marquee.catalogue.tvshows.models import TVShow
from marquee.db import Model


class Translation(Model):
    """The words of one film or one series in one language. What is None is not translated."""

    __tablename__ = "translations"
    __table_args__ = (
        CheckConstraint("num_nonnulls(movie_id, tvshow_id) = 1", name="one_title"),
        Index(
            "translations_movie_key",
            "movie_id",
            "language",
            unique=True,
            postgresql_where=text("movie_id IS NOT NULL"),
        ),
        Index(
            "translations_tvshow_key",
            "tvshow_id",
            "language",
            unique=True,
            postgresql_where=text("tvshow_id IS NOT NULL"),
        ),
    )

    movie_id: Mapped[int | None] = mapped_column(ForeignKey(Movie.id, ondelete="CASCADE"))
    tvshow_id: Mapped[int | None] = mapped_column(ForeignKey(TVShow.id, ondelete="CASCADE"))
    language: Mapped[str]
    """ISO 639-1, perhaps with a country: `de`, `pt-BR`."""
    title: Mapped[str | None]
    overview: Mapped[str | None]
    tagline: Mapped[str | None]
