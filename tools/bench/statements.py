"""The SQL that Marquee sends for each operation, taken down as it goes out, so that all servers
send the same.
"""

import asyncio
import hashlib
import re
from dataclasses import dataclass
from typing import Any

import psycopg2.extensions
from psycopg2.extensions import Binary
from sqlalchemy import Engine, event

from marquee.web.app import App
from tools.bench import operations
from tools.bench.operations import Operation

EXPECTED = {
    "get_movie": ["caller", "movie", "people"],
    "list_movies": ["caller", "total", "page"],
    "list_favorites": ["caller", "owner", "page"],
    "create_star_rating": ["caller", "movie", "rating", "audit"],
}
"""What the statements of an operation are for, in the order in which they go out."""
AGENT, REQUEST_ID, ADDRESS = "agent-of-the-benchmark", "id-of-the-benchmark", "127.9.9.9"
PLACE = re.compile(r"%\((\w+)\)s")


class OtherStatements(Exception):
    """The engine sends other statements than the peers were written for."""


@dataclass(frozen=True)
class Call:
    """Whose call is taken down, and of which film."""

    user_id: int
    username: str
    movie_id: int
    key: str

    def names(self) -> dict[tuple[type, Any], str]:
        """Values that differ between requests, and what the servers call them."""
        values: dict[str, Any] = {
            "digest": hashlib.sha256(self.key.encode()).digest(),
            "user_id": self.user_id,
            "username": self.username,
            "movie_id": self.movie_id,
            "limit": operations.PAGE_SIZE,
            "offset": (operations.PAGE - 1) * operations.PAGE_SIZE,
            "year_from": operations.YEAR_FROM,
            "min_score": operations.MIN_SCORE,
            "limit_and_one": operations.FAVORITES_LIMIT + 1,
            "score": operations.STARS * 2,
            "address": ADDRESS,
            "user_agent": AGENT,
            "request_id": REQUEST_ID,
        }
        return {(type(value), value): name for name, value in values.items()}


def of(app: App, engine: Engine, operation: Operation, call: Call) -> dict[str, Any]:
    """The statements of one operation by their purpose, each as `sql` with `:name`, as `numbered`
    with `$1`, and the `names` in the order of those. Raises OtherStatements.
    """
    taken: list[tuple[str, dict[str, Any]]] = []

    def take(_c: Any, _cursor: Any, statement: str, values: Any, *_: Any) -> None:  # noqa: ANN401
        taken.append((statement, dict(values)))

    event.listen(engine, "before_cursor_execute", take)
    try:
        status = asyncio.run(answer(app, operation))[0]
    finally:
        event.remove(engine, "before_cursor_execute", take)
    purposes = EXPECTED[operation.name]
    if status != operation.status or len(taken) != len(purposes):
        sent = "\n".join(statement for statement, _ in taken)
        raise OtherStatements(f"{operation.name} answered {status}, after\n{sent}")
    names = call.names()
    return {
        purpose: _written(statement, values, names)
        for purpose, (statement, values) in zip(purposes, taken, strict=True)
    }


async def answer(app: App, operation: Operation) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of one request that never leaves this process."""
    path, _, query = operation.url.partition("?")
    headers = operation.headers | {"User-Agent": AGENT, "X-Request-Id": REQUEST_ID}
    scope = {
        "type": "http",
        "method": operation.method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        "client": (ADDRESS, 1),
    }
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": operation.body, "more_body": False}

    async def send(message: Any) -> None:  # noqa: ANN401 - ASGI's messages
        sent.append(message)

    await app(scope, receive, send)
    start, *pieces = sent
    given = {name.decode(): value.decode("latin-1") for name, value in start["headers"]}
    return start["status"], given, b"".join(piece.get("body", b"") for piece in pieces)


def _written(
    statement: str, values: dict[str, Any], names: dict[tuple[type, Any], str]
) -> dict[str, Any]:
    """Values of the request stay parameters; constants are written into the statement."""
    places = {}
    for key, value in values.items():
        plain = bytes(value.adapted) if isinstance(value, Binary) else value
        name = names.get((type(plain), plain)) if plain.__hash__ else None
        name = "resource_id" if key == "resource_id" else name
        places[key] = f":{name}" if name else _literal(value)
    sql = statement % places
    order: list[str] = []

    def number(found: re.Match[str]) -> str:
        name = found[1]
        if name not in order:
            order.append(name)
        return f"${order.index(name) + 1}"

    numbered = re.sub(r"(?<!:):([a-z_]+)\b", number, sql)
    return {"sql": sql, "numbered": numbered, "names": order}


def _literal(value: object) -> str:
    adapted = psycopg2.extensions.adapt(value)
    if hasattr(adapted, "encoding"):
        adapted.encoding = "utf-8"
    literal: str = adapted.getquoted().decode()
    return literal.strip()
