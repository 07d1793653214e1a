"""The servers that are compared: how each is installed, started and stopped."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tools.bench import places
from tools.bench.client import Client
from tools.bench.machine import SERVER_CORE, on_core
from tools.bench.operations import BASE, CACHED, DATABASE, MEMORY, SESSIONS

MARQUEE, LOGGED = "Marquee", "Marquee, access log"
RAW, CONNECTION = "raw uvicorn", "raw, Marquee's connection"
KNOWING = "Marquee, callers cached"
FASTAPI, FASTAPI_ASYNC = "FastAPI", "FastAPI, asyncpg"
FASTIFY, STOCK = "Fastify", "stock Connexion"
START_SECONDS = 60


@dataclass(frozen=True)
class Server:
    """One server: its name, how it is started, and which parts it takes part in."""

    name: str
    command: list[str]
    parts: tuple[str, ...]
    environment: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Running:
    """A server that answers."""

    server: Server
    port: int
    pid: int


def servers(*, quick: bool) -> list[Server]:
    """All servers but the raw ones; a quick run goes without what nobody races against."""
    here = places.BENCH / "servers"
    ours = [sys.executable, "-m"]
    python = str(_python())
    marquee = [*ours, "tools.bench.servers.marquee_app"]
    # The same SQL: the peers look up the API key for every request.
    asking = {"CACHE_CALLERS": "false"}
    fastapi = [python, str(here / "fastapi_app.py")]
    found = [
        Server(MARQUEE, marquee, (MEMORY, DATABASE, CACHED), asking),
        Server(KNOWING, marquee, (SESSIONS,)),
        Server(FASTAPI, fastapi, (MEMORY, DATABASE)),
        Server(FASTAPI_ASYNC, fastapi, (DATABASE,), {"BENCH_ASYNC": "1"}),
        Server(FASTIFY, ["node", str(here / "fastify.mjs")], (MEMORY, DATABASE)),
    ]
    if quick:
        return found
    logged = {**asking, "ACCESS_LOG": "true"}
    return [
        *found,
        Server(LOGGED, marquee, (MEMORY, CACHED), logged),
        Server(STOCK, [*ours, "tools.bench.servers.stock_app"], (MEMORY, DATABASE)),
    ]


def raw() -> list[Server]:
    """What gives back recorded bytes: the server as it comes, and what Marquee makes of it."""
    command = [sys.executable, "-m", "tools.bench.servers.raw_app"]
    parts = (MEMORY, CACHED)
    return [Server(RAW, [*command, "httptools"], parts), Server(CONNECTION, command, parts)]


def install() -> None:
    """Make the peers' own environments. Raises Missing where a program is not there."""
    for program, package in (("node", "nodejs"), ("npm", "npm")):
        if shutil.which(program) is None:
            raise places.Missing(f"{program} is missing: `apt-get install {package}`.")
    _install_python()
    _install_node()


@contextmanager
def running(server: Server, common: dict[str, str]) -> Iterator[Running]:
    """Start a server on its core, wait until it answers, stop it at the end."""
    port = free_port()
    environment = os.environ | common | server.environment | {"PORT": str(port)}
    log = places.WORK / f"{server.name.replace(', ', '-').replace(' ', '-').lower()}.log"
    with log.open("wb") as output:
        with on_core(SERVER_CORE):
            process = subprocess.Popen(
                server.command,
                cwd=places.ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        try:
            _wait(server, process, port, log)
            yield Running(server, port, process.pid)
        finally:
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait(server: Server, process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with Client(port) as client:
                if client.get(f"{BASE}/memory/ping").status == 200:  # noqa: PLR2004 - OK
                    return
        except OSError:
            time.sleep(0.1)
    tail = log.read_text(errors="replace")[-2000:]
    raise places.Missing(f"{server.name} does not start; its log ends:\n{tail}")


def _install_python() -> None:
    wanted = (places.BENCH / "requirements.txt").read_bytes()
    mark = places.VENV / "installed"
    if mark.exists() and mark.read_bytes() == wanted:
        return
    places.say("Installing the Python peers into build/bench-venv …")
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(places.VENV)], check=True)
    _quietly(
        *(str(_python()), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
        *("-c", str(places.ROOT / "constraints.txt")),
        *("-r", str(places.BENCH / "requirements.txt")),
    )
    mark.write_bytes(wanted)


def _install_node() -> None:
    wanted = (places.BENCH / "package.json").read_bytes()
    mark = places.NPM / "installed"
    if mark.exists() and mark.read_bytes() == wanted:
        return
    places.say("Installing the Node peer into build/bench-npm …")
    shutil.rmtree(places.NPM, ignore_errors=True)
    places.NPM.mkdir(parents=True)
    shutil.copy(places.BENCH / "package.json", places.NPM)
    _quietly(
        *("npm", "install", "--prefix", str(places.NPM)),
        *("--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund"),
    )
    mark.write_bytes(wanted)


def _quietly(*words: str) -> None:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise places.Missing(f"`{' '.join(words)}` failed:\n{done.stderr[-2000:]}")


def _python() -> Path:
    return places.VENV / "bin" / "python"


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
