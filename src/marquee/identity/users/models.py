"""Accounts and roles. A role is a name for a set of `resource:action` permissions."""

from datetime import datetime
from typing import Any, Self

from sqlalchemy import (
    ARRAY,
    ForeignKey,
    Index,
    Select,
    SmallInteger,
    Text,
    UniqueConstraint,
    false,
    func,
    literal,
    literal_column,
    or_,
    select,
    text,
    true,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from marquee.db import Model
from marquee.viewer import Viewer

EARLIEST, LATEST = "0001-01-01 00:00:00+00", "9999-12-31 00:00:00+00"
"""Stand for the last sign-in of who never signed in, who come last in both orders."""


class User(Model):
    """An account. User name and e-mail are unique whatever their case."""

    __tablename__ = "users"
    __table_args__ = (
        Index("users_lower_username_key", text("lower(username)"), unique=True),
        Index("users_lower_email_key", text("lower(email)"), unique=True),
        # A locale's order, in which the others are, finds no beginnings.
        Index(
            "users_username_begins_idx",
            literal_column("lower(username)").label("lowered"),
            postgresql_ops={"lowered": "text_pattern_ops"},
        ),
        Index(
            "users_email_begins_idx",
            literal_column("lower(email)").label("lowered"),
            postgresql_ops={"lowered": "text_pattern_ops"},
        ),
        Index("users_created_at_idx", "created_at", "id"),
        Index("users_last_login_asc_idx", text(f"coalesce(last_login_at, '{LATEST}')"), "id"),
        Index("users_last_login_desc_idx", text(f"coalesce(last_login_at, '{EARLIEST}')"), "id"),
        UniqueConstraint("provider", "provider_user_id"),
    )

    username: Mapped[str]
    email: Mapped[str | None]
    display_name: Mapped[str | None]
    avatar_url: Mapped[str | None]
    cover_url: Mapped[str | None]
    locale: Mapped[str | None]
    timezone: Mapped[str | None]
    preferences: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict, server_default="{}")
    """What differs from the defaults; the contract's `Preferences` has the names."""
    password_hash: Mapped[str | None]
    provider: Mapped[str] = mapped_column(default="local", server_default="local")
    """Who vouches for the password: `local`, or the media server `jellyfin` or `emby`."""
    provider_user_id: Mapped[str | None]
    mfa_enabled: Mapped[bool] = mapped_column(default=False, server_default=false())
    movies_enabled: Mapped[bool] = mapped_column(default=True, server_default=true())
    series_enabled: Mapped[bool] = mapped_column(default=True, server_default=true())
    discover_enabled: Mapped[bool] = mapped_column(default=True, server_default=true())
    discover_request_enabled: Mapped[bool] = mapped_column(default=False, server_default=false())
    can_manage_watch_history: Mapped[bool] = mapped_column(default=False, server_default=false())
    max_parental_rating: Mapped[int | None] = mapped_column(SmallInteger)
    seerr_user_id: Mapped[int | None]
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

    @classmethod
    def visible_to(cls, viewer: Viewer) -> Select[Self]:
        """All, for those who may do anything with roles."""
        actions = ("list", "get", "create", "update", "delete", "assign")
        return select(cls).where(literal(any(viewer.may(f"roles:{each}") for each in actions)))


class UserRole(Model):
    """That a user has a role."""

    __tablename__ = "user_roles"
    __table_args__ = (Index("user_roles_user_id_role_id_key", "user_id", "role_id", unique=True),)

    user_id: Mapped[int] = mapped_column(ForeignKey(User.id, ondelete="CASCADE"))
    role_id: Mapped[int] = mapped_column(ForeignKey(Role.id, ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
