"""Channels: lists of films by a few examples, genres and words, made anew whenever wanted."""

from datetime import datetime
from typing import Self

from sqlalchemy import ARRAY, ForeignKey, Index, Select, Text, false, func, or_, select, true
from sqlalchemy.orm import Mapped, mapped_column

from marquee.catalogue.movies.models import Movie
from marquee.db import Model
from marquee.identity.users.models import User
from marquee.viewer import Viewer


class Channel(Model):
    """What a channel is about, and where its list went."""

    __tablename__ = "channels"
    __table_args__ = (Index("channels_owner_idx", "owner_id", "id"),)

    owner_id: Mapped[int] = mapped_column(ForeignKey(User.id, ondelete="CASCADE"))
    name: Mapped[str]
    description: Mapped[str | None]
    genre_filters: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    """Films have one of them at least; none for films of any genre."""
    text_preferences: Mapped[str | None]
    """What films are to be about, in the owner's words."""
    is_pinned_row: Mapped[bool] = mapped_column(default=False, server_default=false())
    is_shared: Mapped[bool] = mapped_column(default=False, server_default=false(), index=True)
    """Whether everybody may see it."""
    is_active: Mapped[bool] = mapped_column(default=True, server_default=true())
    playlist_id: Mapped[str | None]
    """Of its playlist on the media server."""
    last_generated_at: Mapped[datetime | None]
    last_synced_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(
        server_default=func.now(), onupdate=func.clock_timestamp()
    )

    @classmethod
    def visible_to(cls, viewer: Viewer) -> Select[Self]:
        """One's own and those that are shared; all for those who may read users."""
        query = select(cls)
        if viewer.may("users:read"):
            return query
        return query.where(or_(cls.owner_id == viewer.id, cls.is_shared))


class ChannelExample(Model):
    """A film that those of a channel shall resemble."""

    __tablename__ = "channel_examples"
    __table_args__ = (
        Index("channel_examples_channel_id_movie_id_key", "channel_id", "movie_id", unique=True),
    )

    channel_id: Mapped[int] = mapped_column(ForeignKey(Channel.id, ondelete="CASCADE"))
    movie_id: Mapped[int] = mapped_column(ForeignKey(Movie.id, ondelete="CASCADE"), index=True)


class ChannelItem(Model):
    """A film of a channel's list."""

    __tablename__ = "channel_items"
    __table_args__ = (
        Index("channel_items_channel_id_movie_id_key", "channel_id", "movie_id", unique=True),
    )

    channel_id: Mapped[int] = mapped_column(ForeignKey(Channel.id, ondelete="CASCADE"))
    movie_id: Mapped[int] = mapped_column(ForeignKey(Movie.id, ondelete="CASCADE"), index=True)
    position: Mapped[int]
    """From 1; there is a gap where a film has gone since."""
    score: Mapped[float]
