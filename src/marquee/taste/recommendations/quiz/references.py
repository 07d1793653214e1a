"""The films that people name in a quiz, found in the catalogue in spite of typos."""

import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

import structlog
from sqlalchemy import ARRAY, BigInteger, Row, any_, bindparam, func, select

from marquee.catalogue.movies.models import Movie
from marquee.catalogue.movies.sources import client, source, titled
from marquee.catalogue.search import words
from marquee.catalogue.search.index import reader
from marquee.catalogue.titles import search_title, sort_title
from marquee.catalogue.translations.models import Translation
from marquee.db import checkpoint, rows, session
from marquee.errors import Unavailable

log = structlog.get_logger("marquee")

MOST_NAMED, LOOKED_AT = 4, 8
ALIKE = 0.8
"""How much of a name must be as it was written."""
BEGINS, LEAST_BEGINNING = 0.92, 4
"""What the beginning of a name is worth, from so many letters on."""
OF_YEAR, POPULAR = 0.2, 0.003
"""What the right year adds, and each point of popularity, of 100."""
YEAR = re.compile(r"\(?\b((?:18|19|20)\d\d)\b\)?\s*$")
SEPARATORS = re.compile(r"\s*[,;/|\n]\s*|\s+(?:and|or|und|oder|y|et|ou|или|и)\s+", re.IGNORECASE)
ONE_OF = Movie.id == any_(bindparam("ids", type_=ARRAY(BigInteger)))
NAMES = select(
    Movie.id,
    Movie.title,
    Movie.original_title,
    Movie.year,
    Movie.popularity,
    select(func.array_agg(Translation.title))
    .where(Translation.movie_id == Movie.id, Translation.title.is_not(None))
    .scalar_subquery()
    .label("translated"),
).where(ONE_OF)


@dataclass(frozen=True)
class _Name:
    """What somebody calls a film."""

    text: str
    year: int | None


def found(favorites: Sequence[str], *, is_strict: bool = False) -> list[tuple[int, ...]]:
    """The ids of the films that each person names, none where the catalogue has nothing so called.

    What the catalogue lacks is looked for at TMDB, where there is a key: no connection is held
    meanwhile. While TMDB does not serve nothing is found; whoever `is_strict` is told so, by
    Unavailable or TimedOut.
    """
    named = [_names(each) for each in favorites]
    every = list(dict.fromkeys(name for names in named for name in names))
    known = _in_catalogue(every)
    ids = []
    for whole, *parts in named:
        these = [known.get(whole)] if whole in known else [known.get(each) for each in parts]
        if whole.text and not any(these):
            these = [_at_tmdb(whole, is_strict=is_strict)]
        ids.append(tuple(dict.fromkeys(each for each in these if each is not None)))
    return ids


def indexed(kind: str, text: str) -> list[int]:
    """The ids that the search index finds for a name, the likeliest first. Raises Unavailable."""
    reader.refresh()
    with reader.searching() as searcher:
        how = {"limit": LOOKED_AT, "weight_by_field": "weight"}
        hits = words.search(searcher, words.words_of(text), [words.only(kind)], **how)
        return [id_ for _, id_ in words.keys_of(searcher, hits.best)]


def alike(written: str, called: str) -> float:
    """How much of a name is as it was written, 0 to 1; also where only its beginning was."""
    count = len(written.split())
    begins = " ".join(called.split()[:count])
    whole = SequenceMatcher(None, written, called).ratio()
    if begins == called or len(written) < LEAST_BEGINNING:
        return whole
    return max(whole, BEGINS * SequenceMatcher(None, written, begins).ratio())


def _names(favorite: str) -> list[_Name]:
    """The whole of what was written, and its parts if it may be several."""
    parts = [each for each in SEPARATORS.split(favorite) if each.strip()]
    return [_name(each) for each in (favorite, *(parts[:MOST_NAMED] if len(parts) > 1 else ()))]


def _name(written: str) -> _Name:
    year = YEAR.search(written)
    text = written[: year.start()].strip() if year else written.strip()
    # `1917` and `2001` are names, not years of nothing.
    return _Name(text, int(year[1])) if year and text else _Name(written.strip(), None)


def _in_catalogue(names: Iterable[_Name]) -> dict[_Name, int]:
    hits = {name: _hits(name.text) for name in names if name.text}
    ids = {each for found in hits.values() for each in found}
    films = {row.id: row for row in rows(NAMES, {"ids": list(ids)})} if ids else {}
    best = {
        name: _best(name, [films[each] for each in found if each in films])
        for name, found in hits.items()
    }
    return {name: each for name, each in best.items() if each is not None}


def _hits(text: str) -> list[int]:
    """Films that may be meant: by the search index, which this machine may lack or have of another
    day, and by whole words.
    """
    found: list[int] = []
    with suppress(Unavailable):
        found = indexed("movie", text)
    by_words = select(Movie.id).where(titled(Movie, text, None))
    popular = by_words.order_by(Movie.popularity.desc()).limit(LOOKED_AT)
    return list(dict.fromkeys((*found, *session.scalars(popular))))


def _best(name: _Name, films: Sequence[Row[Any]]) -> int | None:
    """The film whose name is most as it was written; of those nearly equal that of the year, else
    the popular.
    """
    judged = []
    for film in films:
        likeness = _likeness(name.text, film)
        if likeness >= ALIKE:
            of_year = name.year is not None and film.year == name.year
            judged.append((likeness + OF_YEAR * of_year + POPULAR * film.popularity, film.id))
    return max(judged)[1] if judged else None


def _likeness(text: str, film: Row[Any]) -> float:
    names = {film.title, film.original_title, *(film.translated or ())} - {None}
    written = {search_title(text), sort_title(text)}
    called = {fold(name) for name in names for fold in (search_title, sort_title)}
    return max(alike(a, b) for a in written for b in called)


def _at_tmdb(name: _Name, *, is_strict: bool) -> int | None:
    if client() is None:
        return None
    checkpoint()
    try:
        results = source().search(name.text, 1, name.year, "en-US").results
    except Unavailable as error:
        if is_strict:
            raise
        log.warning("quiz_film_not_looked_up", error=error.message)
        return None
    ids = [each["id"] for each in results[:LOOKED_AT]]
    return _best(name, rows(NAMES, {"ids": ids})) if ids else None
