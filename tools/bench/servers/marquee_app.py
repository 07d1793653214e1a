"""Marquee itself, as `marquee serve` runs it, on the benchmark's contract."""

import orjson

from marquee import settings
from marquee.web import process, server
from marquee.web.app import App
from tools.bench import places


def application() -> App:
    """What uvicorn calls in its process."""
    return process.application(orjson.loads(places.CONTRACT.read_bytes()))


if __name__ == "__main__":
    server.serve("tools.bench.servers.marquee_app:application", settings.current())
