"""The files of a PostgreSQL cluster: made whole or not at all, checked, and its settings."""

import os
import re
import secrets
import shutil
import socket
import sys
from contextlib import suppress
from pathlib import Path

from marquee.postgres import place
from marquee.postgres.place import Account, PostgresError
from marquee.processes import open_beside

BUILTIN_LOCALE_SINCE = 17
SMALL_SHARED_MEMORY = 256 * 2**20
"""Bytes of /dev/shm below which parallel queries could fail; Docker gives 64 MB unless told."""

LEAST_BUFFERS, MOST_BUFFERS = 128, 2048
"""Megabytes."""
CGROUP = Path("/sys/fs/cgroup")
CGROUP_LIMITS = ("memory.max", "memory/memory.limit_in_bytes")
"""Of a container, in the files of versions 2 and 1."""


def make(
    home: Path, programs: Path, major: int, account: Account | None, *, durable: bool = True
) -> None:
    """Make a cluster in `home`/cluster unless there is one; raises PostgresError.

    It gets its name when it is complete, so that a kill in between leaves nothing half made. Its
    only user is `postgres`, with a password of its own: other accounts of this machine, and other
    programs of the account that runs it, find no open door even where the socket is in reach.
    """
    if (home / "cluster" / "PG_VERSION").exists():
        return
    new = home / "cluster.new"
    shutil.rmtree(new, ignore_errors=True)
    place.private(new, account)
    password = home / "password"
    with os.fdopen(open_beside(password, os.O_WRONLY | os.O_TRUNC), "w") as file:
        file.write(secrets.token_urlsafe(24) + "\n")
    if account:
        os.chown(password, account.uid, account.gid, follow_symlinks=False)
    # The builtin locale sorts the same on every system and after every update of its libraries.
    builtin = ("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C")
    done = place.run_as(
        account,
        programs / "initdb",
        *("-D", new, "-U", "postgres", "--encoding=UTF8", "--data-checksums"),
        *("--auth=scram-sha-256", f"--pwfile={password}", "--no-instructions"),
        *(() if durable else ("--no-sync",)),
        *(builtin if major >= BUILTIN_LOCALE_SINCE else ("--locale=C.UTF-8",)),
    )
    if done.returncode != 0:
        shutil.rmtree(new, ignore_errors=True)
        lines = (done.stderr or done.stdout).strip().splitlines()
        causes = [line for line in lines if re.search("FATAL|PANIC|ERROR|error:", line)]
        last = " / ".join((causes or lines)[-3:])
        raise PostgresError(f"initdb could not make a cluster in {home}: {last}")
    new.rename(home / "cluster")
    if sys.platform != "win32":
        folder = os.open(home, os.O_RDONLY)
        os.fsync(folder)  # the name must be on the disk before the first commit is
        os.close(folder)


def check(home: Path, programs: Path, major: int) -> None:
    """Raise PostgresError unless programs of this major version can open the cluster."""
    made_by = int((home / "cluster" / "PG_VERSION").read_text())
    if made_by != major:
        raise PostgresError(
            f"{home / 'cluster'} was made by PostgreSQL {made_by}, but the programs in {programs} "
            f"are {major}: set PG_BIN to those of {made_by}, or dump it with those and load it "
            "into a new folder."
        )


def settings(
    home: Path, account: Account | None, port: int, *, durable: bool = True
) -> dict[str, str]:
    """What the server is told at its start, over whatever postgresql.conf says."""
    values = {
        "port": str(port),
        "max_connections": "100",
        "shared_buffers": f"{shared_buffers(memory()) if durable else LEAST_BUFFERS}MB",
        "maintenance_work_mem": "128MB",
        "work_mem": "16MB",
        "random_page_cost": "1.1",
        "jit": "off",
        "logging_collector": "off",
        "log_destination": "stderr",
        "log_checkpoints": "off",
        # Statements have their values in them: addresses, hashes of passwords.
        "log_min_error_statement": "panic",
        "log_line_prefix": "%m [%p] ",
    }
    if uses_sockets():
        values["listen_addresses"] = ""
        values["unix_socket_directories"] = str(place.sockets_of(home, account))
    else:
        values["listen_addresses"] = "127.0.0.1"
        values["unix_socket_directories"] = ""
    if not durable:
        values |= {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}
    if not _has_shared_memory():
        values["dynamic_shared_memory_type"] = "mmap"
    return values


def uses_sockets() -> bool:
    """Whether this system has Unix sockets; Windows has none that Python and PostgreSQL share."""
    return hasattr(socket, "AF_UNIX")


def shared_buffers(memory: int) -> int:
    """Megabytes that PostgreSQL may keep pages in, of so many bytes of memory: an eighth, as other
    programs want some too. It takes them as there are pages to keep.
    """
    return min(max(memory // 8 >> 20, LEAST_BUFFERS), MOST_BUFFERS)


def memory(cgroup: Path = CGROUP) -> int:
    """Bytes of memory that this machine, or this container, has; 0 where nobody tells."""
    try:
        whole = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError):  # Windows has no such call
        return 0
    for limit in CGROUP_LIMITS:
        with suppress(OSError, ValueError):  # no container, or "max"
            whole = min(whole, int((cgroup / limit).read_text()))
    return whole


def _has_shared_memory() -> bool:
    if sys.platform != "linux":
        return True
    try:
        space = os.statvfs("/dev/shm")  # noqa: S108 - asked for its size only
    except OSError:
        return False
    return space.f_blocks * space.f_frsize >= SMALL_SHARED_MEMORY
