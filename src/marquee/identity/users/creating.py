"""Creating accounts: by registration, from outside accounts, and by hand."""

import re
import secrets
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from marquee.db import session
from marquee.errors import Conflict
from marquee.identity.auth import passwords
from marquee.identity.users.models import Role, User, UserRole

USERNAME = re.compile(r"[A-Za-z0-9_-]{3,30}", re.ASCII)
EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]+\.[^@\s]+")
LONGEST_STEM = 23


class Refused(Exception):
    """The account cannot be created; the message says why."""


def create(username: str, email: str, password: str, *, role: str) -> User:
    """A new account with one role, by hand. Raises Refused."""
    if not USERNAME.fullmatch(username):
        raise Refused("A user name has 3 to 30 letters, digits, _ or -.")
    if not EMAIL.fullmatch(email):
        raise Refused("That is not an e-mail address.")
    if not passwords.SHORTEST <= len(password) <= passwords.LONGEST:
        words = f"{passwords.SHORTEST} to {passwords.LONGEST}"
        raise Refused(f"A password has {words} characters.")
    columns = {"password_hash": passwords.hashed(password), "email_verified": True}
    try:
        return add(username=username, email=email, role=role, **columns)
    except Conflict as error:
        raise Refused(error.message) from error


def add(*, username: str, email: str | None, role: str = "user", **columns: Any) -> User:  # noqa: ANN401 - of the table
    """A new account with one role. Raises Conflict (EMAIL_TAKEN, USERNAME_TAKEN)."""
    new = insert(User).values(username=username, email=email, **columns)
    user: User | None = session.scalar(new.on_conflict_do_nothing().returning(User))
    if user is None:
        if email and session.scalar(User.named(email)):
            raise Conflict("An account with this e-mail address exists.", "EMAIL_TAKEN")
        raise Conflict("An account with this user name exists.", "USERNAME_TAKEN")
    role_id = select(Role.id).where(Role.name == role).scalar_subquery()
    session.execute(insert(UserRole).values(user_id=user.id, role_id=role_id))
    return user


def free_username(wanted: str) -> str:
    """A user name like the wanted one, or like the first part of an e-mail, that nobody has yet."""
    stem = re.sub(r"[^A-Za-z0-9_-]+", "-", wanted.partition("@")[0]).strip("-")[:LONGEST_STEM]
    stem = stem if USERNAME.fullmatch(stem) else f"user-{stem}".strip("-")[:LONGEST_STEM]
    taken = select(User.id).where(func.lower(User.username) == stem.lower())
    return stem if session.scalar(taken) is None else f"{stem}-{secrets.token_hex(3)}"
