"""Finding by meaning: one ranking of what words and vectors find for a description.

Both sides bring their best; each find is then judged by both. Its words count by how many of the
query's it has, each by how rare it is: all are 1. So words that no plot has, as those of another
language, leave it to the meaning, and lengths of texts, which differ much between kinds, have no
say. `python -m tools.bench --part meaning` measures how well it does.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import tantivy
from tantivy import Occur, Query

from marquee.catalogue.embeddings import nearest
from marquee.catalogue.embeddings.kinds import BY_NAME, Kind
from marquee.catalogue.search import words
from marquee.catalogue.search.schema import key_of, schema, stems
from marquee.catalogue.search.words import Best, Found, Tier, Words
from marquee.catalogue.titles import search_title

BY_WORDS, BY_MEANING = 150, 150
"""How many finds of each side are looked at."""
READ = 60
"""Of so many the sentences are read."""
WORDS_WEIGHT = 0.45
"""Of the words, where all is 1; the rest is the meaning's."""
AS_KEYWORD = 0.5
"""What a word is worth among keywords and genres, where in the plot it is 1."""
SCALE: Final = 100.0


@dataclass(frozen=True)
class Blend:
    """All that words and vectors find for a description."""

    best: Best
    """What was judged by both, in order."""
    query: Query
    """What finds all of it."""
    rest: Query
    """What words find beyond the best."""

    def window(self, searcher: tantivy.Searcher, limit: int, offset: int) -> Found:
        """So many finds, from an offset on."""
        total = words.seen(searcher, self.query, limit=1).total
        page = list(self.best[offset : offset + limit])
        if len(page) < limit and total > len(self.best):
            beyond = {"limit": limit - len(page), "offset": max(0, offset - len(self.best))}
            how = {"weight_by_field": "weight"}
            found = first = words.seen(searcher, self.rest, **beyond, **how).best
            if beyond["offset"]:
                first = words.seen(searcher, self.rest, limit=1, **how).best
            # Scores by words alone do not compare with the others, but must not rise again.
            lowest, highest = self.best[-1][0], first[0][0] if first else 1.0
            page += [(lowest * score / highest, each) for score, each in found]
        return Found(self.query, total, page)


def blended(
    searcher: tantivy.Searcher, kind: str, query: Words, narrowing: Sequence[Query]
) -> Blend | Found:
    """The ranking of a description of films or series; where words alone are to rank, the first
    `BY_WORDS` finds of them.

    So it is for names rather than descriptions, where a title has all the words, and where there
    are no vectors: none were made yet, or the embedder does not serve.
    """
    how = {"limit": BY_WORDS, "weight_by_field": "weight"}
    by_words = named = words.search(searcher, query, narrowing, **how)
    best = words.tier_of(named.best[0][0], query) if named.best else Tier.ELSEWHERE
    if best is Tier.TYPO and (described := _described(searcher, query, narrowing, how)):
        by_words = described
    elif not _tells(best, query):
        return named
    meaning = nearest.meaning_of(query.text)
    near = nearest.nearest(BY_NAME[kind], meaning, BY_MEANING) if meaning else []
    if meaning is None or not near:
        return named
    ids = dict.fromkeys([id_ for _, id_ in words.keys_of(searcher, by_words.best)] + near)
    these = Query.term_set_query(schema(), "key", [key_of(kind, id_) for id_ in ids])
    among = words.narrowed(Query.const_score_query(these, 0.0), narrowing)
    covered = Query.boolean_query([(Occur.Must, among), *_covering(searcher, query)])
    judged = searcher.search(covered, limit=len(ids), count=False, weight_by_field="weight").hits
    return Blend(
        _ranked(searcher, BY_NAME[kind], meaning, judged),
        Query.boolean_query([(Occur.Should, by_words.query), (Occur.Should, among)]),
        Query.boolean_query([(Occur.Must, by_words.query), (Occur.MustNot, among)]),
    )


def _tells(best: Tier, query: Words) -> bool:
    """Whether a query tells of a title, by how exact its best find is."""
    return best > Tier.TITLE if query.is_description else best is Tier.ELSEWHERE


def _described(
    searcher: tantivy.Searcher, query: Words, narrowing: Sequence[Query], how: Mapping[str, Any]
) -> Found | None:
    """What has any of the words, where they are too few to be a description by themselves, but were
    typed in a sentence; None for a name, which a title has, perhaps with typos.
    """
    if len(search_title(query.text).split()) < words.DESCRIPTION:
        return None
    found = words.seen(searcher, words.narrowed(words.description(query), narrowing), **how)
    return None if found.best and found.best[0][0] >= words.IN_TITLES else found


def _covering(searcher: tantivy.Searcher, query: Words) -> list[tuple[Occur, Query]]:
    """What gives a find the part of the query's words that it has, of 0 to 1."""
    rarities: dict[tuple[str, str], float] = {}
    for word in (word for unit in query.units for word in unit):
        for stem in stems(word):
            having = searcher.doc_freq("plot", stem)
            rarities[word, stem] = words.rarity(searcher.num_docs, having)
    whole = sum(rarities.values()) or 1.0
    return [
        (
            Occur.Should,
            Query.disjunction_max_query(
                [_worth("plot", stem, each / whole), _worth("keywords", word, each / whole)]
            ),
        )
        for (word, stem), each in rarities.items()
    ]


def _worth(field: str, word: str, score: float) -> Query:
    worth = score if field == "plot" else score * AS_KEYWORD
    return Query.const_score_query(Query.term_query(schema(), field, word, "freq"), worth)


def _ranked(searcher: tantivy.Searcher, kind: Kind, meaning: nearest.Meaning, judged: Best) -> Best:
    """The finds, by words and meaning together; of the best of these the sentences are read too."""
    ids = [id_ for _, id_ in words.keys_of(searcher, judged)]
    by_words = {id_: score for id_, (score, _) in zip(ids, judged, strict=True)}
    scores = mixed(kind, meaning, by_words)
    addresses = dict(zip(ids, (address for _, address in judged), strict=True))
    return [(scores[id_], addresses[id_]) for id_ in sorted(ids, key=lambda id_: -scores[id_])]


def mixed(kind: Kind, meaning: nearest.Meaning, by_words: dict[int, float]) -> dict[int, float]:
    """What titles are worth by words and meaning together, by id; `by_words` is which part of the
    words each has, of 0 to 1.
    """
    ids = list(by_words)
    cosines = nearest.cosines(kind, meaning, ids)
    scores = {id_: _mixed(by_words[id_], cosines.get(id_, 0.0)) for id_ in ids}
    read = sorted(ids, key=lambda id_: -scores[id_])[:READ]
    for id_, passage in nearest.passages(kind, meaning, read).items():
        cosine = cosines.get(id_, 0.0)
        scores[id_] = _mixed(by_words[id_], (cosine + max(cosine, passage)) / 2)
    return scores


def _mixed(by_words: float, cosine: float) -> float:
    return SCALE * (WORDS_WEIGHT * by_words + (1 - WORDS_WEIGHT) * max(cosine, 0.0))
