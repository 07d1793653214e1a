"""`marquee up` with stand-ins for its children: it starts, watches and stops them."""

import dataclasses
import http.client
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import ClassVar

import psycopg
import pytest

from marquee.children import Failure, Restarts
from marquee.settings import Settings
from marquee.supervisor import free_port

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")

SETTINGS = {field.name.upper() for field in dataclasses.fields(Settings)}
STAND_IN = """
import http.server, os, signal, subprocess, sys, time
from marquee.processes import follow_parent

role = sys.argv[1]
follow_parent(every=0.05, grace=0.2)

def leave(signum, frame):
    print(role, "stops", flush=True)
    os._exit(0)

signal.signal(signal.SIGTERM, leave)
print(role, "is", os.getpid(), "with", os.environ["DATABASE_URL"], flush=True)

if "STUBBORN" in os.environ:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if role == "serve":
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)", __file__])

class Ready(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/readyz" else 404)
        self.end_headers()

    def log_message(self, *args):
        pass

if role == "serve":
    address = os.environ["HOST"], int(os.environ["PORT"])
    http.server.HTTPServer(address, Ready).serve_forever()
if role == "worker":
    while True:
        time.sleep(1)
"""
UP = """
import os, sys
from marquee import children
from marquee.settings import read
from marquee.supervisor import Commands, Supervisor

children.FIRST_DELAY = 0.01
stand_in = sys.executable, sys.argv[1]
commands = {
    name: (*stand_in, name) for name in ("migrate", "demo", "serve", "worker")
} | {name: (sys.executable, "-c", "raise SystemExit(3)") for name in sys.argv[2:]}
sys.exit(Supervisor(read(os.environ), Commands(**commands)).run())
"""


