"""Serving: so many processes that listen on one socket, and the one that watches them.

This module is what the first process needs. It imports no application, which costs a second and
fifty megabytes: that is for the others, see `serving.py`.
"""

import hashlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from sqlalchemy import Engine, text

from marquee import signing
from marquee.children import Child, kill_group
from marquee.processes import PARENT, parent_bound
from marquee.settings import Settings

DEMO_KEYS = ("abcdef1234567890", "1234567890")
BACKLOG = 1024
STOPPING = 10
"""Seconds for what has begun when the server stops."""
KILLING = 2
"""Seconds more, after which a process is killed."""
TICK = 0.1


def run(values: Settings) -> int:
    """Serve until a signal says to stop. Raises Failure where processes die again and again."""
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
    with ExitStack() as stack:
        sockets = [stack.enter_context(each) for each in _listening(values.host, values.port)]
        if sys.platform == "win32":  # where a child does not inherit sockets
            from marquee.web.serving import serve_on  # noqa: PLC0415 - it imports what it serves

            return serve_on(sockets, target, values)
        children = stack.enter_context(_children(target, sockets, values.marquee_workers))
        asked = _stop_asked(children)
        while not asked.wait(TICK):
            for child in children:
                child.tend()
    return 0


@contextmanager
def _children(target: str, sockets: list[socket.socket], number: int) -> Iterator[list[Child]]:
    """The processes that answer; ended together."""
    descriptors = [each.fileno() for each in sockets]
    command = [sys.executable, "-m", "marquee.web.serving", target, *map(str, descriptors)]

    def launch() -> "subprocess.Popen[bytes]":
        return subprocess.Popen(  # noqa: S603 - our own command line, no shell
            command,
            env={**os.environ, PARENT: str(os.getpid())},
            pass_fds=descriptors,
            start_new_session=True,
            preexec_fn=parent_bound("SIGTERM"),  # noqa: PLW1509 - one system call
        )

    children: list[Child] = []
    try:
        children += (Child(f"Server process {each + 1}", launch) for each in range(number))
        yield children
    finally:
        for child in children:  # all of them before one is waited for
            if child.process is not None:
                child.process.terminate()
        for child in children:
            child.stop(STOPPING + KILLING)


def _stop_asked(children: list[Child]) -> threading.Event:
    """Set when a signal asks to stop. At the second one, nothing is waited for any more."""
    asked = threading.Event()

    def stop(*_: object) -> None:
        if asked.is_set():
            for child in children:
                if child.process is not None:
                    kill_group(child.process)
        asked.set()

    for signum in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, stop)
    return asked


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
