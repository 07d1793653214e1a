"""The files of films and episodes, as they lie on some disk."""

from datetime import datetime
from typing import Self

from sqlalchemy import CheckConstraint, Double, ForeignKey, Index, Select, Text, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from marquee.catalogue.movies.models import Movie
from marquee.catalogue.tvshows.models import Episode
from marquee.db import Model
from marquee.viewer import Viewer


class MediaFile(Model):
    """A file of one film or of one episode."""

    __tablename__ = "media_files"
    __table_args__ = (
        CheckConstraint("num_nonnulls(movie_id, episode_id) = 1", name="one_owner"),
        Index(
            "media_files_movie_idx",
            "movie_id",
            "resolution",
            postgresql_where=text("movie_id IS NOT NULL"),
        ),
        Index(
            "media_files_episode_idx", "episode_id", postgresql_where=text("episode_id IS NOT NULL")
        ),
    )

    movie_id: Mapped[int | None] = mapped_column(ForeignKey(Movie.id, ondelete="CASCADE"))
    episode_id: Mapped[int | None] = mapped_column(ForeignKey(Episode.id, ondelete="CASCADE"))
    file_path: Mapped[str] = mapped_column(unique=True)
    file_name: Mapped[str]
    file_size_bytes: Mapped[int]
    resolution: Mapped[str | None]
    """`4K`, `1080p`, `720p` or `SD`."""
    quality_profile: Mapped[str | None]
    video_codec: Mapped[str | None]
    audio_codec: Mapped[str | None]
    container: Mapped[str | None]
    duration_seconds: Mapped[int | None]
    bitrate_kbps: Mapped[int | None]
    framerate: Mapped[float | None] = mapped_column(Double)
    dynamic_range: Mapped[str | None]
    color_space: Mapped[str | None]
    audio_channels: Mapped[str | None]
    audio_languages: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    subtitle_languages: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    radarr_file_id: Mapped[int | None]
    sonarr_file_id: Mapped[int | None]
    is_monitored: Mapped[bool | None]
    last_scanned_at: Mapped[datetime | None]

    @classmethod
    def visible_to(cls, _viewer: Viewer) -> Select[Self]:
        """All of them. Where they lie on the disk is told to administrators only."""
        return select(cls)
