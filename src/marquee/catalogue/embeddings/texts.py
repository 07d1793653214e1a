"""What is embedded of a title."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row

VERSION = 1
"""To be raised when anything here or in `vectors` changes: all titles are embedded again."""

LONGEST_OVERVIEW, LONGEST_AWARDS = 1000, 150
MOST_ACTORS, MOST_STUDIOS, MOST_COUNTRIES = 3, 2, 2
MOST_PASSAGES, LONGEST_PASSAGE = 8, 400
SENTENCE_ENDS = re.compile(r"(?<=[.!?\u3002\uff01\uff1f])\s+(?=[^\Wa-z\d_])|(?<=\u3002)(?=\S)")
IN_BRACKETS = re.compile(r"\s*\([^()]*\)")


@dataclass(frozen=True, slots=True)
class Content:
    """What is embedded of one title."""

    text: str
    passages: tuple[str, ...]
    genres: tuple[str, ...]

    @property
    def digest(self) -> bytes:
        """It changes with the content."""
        parts = (str(VERSION), self.text, *self.passages, *self.genres)
        return hashlib.sha256("\0".join(parts).encode()).digest()[:16]


def content_of(title: Row[Any], people: Sequence[Row[Any]]) -> Content:
    """The content of a row of a title and its people, in the order of billing."""
    directors = [each.name for each in people if each.job in ("director", "creator")]
    actors = [each.name for each in people if each.job == "actor"]
    overview = (title.overview or "")[:LONGEST_OVERVIEW]
    lines = (
        f"{title.title} ({title.year})" if title.year else title.title,
        title.tagline,
        _listed("Genres: ", title.genres),
        _listed("Rated: ", [title.age_rating]),
        _listed("Directed by: ", directors),
        _listed("Studios: ", title.studios[:MOST_STUDIOS]),
        _listed("Starring: ", actors[:MOST_ACTORS]),
        overview,
        _listed("Themes: ", title.keywords),
        _listed("Countries: ", title.countries[:MOST_COUNTRIES]),
        (title.awards_summary or "")[:LONGEST_AWARDS],
    )
    text = ". ".join(line.rstrip(". ") for line in lines if line)
    return Content(text, passages_of(title.overview or ""), tuple(sorted(set(title.genres))))


def passages_of(overview: str) -> tuple[str, ...]:
    """The first sentences, without what stands in brackets: in plots those are actors."""
    sentences = SENTENCE_ENDS.split(IN_BRACKETS.sub("", overview))
    told = (sentence.strip()[:LONGEST_PASSAGE] for sentence in sentences)
    return tuple(dict.fromkeys(each for each in told if each))[:MOST_PASSAGES]


def _listed(label: str, words: Sequence[str | None]) -> str:
    found = [word for word in words if word]
    return label + ", ".join(found) if found else ""
