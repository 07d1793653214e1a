"""The real server under clients that do not hurry, under signals, and with several processes."""

import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import psutil
import pytest
from sqlalchemy import text

from marquee import db
from tests.committed import Committed, committed
from tests.contract import raw
from tests.live import SERVE, Live, free_port, live, own_database

LOGIN = "/api/v1/auth/login"
TOKEN = {"Authorization": "Bearer the metrics token"}
STUCK = 200
LISTENERS = """
select count(*) from pg_stat_activity where datname = current_database() and query like 'LISTEN%'
"""
WAITING = """
select count(*) from pg_locks join pg_database on pg_database.oid = pg_locks.database
where not granted and datname = current_database()
"""
MOST_MEMORY = 150 * 2**20
LONGEST_START = 3.0


@pytest.fixture(scope="module")
def own_url(database_url: str) -> Iterator[str]:
    """A database for the servers of this file."""
    with own_database(database_url) as url:
        yield url


@pytest.fixture(scope="class")
def impatient(own_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A server that waits for one second."""
    folder = tmp_path_factory.mktemp("impatient")
    with live(own_url, folder, HEADER_TIMEOUT="1", REQUEST_TIMEOUT="1") as server:
        yield server


@pytest.fixture(scope="class")
def two(own_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A server of two processes."""
    with live(own_url, tmp_path_factory.mktemp("two"), workers=2) as server:
        until(lambda: len(server.workers) >= 2)
        yield server


@contextmanager
def rows_of(url: str) -> Iterator[Committed]:
    """A maker of rows in a database."""
    engine = db.engine_for(url)
    with committed(engine) as rows:
        yield rows
    engine.dispose()


TWO = (*SERVE, "--workers", "2")


def until(condition: Callable[[], object], seconds: float = 15) -> None:
    """Wait until something is so. Raises AssertionError when it does not come to be."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "It has not come to be."
        time.sleep(0.05)


def ended(connection: socket.socket, within: float) -> float:
    """How long the server lets a silent connection be, in seconds."""
    started = time.monotonic()
    connection.settimeout(within)
    while connection.recv(65536):
        pass
    return time.monotonic() - started


def drip(connection: socket.socket, drop: bytes, seconds: float) -> None:
    """Send the same bytes again and again."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        connection.sendall(drop)
        time.sleep(0.1)


class TestSlowClients:
    @pytest.mark.parametrize(
        "beginning", [b"", b"GET", b"GET /api/v1/healthz HTTP/1.1\r\n", b"GET / HTTP/1.1\r\nX-A: "]
    )
    def test_headers_that_do_not_come(self, impatient: Live, beginning: bytes) -> None:
        with raw.connect(impatient.url) as connection:
            connection.sendall(beginning)
            assert ended(connection, 5) < 3

    def test_headers_that_drip(self, impatient: Live) -> None:
        started = time.monotonic()
        with raw.connect(impatient.url) as connection:
            connection.sendall(b"GET /api/v1/healthz HTTP/1.1\r\n")
            with pytest.raises(ConnectionError):
                drip(connection, b"X-A: b\r\n", 5)
        assert time.monotonic() - started < 3

    def test_connection_that_stays_idle_after_an_answer(self, impatient: Live) -> None:
        with raw.connect(impatient.url) as connection:
            connection.sendall(raw.head("GET", "/api/v1/healthz", {}))
            assert raw.answer(connection, "GET", "/api/v1/healthz").status_code == 200
            assert ended(connection, 5) < 3

    @pytest.mark.parametrize(
        "framing", [{"Content-Length": "100"}, {"Transfer-Encoding": "chunked"}], ids=str
    )
    def test_body_that_does_not_come(self, impatient: Live, framing: dict[str, str]) -> None:
        started = time.monotonic()
        with raw.connect(impatient.url) as connection:
            head = raw.head("POST", LOGIN, {"Content-Type": "application/json", **framing})
            connection.sendall(head)
            answer = raw.answer(connection, "POST", LOGIN)
            assert answer.json()["error"]["code"] == "REQUEST_TIMEOUT"
            assert answer.headers["connection"] == "close"
            assert time.monotonic() - started < 3
            assert ended(connection, 5) < 3

    def test_body_that_drips(self, impatient: Live) -> None:
        """The limit is for the whole body, not for each of its bytes."""
        started = time.monotonic()
        with raw.connect(impatient.url) as connection:
            headers = {"Content-Type": "application/json", "Content-Length": "100"}
            connection.sendall(raw.head("POST", LOGIN, headers))
            while not select.select([connection], [], [], 0.1)[0]:
                connection.sendall(b" ")
            assert raw.answer(connection, "POST", LOGIN).status_code == 408
        assert time.monotonic() - started < 9, "By then the body was nearly whole."

    def test_many_of_them_hold_nobody_up(self, own_url: str, tmp_path: Path) -> None:
        """With the time-outs that a server has by default, half of them before their body."""
        with live(own_url, tmp_path) as server, ExitStack() as open_:
            head = raw.head(
                "POST", LOGIN, {"Content-Type": "application/json", "Content-Length": "9"}
            )
            for number in range(STUCK):
                connection = open_.enter_context(raw.connect(server.url))
                connection.sendall(head if number % 2 else head[:-2])
            time.sleep(0.2)
            for _ in range(5):
                assert httpx.get(f"{server.url}/api/v1/build", timeout=10).status_code == 200

    def test_clients_that_do_not_read(self, own_url: str, tmp_path: Path) -> None:
        with live(own_url, tmp_path) as server, ExitStack() as open_:
            ask = raw.head("GET", "/api/v1/openapi.json", {}) * 50
            for _ in range(20):
                connection = open_.enter_context(raw.connect(server.url))
                connection.sendall(ask)
            for _ in range(5):
                assert httpx.get(f"{server.url}/api/v1/build", timeout=10).status_code == 200


class TestProcess:
    def test_is_ready_soon_and_stays_small(self, own_url: str, tmp_path: Path) -> None:
        """In CPU time, as other tests run beside it, and that is what a start takes."""
        starts = []
        for _ in range(3):
            with live(own_url, tmp_path) as server:
                [worker] = server.workers
                used = worker.cpu_times()
                starts.append(used.user + used.system)
                assert worker.memory_full_info().pss < MOST_MEMORY
                assert psutil.Process(server.process.pid).memory_full_info().pss < MOST_MEMORY
            if starts[-1] < LONGEST_START:
                break
        assert min(starts) < LONGEST_START

    def test_is_replaced_when_it_dies(self, own_url: str, tmp_path: Path) -> None:
        with live(own_url, tmp_path) as server:
            [before] = server.workers
            os.kill(before.pid, signal.SIGKILL)
            before.wait(10)

            def answers() -> bool:
                try:
                    return httpx.get(f"{server.url}/readyz", timeout=1).status_code == 200
                except httpx.TransportError:
                    return False

            until(answers)
            assert before.pid not in [each.pid for each in server.workers]
            assert "Server process 1 was killed by SIGKILL" in server.log.read_text()

    def test_does_not_wait_when_it_is_told_twice(self, own_url: str, tmp_path: Path) -> None:
        """Not even for a process that has been stopped."""
        with live(own_url, tmp_path) as server:
            [worker] = server.workers
            worker.suspend()
            server.process.send_signal(signal.SIGTERM)
            time.sleep(0.5)
            server.process.send_signal(signal.SIGTERM)
            assert server.process.wait(5) == 0
            assert not worker.is_running()

    def test_says_why_it_cannot_start(self, tmp_path: Path) -> None:
        """It tries again, and stops when it is told to."""
        words = "from marquee.web.server import serve; from marquee.settings import current; "
        command = [sys.executable, "-c", words + "serve('tests.nothing:application', current())"]
        log = tmp_path / "log"
        environment = {**os.environ, "PORT": str(free_port())}
        with log.open("wb") as output:
            process = subprocess.Popen(command, env=environment, stderr=output)
        until(lambda: "it starts again in 0.25 s" in log.read_text())
        process.send_signal(signal.SIGTERM)
        assert process.wait(5) == 0
        assert '"level": "error"' in log.read_text()
        assert "KeyboardInterrupt" not in log.read_text()

    def test_leaves_nothing_behind_when_it_is_killed(self, own_url: str, tmp_path: Path) -> None:
        with live(own_url, tmp_path, workers=2) as server:
            until(lambda: len(server.workers) >= 2)
            workers = server.workers
            server.process.kill()
            _, alive = psutil.wait_procs(workers, 15)
            assert alive == []

    def test_ends_by_a_signal_when_requests_are_done(self, own_url: str, tmp_path: Path) -> None:
        """A request that waits for a lock is answered; the server ends within seconds."""
        with rows_of(own_url) as rows, live(own_url, tmp_path) as server:
            user, film = rows.user(), rows.movie()
            client = rows.client(server.url, user)
            answers: list[int] = []

            def keep() -> None:
                path = f"/users/{user.id}/favorites"
                answers.append(client.post(path, json={"movie_id": film.id}).status_code)

            rows.session.execute(text("lock table favorites in exclusive mode"))
            asking = threading.Thread(target=keep)
            asking.start()
            time.sleep(1)
            server.process.send_signal(signal.SIGTERM)
            time.sleep(0.5)
            assert answers == []
            rows.session.rollback()
            asking.join(10)
            assert answers == [201]
            assert server.process.wait(10) == 0
            assert rows.session.execute(text("select count(*) from favorites")).scalar() == 1

    def test_answers_what_waits_for_nothing_while_all_threads_wait(
        self, own_url: str, tmp_path: Path
    ) -> None:
        """That it is alive, and what it keeps; not what needs a thread."""
        with rows_of(own_url) as rows, live(own_url, tmp_path, MARQUEE_THREADS="1") as server:
            user, film = rows.user(), f"/movies/{rows.movie().id}"
            client = rows.client(server.url, user)

            def listens() -> object:
                rows.session.rollback()  # a transaction sees its first look again
                return rows.session.execute(text(LISTENERS)).scalar()

            until(listens)
            assert client.get(film).status_code == client.get(film).status_code == 200
            rows.session.execute(text("lock table favorites in access exclusive mode"))
            path = f"/users/{user.id}/favorites"
            asking = threading.Thread(target=client.get, args=(path,))
            asking.start()
            until(lambda: rows.session.execute(text(WAITING)).scalar())
            for probe in ("healthz", "readyz", "startupz"):
                assert httpx.get(f"{server.url}/{probe}", timeout=2).json() == {"status": "ok"}
            with httpx.Client(headers=client.headers, base_url=client.base_url, timeout=2) as same:
                assert same.get(film).status_code == 200
                with pytest.raises(httpx.ReadTimeout):
                    same.get("/movies")
            rows.session.rollback()
            asking.join(10)

    def test_does_not_wait_for_those_who_are_stuck(self, own_url: str, tmp_path: Path) -> None:
        with live(own_url, tmp_path) as server, raw.connect(server.url) as connection:
            connection.sendall(raw.head("POST", LOGIN, {"Content-Length": "9"}))
            time.sleep(0.2)
            started = time.monotonic()
            assert server.stop() == 0
            assert time.monotonic() - started < 20


class TestTwoProcesses:
    def test_a_write_is_seen_by_both(self, own_url: str, two: Live) -> None:
        with rows_of(own_url) as rows:
            user = rows.user()
            path = f"/users/{user.id}/favorites"
            for number in range(5):
                writer = rows.client(two.url, user)
                kept = writer.post(path, json={"movie_id": rows.movie(f"Film {number}").id})
                assert kept.status_code == 201
                for _ in range(6):
                    with httpx.Client(headers=dict(writer.headers)) as reader:
                        listed = reader.get(f"{two.url}/api/v1{path}").json()
                    assert len(listed["favorites"]) == number + 1

    def test_a_revoked_key_stops_at_once_on_both(self, own_url: str, two: Live) -> None:
        with rows_of(own_url) as rows:
            client = rows.client(two.url, rows.user())
            headers = {"Authorization": client.headers["authorization"]}
            url = f"{two.url}/api/v1/users/me"
            assert {httpx.get(url, headers=headers).status_code for _ in range(6)} == {200}
            rows.session.execute(text("update api_keys set revoked_at = now()"))
            rows.session.commit()
            assert {httpx.get(url, headers=headers).status_code for _ in range(6)} == {401}

    def test_figures_add_up(self, two: Live) -> None:
        def count() -> float:
            figures = httpx.get(f"{two.url}/api/v1/metrics", headers=TOKEN).text
            return sum(
                float(line.rpartition(" ")[2])
                for line in figures.splitlines()
                if line.startswith("http_requests_total{") and 'operation="get_build_info"' in line
            )

        before = count()
        for _ in range(20):
            assert httpx.get(f"{two.url}/api/v1/build").status_code == 200
        assert {count() - before for _ in range(6)} == {20}

    def test_limits_add_up(self, own_url: str, tmp_path: Path) -> None:
        with (
            rows_of(own_url) as rows,
            live(own_url, tmp_path, program=TWO, RATE_LIMIT_DEFAULT="10/minute") as server,
        ):
            until(lambda: len(server.workers) >= 2)
            client = rows.client(server.url, rows.user())
            headers = {"Authorization": client.headers["authorization"]}
            url = f"{server.url}/api/v1/users/me"
            statuses = [httpx.get(url, headers=headers).status_code for _ in range(24)]
            assert statuses.count(200) == 10
            assert statuses.count(429) == 14
