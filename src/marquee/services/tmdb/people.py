"""Reading what TMDB says of people."""

import re

from marquee.services.fields import Fields
from marquee.services.tmdb.reading import (
    IMAGE,
    LARGEST_ID,
    LONGEST_LABEL,
    LONGEST_NAME,
    LONGEST_TEXT,
    LONGEST_TITLE,
    NOTHING,
)
from marquee.services.tmdb.shapes import TmdbPerson

APPENDED = "combined_credits"
IMDB_ID = re.compile(r"nm[0-9]{5,10}")


def person_of(fields: Fields) -> TmdbPerson:
    """Somebody, with what they had a part in, each title once."""
    credits_ = fields.inner("combined_credits") or NOTHING
    titles = dict.fromkeys(
        found for part in ("cast", "crew") for found in credits_.each(part, _title)
    )
    return {
        "id": fields.identifier("id", LARGEST_ID),
        "name": fields.some_text("name", LONGEST_NAME),
        "imdb_id": fields.matching("imdb_id", IMDB_ID),
        "biography": fields.text("biography", LONGEST_TEXT),
        "birthday": fields.day("birthday"),
        "deathday": fields.day("deathday"),
        "place_of_birth": fields.text("place_of_birth", LONGEST_TITLE) or None,
        "known_for_department": fields.text("known_for_department", LONGEST_LABEL) or None,
        "profile_path": fields.matching("profile_path", IMAGE),
        "popularity": fields.number("popularity", largest=1e6),
        "movie_ids": [number for kind, number in titles if kind == "movie"],
        "tvshow_ids": [number for kind, number in titles if kind == "tv"],
    }


def _title(fields: Fields) -> tuple[str, int]:
    return fields.text("media_type", LONGEST_NAME), fields.identifier("id", LARGEST_ID)
