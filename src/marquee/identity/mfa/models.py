"""What proves, beside a password, who somebody is."""

from datetime import datetime
from typing import Self

from sqlalchemy import ARRAY, ForeignKey, LargeBinary, Select, Text, UniqueConstraint, func, select
from sqlalchemy.orm import Mapped, mapped_column

from marquee.db import Model
from marquee.identity.users.models import User
from marquee.viewer import Viewer


class Totp(Model):
    """The authenticator app of a user (RFC 6238). Its secret is encrypted (`marquee.sealing`)."""

    __tablename__ = "totps"

    user_id: Mapped[int] = mapped_column(ForeignKey(User.id, ondelete="CASCADE"), unique=True)
    sealed_secret: Mapped[str]
    last_step: Mapped[int] = mapped_column(server_default="0")
    """The time step of the last code that was taken: it and those before are refused."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    confirmed_at: Mapped[datetime | None]
    """When a first code was right; until then it proves nothing."""

    @classmethod
    def visible_to(cls, viewer: Viewer) -> Select[Self]:
        """One's own."""
        return select(cls).where(cls.user_id == viewer.id)


class BackupCode(Model):
    """One of ten codes for the day on which the app is gone; good once."""

    __tablename__ = "backup_codes"
    __table_args__ = (UniqueConstraint("user_id", "digest"),)

    user_id: Mapped[int] = mapped_column(ForeignKey(User.id, ondelete="CASCADE"))
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    used_at: Mapped[datetime | None]

    @classmethod
    def visible_to(cls, viewer: Viewer) -> Select[Self]:
        """One's own."""
        return select(cls).where(cls.user_id == viewer.id)


class Passkey(Model):
    """A WebAuthn credential: the public half of a key that an authenticator keeps."""

    __tablename__ = "passkeys"

    user_id: Mapped[int] = mapped_column(ForeignKey(User.id, ondelete="CASCADE"), index=True)
    name: Mapped[str]
    credential_id: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    sign_count: Mapped[int] = mapped_column(server_default="0")
    transports: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    backed_up: Mapped[bool]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    last_used_at: Mapped[datetime | None]

    @classmethod
    def visible_to(cls, viewer: Viewer) -> Select[Self]:
        """One's own."""
        return select(cls).where(cls.user_id == viewer.id)
