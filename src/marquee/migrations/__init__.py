"""Alembic migrations, inside the package: `marquee migrate` runs them wherever it is installed."""

from functools import cache
from pathlib import Path

VERSIONS = Path(__file__).with_name("versions")


@cache
def head() -> str:
    """The latest revision, by the files' names: whoever only asks for it need not load Alembic,
    which takes half a second.
    """
    return max(each.name.partition("_")[0] for each in VERSIONS.glob("[0-9]*_*.py"))
