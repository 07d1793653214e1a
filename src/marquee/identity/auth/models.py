"""Sessions: one for each sign-in, so that a token can be revoked before it expires."""

from datetime import datetime
from typing import Self

from sqlalchemy import ForeignKey, Select, func, select
from sqlalchemy.dialects.postgresql import INET
from sqlalchemy.orm import Mapped, mapped_column

from marquee.db import Model
from marquee.identity.users.models import User
from marquee.viewer import Viewer


class Session(Model):
    """One sign-in of one user on one device."""

    __tablename__ = "sessions"

    user_id: Mapped[int] = mapped_column(ForeignKey(User.id, ondelete="CASCADE"), index=True)
    device_name: Mapped[str | None]
    ip_address: Mapped[str | None] = mapped_column(INET)
    user_agent: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime] = mapped_column(index=True)
    revoked_at: Mapped[datetime | None]

    @classmethod
    def visible_to(cls, viewer: Viewer) -> Select[Self]:
        """One's own."""
        return select(cls).where(cls.user_id == viewer.id)
