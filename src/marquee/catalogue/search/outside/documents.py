"""Documents as the outside engine has them, and what it is told of their fields."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, replace
from functools import cache
from typing import Any, Final, TypeAlias

import tantivy

from marquee.catalogue.search import schema
from marquee.catalogue.search.folder import State
from marquee.catalogue.search.narrowing import ONE_OF
from marquee.catalogue.search.words import ONE_TYPO, TWO_TYPOS, words_of

VERSION: Final = schema.VERSION * 1000 + 1
"""To be raised with every change of documents or settings: an index of another version is built
anew.
"""
DEEPEST = 10_000
MOST_VALUES = 300
STATE, STATE_KIND = "state", "state"
"""The document that says how far the index has followed, and its kind, which nothing else has."""
ALL_POPULAR: Final = dict.fromkeys(("movie", "tvshow"))
"""Thresholds of popularity, which this engine has no use for."""
COUNTED: Final = ("kind", "genres", "year", "status", "directors", "networks", "resolution")
SORTED: Final = ("popularity", "vote_average", "released", "added", "sort_title")
IN_TITLES: Final = ("title", "other")
ELSEWHERE: Final = ("people", "keywords", "plot")

SETTINGS: Final[dict[str, Any]] = {
    "searchableAttributes": [*IN_TITLES, *ELSEWHERE],
    "filterableAttributes": [
        *("id", "marks", "whole", "vote_average", "has_file"),
        *COUNTED,
    ],
    "sortableAttributes": list(SORTED),
    # What is exact comes before typos; then the place counts, then whole titles and whole words.
    "rankingRules": ["sort", "words", "typo", "attributeRank", "exactness", "popularity:desc"],
    "typoTolerance": {
        "minWordSizeForTypos": {"oneTypo": ONE_TYPO, "twoTypos": TWO_TYPOS},
        "disableOnAttributes": ["keywords", "plot"],
        "disableOnNumbers": True,
    },
    "faceting": {"maxValuesPerFacet": MOST_VALUES, "sortFacetValuesBy": {"*": "count"}},
    "pagination": {"maxTotalHits": DEEPEST},
    "facetSearch": False,
}
Document: TypeAlias = dict[str, Any]


def id_of(kind: str, number: int) -> str:
    """The id of a document: unique over all kinds."""
    return f"{kind}-{number}"


def key_of(id_: str) -> tuple[str, int]:
    """Kind and id that a document's id stands for. Raises ValueError for one that is not ours."""
    kind, _, number = id_.partition("-")
    return kind, int(number)


def document(fields: dict[str, Any], *, popular: bool) -> Document:  # noqa: ARG001 - all are found
    """A document of the fields of `search.documents`."""
    kind, number = schema.of_key(fields["key"])
    counted, title = counted_words(fields["title"]), fields["title"]
    others = (fields["other"], title if title != counted else "")
    made = {
        **{name: fields.get(name) for name in (*COUNTED, *SORTED, "has_file")},
        "id": id_of(kind, number),
        "kind": kind,
        # Of a title its words that count, as of a query: so the whole of it can be told.
        "title": counted,
        "other": " ".join(filter(None, others)),
        "people": fields.get("people"),
        "keywords": fields.get("keywords"),
        "plot": _told(fields["plot"]),
        "whole": sorted({*fields["whole"], *fields["whole_other"]}),
        "marks": sorted(_marks(fields)),
    }
    return {name: value for name, value in made.items() if value is not None}


def _told(plot: str) -> str:
    """The words of a plot, each with its stem behind it where that is another."""
    stems = schema.plot_analyzer().analyze(plot)
    pairs = zip(_plain_analyzer().analyze(plot), stems, strict=True)
    return " ".join(word if word == stem else f"{word} {stem}" for word, stem in pairs)


@cache
def _plain_analyzer() -> tantivy.TextAnalyzer:
    """What plots are taken apart by, but for the stemmer."""
    return (
        tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.simple())
        .filter(tantivy.Filter.remove_long(schema.LONGEST_WORD))
        .filter(tantivy.Filter.lowercase())
        .filter(tantivy.Filter.ascii_fold())
        .filter(tantivy.Filter.custom_stopword(sorted(schema.STOP_WORDS)))
        .build()
    )


def counted_words(title: str) -> str:
    """The words of a title that count where there are others."""
    return " ".join(word for unit in words_of(title).units for word in unit)


def mark(field: str, value: str) -> str:
    """A value as filters know it: the engine takes capitals for small letters, callers do not."""
    return "m" + hashlib.sha256(f"{field}\0{value}".encode()).hexdigest()[:16]


def _marks(fields: dict[str, Any]) -> Iterable[str]:
    for whole in (*fields["whole"], *fields["whole_other"]):
        yield mark("whole", whole)
    for field in (*ONE_OF.values(), "language"):
        value = fields.get(field)
        values = [value] if isinstance(value, str) else value or ()
        yield from (mark(field, each) for each in values)


def state_document(state: State) -> Document:
    """The document that says how far an index has followed."""
    told = json.dumps(asdict(replace(state, version=VERSION)))
    return {"id": STATE, "kind": STATE_KIND, "state": told}


def read_state(document: Document | None) -> State | None:
    """What it says; None where it is not there, or of another version."""
    try:
        state = State(**json.loads((document or {})["state"]))
    except (KeyError, ValueError, TypeError):
        return None
    return state if state.version == VERSION else None
