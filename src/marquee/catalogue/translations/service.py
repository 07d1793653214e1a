"""Titles in other languages."""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from sqlalchemy import ARRAY, BigInteger, Row, Select, Text, any_, bindparam, func, select
from sqlalchemy.orm import InstrumentedAttribute

from marquee.catalogue.translations.models import Translation
from marquee.db import as_dict, rows

STORED = "en"
"""What is stored counts as English where no translation says otherwise: who reads that wants none
of the languages that come after it.
"""
TEXTS = ("title", "overview", "tagline")


def translated(
    found: Sequence[Row[*tuple[Any, ...]]],
    owner: InstrumentedAttribute[int | None],
    languages: tuple[str, ...],
) -> Sequence[Any]:
    """Rows of titles with their texts in the first of these languages that there are any in, by
    one query; none where no language is asked for.

    `de-at` is also content with `de`, and with that of another country; what is not translated
    stays as it is stored. `owner` is `Translation.movie_id` or `Translation.tvshow_id`.
    """
    languages = _until_stored(languages)
    if not languages or not found:
        return found
    values = {
        "ids": [row.id for row in found],
        "primaries": sorted({_primary(each) for each in languages}),
    }
    by_title: dict[int, list[Row[Any]]] = {}
    for row in rows(_translations(owner), values):
        by_title.setdefault(row.title_id, []).append(row)
    return [
        as_dict(row) | _texts(row, by_title[row.id], languages) if row.id in by_title else row
        for row in found
    ]


def named(
    found: Sequence[Row[*tuple[Any, ...]]],
    owner: InstrumentedAttribute[int | None],
    languages: tuple[str, ...],
) -> list[dict[str, Any]]:
    """Rows of titles as they are, with a `localized_name` beside: the title in the first of these
    languages, None where there is none.
    """
    names = {
        title["id"]: title["title"]
        for title in translated(found, owner, languages)
        if isinstance(title, dict)
    }
    return [as_dict(row) | {"localized_name": names.get(row.id)} for row in found]


@cache
def _translations(owner: InstrumentedAttribute[int | None]) -> Select[Any]:
    primary = func.split_part(func.lower(Translation.language), "-", 1)
    return (
        select(
            owner.label("title_id"),
            func.lower(Translation.language).label("language"),
            *(getattr(Translation, each) for each in TEXTS),
        )
        .where(
            owner == any_(bindparam("ids", type_=ARRAY(BigInteger))),
            primary == any_(bindparam("primaries", type_=ARRAY(Text))),
        )
        .order_by(Translation.id)
    )


def _until_stored(languages: tuple[str, ...]) -> tuple[str, ...]:
    primaries = [_primary(each) for each in languages]
    return languages[: primaries.index(STORED) + 1] if STORED in primaries else languages


def _texts(
    title: Row[*tuple[Any, ...]], translations: Iterable[Row[Any]], languages: tuple[str, ...]
) -> dict[str, str]:
    """The texts of a title that the first language has which has any."""
    for language in languages:
        same = [each for each in translations if _primary(each.language) == _primary(language)]
        same.sort(key=lambda each: (each.language != language, "-" in each.language))
        if same:
            return {
                name: text
                for name in TEXTS
                if name in title._fields
                and (text := next(filter(None, (getattr(each, name) for each in same)), None))
            }
    return {}


def _primary(language: str) -> str:
    return language.partition("-")[0]
