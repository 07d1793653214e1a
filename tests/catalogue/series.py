"""A few series for tests, with all that series can have or lack."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

from marquee.catalogue.tvshows.models import Episode, Season, TVShow

Make = Callable[..., Any]


def rating(source: str, score: float) -> dict[str, Any]:
    return {"source": source, "value": str(score), "score": score}


def make_series(make: Make) -> dict[str, TVShow]:
    """Save them; by title."""
    rows: list[dict[str, Any]] = [
        {
            "title": "Breaking Bad",
            "year": 2008,
            "first_air_date": date(2008, 1, 20),
            "last_air_date": date(2013, 9, 29),
            "status": "ended",
            "vote_average": 8.9,
            "popularity": 98,
            "age_rating": "TV-MA",
            "genres": ["Crime", "Drama"],
            "networks": ["AMC"],
            "countries": ["United States"],
            "awards_summary": "Won 16 Primetime Emmys.",
            "external_ratings": [rating("rotten_tomatoes", 9.6), rating("metacritic", 8.7)],
        },
        {
            "title": "Les Revenants",
            "year": 2012,
            "first_air_date": date(2012, 11, 26),
            "last_air_date": date(2015, 10, 19),
            "status": "canceled",
            "vote_average": 7.4,
            "popularity": 20,
            "age_rating": "TV-MA",
            "genres": ["Drama", "Horror"],
            "networks": ["Canal+"],
            "countries": ["France"],
            "external_ratings": [rating("rotten_tomatoes", 10)],
        },
        {
            "title": "名探偵コナン",
            "year": 1996,
            "first_air_date": date(1996, 1, 8),
            "last_air_date": date(2026, 11, 21),
            "status": "returning series",
            "vote_average": 7.8,
            "popularity": 60,
            "age_rating": "TV-14",
            "genres": ["Animation", "Crime"],
            "networks": ["ytv", "NTV"],
            "countries": ["Japan"],
            "external_ratings": [rating("metacritic", 6)],
        },
        {"title": "An Announcement", "popularity": 0, "status": "planned"},
    ]
    moments = (datetime(2026, 1, day, tzinfo=UTC) for day in range(1, 29))
    made = {row["title"]: make(TVShow, added_at=next(moments), **row) for row in rows}
    for title, seasons in (("Breaking Bad", 5), ("Les Revenants", 2), ("名探偵コナン", 31)):
        for number in range(seasons + 1):
            make(Season, tvshow_id=made[title].id, season_number=number, episode_count=10)
    return made


def make_episodes(make: Make, show: TVShow, **counts: int) -> list[Episode]:
    """Save episodes of new seasons of a series: `s1=3` is three of season 1. In their order."""
    made = []
    for name, count in counts.items():
        number = int(name.removeprefix("s"))
        season = make(Season, tvshow_id=show.id, season_number=number, episode_count=99)
        made += [make(Episode, season_id=season.id, episode_number=n + 1) for n in range(count)]
    return made
