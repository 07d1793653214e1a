"""Handlers and security functions of parity.yaml, for stock Connexion and for the engine alike.

Nothing here knows who calls: plain functions, named like their operations.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from sqlalchemy import QueuePool

from marquee import db
from marquee.viewer import Viewer
from marquee.web.answers import Stream

Thing = dict[str, Any]


def bearer(token: str) -> dict[str, Any] | None:
    """Everybody who knows the word."""
    return {"sub": Viewer(1, "by token")} if token == "open" else None


def key(api_key: str) -> dict[str, Any] | None:
    """Everybody who knows the word."""
    return {"sub": Viewer(2, "by key")} if api_key == "open" else None


def list_things(limit: int, **filters: Any) -> Thing:
    heard = {name: str(value) for name, value in filters.items() if value is not None}
    return {"limit": limit, **heard}


def create_thing(body: dict[str, Any]) -> tuple[Thing, int]:
    return {"id": 1, "name": body["name"], "size": body.get("size")}, 201


def get_thing(thing_id: int) -> Thing:
    return {"id": thing_id, "name": "thing", "size": 0.5}


def get_special() -> Thing:
    return {"id": 1, "name": "special", "size": None}


def delete_thing(thing_id: int) -> tuple[None, int]:
    return None, 204


def hear_secret(user: Viewer) -> Thing:
    return {"user": user.username}


def hear_anybody(user: Viewer | None = None) -> Thing:
    return {"user": user and user.username}


def hear_header(x_count: int | None = None) -> Thing:
    return {"count": x_count}


def hear_body(body: Any = None) -> Thing:
    return {"body": str(body)}


def say_text() -> str:
    return "héllo"


def break_promise(how: str) -> tuple[Thing, int]:
    good = {"id": 1, "name": "thing", "size": None}
    broken = {
        "status": (good, 299),
        "shape": ({"id": 1}, 200),
        "extra": ({**good, "secret": 1}, 200),
    }
    return broken[how]


def broken() -> Thing:
    raise RuntimeError("a bug")


open_streams: set[object] = set()
"""The streams whose makers have not been closed."""


def watch(every: float) -> Stream:
    """An event at once, and one more each `every` seconds, until the client goes."""

    async def events() -> AsyncIterator[bytes]:
        me = object()
        open_streams.add(me)
        try:
            while True:
                yield b"data: tick\n\n"
                await asyncio.sleep(every)
        finally:
            open_streams.discard(me)

    return Stream(events())


def count_held() -> str:
    """How many streams are open, and how many database connections are in use."""
    pool = db.engine().pool
    assert isinstance(pool, QueuePool)
    return f"{len(open_streams)} {pool.checkedout()}"


def count_to_three() -> Stream:
    """A stream that ends."""

    async def events() -> AsyncIterator[bytes]:
        for number in range(3):
            yield b"data: %d\n\n" % number

    return Stream(events())


def break_off() -> Stream:
    """A stream whose maker fails after it has begun."""

    async def events() -> AsyncIterator[bytes]:
        yield b"data: well\n\n"
        raise RuntimeError("a bug")

    return Stream(events())
