"""The series that the fake TMDB knows.

Titles, dates, lengths and ids are those of the real series; overviews, votes, popularity and the
ids of seasons and episodes are invented.
"""

from datetime import date, timedelta
from typing import Any, NamedTuple

Json = dict[str, Any]

GENRES = {
    10759: "Action & Adventure",
    16: "Animation",
    35: "Comedy",
    80: "Crime",
    99: "Documentary",
    18: "Drama",
    10751: "Family",
    10762: "Kids",
    9648: "Mystery",
    10763: "News",
    10764: "Reality",
    10765: "Sci-Fi & Fantasy",
    10766: "Soap",
    10767: "Talk",
    10768: "War & Politics",
    37: "Western",
}
NETWORKS = {
    "AMC": (174, "/alqLicR1ZMHMaZGP3xRQxn9sq7p.png", "US"),
    "HBO": (49, "/tuomPhY2UtuPTqqFnKMVHvSb724.png", "US"),
    "Netflix": (213, "/wwemzKWzjKYJFfCeiB57q3r4Bcm.png", ""),
}
TRANSLATIONS = {"fr": {1399: "Game of Thrones : Le Trône de fer"}}


class Series(NamedTuple):
    """One series. `seasons` are the numbers of their episodes, from the first season on."""

    id: int
    imdb_id: str
    tvdb_id: int
    name: str
    original_name: str
    language: str
    first: str
    last: str
    minutes: int
    seasons: tuple[int, ...]
    specials: int
    genres: tuple[int, ...]
    network: str
    rating: str
    status: str
    kind: str
    popularity: float
    vote_average: float
    vote_count: int
    overview: str


SERIES = {
    each.id: each
    for each in (
        Series(
            1396, "tt0903747", 81189, "Breaking Bad", "Breaking Bad", "en",
            "2008-01-20", "2013-09-29", 45, (7, 13, 13, 13, 16), 2, (18, 80), "AMC", "TV-MA",
            "Ended", "Scripted", 301.2, 8.9, 14800,
            "A teacher of chemistry who has not long to live begins to cook.",
        ),
        Series(
            1399, "tt0944947", 121361, "Game of Thrones", "Game of Thrones", "en",
            "2011-04-17", "2019-05-19", 60, (10, 10, 10, 10, 10, 10, 7, 6), 0, (10765, 18), "HBO",
            "TV-MA", "Ended", "Scripted", 188.4, 8.5, 24100,
            "Noble families fight for one chair while winter comes.",
        ),
        Series(
            87108, "tt7366338", 360893, "Chernobyl", "Chernobyl", "en",
            "2019-05-06", "2019-06-03", 0, (5,), 0, (18,), "HBO", "TV-MA",
            "Ended", "Miniseries", 61.5, 8.7, 6300, "A reactor burns; those who know are silent.",
        ),
        Series(
            70523, "tt5753856", 334824, "Dark", "Dark", "de",
            "2017-12-01", "2020-06-27", 53, (10, 8, 8), 0, (80, 18, 9648, 10765), "Netflix",
            "TV-MA", "Ended", "Scripted", 71.1, 8.4, 6900,
            "Children vanish from a small town, as others did 33 years before.",
        ),
        Series(
            94997, "tt11198330", 371572, "House of the Dragon", "House of the Dragon", "en",
            "2022-08-21", "2024-08-04", 0, (10, 8), 0, (10765, 18), "HBO", "TV-MA",
            "Returning Series", "Scripted", 233.0, 8.4, 5100,
            "A house of dragon riders tears itself apart.",
        ),
    )
}  # fmt: skip


def season(series: Series, number: int) -> Json | None:
    """A season with its episodes, as `/tv/{id}/season/{number}` shows it; None where none is."""
    numbers = (series.specials, *series.seasons)
    if number >= len(numbers) or not numbers[number]:
        return None
    return {
        "_id": f"5256c89f19c2956ff6046d{series.id % 100:02}",
        "air_date": _day(series, number, 1),
        "episodes": [episode(series, number, each + 1) for each in range(numbers[number])],
        "name": f"Season {number}" if number else "Specials",
        "overview": f"The part of the story that season {number} tells.",
        "id": series.id * 100 + number,
        "poster_path": f"/season{series.id}x{number}.jpg",
        "season_number": number,
        "vote_average": 8.1,
        "networks": [network(series)],
    }


def season_head(series: Series, number: int) -> Json | None:
    """A season as `/tv/{id}` lists it."""
    whole = season(series, number)
    if whole is None:
        return None
    episodes = whole.pop("episodes")
    kept = {name: whole[name] for name in whole if name not in ("_id", "networks")}
    return {**kept, "episode_count": len(episodes)}


def episode(series: Series, season_number: int, number: int) -> Json:
    """An episode, with its crew and guests."""
    is_last = season_number == len(series.seasons) and number == series.seasons[-1]
    return {
        "air_date": _day(series, season_number, number),
        "episode_number": number,
        "episode_type": "finale" if is_last else "standard",
        "id": series.id * 10_000 + season_number * 100 + number,
        "name": "Pilot"
        if (series.id, season_number, number) == (1396, 1, 1)
        else f"Episode {number}",
        "overview": f"What happens in part {number}.",
        "production_code": "",
        "runtime": series.minutes or 62,
        "season_number": season_number,
        "show_id": series.id,
        "still_path": f"/still{series.id}x{season_number}x{number}.jpg",
        "vote_average": 8.2,
        "vote_count": 180,
        "crew": CREW.get(series.id, []) if season_number else [],
        "guest_stars": GUESTS.get(series.id, []) if season_number else [],
    }


def network(series: Series) -> Json:
    """The network of a series."""
    number, logo, country = NETWORKS[series.network]
    return {"id": number, "logo_path": logo, "name": series.network, "origin_country": country}


def _day(series: Series, season_number: int, number: int) -> str:
    """The first season a year, one episode a week."""
    first = date.fromisoformat(series.first)
    year = first.replace(year=first.year + max(season_number - 1, 0))
    return (year + timedelta(weeks=number - 1)).isoformat()


CREW: dict[int, list[Json]] = {
    1396: [
        {
            "job": "Director",
            "department": "Directing",
            "credit_id": "52542275760ee313280006ce",
            "adult": False,
            "gender": 2,
            "id": 66633,
            "known_for_department": "Writing",
            "name": "Vince Gilligan",
            "original_name": "Vince Gilligan",
            "popularity": 5.7,
            "profile_path": "/z3E0DhBg1V1PZVEtS9vfFPzOWYB.jpg",
        }
    ]
}
GUESTS: dict[int, list[Json]] = {
    1396: [
        {
            "character": "Steven Gomez",
            "credit_id": "5271b489760ee35b3e0881a7",
            "order": 8,
            "adult": False,
            "gender": 2,
            "id": 61535,
            "known_for_department": "Acting",
            "name": "Steven Michael Quezada",
            "original_name": "Steven Michael Quezada",
            "popularity": 3.2,
            "profile_path": "/pVYrDkwI6GWvCNL2kJhpDJfBFyd.jpg",
        }
    ]
}
