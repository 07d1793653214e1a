"""Breaking changes between the contract of a git revision and the present one.

specshift compares what is sent and answered. What it does not see is compared here: names that
generated clients are made of (operationIds, tags, schemas), and who may call. A path that has moved
with `x-moved-from` is no break, as the old one still leads there.
"""

import json
import re
import subprocess
import sys
import tarfile
import tempfile
from io import BytesIO
from pathlib import Path

import orjson

from marquee.web import contract
from marquee.web.contract import Document, is_anonymous, operations, published

ROOT = Path(__file__).parents[2]
VERSION = re.compile(r'^__version__ = "(\d+)\.(\d+)\.(\d+)', re.MULTILINE)
VERSION_FILE = "src/marquee/__init__.py"

Version = tuple[int, ...]


class DiffError(Exception):
    """There is nothing to compare with. The message is one line for people."""


def last_release(root: Path = ROOT) -> str | None:
    """The last tag `v…` before the present commit, if there is one."""
    command = ["git", "-C", str(root), "describe", "--tags", "--abbrev=0", "--match", "v[0-9]*"]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    return told.stdout.strip() or None


def contract_at(revision: str, root: Path = ROOT) -> tuple[Document, Version]:
    """The contract and the version of a revision. Raises DiffError where it has none."""
    archive = _git(root, "archive", "--format=tar", revision, "openapi", VERSION_FILE)
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(fileobj=BytesIO(archive)) as packed:
            packed.extractall(folder, filter="data")
        document = contract.load(Path(folder) / "openapi")
        version = version_in((Path(folder) / VERSION_FILE).read_text())
    return document, version


def present(root: Path = ROOT) -> tuple[Document, Version]:
    """The contract and the version as the files have them now."""
    document = contract.load(root / "openapi")
    return document, version_in((root / VERSION_FILE).read_text())


def version_in(source: str) -> Version:
    """The version that the package's source states. Raises DiffError where it states none."""
    found = VERSION.search(source)
    if found is None:
        raise DiffError(f"{VERSION_FILE} states no version.")
    return tuple(int(part) for part in found.groups())


def breaking(old: Document, new: Document) -> list[str]:
    """What a client of the old contract stumbles over in the new one."""
    old = _with_moved_paths(old, new)
    return [*_names(old, new), *_callers(old, new), *_schemas(old, new), *_specshift(old, new)]


def announced(old: Version, new: Version) -> bool:
    """Whether the new version says that something breaks: another major, or minor while 0.x."""
    return new[0] > old[0] or (old[0] == new[0] == 0 and new[1] > old[1])


def _names(old: Document, new: Document) -> list[str]:
    now = {(method, path): each for path, method, each in operations(new)}
    found = []
    for path, method, before in operations(old):
        after = now.get((method, path))
        name = before["operationId"]
        if after is None:
            found.append(f"{name}: {method.upper()} {path} is gone.")
            continue
        if after["operationId"] != name:
            found.append(f"{name} is called {after['operationId']} now: clients call it by name.")
        if after.get("tags") != before.get("tags"):
            tags = " and ".join(after.get("tags", []))
            found.append(f"{name} has the tag {tags} now: clients have a class for each tag.")
    return found


def _callers(old: Document, new: Document) -> list[str]:
    now = {each["operationId"]: each for _, _, each in operations(new)}
    found = []
    for _, _, before in operations(old):
        name = before["operationId"]
        if (after := now.get(name)) is None:
            continue
        public = is_anonymous(before, old.get("security", []))
        if public and not is_anonymous(after, new.get("security", [])):
            found.append(f"{name} asks for a credential now.")
        permission = after.get("x-permission")
        if permission is not None and permission != before.get("x-permission"):
            found.append(f"{name} asks for the permission {permission} now.")
    return found


def _schemas(old: Document, new: Document) -> list[str]:
    gone = old["components"]["schemas"].keys() - new["components"]["schemas"].keys()
    return [
        f"The schema {name} is gone: clients have a type of that name." for name in sorted(gone)
    ]


def _specshift(old: Document, new: Document) -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        files = []
        for name, document in (("old", old), ("new", new)):
            files.append(Path(folder) / f"{name}.json")
            files[-1].write_bytes(orjson.dumps(published(document)))
        program = Path(sys.executable).with_name("specshift")
        command = [str(program), "diff", *map(str, files), "--format", "json", "--fail-on", "none"]
        told = subprocess.run(command, capture_output=True, text=True, check=False)
    if told.returncode:
        raise DiffError(f"specshift failed: {told.stderr.strip()[-500:]}")
    changes = json.loads(told.stdout)["changes"]
    return [
        f"{each['location']}: {each['message']}"
        for each in changes
        if each["severity"] == "breaking"
    ]


def _with_moved_paths(old: Document, new: Document) -> Document:
    target = {
        before: path
        for path, item in new["paths"].items()
        for before in item.get("x-moved-from", [])
    }
    moved = {target.get(path, path): item for path, item in old["paths"].items()}
    return {**old, "paths": moved}


def _git(root: Path, *words: str) -> bytes:
    done = subprocess.run(["git", "-C", root, *words], capture_output=True, check=False)
    if done.returncode:
        raise DiffError(done.stderr.decode().strip().replace("\n", " "))
    return done.stdout
