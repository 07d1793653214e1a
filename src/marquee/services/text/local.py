"""The narrator that Marquee brings along: it says what a brief has in plain words, and nothing
else, so that every word comes from the facts.
"""

import re
from collections.abc import Iterator

from marquee.services.text.briefs import Brief

WORDS = re.compile(r"\S+\s*")


class Narrator:
    """What writes where no service is set."""

    name = "narrator"

    def write(self, brief: Brief) -> Iterator[str]:
        """The plain text, word by word."""
        yield from WORDS.findall(brief.plain[: brief.longest])
