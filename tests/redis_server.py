"""A Redis of a test's own: Debian's `redis-server`, without a file on disk."""

import shutil
import socket
import subprocess
import time
from contextlib import suppress
from typing import Self

import redis

PASSWORD = "the password of the tests"


class RedisServer:
    """Use as a context manager; `stop` and `start` make it fail and come back on the same port."""

    def __init__(self) -> None:
        program = shutil.which("redis-server")
        assert program, "These tests need redis-server (Debian's package redis-server)."
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        words = "--bind 127.0.0.1 --save '' --appendonly no --daemonize no"
        options = [word.strip("'") for word in words.split()]
        self._command = [program, "--port", str(self.port), *options, "--requirepass", PASSWORD]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """What `REDIS_URL` says of it."""
        return f"redis://127.0.0.1:{self.port}/0"

    def client(self) -> redis.Redis:
        """A connection to it."""
        return redis.Redis(port=self.port, password=PASSWORD)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL)
        until = time.monotonic() + 10
        with self.client() as client:
            while time.monotonic() < until:
                with suppress(redis.ConnectionError):
                    client.ping()
                    return
                time.sleep(0.02)
        self.stop()
        raise AssertionError("redis-server did not answer within 10 seconds.")

    def stop(self) -> None:
        """End it."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)
            self._process = None

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self.stop()
