"""streams.yaml served as `marquee serve` serves the whole contract."""

from pathlib import Path

import yaml

from marquee import settings
from marquee.web import process, server
from marquee.web.app import App

CONTRACT = Path(__file__).with_name("streams.yaml")


def application() -> App:
    """What uvicorn calls in each process."""
    return process.application(yaml.safe_load(CONTRACT.read_text()))


if __name__ == "__main__":
    server.serve("tests.contract.streams_app:application", settings.current())
