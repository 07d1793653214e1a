"""Servers in this process, on 127.0.0.1, for tests that need settings of their own."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from marquee import settings
from marquee.settings import Settings
from marquee.web.app import App, create_app
from marquee.web.serving import configuration


@contextmanager
def serving(app: App, **changes: Any) -> Iterator[str]:
    """Serve an application; its base address, without a path. `changes` are to uvicorn's
    configuration.
    """
    with serving_any(app, app.engine.settings, **changes) as url:
        yield url


@contextmanager
def serving_any(app: ASGIApp, values: Settings, **changes: Any) -> Iterator[str]:
    """Serve any ASGI application."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        config = configuration(app, values)
        vars(config).update(changes)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.005)
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(10)


@contextmanager
def serving_with(**changes: Any) -> Iterator[str]:
    """Serve the application with some settings changed."""
    with serving(create_app(replace(settings.current(), **changes))) as url:
        yield url
