"""The films that a user keeps, each once."""

from datetime import datetime
from typing import Self

from sqlalchemy import ForeignKey, Index, Select, func, select
from sqlalchemy.orm import Mapped, mapped_column

from marquee.catalogue.movies.models import Movie
from marquee.db import Model
from marquee.identity.users.models import User
from marquee.identity.users.statistics import COUNTED_AS
from marquee.viewer import Viewer


class Favorite(Model):
    """That a user keeps a film."""

    __tablename__ = "favorites"
    __table_args__ = (Index("favorites_user_id_movie_id_key", "user_id", "movie_id", unique=True),)

    user_id: Mapped[int] = mapped_column(
        ForeignKey(User.id, ondelete="CASCADE"), info={COUNTED_AS: "favorites_count"}
    )
    movie_id: Mapped[int] = mapped_column(ForeignKey(Movie.id, ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

    @classmethod
    def visible_to(cls, viewer: Viewer) -> Select[Self]:
        """One's own; for those who may read users, everybody's."""
        query = select(cls)
        return query if viewer.may("users:read") else query.where(cls.user_id == viewer.id)
