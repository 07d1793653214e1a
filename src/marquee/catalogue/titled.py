"""What films and series have in common."""

from datetime import datetime
from typing import Any

from sqlalchemy import Computed, SmallInteger, Text, func
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column


def _score_of(source: str) -> Computed:
    """The score that a source gives, of 100, out of `external_ratings`: there it is said."""
    path = f'$[*] ? (@.source == "{source}").score'
    score = f"jsonb_path_query_first(external_ratings, '{path}')"
    return Computed(f"round(({score})::numeric * 10)::smallint", persisted=True)


class Titled:
    """The columns of a title. Genres, studios and networks are named; their own tables know more.

    `search_title` is the title without accents and case, `sort_title` also without its article.
    """

    tmdb_id: Mapped[int | None] = mapped_column(unique=True)
    imdb_id: Mapped[str | None] = mapped_column(unique=True)
    title: Mapped[str]
    original_title: Mapped[str | None]
    search_title: Mapped[str]
    sort_title: Mapped[str]
    year: Mapped[int | None] = mapped_column(SmallInteger)
    overview: Mapped[str | None]
    tagline: Mapped[str | None]
    status: Mapped[str | None]
    original_language: Mapped[str | None]
    languages: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    countries: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    genres: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    keywords: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    studios: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    age_rating: Mapped[str | None]
    poster_path: Mapped[str | None]
    backdrop_path: Mapped[str | None]
    vote_average: Mapped[float | None]
    vote_count: Mapped[int] = mapped_column(server_default="0")
    popularity: Mapped[float] = mapped_column(server_default="0")
    trailer_url: Mapped[str | None]
    homepage: Mapped[str | None]
    awards_summary: Mapped[str | None]
    external_ratings: Mapped[list[Any]] = mapped_column(JSONB, server_default="[]")
    """Objects with `source` (`metacritic`, `rotten_tomatoes`, `rotten_tomatoes_audience`, `imdb`,
    `letterboxd`, `mdblist`), `value` as the source writes it, and `score`, of 10."""
    rt_score: Mapped[int | None] = mapped_column(SmallInteger, _score_of("rotten_tomatoes"))
    metacritic_score: Mapped[int | None] = mapped_column(SmallInteger, _score_of("metacritic"))
    images: Mapped[list[Any]] = mapped_column(JSONB, server_default="[]", deferred=True)
    """All known pictures: objects with `image_type` (`poster`, `backdrop`, `logo`), `path`,
    `width`, `height`, `language`, `vote_average` and `vote_count`."""
    watch_providers: Mapped[list[Any]] = mapped_column(JSONB, server_default="[]", deferred=True)
    """Where it is to be seen: objects with `country`, `kind` (`flatrate`, `free`, `ads`, `rent`,
    `buy`), `provider_id`, `name` and `logo_path`."""
    external_ids: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}", deferred=True)
    """What others call it: `wikidata_id`, `facebook_id`, `instagram_id`, `twitter_id`."""
    attribution: Mapped[str | None]
    added_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now())
    metadata_updated_at: Mapped[datetime | None]
