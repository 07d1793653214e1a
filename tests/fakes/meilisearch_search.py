"""How the fake Meilisearch searches: terms, typos, ranking rules and facets, as
https://www.meilisearch.com/docs/capabilities/full_text_search/relevancy/ranking_rules and
https://www.meilisearch.com/docs/reference/api/search say. One index is a list of documents that is
looked through from the first to the last.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cmp_to_key, lru_cache
from itertools import pairwise
from math import ceil
from typing import Any

from tests.fakes.meilisearch_filters import (
    BadFilter,
    Json,
    folded,
    is_number,
    parsed,
    shown,
    values_of,
)

WORD = re.compile(r"[^\W_]+")
PIECE = re.compile(r'"([^"]*)"|([^"]+)')
MOST_WORDS = 10
KNOWN = frozenset(
    {
        *("indexUid", "q", "offset", "limit", "page", "hitsPerPage", "filter", "facets", "sort"),
        *("attributesToRetrieve", "attributesToSearchOn", "attributesToHighlight"),
        *("highlightPreTag", "highlightPostTag", "matchingStrategy", "showRankingScore"),
        "rankingScoreThreshold",
    }
)


class Refused(ValueError):
    """A search that cannot be done: the code of the error, and why."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Term:
    """A word of a query, or a phrase."""

    words: tuple[str, ...]
    is_phrase: bool = False
    is_prefix: bool = False


@dataclass(frozen=True)
class Match:
    """Where a term is in a document, at its best."""

    typos: int
    attribute: int
    position: int
    is_exact: bool


Matcher = Callable[[str], int | None]


def terms_of(q: str) -> list[Term]:
    """The words and phrases of a query; the last word may be a beginning."""
    terms: list[Term] = []
    for phrase, words in PIECE.findall(folded(q)):
        if phrase:
            terms += [Term(tuple(found), is_phrase=True)] if (found := WORD.findall(phrase)) else []
        else:
            terms += [Term((word,)) for word in WORD.findall(words)]
    terms = terms[:MOST_WORDS]
    if terms and not terms[-1].is_phrase and q[-1:].isalnum():
        terms[-1] = Term(terms[-1].words, is_prefix=True)
    return terms


@lru_cache(maxsize=20_000)
def typos_between(word: str, other: str) -> int:
    """Letters wrong, missing, too many or swapped; a wrong first letter counts for two."""
    before: list[int] = []
    previous = list(range(len(other) + 1))
    for row, letter in enumerate(word, start=1):
        current = [row]
        for column, against in enumerate(other, start=1):
            cost = min(
                previous[column] + 1, current[-1] + 1, previous[column - 1] + (letter != against)
            )
            if row > 1 < column and letter == other[column - 2] and word[row - 2] == against:
                cost = min(cost, before[column - 2] + 1)
            current.append(cost)
        before, previous = previous, current
    distance = previous[-1]
    return distance + 1 if distance and word[:1] != other[:1] else distance


