"""Whether the servers do the same: each must answer each operation as Marquee does."""

from datetime import datetime
from typing import Any

import orjson

from tools.bench.client import Client
from tools.bench.load import Failed
from tools.bench.operations import Operation
from tools.bench.peers import Running

WARMING = 200
VARYING = {"created_at", "next_cursor"}
"""Fields that no two servers give alike; and `id` of what is created."""


def answers(server: Running, listed: list[Operation]) -> dict[str, Any]:
    """The answers of a server by the operations' names. Raises Failed for a wrong status."""
    found = {}
    with Client(server.port) as client:
        for operation in listed:
            answer = client.call(operation)
            if answer.status != operation.status:
                raise Failed(
                    f"{server.server.name}: {operation.name} answered {answer.status}, "
                    f"{answer.body[:300]!r}"
                )
            found[operation.name] = orjson.loads(answer.body) if answer.body else None
    return found


def warm(server: Running, listed: list[Operation]) -> None:
    """Call what only reads until caches are filled and code is compiled."""
    with Client(server.port) as client:
        for operation in listed:
            for _ in range(1 if operation.counting else WARMING):
                client.call(operation)


def check(ours: dict[str, Any], theirs: dict[str, Any], name: str) -> None:
    """Raise Failed where two servers differ."""
    for operation, wanted in ours.items():
        created = operation == "create_star_rating"
        if _plain(wanted, created=created) != _plain(theirs[operation], created=created):
            raise Failed(
                f"{name} answers {operation} with\n{theirs[operation]}\nand Marquee with\n{wanted}"
            )


def _plain(value: Any, *, created: bool = False) -> Any:  # noqa: ANN401 - JSON
    """A value without what varies; moments to the millisecond, however they are written."""
    if isinstance(value, dict):
        left = VARYING | ({"id"} if created else set())
        return {name: _plain(each) for name, each in value.items() if name not in left}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, str) and "T" in value and value[:4].isdigit():
        return int(datetime.fromisoformat(value).timestamp() * 1000)
    return value
