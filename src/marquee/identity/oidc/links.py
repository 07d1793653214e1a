"""Whose accounts at providers belong to whom here."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, delete, exists, select
from sqlalchemy.dialects.postgresql import insert

from marquee.db import session
from marquee.errors import Conflict, Forbidden, NotFound
from marquee.identity.mfa.models import Passkey
from marquee.identity.oidc import people, service
from marquee.identity.oidc.models import OidcLink, OidcProvider
from marquee.identity.users import admins
from marquee.identity.users.models import User, UserRole
from marquee.viewer import Viewer


def listed(viewer: Viewer) -> Sequence[Row[*tuple[Any, ...]]]:
    """The viewer's own, the oldest first."""
    query = OidcLink.visible_to(viewer).join(OidcProvider).order_by(OidcLink.id)
    shown = query.with_only_columns(
        OidcLink.id,
        OidcProvider.name.label("provider_name"),
        OidcProvider.display_name.label("provider_display_name"),
        OidcLink.email,
        OidcLink.last_login_at,
        OidcLink.linked_at,
    )
    return session.execute(shown).all()


def require_linkable(viewer: Viewer, name: str) -> None:
    """Raise what stands in the way of linking an account at a provider.

    NotFound (OIDC_PROVIDER_NOT_FOUND), Forbidden where the provider allows no linking, Conflict
    (OIDC_ALREADY_LINKED) where the viewer has linked one.
    """
    provider = service.enabled(name)
    if not provider.allow_linking:
        raise Forbidden(f"{provider.display_name} cannot be linked.")
    mine = OidcLink.visible_to(viewer).where(OidcLink.provider_id == provider.id)
    if session.scalar(mine) is not None:
        raise _linked_already(provider)


def add(user: User, provider: OidcProvider, person: people.Person) -> None:
    """Link an account at a provider to a user.

    Raises Forbidden where the provider allows no linking, Conflict (OIDC_ALREADY_LINKED) where the
    user has linked another, or the account there is another user's.
    """
    if not provider.allow_linking:
        raise Forbidden(f"{provider.display_name} cannot be linked.")
    new = insert(OidcLink).values(
        user_id=user.id, provider_id=provider.id, subject=person.subject, email=person.email
    )
    link: OidcLink | None = session.scalar(new.on_conflict_do_nothing().returning(OidcLink))
    if link is None:
        raise _linked_already(provider)
    people.follow_roles(provider, link, person.roles)


def remove(viewer: Viewer, name: str) -> None:
    """Unlink, and take the roles away that the provider's claims gave.

    Raises NotFound (OIDC_LINK_NOT_FOUND), and Conflict where the user would have no way in any more
    (LAST_SIGN_IN_METHOD), or nobody could administer the server (LAST_ADMIN).
    """
    admins.take_turns()
    # Locked, so that of two who unlink at once the second sees what the first has left.
    user = session.scalars(select(User).where(User.id == viewer.id).with_for_update()).one()
    mine = OidcLink.visible_to(viewer).join(OidcProvider).where(OidcProvider.name == name)
    link = session.scalar(mine)
    if link is None:
        raise NotFound(f"No account at {name} is linked.", "OIDC_LINK_NOT_FOUND")
    if not _has_another_way_in(user, link):
        message = "This is the last way into the account: set a password first."
        raise Conflict(message, "LAST_SIGN_IN_METHOD")
    given = UserRole.role_id.in_(link.granted_role_ids)
    with admins.one_left():
        session.execute(delete(UserRole).where(UserRole.user_id == user.id, given))
    session.delete(link)


def _has_another_way_in(user: User, link: OidcLink) -> bool:
    """A password, a media server that knows one, a passkey, or a provider that is enabled."""
    if user.password_hash is not None or user.provider in ("jellyfin", "emby"):
        return True
    passkey = exists().where(Passkey.user_id == user.id)
    other = exists().where(
        OidcLink.user_id == user.id,
        OidcLink.id != link.id,
        OidcProvider.id == OidcLink.provider_id,
        OidcProvider.is_enabled,
    )
    return bool(session.scalar(select(passkey | other)))


def _linked_already(provider: OidcProvider) -> Conflict:
    message = f"An account at {provider.display_name} is linked already."
    return Conflict(message, "OIDC_ALREADY_LINKED")
