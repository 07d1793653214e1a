"""A database as a new user finds it, but smaller: the demo accounts, and a few titles."""

import gzip
import itertools
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from marquee.catalogue.demo.loading import TITLES
from tests.live import live, own_database

ADMIN_KEY, CONSUMER_KEY = "abcdef1234567890", "1234567890"
FEW = 60


@contextmanager
def demonstration(database_url: str, folder: Path) -> Iterator[str]:
    """The address of a `marquee serve` with such a database; both are gone at the end."""
    few = folder / "titles.jsonl"
    with gzip.open(TITLES, "rb") as titles:
        few.write_bytes(b"".join(itertools.islice(titles, FEW)))
    with own_database(database_url) as database:
        for words in (["import", "titles", str(few)], ["demo"]):
            command = [sys.executable, "-m", "marquee", *words]
            subprocess.run(command, env=os.environ | {"DATABASE_URL": database}, check=True)
        # The server's own limits, which the other tests do without.
        with live(
            database, folder, RATE_LIMIT_DEFAULT="600/minute", RATE_LIMIT_AUTH="5/15minute"
        ) as server:
            yield server.url
