"""Rules about series."""

from typing import Literal, Unpack

from sqlalchemy import ARRAY, Integer, Text, bindparam, case, cast, extract

from marquee.catalogue.images.addresses import poster_url
from marquee.catalogue.listing import Listed, Listing
from marquee.catalogue.translations.languages import Asked
from marquee.catalogue.tvshows.models import TVShow

OVER = ("ended", "canceled", "cancelled")
"""What sources call a series that does not go on."""
END_YEAR = case(
    (TVShow.status.in_(OVER), cast(extract("year", TVShow.last_air_date), Integer))
).label("end_year")
INTERNAL = ("search_title", "sort_title", "title_words", "images", "external_ids")
DETAILS = (
    *(each for each in TVShow.__table__.columns if each.key not in INTERNAL),
    END_YEAR,
    poster_url(TVShow),
)
ONLY_IN_DETAILS = (
    *("attribution", "metadata_updated_at", "homepage", "trailer_url", "keywords", "studios"),
    *("languages", "countries", "external_ratings", "metacritic_score", "watch_providers"),
    *("air_days", "episode_runtime_minutes"),
)
LISTING = Listing(
    TVShow,
    [each for each in DETAILS if each.key not in ONLY_IN_DETAILS],
    {
        "network": TVShow.networks.overlap(cast(bindparam("network"), ARRAY(Text))),
        "status": TVShow.status.in_(bindparam("status", expanding=True)),
        "min_seasons": TVShow.total_seasons >= bindparam("min_seasons"),
        "max_seasons": TVShow.total_seasons <= bindparam("max_seasons"),
    },
    {
        "popularity": TVShow.popularity,
        "title": TVShow.sort_title,
        "year": TVShow.year,
        "first_air_date": TVShow.first_air_date,
        "rating": TVShow.vote_average,
        "rt_score": TVShow.rt_score,
        "metacritic": TVShow.metacritic_score,
        "seasons": TVShow.total_seasons,
        "added": TVShow.added_at,
    },
)


class Filters(Asked, total=False):
    """What `GET /tvshows` can be narrowed by, and the language of the answer."""

    query: str
    year_from: int
    year_to: int
    min_score: float
    age_rating: list[str]
    genre: list[str]
    country: list[str]
    network: list[str]
    status: list[str]
    min_seasons: int
    max_seasons: int
    min_rt_score: int
    min_metacritic: int
    has_awards: bool
    watch_status: Literal["any", "watched", "unwatched"]
    min_watchers: int
    max_watchers: int


def listed(sort: str, order: str, viewer_id: int | None = None, **asked: Unpack[Filters]) -> Listed:
    """The series that pass all filters, in order and in the language asked for."""
    return LISTING.listed(sort, order, viewer_id, **asked)
