"""`marquee up`: the database, the server and the worker as one thing that starts and stops.

One process watches all others. What dies is started again; what dies too often stops everything.
On Linux the kernel stops the children when the supervisor is killed (elsewhere they notice it), so
nothing is left running behind it.
"""

import errno
import http.client
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import FrameType

from marquee.children import Child, Failure, Restarts, fate, stop_process
from marquee.postgres import Postgres, PostgresError
from marquee.postgres.place import environment
from marquee.processes import PARENT, Lock, parent_bound, to_stderr
from marquee.settings import Settings, listening_at, reachable_host

ADMIN_KEY = "abcdef1234567890"
CONSUMER_KEY = "1234567890"
"""The demo catalogue's two API keys; `marquee demo` never makes them in production."""
READY_WITHIN = 60.0
"""Seconds until `/readyz` must have answered 200."""
SHORTEST_SECRET = 32
STOP_SERVER, STOP_WORKER, STOP_DATABASE = 4.0, 2.5, 2.5
"""Seconds that each may take to stop by itself; together under ten."""
TICK = 0.05


class Stopping(BaseException):
    """Somebody asked to stop. Not an Exception: nothing may take it for an error."""


@dataclass(frozen=True)
class Commands:
    """The command lines of the children."""

    migrate: tuple[str, ...]
    demo: tuple[str, ...]
    serve: tuple[str, ...]
    worker: tuple[str, ...]

    @classmethod
    def of_marquee(cls) -> "Commands":
        """`marquee migrate`, `demo`, `serve` and `worker`, by this very Python."""
        marquee = (sys.executable, "-m", "marquee")
        return cls(
            migrate=(*marquee, "migrate"),
            demo=(*marquee, "demo"),
            serve=(*marquee, "serve"),
            worker=(*marquee, "worker"),
        )


