"""One PostgreSQL server for each folder, started or adopted.

    <folder>/cluster        PostgreSQL's own files
    <folder>/run            its socket (elsewhere if that path were too long for a socket)
    <folder>/password       of the superuser `postgres`, who is the only user
    <folder>/postgres.log   and the one before, postgres.log.1
    <folder>/starting       held by whoever starts the server
    <folder>/alive          held by every process of the server, for as long as it lives
    <folder>/elsewhere      if all of the above had to go to a folder below /var/lib/marquee: which

`alive` decides whether there is a server: PostgreSQL inherits the lock, so it holds as long as one
backend is left, and neither a stale postmaster.pid nor a zombie nor a process of another container
can deceive.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self
from urllib.parse import quote

import psycopg

from marquee.postgres import cluster, place
from marquee.postgres.place import Account, PostgresError
from marquee.processes import Lock, open_beside, parent_bound, to_stderr

LOG_LIMIT = 10_000_000
"""Bytes above which the log is put aside at the next start."""
PATIENCE = 3.0
"""Seconds of waiting before a line says what for; then every ten."""
SOCKET_PORT = 5432
TICK = 0.02


class Status(NamedTuple):
    """What postmaster.pid says: the process, the port, the socket's folder and the state."""

    pid: int
    port: int
    sockets: str
    state: str


