"""Where the benchmark writes: below build/, and nowhere else."""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
BENCH = Path(__file__).parent
BUILD = ROOT / "build"
WORK = BUILD / "bench"
VENV = BUILD / "bench-venv"
NPM = BUILD / "bench-npm"
CONTRACT = WORK / "contract.json"
SHARED = WORK / "shared.json"
"""What all servers read: routes, films, statements, answers."""


class Missing(Exception):
    """Something that the benchmark needs is not on this machine. The message says what to do."""


def say(line: str) -> None:
    """Tell how it goes, beside the report on standard output."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()
