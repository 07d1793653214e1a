"""Who a provider's claims are here."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import exists, func, select, text

from marquee import audit, clock
from marquee.db import session
from marquee.errors import Conflict, Forbidden
from marquee.identity.mailing import send_soon
from marquee.identity.oidc.models import OidcLink, OidcProvider
from marquee.identity.users import creating, granting
from marquee.identity.users.models import Role, User
from marquee.services.oidc_answers import Claims

LONGEST_EMAIL, LONGEST_NAME, LONGEST_PICTURE, MOST_ROLES = 254, 100, 2000, 1000
PICTURE = re.compile(r"https?://[^\s<>\"]+")
TRIES = 3
ONE_AT_A_TIME = text("select pg_advisory_xact_lock(hashtextextended(:person, 0))")


@dataclass(frozen=True, slots=True)
class Person:
    """What a provider says of somebody, by its claim mappings, cleaned."""

    subject: str
    username: str
    email: str | None
    email_verified: bool
    name: str | None
    picture: str | None
    roles: tuple[str, ...]

    @classmethod
    def of(cls, provider: OidcProvider, claims: Claims) -> "Person":
        """Read claims. What has not the form that it should have is as good as absent."""
        mapped = {what: _value(claims, name) for what, name in provider.claim_mappings.items()}
        email = _text(mapped["email"], LONGEST_EMAIL + 1)
        if email is not None and (
            len(email) > LONGEST_EMAIL or not creating.EMAIL.fullmatch(email)
        ):
            email = None
        picture = _text(mapped["picture"], LONGEST_PICTURE + 1)
        if picture is not None and (
            len(picture) > LONGEST_PICTURE or not PICTURE.fullmatch(picture)
        ):
            picture = None
        roles = mapped["roles"] if isinstance(mapped["roles"], list) else [mapped["roles"]]
        return cls(
            subject=claims["sub"],
            username=_text(mapped["username"], LONGEST_EMAIL) or email or "",
            email=email,
            email_verified=_is_true(claims.get("email_verified")),
            name=_text(mapped["name"], LONGEST_NAME),
            picture=picture,
            roles=tuple(each for each in roles[:MOST_ROLES] if isinstance(each, str)),
        )


def account(provider: OidcProvider, claims: Claims) -> User:
    """The user that is linked to the account at the provider; a new one where the provider's
    settings say so.

    Raises Forbidden (ACCOUNT_DISABLED, REGISTRATION_CLOSED), and Conflict (EMAIL_TAKEN) where the
    address belongs to an account that is not linked: who has an address at a provider need not be
    who has it here.
    """
    person = Person.of(provider, claims)
    # Of two who sign in for the first time at once, the second finds what the first has made.
    session.execute(ONE_AT_A_TIME, {"person": f"oidc:{provider.id}:{person.subject}"})
    query = select(OidcLink, User).join(User, User.id == OidcLink.user_id)
    its = (OidcLink.provider_id == provider.id) & (OidcLink.subject == person.subject)
    found = session.execute(query.where(its)).first()
    link, user = found or _created(provider, person)
    audit.subject.set((user.id, user.username))
    if not user.is_active:
        raise Forbidden("This account is disabled.", "ACCOUNT_DISABLED")
    # First: whoever takes roles waits for others who do, and must not hold the user meanwhile.
    follow_roles(provider, link, person.roles)
    if found and provider.update_user_info and user.provider == "oidc":
        _update(user, person)
    link.email, link.last_login_at = person.email, clock.now()
    return user


def follow_roles(provider: OidcProvider, link: OidcLink, values: Iterable[str]) -> None:
    """Give the roles that the claims map to, and take away those that they did and do no more.

    Roles that were assigned here are not touched; the last administrator stays one.
    """
    names = {provider.role_mappings[each] for each in values if each in provider.role_mappings}
    wanted = set(session.scalars(select(Role.id).where(Role.name.in_(names)))) if names else set()
    given = set(link.granted_role_ids)
    taken = granting.take(link.user_id, given - wanted, provider.name)
    added = granting.give(link.user_id, wanted, provider.name)
    link.granted_role_ids = sorted((given - taken) | added)


def _created(provider: OidcProvider, person: Person) -> tuple[OidcLink, User]:
    if not provider.auto_create_users:
        message = f"No account here is linked to this one at {provider.display_name}."
        raise Forbidden(message, "REGISTRATION_CLOSED")
    user = _user(provider, person)
    link = OidcLink(
        user_id=user.id, provider_id=provider.id, subject=person.subject, granted_role_ids=[]
    )
    session.add(link)
    session.flush()
    if user.email and not user.email_verified:
        send_soon("verify_email", user.id)
    return link, user


def _user(provider: OidcProvider, person: Person) -> User:
    """A new account; a user name that somebody takes meanwhile is chosen anew."""
    for left in reversed(range(TRIES)):
        try:
            return creating.add(
                username=creating.free_username(person.username),
                email=person.email,
                provider="oidc",
                email_verified=person.email is not None and person.email_verified,
                display_name=person.name,
                avatar_url=person.picture,
            )
        except Conflict as conflict:
            if conflict.code == "EMAIL_TAKEN":
                message = (
                    "An account here has this e-mail address: sign in to it, and link "
                    f"{provider.display_name} there."
                )
                raise Conflict(message, "EMAIL_TAKEN") from conflict
            if not left:
                raise
    raise AssertionError("the last try returns or raises")


def _update(user: User, person: Person) -> None:
    """Follow the provider's name, picture and confirmed address; not a picture uploaded here."""
    user.display_name = person.name or user.display_name
    if person.picture and (user.avatar_url is None or PICTURE.fullmatch(user.avatar_url)):
        user.avatar_url = person.picture
    if person.email is None or not person.email_verified:
        return
    lowered = person.email.lower()
    taken = exists().where(func.lower(User.email) == lowered, User.id != user.id)
    if not session.scalar(select(taken)):
        user.email, user.email_verified = person.email, True


def _value(claims: Claims, name: str | None) -> Any:  # noqa: ANN401 - any JSON
    """A claim by its name, or by a path of names with dots between."""
    if name is None or name in claims:
        return claims.get(name or "")
    value: Any = claims
    for part in name.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _is_true(value: object) -> bool:
    """Whether a claim is true, which some providers write as text."""
    return value is True or value == "true"


def _text(value: object, longest: int) -> str | None:
    """Text without NUL and outer space, cut to a length; None for anything else."""
    if not isinstance(value, str):
        return None
    return value.replace("\0", "").strip()[:longest].rstrip() or None
