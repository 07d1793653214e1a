"""Searching by the outside engine. No database connection is held while it is waited for."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from marquee import db, settings
from marquee.catalogue.search.index import RETRY_AFTER
from marquee.catalogue.search.narrowing import COUNTED, Filters
from marquee.catalogue.search.outside import queries
from marquee.catalogue.search.outside.documents import IN_TITLES, key_of, mark
from marquee.catalogue.search.schema import KINDS, STOP_WORDS, folded
from marquee.catalogue.search.words import FEW, LEAST_DESCRIPTION, MOST, Words, words_of
from marquee.catalogue.titles import search_title
from marquee.errors import Unavailable
from marquee.services import meilisearch
from marquee.services.http import UpstreamNotFound
from marquee.services.meilisearch import Finds, Json

SCALE = 100.0
BY_WORDS = 150
"""How many finds are looked at where they are put in order here."""
ID_AND_SCORE: Json = {"attributesToRetrieve": ["id"], "showRankingScore": True}

Listed = list[tuple[str, float]]
"""All finds, by the ids of their documents, with their scores, the best first."""


@dataclass(frozen=True)
class Found:
    """A page of finds: kind, id and score of each; how many there are, and of which values."""

    best: list[tuple[tuple[str, int], float]]
    total: int
    counts: dict[str, list[dict[str, Any]]] | None


def search(  # noqa: PLR0913 - what may be asked for
    kinds: Sequence[str] | None,
    words: Words,
    filters: Filters,
    *,
    limit: int,
    offset: int,
    sort_by: str = "relevance",
    counted: str | None = None,
) -> Found:
    """A page of what a query finds; of which values, where a kind is to be `counted`.

    Raises Unavailable (SEARCH_UNAVAILABLE).
    """
    kinds = kinds or KINDS
    if not words.units:
        return _found(Finds([], {}), 0, counted)
    within = queries.within(kinds, filters)
    asked = {
        **ID_AND_SCORE,
        **queries.page(limit, offset),
        **queries.ordering(sort_by),
        "facets": [queries.KIND, *COUNTED.get(counted or "", ())],
    }
    listed = None
    if len(words.units) >= LEAST_DESCRIPTION:
        from marquee.catalogue.search.outside import describing  # noqa: PLC0415 - it needs NumPy

        listed = describing.described(kinds, words, within)
    if listed is None:
        (found,) = ask(narrowed(queries.named(words), within, **asked))
        total = queries.total(found)
        listed = _more(words, within, total) if total < FEW else None
        if listed is None:
            return _found(found, total, counted)
    return _window(listed, asked, counted, limit=limit, offset=offset)


def count(kind: str, q: str | None, filters: Filters) -> dict[str, Any]:
    """How many titles of a kind have which values, of those that a query finds or of all."""
    if q is None:
        everything = {"q": "", "limit": 0, "facets": list(COUNTED[kind])}
        (found,) = ask({**everything, "filter": queries.within([kind], filters)})
        return queries.counts(kind, found)
    return search([kind], words_of(q), filters, limit=1, offset=0, counted=kind).counts or {}


def complete(kind: str, text: str, limit: int) -> list[int]:
    """The ids of titles of a kind that a text may be the beginning of, the best first."""
    whole, typed = search_title(text), folded(text).split()
    if not typed:
        return []
    within = queries.within([kind], {})
    popular = {**ID_AND_SCORE, "q": "", "limit": limit, "sort": ["popularity:desc"]}
    asked = [narrowed(popular, [*within, queries.one_of("marks", [mark("whole", whole)])])]
    if any(map(str.isalnum, whole)):
        *before, last = typed
        is_over = text[-1].isspace()
        said = [word for word in before if word not in STOP_WORDS]
        # The last word is a beginning, unless a blank follows.
        q = {"q": " ".join([*said, last]) + " " * is_over, "matchingStrategy": "all"}
        words = {**ID_AND_SCORE, **q, "attributesToSearchOn": list(IN_TITLES), "limit": limit}
        asked += [
            narrowed(words, [*within, f'whole STARTS WITH "{whole}"']),
            narrowed(words, within),
        ]
    ids = dict.fromkeys(hit.id for found in ask(*asked) for hit in found.hits)
    return [key_of(id_)[1] for id_ in ids][:limit]


def ask(*asked: Json) -> list[Finds]:
    """What the engine finds for each query. Raises Unavailable (SEARCH_UNAVAILABLE)."""
    db.checkpoint()
    try:
        return meilisearch.current().search(settings.current().search_index, asked)
    except UpstreamNotFound as error:
        raise _unavailable("The search index is being built.", RETRY_AFTER) from error
    except Unavailable as error:
        wait = int(error.headers["Retry-After"])
        raise _unavailable("Search cannot be used at the moment.", wait) from error


def narrowed(query: Json, within: Sequence[str], **how: Any) -> Json:  # noqa: ANN401 - its words
    """A query within others."""
    return {**query, "filter": [*query.get("filter", ()), *within], **how}


def _more(words: Words, within: Sequence[str], total: int) -> Listed | None:
    """Where few have all the words: these, then those that have other forms of them in their plots;
    where there is none, what has most of the words. None where nothing else is to be looked for.
    """
    how = {**ID_AND_SCORE, "limit": BY_WORDS}
    asked = [queries.named(words)]
    if (stemmed := queries.stemmed(words)) is not None:
        asked.append(stemmed)
    least = max(1, round(len(words.units) * MOST))
    some = [] if total else combinations(words.units, least)
    parts = [queries.named(words, units) for units in some if len(units) < len(words.units)]
    if not parts and len(asked) == 1:
        return None
    found = [each.hits for each in ask(*(narrowed(q, within, **how) for q in (*asked, *parts)))]
    best: dict[str, float] = {}
    for hits in found[: len(asked)]:
        lowest = min(best.values(), default=SCALE)
        for hit in hits:
            best.setdefault(hit.id, min(lowest, SCALE * hit.score))
    if not best:
        for hit in (hit for hits in found for hit in hits):
            best[hit.id] = max(best.get(hit.id, 0.0), SCALE * hit.score)
    return sorted(best.items(), key=lambda each: -each[1])


def _window(listed: Listed, asked: Json, counted: str | None, *, limit: int, offset: int) -> Found:
    """A page of finds that are known. What else is asked of them the engine tells."""
    is_sorted = "sort" in asked
    found = Finds([], {})
    if listed and (is_sorted or counted):
        these = queries.one_of("id", (id_ for id_, _ in listed))
        (found,) = ask({**asked, "q": "", "filter": [these]})
    if is_sorted:
        return _found(found, len(listed), counted)
    best = [(key_of(id_), score) for id_, score in listed[offset : offset + limit]]
    return Found(best, len(listed), queries.counts(counted, found) if counted else None)


def _found(found: Finds, total: int, counted: str | None) -> Found:
    best = [(key_of(hit.id), SCALE * hit.score) for hit in found.hits]
    return Found(best, total, queries.counts(counted, found) if counted else None)


def _unavailable(message: str, retry_after: int) -> Unavailable:
    return Unavailable(message, "SEARCH_UNAVAILABLE", retry_after=retry_after)
