"""Which factors a user has, and whether signing in asks for a second one."""

from dataclasses import dataclass

from sqlalchemy import func, select

from marquee.db import session
from marquee.errors import Conflict, Invalid
from marquee.identity.auth import opening
from marquee.identity.mfa.models import BackupCode, Passkey, Totp
from marquee.identity.users.models import User


@dataclass(frozen=True, slots=True)
class Factors:
    """What a user can prove, beside a password, who they are with."""

    has_totp: bool
    """Whether an app is set up and confirmed."""
    passkeys: int
    backup_codes: int
    """How many are unused. They stand in for a factor, and are none."""

    @property
    def any(self) -> bool:
        """Whether there is a factor."""
        return self.has_totp or self.passkeys > 0

    @property
    def methods(self) -> list[str]:
        """Their names, as the contract has them."""
        known = {"totp": self.has_totp, "backup_code": self.backup_codes, "webauthn": self.passkeys}
        return [name for name, there in known.items() if there]


def factors_of(user_id: int) -> Factors:
    """The factors of a user, by one query."""
    totp = select(Totp.id).where(Totp.user_id == user_id, Totp.confirmed_at.is_not(None))
    passkeys = select(func.count()).select_from(Passkey).where(Passkey.user_id == user_id)
    unused = BackupCode.user_id == user_id, BackupCode.used_at.is_(None)
    codes = select(func.count()).select_from(BackupCode).where(*unused)
    found = select(totp.exists(), passkeys.scalar_subquery(), codes.scalar_subquery())
    return Factors(*session.execute(found).one())


def locked(user_id: int) -> User:
    """The user, whose factors nobody else changes until the transaction ends."""
    query = select(User).where(User.id == user_id).with_for_update()
    return session.scalars(query.execution_options(populate_existing=True)).one()


def enable(user: User, session_id: int | None) -> None:
    """Ask for a second factor from now on; all other sessions end, which were opened without.

    Raises Invalid (NO_MFA_METHOD) where there is no factor to ask for.
    """
    if not factors_of(user.id).any:
        raise Invalid("Set up an authenticator app or a passkey first.", "NO_MFA_METHOD")
    if not user.mfa_enabled:
        user.mfa_enabled = True
        opening.end_all(user.id, but=session_id)


def require_one_left(user: User) -> None:
    """Raise Conflict (LAST_FACTOR) where what signing in asks for has just been removed."""
    session.flush()
    if user.mfa_enabled and not factors_of(user.id).any:
        raise Conflict("Signing in asks for this factor: disable that first.", "LAST_FACTOR")
