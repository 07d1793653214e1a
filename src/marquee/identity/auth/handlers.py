"""Handlers of openapi/identity/auth.yaml."""

from typing import Any

from marquee.db import find
from marquee.db import session as database
from marquee.identity.auth import media_login, opening, registering, service
from marquee.identity.auth.answers import Answer, csrf_token, signed_in
from marquee.identity.mailing import send_soon
from marquee.identity.mfa import challenge, passkeys
from marquee.identity.users import leaving
from marquee.identity.users.models import User
from marquee.viewer import Viewer
from marquee.web.cookies import csrf_cookie, ended_session_cookie, signed_out_cookies

DONE = {"ok": True}


def register(body: dict[str, Any], token_info: dict[str, Any]) -> Answer:
    opened = registering.register(**body)
    return signed_in(opened, token_info, 201) if opened else (DONE, 202, [])


def login(body: dict[str, Any], token_info: dict[str, Any]) -> Answer:
    optional = body.get("device_name"), body.get("mfa_code")
    sign_in = media_login.sign_in if body["provider"] == "media_server" else service.sign_in
    opened = sign_in(body["username"], body["password"], *optional)
    return signed_in(opened, token_info)


def complete_login(body: dict[str, Any], token_info: dict[str, Any]) -> Answer:
    proof = {"code": body.get("code"), "credential": body.get("credential")}
    return signed_in(challenge.complete(body["challenge"], **proof), token_info)


def start_passkey_login() -> dict[str, Any]:
    expires_in = int(passkeys.LIFETIME.total_seconds())
    return {"expires_in": expires_in, "public_key": passkeys.login_options()}


def login_with_passkey(body: dict[str, Any], token_info: dict[str, Any]) -> Answer:
    opened = service.sign_in_with_passkey(body["credential"], body.get("device_name"))
    return signed_in(opened, token_info)


def logout(user: Viewer, token_info: dict[str, Any], body: dict[str, Any] | None = None) -> Answer:
    asked = body or {}
    opening.log_out(user, asked.get("refresh_token"), everywhere=asked.get("logout_all", False))
    return DONE, 200, signed_out_cookies() if "csrf" in token_info else []


def refresh_token(body: dict[str, Any], token_info: dict[str, Any]) -> Answer:
    return signed_in(opening.refresh(body["refresh_token"]), token_info)


def get_auth_session(token_info: dict[str, Any]) -> Answer:
    viewer: Viewer | None = token_info.get("sub")
    token = csrf_token(viewer.session_id if viewer else None)
    state = {
        "authenticated": viewer is not None,
        "user_id": viewer.id if viewer else None,
        "csrf_token": token,
    }
    cookies = [csrf_cookie(token), *(ended_session_cookie() if "stale" in token_info else [])]
    return state, 200, cookies


def forgot_password(body: dict[str, Any]) -> tuple[dict[str, Any], int]:
    user = database.scalar(User.named(body["email"]))
    # Also for nobody, so that it takes as long: the worker finds out.
    send_soon("reset_password", user.id if user else 0)
    return DONE, 202


def reset_password(body: dict[str, Any]) -> dict[str, Any]:
    service.reset_password(body["token"], body["new_password"])
    return DONE


def verify_email(body: dict[str, Any]) -> tuple[None, int]:
    service.verify_email(body["token"])
    return None, 204


def resend_verification(user: Viewer) -> tuple[None, int]:
    if not find(User.visible_to(user), user.id).email_verified:
        send_soon("verify_email", user.id)
    return None, 204


def change_password(user: Viewer, body: dict[str, Any]) -> tuple[None, int]:
    account = find(User.visible_to(user), user.id)
    service.change_password(account, body["old_password"], body["new_password"], user.session_id)
    return None, 204


def delete_account(user: Viewer, token_info: dict[str, Any], body: dict[str, Any]) -> Answer:
    leaving.leave(user, body["email"], body.get("password"))
    return DONE, 200, signed_out_cookies() if "csrf" in token_info else []
