"""Finding by words: what is looked for in the index, and how good each find is.

All words have to be found, each as it is, as the beginning of a word of a title, or, where few are
found so, with a typo. What is found in a title counts more than in its original or translated
title, then people, then keywords, then the plot; an exact word more than a beginning, and that more
than a typo. Scores are constants, so that finds of one quality are equal and popularity decides.
Where hardly anything has all words, most of them do, and the rarer a word is, the more it counts.
Four words or more are a description: any of them may be found, by BM25.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from math import log
from typing import Any, Final, TypeAlias

import tantivy
from tantivy import Occur, Query

from marquee.catalogue.search.schema import (
    LONGEST_START,
    STOP_WORDS,
    UNSPACED,
    apart,
    of_key,
    schema,
    stems,
    unspelled,
)
from marquee.catalogue.titles import search_title, sort_title

MOST_WORDS = 24
DESCRIPTION = 4
"""With so many words that count, a query is a description."""
LEAST_DESCRIPTION = 3
"""A query of fewer has no meaning but its words. One of just so many has one if no title, whole or
begun, and no typo explains it.
"""
FEW = 10
"""With fewer exact finds, those with typos are looked for too."""
ONE_TYPO, TWO_TYPOS = 4, 8
"""Letters from which a word may have so many."""
MOST = 0.6
"""The part of the words that must be found where not all are."""

WHOLE, WHOLE_OTHER, IN_ORDER, IN_TITLES = 1000.0, 900.0, 5.0, 200.0
EXACT: Final = {"title": 100.0, "other": 90.0, "people": 70.0, "keywords": 50.0}
BEGINNING, BEGINNING_OF_NAME, IN_PLOT = 80.0, 60.0, 40.0
TYPO: Final = {"title": 60.0, "other": 55.0, "people": 45.0}
DOUBTFUL = 0.1
"""What a typo is worth in a word that the index knows, where not all words are found: hardly more
than popularity.
"""
DESCRIBED: Final = {"plot": 1.0, "keywords": 0.5, "people": 0.5}
NUMBER: Final = {"number": {"value_count": {"field": "key"}}}
BELOW_EXACT = 0.35
"""What a find with typos is worth, so that it comes after all that are exact."""
LEAST_BEGINNING, LEAST_BEGINNING_OF_NAME = 2, 4


class Tier(IntEnum):
    """How exact a find is, the best first."""

    WHOLE = 1
    TITLE = 2
    BEGINNING = 3
    ELSEWHERE = 4
    TYPO = 5


LEAST_SCORES = ((500.0, Tier.WHOLE), (88.0, Tier.TITLE), (76.0, Tier.BEGINNING))
LEAST_ELSEWHERE = 39.5


Best: TypeAlias = Sequence[tuple[Any, tantivy.DocAddress]]


@dataclass(frozen=True)
class Found:
    """What a search has found: in all, and its best."""

    query: Query
    total: int
    best: Best
    """By what they are sorted, such as their scores, and where they are in the index."""


@dataclass(frozen=True)
class Words:
    """A query taken apart. A unit is a word, or several characters that stand without blanks."""

    text: str
    wholes: tuple[str, ...]
    """What a title of exactly these words is."""
    units: tuple[tuple[str, ...], ...]
    """What has to be found."""

    @property
    def is_description(self) -> bool:
        """Whether it tells of a title rather than names it."""
        return len(self.units) >= DESCRIPTION


@lru_cache(maxsize=1000)
def words_of(text: str) -> Words:
    """Take a query apart."""
    spelled = search_title(text)
    whole = unspelled(spelled)
    units: list[tuple[str, ...]] = []
    for word in whole.split():
        if UNSPACED.search(word):
            units.extend(_unspaced(word))
        else:
            units.append((word,))
    counted = [unit for unit in units if unit[0] not in STOP_WORDS] or units
    distinct = tuple(dict.fromkeys(counted))[:MOST_WORDS]
    return Words(text, tuple({spelled, whole, sort_title(text)}), distinct)


def _unspaced(word: str) -> Iterable[tuple[str, ...]]:
    """Runs of characters that are words by themselves, and the words between them."""
    run: list[str] = []
    for each in apart(word).split():
        if UNSPACED.match(each):
            run.append(each)
            continue
        if run:
            yield tuple(run)
        run = []
        yield (each,)
    if run:
        yield tuple(run)


def search(
    searcher: tantivy.Searcher,
    words: Words,
    narrowing: Sequence[Query] = (),
    **how: Any,  # noqa: ANN401 - Tantivy's own words
) -> Found:
    """What the strictest query finds by which enough is found; `how` is Tantivy's.

    The first of `narrowing` tells the kinds. What is enough is told by what is found of these, so
    that the others only take finds away.
    """

    def find(query: Query) -> Found:
        return seen(searcher, narrowed(query, narrowing), **how)

    def of_the_kinds(query: Query, found: Found) -> int:
        if found.total >= FEW or len(narrowing) < 2:  # noqa: PLR2004 - the kinds alone
            return found.total
        return number(searcher, narrowed(query, narrowing[:1]))

    if not words.units or words.is_description:
        return find(description(words) if words.units else Query.empty_query())
    exact = _exact(words)
    as_typed = find(exact)
    exactly = of_the_kinds(exact, as_typed)
    if exactly >= FEW:
        return as_typed
    tolerant = _tolerant(words)
    found = find(tolerant)
    if len(words.units) == 1 or exactly or (all_of_them := of_the_kinds(tolerant, found)) >= FEW:
        return found
    frequencies = [_frequency(searcher, unit) for unit in words.units]
    if all_of_them and not all(frequencies):
        return found  # a word that nothing has was mistyped
    return find(_most(searcher, words, frequencies))


def seen(searcher: tantivy.Searcher, query: Query, **how: Any) -> Found:  # noqa: ANN401 - as above
    """What a query finds."""
    result: Any = searcher.search(query, **how)
    return Found(query, int(result.count), result.hits)


def keys_of(searcher: tantivy.Searcher, best: Best) -> list[tuple[str, int]]:
    """Kind and id of each find, in order."""
    addresses = [address for _, address in best]
    values = searcher.fast_field_values("key", addresses) if addresses else []
    return [of_key(int(value)) for value in values if value is not None]


def tier_of(score: float, words: Words) -> Tier:
    """The tier of a score."""
    for least, tier in LEAST_SCORES:
        if score >= least:
            return tier
    return Tier.ELSEWHERE if words.is_description or score >= LEAST_ELSEWHERE else Tier.TYPO


def only(kind: str) -> Query:
    """What is of one kind."""
    return Query.term_query(schema(), "kind", kind, "basic")


def narrowed(query: Query, narrowing: Sequence[Query]) -> Query:
    """A query within others, which change no score."""
    if not narrowing:
        return query
    within = ((Occur.Must, Query.const_score_query(each, 0.0)) for each in narrowing)
    return Query.boolean_query([(Occur.Must, query), *within])


def _exact(words: Words) -> Query:
    """All words, wherever; whole titles and words in order count more."""
    share = 1 / len(words.units)
    must = [(Occur.Must, _unit(unit, share)) for unit in words.units]
    return Query.boolean_query([*must, *_whole(words)])


def _tolerant(words: Words) -> Query:
    """The same, and all words with typos among them."""
    share = BELOW_EXACT / len(words.units)
    must = [(Occur.Must, _unit(unit, share, typos=share)) for unit in words.units]
    return Query.disjunction_max_query([_exact(words), all_of([query for _, query in must])])


def _most(searcher: tantivy.Searcher, words: Words, frequencies: Sequence[int]) -> Query:
    """Most words, each by how rare it is."""
    least = max(1, round(len(words.units) * MOST))
    rarities = [rarity(searcher.num_docs, each) for each in frequencies]
    units: list[tuple[Occur, Query]] = []
    for unit, frequency, each in zip(words.units, frequencies, rarities, strict=True):
        share = BELOW_EXACT * each / sum(rarities)
        worth = share * DOUBTFUL if frequency else share
        units.append((Occur.Should, _unit(unit, share, typos=worth)))
    return Query.boolean_query(units, minimum_number_should_match=least)


def _frequency(searcher: tantivy.Searcher, unit: tuple[str, ...]) -> int:
    """How many have a unit where most have it; of several characters, the rarest."""
    return min(
        max(
            searcher.doc_freq("starts", word[:LONGEST_START]),
            searcher.doc_freq("people", word),
            searcher.doc_freq("keywords", word),
            *(searcher.doc_freq("plot", stem) for stem in stems(word)),
        )
        for word in unit
    )


def rarity(documents: int, having: int) -> float:
    """How much it tells that a document has a word: the inverse document frequency of BM25, above 0
    also where documents that are gone still count as having it.
    """
    having = min(having, documents)
    return log(1 + (documents - having + 0.5) / (having + 0.5))


def number(searcher: tantivy.Searcher, query: Query) -> int:
    """How many a query finds, by an aggregation: a search would work out how good each find is."""
    return int(searcher.aggregate(query, NUMBER)["number"]["value"])


def description(words: Words) -> Query:
    """Any word, by BM25; before all a title of all these words."""
    titled = [(Occur.Must, _any(_in_titles(unit, typos=True))) for unit in words.units]
    some: list[tuple[Occur, Query]] = [
        (Occur.Should, Query.const_score_query(Query.boolean_query(titled), IN_TITLES)),
        *_whole(words),
    ]
    for unit in words.units:
        told = dict.fromkeys(stem for word in unit for stem in stems(word))
        some += ((Occur.Should, _term("plot", stem, DESCRIBED["plot"])) for stem in told)
        for field in ("keywords", "people"):
            terms = [_term(field, word, DESCRIBED[field]) for word in unit]
            some.append((Occur.Should, terms[0] if len(terms) == 1 else all_of(terms)))
    return Query.boolean_query(some)


def _whole(words: Words) -> list[tuple[Occur, Query]]:
    """What is worth more than its words: the title itself."""
    better = [(Occur.Should, _const("whole", whole, WHOLE)) for whole in words.wholes] + [
        (Occur.Should, _const("whole_other", whole, WHOLE_OTHER)) for whole in words.wholes
    ]
    best_of = [(Occur.Should, Query.disjunction_max_query([query for _, query in better]))]
    if 1 < len(words.units) < DESCRIPTION:
        spelled: list[str | tuple[int, str]] = [word for unit in words.units for word in unit]
        phrase = Query.phrase_query(schema(), "title", spelled)
        best_of.append((Occur.Should, Query.const_score_query(phrase, IN_ORDER)))
    return best_of


def _unit(unit: tuple[str, ...], share: float, *, typos: float = 0.0) -> Query:
    """One unit, wherever it is; the best place counts. `typos` is the share of finds with one."""
    if len(unit) > 1:
        return _phrase(unit, share)
    word = unit[0]
    places = [_const(field, word, score * share) for field, score in EXACT.items()]
    if len(word) >= LEAST_BEGINNING:
        places.append(_const("starts", word[:LONGEST_START], BEGINNING * share))
    if len(word) >= LEAST_BEGINNING_OF_NAME:
        begun = Query.fuzzy_term_query(schema(), "people", word, 0, prefix=True)
        places.append(Query.const_score_query(begun, BEGINNING_OF_NAME * share))
    if told := stems(word):
        places.append(_const("plot", told[0], IN_PLOT * share))
    if typos and (allowed := distance(word)):
        places.extend(
            Query.const_score_query(
                Query.fuzzy_term_query(schema(), field, word, allowed), score * typos
            )
            for field, score in TYPO.items()
        )
    return Query.disjunction_max_query(places)


def _phrase(unit: tuple[str, ...], share: float) -> Query:
    """Characters that follow each other in a title, or that a plot has."""
    places = [
        Query.const_score_query(
            Query.phrase_query(schema(), field, list(unit)), EXACT[field] * share
        )
        for field in ("title", "other")
    ]
    for field, score in (("people", EXACT["people"]), ("plot", IN_PLOT)):
        together = all_of([_term(field, word) for word in unit])
        places.append(Query.const_score_query(together, score * share))
    return Query.disjunction_max_query(places)


def _in_titles(unit: tuple[str, ...], *, typos: bool) -> list[Query]:
    if len(unit) > 1:
        return [Query.phrase_query(schema(), field, list(unit)) for field in ("title", "other")]
    word = unit[0]
    places = [_term(field, word) for field in ("title", "other")]
    if typos and (allowed := distance(word)):
        places += [
            Query.fuzzy_term_query(schema(), field, word, allowed) for field in ("title", "other")
        ]
    return places


def distance(word: str) -> int:
    """How many typos a word may have."""
    return (len(word) >= ONE_TYPO) + (len(word) >= TWO_TYPOS)


def _term(field: str, word: str, boost: float = 1.0) -> Query:
    query = Query.term_query(schema(), field, word, "freq")
    return query if boost == 1.0 else Query.boost_query(query, boost)


def _const(field: str, word: str, score: float) -> Query:
    return Query.const_score_query(Query.term_query(schema(), field, word, "basic"), score)


def _any(queries: Sequence[Query]) -> Query:
    return Query.boolean_query([(Occur.Should, query) for query in queries])


def all_of(queries: Sequence[Query]) -> Query:
    """What all of these find."""
    return Query.boolean_query([(Occur.Must, query) for query in queries])
