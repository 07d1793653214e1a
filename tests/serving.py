"""Servers in this process, on 127.0.0.1, for tests that need settings of their own."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import uvicorn

from marquee import settings
from marquee.web.app import App, create_app


@contextmanager
def serving(app: App) -> Iterator[str]:
    """Serve an application; its base address, without a path."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        config = uvicorn.Config(app, log_level="error", lifespan="off", server_header=False)
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
