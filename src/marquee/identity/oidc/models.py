"""OpenID providers, and whose accounts there belong to whom here."""

from datetime import datetime
from typing import Any, Self

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ForeignKey,
    Index,
    Select,
    Text,
    UniqueConstraint,
    false,
    func,
    literal,
    select,
    text,
    true,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from marquee.db import Model
from marquee.identity.users.models import User
from marquee.viewer import Viewer


class OidcProvider(Model):
    """An OpenID provider. Its client secret is encrypted (`marquee.sealing`) and never shown."""

    __tablename__ = "oidc_providers"
    __table_args__ = (
        Index(
            "oidc_providers_one_default",
            "is_default",
            unique=True,
            postgresql_where=text("is_default"),
        ),
    )

    name: Mapped[str] = mapped_column(unique=True)
    display_name: Mapped[str]
    provider_type: Mapped[str]
    issuer_url: Mapped[str]
    client_id: Mapped[str]
    sealed_client_secret: Mapped[str | None]
    authorization_endpoint: Mapped[str | None]
    token_endpoint: Mapped[str | None]
    user_info_endpoint: Mapped[str | None]
    jwks_uri: Mapped[str | None]
    end_session_endpoint: Mapped[str | None]
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    claim_mappings: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    role_mappings: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    auto_create_users: Mapped[bool] = mapped_column(server_default=true())
    update_user_info: Mapped[bool] = mapped_column(server_default=true())
    allow_linking: Mapped[bool] = mapped_column(server_default=true())
    is_enabled: Mapped[bool] = mapped_column(server_default=true())
    is_default: Mapped[bool] = mapped_column(server_default=false())
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now())

    @classmethod
    def visible_to(cls, viewer: Viewer) -> Select[Self]:
        """All, for those who may see integrations; nobody else sees more than the public list."""
        return select(cls).where(literal(viewer.may("integrations:get")))


class OidcLink(Model):
    """That an account at a provider, by its `sub`, is a user here."""

    __tablename__ = "oidc_links"
    __table_args__ = (
        UniqueConstraint("provider_id", "subject"),
        UniqueConstraint("user_id", "provider_id"),
    )

    user_id: Mapped[int] = mapped_column(ForeignKey(User.id, ondelete="CASCADE"))
    provider_id: Mapped[int] = mapped_column(ForeignKey(OidcProvider.id, ondelete="CASCADE"))
    subject: Mapped[str]
    email: Mapped[str | None]
    granted_role_ids: Mapped[list[int]] = mapped_column(ARRAY(BigInteger), server_default="{}")
    """Roles that the user has by the provider's claims, and loses with them."""
    linked_at: Mapped[datetime] = mapped_column(server_default=func.now())
    last_login_at: Mapped[datetime | None]

    @classmethod
    def visible_to(cls, viewer: Viewer) -> Select[Self]:
        """One's own."""
        return select(cls).where(cls.user_id == viewer.id)
