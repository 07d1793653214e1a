"""The contract as documents, and the explorer to read and try it: Scalar, locked down.

All assets come from this host, out of the wheel that ships them; the page may talk to nobody else.
Scalar sets style elements, which the policy allows by a nonce.
"""

import gzip
import importlib.util
import secrets
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

import flask
import orjson

from marquee import signing
from marquee.settings import Settings
from marquee.web import contract
from marquee.web.answers import etag_of, matches, preferred_coding
from marquee.web.contract import Document
from marquee.web.cookies import CSRF_COOKIE

ASSETS = Path(__file__).with_name("assets")
JAVASCRIPT = "text/javascript; charset=utf-8"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; "
    "img-src 'self' data:; font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def register(app: flask.Flask, document: Document, settings: Settings) -> None:
    """Serve the contract and the explorer below the contract's own base path."""
    base = document["servers"][0]["url"]
    documents: dict[str, tuple[str, Callable[[], bytes]]] = {
        f"{base}/openapi.json": (
            "application/json",
            lambda: orjson.dumps(contract.published(document)),
        ),
        f"{base}/openapi.yaml": (
            "application/yaml",
            lambda: contract.as_yaml(contract.published(document)),
        ),
        f"{base}/ui/init.js": (JAVASCRIPT, (ASSETS / "explorer.js").read_bytes),
        f"{base}/ui/scalar.js": (JAVASCRIPT, _scalar),
    }
    for path, (media_type, read) in documents.items():
        app.add_url_rule(path, path, partial(_document, _both(read), media_type))
    app.add_url_rule(f"{base}/ui", "explorer", lambda: _page(base, settings))
    for path in ("/", f"{base}/ui/"):
        app.add_url_rule(path, f"to explorer from {path}", partial(_to, f"{base}/ui"))


def _to(place: str) -> flask.Response:
    return flask.Response(status=302, headers={"Location": place, "Cache-Control": "no-store"})


def _both(read: Callable[[], bytes]) -> Callable[[], tuple[bytes, bytes]]:
    """A document as it is and packed, made when it is first asked for."""

    @cache
    def both() -> tuple[bytes, bytes]:
        body = read()
        return body, gzip.compress(body, mtime=0)

    return both


def _document(both: Callable[[], tuple[bytes, bytes]], media_type: str) -> flask.Response:
    """A document that changes only with the version, in the coding that the client prefers."""
    body, packed = both()
    etag = etag_of(body)
    headers = {
        "ETag": etag.decode(),
        "Cache-Control": "public, max-age=300",
        "Vary": "Accept-Encoding, Origin",
    }
    if matches(flask.request.headers.get("If-None-Match", '""'), etag):
        return flask.Response(status=304, headers=headers)
    if preferred_coding(flask.request.headers.get("Accept-Encoding", "")) is not None and (
        "gzip" in flask.request.headers["Accept-Encoding"]
    ):
        body = packed
        headers |= {"Content-Encoding": "gzip", "ETag": etag.decode()[:-1] + '-gzip"'}
    return flask.Response(body, headers=headers, content_type=media_type)


def _scalar() -> bytes:
    spec = importlib.util.find_spec("flask_openapi_scalar")
    assert spec is not None and spec.submodule_search_locations  # noqa: S101, PT018 - a dependency
    folder = Path(spec.submodule_search_locations[0])
    return (folder / "templates/scalar/js/scalar.standalone.js").read_bytes()


def _page(base: str, settings: Settings) -> flask.Response:
    nonce = secrets.token_urlsafe(16)
    html = (ASSETS / "explorer.html").read_text().replace("{base}", base).replace("{nonce}", nonce)
    response = flask.Response(html, content_type="text/html; charset=utf-8")
    response.headers["Content-Security-Policy"] = POLICY.format(nonce=nonce)
    response.headers["Cache-Control"] = "no-store"
    if signing.unsign(signing.CSRF, flask.request.cookies.get(CSRF_COOKIE, "")) is None:
        token = signing.sign(signing.CSRF, secrets.token_urlsafe(12))
        response.set_cookie(CSRF_COOKIE, token, secure=settings.https, samesite="Lax", path="/")
    return response
