"""Time-based one-time passwords (RFC 6238): HMAC-SHA-1, six digits, steps of 30 seconds.

The codes of one step before and after the present one are taken, for clocks that are not exact. No
code is taken twice, nor one from before the last that was: the step is compared and written by one
statement, so that of two requests at once only one can succeed.
"""

import hmac
from base64 import b64encode
from io import BytesIO

import pyotp
import segno
from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert

from marquee import clock, sealing
from marquee.db import session
from marquee.errors import Conflict, NotFound
from marquee.identity.mfa.models import Totp

PERIOD = 30
WINDOW = (-1, 0, 1)
ISSUER = "Marquee"
PIXELS_A_MODULE = 6


def set_up(user_id: int, account_name: str) -> dict[str, str]:
    """A new secret for a user's app, as `secret`, `qr_code` and `url`.

    Replaces one that was never confirmed. Raises Conflict (TOTP_EXISTS).
    """
    secret = pyotp.random_base32()
    new = insert(Totp).values(user_id=user_id, sealed_secret=sealing.seal(secret))
    fresh = {"sealed_secret": new.excluded.sealed_secret, "created_at": func.now(), "last_step": 0}
    stored = new.on_conflict_do_update(
        index_elements=[Totp.user_id], set_=fresh, where=Totp.confirmed_at.is_(None)
    )
    if session.scalar(stored.returning(Totp.id)) is None:
        raise Conflict("There is an authenticator app already: remove it first.", "TOTP_EXISTS")
    url = pyotp.TOTP(secret).provisioning_uri(name=account_name, issuer_name=ISSUER)
    return {"secret": secret, "qr_code": _qr_code(url), "url": url}


def of(user_id: int) -> Totp | None:
    """A user's app, confirmed or not, as it is now."""
    query = select(Totp).where(Totp.user_id == user_id)
    return session.scalar(query.execution_options(populate_existing=True))


def take(user_id: int, code: str, *, confirm: bool = False) -> bool:
    """Whether this is a code of the user's app; it is none any more afterwards.

    Of an app that is confirmed, or is to be confirmed by it.
    """
    totp = of(user_id)
    return totp is not None and (confirm or totp.confirmed_at is not None) and _take(totp, code)


def none_there() -> NotFound:
    """The refusal that a user has no app."""
    return NotFound("There is no authenticator app.", "TOTP_NOT_FOUND")


def code_at(secret: str, step: int) -> str:
    """The code of a step: so many periods after 1970."""
    return pyotp.TOTP(secret).generate_otp(step)


def _take(totp: Totp, code: str) -> bool:
    secret, present = sealing.unseal(totp.sealed_secret), int(clock.now().timestamp()) // PERIOD
    codes = {present + each: code_at(secret, present + each) for each in WINDOW}
    steps = [step for step, right in codes.items() if hmac.compare_digest(right, code)]
    if not steps:
        return False
    # Only of the secret that was read: another set-up may have replaced it since.
    same = Totp.id == totp.id, Totp.sealed_secret == totp.sealed_secret
    taken = (
        update(Totp)
        .where(*same, Totp.last_step < max(steps))
        .values(last_step=max(steps), confirmed_at=func.coalesce(Totp.confirmed_at, func.now()))
        .execution_options(synchronize_session=False)
    )
    return session.scalar(taken.returning(Totp.id)) is not None


def _qr_code(url: str) -> str:
    """A PNG, in Base64."""
    picture = BytesIO()
    segno.make(url, micro=False).save(picture, kind="png", scale=PIXELS_A_MODULE)
    return b64encode(picture.getvalue()).decode()
