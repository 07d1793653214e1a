"""Registering: an account for whoever comes, as far as the setting `REGISTRATION` allows it."""

from marquee import audit, settings
from marquee.db import checkpoint
from marquee.db import session as database
from marquee.errors import Conflict, Forbidden
from marquee.identity.auth import opening, passwords
from marquee.identity.auth.opening import Opened
from marquee.identity.mailing import send_soon
from marquee.identity.users import creating
from marquee.identity.users.models import User


def register(
    email: str,
    password: str,
    *,
    username: str | None = None,
    display_name: str | None = None,
    device_name: str | None = None,
) -> Opened | None:
    """A new account and its first session; None where the address must be confirmed first.

    Then nobody learns from the answer whether the address has an account: its owner gets a mail
    either way. Raises Forbidden (REGISTRATION_CLOSED), Unprocessable (WEAK_PASSWORD) and, unless
    addresses are confirmed first, Conflict (EMAIL_TAKEN). A user name that is taken is Conflict
    (USERNAME_TAKEN): user names are public.
    """
    registration = settings.current().registration
    if registration == "closed":
        raise Forbidden("Nobody can register here.", "REGISTRATION_CLOSED")
    passwords.refuse_weak(password, username or "", email)
    name = username or creating.free_username(email)
    checkpoint()
    password_hash = passwords.hashed(password)
    try:
        user = creating.add(
            username=name, email=email, password_hash=password_hash, display_name=display_name
        )
    except Conflict as conflict:
        if registration == "open" or conflict.code != "EMAIL_TAKEN":
            raise
        owner = database.scalars(User.named(email)).one()
        send_soon("account_exists", owner.id)
        return None
    audit.subject.set((user.id, user.username))
    send_soon("verify_email", user.id)
    return opening.open_session(user, device_name) if registration == "open" else None