class Postgres:
    """A PostgreSQL server whose files are in a folder.

    `bin_dir` names its programs (else PG_BIN, the wheel, Debian's). `say` gets the few lines that
    tell why it takes long; `pause` is called instead of sleeping and may raise to give up. What is
    not `durable` is quicker, but a crash of the machine may spoil all of it.
    On Linux the server stops when the thread that started it ends: start it from the main one.
    """

    def __init__(
        self,
        folder: Path,
        bin_dir: Path | None = None,
        *,
        say: Callable[[str], None] = to_stderr,
        pause: Callable[[float], None] = time.sleep,
        durable: bool = True,
    ) -> None:
        """Name the folder. Nothing is made or started yet."""
        self.folder = folder.resolve()
        self._bin_dir = bin_dir
        self._say = say
        self._pause = pause
        self._durable = durable
        self._home = self.folder
        self._account: Account | None = None
        self._programs = Path()
        self._process: subprocess.Popen[bytes] | None = None
        self._port = SOCKET_PORT if cluster.uses_sockets() else 0

    @classmethod
    def of(
        cls, data: Path, *, pause: Callable[[float], None] = time.sleep, durable: bool = True
    ) -> Self:
        """The server of Marquee's data folder; makes that folder (0700) if need be.

        As root it lets the account that will run the server pass through. Raises PostgresError.
        """
        folder = data / "postgres"
        try:
            data.mkdir(mode=0o700, parents=True, exist_ok=True)
            place.admit(data.resolve(), place.account_for(folder))
        except OSError as error:
            raise PostgresError(f"MARQUEE_DATA={data} cannot be used: {error}.") from error
        return cls(folder, pause=pause, durable=durable)

    def __enter__(self) -> Self:
        """Start or adopt the server."""
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop the server if this object started it."""
        self.stop()

    def start(self) -> str:
        """Start the server, or adopt one that runs; return the URL of the database `marquee`.

        Makes the cluster and the database if need be. Waits for as long as a server takes to
        recover. Raises PostgresError.
        """
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with Lock(self.folder / "starting") as starting:
                self._until(starting.take, "another process that is starting it")
                self._find_home()
                with Lock(self._home / "alive") as alive:
                    self._until(lambda: self._settled(alive), "the server to be ready")
                    if alive.held:
                        self._launch(alive)
                self._create_database()
        except PermissionError as error:
            raise PostgresError(
                f"PostgreSQL cannot use {self.folder}: {error}. Run as the owner of that folder, "
                "or set MARQUEE_DATA to another."
            ) from error
        except OSError as error:
            raise PostgresError(f"PostgreSQL cannot start in {self.folder}: {error}.") from error
        return self.url()

    def url(self, database: str = "marquee") -> str:
        """The URL of a database of the running server, password included.

        Raises PostgresError if no server runs.
        """
        status = self._status()
        if status is None:
            raise PostgresError(f"No PostgreSQL runs in {self.folder}.")
        password = quote((self._home / "password").read_text().strip(), safe="")
        name = quote(database, safe="")
        if not status.sockets:
            return f"postgresql://postgres:{password}@127.0.0.1:{status.port}/{name}"
        host = quote(status.sockets, safe="")
        return f"postgresql://postgres:{password}@/{name}?host={host}&port={status.port}"

    def running(self) -> bool:
        """Whether a server of this folder lives, by whomever it was started."""
        if self._process is not None:
            return self._process.poll() is None
        if not self.folder.is_dir():
            return False
        self._find_home()
        return self._alive()

    def stop(self, *, adopted: bool = False, within: float = 30.0) -> None:
        """Stop the server if this object started it, or, with `adopted`, in any case.

        Open transactions are rolled back at once. After `within` seconds it is made to stop without
        a checkpoint: nothing committed is lost, but the next start recovers.
        """
        status = self._status()
        if self._process is not None:
            pid = self._process.pid
        elif adopted and status is not None and self._alive():
            pid = status.pid
        else:
            return
        for name, seconds in (("INT", within), ("QUIT", 6.0), ("KILL", 6.0)):
            self._signal(pid, name)
            if self._ended(time.monotonic() + seconds):
                break
        self._process = None
        if status is not None and status.sockets:
            place.leave(Path(status.sockets), self._home)

    def _signal(self, pid: int, name: str) -> None:
        if sys.platform == "win32":
            place.run_as(None, self._programs / "pg_ctl", "kill", name, str(pid))
        else:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.Signals[f"SIG{name}"])

    def _ended(self, deadline: float) -> bool:
        while time.monotonic() < deadline:
            if (self._process is None or self._process.poll() is not None) and not self._alive():
                return True
            time.sleep(TICK)
        return False

    def _find_home(self) -> None:
        """Decide who runs the server and where its files are."""
        elsewhere = place.pointed_to(self.folder)
        self._account = place.account_for(elsewhere or self.folder)
        place.admit(self.folder, self._account)
        self._home = place.home_of(self.folder, self._account)
        if self._account and self._home not in {self.folder, elsewhere}:
            self._say(
                f"PostgreSQL's files go to {self._home}, since user {self._account.name}, who runs "
                f"it for root, cannot reach {self.folder}."
            )

    def _until(self, condition: Callable[[], bool], what: str) -> None:
        """Wait until something is so, for however long, and say so now and then."""
        due = time.monotonic() + PATIENCE
        while not condition():
            if time.monotonic() >= due:
                due = time.monotonic() + 10
                last = self._log_tail(1)
                self._say(f"PostgreSQL in {self._home}: waiting for {what}. {last}".rstrip())
            self._pause(TICK)

    def _status(self) -> Status | None:
        """What postmaster.pid says, once it says all of it."""
        try:
            lines = (self._home / "cluster" / "postmaster.pid").read_text().splitlines()
            return Status(int(lines[0]), int(lines[3]), lines[4].strip(), lines[7].strip())
        except (OSError, ValueError, IndexError):
            return None

    def _alive(self) -> bool:
        """Whether any process of a server holds the lock, or the server was started by hand."""
        with Lock(self._home / "alive") as alive:
            if not alive.take():
                return True
        return self._started_by_hand()

    def _started_by_hand(self) -> bool:
        """Whether postmaster.pid names a live server of this very cluster.

        Its process id alone proves nothing: after a restart of the machine, or of a container, it
        may belong to something else.
        """
        files = self._home / "cluster"
        try:
            pid = int((files / "postmaster.pid").read_text().split()[0])
        except (OSError, ValueError, IndexError):
            return False
        if sys.platform == "win32":
            done = place.run_as(None, self._programs / "pg_ctl", "status", "-D", files)
            return done.returncode == 0
        if Path("/proc/self").exists():
            try:
                return Path(f"/proc/{pid}/cwd").samefile(files)
            except OSError:
                return False
        done = place.run_as(None, "/bin/ps", "-o", "args=", "-p", str(pid))
        return str(files) in done.stdout

    def _settled(self, alive: Lock) -> bool:
        """Whether a server answers, or there is none and the lock is ours, so that we may start."""
        if self._process is not None and self._process.poll() is not None:
            self._process = None
        if self._adopted():
            return True
        if self._started_by_hand() or not alive.take():
            return False
        if self._process is not None:  # it died just now
            self._process.wait()
            self._process = None
        return True

    def _adopted(self) -> bool:
        """Whether a server lives and answers. Raises PostgresError if it never will."""
        status = self._status()
        if status is None or status.state != "ready" or not self._alive():
            return False
        try:
            self._connect().close()
        except psycopg.OperationalError as error:
            text = str(error)
            passing = ("starting up", "shutting down", "recovery mode", "not yet accepting")
            if "FATAL" not in text or any(words in text for words in passing):
                return False
            if "too many clients" not in text and "connection slots" not in text:
                raise PostgresError(f"PostgreSQL in {self._home} refuses us: {text}") from error
        return True

    def _connect(self) -> "psycopg.Connection[tuple[Any, ...]]":
        # An empty host address keeps PGHOSTADDR from leading elsewhere.
        return psycopg.connect(
            self.url("postgres"), hostaddr="", connect_timeout=10, autocommit=True
        )

    def _create_database(self) -> None:
        try:
            with self._connect() as connection:
                query = "select from pg_database where datname = 'marquee'"
                if connection.execute(query).fetchone() is None:
                    with suppress(psycopg.errors.DuplicateDatabase):
                        connection.execute(
                            "create database marquee encoding 'UTF8' template template0"
                        )
        except psycopg.Error as error:
            raise self._failure(f"PostgreSQL in {self._home} fails: {error}") from error

    def _launch(self, alive: Lock) -> None:
        """Start the server. Its processes hold `alive` from now on, and we no longer."""
        account = self._account
        self._programs, major = place.programs_for(self._bin_dir, account)
        cluster.make(self._home, self._programs, major, account, durable=self._durable)
        cluster.check(self._home, self._programs, major)
        if self._port == 0:  # found once: clients hold the URL when a restart keeps it
            with socket.create_server(("127.0.0.1", 0)) as free:
                self._port = free.getsockname()[1]
        settings = cluster.settings(self._home, account, self._port, durable=self._durable)
        self._clear_stale(settings["unix_socket_directories"])
        options = [part for item in settings.items() for part in ("-c", "=".join(item))]
        log = self._open_log()
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own command line, no shell
                [self._programs / "postgres", "-D", self._home / "cluster", *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self._home.anchor,
                env=place.environment(),
                user=account.uid if account else None,
                group=account.gid if account else None,
                extra_groups=[] if account else None,
                pass_fds=alive.inheritance(),
                start_new_session=True,  # Ctrl-C is for whoever started us, who then stops it
                preexec_fn=parent_bound("SIGINT"),  # noqa: PLW1509 - one system call
            )
        finally:
            os.close(log)
        alive.close()
        self._until(self._launched, "the server to be ready")

    def _launched(self) -> bool:
        process = self._process
        if process is None or process.poll() is not None:
            self._process = None
            code = process.returncode if process else None
            raise self._failure(f"PostgreSQL in {self._home} ended at once with code {code}")
        status = self._status()
        return status is not None and (status.pid, status.state) == (process.pid, "ready")

    def _clear_stale(self, sockets: str) -> None:
        """Remove what a killed server left. We hold `alive`, so no process of it is left.

        PostgreSQL itself would refuse to start if the old process id now belonged to any other
        process of the same user, as it easily does in a container.
        """
        (self._home / "cluster" / "postmaster.pid").unlink(missing_ok=True)
        if sockets:
            (Path(sockets) / f".s.PGSQL.{SOCKET_PORT}.lock").unlink(missing_ok=True)

    def _open_log(self) -> int:
        path = self._home / "postgres.log"
        with suppress(OSError):
            if path.lstat().st_size > LOG_LIMIT:
                path.replace(path.with_name("postgres.log.1"))
        return open_beside(path, os.O_WRONLY | os.O_APPEND)

    def _log_tail(self, lines: int) -> str:
        """The last lines of the log, in one."""
        try:
            with (self._home / "postgres.log").open("rb") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - 2000))
                return " / ".join(file.read().decode(errors="replace").splitlines()[-lines:])
        except OSError:
            return ""

    def _failure(self, sentence: str) -> PostgresError:
        tail = self._log_tail(5)
        return PostgresError(f"{sentence}. Its log ends: {tail}" if tail else f"{sentence}.")


@contextmanager
def temporary() -> Iterator[Postgres]:
    """A server with an empty database for as long as the block lasts, as tests want it.

    Its folder is made where every account gets to: in one of pytest's, which are closed, root's
    cluster would go to /var/lib/marquee and stay there.
    """
    data = Path(tempfile.mkdtemp(prefix="marquee-"))
    try:
        with Postgres.of(data, durable=False) as postgres:
            yield postgres
    finally:
        shutil.rmtree(data, ignore_errors=True)
