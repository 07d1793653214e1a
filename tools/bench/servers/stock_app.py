"""Stock Connexion: an unmodified FlaskApp on the same contract and the same handlers.

Its handlers are wrapped in what Connexion has no word for: the transaction, the audit line, and
objects as JSON. Answers are not validated, as is Connexion's default.
"""

import functools
from collections.abc import Callable
from typing import Any

import connexion
import orjson
from connexion.operations import AbstractOperation
from connexion.resolver import Resolution, Resolver

from marquee import audit, db, settings
from marquee.identity.auth import schemes
from marquee.web import codec, server
from tools.bench import places

FUNCTIONS = "marquee.identity.auth.schemes."
ENCODERS = codec.Encoders()


class InTransactions(Resolver):  # type: ignore[misc]
    """Finds handlers as Connexion does, and wraps them."""

    def resolve(self, operation: AbstractOperation) -> Resolution:
        """The wrapped handler."""
        found = super().resolve(operation)
        if found.function.__module__.startswith("marquee."):
            found.function = _wrapped(found.function, operation)
        return found


def bearer(token: str) -> dict[str, Any] | None:
    """The real look-up, in a transaction of its own."""
    with db.transaction():
        return schemes.bearer(token)


def api_key(token: str) -> dict[str, Any] | None:
    """As `bearer`."""
    with db.transaction():
        return schemes.api_key(token)


def application() -> connexion.FlaskApp:
    """What uvicorn calls in its process."""
    values = settings.current()
    db.connect(db.engine_for(values.database_url, pool_size=values.marquee_threads))
    text = places.CONTRACT.read_text()
    for name in ("bearer", "api_key"):
        text = text.replace(f'"{FUNCTIONS}{name}"', f'"{__name__}.{name}"')
    app = connexion.FlaskApp("stock")
    app.add_api(orjson.loads(text), resolver=InTransactions())
    return app


def _wrapped(handler: Callable[..., Any], operation: AbstractOperation) -> Callable[..., Any]:
    source = operation._operation  # noqa: SLF001 - Connexion keeps extensions nowhere else

    @functools.cache
    def encoder() -> codec.Convert | None:
        """Made at the first call: an operation has no responses yet when it is resolved."""
        media = operation.responses[min(operation.responses)].get("content", {})
        return ENCODERS.make(media["application/json"]["schema"]) if media else None

    @functools.cache
    def names() -> set[str]:
        return {each["name"] for each in operation.parameters} | {"user", "body"}

    @functools.wraps(handler)
    def run(**arguments: Any) -> Any:  # noqa: ANN401 - what a handler returns
        with db.transaction():
            result = handler(**{name: arguments[name] for name in arguments.keys() & names()})
            body, *rest = result if isinstance(result, tuple) else (result,)
            if "x-audit" in source:
                audit.record(source["x-audit"], arguments["user"], resource_id=str(body["id"]))
            encode = encoder()
            return (encode(body) if encode else body, *rest)

    return run


if __name__ == "__main__":
    server.serve("tools.bench.servers.stock_app:application", settings.current())
