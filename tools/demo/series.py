"""The television half of the demo catalogue: read ``series.jsonl`` and check it."""

from __future__ import annotations

import json
import re
import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterator

FILE = Path(__file__).with_name("series.jsonl")

ATTRIBUTION = "Facts: public knowledge; text: Marquee (Apache-2.0)"
STATUSES = frozenset({"ended", "returning", "canceled"})
GENRES = frozenset(
    {
        "Action",
        "Adventure",
        "Animation",
        "Biography",
        "Children",
        "Comedy",
        "Crime",
        "Documentary",
        "Drama",
        "Family",
        "Fantasy",
        "History",
        "Horror",
        "Musical",
        "Mystery",
        "Reality",
        "Romance",
        "Science Fiction",
        "Sport",
        "Thriller",
        "War",
        "Western",
    },
)

TEXT: frozenset[type] = frozenset({str})
OPTIONAL_TEXT: frozenset[type] = frozenset({str, type(None)})
INTEGER: frozenset[type] = frozenset({int})
OPTIONAL_INTEGER: frozenset[type] = frozenset({int, type(None)})
NUMBER: frozenset[type] = frozenset({float})
OPTIONAL_NUMBER: frozenset[type] = frozenset({float, type(None)})
LIST: frozenset[type] = frozenset({list})

KEYS: dict[str, frozenset[type]] = {
    "kind": TEXT,
    "imdb_id": OPTIONAL_TEXT,
    "tmdb_id": OPTIONAL_INTEGER,
    "title": TEXT,
    "original_title": OPTIONAL_TEXT,
    "year": INTEGER,
    "first_air_date": OPTIONAL_TEXT,
    "last_air_date": OPTIONAL_TEXT,
    "status": TEXT,
    "episode_runtime_minutes": OPTIONAL_INTEGER,
    "age_rating": OPTIONAL_TEXT,
    "genres": LIST,
    "languages": LIST,
    "countries": LIST,
    "overview": TEXT,
    "tagline": OPTIONAL_TEXT,
    "networks": LIST,
    "creators": LIST,
    "cast_members": LIST,
    "vote_average": OPTIONAL_NUMBER,
    "vote_count": INTEGER,
    "popularity": NUMBER,
    "seasons": LIST,
    "attribution": TEXT,
}
SEASON_KEYS: dict[str, frozenset[type]] = {
    "season_number": INTEGER,
    "name": TEXT,
    "episode_count": INTEGER,
    "air_date": OPTIONAL_TEXT,
}
NAME_LISTS = ("genres", "languages", "countries", "networks", "creators", "cast_members")
REQUIRED_LISTS = ("genres", "languages", "countries", "cast_members", "seasons")

IMDB_ID = re.compile(r"tt\d{7,8}")
ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
FIRST_YEAR = 1928
TOP_POPULARITY = 100.0


def series(file: Path) -> Iterator[dict[str, Any]]:
    """Yield every series of the file in order; raise ValueError naming the first bad line."""
    seen: dict[str | tuple[str, int], int] = {}
    with file.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                record = _parse(line)
                for identity in (record["imdb_id"], (record["title"], record["year"])):
                    if identity is not None and seen.setdefault(identity, number) < number:
                        _fail(f"{identity} is already on line {seen[identity]}")
            except ValueError as error:
                message = f"{file.name}, line {number}: {error}"
                raise ValueError(message) from error
            yield record


def _parse(line: str) -> dict[str, Any]:
    """Return the series that the line describes."""
    record = json.loads(line)
    if not isinstance(record, dict):
        _fail("not a JSON object")
    _check_shape(record, KEYS)
    _check_values(record)
    _check_lists(record)
    _check_seasons(record["seasons"])
    _check_dates(record)
    return record


def _check_shape(record: dict[str, Any], keys: dict[str, frozenset[type]]) -> None:
    """Refuse missing, extra or disordered keys, values of another type and empty text."""
    if list(record) != list(keys):
        _fail(f"the keys are not, in this order, {', '.join(keys)}")
    for key, types in keys.items():
        if type(record[key]) not in types:
            _fail(f"{key} cannot be {record[key]!r}")
        if isinstance(record[key], str) and not record[key].strip():
            _fail(f"{key} is empty")


def _check_values(record: dict[str, Any]) -> None:
    """Refuse single values outside what they may be."""
    runtime = record["episode_runtime_minutes"]
    sound = {
        "kind": record["kind"] == "tvshow",
        "imdb_id": record["imdb_id"] is None or IMDB_ID.fullmatch(record["imdb_id"]),
        "year": record["year"] >= FIRST_YEAR,
        "status": record["status"] in STATUSES,
        "episode_runtime_minutes": runtime is None or runtime > 0,
        "vote_count": record["vote_count"] >= 0,
        "popularity": 0.0 <= record["popularity"] <= TOP_POPULARITY,
        "attribution": record["attribution"] == ATTRIBUTION,
    }
    for key, right in sound.items():
        if not right:
            _fail(f"{key} cannot be {record[key]!r}")


def _check_lists(record: dict[str, Any]) -> None:
    """Refuse lists that are empty without leave, repeat a name or hold anything but names."""
    for key in REQUIRED_LISTS:
        if not record[key]:
            _fail(f"{key} is empty")
    for key in NAME_LISTS:
        names = record[key]
        if not all(isinstance(name, str) and name.strip() for name in names):
            _fail(f"{key} holds something other than a name")
        if len(set(names)) < len(names):
            _fail(f"{key} names something twice")
    if unknown := set(record["genres"]) - GENRES:
        _fail(f"unknown genre: {', '.join(sorted(unknown))}")


def _check_seasons(seasons: list[Any]) -> None:
    """Refuse seasons that are not numbered from one without gaps, or have no episodes."""
    for number, season in enumerate(seasons, start=1):
        if not isinstance(season, dict):
            _fail(f"season {number} is not an object")
        _check_shape(season, SEASON_KEYS)
        if season["season_number"] != number:
            _fail(f"season {season['season_number']} stands where season {number} belongs")
        if season["episode_count"] < 1:
            _fail(f"season {number} has no episodes")


def _check_dates(record: dict[str, Any]) -> None:
    """Refuse dates that are no dates, run backwards or disagree with the year."""
    first, last = record["first_air_date"], record["last_air_date"]
    starts = [season["air_date"] for season in record["seasons"]]
    known = [_day(value) for value in (first, *starts, last) if value is not None]
    if known != sorted(known):
        _fail("the dates do not follow one another")
    if first is not None and _day(first).year != record["year"]:
        _fail(f"first_air_date {first} is not in {record['year']}")


def _day(value: str) -> date:
    """Return the date written as YYYY-MM-DD."""
    if not ISO_DATE.fullmatch(value):
        _fail(f"{value!r} is not a date like 2008-01-20")
    return date.fromisoformat(value)


def _fail(message: str) -> NoReturn:
    raise ValueError(message)


if __name__ == "__main__":
    count = sum(1 for _ in series(FILE))
    sys.stdout.write(f"{FILE.name}: {count} series, all in order\n")
