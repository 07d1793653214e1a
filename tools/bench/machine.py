"""What Linux tells of a process and all its children: CPU time and memory; and cores."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SERVER_CORE, LOAD_CORE = 0, 1
SCHEDULED_TIME = 2
"""`CPUCLOCK_SCHED` of the kernel: the scheduler's account of a process, in nanoseconds."""


def tree(pid: int) -> list[int]:
    """A process and its descendants."""
    pids = [pid]
    for parent in pids:
        for children in Path(f"/proc/{parent}/task").glob("*/children"):
            pids += map(int, children.read_text().split())
    return pids


def cpu_seconds(pids: list[int]) -> float:
    """What processes have used so far, with their threads, also those that have ended.

    The clock id of another process is made as the kernel's `MAKE_PROCESS_CPUCLOCK` does.
    """
    return sum(time.clock_gettime(~pid << 3 | SCHEDULED_TIME) for pid in pids)


def resident_bytes(pids: list[int]) -> int:
    """The resident memory of the largest of these processes: of the one that serves."""
    page = os.sysconf("SC_PAGE_SIZE")
    return max(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in pids) * page


@contextmanager
def on_core(core: int) -> Iterator[None]:
    """What is started in the block stays on this core; this process goes back to where it was."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def load_average() -> float:
    """How many processes wanted a core, on average over the last minute."""
    return os.getloadavg()[0]