class Search:
    """One search in one index."""

    def __init__(self, settings: Json, documents: Sequence[Json], asked: Json) -> None:
        unknown = asked.keys() - KNOWN
        if unknown:
            raise Refused("bad_request", f"Unknown field `{min(unknown)}`.")
        self.settings, self.documents, self.asked = settings, documents, asked
        self.terms = terms_of(asked.get("q") or "")
        every = settings["searchableAttributes"]
        names = sorted({name for each in documents for name in each}) if every == ["*"] else every
        self.names: list[str] = list(names)
        only = asked.get("attributesToSearchOn") or ["*"]
        if "*" not in only and (wrong := [each for each in only if each not in self.names]):
            code = "invalid_search_attributes_to_search_on"
            raise Refused(code, f"Attribute `{wrong[0]}` is not searchable.")
        self.searched = [name for name in self.names if "*" in only or name in only]

    def answer(self) -> Json:
        """What the search finds, as it is answered."""
        try:
            passes = parsed(self.asked.get("filter"), self.settings["filterableAttributes"])
        except BadFilter as error:
            raise Refused("invalid_search_filter", str(error)) from error
        found = [
            (document, matches)
            for document in self.documents
            if passes(document) and (matches := self._matches(document)) is not None
        ]
        order = self._order()
        found.sort(key=cmp_to_key(lambda one, other: _first(order, one, other)))
        kept = [(each, self._score(each, matches)) for each, matches in found]
        least = self.asked.get("rankingScoreThreshold") or 0
        kept = [(each, score) for each, score in kept if score >= least]
        facets = self._facets([each for each, _ in kept])
        return {
            **self._page(kept),
            **facets,
            "query": self.asked.get("q") or "",
            "processingTimeMs": 0,
        }

    def _page(self, kept: list[tuple[Json, float]]) -> Json:
        most = self.settings["pagination"]["maxTotalHits"]
        total, asked = min(len(kept), most), self.asked
        if "page" in asked or "hitsPerPage" in asked:
            size, page = asked.get("hitsPerPage", 20), asked.get("page", 1)
            start = (page - 1) * size
            told: Json = {"page": page, "hitsPerPage": size, "totalHits": total}
            told["totalPages"] = ceil(total / size) if size else 0
        else:
            size, start = asked.get("limit", 20), asked.get("offset", 0)
            told = {"limit": size, "offset": start, "estimatedTotalHits": total}
        shown_hits = kept[start : min(start + size, most)]
        return {"hits": [self._hit(*each) for each in shown_hits], **told}

    def _hit(self, document: Json, score: float) -> Json:
        names = self.asked.get("attributesToRetrieve") or ["*"]
        hit = {name: each for name, each in document.items() if "*" in names or name in names}
        if self.asked.get("showRankingScore"):
            hit["_rankingScore"] = score
        if marked := self.asked.get("attributesToHighlight"):
            formatted = {
                name: self._marked(each) if "*" in marked or name in marked else each
                for name, each in document.items()
            }
            hit["_formatted"] = formatted
        return hit

    def _marked(self, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        before = self.asked.get("highlightPreTag", "<em>")
        after = self.asked.get("highlightPostTag", "</em>")

        def mark(found: re.Match[str]) -> str:
            word = folded(found[0])
            hits = any(self._typos(term, word, "") is not None for term in self.terms)
            return f"{before}{found[0]}{after}" if hits else found[0]

        return WORD.sub(mark, value)

    def _matches(self, document: Json) -> list[Match] | None:
        """Where each term is that has to be found; None where the document is not found."""
        texts = [(self.names.index(name), name, words_of(document, name)) for name in self.searched]
        found: list[Match] = []
        needs_all, is_over = self.asked.get("matchingStrategy", "last") == "all", False
        for number, term in enumerate(self.terms):
            places = [
                match
                for attribute, name, words in texts
                for match in self._places(term, attribute, name, words)
            ]
            if places and not is_over:
                found.append(
                    min(
                        places,
                        key=lambda each: (
                            each.typos,
                            each.attribute,
                            not each.is_exact,
                            each.position,
                        ),
                    )
                )
            elif needs_all or not number or (term.is_phrase and not places):
                return None
            else:
                is_over = True
        return found

    def _places(self, term: Term, attribute: int, name: str, words: Sequence[str]) -> list[Match]:
        if term.is_phrase:
            size = len(term.words)
            return [
                Match(0, attribute, at, is_exact=True)
                for at in range(len(words) - size + 1)
                if tuple(words[at : at + size]) == term.words
            ]
        return [
            Match(typos, attribute, at, is_exact=word == term.words[0])
            for at, word in enumerate(words)
            if (typos := self._typos(term, word, name)) is not None
        ]

    def _typos(self, term: Term, word: str, name: str) -> int | None:
        """With how many typos a word of a document is meant; None where it is not."""
        if term.is_phrase:
            return 0 if word in term.words else None
        (wanted,) = term.words
        if word == wanted or (term.is_prefix and word.startswith(wanted)):
            return 0
        most = self._allowed(wanted, name)
        if not most or (not term.is_prefix and abs(len(word) - len(wanted)) > most):
            return None
        sizes = range(len(wanted) - most, len(wanted) + most + 1)
        ends = {word[:size] for size in sizes} if term.is_prefix else {word}
        least = min(typos_between(wanted, each) for each in {*ends, word})
        return least if least <= most else None

    def _allowed(self, word: str, name: str) -> int:
        told = self.settings["typoTolerance"]
        if not told["enabled"] or name in told["disableOnAttributes"]:
            return 0
        if word in told["disableOnWords"] or (told["disableOnNumbers"] and word.isdigit()):
            return 0
        sizes = told["minWordSizeForTypos"]
        return int(len(word) >= sizes["oneTypo"]) + int(len(word) >= sizes["twoTypos"])

    def _exactness(self, document: Json) -> int:
        """3 for an attribute that is the query, 2 for one that begins with it, 1 else."""
        query = [word for term in self.terms for word in term.words]
        texts = [words_of(document, name) for name in self.searched]
        if any(words == query for words in texts):
            return 3
        return 2 if any(words[: len(query)] == query for words in texts) else 1

    def _ranks(self, rule: str, document: Json, matches: list[Match]) -> list[tuple[int, int]]:
        """How well a document does by a built-in rule: its rank of so many, the more the better."""
        asked = len(self.terms)
        if rule == "words":
            return [(len(matches), max(1, asked))]
        if rule == "typo":
            most = 2 * asked
            return [(most - sum(each.typos for each in matches) + 1, most + 1)]
        if rule in {"attributeRank", "attribute"}:
            most = asked * len(self.names)
            ranks = [(most - sum(each.attribute for each in matches) + 1, most + 1)]
            more = self._ranks("wordPosition", document, matches) if rule == "attribute" else []
            return ranks + more
        if rule == "wordPosition":
            worst = 20 * max(1, asked)
            far = sum(min(each.position, 20) for each in matches)
            return [(worst - far + 1, worst + 1)]
        if rule == "proximity":
            steps = [
                min(abs(b.position - a.position), 8) if a.attribute == b.attribute else 8
                for a, b in pairwise(matches)
            ]
            most = 8 * max(0, asked - 1)
            return [(most - sum(steps) + 1, most + 1)]
        exact = sum(each.is_exact for each in matches)
        return [(self._exactness(document), 3), (exact + 1, asked + 1)]

    def _order(self) -> list[Callable[[Json, list[Match]], Any]]:
        order: list[Callable[[Json, list[Match]], Any]] = []
        for rule in self.settings["rankingRules"]:
            if rule == "sort":
                order += map(self._sorted_by, self.asked.get("sort") or ())
            elif ":" in rule:
                order.append(_by_value(rule))
            elif self.terms:
                order.append(self._by_rule(rule))
        return order

    def _by_rule(self, rule: str) -> Callable[[Json, list[Match]], Any]:
        return lambda document, matches: [-rank for rank, _ in self._ranks(rule, document, matches)]

    def _sorted_by(self, wanted: str) -> Callable[[Json, list[Match]], Any]:
        name = wanted.partition(":")[0]
        if name not in self.settings["sortableAttributes"]:
            raise Refused("invalid_search_sort", f"Attribute `{name}` is not sortable.")
        return _by_value(wanted)

    def _score(self, document: Json, matches: list[Match]) -> float:
        """Ranks within ranks, as a part of the best; what is sorted by has no say."""
        rank, most = 1, 1
        for rule in self.settings["rankingRules"] if self.terms else ():
            if rule != "sort" and ":" not in rule:
                for inner, of in self._ranks(rule, document, matches):
                    rank, most = (rank - 1) * of + inner, most * of
        return rank / most

    def _facets(self, found: list[Json]) -> Json:
        asked = self.asked.get("facets")
        if asked is None:
            return {}
        told: Json = {}
        for name in asked:
            if name not in self.settings["filterableAttributes"]:
                raise Refused("invalid_search_facets", f"Attribute `{name}` is not filterable.")
            counts: dict[str, int] = {}
            for document in found:
                for value in {shown(each): each for each in values_of(document, name)}:
                    counts[value] = counts.get(value, 0) + 1
            faceting = self.settings["faceting"]
            by = faceting["sortFacetValuesBy"]
            is_by_count = by.get(name, by["*"]) == "count"
            values = sorted(counts.items(), key=lambda each: (-each[1] * is_by_count, each[0]))
            if values:
                told[name] = dict(values[: faceting["maxValuesPerFacet"]])
        return {"facetDistribution": told, "facetStats": {}}


def words_of(document: Json, name: str) -> list[str]:
    """The words of an attribute."""
    return [
        word for each in values_of(document, name) for word in WORD.findall(folded(shown(each)))
    ]


def _by_value(wanted: str) -> Callable[[Json, list[Match]], Any]:
    """By a field: numbers before texts, and what has none last, in both directions."""
    name, _, direction = wanted.partition(":")

    def key(document: Json, _matches: list[Match]) -> Any:
        values = values_of(document, name)
        return _Value(values[0] if values else None, is_falling=direction == "desc")

    return key


@dataclass
class _Value:
    value: Any
    is_falling: bool

    def __lt__(self, other: "_Value") -> bool:
        if self.value is None or other.value is None:
            return self.value is not None and other.value is None
        one, two = _ordered(self.value), _ordered(other.value)
        return two < one if self.is_falling else one < two


def _ordered(value: Any) -> tuple[int, Any]:
    return (0, value) if is_number(value) else (1, folded(shown(value)))


def _first(order: Sequence[Callable[[Json, list[Match]], Any]], one: Any, other: Any) -> int:
    for key in order:
        first, second = key(*one), key(*other)
        if first < second:
            return -1
        if second < first:
            return 1
    return 0
