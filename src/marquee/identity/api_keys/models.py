"""API keys. The key itself is shown once and stored only as a digest."""

from datetime import datetime
from typing import Self

from sqlalchemy import ARRAY, ForeignKey, LargeBinary, Select, Text, func, or_, select
from sqlalchemy.orm import Mapped, column_property, mapped_column

from marquee.db import Model
from marquee.identity.users.models import User
from marquee.viewer import Viewer


class ApiKey(Model):
    """A key of one user, with the scopes `read`, `write` and `admin` that it was given."""

    __tablename__ = "api_keys"

    user_id: Mapped[int] = mapped_column(ForeignKey(User.id, ondelete="CASCADE"), index=True)
    name: Mapped[str]
    description: Mapped[str | None]
    key_prefix: Mapped[str]
    digest: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime | None] = mapped_column()
    last_used_at: Mapped[datetime | None]
    """Exact to a minute."""
    revoked_at: Mapped[datetime | None] = mapped_column()
    is_active: Mapped[bool] = column_property(
        revoked_at.is_(None) & or_(expires_at.is_(None), expires_at > func.now())
    )

    @classmethod
    def visible_to(cls, viewer: Viewer) -> Select[Self]:
        """One's own."""
        return select(cls).where(cls.user_id == viewer.id)
