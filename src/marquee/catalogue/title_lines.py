"""One line of a title file: what it must be, and what it becomes.

A line is a JSON object of one of two shapes. Ours has a `kind`, `movie` or `tvshow`, and the fields
below; only `title` is required. The loose one, of other people's files, has no `kind`, other names
(`ALIASES`) and lists as text with commas. Keys that nobody knows are passed over; a value that is
not what its key says is not.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote

import orjson

from marquee.catalogue.line_checks import (
    FIRST_YEAR,
    LAST_YEAR,
    WEB_ADDRESS,
    BadLine,
    Check,
    checked,
    day,
    formed,
    minutes,
    named,
    number,
    numbered,
    text,
    texts,
    whole,
)
from marquee.catalogue.titles import search_title, sort_title

Kind = Literal["movie", "tvshow"]

MAX_LINE = 2**20
MAX_SEASONS, MAX_EPISODES = 1_000, 50_000
MAX_NUMBERED = 2_000
"""Episodes of a season: that may be said, and that are made of their number alone."""
INT32, SAFE = 2**31 - 1, 2**53 - 1
"""The greatest number of TMDB, and the greatest that JavaScript holds exactly."""

COMMA = re.compile(r",(?!\s*(?:Jr|Sr)\b|\s*(?:II|III|IV)\s*(?:,|$))")
"""Between two names, but not within `Robert Downey, Jr.`"""


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
    values = checked(found, FIELDS[kind])
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
        {"source": source, "value": f"{score:g}{unit}", "score": round(score * 10 / most, 2)}
        for name, (source, most, unit) in SCORES.items()
        if (score := values.pop(name)) is not None
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


def _seasons(value: object) -> list[dict[str, Any]] | None:
    seasons: list[dict[str, Any]] | None = numbered("season_number", SEASON, MAX_SEASONS)(value)
    rows = sum(
        max(len(season["episodes"] or ()), min(season["episode_count"] or 0, MAX_NUMBERED))
        for season in seasons or ()
    )
    if rows > MAX_EPISODES:
        raise BadLine(f"have more than {MAX_EPISODES} episodes")
    return seasons


IMDB_ID = formed(re.compile(r"tt[0-9]{7,10}"), 20, "tt0073195")
LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Z]{2})?")
ADDRESS = formed(WEB_ADDRESS, 500, "https://example.org/page")
PICTURE = formed(re.compile(r"/[A-Za-z0-9_-]+\.[a-z]{3,4}"), 100, "/name.jpg, as TMDB has it")
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
EPISODE: dict[str, Check] = {
    "episode_number": whole(0, 32_767),
    "title": text(300),
    "overview": text(5000, lines=True),
    "air_date": day,
    "runtime_minutes": minutes,
    "imdb_id": IMDB_ID,
    "tvdb_id": whole(1, INT32),
}
SEASON: dict[str, Check] = {
    "season_number": whole(0, 32_767),
    "name": text(300),
    "overview": text(5000, lines=True),
    "episode_count": whole(0, INT32),
    "air_date": day,
    "episodes": numbered("episode_number", EPISODE, MAX_NUMBERED),
}
TRANSLATION: dict[str, Check] = {
    "title": text(500),
    "overview": text(5000, lines=True),
    "tagline": text(500),
}
SCORES = {
    "metacritic": ("metacritic", 100, "/100"),
    "rotten_tomatoes": ("rotten_tomatoes", 100, "%"),
    "rotten_tomatoes_audience": ("rotten_tomatoes_audience", 100, "%"),
    "imdb_rating": ("imdb", 10, "/10"),
    "letterboxd": ("letterboxd", 5, "/5"),
    "mdblist": ("mdblist", 100, "/100"),
}
"""Ratings elsewhere: the source's name, its greatest, and how it writes that."""
COMMON: dict[str, Check] = {
    "imdb_id": IMDB_ID,
    "tmdb_id": whole(1, INT32),
    "title": text(500),
    "original_title": text(500),
    "year": whole(FIRST_YEAR, LAST_YEAR),
    "overview": text(5000, lines=True),
    "tagline": text(500),
    "status": text(50),
    "original_language": formed(LANGUAGE, 10, "en"),
    "languages": texts(50, 50),
    "countries": texts(100, 50),
    "genres": texts(50, 50),
    "keywords": texts(100, 100),
    "studios": texts(200, 50),
    "age_rating": text(20),
    "poster_path": PICTURE,
    "backdrop_path": PICTURE,
    "trailer_url": ADDRESS,
    "homepage": ADDRESS,
    "awards_summary": text(500),
    "vote_average": number(0, 10),
    "vote_count": whole(0, INT32),
    "popularity": number(0, 1_000_000),
    "metacritic": whole(0, 100),
    "rotten_tomatoes": whole(0, 100),
    "rotten_tomatoes_audience": whole(0, 100),
    "imdb_rating": number(0, 10),
    "letterboxd": number(0, 5),
    "mdblist": number(0, 100),
    "attribution": text(500),
    "translations": named(LANGUAGE, TRANSLATION, 200),
    "directors": texts(300, 100),
    "writers": texts(300, 100),
    "creators": texts(300, 100),
    "cast_members": texts(300, 500),
    "cinematographers": texts(300, 100),
    "composers": texts(300, 100),
    "editors": texts(300, 100),
}
FIELDS: dict[str, dict[str, Check]] = {
    "movie": COMMON
    | {
        "release_date": day,
        "runtime_minutes": minutes,
        "collection": text(300),
        "box_office_usd": whole(0, SAFE),
    },
    "tvshow": COMMON
    | {
        "tvdb_id": whole(1, INT32),
        "show_type": text(50),
        "first_air_date": day,
        "last_air_date": day,
        "air_days": texts(20, 7, DAYS),
        "episode_runtime_minutes": minutes,
        "networks": texts(100, 50),
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
    "thetvdb": "tvdb_id",
    "awards": "awards_summary",
}
SERIES_KEYS = ("premiered", "network", "tvmaze_id")
WITH_COMMAS = (
    *("directors", "writers", "creators", "cast_members"),
    *("languages", "countries", "genres", "keywords"),
)


def _from_loose(found: dict[str, Any]) -> tuple[Kind, dict[str, Any]]:
    """What a line of the loose shape is, and the same in our names."""
    kind: Kind = "tvshow" if _given(found, SERIES_KEYS) else "movie"
    runtime = "runtime_minutes" if kind == "movie" else "episode_runtime_minutes"
    ours = dict(found)
    for old, new in (ALIASES | {"runtime": runtime}).items():
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
