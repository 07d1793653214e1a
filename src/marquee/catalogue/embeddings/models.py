"""Vectors of titles."""

from datetime import datetime
from typing import Any

from pgvector.sqlalchemy import HALFVEC
from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, func, text
from sqlalchemy.orm import Mapped, mapped_column

from marquee.catalogue.movies.models import Movie
from marquee.catalogue.tvshows.models import TVShow
from marquee.db import Model


class Embedding(Model):
    """The vector of one film or one series by one model; several models stand side by side.

    `model` is the embedder's name and version. Its length is the model's, so that each model has an
    HNSW index of its own, made when its vectors are.
    """

    __tablename__ = "embeddings"
    __table_args__ = (
        CheckConstraint("num_nonnulls(movie_id, tvshow_id) = 1", name="one_title"),
        Index(
            "embeddings_movie_key",
            "movie_id",
            "model",
            unique=True,
            postgresql_where=text("movie_id IS NOT NULL"),
        ),
        Index(
            "embeddings_tvshow_key",
            "tvshow_id",
            "model",
            unique=True,
            postgresql_where=text("tvshow_id IS NOT NULL"),
        ),
    )

    movie_id: Mapped[int | None] = mapped_column(ForeignKey(Movie.id, ondelete="CASCADE"))
    tvshow_id: Mapped[int | None] = mapped_column(ForeignKey(TVShow.id, ondelete="CASCADE"))
    model: Mapped[str]
    content_hash: Mapped[bytes] = mapped_column(LargeBinary)
    """Of the text and genres that were embedded: what has not changed is not embedded again."""
    vector: Mapped[Any] = mapped_column(HALFVEC())
    """The text's, of length 1, then the genres', shorter: see `vectors`."""
    passages: Mapped[bytes] = mapped_column(LargeBinary, server_default="")
    """Vectors of the sentences of its plot, a byte for each number."""
    embedded_at: Mapped[datetime] = mapped_column(server_default=func.now())
