"""Handlers of openapi/identity/mfa.yaml."""

from typing import Any

from marquee.db import find, session
from marquee.errors import Invalid
from marquee.identity.auth.recent import require_recent
from marquee.identity.mfa import backup_codes, challenge, passkeys, service, totp
from marquee.identity.mfa.models import Passkey, Totp
from marquee.identity.users.models import User
from marquee.viewer import Viewer


def get_mfa_status(user: Viewer) -> dict[str, Any]:
    account, factors = find(User.visible_to(user), user.id), service.factors_of(user.id)
    return {
        "user_id": account.id,
        "has_totp": factors.has_totp,
        "webauthn_count": factors.passkeys,
        "unused_backup_codes": factors.backup_codes,
        "require_mfa": account.mfa_enabled,
    }


def enable_mfa(user: Viewer) -> dict[str, Any]:
    require_recent(user)
    service.enable(service.locked(user.id), user.session_id)
    return {"success": True}


def disable_mfa(user: Viewer) -> None:
    require_recent(user)
    service.locked(user.id).mfa_enabled = False


def setup_totp(user: Viewer, body: dict[str, Any]) -> dict[str, Any]:
    require_recent(user)
    return totp.set_up(user.id, body["account_name"])


def verify_totp(user: Viewer, body: dict[str, Any]) -> dict[str, Any]:
    if not challenge.verify_totp(user.id, body["code"]):
        raise Invalid("The code is wrong, or was used before.", "INVALID_CODE")
    return {"success": True, "message": "The code is right."}


def delete_totp(user: Viewer) -> None:
    require_recent(user)
    account = service.locked(user.id)
    app = session.scalar(Totp.visible_to(user))
    if app is None:
        raise totp.none_there()
    session.delete(app)
    service.require_one_left(account)


def generate_backup_codes(user: Viewer) -> dict[str, Any]:
    require_recent(user)
    codes = backup_codes.generate(service.locked(user.id).id)
    return {"codes": codes, "count": len(codes)}


def regenerate_backup_codes(user: Viewer) -> dict[str, Any]:
    require_recent(user)
    codes = backup_codes.replace(service.locked(user.id).id)
    return {"codes": codes, "count": len(codes)}


def list_passkeys(user: Viewer) -> dict[str, Any]:
    mine = Passkey.visible_to(user).order_by(Passkey.id)
    return {"passkeys": session.scalars(mine).all()}


def start_passkey_registration(user: Viewer) -> dict[str, Any]:
    require_recent(user)
    options = passkeys.registration_options(find(User.visible_to(user), user.id))
    return {"expires_in": int(passkeys.LIFETIME.total_seconds()), "public_key": options}


def register_passkey(user: Viewer, body: dict[str, Any]) -> tuple[Passkey, int]:
    require_recent(user)
    account = service.locked(user.id)
    return passkeys.register(account, body["name"], body["credential"]), 201


def update_passkey(user: Viewer, passkey_id: int, body: dict[str, Any]) -> Passkey:
    passkey = find(Passkey.visible_to(user), passkey_id)
    passkey.name = body["name"]
    return passkey


def delete_passkey(user: Viewer, passkey_id: int) -> None:
    require_recent(user)
    account = service.locked(user.id)
    session.delete(find(Passkey.visible_to(user), passkey_id))
    service.require_one_left(account)
