"""Marquee as users run it: the `marquee` commands, each in a process of its own."""

import dataclasses
import gzip
import itertools
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError

from marquee.catalogue.demo.loading import TITLES
from marquee.settings import Settings

SECRET = "a secret key of the tests, of fifty characters ...."
ADMIN_KEY, CONSUMER_KEY = "abcdef1234567890", "1234567890"
SETTINGS = {field.name.upper() for field in dataclasses.fields(Settings)}
FEW = 60


def environment(database_url: str, **values: str) -> dict[str, str]:
    """What a command runs with: the settings named, and no other."""
    kept = {name: value for name, value in os.environ.items() if name not in SETTINGS}
    return kept | {"DATABASE_URL": database_url, "MARQUEE_SECRET_KEY": SECRET} | values


def prepare(database_url: str, folder: Path) -> None:
    """Make the tables, the first few titles of the demo catalogue, and the demo accounts."""
    few = folder / "titles.jsonl"
    with gzip.open(TITLES, "rb") as titles:
        few.write_bytes(b"".join(itertools.islice(titles, FEW)))
    for words in (["migrate"], ["import", "titles", str(few)], ["demo"]):
        command = [sys.executable, "-m", "marquee", *words]
        subprocess.run(command, env=environment(database_url), check=True)


@contextmanager
def serving(database_url: str, **values: str) -> Iterator[str]:
    """Run `marquee serve`; its address, without a path."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "marquee", "serve"]
    with subprocess.Popen(
        command, env=environment(database_url, PORT=str(port), **values)
    ) as server:
        try:
            _await(url, server)
            yield url
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(15)


def _await(url: str, server: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 30
    while True:
        try:
            with urllib.request.urlopen(f"{url}/readyz", timeout=2):  # noqa: S310 - ours
                return
        except (URLError, OSError):
            assert server.poll() is None, "the server has ended"
            assert time.monotonic() < end, "the server is not ready"
            time.sleep(0.1)
