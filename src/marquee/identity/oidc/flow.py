"""Signing in, and linking accounts, by way of an OpenID provider.

What is begun is kept under a state, for ten minutes: the nonce and the PKCE verifier, and of a
browser the digest of a cookie, so that nobody can finish in one browser what was begun in another
(RFC 9700 §4.7). The state is used up before the provider is asked. No database connection is held
while the provider is.
"""

import secrets
from dataclasses import dataclass
from datetime import timedelta
from hmac import compare_digest
from typing import Any
from urllib.parse import urlencode

import orjson
import structlog

from marquee import audit, settings
from marquee.db import checkpoint, session
from marquee.errors import Forbidden, Invalid, Refusal, Unauthenticated
from marquee.identity.auth import one_time, opening
from marquee.identity.auth.models import OneTimeToken
from marquee.identity.auth.opening import Opened
from marquee.identity.auth.service import require_confirmed
from marquee.identity.mfa import challenge
from marquee.identity.oidc import links, people, service
from marquee.identity.oidc.models import OidcProvider
from marquee.identity.users.models import User
from marquee.services.oidc import NotProven
from marquee.services.oidc_answers import Claims

log = structlog.get_logger("marquee")

PURPOSE, LIFETIME = "oidc", timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Begun:
    """Where to go, and the cookie of the browser that goes there."""

    auth_url: str
    browser: str | None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a provider sends a browser back with."""

    state: str
    code: str | None = None
    error: str | None = None
    issuer: str | None = None


@dataclass(frozen=True, slots=True)
class Finished:
    """The session that was opened, or None where accounts were linked, or the page to go to says
    why not.
    """

    opened: Opened | None
    redirect_to: str | None
    browser: bool


def begin(
    name: str, redirect_to: str | None, *, browser: bool, user_id: int | None = None
) -> Begun:
    """Begin to sign in; with a user, to link.

    Raises NotFound (OIDC_PROVIDER_NOT_FOUND), Unavailable and TimedOut.
    """
    provider = service.enabled(name)
    party = service.party(provider)
    checkpoint()
    party.describe()
    cookie = secrets.token_urlsafe(one_time.BYTES) if browser else None
    nonce, verifier = (secrets.token_urlsafe(one_time.BYTES) for _ in range(2))
    data = {
        "provider_id": provider.id,
        "nonce": nonce,
        "verifier": verifier,
        "redirect_to": redirect_to,
        "browser": _digest(cookie) if cookie else None,
    }
    state = one_time.grant(PURPOSE, LIFETIME, user_id=user_id, data=data)
    auth_url = party.authorization_url(
        redirect_uri=service.callback_url(name),
        scopes=provider.scopes,
        state=state,
        nonce=nonce,
        verifier=verifier,
    )
    return Begun(auth_url, cookie)


def finish(name: str, answer: Answer, *, browser: str | None) -> Finished:
    """Finish what was begun, by a provider's answer and the cookie of the browser it came by.

    Raises Invalid (INVALID_OR_EXPIRED_TOKEN) for a state that is unknown, used, expired, or begun
    in another browser or with another provider; NotFound (OIDC_PROVIDER_NOT_FOUND) for a provider
    that has been disabled; and unless there is a page to go to, which then is told of it,
    Unauthenticated (OIDC_FAILED) for an answer that proves nothing, Unavailable and TimedOut, and
    what `people.account`, `challenge.require` and `links.add` raise. Success and failure are
    written to the audit log, and the state is used up by both.
    """
    granted = one_time.redeem(PURPOSE, answer.state)
    provider = service.enabled(name)
    if granted is None or not _fits(granted, provider, browser):
        raise Invalid("The state is unknown, used or expired.", "INVALID_OR_EXPIRED_TOKEN")
    user_id, begun, page = granted.user_id, granted.data, granted.data["redirect_to"]
    checkpoint()
    action, opened = ("oidc.login" if user_id is None else "oidc.link"), None
    try:
        claims = _proven(provider, begun, answer)
        # As it is by now: the provider may have taken its time.
        provider = service.enabled(name)
        if user_id is None:
            opened = _signed_in(provider, claims)
        else:
            _link(user_id, provider, claims)
    except Refusal as refusal:
        session.rollback()
        _record(action, provider, refusal.code)
        checkpoint()
        if page is None:
            raise
        return Finished(None, _address(page, refusal), browser=True)
    _record(action, provider)
    return Finished(opened, page and _address(page), browser=begun["browser"] is not None)


def _fits(granted: OneTimeToken, provider: OidcProvider, browser: str | None) -> bool:
    """Whether it was begun with this provider and, if by a browser, by this one."""
    wanted = granted.data["browser"]
    return granted.data["provider_id"] == provider.id and (
        wanted is None or compare_digest(wanted, _digest(browser or ""))
    )


def _proven(provider: OidcProvider, begun: dict[str, Any], answer: Answer) -> Claims:
    if answer.code is None or answer.error is not None:
        reason = answer.error or "there is no code"
        raise Unauthenticated(f"{provider.display_name} refused: {reason}.", "OIDC_FAILED")
    try:
        return service.party(provider).prove(
            answer.code,
            redirect_uri=service.callback_url(provider.name),
            verifier=begun["verifier"],
            nonce=begun["nonce"],
            issuer=answer.issuer,
        )
    except NotProven as failure:
        log.warning("oidc_failed", provider=provider.name, reason=str(failure))
        raise Unauthenticated(f"{provider.display_name}: {failure}", "OIDC_FAILED") from failure


def _signed_in(provider: OidcProvider, claims: Claims) -> Opened:
    user = people.account(provider, claims)
    # A new account stays, also where its address must be confirmed before it can be used.
    checkpoint()
    require_confirmed(user)
    challenge.require(user, None, method="oidc")
    return opening.open_session(user, None, "oidc")


def _link(user_id: int, provider: OidcProvider, claims: Claims) -> None:
    user = session.get(User, user_id)
    if user is None or not user.is_active:
        raise Forbidden("This account is disabled.", "ACCOUNT_DISABLED")
    audit.subject.set((user.id, user.username))
    links.add(user, provider, people.Person.of(provider, claims))


def _address(path: str, refusal: Refusal | None = None) -> str:
    """A page of the web application. A refusal stands in its fragment, which no server sees."""
    page = settings.current().app_address + path
    if refusal is None:
        return page
    told = {"error": refusal.code}
    if refusal.details:
        told["details"] = orjson.dumps(refusal.details).decode()
    return f"{page}#{urlencode(told)}"


def _record(action: str, provider: OidcProvider, error_code: str | None = None) -> None:
    audit.record(
        action,
        None,
        resource_id=str(provider.id),
        error_code=error_code,
        details={"provider": provider.name},
    )


def _digest(cookie: str) -> str:
    return one_time.digest_of(cookie).hex()
