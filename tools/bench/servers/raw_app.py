"""Constant bytes from the same server as Marquee: what the server alone costs. With `httptools` as
its argument, uvicorn speaks HTTP by itself, as it does for FastAPI.
"""

import sys
from typing import Any

import orjson
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from marquee import settings
from marquee.web import server
from tools.bench import places


def application() -> ASGIApp:
    """An application that knows every answer by its path."""
    known: dict[str, Any] = orjson.loads(places.SHARED.read_bytes())["answers"]
    answers = {path: (each["status"], each["body"].encode()) for path, each in known.items()}

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await _lifespan(receive, send)
            return
        if scope["method"] == "POST":
            await receive()
        status, body = answers[scope["path"]]
        headers = [(b"content-type", b"application/json")]
        if any(name == b"if-none-match" for name, _ in scope["headers"]):
            status, body = 304, b""
        else:
            headers.append((b"content-length", b"%d" % len(body)))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return app


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        kind = (await receive())["type"].removeprefix("lifespan.")
        await send({"type": f"lifespan.{kind}.complete"})
        if kind == "shutdown":
            return


if __name__ == "__main__":
    values = settings.current()
    if http := sys.argv[1:]:
        config = uvicorn.Config(
            application(), port=values.port, http=http[0], access_log=False, log_level="warning"
        )
        uvicorn.Server(config).run()
    else:
        server.serve("tools.bench.servers.raw_app:application", values)
