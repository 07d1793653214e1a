"""Showing where words were found: snippets of text in which they are marked, safe for HTML."""

import re
from collections.abc import Iterator
from functools import lru_cache
from html import escape

from marquee.catalogue.search.schema import UNSPACED, stems
from marquee.catalogue.search.words import LEAST_BEGINNING, Words, distance
from marquee.catalogue.titles import search_title

WORD = re.compile(rf"{UNSPACED.pattern}|[^\W_]+")
LONGEST, BEFORE = 240, 60
"""Characters of a snippet, and how many of them stand before the first mark."""


class Marker:
    """Marks the words of a query in texts."""

    def __init__(self, words: Words) -> None:
        self._words = frozenset(word for unit in words.units for word in unit)
        self._beginnings = tuple(
            unit[0] for unit in words.units if len(unit) == 1 and len(unit[0]) >= LEAST_BEGINNING
        )
        self._stems = frozenset(stem for word in self._words for stem in stems(word))

    def name(self, text: str | None) -> str | None:
        """All of a title, with typos where nothing is exact; None where nothing is marked."""
        if not text:
            return None
        found = list(_words_of(text))
        spans = [
            span for span, word in found if word in self._words or word.startswith(self._beginnings)
        ]
        if not spans:
            spans = [span for span, word in found if self._is_meant(word)]
        return _marked(text, spans) if spans else None

    def plot(self, text: str | None) -> str | None:
        """A part of a long text, around the first mark; None where there is none."""
        if not text:
            return None
        spans = [
            span
            for span, word in _words_of(text)
            if word in self._words or not self._stems.isdisjoint(stems(word))
        ]
        if not spans:
            return None
        start, end = _window(text, spans[0][0])
        inside = [(first - start, last - start) for first, last in spans if last <= end]
        before, after = "…" if start else "", "…" if end < len(text) else ""
        return before + _marked(text[start:end], inside) + after

    def _is_meant(self, word: str) -> bool:
        return any(_is_mistyped(each, word) for each in self._beginnings)


def _words_of(text: str) -> Iterator[tuple[tuple[int, int], str]]:
    for found in WORD.finditer(text):
        yield found.span(), _folded(found[0])


@lru_cache(maxsize=20_000)
def _folded(word: str) -> str:
    return search_title(word)


def _window(text: str, first: int) -> tuple[int, int]:
    """Where a snippet begins and ends, between words if it can."""
    if len(text) <= LONGEST:
        return 0, len(text)
    start = max(0, min(first - BEFORE, len(text) - LONGEST))
    end = start + LONGEST
    if start and (blank := text.find(" ", start, first)) > 0:
        start = blank + 1
    if end < len(text) and (blank := text.rfind(" ", first, end)) > 0:
        end = blank
    return start, end


def _marked(text: str, spans: list[tuple[int, int]]) -> str:
    parts, at = [], 0
    for first, last in _joined(spans):
        parts += [escape(text[at:first]), "<mark>", escape(text[first:last]), "</mark>"]
        at = last
    return "".join([*parts, escape(text[at:])])


def _joined(spans: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Marks that touch are one."""
    first, last = spans[0]
    for start, end in spans[1:]:
        if start > last:
            yield first, last
            first = start
        last = end
    yield first, last


@lru_cache(maxsize=20_000)
def _is_mistyped(word: str, other: str) -> bool:
    """Whether a word is another with as many typos as it may have."""
    most = distance(word)
    # Each typo adds and takes one letter at the most: that is known faster.
    return (
        most > 0
        and abs(len(word) - len(other)) <= most
        and len(set(word) ^ set(other)) <= 2 * most
        and _typos(word, other) <= most
    )


def _typos(one: str, other: str) -> int:
    """How many letters are wrong, missing, too many or swapped (optimal string alignment)."""
    before: list[int] = []
    previous = list(range(len(other) + 1))
    for row, letter in enumerate(one, start=1):
        current = [row]
        for column, against in enumerate(other, start=1):
            cost = min(
                previous[column] + 1,
                current[-1] + 1,
                previous[column - 1] + (letter != against),
            )
            if row > 1 < column and letter == other[column - 2] and one[row - 2] == against:
                cost = min(cost, before[column - 2] + 1)
            current.append(cost)
        before, previous = previous, current
    return previous[-1]
