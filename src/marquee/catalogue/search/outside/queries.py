"""What is asked of the outside engine: filters, orders, facets and words in its own language."""

from collections.abc import Iterable, Sequence
from typing import Any

from marquee.catalogue.search.narrowing import (
    COUNTED,
    FEW_VALUES,
    MOST_VALUES,
    ONE_OF,
    ORDERS,
    SHOWN_AS,
    Filters,
)
from marquee.catalogue.search.outside.documents import ELSEWHERE, mark
from marquee.catalogue.search.schema import stems
from marquee.catalogue.search.words import Words
from marquee.services.meilisearch import Finds, Json

KIND = "kind"
"""The facet by which all finds are counted: other totals end at the deepest page."""


def within(kinds: Sequence[str], filters: Filters) -> list[str]:
    """What has to hold for documents of these kinds that pass all filters."""
    conditions = [one_of(KIND, kinds)]
    for name, field in ONE_OF.items():
        if values := filters.get(name):
            conditions.append(one_of("marks", [mark(field, value) for value in values]))
    if "original_language" in filters:
        conditions.append(one_of("marks", [mark("language", filters["original_language"])]))
    conditions += [
        f"{field} {comparison} {filters[name]}"
        for name, field, comparison in (
            ("year_from", "year", ">="),
            ("year_to", "year", "<="),
            ("min_score", "vote_average", ">="),
        )
        if name in filters
    ]
    if "has_file" in filters:
        conditions.append(f"has_file = {str(filters['has_file']).lower()}")
    return conditions


def one_of(field: str, values: Iterable[str]) -> str:
    """That a field has one of these values, which need no quotes."""
    return f"{field} IN [{', '.join(values)}]"


def ordering(sort_by: str) -> Json:
    """How finds are to be sorted: `relevance`, or a field and a direction, `title:asc`."""
    if sort_by == "relevance":
        return {}
    name, _, direction = sort_by.partition(":")
    return {"sort": [f"{ORDERS[name]}:{direction}"]}


def page(limit: int, offset: int) -> Json:
    """A page of so many finds."""
    return {"hitsPerPage": limit, "page": offset // limit + 1}


def named(words: Words, units: Sequence[tuple[str, ...]] | None = None) -> Json:
    """What finds all words; of symbols alone, a title of nothing else."""
    spelled = [_spelled(unit) for unit in units or words.units if any(map(_is_word, unit))]
    if not spelled:
        wholes = one_of("marks", [mark("whole", each) for each in words.wholes])
        return {"q": "", "filter": [wholes]}
    return {"q": " ".join(spelled), "matchingStrategy": "all", "filter": []}


def stemmed(words: Words) -> Json | None:
    """What finds all words in another form of theirs, in plots; None where they have none."""
    if not any(map(_is_word, words.wholes)):
        return None
    units = [
        tuple(stem for word in unit for stem in stems(word) or (word,)) for unit in words.units
    ]
    if units == list(words.units):
        return None
    found = named(words, units)
    # The blank says that the last word is no beginning.
    return {**found, "q": f"{found['q']} ", "attributesToSearchOn": list(ELSEWHERE)}


def _is_word(text: str) -> bool:
    return any(map(str.isalnum, text))


def _spelled(unit: tuple[str, ...]) -> str:
    """A word; characters that stand without blanks have to follow each other."""
    return unit[0] if len(unit) == 1 else f'"{" ".join(unit)}"'


def total(found: Finds) -> int:
    """How many finds there are in all, where `KIND` was counted."""
    return sum(found.facets.get(KIND, {}).values())


def counts(kind: str, found: Finds) -> dict[str, list[dict[str, Any]]]:
    """How many finds have which values, the most frequent first; years from the latest."""
    return {
        SHOWN_AS.get(field, field): _values(field, found.facets.get(field, {}))
        for field in COUNTED[kind]
    }


def _values(field: str, told: dict[str, int]) -> list[dict[str, Any]]:
    names = sorted(told, key=lambda name: (-told[name], name))
    names = names[: MOST_VALUES.get(field, FEW_VALUES)]
    if field == "year":
        names.sort(key=float, reverse=True)
    return [{"value": _value(field, name), "count": told[name]} for name in names]


def _value(field: str, name: str) -> str | int | bool:
    if field == "has_file":
        return name == "true"
    return int(float(name)) if field == "year" else name
