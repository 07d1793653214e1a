"""The contract as documents, and the explorer to read and try it: Scalar, locked down.

All assets come from this host, out of the wheel that ships them; the page may talk to nobody else.
Scalar sets style elements, which the policy allows by a nonce.
"""

import gzip
import importlib.util
import secrets
from functools import cache
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
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; "
    "img-src 'self' data:; font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def register(app: flask.Flask, document: Document, settings: Settings) -> None:
    """Serve the contract and the explorer below the contract's own base path."""
    base = document["servers"][0]["url"]
    as_json = orjson.dumps(document)
    as_yaml = contract.as_yaml(document)
    documents = {
        f"{base}/openapi.json": (as_json, "application/json"),
        f"{base}/openapi.yaml": (as_yaml, "application/yaml"),
        f"{base}/ui/init.js": (
            (ASSETS / "explorer.js").read_bytes(),
            "text/javascript; charset=utf-8",
        ),
    }
    for path, (body, media_type) in documents.items():
        packed = gzip.compress(body, mtime=0)
        app.add_url_rule(path, path, lambda b=body, p=packed, m=media_type: _document(b, p, m))
    app.add_url_rule(
        f"{base}/ui/scalar.js",
        "scalar",
        lambda: _document(*_scalar(), "text/javascript; charset=utf-8"),
    )
    app.add_url_rule(f"{base}/ui", "explorer", lambda: _page(base, settings))


def _document(body: bytes, packed: bytes, media_type: str) -> flask.Response:
    """A document that changes only with the version, in the coding that the client prefers."""
    etag = etag_of(body)
    headers = {
        "ETag": etag.decode(),
        "Cache-Control": "public, max-age=300",
        "Vary": "Accept-Encoding",
    }
    if matches(flask.request.headers.get("If-None-Match", '""'), etag):
        return flask.Response(status=304, headers=headers)
    if preferred_coding(flask.request.headers.get("Accept-Encoding", "")) is not None and (
        "gzip" in flask.request.headers["Accept-Encoding"]
    ):
        body = packed
        headers |= {"Content-Encoding": "gzip", "ETag": etag.decode()[:-1] + '-gzip"'}
    return flask.Response(body, headers=headers, content_type=media_type)


@cache
def _scalar() -> tuple[bytes, bytes]:
    spec = importlib.util.find_spec("flask_openapi_scalar")
    assert spec is not None and spec.submodule_search_locations  # noqa: S101, PT018 - a dependency
    folder = Path(spec.submodule_search_locations[0])
    body = (folder / "templates/scalar/js/scalar.standalone.js").read_bytes()
    return body, gzip.compress(body, mtime=0)


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
