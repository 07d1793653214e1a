"""Serving: granian's processes, each with one application.

Granian, because it reads HTTP in Rust with time-outs for headers, restarts processes that die, and
costs least of the servers that can stream. This module is what its first process needs; the
application, which costs a second and fifty megabytes to import, is in `process.py`.
"""

import hashlib
import os
import shutil
import tempfile
from typing import Any

from granian import Granian
from granian.constants import HTTPModes, Interfaces, Loops
from granian.http import HTTP1Settings
from granian.server.common import AbstractServer
from sqlalchemy import Engine, text

from marquee import signing
from marquee.settings import Settings

DEMO_KEYS = ("abcdef1234567890", "1234567890")
BACKLOG = 1024


def run(values: Settings) -> int:
    """Serve until a signal says to stop."""
    workers = values.marquee_workers
    figures = tempfile.mkdtemp(prefix="marquee-metrics-") if workers > 1 else None
    if figures:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = figures
    try:
        listener("marquee.web.process:application", values, workers=workers).serve()
    finally:
        if figures:
            shutil.rmtree(figures, ignore_errors=True)
    return 0


def listener(target: str, values: Settings, *, workers: int) -> AbstractServer[Any]:
    """A server, not yet started, of the application that `target` makes: `module:function`."""
    return Granian(
        target,
        factory=True,
        address=values.host,
        port=values.port,
        interface=Interfaces.ASGI,
        http=HTTPModes.http1,
        websockets=False,
        workers=workers,
        loop=Loops.auto,
        backlog=BACKLOG,
        respawn_failed_workers=True,
        workers_kill_timeout=10,
        log_enabled=False,
        http1_settings=HTTP1Settings(
            header_read_timeout=values.header_timeout * 1000, max_buffer_size=64 * 1024
        ),
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