class Up:
    """A supervisor in a process and a folder of its own."""

    all: ClassVar[list["Up"]] = []

    def __init__(self, data: Path, *broken: str, **environment: str) -> None:
        """Start it; each command named in `broken` ends at once with exit code 3."""
        self.data = data
        self.port = int(environment.setdefault("PORT", str(free_port("127.0.0.1", 0))))
        script = data.parent / "stand_in.py"
        script.write_text(STAND_IN)
        self._out, self._err = data.parent / f"{self.port}.out", data.parent / f"{self.port}.err"
        ours = {name: value for name, value in os.environ.items() if name not in SETTINGS}
        ours |= {"MARQUEE_DATA": str(data), "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        with self._out.open("w") as out, self._err.open("w") as err:
            self.process = subprocess.Popen(
                [sys.executable, "-c", UP, script, *broken],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                env=ours | environment,
            )
        self.all.append(self)

    @property
    def out(self) -> str:
        """What it has printed on stdout."""
        return self._out.read_text()

    @property
    def err(self) -> str:
        """What it and its children have printed on stderr."""
        return self._err.read_text()

    def pid(self, role: str) -> int:
        """The process id of the latest child of that role."""
        return int(re.findall(rf"^{role} is (\d+)", self.err, re.MULTILINE)[-1])

    def postmaster(self) -> int:
        """The process id of its PostgreSQL, 0 while it is between two."""
        try:
            return int((self.data / "postgres/cluster/postmaster.pid").read_text().split()[0])
        except (FileNotFoundError, IndexError):
            return 0

    def ready(self) -> bool:
        """Whether it has said that all is well."""
        assert self.process.poll() is None, self.err
        return "Explorer" in self.out

    def answers(self) -> bool:
        """Whether its server answers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()

    def end(self, signum: int = signal.SIGTERM) -> int:
        """Send it a signal and wait; its exit code."""
        self.process.send_signal(signum)
        return self.process.wait(20)


def until(condition: Callable[[], object], seconds: float = 30.0) -> None:
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never came to be so"
        time.sleep(0.02)


def processes(folder: Path) -> list[str]:
    """The command lines of all processes that have to do with a folder, zombies excepted."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_text().replace("\0", " ")
            if str(folder) in command or str(folder) in str((process / "cwd").readlink()):
                found.append(command)
        except OSError:
            continue
    return found


def connects(url: str) -> bool:
    """Whether the database takes connections."""
    try:
        psycopg.connect(url).close()
    except psycopg.OperationalError:
        return False
    return True


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """The parent of the data folders, in reach of the account that runs PostgreSQL."""
    path = Path(tempfile.mkdtemp(prefix="marquee-test-"))
    path.chmod(0o711)
    yield path
    for up in Up.all:
        up.process.kill()  # those of failed tests
        up.process.wait()
    until(lambda: processes(path) == [])
    shutil.rmtree(path)


def test_life(folder: Path) -> None:
    """It starts everything, revives what dies, stops in order, and is alone on its folder."""
    up = Up(folder / "data")
    until(up.ready)
    assert up.answers()
    assert re.findall(r"^(\w+) is", up.err, re.MULTILINE)[:2] == ["migrate", "demo"]
    assert f"http://127.0.0.1:{up.port}/api/v1/ui" in up.out
    assert "abcdef1234567890" in up.out
    assert up.out.count("curl ") == 3
    assert f"{up.data}/mailbox: `marquee mail` shows it" in up.out
    secret = up.data / "secret_key"
    key = secret.read_text()
    assert len(key) > 32
    assert secret.stat().st_mode & 0o777 == 0o600
    assert up.data.stat().st_mode & 0o067 == 0

    second = Up(up.data)
    assert second.process.wait(20) == 1
    assert second.err == f"Marquee already runs on {up.data}.\n"

    url = re.findall(r"with (postgresql://\S+)", up.err)[0]
    with psycopg.connect(url) as connection:
        connection.execute("create table kept as select generate_series(1, 9) as id")
    first = {role: up.pid(role) for role in ("serve", "worker")}
    old = up.postmaster()
    os.kill(old, signal.SIGKILL)
    until(lambda: "PostgreSQL has ended" in up.err and up.postmaster() not in {0, old})
    until(lambda: connects(url))
    assert {role: up.pid(role) for role in ("serve", "worker")} == first

    for role in first:
        os.kill(up.pid(role), signal.SIGKILL)
    until(lambda: up.pid("serve") != first["serve"] and up.pid("worker") != first["worker"])
    until(up.answers)
    assert "The server was killed by SIGKILL; it starts again in" in up.err

    assert up.end(signal.SIGINT) == 0
    assert up.err.rindex("serve stops") < up.err.rindex("worker stops")
    assert processes(folder) == []
    log = (up.data / "postgres/postgres.log").read_text()
    assert "database system is shut down" in log.splitlines()[-1]

    # Killed the hard way, it leaves nothing behind, and the next start finds everything again.
    up = Up(up.data)
    until(up.ready)
    assert up.end(signal.SIGKILL) == -signal.SIGKILL
    third = Up(up.data, PORT=str(up.port))
    until(third.ready)
    with psycopg.connect(url) as connection:
        assert connection.execute("select count(*) from kept").fetchone() == (9,)
    assert secret.read_text() == key
    assert third.end(signal.SIGKILL) == -signal.SIGKILL
    until(lambda: processes(folder) == [], 10)


def test_stubborn_children(folder: Path) -> None:
    """Children that do not want to stop, and theirs, end when the supervisor was killed."""
    up = Up(folder / "stubborn", DATABASE_URL="postgresql://unused", STUBBORN="1")
    until(up.ready)
    assert len(processes(folder)) == 4
    assert up.end(signal.SIGKILL) == -signal.SIGKILL
    until(lambda: processes(folder) == [], 10)


def test_busy_port(folder: Path) -> None:
    """A busy port is one line, and nothing was started."""
    with socket.create_server(("127.0.0.1", 0)) as busy:
        up = Up(folder / "busy", PORT=str(busy.getsockname()[1]))
        assert up.process.wait(20) == 1
    assert up.err == (
        f"Port {up.port} of 127.0.0.1 cannot be opened (Address already in use): "
        "set PORT to another.\n"
    )
    assert not (up.data / "postgres").exists()


def test_own_database(folder: Path) -> None:
    """With DATABASE_URL there is no PostgreSQL of ours, and in production no demo."""
    environment = {
        "DATABASE_URL": "postgresql://you@nowhere/yours",
        "MARQUEE_ENV": "production",
    }
    up = Up(folder / "own", **environment)
    assert up.process.wait(20) == 1
    assert up.err == "MARQUEE_SECRET_KEY is not set; in production it must be.\n"

    up = Up(folder / "own", **environment, MARQUEE_SECRET_KEY="k" * 32)
    until(up.ready)
    assert not (up.data / "postgres").exists()
    assert not (up.data / "secret_key").exists()
    assert "with postgresql://you@nowhere/yours" in up.err
    assert "demo is" not in up.err
    assert "1234567890" not in up.out
    assert up.end() == 0


@pytest.mark.parametrize(
    "broken,told",
    [
        ("migrate", "`marquee migrate` ended with exit code 3: see above."),
        ("serve", "The server ended with exit code 3 before it was ready: see above."),
        ("worker", "The worker died 6 times within a minute."),
    ],
)
def test_broken_child(folder: Path, broken: str, told: str) -> None:
    """A child that cannot live ends it all with one line that names it."""
    up = Up(folder / "broken", broken, DATABASE_URL="postgresql://unused")
    assert up.process.wait(20) == 1
    assert f"{told}\n" in up.err
    assert "Traceback" not in up.err
    assert processes(folder) == []


def test_free_port() -> None:
    """An address that is none, or not of this machine, is told in one line; 0 is any port."""
    assert free_port("127.0.0.1", 0) > 1024
    with pytest.raises(Failure, match=r"cannot be opened \(Cannot assign requested address\)"):
        free_port("192.0.2.1", 8080)
    with pytest.raises(Failure, match="is not an address"):
        free_port("no such host", 8080)
    anywhere = ("0.0.0.0", 0)  # noqa: S104 - that is the point
    with socket.create_server(anywhere) as busy, pytest.raises(Failure, match="in use"):
        free_port("127.0.0.1", busy.getsockname()[1])


def test_restarts() -> None:
    """The pause doubles; the sixth death within a minute is one too many."""
    restarts = Restarts("It")
    assert [restarts.delay() for _ in range(5)] == [0.25, 0.5, 1, 2, 4]
    with pytest.raises(Failure, match="It died 6 times within a minute"):
        restarts.delay()