class Supervisor:
    """Everything that `marquee up` does, with the children's command lines as a parameter."""

    def __init__(self, settings: Settings, commands: Commands) -> None:
        """Nothing is started yet."""
        self._settings = settings
        self._commands = commands
        self._data = settings.marquee_data.absolute()
        self._port = settings.port
        self._stop_asked = False
        self._lock = Lock(self._data / "supervisor.lock")
        self._children_lock = Lock(self._data / "children.lock")
        self._postgres: Postgres | None = None
        self._postgres_restarts = Restarts("PostgreSQL")
        self._environment: dict[str, str] = {}
        self._server: Child | None = None
        self._worker: Child | None = None

    def run(self) -> int:
        """Start everything and watch it until told to stop; the exit code."""
        with self._signals():
            try:
                self._start()
                while True:
                    self._pause(TICK)
                    self._tend()
            except Stopping:
                return 0
            except (Failure, PostgresError, OSError) as failure:
                to_stderr(str(failure))
                return 1
            finally:
                self._stop()

    def _start(self) -> None:
        self._hold_data_folder()
        self._port = free_port(self._settings.host, self._settings.port)
        secret = self._secret_key()
        self._environment = self._environment_of_children(self._database_url(), secret)
        self._run_once("migrate", self._commands.migrate)
        if not self._settings.production:
            self._run_once("demo", self._commands.demo)
        # Killed at once, the server could not take its own processes with it; the others have none.
        self._server = Child("The server", lambda: self._spawn(self._commands.serve, "SIGTERM"))
        self._worker = Child("The worker", lambda: self._spawn(self._commands.worker))
        self._await_ready(self._server)
        sys.stdout.write(self._welcome())
        sys.stdout.flush()

    def _tend(self) -> None:
        if self._postgres is not None and not self._postgres.running():
            to_stderr("PostgreSQL has ended; it starts again.")
            self._pause(self._postgres_restarts.delay())
            self._postgres.start()
        for child in (self._server, self._worker):
            if child is not None:
                child.tend()

    def _stop(self) -> None:
        if self._server is not None:
            self._server.stop(STOP_SERVER)
        if self._worker is not None:
            self._worker.stop(STOP_WORKER)
        if self._postgres is not None:
            self._postgres.stop(adopted=True, within=STOP_DATABASE)
        self._children_lock.close()
        self._lock.close()

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """Note a request to stop; it takes effect at the next pause, so never half-way."""

        def ask(_signum: int, _frame: FrameType | None) -> None:
            self._stop_asked = True

        wanted = [signal.SIGINT, signal.SIGTERM]
        if sys.platform != "win32" and signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
            wanted.append(signal.SIGHUP)  # nohup means: go on without the terminal
        before = {signum: signal.signal(signum, ask) for signum in wanted}
        try:
            yield
        finally:
            for signum, handler in before.items():
                signal.signal(signum, handler)

    def _pause(self, seconds: float) -> None:
        """Sleep. Raises Stopping as soon as somebody has asked for it."""
        end = time.monotonic() + seconds
        while True:
            if self._stop_asked:
                raise Stopping
            left = end - time.monotonic()
            if left <= 0:
                return
            time.sleep(min(left, TICK))

    def _hold_data_folder(self) -> None:
        """Make the data folder and be the only supervisor on it."""
        try:
            self._data.mkdir(mode=0o700, parents=True, exist_ok=True)
            held = self._lock.take()
        except OSError as error:
            raise Failure(f"MARQUEE_DATA={self._data} cannot be used: {error}.") from error
        if not held:
            raise Failure(f"Marquee already runs on {self._data}.")
        end = time.monotonic() + STOP_SERVER + STOP_WORKER + STOP_DATABASE
        while not self._children_lock.take():
            # They are on their way out after a kill -9 of the last supervisor.
            if time.monotonic() >= end:
                raise Failure(f"Processes of an earlier start still run on {self._data}.")
            self._pause(TICK)

    def _secret_key(self) -> str:
        """The key from the settings, else the one of the data folder, made at the first start."""
        if self._settings.marquee_secret_key:
            return self._settings.marquee_secret_key
        if self._settings.production:
            raise Failure("MARQUEE_SECRET_KEY is not set; in production it must be.")
        path = self._data / "secret_key"
        with suppress(FileNotFoundError):
            key = path.read_text().strip()
            if len(key) >= SHORTEST_SECRET:
                return key
        key = secrets.token_urlsafe(48)
        new = path.with_name("secret_key.new")
        new.unlink(missing_ok=True)
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(key + "\n")
        new.replace(path)
        return key

    def _database_url(self) -> str:
        """The user's own database, else the embedded one, started."""
        if self._settings.database_url:
            return self._settings.database_url
        self._postgres = Postgres.of(self._data, pause=self._pause)
        return self._postgres.start()

    def _environment_of_children(self, url: str, secret: str) -> dict[str, str]:
        # Where the database is ours, libpq's variables would only lead the children astray.
        inherited = environment() if self._postgres else dict(os.environ)
        return inherited | {
            "DATABASE_URL": url,
            "MARQUEE_SECRET_KEY": secret,
            "MARQUEE_DATA": str(self._data),
            "MARQUEE_ENV": self._settings.marquee_env,
            "HOST": self._settings.host,
            "PORT": str(self._port),
            "PYTHONUNBUFFERED": "1",
            PARENT: str(os.getpid()),
        }

    def _spawn(
        self, command: tuple[str, ...], farewell: str = "SIGKILL"
    ) -> "subprocess.Popen[bytes]":
        """Start a child, which gets the signal `farewell` if the supervisor dies."""
        return subprocess.Popen(  # noqa: S603 - our own command line, no shell
            command,
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr,
            env=self._environment,
            pass_fds=self._children_lock.inheritance(),
            start_new_session=True,  # Ctrl-C is for the supervisor, who stops them in order
            preexec_fn=parent_bound(farewell),  # noqa: PLW1509 - one system call
        )

    def _run_once(self, name: str, command: tuple[str, ...]) -> None:
        """Run a command to its end. Raises Failure if that was not a good one."""
        process = self._spawn(command)
        try:
            while (code := process.poll()) is None:
                self._pause(TICK)
        except Stopping:
            stop_process(process, STOP_SERVER)
            raise
        if code != 0:
            raise Failure(f"`marquee {name}` {fate(code)}: see above.")

    def _await_ready(self, server: Child) -> None:
        """Wait until the server answers. Raises Failure if it ends or takes too long."""
        end = time.monotonic() + READY_WITHIN
        while not is_ready(self._settings.host, self._port):
            if (code := server.exit_code()) is not None:
                raise Failure(f"The server {fate(code)} before it was ready: see above.")
            if time.monotonic() >= end:
                raise Failure(f"The server was not ready within {READY_WITHIN:g} s.")
            self._pause(TICK)

    def _welcome(self) -> str:
        api = f"{listening_at(self._settings.host, self._port)}/api/v1"
        lines = [
            "",
            f"  Explorer   {api}/ui",
            f"  Contract   {api}/openapi.json",
        ]
        if not self._settings.smtp_host:
            folder = self._settings.mailbox.absolute()
            lines.append(f"  Mail       {folder}: `marquee mail` shows it")
        if self._settings.production:
            return "\n".join([*lines, "", ""])
        bearer = f"-H 'Authorization: Bearer {CONSUMER_KEY}'"
        rating = """-H 'Content-Type: application/json' -d '{"movie_id": 1, "rating": 4.5}'"""
        lines += [
            f"  Demo keys  {ADMIN_KEY} (admin), {CONSUMER_KEY} (user 2)",
            "",
            f"  curl {api}/movies/popular",
            f"  curl {api}/users/2/favorites {bearer}",
            f"  curl -X POST {api}/movies/ratings {bearer} {rating}",
        ]
        return "\n".join([*lines, "", ""])


def up(settings: Settings) -> int:
    """Run Marquee until told to stop; the exit code. Must be called in the main thread."""
    return Supervisor(settings, Commands.of_marquee()).run()


def free_port(host: str, port: int) -> int:
    """The port, or a free one if it is 0. Raises Failure if the address cannot be listened on."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise Failure(f"HOST={host} is not an address: {error.strerror}.") from error
    refusals = []
    for family, kind, protocol, _, address in found:
        with socket.socket(family, kind, protocol) as probe:
            if os.name == "posix":  # elsewhere it would mean "even if it is taken"
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(address)
                probe.listen()
                port = port or int(probe.getsockname()[1])
            except OSError as error:
                refusals.append(error)
    # `localhost` may have an IPv6 address where the machine has none: one that works will do.
    taken = [error for error in refusals if error.errno == errno.EADDRINUSE]
    if taken or len(refusals) == len(found):
        reason = (taken or refusals)[0].strerror
        raise Failure(f"Port {port} of {host} cannot be opened ({reason}): set PORT to another.")
    return port


def is_ready(host: str, port: int) -> bool:
    """Whether `GET /readyz` answers 200."""
    connection = http.client.HTTPConnection(reachable_host(host), port, timeout=2)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
