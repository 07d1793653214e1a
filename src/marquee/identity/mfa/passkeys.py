"""Passkeys (W3C Web Authentication, level 3): registering one, and proving that one is at hand.

The challenge of each ceremony is a one-time token: it comes back in what the browser signs, so that
nothing else need be sent along.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from sqlalchemy import func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from marquee import audit
from marquee.db import checkpoint, session
from marquee.errors import Conflict, Invalid, Unauthenticated, Unprocessable
from marquee.identity.auth import one_time
from marquee.identity.mfa.models import Passkey
from marquee.identity.mfa.relying_party import NAME, relying_party
from marquee.identity.users.models import User
from marquee.late import late

if TYPE_CHECKING:
    import webauthn
    from webauthn import helpers
    from webauthn.helpers import structs
else:
    webauthn, helpers = late("webauthn"), late("webauthn.helpers")
    structs = late("webauthn.helpers.structs")

REGISTRATION, LOGIN = "passkey_registration", "passkey_login"
LIFETIME = timedelta(minutes=5)
MILLISECONDS = int(LIFETIME.total_seconds() * 1000)
MOST = 20

Credential: TypeAlias = dict[str, Any]
"""What a browser's `PublicKeyCredential.toJSON()` gives."""
Verified = TypeVar("Verified")


def of(user_id: int) -> Sequence[Passkey]:
    """A user's passkeys, the oldest first."""
    query = select(Passkey).where(Passkey.user_id == user_id)
    return session.scalars(query.order_by(Passkey.id)).all()


def registration_options(user: User) -> dict[str, Any]:
    """WebAuthn's creation options as JSON."""
    options = webauthn.generate_registration_options(
        rp_id=relying_party().id,
        rp_name=NAME,
        user_id=str(user.id).encode(),
        user_name=user.username,
        user_display_name=user.display_name or user.username,
        challenge=_bytes_of(one_time.grant(REGISTRATION, LIFETIME, user_id=user.id)),
        timeout=MILLISECONDS,
        exclude_credentials=_descriptors(of(user.id)),
        authenticator_selection=structs.AuthenticatorSelectionCriteria(
            resident_key=structs.ResidentKeyRequirement.PREFERRED,
            user_verification=structs.UserVerificationRequirement.PREFERRED,
        ),
    )
    return _with_transports(helpers.options_to_json_dict(options), "excludeCredentials")


def register(user: User, name: str, credential: Credential) -> Passkey:
    """A new passkey of a user, from what a browser made of the options.

    Raises Invalid (INVALID_OR_EXPIRED_TOKEN, INVALID_PASSKEY), Unprocessable (TOO_MANY_PASSKEYS)
    and Conflict (PASSKEY_EXISTS).
    """
    challenge = challenge_of(credential)
    granted = one_time.redeem(REGISTRATION, challenge)
    if granted is None or granted.user_id != user.id:
        raise bad_challenge()
    if len(of(user.id)) >= MOST:
        raise Unprocessable(f"An account has {MOST} passkeys at the most.", "TOO_MANY_PASSKEYS")
    party = relying_party()
    verified = _verified(
        lambda: webauthn.verify_registration_response(
            credential=credential,
            expected_challenge=_bytes_of(challenge),
            expected_rp_id=party.id,
            expected_origin=party.origins,
        )
    )
    if verified is None:
        raise Invalid("This is no passkey made for these options.", "INVALID_PASSKEY")
    named: Iterable[str] = credential["response"].get("transports", ())
    new = insert(Passkey).values(
        user_id=user.id,
        name=name,
        credential_id=verified.credential_id,
        public_key=verified.credential_public_key,
        sign_count=verified.sign_count,
        transports=sorted(_transports().intersection(named)),
        backed_up=verified.credential_backed_up,
    )
    passkey: Passkey | None = session.scalar(new.on_conflict_do_nothing().returning(Passkey))
    if passkey is None:
        raise Conflict("This passkey is registered already.", "PASSKEY_EXISTS")
    return passkey


def login_options() -> dict[str, Any]:
    """WebAuthn's request options as JSON, to sign in with: for whatever passkey there is."""
    challenge = one_time.grant(LOGIN, LIFETIME)
    return request_options(challenge, (), alone=True)


def request_options(
    challenge: str,
    passkeys: Sequence[Passkey],
    *,
    alone: bool = False,
) -> dict[str, Any]:
    """WebAuthn's request options as JSON; for a second factor, with the passkeys that count.

    `alone` is whether the passkey must be both factors.
    """
    needs = structs.UserVerificationRequirement
    options = webauthn.generate_authentication_options(
        rp_id=relying_party().id,
        challenge=_bytes_of(challenge),
        timeout=MILLISECONDS,
        allow_credentials=_descriptors(passkeys),
        user_verification=needs.REQUIRED if alone else needs.DISCOURAGED,
    )
    return _with_transports(helpers.options_to_json_dict(options), "allowCredentials")


