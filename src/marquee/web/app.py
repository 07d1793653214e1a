"""The application: `create_app()` for a server, with everything that stands between HTTP and the
handlers.
"""

from functools import partial
from typing import Any, cast

import flask
from a2wsgi import WSGIMiddleware
from connexion.apps.abstract import AbstractApp
from connexion.middleware.abstract import SpecMiddleware
from connexion.middleware.main import API
from starlette.types import Receive, Scope, Send
from werkzeug.exceptions import HTTPException

from marquee import db, settings
from marquee.settings import Settings
from marquee.web import contract, explorer, limits
from marquee.web.caching import PrivateAnswers, PublicAnswers, Stores
from marquee.web.engine import Engine
from marquee.web.envelope import envelope
from marquee.web.perform import Performer
from marquee.web.shared import SharedAnswers
from marquee.web.specification import Specification

WORDS = {
    404: ("NOT_FOUND", "There is nothing at this path."),
    405: ("METHOD_NOT_ALLOWED", "This path does not take this method."),
}


class FlaskInside(SpecMiddleware):
    """Flask as the innermost application: extensions, and what is not in the contract."""

    def __init__(self, import_name: str) -> None:
        self.flask = flask.Flask(import_name, static_folder=None)
        self.flask.register_error_handler(HTTPException, _envelope)
        # Starlette's and a2wsgi's types of the same protocol do not know each other.
        self._asgi: Any = WSGIMiddleware(cast("Any", self.flask.wsgi_app), workers=4)

    def add_api(self, specification: Any, **_: Any) -> None:  # noqa: ANN401 - Connexion's interface
        """Operations are the engine's; Flask needs to know none of them."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request that the contract does not have."""
        await self._asgi(scope, receive, send)


class App(AbstractApp):
    """A Connexion application whose middlewares are the engine alone."""

    def __init__(self, values: Settings, *, document: contract.Document | None = None) -> None:
        self._middleware_app = FlaskInside("marquee")
        self.flask = self._middleware_app.flask
        stores = Stores(self.flask, values)
        rates = limits.RateLimits(values, lambda: limits.storage_for(values, db.engine))
        performer = Performer(
            rates,
            PrivateAnswers(stores),
            SharedAnswers(stores),
            validate=values.validate_responses,
        )
        engine = partial(Engine, settings=values, performer=performer, public=PublicAnswers(stores))
        super().__init__("marquee", middlewares=[engine])
        self.document = document or contract.load()
        options = self.middleware.options.__dict__
        self.middleware.apis.append(API(Specification(self.document), base_path=None, **options))
        explorer.register(self.flask, self.document, values)
        # Built now, not at the first request: a mistake in the contract stops the server's start.
        stack = self.middleware._build_middleware_stack()  # noqa: SLF001 - it has no public name
        self.middleware.app, self.middleware.middleware_stack = stack
        assert isinstance(self.middleware.app, Engine)  # noqa: S101 - the one middleware
        self.engine = self.middleware.app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The application as ASGI."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        await self.engine(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        """ASGI's lifespan: what is left is written at the end."""
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                if self.engine.access is not None:
                    self.engine.access.flush()
                await send({"type": "lifespan.shutdown.complete"})
                return


def create_app(values: Settings | None = None, document: contract.Document | None = None) -> App:
    """The application of a server process; of the contract under openapi/ unless told otherwise."""
    return App(values or settings.current(), document=document)


def _envelope(error: HTTPException) -> flask.Response:
    status = error.code or 500
    code, message = WORDS.get(status, ("VALIDATION_ERROR", error.name))
    answer = envelope(status, code, message)
    response = flask.Response(answer.body, status, content_type="application/json")
    response.headers["Cache-Control"] = "no-store"
    if allow := error.get_headers() and getattr(error, "valid_methods", None):
        response.headers["Allow"] = ", ".join(sorted(allow))
    return response
