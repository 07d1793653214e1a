"""Reading what TMDB says of films."""

from marquee.services.fields import Fields
from marquee.services.tmdb.reading import (
    COUNTRY,
    LONGEST_NAME,
    LONGEST_TEXT,
    collection_of,
    minutes_of,
    title_of,
    whole_of,
)
from marquee.services.tmdb.shapes import TmdbDetails, TmdbMovie, TmdbWholeCollection

APPENDED = "release_dates,external_ids,credits,keywords,videos,images,watch/providers,translations"
THEATRICAL = 3
"""The release type of cinemas; others are premieres, discs, television."""


def movie_of(fields: Fields) -> TmdbMovie:
    """A film as lists show it."""
    return {**title_of(fields, "title"), "release_date": fields.day("release_date")}


def details_of(fields: Fields) -> TmdbDetails:
    """A film with all that was appended."""
    whole = whole_of(fields, "title", _certifications(fields.inner("release_dates")))
    collection = fields.inner("belongs_to_collection")
    return {
        **movie_of(fields),
        **whole,
        # The details have `genres` where the lists have `genre_ids`.
        "genre_ids": [genre["id"] for genre in whole["genres"]],
        "runtime_minutes": minutes_of(fields),
        "budget_usd": fields.count("budget") or None,
        "revenue_usd": fields.count("revenue") or None,
        "collection": collection_of(collection) if collection else None,
    }


def whole_collection_of(fields: Fields) -> TmdbWholeCollection:
    """A collection with its films."""
    parts = fields.each("parts", movie_of)
    return {
        **collection_of(fields),
        "overview": fields.text("overview", LONGEST_TEXT),
        "parts": sorted(
            parts, key=lambda film: (film["release_date"] is None, film["release_date"])
        ),
    }


def _certifications(fields: Fields | None) -> dict[str, str]:
    """Choose one age rating for each country: of the cinema release, else of any other."""
    found: dict[str, str] = {}
    for country in fields.inners("results") if fields else []:
        releases = country.inners("release_dates")
        releases.sort(key=lambda release: release.count("type") != THEATRICAL)
        ratings = [release.text("certification", LONGEST_NAME) for release in releases]
        code = country.matching("iso_3166_1", COUNTRY)
        if code and any(ratings):
            found[code] = next(rating for rating in ratings if rating)
    return found
