"""Named jobs with real workers and real servers, in processes of their own."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from sqlalchemy import Engine, text

from marquee import db, job_runs
from tests.committed import committed
from tests.contract import raw
from tests.live import Live, live, own_database
from tests.operations.slow_jobs import MANY, MOODY, SLOW

PROGRAM = ("tests.operations.slow_jobs",)
THOUSAND = 1000


@dataclass
class House:
    """A server, a client of an administrator, and as many workers as a test wants."""

    server: Live
    client: httpx.Client
    engine: Engine
    folder: Path

    @contextmanager
    def worker(self, **variables: str) -> Iterator["subprocess.Popen[bytes]"]:
        """A worker; it is stopped politely at the end, unless the test has killed it."""
        url = self.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
        number = len(list(self.folder.glob("worker-*.log")))
        with (self.folder / f"worker-{number}.log").open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", *PROGRAM, "worker"],
                env={**os.environ, "DATABASE_URL": url, "LOG_LEVEL": "INFO", **variables},
                stdout=output,
                stderr=output,
            )
        try:
            yield process
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                assert process.wait(20) == 0
        finally:
            process.kill()
            process.wait()

    def run(self, name: str) -> int:
        """Ask for a run; its id."""
        answer = self.client.post(f"/jobs/{name}/run")
        assert answer.status_code == 202, answer.text
        job_id: int = answer.json()["job_id"]
        return job_id

    def latest(self, name: str) -> dict[str, Any]:
        """The latest run in the history."""
        history: list[dict[str, Any]] = self.client.get(f"/jobs/{name}/history").json()["history"]
        return history[0]

    def until(self, condition: Callable[[], object], seconds: float = 20) -> float:
        """Wait for something; how long it took."""
        started = time.monotonic()
        while not condition():
            if time.monotonic() > started + seconds:
                logs = [each.read_text() for each in self.folder.glob("worker-*.log")]
                pytest.fail("\n\n".join(logs))
            time.sleep(0.05)
        return time.monotonic() - started

    def is_at(self, status: str, name: str = SLOW) -> Callable[[], bool]:
        """Whether the latest run of a job has this status."""
        return lambda: self.latest(name)["status"] == status


@pytest.fixture
def processes() -> int:
    """How many the server has."""
    return 2


@pytest.fixture
def house(database_url: str, tmp_path: Path, processes: int) -> Iterator[House]:
    """A server of few threads on a database of its own, without a worker."""
    few = {"MARQUEE_THREADS": "2"}
    with ExitStack() as stack:
        url = stack.enter_context(own_database(database_url))
        engine = db.engine_for(url)
        stack.callback(engine.dispose)
        server = stack.enter_context(live(url, tmp_path, workers=processes, program=PROGRAM, **few))
        rows = stack.enter_context(committed(engine))
        client = rows.client(server.url, rows.user("admin"))
        yield House(server, client, engine, tmp_path)


def events(lines: Iterator[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The id and the data of each event of a stream; a comment has the id `:`."""
    name = ""
    for line in lines:
        if line.startswith("id: "):
            name = line.removeprefix("id: ")
        elif line.startswith("data: "):
            yield name, json.loads(line.removeprefix("data: "))
        elif line.startswith(":"):
            yield ":", {}


def of_each_process(house: House, stack: ExitStack, path: str) -> list[httpx.Response]:
    """Streams of both processes of the server: as many as it takes until each has one."""
    base, headers = house.client.base_url, house.client.headers
    plain = stack.enter_context(httpx.Client(base_url=base, headers=headers, timeout=30))
    house.until(lambda: len(house.server.workers) > 1)
    streams: list[httpx.Response] = []
    ports: set[int] = set()
    for _ in range(100):
        streams.append(opened := stack.enter_context(plain.stream("GET", path)))
        ports.add(opened.extensions["network_stream"].get_extra_info("client_addr")[1])
        if sum(_holds_one_of(ports, each) for each in house.server.workers) > 1:
            return streams
    pytest.fail("One process streams it all.")


def _holds_one_of(ports: set[int], process: psutil.Process) -> bool:
    """Whether a process has a connection to one of our ports; one that has ended has none."""
    try:
        held = process.net_connections("tcp")
    except psutil.NoSuchProcess:
        return False
    return any(each.raddr and each.raddr.port in ports for each in held)


def test_progress_is_streamed_from_any_process(house: House) -> None:
    job_id = house.run(SLOW)
    path = f"/jobs/progress/stream/{job_id}"
    with ExitStack() as stack:
        streams = of_each_process(house, stack, path)
        heard = [events(each.iter_lines()) for each in streams]
        firsts = [next(each) for each in heard]
        assert {(name, state["status"]) for name, state in firsts} == {("0", "pending")}
        with house.worker(SLOW_SECONDS="2"):
            for each in heard:
                followed = list(each)
                versions = [int(name) for name, _ in followed]
                assert versions == sorted(set(versions))
                assert len(versions) >= 4
                overall = [state["overall_progress"] for _, state in followed]
                assert overall == sorted(overall)
                last = followed[-1][1]
                assert (last["status"], last["overall_progress"]) == ("completed", 100)
                assert last["result"] == {"counted": 100}
                assert [each["data"]["step"] for each in last["logs"]] == ["1", "2", "3", "4"]
                final = followed[-1][0]
        again = house.client.get(path, headers={"Last-Event-ID": final})
        assert (again.status_code, again.content) == (204, b"")


