"""The folder of the search index on one machine, which its processes share.

    current          the name of the folder of the index that holds
    <name>/          an index, with `state.json`: what it was made of and how far it has followed
    keeper.lock      held by the one process that writes
    suspect          a process has met a damaged index

All of it can be deleted at any time: it is made again from the database.
"""

import hashlib
import json
import os
import secrets
import shutil
import socket
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import tantivy
from sqlalchemy import make_url

from marquee import settings
from marquee.catalogue.search import schema
from marquee.catalogue.search.documents import Thresholds

FOOTER_MAGIC = (1337).to_bytes(4, "little")
FOOTER_TAIL = 8
"""Bytes at the end of Tantivy's files: the length of the footer, and the magic number."""
BLOCK = 2**20
FILES = ("term", "idx", "pos", "fast", "store", "fieldnorm")
"""What each segment of an index consists of."""


@dataclass(frozen=True)
class State:
    """What an index was made of, and how far it has followed what changed since."""

    database: str
    """Which database it is of."""
    generation: int
    snapshot: str
    """What the index knows: every change that this snapshot of PostgreSQL sees."""
    followed_at: float
    """When that was, by the database's clock, in seconds since 1970."""
    thresholds: Thresholds
    version: int = schema.VERSION


class Folder:
    """The folder of one database's index."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def lock(self) -> Path:
        """The file that the keeper locks."""
        return self.path / "keeper.lock"

    @property
    def place(self) -> str:
        """The machine and the folder."""
        return f"{socket.gethostname()}:{self.path}"

    def current(self) -> Path | None:
        """The index that holds; None where there is none."""
        try:
            name = (self.path / "current").read_text("ascii").strip()
        except (OSError, ValueError):
            return None
        index = self.path / name
        return index if name.isalnum() and (index / "meta.json").is_file() else None

    def switch(self, index: Path) -> None:
        """Let an index hold from now on."""
        _write(self.path / "current", index.name)

    def drop(self) -> None:
        """Let none hold."""
        (self.path / "current").unlink(missing_ok=True)

    def new(self) -> Path:
        """An empty folder for an index that is to be built, of a name that none has had before:
        processes know an index by it, although all of them may have been deleted meanwhile.
        """
        index = self.path / secrets.token_hex(8)
        index.mkdir()
        return index

    def clear(self, *keep: Path | None) -> None:
        """Remove all indexes but these."""
        for each in self.path.iterdir():
            if each.is_dir() and each not in keep:
                shutil.rmtree(each, ignore_errors=True)

    def suspect(self) -> None:
        """Let the keeper look at the index: it may be damaged."""
        with suppress(OSError):
            (self.path / "suspect").touch()

    def suspected(self) -> bool:
        """Whether somebody has found the index damaged since this was asked last."""
        try:
            (self.path / "suspect").unlink()
        except FileNotFoundError:
            return False
        return True


def folder() -> Folder:
    """The folder of the database that the settings name: several may share a data folder."""
    values = settings.current()
    url = values.database_url and make_url(values.database_url)
    shown = url.render_as_string(hide_password=True) if url else ""
    name = hashlib.sha256(shown.encode()).hexdigest()[:12]
    return Folder(values.marquee_data.absolute() / "search" / name)


def read_state(index: Path) -> State | None:
    """The state of an index; None where it cannot be read, or is of another version."""
    try:
        state = State(**json.loads((index / "state.json").read_bytes()))
    except (OSError, ValueError, TypeError):
        return None
    return state if state.version == schema.VERSION else None


def write_state(index: Path, state: State) -> None:
    """Remember the state of an index. Raises OSError."""
    _write(index / "state.json", json.dumps(asdict(state)))


def keep_up(index: Path) -> None:
    """Say that an index has all that the database has now. Raises OSError."""
    os.utime(index / "state.json")


def kept_up_at(index: Path) -> float:
    """When that was said last, in seconds since 1970. Raises OSError."""
    return (index / "state.json").stat().st_mtime


def open_index(index: Path) -> tantivy.Index:
    """Open it for searching. Raises ValueError or OSError where it is damaged."""
    opened = schema.opened(tantivy.Index.open(str(index)))
    opened.config_reader("manual")
    return opened


def is_sound(index: Path) -> bool:
    """Whether every file of the index is what Tantivy wrote: each ends with its checksum."""
    try:
        open_index(index)
        return all(map(_has_its_checksum, _files(index)))
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _files(index: Path) -> Iterator[Path]:
    """Those that have to be there. Raises as what is read in JSON does."""
    for segment in json.loads((index / "meta.json").read_bytes())["segments"]:
        name, deletes = segment["segment_id"].replace("-", ""), segment["deletes"]
        yield from (index / f"{name}.{kind}" for kind in FILES)
        if deletes:
            yield index / f"{name}.{deletes['opstamp']}.del"


def _has_its_checksum(path: Path) -> bool:
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(size - FOOTER_TAIL, 0))
        length, magic = file.read(4), file.read(4)
        body = size - FOOTER_TAIL - int.from_bytes(length, "little")
        if magic != FOOTER_MAGIC or body < 0:
            return False
        file.seek(body)
        expected = json.loads(file.read(int.from_bytes(length, "little")))["crc"]
        file.seek(0)
        found, left = 0, body
        while left and (block := file.read(min(BLOCK, left))):
            found = zlib.crc32(block, found)
            left -= len(block)
        return bool(found == expected)


def _write(path: Path, content: str) -> None:
    """Replace a file at once, or leave it as it is."""
    beside = path.with_suffix(".new")
    with beside.open("w", encoding="ascii") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
