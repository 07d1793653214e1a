"""What this server was built from: told by the environment, or by git where it runs from a
checkout.
"""

import subprocess
from functools import cache
from pathlib import Path

from marquee import settings

CHECKOUT = Path(__file__).parents[4]


@cache
def commit() -> str | None:
    """The full commit id."""
    return settings.current().build_commit or _git("rev-parse", "HEAD")


@cache
def branch() -> str | None:
    """The branch's name."""
    return settings.current().build_branch or _git("rev-parse", "--abbrev-ref", "HEAD")


def _git(*words: str) -> str | None:
    if not (CHECKOUT / ".git").exists():
        return None
    try:
        done = subprocess.run(  # noqa: S603 - fixed words
            ["git", "-C", str(CHECKOUT), *words],  # noqa: S607 - the git that made the checkout
            capture_output=True,
            text=True,
            timeout=5,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None
