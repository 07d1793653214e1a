"""What a user's taste is in words: the synopsis that was last written."""

from datetime import datetime
from typing import Self

from sqlalchemy import CheckConstraint, ForeignKey, Index, Select, func, select
from sqlalchemy.orm import Mapped, mapped_column

from marquee.db import Model
from marquee.identity.users.models import User
from marquee.viewer import Viewer


class TasteProfile(Model):
    """The synopsis of what a user likes among films, or among series; while the first one is being
    written, a row without it.
    """

    __tablename__ = "taste_profiles"
    __table_args__ = (
        CheckConstraint("kind IN ('movie', 'tvshow')", name="kind"),
        Index("taste_profiles_user_id_kind_key", "user_id", "kind", unique=True),
    )

    user_id: Mapped[int] = mapped_column(ForeignKey(User.id, ondelete="CASCADE"))
    kind: Mapped[str]
    synopsis: Mapped[str | None]
    model: Mapped[str | None]
    """What has written it."""
    writing_until: Mapped[datetime | None]
    """Until when somebody writes a new one; nobody else does so before."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())
    """When the synopsis was stored."""

    @classmethod
    def visible_to(cls, viewer: Viewer) -> Select[Self]:
        """One's own, and everybody's for those who may read users."""
        query = select(cls)
        return query if viewer.may("users:read") else query.where(cls.user_id == viewer.id)
