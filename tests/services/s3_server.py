"""A real server of S3's protocol, SeaweedFS, on 127.0.0.1: it checks signatures as Amazon does."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.live import free_port

KEY, SECRET, BUCKET = "the-key", "the-secret", "marquee-files"
WEED = Path(sys.prefix) / "bin" / "weed"
STARTING = 30.0


@dataclass(frozen=True)
class S3Server:
    """A running server."""

    url: str
    process: "subprocess.Popen[bytes]"

    def variables(self, **changes: str) -> dict[str, str]:
        """The settings that lead to it."""
        return {
            "STORAGE_URL": f"s3://{BUCKET}/of/tests",
            "STORAGE_TIMEOUT": "5",
            "S3_ENDPOINT_URL": self.url,
            "S3_ACCESS_KEY_ID": KEY,
            "S3_SECRET_ACCESS_KEY": SECRET,
            **changes,
        }


@contextmanager
def s3_server(folder: Path) -> Iterator[S3Server]:
    """Start one with its data in a folder; stop it at the end."""
    who = {
        "name": "marquee",
        "credentials": [{"accessKey": KEY, "secretKey": SECRET}],
        "actions": ["Admin", "Read", "Write", "List"],
    }
    config = folder / "s3.json"
    config.write_text(json.dumps({"identities": [who]}))
    parts = ("master", "volume", "filer", "s3")
    ports = {f"{part}.port{kind}": free_port() for part in parts for kind in ("", ".grpc")}
    options = [f"-{name}={port}" for name, port in ports.items()]
    options += [f"-{part}.localSocket={folder}/{part}.sock" for part in ("filer", "s3")]
    options += ["-ip=127.0.0.1", "-ip.bind=127.0.0.1", f"-dir={folder}", "-filer", "-s3"]
    options += ["-s3.port.iceberg=0", "-s3.port.lance=0", "-master.telemetry=false"]
    options += ["-master.volumeSizeLimitMB=64", f"-s3.config={config}"]
    log = folder / "weed.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [WEED, "-logtostderr", "server", *options], stdout=output, stderr=output
        )
    url = f"http://127.0.0.1:{ports['s3.port']}"
    try:
        wait_until_ready(process, url, log)
        yield S3Server(url, process)
    finally:
        process.kill()
        process.wait(10)


def wait_until_ready(process: "subprocess.Popen[bytes]", url: str, log: Path) -> None:
    """Wait until it refuses strangers. Raises AssertionError with its log where it does not."""
    deadline = time.monotonic() + STARTING
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()
        with suppress(httpx.TransportError):
            if httpx.get(url, timeout=2).status_code == httpx.codes.FORBIDDEN:
                return
        time.sleep(0.05)
    raise AssertionError(f"The S3 server is not ready:\n{log.read_text()}")
