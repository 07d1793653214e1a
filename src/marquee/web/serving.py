"""One process of the server: uvicorn with `connection.py` for its protocol.

uvicorn, because it is what Connexion brings along, ends as it should, and lets the protocol be
ours. `python -m marquee.web.serving MODULE:FUNCTION DESCRIPTOR…` serves what the function makes on
the sockets that have been handed over.
"""

import socket
import sys
from typing import Any

import structlog
import uvicorn
from uvicorn.server import ServerState

from marquee import settings
from marquee.processes import follow_parent
from marquee.settings import Settings
from marquee.web import logs
from marquee.web.connection import Connection, Listener
from marquee.web.server import BACKLOG, STOPPING


def main(target: str, *descriptors: str) -> int:
    """Serve on sockets that have been handed over."""
    follow_parent()
    values = settings.current()
    logs.configure(values.log_level)
    return serve_on([socket.socket(fileno=int(each)) for each in descriptors], target, values)


def serve_on(sockets: list[socket.socket], target: str, values: Settings) -> int:
    """Serve until a signal says to stop; 1 where it cannot start."""
    config = configuration(target, values, factory=True)
    try:
        config.load()
    except Exception:  # noqa: BLE001 - whoever started this process decides what follows
        structlog.get_logger("marquee").exception("server_process_cannot_start")
        return 1
    uvicorn.Server(config).run(sockets)
    return 0


def configuration(app: Any, values: Settings, **more: Any) -> uvicorn.Config:  # noqa: ANN401 - uvicorn's
    """How uvicorn serves an application here."""
    listener = Listener(values)

    def connection(config: uvicorn.Config, server_state: ServerState, **_: object) -> Connection:
        # Of an application of ours only the engine has to do with requests.
        asked = getattr(config.loaded_app, "engine", config.loaded_app)
        return listener.connection(asked, server_state)

    http: Any = connection
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
        **more,
    )


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
