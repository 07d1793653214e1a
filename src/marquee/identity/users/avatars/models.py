"""The table of the users' pictures."""

from datetime import datetime
from typing import Self

from sqlalchemy import ForeignKey, Select, func, select
from sqlalchemy.orm import Mapped, mapped_column

from marquee.db import Model
from marquee.identity.users.belongings import CONCEALED
from marquee.identity.users.models import User
from marquee.viewer import Viewer


class Avatar(Model):
    """The last picture that a user has uploaded: one row a user, whose version only grows.

    The row outlives the picture, so that a later one does not get an old number.
    """

    __tablename__ = "avatars"

    user_id: Mapped[int] = mapped_column(ForeignKey(User.id, ondelete="CASCADE"), unique=True)
    version: Mapped[int]
    file_key: Mapped[str] = mapped_column(info={CONCEALED: True})
    """Of the file store. Never given out."""
    file_size_bytes: Mapped[int]
    width: Mapped[int]
    height: Mapped[int]
    is_animated: Mapped[bool]
    """Whether the uploaded picture moved; its first frame is kept."""
    is_current: Mapped[bool]
    """False when it was taken away: there is no file then."""
    uploaded_at: Mapped[datetime] = mapped_column(server_default=func.now())

    @classmethod
    def visible_to(cls, viewer: Viewer) -> Select[Self]:
        """One's own. Those of others are looked at beside their profile."""
        return select(cls).where(cls.user_id == viewer.id)
