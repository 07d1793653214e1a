"""The real `marquee serve` in processes of its own, each on a database of its own."""

import contextlib
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
from sqlalchemy import create_engine, make_url, text

from marquee import db
from marquee.migrations import running

HELPERS = ("resource_tracker", "search.building", "outside.building")
"""Processes of a server that answer no requests."""
STARTING = 60.0
STOPPING = 30.0
TEMPLATE = "marquee_template"
LOCK = 7_346_102_552


@dataclass
class Live:
    """A running server."""

    process: "subprocess.Popen[bytes]"
    url: str
    database_url: str
    log: Path
    seconds_to_ready: float

    @property
    def workers(self) -> list[psutil.Process]:
        """The processes that answer requests, without the one that watches them."""
        children = psutil.Process(self.process.pid).children(recursive=True)
        with contextlib.suppress(psutil.NoSuchProcess):
            children = [
                each
                for each in children
                if not any(word in " ".join(each.cmdline()) for word in HELPERS)
            ]
        return children

    def stop(self) -> int:
        """End it as a supervisor would; its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(STOPPING)
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    def kill(self) -> None:
        """End all of it at once."""
        for each in [*self.workers, psutil.Process(self.process.pid)]:
            with contextlib.suppress(psutil.NoSuchProcess):
                each.kill()
        self.process.wait(STOPPING)


SERVE = ("marquee", "serve")


@contextmanager
def live(
    database_url: str,
    folder: Path,
    *,
    workers: int = 1,
    program: tuple[str, ...] = SERVE,
    **variables: str,
) -> Iterator[Live]:
    """Start `marquee serve` on a database, with these variables; stop it at the end.

    `program` is another module with its arguments, which serves the same way.
    """
    port = free_port()
    environment = {
        **os.environ,
        "DATABASE_URL": database_url,
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "MARQUEE_WORKERS": str(workers),
        **variables,
    }
    log = folder / f"serve-{port}.log"
    started = time.monotonic()
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", *program],
            env=environment,
            stderr=output,
            stdout=output,
        )
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until_ready(process, url, log)
        yield (server := Live(process, url, database_url, log, time.monotonic() - started))
        server.stop()
    finally:
        if process.poll() is None:
            Live(process, url, database_url, log, 0).kill()


def wait_until_ready(process: "subprocess.Popen[bytes]", url: str, log: Path) -> None:
    """Wait for `/readyz`. Raises AssertionError with the log where the server ends or hangs."""
    deadline = time.monotonic() + STARTING
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(f"{url}/readyz", timeout=2).status_code == httpx.codes.OK:
                return
        time.sleep(0.02)
    raise AssertionError(f"The server is not ready after {STARTING} s:\n{log.read_text()}")


@contextmanager
def own_database(database_url: str) -> Iterator[str]:
    """The URL of a new migrated database beside another one; dropped at the end.

    A template is migrated once for a server and copied from then on; processes that want it at the
    same time wait for each other.
    """
    name = f"marquee_live_{secrets.token_hex(4)}"
    outside = create_engine(
        make_url(database_url).set(drivername="postgresql+psycopg2", database="postgres"),
        isolation_level="AUTOCOMMIT",
    )
    with outside.connect() as connection:
        connection.execute(text("select pg_advisory_lock(:lock)"), {"lock": LOCK})
        query = text("select 1 from pg_database where datname = :name")
        if connection.execute(query, {"name": TEMPLATE}).scalar() is None:
            connection.execute(text(f"create database {TEMPLATE}"))
            template = db.engine_for(beside(database_url, TEMPLATE))
            running.migrate(template)
            template.dispose()
        connection.execute(text(f"create database {name} template {TEMPLATE}"))
        connection.execute(text("select pg_advisory_unlock(:lock)"), {"lock": LOCK})
    try:
        yield beside(database_url, name)
    finally:
        with outside.connect() as connection:
            connection.execute(text(f"drop database {name} with (force)"))
        outside.dispose()


def beside(database_url: str, name: str) -> str:
    """The URL of another database of the same server."""
    url = make_url(database_url).set(database=name)
    return url.render_as_string(hide_password=False)


_held: list[socket.socket] = []


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on, and that nobody else is given from now on.

    This process stays bound to it: Linux gives it to none who asks for any port, and lets a server
    that says SO_REUSEADDR, as all do, listen on it.
    """
    holder = socket.socket()
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holder.bind(("127.0.0.1", 0))
    _held.append(holder)
    port: int = holder.getsockname()[1]
    return port