def challenge_of(credential: Credential) -> str:
    """The challenge that a browser has signed; empty for what cannot be read."""
    said = _said(credential)
    return helpers.bytes_to_base64url(said.challenge) if said else ""


def proven(credential: Credential, challenge: str, *, alone: bool) -> Passkey | None:
    """The passkey that has signed a challenge; None for none of ours.

    `alone` is whether it must be both factors: its authenticator has verified the user. Where its
    count of signatures goes back there are two of it: that is audited, and it is not taken.
    """
    identifier = _verified(lambda: helpers.base64url_to_bytes(credential["rawId"]))
    query = select(Passkey).where(Passkey.credential_id == (identifier or b""))
    passkey, party = session.scalar(query), relying_party()
    if passkey is None or _said(credential) is None:
        return None
    verified = _verified(
        lambda: webauthn.verify_authentication_response(
            credential=credential,
            expected_challenge=_bytes_of(challenge),
            expected_rp_id=party.id,
            expected_origin=party.origins,
            credential_public_key=passkey.public_key,
            credential_current_sign_count=0,  # compared when it is written, by `_count`
            require_user_verification=alone,
        )
    )
    if verified is None or not _handle_fits(credential, passkey):
        return None
    if not _count(passkey, verified.new_sign_count, backed_up=verified.credential_backed_up):
        _tell_of_copy(passkey)
        return None
    return passkey


def bad_challenge() -> Invalid:
    """The refusal of a challenge."""
    return Invalid("The challenge is unknown, used or expired.", "INVALID_OR_EXPIRED_TOKEN")


def refused() -> Unauthenticated:
    """The refusal of a passkey that should sign in."""
    return Unauthenticated("There is no account with this passkey.", "INVALID_CREDENTIALS")


def _verified(verify: Callable[[], Verified]) -> Verified | None:
    """What a function of the library gives; None for what it does not take."""
    try:
        return verify()
    except Exception:  # noqa: BLE001 - what is malformed raises whatever a parser meets in it
        return None


def _said(credential: Credential) -> structs.CollectedClientData | None:
    """What the browser says of the ceremony; None for what cannot be read, and for one in a frame
    of another page.
    """
    text: str = credential["response"]["clientDataJSON"]
    said = _verified(lambda: helpers.parse_client_data_json(helpers.base64url_to_bytes(text)))
    return said if said and not said.cross_origin else None


def _handle_fits(credential: Credential, passkey: Passkey) -> bool:
    handle = credential["response"].get("userHandle")
    return not handle or helpers.base64url_to_bytes(handle) == str(passkey.user_id).encode()


def _count(passkey: Passkey, count: int, *, backed_up: bool) -> bool:
    """Write a count of signatures; False where it does not grow (§6.1.1). Zero means none."""
    grows = or_(Passkey.sign_count < count, (Passkey.sign_count == 0) & (count == 0))
    counted = (
        update(Passkey)
        .where(Passkey.id == passkey.id, grows)
        .values(sign_count=count, backed_up=backed_up, last_used_at=func.now())
        .execution_options(synchronize_session=False)
    )
    return session.scalar(counted.returning(Passkey.id)) is not None


def _tell_of_copy(passkey: Passkey) -> None:
    owner = session.get_one(User, passkey.user_id)
    audit.subject.set((owner.id, owner.username))
    code = "PASSKEY_COPIED"
    audit.record("mfa.refuse_passkey", None, resource_id=str(passkey.id), error_code=code)
    checkpoint()


def _descriptors(passkeys: Sequence[Passkey]) -> list[structs.PublicKeyCredentialDescriptor]:
    transport = structs.AuthenticatorTransport
    return [
        structs.PublicKeyCredentialDescriptor(
            id=each.credential_id,
            transports=[*map(transport, each.transports)],
        )
        for each in passkeys
    ]


def _transports() -> set[str]:
    """The ways to an authenticator that the library knows."""
    return {each.value for each in structs.AuthenticatorTransport}


def _with_transports(options: dict[str, Any], name: str) -> dict[str, Any]:
    """With the list in each of the descriptors: the library leaves an empty one out."""
    for descriptor in options[name]:
        descriptor.setdefault("transports", [])
    return options


def _bytes_of(challenge: str) -> bytes:
    return urlsafe_b64decode(challenge + "=" * (-len(challenge) % 4))
