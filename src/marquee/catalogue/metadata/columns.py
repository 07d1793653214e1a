"""What TMDB says of a title as columns of the catalogue, within the bounds of the contract."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from marquee import clock
from marquee.catalogue.people.models import Job
from marquee.catalogue.titles import search_title, sort_title
from marquee.services.tmdb import (
    TmdbCastMember,
    TmdbCrewMember,
    TmdbDetails,
    TmdbMovie,
    TmdbShow,
    TmdbShowDetails,
    TmdbTitle,
    TmdbTranslation,
    TmdbWhole,
)

YEARS = range(1800, 2201)
MOST, MOST_VOTES, MOST_POPULAR = 50, 2**31 - 1, 1_000_000
MOST_KEYWORDS, MOST_PROVIDERS = 100, 2_000
MOST_CAST, MOST_OF_A_JOB = 500, 100
LONGEST_OVERVIEW, LONGEST_IMDB_ID = 5000, 12
ATTRIBUTION = "This product uses the TMDB API but is not endorsed or certified by TMDB."
"""As the terms of use of the API ask."""
GENRES = {
    28: "Action", 12: "Adventure", 16: "Animation", 35: "Comedy", 80: "Crime", 99: "Documentary",
    18: "Drama", 10751: "Family", 14: "Fantasy", 36: "History", 27: "Horror", 10402: "Music",
    9648: "Mystery", 10749: "Romance", 878: "Science Fiction", 10770: "TV Movie", 53: "Thriller",
    10752: "War", 37: "Western",
    10759: "Action & Adventure", 10762: "Kids", 10763: "News", 10764: "Reality",
    10765: "Sci-Fi & Fantasy", 10766: "Soap", 10767: "Talk", 10768: "War & Politics",
}  # fmt: skip
"""TMDB's genres of films and series by number; lists carry only the numbers."""
JOBS = {
    "Director": Job.DIRECTOR,
    "Screenplay": Job.WRITER,
    "Writer": Job.WRITER,
    "Story": Job.WRITER,
    "Creator": Job.CREATOR,
    "Director of Photography": Job.CINEMATOGRAPHER,
    "Original Music Composer": Job.COMPOSER,
    "Editor": Job.EDITOR,
}
"""TMDB's jobs that have a word of ours; the others keep theirs in small letters."""
ELSEWHERE = ("wikidata_id", "facebook_id", "instagram_id", "twitter_id")

Columns = dict[str, Any]


def listed_movie(movie: TmdbMovie) -> Columns:
    """A film of a list."""
    return _listed(movie, movie["release_date"]) | {"release_date": movie["release_date"]}


def listed_tvshow(show: TmdbShow) -> Columns:
    """A series of a list."""
    return _listed(show, show["first_air_date"]) | {"first_air_date": show["first_air_date"]}


def whole_movie(details: TmdbDetails) -> Columns:
    """A film with its details, without its collection."""
    return (
        listed_movie(details)
        | _whole(details)
        | {
            "runtime_minutes": details["runtime_minutes"],
            "budget_usd": details["budget_usd"],
            "revenue_usd": details["revenue_usd"],
        }
    )


def whole_tvshow(details: TmdbShowDetails) -> Columns:
    """A series with its details, without its seasons."""
    return (
        listed_tvshow(details)
        | _whole(details)
        | {
            "tvdb_id": details["tvdb_id"],
            "last_air_date": details["last_air_date"],
            "show_type": details["show_type"][:50].lower() or None,
            "episode_runtime_minutes": details["episode_runtime_minutes"],
            "networks": [network["name"] for network in details["networks"]][:MOST],
        }
    )


def people(*members: TmdbCastMember | TmdbCrewMember) -> list[Columns]:
    """Everybody who had a part, once, with the most that is said of them."""
    found: dict[int, Columns] = {}
    for member in members:
        new = {name: member[name] for name in PERSON}  # type: ignore[literal-required]
        said = found.setdefault(member["id"], new)
        said.update({name: value for name, value in new.items() if value and not said[name]})
    return list(found.values())


PERSON = ("id", "name", "profile_path", "known_for_department", "popularity")


