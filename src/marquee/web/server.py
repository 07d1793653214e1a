"""Serving: uvicorn's processes, each with one application.

uvicorn, because it watches its processes, restarts those that die, and lets the protocol be ours
(`connection.py`). This module is what its first process needs; the application, which costs a
second and fifty megabytes to import, is in `process.py`.
"""

import hashlib
import os
import shutil
import socket
import tempfile
from contextlib import ExitStack
from functools import cached_property
from typing import TYPE_CHECKING, Any

import uvicorn
from sqlalchemy import Engine, text
from uvicorn.server import ServerState
from uvicorn.supervisors import Multiprocess

from marquee import signing
from marquee.settings import Settings

if TYPE_CHECKING:
    from marquee.web.connection import Connection, Listener

DEMO_KEYS = ("abcdef1234567890", "1234567890")
BACKLOG = 1024
STOPPING = 10
"""Seconds for what has begun when the server stops."""
HUNG = 60
"""Seconds after which a process that does not even say that it lives is replaced."""


class Http:
    """Makes the connections of a server: uvicorn's `http=`. Sent to each process, which alone
    imports what that takes.
    """

    def __init__(self, values: Settings) -> None:
        self.values = values

    @cached_property
    def _listener(self) -> "Listener":
        from marquee.web.connection import Listener  # noqa: PLC0415 - not in the first process

        return Listener(self.values)

    def __call__(
        self, config: uvicorn.Config, server_state: ServerState, **_: object
    ) -> "Connection":
        """One connection of a server."""
        return self._listener.connection(config.loaded_app, server_state)


def run(values: Settings) -> int:
    """Serve until a signal says to stop; 1 where a process could not start."""
    workers = values.marquee_workers
    figures = tempfile.mkdtemp(prefix="marquee-metrics-") if workers > 1 else None
    if figures:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = figures
    try:
        return serve("marquee.web.process:application", values)
    finally:
        if figures:
            shutil.rmtree(figures, ignore_errors=True)


def serve(target: str, values: Settings) -> int:
    """Serve the application that `target` makes, `module:function`, in processes of its own."""
    config = configuration(target, values, workers=values.marquee_workers, factory=True)
    with ExitStack() as stack:
        sockets = [stack.enter_context(each) for each in _listening(values.host, values.port)]
        processes = Multiprocess(config, sockets)
        processes.run()
    return int(any(each.exitcode == uvicorn.config.STARTUP_FAILURE for each in processes.processes))


def _listening(host: str, port: int) -> list[socket.socket]:
    """On each address of the host that this machine has. Raises OSError where it has none."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    dual = host == "::" and socket.has_dualstack_ipv6()
    sockets: list[socket.socket] = []
    refused: list[OSError] = []
    for family, _, _, _, address in found:
        try:
            made = socket.create_server(
                address, family=family, backlog=BACKLOG, dualstack_ipv6=dual
            )
            sockets.append(made)
        except OSError as error:
            refused.append(error)
    if not sockets:
        raise refused[0]
    return sockets


def configuration(app: Any, values: Settings, **more: Any) -> uvicorn.Config:  # noqa: ANN401 - uvicorn's
    """How uvicorn serves an application here."""
    http: Any = Http(values)
    return uvicorn.Config(
        app,
        http=http,
        ws="none",
        interface="asgi3",
        log_config=None,
        log_level="warning",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        backlog=BACKLOG,
        timeout_graceful_shutdown=STOPPING,
        timeout_worker_healthcheck=HUNG,
        **more,
    )


def refusal(values: Settings, engine: Engine) -> str | None:
    """Why this server must not start, if it must not."""
    signing.key_for("start")
    if not values.production:
        return None
    digests = [hashlib.sha256(key.encode()).digest() for key in DEMO_KEYS]
    with engine.connect() as connection:
        query = text(
            "select count(*) from api_keys where digest = any(:digests) and revoked_at is null"
        )
        found = connection.execute(query, {"digests": digests}).scalar()
    return "The demo keys are in this database: not with MARQUEE_ENV=production." if found else None
