"""The access log, by the real server: what is in it, and that nothing of it is lost."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from marquee import settings
from marquee.web.app import create_app
from tests.live import live, own_database

MANY = 50


def lines(log: Path) -> list[dict[str, Any]]:
    """The lines of a log that tell of requests."""
    read = [orjson.loads(line) for line in log.read_bytes().splitlines()]
    return [line for line in read if line["event"] == "request"]


def test_each_answer_has_its_line(database_url: str, tmp_path: Path) -> None:
    """Those before the end, too."""
    with (
        own_database(database_url) as url,
        live(url, tmp_path, ACCESS_LOG="true") as server,
    ):
        with httpx.Client(base_url=server.url) as client:
            for number in range(MANY):
                client.get("/healthz", headers={"X-Request-Id": f"r{number}"})
            client.get("/api/v1/movies/42/x?secret=1", headers={"X-Request-Id": "elsewhere"})
            client.delete("/api/v1/movies/42", headers={"X-Request-Id": "last"})
        server.stop()
    logged = {line["request_id"]: line for line in lines(server.log)}
    assert {f"r{number}" for number in range(MANY)} | {"elsewhere", "last"} <= logged.keys()
    known = logged["r0"]
    assert 0 < known.pop("duration_ms") < 60_000
    assert known.pop("timestamp").endswith("Z")
    assert known == {
        "event": "request",
        "level": "info",
        "method": "GET",
        "path": "/healthz",
        "operation": "get_liveness",
        "status": 200,
        "user_id": None,
        "address": "127.0.0.1",
        "request_id": "r0",
    }
    assert (logged["elsewhere"]["path"], logged["elsewhere"]["status"]) == (
        "/api/v1/movies/42/x",
        404,
    )
    assert logged["last"]["status"] == 405


@pytest.mark.parametrize("access_log, level", [(False, "INFO"), (True, "WARNING")])
def test_it_may_be_off(engine: object, *, access_log: bool, level: str) -> None:
    values = replace(settings.current(), access_log=access_log, log_level=level)
    assert create_app(values).engine.access is None
