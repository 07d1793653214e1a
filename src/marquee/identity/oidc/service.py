"""Rules of OpenID providers."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row, Select, delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from marquee import clock, sealing, settings
from marquee.db import find, session
from marquee.errors import Conflict, Forbidden, Invalid, NotConfigured, NotFound
from marquee.identity.oidc.models import OidcLink, OidcProvider
from marquee.identity.users import admins
from marquee.identity.users.models import Role, UserRole
from marquee.services.oidc import RelyingParty, relying_party
from marquee.services.oidc_answers import Client, is_loopback
from marquee.viewer import Viewer

MOST = 100
CLAIMS = {
    "username": "preferred_username",
    "email": "email",
    "name": "name",
    "picture": "picture",
    "roles": None,
}
SCOPES = ["openid", "profile", "email"]
ENDPOINTS = (
    "authorization_endpoint",
    "token_endpoint",
    "user_info_endpoint",
    "jwks_uri",
    "end_session_endpoint",
)
ADDRESSES = ("issuer_url", *ENDPOINTS)
ONE_AT_A_TIME = text("select pg_advisory_xact_lock(hashtextextended('oidc providers', 0))")


def choices() -> Sequence[Row[str, str, bool]]:
    """What a sign-in page offers: the default first."""
    query = select(OidcProvider.name, OidcProvider.display_name, OidcProvider.is_default)
    order = OidcProvider.is_default.desc(), OidcProvider.name
    return session.execute(query.where(OidcProvider.is_enabled).order_by(*order)).all()


def enabled(name: str) -> OidcProvider:
    """The provider of a name, as it is now. Raises NotFound (OIDC_PROVIDER_NOT_FOUND)."""
    query = select(OidcProvider).where(OidcProvider.name == name, OidcProvider.is_enabled)
    provider: OidcProvider | None = session.scalar(query.execution_options(populate_existing=True))
    if provider is None:
        raise NotFound(f"There is no OpenID provider {name}.", "OIDC_PROVIDER_NOT_FOUND")
    return provider


def party(provider: OidcProvider) -> RelyingParty:
    """What speaks to a provider. Raises NotConfigured where its secret cannot be read any more."""
    sealed = provider.sealed_client_secret
    try:
        secret = sealing.unseal(sealed) if sealed else None
    except sealing.Unreadable as error:
        message = f"The client secret of {provider.name} must be entered anew."
        raise NotConfigured(message) from error
    return relying_party(
        Client(
            issuer=provider.issuer_url,
            client_id=provider.client_id,
            client_secret=secret,
            authorization_endpoint=provider.authorization_endpoint,
            token_endpoint=provider.token_endpoint,
            user_info_endpoint=provider.user_info_endpoint,
            jwks_uri=provider.jwks_uri,
        )
    )


def callback_url(name: str) -> str:
    """Where a provider sends browsers, exactly as it has to know it."""
    return f"{settings.current().server_address}/api/v1/oidc/callback/{name}"


def listed(viewer: Viewer) -> Sequence[OidcProvider]:
    """All, by name."""
    return session.scalars(OidcProvider.visible_to(viewer).order_by(OidcProvider.name)).all()


def one(viewer: Viewer, provider_id: int) -> OidcProvider:
    """One of them. Raises NotFound (OIDC_PROVIDER_NOT_FOUND)."""
    return find(OidcProvider.visible_to(viewer), provider_id)


def locked(viewer: Viewer, provider_id: int) -> OidcProvider:
    """One of them, to be changed. Raises NotFound (OIDC_PROVIDER_NOT_FOUND)."""
    query: Select[OidcProvider] = OidcProvider.visible_to(viewer).with_for_update()
    return find(query, provider_id)


def described(provider: OidcProvider) -> dict[str, Any]:
    """A provider as administrators see it: without its secret, with the address to register."""
    columns = {column.key: getattr(provider, column.key) for column in OidcProvider.__table__.c}
    return columns | {
        "has_client_secret": provider.sealed_client_secret is not None,
        "callback_url": callback_url(provider.name),
    }


def add(viewer: Viewer, values: Mapping[str, Any]) -> OidcProvider:
    """A new provider.

    Raises Invalid for an address or a role that cannot be, Forbidden where roles are mapped by one
    who may not assign any, Conflict (OIDC_PROVIDER_EXISTS, OIDC_PROVIDER_LIMIT).
    """
    columns = {"scopes": SCOPES, "role_mappings": {}, **_columns(viewer, values)}
    columns["claim_mappings"] = CLAIMS | values.get("claim_mappings", {})
    session.execute(ONE_AT_A_TIME)
    if (session.scalar(select(func.count(OidcProvider.id))) or 0) >= MOST:
        raise Conflict(f"There are {MOST} OpenID providers already.", "OIDC_PROVIDER_LIMIT")
    new = insert(OidcProvider).values(**columns).on_conflict_do_nothing()
    provider: OidcProvider | None = session.scalar(new.returning(OidcProvider))
    if provider is None:
        message = f"There is an OpenID provider {values['name']} already."
        raise Conflict(message, "OIDC_PROVIDER_EXISTS")
    return provider


def change(viewer: Viewer, provider: OidcProvider, values: Mapping[str, Any]) -> OidcProvider:
    """Change what is named.

    Raises Invalid and Forbidden as `add` does, and Conflict (OIDC_PROVIDER_IN_USE) for another
    issuer while accounts are linked: whoever has the same subject there is somebody else.
    """
    columns = _columns(viewer, values)
    if columns.get("issuer_url", provider.issuer_url) != provider.issuer_url and session.scalar(
        select(OidcLink.id).where(OidcLink.provider_id == provider.id).limit(1)
    ):
        message = "Accounts are linked to this issuer: add the other as a provider of its own."
        raise Conflict(message, "OIDC_PROVIDER_IN_USE")
    if "claim_mappings" in values:
        columns["claim_mappings"] = provider.claim_mappings | values["claim_mappings"]
    for name, value in columns.items():
        setattr(provider, name, value)
    provider.updated_at = clock.now()
    session.flush()
    return provider


def switch(provider: OidcProvider, *, enabled: bool) -> None:
    """Let people sign in by a provider, or not."""
    provider.is_enabled, provider.updated_at = enabled, clock.now()


def set_default(provider: OidcProvider) -> None:
    """Make a provider the one default."""
    session.execute(ONE_AT_A_TIME)
    now = clock.now()
    other = OidcProvider.is_default & (OidcProvider.id != provider.id)
    session.execute(update(OidcProvider).where(other).values(is_default=False, updated_at=now))
    this = OidcProvider.id == provider.id
    session.execute(update(OidcProvider).where(this).values(is_default=True, updated_at=now))


def remove(provider: OidcProvider) -> None:
    """Remove a provider, the links to it, and the roles that were given by its claims.

    Raises Conflict (LAST_ADMIN) where nobody could administer the server without these.
    """
    admins.take_turns()
    with admins.one_left():
        session.execute(
            delete(UserRole).where(
                OidcLink.provider_id == provider.id,
                OidcLink.user_id == UserRole.user_id,
                UserRole.role_id == func.any(OidcLink.granted_role_ids),
            )
        )
    session.delete(provider)


def _columns(viewer: Viewer, values: Mapping[str, Any]) -> dict[str, Any]:
    """What a body says, as columns."""
    for name in ADDRESSES:
        _require_safe(name, values.get(name))
    if values.get("role_mappings"):
        _require_roles(viewer, values["role_mappings"])
    columns = {name: value for name, value in values.items() if name != "claim_mappings"}
    if "client_secret" in columns:
        secret = columns.pop("client_secret")
        columns["sealed_client_secret"] = sealing.seal(secret) if secret else None
    return columns


def _require_safe(name: str, address: str | None) -> None:
    """Raise Invalid for plain HTTP, except to this very machine and never in production."""
    if address is None or address.startswith("https://"):
        return
    if settings.current().production or not is_loopback(address):
        raise Invalid.value("body", f"/{name}", "must be an address of HTTPS")


def _require_roles(viewer: Viewer, mappings: Mapping[str, str]) -> None:
    if not viewer.may("roles:assign"):
        raise Forbidden("To map claims to roles takes the permission roles:assign.")
    known = set(session.scalars(select(Role.name).where(Role.name.in_(mappings.values()))))
    for value, role in mappings.items():
        if role not in known:
            raise Invalid.value("body", f"/role_mappings/{value}"[:500], "is no role that exists")
