"""Completing what somebody types: titles that begin so, or with a word that does.

The last word is a beginning, unless a blank follows. Titles that begin with all of it come first,
then those whose original or translated title does, then the popular. Where few are found so, words
may have a typo from their fourth letter on, and those before the last two from their eighth.
"""

from collections.abc import Iterator
from functools import cache
from typing import Any

import tantivy
from sqlalchemy import ARRAY, BigInteger, Select, bindparam, func, select
from tantivy import Occur, Query

from marquee.catalogue.images.addresses import poster_url
from marquee.catalogue.search import words
from marquee.catalogue.search.index import reader
from marquee.catalogue.search.outside import finding, serves
from marquee.catalogue.search.schema import (
    LONGEST_BEGINNING,
    LONGEST_START,
    STOP_WORDS,
    folded,
    schema,
    unspelled,
)
from marquee.catalogue.search.service import LISTINGS, Titles
from marquee.catalogue.titles import search_title
from marquee.db import as_dict, rows

SHORT = 3
"""Up to so many letters, popular titles are completed first: so many titles begin so. A word of
more may be meant as it is.
"""
COMPLETIONS_BYTES = 2_000
WHOLE, BEGINS, BEGINS_OTHER, IS, HAS = 20.0, 10.0, 5.0, 2.0, 1.0


def complete(kind: Titles, text: str, limit: int) -> list[dict[str, Any]]:
    """The titles of a kind that a text may be the beginning of. Raises Unavailable."""
    if serves():
        ids = finding.complete(kind, text, limit)
    else:
        ids = reader.found(
            ("completions", kind, text, limit),
            lambda searcher: _ids(searcher, kind, text, limit),
            COMPLETIONS_BYTES,
        )
    found_rows = {row.id: row for row in rows(_shown(kind), {"ids": ids})} if ids else {}
    return [as_dict(found_rows[id_]) for id_ in ids if id_ in found_rows]


def _ids(searcher: tantivy.Searcher, kind: str, text: str, limit: int) -> list[int]:
    only = words.only(kind)
    ids: list[int] = []
    for query in _attempts(text):
        found = searcher.search(
            words.narrowed(query, [only]), limit, count=False, weight_by_field="weight"
        )
        ids += (id_ for _, id_ in words.keys_of(searcher, found.hits) if id_ not in ids)
        if len(ids) >= limit:
            break
    return ids[:limit]


@cache
def _shown(kind: Titles) -> Select[*tuple[Any, ...]]:
    _, model = LISTINGS[kind]
    columns = (model.id, model.title, model.original_title, model.year, poster_url(model))
    return select(*columns).where(model.id == func.any(bindparam("ids", type_=ARRAY(BigInteger))))


def _attempts(text: str) -> Iterator[Query]:
    """What to look for, one after the other, until there is enough."""
    whole = unspelled(search_title(text))
    typed = folded(whole).split()
    if not typed:
        return
    is_over = text[-1].isspace()
    *before, last = (*typed, "") if is_over else typed
    before = [word for word in before if word not in STOP_WORDS]
    begun = whole + " " * is_over
    if not before and len(last) <= SHORT:
        yield _completion("_popular", before, last, begun)
    yield _completion("", before, last, begun)
    if any(words.distance(word) for word in (*before, last)):
        yield _mistyped(before, last)


def _completion(among: str, before: list[str], last: str, begun: str) -> Query:
    """All words before, as they are, and the beginning of the last; `among` ends the names of the
    fields of some titles alone.
    """
    must = [_word(word) for word in before]
    if last:
        must.append(_term(f"starts{among}", last[:LONGEST_START], HAS))
    begins = _term(f"begins{among}", begun[:LONGEST_BEGINNING], BEGINS)
    better = [begins]
    if not among:
        better.append(_term("begins_other", begun[:LONGEST_BEGINNING], BEGINS_OTHER))
    if not must:
        return Query.disjunction_max_query(better)
    better.append(_term("whole", begun.strip(), WHOLE))
    if len(last) > SHORT:
        better.append(_term("title", last, IS))
    found = words.all_of(must)
    if not among:
        return Query.boolean_query([(Occur.Must, found), *((Occur.Should, it) for it in better)])
    # One inside the other: of several at once Tantivy reads all, and of one what it needs for few.
    for each in better:
        found = Query.boolean_query([(Occur.Must, found), (Occur.Should, each)])
    return found


def _mistyped(before: list[str], last: str) -> Query:
    """The same with typos; a beginning is as long as what was typed."""
    must = [_fuzzy(("title", "other"), word) for word in before]
    if last:
        must.append(_fuzzy(("starts",), last[:LONGEST_START], 1))
    return Query.boolean_query([(Occur.Must, each) for each in must])


def _word(word: str) -> Query:
    return Query.disjunction_max_query([_term("title", word, HAS), _term("other", word, HAS)])


def _fuzzy(fields: tuple[str, ...], word: str, most: int = 2) -> Query:
    distance = min(words.distance(word), most)
    if not distance:
        return Query.disjunction_max_query([_term(field, word, HAS) for field in fields])
    return Query.disjunction_max_query(
        [Query.fuzzy_term_query(schema(), field, word, distance) for field in fields]
    )


def _term(field: str, word: str, score: float) -> Query:
    return Query.const_score_query(Query.term_query(schema(), field, word, "basic"), score)
