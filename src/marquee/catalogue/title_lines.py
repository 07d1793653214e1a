"""One line of a title file: what it must be, and what it becomes.

A line is a JSON object of one of two shapes. Ours has a `kind`, `movie` or `tvshow`, and the fields
below; only `title` is required. The loose one, of other people's files, has no `kind`, other names
(`ALIASES`) and lists as text with commas. Keys that nobody knows are passed over; a value that is
not what its key says is not.
"""

import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal
from urllib.parse import quote

import orjson

from marquee.catalogue.titles import search_title, sort_title

Kind = Literal["movie", "tvshow"]
Check = Callable[[Any], Any]

MAX_LINE = 2**20
MAX_SEASONS = 1_000
FIRST_YEAR, LAST_YEAR = 1800, 2200
INT32, SAFE = 2**31 - 1, 2**53 - 1
"""The greatest number of TMDB, and the greatest that JavaScript holds exactly."""

IMDB_ID = re.compile(r"tt[0-9]{7,10}")
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
WEB_ADDRESS = re.compile(r"https?://[^\s\"<>]+")
COMMA = re.compile(r",(?!\s*(?:Jr|Sr)\b|\s*(?:II|III|IV)\s*(?:,|$))")
"""Between two names, but not within `Robert Downey, Jr.`"""


class BadLine(ValueError):
    """The line cannot be loaded; the message says why."""


@dataclass(frozen=True, slots=True)
class Title:
    """A good line: the columns of its table, and lists of names and seasons. None is "not said"."""

    kind: Kind
    values: dict[str, Any]


def read_title(line: bytes) -> Title:
    """The title of a line. Raises BadLine."""
    found = _object(line)
    kind = found.get("kind")
    if kind is None:
        kind, found = _from_loose(found)
    if kind not in ("movie", "tvshow"):
        raise BadLine("kind: is neither movie nor tvshow")
    values = {}
    for name, check in FIELDS[kind].items():
        given = found.get(name)
        try:
            values[name] = None if given is None else check(given)
        except BadLine as error:
            raise BadLine(f"{name}: {error}") from None
    if values["title"] is None:
        raise BadLine("title: is missing")
    return Title(kind, _columns(kind, values))


def _object(line: bytes) -> dict[str, Any]:
    if len(line) > MAX_LINE:
        raise BadLine("is longer than 1 MiB")
    try:
        line.decode()
    except UnicodeDecodeError:
        raise BadLine("is not UTF-8") from None
    try:
        found = orjson.loads(line)
    except orjson.JSONDecodeError:
        raise BadLine("is not JSON") from None
    if not isinstance(found, dict):
        raise BadLine("is not a JSON object")
    return found


def _columns(kind: Kind, values: dict[str, Any]) -> dict[str, Any]:
    """Turn the checked fields into columns."""
    scores = [
        {"source": source, "value": f"{score}{unit}", "score": score / 10}
        for source, unit in (("metacritic", "/100"), ("rotten_tomatoes", "%"))
        if (score := values.pop(source)) is not None
    ]
    released = values["release_date" if kind == "movie" else "first_air_date"]
    if values["year"] is None and released is not None:
        values["year"] = int(released[:4])
    if kind == "movie":
        values["revenue_usd"] = values.pop("box_office_usd")
    return {
        **values,
        "search_title": search_title(values["title"]),
        "sort_title": sort_title(values["title"]),
        "external_ratings": scores or None,
    }


def _text(limit: int, *, lines: bool = False) -> Check:
    """Text of at most `limit` characters; on one line, unless it may have several."""

    def check(value: object) -> str | None:
        if not isinstance(value, str):
            raise BadLine("is not text")
        if "\0" in value:
            raise BadLine("contains a NUL character")
        text = value.strip() if lines else " ".join(value.split())
        if len(text) > limit:
            raise BadLine(f"is longer than {limit} characters")
        return text or None

    return check


def _texts(limit: int, most: int) -> Check:
    """A list of at most `most` texts, each kept once, in its place."""
    check_one = _text(limit)

    def check(value: object) -> list[str] | None:
        if not isinstance(value, list):
            raise BadLine("is not a list")
        texts = dict.fromkeys(text for one in value if (text := check_one(one)) is not None)
        if len(texts) > most:
            raise BadLine(f"has more than {most} entries")
        return list(texts) or None

    return check


