"""Handlers of openapi/identity/oidc.yaml."""

from datetime import timedelta
from typing import Any

from marquee.identity.auth.answers import signed_in
from marquee.identity.oidc import flow, links, service
from marquee.identity.oidc.models import OidcProvider
from marquee.identity.oidc.schemes import BROWSER
from marquee.viewer import Viewer
from marquee.web.conditions import require_version, version_tag
from marquee.web.cookies import oidc_cookie

Cookies = list[tuple[str, str]]
Authorization = tuple[dict[str, str], int, Cookies]
Shown = tuple[dict[str, Any], int, dict[str, str]]
Finished = tuple[dict[str, Any] | None, int, Cookies]
Nothing = tuple[None, int]


def list_oidc_providers() -> dict[str, Any]:
    providers = service.choices()
    return {"providers": providers, "total": len(providers)}


def start_oidc_auth(
    provider: str, token_info: dict[str, Any], redirect_to: str | None = None
) -> Authorization:
    browser = "csrf" in token_info or redirect_to is not None
    return _begun(flow.begin(provider, redirect_to, browser=browser))


def handle_oidc_callback(
    provider: str,
    state: str,
    token_info: dict[str, Any],
    code: str | None = None,
    error: str | None = None,
    error_description: str | None = None,
    iss: str | None = None,
) -> Finished:
    answer = flow.Answer(state, code=code, error=error, issuer=iss)
    return _finished(flow.finish(provider, answer, browser=token_info.get(BROWSER)))


def list_my_oidc_links(user: Viewer) -> dict[str, Any]:
    found = links.listed(user)
    return {"links": found, "total": len(found)}


def link_oidc_provider(
    user: Viewer, provider: str, redirect_to: str | None = None
) -> Authorization:
    links.require_linkable(user, provider)
    return _begun(flow.begin(provider, redirect_to, browser=True, user_id=user.id))


def unlink_oidc_provider(user: Viewer, provider: str) -> Nothing:
    links.remove(user, provider)
    return None, 204


def admin_list_oidc_providers(user: Viewer) -> dict[str, Any]:
    providers = [service.described(each) for each in service.listed(user)]
    return {"providers": providers, "total": len(providers)}


def admin_create_oidc_provider(user: Viewer, body: dict[str, Any]) -> Shown:
    return _shown(service.add(user, body), 201)


def admin_get_oidc_provider(user: Viewer, provider_id: int) -> Shown:
    return _shown(service.one(user, provider_id))


def admin_update_oidc_provider(user: Viewer, provider_id: int, body: dict[str, Any]) -> Shown:
    provider = service.locked(user, provider_id)
    require_version(provider)
    return _shown(service.change(user, provider, body))


def admin_delete_oidc_provider(user: Viewer, provider_id: int) -> Nothing:
    service.remove(service.locked(user, provider_id))
    return None, 204


def admin_enable_oidc_provider(user: Viewer, provider_id: int) -> Nothing:
    service.switch(service.locked(user, provider_id), enabled=True)
    return None, 204


def admin_disable_oidc_provider(user: Viewer, provider_id: int) -> Nothing:
    service.switch(service.locked(user, provider_id), enabled=False)
    return None, 204


def admin_set_default_oidc_provider(user: Viewer, provider_id: int) -> Nothing:
    service.set_default(service.one(user, provider_id))
    return None, 204


def _begun(begun: flow.Begun) -> Authorization:
    cookies = [oidc_cookie(begun.browser, flow.LIFETIME)] if begun.browser else []
    return {"auth_url": begun.auth_url}, 200, cookies


def _finished(finished: flow.Finished) -> Finished:
    cookies = [oidc_cookie("", timedelta(0))] if finished.browser else []
    body, status = None, 204
    if finished.opened is not None:
        information = {"csrf": True} if finished.browser else {}
        body, status, session_cookies = signed_in(finished.opened, information)
        cookies += session_cookies
    if finished.redirect_to is not None:
        return None, 302, [("Location", finished.redirect_to), *cookies]
    return body, status, cookies


def _shown(provider: OidcProvider, status: int = 200) -> Shown:
    return service.described(provider), status, {"ETag": version_tag(provider)}
