"""Finding by meaning with the outside engine, which knows all words, or the last ones less, but not
any of them. So the rarest words bring candidates, and vectors others; which of the words each has
is seen here, and what that is worth beside its meaning is as in `blending`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from marquee.catalogue.embeddings import nearest
from marquee.catalogue.embeddings.kinds import BY_NAME
from marquee.catalogue.search import blending
from marquee.catalogue.search.outside import queries
from marquee.catalogue.search.outside.documents import ELSEWHERE, IN_TITLES, id_of, key_of
from marquee.catalogue.search.outside.finding import (
    BY_WORDS,
    ID_AND_SCORE,
    SCALE,
    Listed,
    ask,
    narrowed,
)
from marquee.catalogue.search.schema import stems
from marquee.catalogue.search.words import Words, rarity
from marquee.services.meilisearch import Finds, Json

MOST_ASKED = 10
"""Words of one query that the engine looks at."""
BEGUN = 3
"""So many of the rarest words bring candidates, each with the rest."""
BROUGHT = 100
READ: Final = ["id", "plot", "keywords", "popularity"]
COUNT: Final[Json] = {"limit": 0, "facets": [queries.KIND]}

Rarity = dict[tuple[str, str], float]
"""How much each word counts, with its stem."""


def described(kinds: Sequence[str], words: Words, within: Sequence[str]) -> Listed | None:
    """All that is found for a description, the best first; None where words alone are to rank: for
    what may as well be a name, if a title has it or no meaning is known.
    """
    looked = _looked_up(words, within)
    titled = looked.titled
    if titled.hits and not words.is_description:
        return None
    kind = BY_NAME.get(kinds[0]) if len(kinds) == 1 and not titled.hits else None
    meaning = nearest.meaning_of(words.text) if kind else None
    near = nearest.nearest(kind, meaning, blending.BY_MEANING) if kind and meaning else []
    if not near and not words.is_description:
        return None
    covered = _covered(looked, within, [id_of(kinds[0], each) for each in near])
    if kind and meaning and near:
        by_words = {key_of(id_)[1]: worth for id_, worth in covered.items()}
        mixed = blending.mixed(kind, meaning, by_words)
        best = [(id_of(kinds[0], number), score) for number, score in mixed.items()]
    else:
        best = [(id_, SCALE * worth) for id_, worth in covered.items() if worth]
    best.sort(key=lambda each: -each[1])
    first = {hit.id: SCALE * (1 + hit.score) for hit in titled.hits}
    return [*first.items(), *(each for each in best if each[0] not in first)]


@dataclass(frozen=True)
class _Looked:
    titled: Finds
    """The titles that have all the words."""
    rarity: Rarity
    rare: list[str]
    """The stems that there are in plots, the rarest first."""


def _looked_up(words: Words, within: Sequence[str]) -> _Looked:
    spelled = [(word, stem) for unit in words.units for word in unit for stem in stems(word)]
    titled = narrowed(
        queries.named(words), within, **ID_AND_SCORE, attributesToSearchOn=list(IN_TITLES)
    )
    # Of more words the engine would look at the first alone, and find what is not called so.
    titled["limit"] = BY_WORDS if len(words.units) <= MOST_ASKED else 0
    asked = [{"q": f'"{stem}"', "attributesToSearchOn": ["plot"], **COUNT} for _, stem in spelled]
    found, everything, *counted = ask(titled, {"q": "", **COUNT}, *asked)
    number = queries.total(everything)
    numbers = dict(zip(spelled, map(queries.total, counted), strict=True))
    rarities = {each: rarity(number, having) for each, having in numbers.items()}
    rare = sorted(filter(numbers.get, numbers), key=lambda each: -rarities[each])
    return _Looked(found, rarities, [stem for _, stem in rare])


def _covered(looked: _Looked, within: Sequence[str], near: Sequence[str]) -> dict[str, float]:
    """What words bring and what is near: by id, which part of the words each has, of 0 to 1."""
    rare, rarity = looked.rare, looked.rarity
    asked = [
        narrowed(
            {"q": " ".join(rare[start : start + MOST_ASKED]), "matchingStrategy": "last"},
            within,
            attributesToSearchOn=list(ELSEWHERE),
            attributesToRetrieve=READ,
            limit=BROUGHT,
        )
        for start in range(min(BEGUN, len(rare)))
    ]
    if near:
        these = [*within, queries.one_of("id", near)]
        asked.append(narrowed({"q": "", "attributesToRetrieve": READ, "limit": len(near)}, these))
    brought = {hit.id: hit.fields for found in ask(*asked) for hit in found.hits} if asked else {}
    whole = sum(rarity.values()) or 1.0
    return {
        id_: _coverage(fields, rarity) / whole
        for id_, fields in sorted(
            brought.items(), key=lambda each: -float(each[1].get("popularity") or 0)
        )
    }


def _coverage(fields: Json, rarity: Rarity) -> float:
    plot = frozenset(str(fields.get("plot", "")).split())
    keywords = frozenset(str(fields.get("keywords", "")).split())
    return sum(
        worth if stem in plot else worth * blending.AS_KEYWORD if word in keywords else 0.0
        for (word, stem), worth in rarity.items()
    )
