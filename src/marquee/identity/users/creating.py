"""Creating accounts."""

import re

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from marquee.db import session
from marquee.identity.auth import passwords
from marquee.identity.users.models import Role, User, UserRole

USERNAME = re.compile(r"[A-Za-z0-9_-]{3,30}", re.ASCII)
EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]+\.[^@\s]+")
SHORTEST, LONGEST = 8, 128


class Refused(Exception):
    """The account cannot be created; the message says why."""


def create(username: str, email: str, password: str, *, role: str) -> User:
    """A new account with one role. Raises Refused."""
    if not USERNAME.fullmatch(username):
        raise Refused("A user name has 3 to 30 letters, digits, _ or -.")
    if not EMAIL.fullmatch(email):
        raise Refused("That is not an e-mail address.")
    if not SHORTEST <= len(password) <= LONGEST:
        raise Refused(f"A password has {SHORTEST} to {LONGEST} characters.")
    new = insert(User).values(
        username=username, email=email, password_hash=passwords.hashed(password)
    )
    user: User | None = session.scalar(new.on_conflict_do_nothing().returning(User))
    if user is None:
        raise Refused("An account with this user name or e-mail exists.")
    role_id = select(Role.id).where(Role.name == role).scalar_subquery()
    session.execute(insert(UserRole).values(user_id=user.id, role_id=role_id))
    return user
