"""What is known of famous films beyond the database: four hand-written, tab-separated files.

``collections.tsv`` and ``studios.tsv`` have a name and the IMDb identifiers of its films;
``keywords.tsv`` has our own keywords, with commas, and ``translations.tsv`` titles in other
languages, each beside the identifier and the title of its film.
"""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LANGUAGES = ("de", "fr", "es")


def add_facts(films: list[dict[str, Any]], folder: Path) -> None:
    """Add ``collection``, ``studios``, ``keywords`` and ``translations`` to the films they are of.

    Raises ValueError for a film that is not there, or has another title, and for one that is
    in two collections.
    """
    by_id = {film["imdb_id"]: film for film in films}

    def find(file: str, imdb_id: str, title: str | None = None) -> dict[str, Any]:
        film = by_id.get(imdb_id)
        if film is None or title not in (None, film["title"]):
            message = f"{file}: {imdb_id} is not {title or 'there'}"
            raise ValueError(message)
        return film

    for name, ids in _rows(folder / "collections.tsv"):
        for imdb_id in ids.split():
            film = find("collections.tsv", imdb_id)
            if film.setdefault("collection", name) != name:
                message = f"collections.tsv: {imdb_id} is in two collections"
                raise ValueError(message)
    for name, ids in _rows(folder / "studios.tsv"):
        for imdb_id in ids.split():
            find("studios.tsv", imdb_id).setdefault("studios", []).append(name)
    for imdb_id, title, keywords in _rows(folder / "keywords.tsv"):
        find("keywords.tsv", imdb_id, title)["keywords"] = keywords.split(", ")
    for imdb_id, title, *titles in _rows(folder / "translations.tsv"):
        find("translations.tsv", imdb_id, title)["translations"] = {
            language: {"title": name} for language, name in zip(LANGUAGES, titles, strict=True)
        }


def _rows(file: Path) -> Iterator[list[str]]:
    """Yield the rows of a file, without the names of its columns."""
    with file.open(encoding="utf-8", newline="") as lines:
        reader = csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
        next(reader)
        yield from reader