def _number(low: float, high: float) -> Check:
    def check(value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise BadLine("is not a number")
        if not low <= value <= high:  # not a number (NaN) is in no range
            raise BadLine(f"is not within {low} and {high}")
        return value

    return check


def _whole(low: int, high: int) -> Check:
    """A whole number. 90.0 is one: tools that know only floating point write it so."""
    check_range = _number(low, high)

    def check(value: object) -> int:
        number = check_range(value)
        if number != int(number):
            raise BadLine("is not a whole number")
        return int(number)

    return check


def _minutes(value: object) -> int | None:
    """Minutes, of which 0 is what many files say for "unknown"."""
    return _whole(0, 100_000)(value) or None


def _imdb_id(value: object) -> str | None:
    text: str | None = _text(20)(value)
    if text is not None and not IMDB_ID.fullmatch(text):
        raise BadLine("is not like tt0073195")
    return text


def _day(value: object) -> str | None:
    text: str | None = _text(20)(value)
    if text is None:
        return None
    with suppress(ValueError):
        if DAY.fullmatch(text) and FIRST_YEAR <= date.fromisoformat(text).year <= LAST_YEAR:
            return text
    raise BadLine(f"is not a date of {FIRST_YEAR} to {LAST_YEAR} like 1975-06-20")


def _seasons(value: object) -> list[dict[str, Any]] | None:
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise BadLine("is not a list of objects")
    seasons = []
    for one in value:
        season = {
            name: None if one.get(name) is None else check(one[name]) for name, check in SEASON
        }
        if season["season_number"] is None:
            raise BadLine("has one without a season_number")
        seasons.append(season)
    if len({season["season_number"] for season in seasons}) != len(seasons):
        raise BadLine("has a season twice")
    if len(seasons) > MAX_SEASONS:
        raise BadLine(f"has more than {MAX_SEASONS} entries")
    return seasons or None


SEASON = (
    ("season_number", _whole(0, 32_767)),
    ("name", _text(300)),
    ("episode_count", _whole(0, INT32)),
    ("air_date", _day),
)
COMMON = {
    "imdb_id": _imdb_id,
    "tmdb_id": _whole(1, INT32),
    "title": _text(500),
    "original_title": _text(500),
    "year": _whole(FIRST_YEAR, LAST_YEAR),
    "overview": _text(5000, lines=True),
    "tagline": _text(500),
    "status": _text(50),
    "languages": _texts(50, 50),
    "countries": _texts(100, 50),
    "genres": _texts(50, 50),
    "age_rating": _text(20),
    "vote_average": _number(0, 10),
    "vote_count": _whole(0, INT32),
    "popularity": _number(0, 1_000_000),
    "metacritic": _whole(0, 100),
    "rotten_tomatoes": _whole(0, 100),
    "attribution": _text(500),
    "directors": _texts(300, 100),
    "writers": _texts(300, 100),
    "creators": _texts(300, 100),
    "cast_members": _texts(300, 500),
}
FIELDS: dict[str, dict[str, Check]] = {
    "movie": COMMON
    | {
        "release_date": _day,
        "runtime_minutes": _minutes,
        "box_office_usd": _whole(0, SAFE),
    },
    "tvshow": COMMON
    | {
        "first_air_date": _day,
        "last_air_date": _day,
        "episode_runtime_minutes": _minutes,
        "networks": _texts(100, 50),
        "seasons": _seasons,
    },
}
"""What our shape may say of each kind. The limits are those of the contract's answers."""

ALIASES = {
    "cast": "cast_members",
    "director": "directors",
    "writer": "writers",
    "creator": "creators",
    "language": "languages",
    "country": "countries",
    "mpaa": "age_rating",
    "rt_meter": "rotten_tomatoes",
    "rating": "vote_average",
    "premiered": "first_air_date",
}
SERIES_KEYS = ("premiered", "network", "tvmaze_id")
WITH_COMMAS = (
    *("directors", "writers", "creators", "cast_members"),
    *("languages", "countries", "genres"),
)


def _from_loose(found: dict[str, Any]) -> tuple[Kind, dict[str, Any]]:
    """What a line of the loose shape is, and the same in our names."""
    kind: Kind = "tvshow" if _given(found, SERIES_KEYS) else "movie"
    minutes = "runtime_minutes" if kind == "movie" else "episode_runtime_minutes"
    ours = dict(found)
    for old, new in (ALIASES | {"runtime": minutes}).items():
        if found.get(new) is None:
            ours[new] = found.get(old)
    for name in WITH_COMMAS:
        if isinstance(ours.get(name), str):
            ours[name] = COMMA.split(ours[name])
    if ours.get("networks") is None and ours.get("network") is not None:
        ours["networks"] = [ours["network"]]
    if isinstance(ours.get("status"), str):
        ours["status"] = ours["status"].lower()
    if ours.get("attribution") is None:
        ours["attribution"] = _attribution(found)
    return kind, ours


def _given(found: dict[str, Any], names: Iterable[str]) -> bool:
    return any(found.get(name) is not None for name in names)


def _attribution(found: dict[str, Any]) -> str | None:
    """Whom the licence of the text asks to name. Raises BadLine."""
    page, show = found.get("wikipedia"), found.get("tvmaze_url")
    if page is not None:
        if not isinstance(page, str):
            raise BadLine("wikipedia: is not text")
        address = quote(page, safe="%/:;,()!*'@&=+$~")
        return f"Wikipedia (CC BY-SA 4.0): https://en.wikipedia.org/wiki/{address}"
    if show is not None:
        if not isinstance(show, str) or not WEB_ADDRESS.fullmatch(show):
            raise BadLine("tvmaze_url: is not a web address")
        return f"TVmaze (CC BY-SA 4.0): {show}"
    return None
