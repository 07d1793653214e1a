"""Processes that end together, and locks that end with the processes that hold them."""

import ctypes
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

PARENT = "MARQUEE_PARENT"
"""Variable by which a child knows its supervisor's process id."""
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


def to_stderr(line: str) -> None:
    """Say one line on stderr."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def open_beside(path: Path, flags: int) -> int:
    """Open or create a file (0600) that belongs to the owner of its folder; return its descriptor.

    Root may be the first to write into the folder of an ordinary user, who must still be able to
    open the file afterwards. A symbolic link is refused (OSError): whoever owns the folder could
    otherwise make root write anywhere.
    """
    flags |= getattr(os, "O_NOFOLLOW", 0)
    try:
        descriptor = os.open(path, flags | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return os.open(path, flags)
    if is_root():
        owner = path.parent.stat()
        os.fchown(descriptor, owner.st_uid, owner.st_gid)
    return descriptor


def is_root() -> bool:
    """Whether this process may act as any user."""
    return sys.platform != "win32" and os.geteuid() == 0


class Lock:
    """An exclusive lock on a file, held until closed by every process that inherited it.

    The kernel gives it back when the last of them ends, however that one ends. So neither a process
    id that was given to somebody else nor a zombie can be taken for the holder.
    """

    def __init__(self, path: Path) -> None:
        """Name the file. Nothing is opened yet."""
        self.path = path
        self._descriptor: int | None = None

    def take(self) -> bool:
        """Try to hold the lock; False if somebody else does. Raises OSError if the file resists."""
        if self.held:
            return True
        self.close()
        descriptor = open_beside(self.path, os.O_RDWR)
        try:
            if sys.platform == "win32":
                msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
            else:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):  # Windows says PermissionError
            os.close(descriptor)
            return False
        except BaseException:
            os.close(descriptor)
            raise
        self._descriptor = descriptor
        if not self.held:  # the file was removed between the opening and the locking
            self.close()
        return self.held

    @property
    def held(self) -> bool:
        """Whether this object holds the lock of the file that is there now: whoever locks one that
        was made after the first was removed knows nothing of the first.
        """
        if self._descriptor is None:
            return False
        try:
            return os.path.samestat(os.fstat(self._descriptor), self.path.stat())
        except OSError:
            return False

    def inheritance(self) -> tuple[int, ...]:
        """What to give `Popen(pass_fds=…)` so that the child holds the lock as well."""
        if self._descriptor is None or sys.platform == "win32":
            return ()
        return (self._descriptor,)

    def close(self) -> None:
        """Hold it no longer. Children that inherited it go on holding it."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> Self:
        """Nothing is taken on entering: that may have to wait."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close."""
        self.close()


def parent_bound(name: str) -> Callable[[], None] | None:
    """A `Popen(preexec_fn=…)` by which the child gets a signal when its parent dies; Linux only.

    The kernel means the parent's *thread*: call Popen in the main one. It forgets the wish when the
    user id changes; subprocess changes that first and calls this after.
    """
    if _LIBC is None:
        return None
    prctl, parent, signum = _LIBC.prctl, os.getpid(), signal.Signals[name].value

    def bind() -> None:
        prctl(_PR_SET_PDEATHSIG, signum, 0, 0, 0)
        if os.getppid() != parent:  # it died before it could be said
            os.kill(os.getpid(), signum)

    return bind


def follow_parent(every: float = 0.5, grace: float = 2.0) -> None:
    """End, with all processes of the same group, once the supervisor has gone without a word.

    `marquee serve` and `marquee worker` call this first; without a supervisor it does nothing. On
    Linux the kernel has sent a signal by then, elsewhere this sends SIGTERM. What still runs
    `grace` seconds later is killed: it may be waiting for a database that has gone as well. `every`
    is in seconds, too.
    """
    parent = os.environ.get(PARENT, "")
    if sys.platform == "win32" or not parent.isdigit() or os.getppid() != int(parent):
        return

    def watch() -> None:
        while os.getppid() == int(parent):
            time.sleep(every)
        if _LIBC is None:
            os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(grace)
        if os.getpgrp() == os.getpid():
            os.killpg(0, signal.SIGKILL)
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=watch, name="follow-parent", daemon=True).start()
