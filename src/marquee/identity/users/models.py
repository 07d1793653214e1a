"""Accounts and roles. A role is a name for a set of `resource:action` permissions."""

from datetime import datetime
from typing import Self

from sqlalchemy import (
    ARRAY,
    ForeignKey,
    Index,
    Select,
    Text,
    false,
    func,
    literal,
    or_,
    select,
    text,
    true,
)
from sqlalchemy.orm import Mapped, mapped_column

from marquee.db import Model
from marquee.viewer import Viewer


class User(Model):
    """An account. User name and e-mail are unique whatever their case."""

    __tablename__ = "users"
    __table_args__ = (
        Index("users_lower_username_key", text("lower(username)"), unique=True),
        Index("users_lower_email_key", text("lower(email)"), unique=True),
    )

    username: Mapped[str]
    email: Mapped[str]
    display_name: Mapped[str | None]
    password_hash: Mapped[str | None]
    is_active: Mapped[bool] = mapped_column(default=True, server_default=true())
    email_verified: Mapped[bool] = mapped_column(default=False, server_default=false())
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now())
    last_login_at: Mapped[datetime | None]

    @classmethod
    def visible_to(cls, viewer: Viewer) -> Select[Self]:
        """Oneself; for those who may read users, everybody."""
        return select(cls).where(or_(cls.id == viewer.id, literal(viewer.may("users:read"))))

    @classmethod
    def named(cls, name: str) -> Select[Self]:
        """The account with this user name or e-mail, in any case."""
        lowered = name.lower()
        return select(cls).where(
            or_(func.lower(cls.username) == lowered, func.lower(cls.email) == lowered)
        )


class Role(Model):
    """A named set of permissions. Built-in roles are made by a migration and cannot be deleted."""

    __tablename__ = "roles"

    name: Mapped[str] = mapped_column(unique=True)
    description: Mapped[str | None]
    permissions: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    is_built_in: Mapped[bool] = mapped_column(default=False, server_default=false())
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now())


class UserRole(Model):
    """That a user has a role."""

    __tablename__ = "user_roles"
    __table_args__ = (Index("user_roles_user_id_role_id_key", "user_id", "role_id", unique=True),)

    user_id: Mapped[int] = mapped_column(ForeignKey(User.id, ondelete="CASCADE"))
    role_id: Mapped[int] = mapped_column(ForeignKey(Role.id, ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
