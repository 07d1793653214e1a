"""Collections: films that belong together, such as all of one saga."""

from typing import Self

from sqlalchemy import Index, Select, select, text
from sqlalchemy.orm import Mapped, mapped_column

from marquee.db import Model
from marquee.viewer import Viewer


class Collection(Model):
    """A collection; its films name it (`Movie.collection_id`).

    One that is known by name alone has no TMDB id, and the name is unique among those.
    """

    __tablename__ = "collections"
    __table_args__ = (
        Index(
            "collections_name_alone_key",
            "name",
            unique=True,
            postgresql_where=text("tmdb_collection_id IS NULL"),
        ),
    )

    tmdb_collection_id: Mapped[int | None] = mapped_column(unique=True)
    name: Mapped[str]
    overview: Mapped[str | None]
    poster_path: Mapped[str | None]
    backdrop_path: Mapped[str | None]

    @classmethod
    def visible_to(cls, _viewer: Viewer) -> Select[Self]:
        """All of them: the catalogue is the same for everybody."""
        return select(cls)