def test_a_stream_says_that_it_lives(house: House) -> None:
    path = f"/jobs/progress/stream/{house.run(SLOW)}"
    base, headers = house.client.base_url, house.client.headers
    with httpx.Client(base_url=base, headers=headers, timeout=20) as plain:
        started = time.monotonic()
        with plain.stream("GET", path) as stream:
            heard = events(stream.iter_lines())
            assert next(heard)[0] == "0"
            assert time.monotonic() - started < 2
            assert next(heard)[0] == ":"
            assert 13 < time.monotonic() - started < 17


@pytest.mark.parametrize("processes", [1])
def test_a_thousand_listen(house: House) -> None:
    job_id = house.run(SLOW)
    path = f"/api/v1/jobs/progress/stream/{job_id}"
    headers = {"Authorization": house.client.headers["authorization"]}
    with ExitStack() as stack:
        listeners = []
        for _ in range(THOUSAND):
            connection = stack.enter_context(raw.connect(house.server.url))
            connection.sendall(raw.head("GET", path, headers))
            listeners.append(connection)
        for connection in listeners:
            received = b""
            while b'"pending"' not in received:
                received += (piece := connection.recv(65536))
                assert b" 200 " in received, received
                assert piece, received
        assert house.client.get("/jobs").status_code == 200
        with house.engine.connect() as connection_:
            query = text("select count(*) from pg_stat_activity where datname = current_database()")
            assert connection_.execute(query).scalar_one() < 15
        assert house.client.post(f"/jobs/{SLOW}/cancel").status_code == 202
        started = time.monotonic()
        for connection in listeners:
            received = b""
            while b'"cancelled"' not in received:
                received += (piece := connection.recv(65536))
                assert piece, received
        assert time.monotonic() - started < 30


def test_a_running_job_is_cancelled_within_a_second(house: House) -> None:
    """As the database has it: from the line of who cancelled it to the end of the run."""
    job_id = house.run(SLOW)
    with house.worker(SLOW_SECONDS="60"):
        house.until(house.is_at("running"))
        house.until(lambda: house.client.get("/jobs/active").json()["jobs"][0]["items_processed"])
        assert house.client.post(f"/jobs/{SLOW}/cancel").json()["status"] == "running"
        house.until(house.is_at("cancelled"))
        query = "select completed_at - asked.created_at from job_runs, activity as asked "
        query += "where job_runs.id = :run and action = 'job.cancel'"
        with house.engine.connect() as connection:
            took = connection.execute(text(query), {"run": job_id}).scalar_one()
        assert timedelta(0) < took < timedelta(seconds=1)
        house.run(SLOW)
        house.until(house.is_at("running"))
        house.client.post(f"/jobs/{SLOW}/cancel")
        house.until(house.is_at("cancelled"))


def test_a_killed_workers_job_is_taken_up_by_another(house: House) -> None:
    job_id = house.run(SLOW)
    with house.worker(SLOW_SECONDS="60") as first:
        house.until(house.is_at("running"))
        with house.worker(SLOW_SECONDS="1"):
            first.kill()
            first.wait()
            assert house.until(house.is_at("completed"), seconds=32) < 31
    run = house.latest(SLOW)
    assert run["id"] == job_id
    assert len(house.client.get(f"/jobs/{SLOW}/history").json()["history"]) == 1
    assert "Begun again: attempt 2." in [each["message"] for each in run["metadata"]["logs"]]


def test_what_fails_for_a_while_is_tried_again(house: House) -> None:
    house.run(MOODY)
    with house.worker():
        house.until(lambda: house.latest(MOODY)["error_message"] == "Unavailable: Not yet.")
        assert house.latest(MOODY)["status"] == "pending"
        house.until(house.is_at("completed", MOODY))
    run = house.latest(MOODY)
    assert (run["error_message"], run["metadata"]["result"]) == (None, {"earlier": 2})


def test_what_is_due_is_started_once_by_several_workers(house: House) -> None:
    with house.worker(SLOW_SECONDS="1"), house.worker(SLOW_SECONDS="1"):
        status = "/jobs/scheduler/status"
        house.until(lambda: house.client.get(status).json()["workers"] == 2)
        change = {"schedule_interval_minutes": 15}
        house.client.patch(f"/jobs/{SLOW}/config", json=change)
        with house.engine.begin() as connection:
            due = "update job_schedules set next_run_at = now() where name = :name"
            connection.execute(text(due), {"name": SLOW})
        house.until(lambda: house.client.get(f"/jobs/{SLOW}/history").json()["history"])
        house.until(house.is_at("completed"))
        time.sleep(2)
        (run,) = house.client.get(f"/jobs/{SLOW}/history").json()["history"]
        assert run["started_by"] is None
    assert house.client.get(status).json()["is_running"] is False


def test_a_thousand_jobs_of_three_workers_of_which_one_is_killed(
    house: House, engine: Engine
) -> None:
    db.Session.configure(bind=house.engine)
    try:
        with db.transaction():
            for _ in range(THOUSAND):
                job_runs.start(MANY.name, concurrency=MANY.concurrency)
    finally:
        db.Session.configure(bind=engine)

    def number(rows: str) -> int:
        with house.engine.connect() as connection:
            query = f"select count(*) from {rows}"  # noqa: S608 - of this test
            return int(connection.execute(text(query)).scalar_one())

    def completed() -> int:
        return number("job_runs where status = 'completed'")

    task = job_runs.task_of(MANY.name)
    left = f"procrastinate_jobs where status in ('todo', 'doing') and task_name = '{task}'"
    with house.worker() as victim, house.worker(), house.worker():
        house.until(lambda: completed() > THOUSAND / 10)
        victim.kill()
        house.until(lambda: completed() == THOUSAND, seconds=90)
        # What it had done without a word to the queue is taken up once more, and found done.
        house.until(lambda: number(left) == 0, seconds=60)
    assert number("job_runs where attempt > 1") <= 2
