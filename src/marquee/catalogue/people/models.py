"""People, and the credits that tie them to titles."""

from datetime import date, datetime
from enum import StrEnum
from typing import Self

from sqlalchemy import CheckConstraint, ForeignKey, Index, Select, select, text
from sqlalchemy.orm import Mapped, mapped_column

from marquee.catalogue.movies.models import Movie
from marquee.catalogue.tvshows.models import TVShow
from marquee.db import Model
from marquee.viewer import Viewer


class Job(StrEnum):
    """What credits are for that have a place of their own in details. The database holds the word;
    it may hold others, which are those of TMDB in small letters.
    """

    ACTOR = "actor"
    DIRECTOR = "director"
    WRITER = "writer"
    CREATOR = "creator"
    CINEMATOGRAPHER = "cinematographer"
    COMPOSER = "composer"
    EDITOR = "editor"


class Person(Model):
    """Somebody who made or played in a title.

    A person who is known by name alone has no TMDB id, and the name is unique among those.
    """

    __tablename__ = "people"
    __table_args__ = (
        Index(
            "people_name_alone_key", "name", unique=True, postgresql_where=text("tmdb_id IS NULL")
        ),
    )

    tmdb_id: Mapped[int | None] = mapped_column(unique=True)
    name: Mapped[str]
    imdb_id: Mapped[str | None]
    profile_path: Mapped[str | None]
    biography: Mapped[str | None]
    birthday: Mapped[date | None]
    deathday: Mapped[date | None]
    place_of_birth: Mapped[str | None]
    known_for_department: Mapped[str | None]
    popularity: Mapped[float] = mapped_column(server_default="0")
    metadata_updated_at: Mapped[datetime | None]

    @classmethod
    def visible_to(cls, _viewer: Viewer) -> Select[Self]:
        """All of them: the catalogue is the same for everybody."""
        return select(cls)


class Credit(Model):
    """That a person had a job in one film or one series; `position` is the order of billing."""

    __tablename__ = "credits"
    __table_args__ = (
        CheckConstraint("num_nonnulls(movie_id, tvshow_id) = 1", name="one_title"),
        Index(
            "credits_movie_idx",
            "movie_id",
            "job",
            "position",
            postgresql_where=text("movie_id IS NOT NULL"),
        ),
        Index(
            "credits_tvshow_idx",
            "tvshow_id",
            "job",
            "position",
            postgresql_where=text("tvshow_id IS NOT NULL"),
        ),
    )

    person_id: Mapped[int] = mapped_column(ForeignKey(Person.id, ondelete="CASCADE"), index=True)
    movie_id: Mapped[int | None] = mapped_column(ForeignKey(Movie.id, ondelete="CASCADE"))
    tvshow_id: Mapped[int | None] = mapped_column(ForeignKey(TVShow.id, ondelete="CASCADE"))
    job: Mapped[str]
    department: Mapped[str | None]
    """TMDB's; None where the job says it."""
    character: Mapped[str | None]
    position: Mapped[int] = mapped_column(server_default="0")