def credits_of(whole: TmdbWhole) -> list[Columns]:
    """Who had which job, each once, by TMDB's ids of people and in the order of billing."""
    credits_: dict[tuple[int, str], Columns] = {}
    played = sorted(whole["cast"], key=lambda member: member["order"])
    for position, actor in enumerate(played[:MOST_CAST]):
        credit = {
            "person": actor["id"],
            "job": Job.ACTOR.value,
            "department": None,
            "character": actor["character"] or None,
            "position": position,
        }
        credits_.setdefault((actor["id"], Job.ACTOR), credit)
    counts: dict[str, int] = {}
    for member in whole["crew"]:
        job = job_of(member["job"])
        if (member["id"], job) in credits_ or counts.get(job, 0) == MOST_OF_A_JOB:
            continue
        position = counts.get(job, 0)
        counts[job] = position + 1
        credits_[member["id"], job] = {
            "person": member["id"],
            "job": job,
            "department": None if member["job"] in JOBS else member["department"],
            "character": None,
            "position": position,
        }
    return list(credits_.values())


def job_of(job: str) -> str:
    """Our word for a job of TMDB, else its own in small letters."""
    return JOBS[job].value if job in JOBS else job.lower()


def translations(found: Iterable[TmdbTranslation]) -> list[Columns]:
    """The words in other languages than English, which the title itself holds.

    Of several countries with one language, that of the same name (`de-DE`), else the first, stands
    for the language; the others say their country.
    """
    ordered = sorted(found, key=lambda each: each["country"].lower() != each["language"])
    taken: dict[str, Columns] = {}
    for each in ordered:
        language = each["language"]
        if language == "en":
            continue
        name = language if language not in taken else f"{language}-{each['country']}"
        words = {
            "title": each["title"] or None,
            "overview": each["overview"][:LONGEST_OVERVIEW] or None,
            "tagline": each["tagline"] or None,
        }
        taken.setdefault(name, {"language": name, **words})
    return list(taken.values())


def _listed(title: TmdbTitle, released: date | None) -> Columns:
    year = released.year if released else None
    original = title["original_title"]
    return {
        "tmdb_id": title["id"],
        "title": title["title"],
        "original_title": original if original != title["title"] else None,
        "search_title": search_title(title["title"]),
        "sort_title": sort_title(title["title"]),
        "year": year if year and year in YEARS else None,
        "overview": title["overview"][:LONGEST_OVERVIEW] or None,
        "original_language": title["original_language"],
        "genres": [GENRES[number] for number in title["genre_ids"] if number in GENRES][:MOST],
        "poster_path": title["poster_path"],
        "backdrop_path": title["backdrop_path"],
        "vote_average": title["vote_average"] if title["vote_count"] else None,
        "vote_count": min(title["vote_count"], MOST_VOTES),
        "popularity": min(title["popularity"], MOST_POPULAR),
        "attribution": ATTRIBUTION,
    }


def _whole(whole: TmdbWhole) -> Columns:
    imdb_id = whole["imdb_id"]
    external: Mapping[str, Any] = whole["external_ids"]
    return {
        "imdb_id": imdb_id if imdb_id and len(imdb_id) <= LONGEST_IMDB_ID else None,
        "tagline": whole["tagline"][:500] or None,
        "status": whole["status"][:50].lower() or None,
        "age_rating": whole["certifications"].get("US", "")[:20] or None,
        "genres": [genre["name"][:50] for genre in whole["genres"]][:MOST],
        "keywords": list(dict.fromkeys(each[:100] for each in whole["keywords"]))[:MOST_KEYWORDS],
        "studios": [studio["name"] for studio in whole["studios"]][:MOST],
        "languages": [each[:50] for each in whole["language_names"]][:MOST],
        "countries": [each[:100] for each in whole["country_names"]][:MOST],
        "trailer_url": whole["trailer_url"],
        "homepage": _short(whole["homepage"]),
        "images": whole["images"],
        "watch_providers": whole["watch_providers"][:MOST_PROVIDERS],
        "external_ids": {name: external[name] for name in ELSEWHERE if external[name]},
        "metadata_updated_at": clock.now(),
    }


def _short(address: str | None) -> str | None:
    """An address as it is or not at all: half of one leads nowhere."""
    return address if address and len(address) <= 500 else None  # noqa: PLR2004
