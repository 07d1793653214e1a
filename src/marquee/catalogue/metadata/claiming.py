"""TMDB ids for titles that the catalogue knows without one."""

from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Integer,
    Select,
    SmallInteger,
    Text,
    any_,
    bindparam,
    func,
    literal,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import aliased

from marquee.catalogue.movies.models import Movie
from marquee.catalogue.titles import search_title
from marquee.catalogue.tvshows.models import TVShow
from marquee.db import rows, session


class Named(NamedTuple):
    """What a title is called: any of `words` (`search_title`), in a year."""

    id: int
    words: frozenset[str]
    year: int | None


def named(id: int, year: int | None, *titles: str | None) -> Named:  # noqa: A002 - as the field
    """The same by what its titles are."""
    return Named(id, frozenset(search_title(title) for title in titles if title), year)


def same_titles(ours: Iterable[Named], theirs: Iterable[Named]) -> dict[int, int]:
    """Which of our titles is which of TMDB's, by name and year: those that have just one such."""
    called: dict[tuple[str, int], set[int]] = {}
    for title in theirs:
        if title.year is not None:
            for words in title.words:
                called.setdefault((words, title.year), set()).add(title.id)
    pairs = {
        (title.id, tmdb_id)
        for title in ours
        if title.year is not None
        for words in title.words
        for tmdb_id in called.get((words, title.year), ())
    }
    here, there = Counter(ours for ours, _ in pairs), Counter(theirs for _, theirs in pairs)
    return {ours: theirs for ours, theirs in pairs if here[ours] == there[theirs] == 1}


def claim(model: type[Movie | TVShow], tmdb_ids: Mapping[int, int]) -> bool:
    """Give titles without a TMDB id these, by their own ids, unless other titles have them; whether
    any got its own.
    """
    wanted = (
        func.unnest(
            literal([*tmdb_ids.keys()], ARRAY(BigInteger)),
            literal([*tmdb_ids.values()], ARRAY(Integer)),
        )
        .table_valued("id", "tmdb_id", name="wanted")
        .render_derived()
    )
    other = aliased(model)
    known = select(other.id).where(other.tmdb_id == wanted.c.tmdb_id)
    claimed = (
        update(model)
        .where(model.id == wanted.c.id, model.tmdb_id.is_(None), ~known.exists())
        .values(tmdb_id=wanted.c.tmdb_id)
        .returning(model.id)
        .execution_options(synchronize_session=False)
    )
    try:
        with session.begin_nested():
            return bool(session.execute(claimed).all())
    except IntegrityError:
        # A title with such an id has been saved since the statement began.
        return False


def claim_listed(model: type[Movie | TVShow], listed: Mapping[int, Mapping[str, Any]]) -> bool:
    """Give titles of the catalogue the TMDB ids of those of a list, columns by TMDB id, that are
    new and are called the same; whether any got its own.
    """
    ids, same_words = _queries(model)
    known = {row.tmdb_id for row in rows(ids, {"tmdb_ids": [*listed]})}
    new = [
        named(tmdb_id, title["year"], title["title"], title["original_title"])
        for tmdb_id, title in listed.items()
        if tmdb_id not in known
    ]
    if not new:
        return False
    words = frozenset().union(*(title.words for title in new))
    asked = {
        "words": [*words],
        # A `sort_title` is the `search_title` or all of it but the first word.
        "sorted": [*words, *(each.partition(" ")[2] for each in words)],
        "years": [title.year for title in new],
    }
    ours = [
        Named(row.id, frozenset({row.search_title}), row.year) for row in rows(same_words, asked)
    ]
    claimed = same_titles(ours, new)
    return bool(claimed) and claim(model, claimed)


@cache
def _queries(
    model: type[Movie | TVShow],
) -> tuple[Select[int | None], Select[int, str, int | None]]:
    """Which `tmdb_ids` the catalogue has; and the titles without one that have these words and
    years, locked in the order of their ids.
    """
    ids = select(model.tmdb_id).where(
        model.tmdb_id == any_(bindparam("tmdb_ids", type_=ARRAY(Integer)))
    )
    same_words = (
        select(model.id, model.search_title, model.year)
        .where(
            model.sort_title == any_(bindparam("sorted", type_=ARRAY(Text))),
            model.search_title == any_(bindparam("words", type_=ARRAY(Text))),
            model.year == any_(bindparam("years", type_=ARRAY(SmallInteger))),
            model.tmdb_id.is_(None),
        )
        .order_by(model.id)
        .with_for_update()
    )
    return ids, same_words
