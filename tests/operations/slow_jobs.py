"""`marquee serve` and `marquee worker` with more jobs than Marquee has, for tests of workers.

`python -m tests.operations.slow_jobs worker` is a worker, without the word it is a server.
"""

import os
import sys
import time

from marquee import cli, settings
from marquee.errors import Unavailable
from marquee.named_jobs import NamedJob
from marquee.operations.jobs.named import JOBS
from marquee.progress import Progress
from marquee.web import process, server
from marquee.web.app import App

SLOW, MOODY, SHORT = "count-slowly", "fail-once", "do-little"
STEPS, PAUSE = 4, 0.02


def count_slowly(progress: Progress) -> dict[str, int]:
    """Count for about `SLOW_SECONDS`."""
    each = int(float(os.environ.get("SLOW_SECONDS", "1")) / PAUSE / STEPS)
    progress.plan(STEPS)
    for step in range(STEPS):
        progress.step(f"step {step + 1}", items=each)
        progress.log("A step begins.", step=str(step + 1))
        for number in range(each):
            progress.advance(current=f"item {number}")
            time.sleep(PAUSE)
    return {"counted": STEPS * each}


def fail_once(progress: Progress) -> dict[str, int]:
    """Fail when there is no earlier attempt."""
    earlier = len(progress.shown()["logs"])
    progress.log("Begins.")
    if not earlier:
        raise Unavailable("Not yet.")
    return {"earlier": earlier}


def do_little(_: Progress) -> dict[str, int]:
    """Next to nothing."""
    time.sleep(PAUSE)
    return {"done": 1}


MANY = NamedJob(SHORT, "Does little.", do_little, concurrency=10_000)


def add_jobs() -> None:
    """Add them to Marquee's, in a process that is there for nothing else."""
    for job in (
        NamedJob(SLOW, "Counts slowly.", count_slowly),
        NamedJob(MOODY, "Fails once.", fail_once, patient_with=(Unavailable,)),
        MANY,
    ):
        JOBS[job.name] = job


def application() -> App:
    """What uvicorn calls in each process."""
    add_jobs()
    return process.application()


if __name__ == "__main__":
    add_jobs()
    if sys.argv[1:] == ["worker"]:
        sys.exit(cli.main(["worker"]))
    server.serve("tests.operations.slow_jobs:application", settings.current())
