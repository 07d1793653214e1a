"""The Node programs that check the contract, make the TypeScript client and drive a browser.

Their versions stand in tools/npm/package.json and its lock. They are installed into build/npm once
for each state of the lock, without running any script of theirs.
"""

import os
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCES = ROOT / "tools/npm"
FOLDER = ROOT / "build/npm"
LOCK = "package-lock.json"
FILES = ("package.json", LOCK, ".npmrc", "redocly.yaml", "spectral.yaml")
OLDEST = (20, 19)
ENVIRONMENT = {
    "REDOCLY_TELEMETRY": "off",
    "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true",
    "DO_NOT_TRACK": "1",
    "NO_COLOR": "1",
}


class NodeError(Exception):
    """Node is missing, too old, or could not install. The message is one line for people."""


def install() -> Path:
    """The folder with `node_modules`, made anew where the lock has changed. Raises NodeError."""
    _require_node()
    FOLDER.mkdir(parents=True, exist_ok=True)
    for file in FILES:
        shutil.copy(SOURCES / file, FOLDER / file)
    done = FOLDER / "installed"
    wanted = (SOURCES / LOCK).read_text()
    if done.is_file() and done.read_text() == wanted:
        return FOLDER
    done.unlink(missing_ok=True)
    command = ["npm", "ci", "--prefix", str(FOLDER), "--no-audit", "--no-fund", "--ignore-scripts"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise NodeError(f"npm could not install tools/npm: {ended.stderr.strip()[-2000:]}")
    done.write_text(wanted)
    return FOLDER


def run(program: str, *words: str | Path, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run a program of the installed packages; what it printed, and its exit code."""
    command = [str(install() / "node_modules/.bin" / program), *map(str, words)]
    environment = os.environ | ENVIRONMENT
    return subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=cwd, env=environment
    )


def _require_node() -> None:
    needed = ".".join(map(str, OLDEST))
    if shutil.which("node") is None or shutil.which("npm") is None:
        raise NodeError(f"This needs Node.js {needed} or newer with npm, and there is none.")
    told = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout
    version = tuple(int(part) for part in told.strip().removeprefix("v").split(".")[:2])
    if version < OLDEST:
        raise NodeError(f"This needs Node.js {needed} or newer, and there is {told.strip()}.")
