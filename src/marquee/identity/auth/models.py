"""Sessions, and the secrets that lead to one: each stored as a digest."""

from datetime import datetime
from typing import Any, Self

from sqlalchemy import ForeignKey, Index, LargeBinary, Select, func, select, text
from sqlalchemy.dialects.postgresql import INET, JSONB
from sqlalchemy.orm import Mapped, column_property, mapped_column

from marquee.db import Model
from marquee.identity.users.belongings import CONCEALED
from marquee.identity.users.models import User
from marquee.viewer import Viewer


class Session(Model):
    """One sign-in of one user on one device, so that a token can be revoked before it expires."""

    __tablename__ = "sessions"
    __table_args__ = (Index("sessions_user_idx", "user_id", text("id DESC")),)

    user_id: Mapped[int] = mapped_column(ForeignKey(User.id, ondelete="CASCADE"))
    method: Mapped[str] = mapped_column(server_default="password")
    """How it was opened: `password`, `passkey`, `oidc` or `media_server`."""
    device_name: Mapped[str | None]
    ip_address: Mapped[str | None] = mapped_column(INET)
    user_agent: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    last_activity_at: Mapped[datetime] = mapped_column(server_default=func.now())
    """Exact to a minute."""
    expires_at: Mapped[datetime] = mapped_column(index=True)
    revoked_at: Mapped[datetime | None] = mapped_column()
    is_active: Mapped[bool] = column_property(revoked_at.is_(None) & (expires_at > func.now()))

    @classmethod
    def visible_to(cls, viewer: Viewer) -> Select[Self]:
        """One's own that still hold."""
        return select(cls).where(cls.user_id == viewer.id, cls.is_active)


class RefreshToken(Model):
    """A refresh token. All of one session are a family: when a used one comes again, all end."""

    __tablename__ = "refresh_tokens"

    session_id: Mapped[int] = mapped_column(ForeignKey(Session.id, ondelete="CASCADE"), index=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    used_at: Mapped[datetime | None]


class OneTimeToken(Model):
    """A secret that is good for one purpose, once, for a while."""

    __tablename__ = "one_time_tokens"

    purpose: Mapped[str]
    digest: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey(User.id, ondelete="CASCADE"), index=True)
    data: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}", info={CONCEALED: True})
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime] = mapped_column(index=True)


class SignInAttempts(Model):
    """How often somebody has failed to sign in to an account, or from an address."""

    __tablename__ = "sign_in_attempts"

    key: Mapped[str] = mapped_column(unique=True)
    count: Mapped[int]
    ends_at: Mapped[datetime] = mapped_column(index=True)
