"""The part of the fake TMDB that answers for series and people."""

from collections.abc import Callable, Sequence
from typing import Any

from tests.fakes import tmdb_parts as parts
from tests.fakes.exchange import Asked, Reply
from tests.fakes.tmdb_answers import Json, Refused, appended, paged, plain
from tests.fakes.tmdb_films import COUNTRIES, COUNTRY_NAMES, ENGLISH, FILMS, LANGUAGES
from tests.fakes.tmdb_series import (
    GENRES,
    SERIES,
    TRANSLATIONS,
    Series,
    episode,
    network,
    season,
    season_head,
)


def found(asked: Asked, imdb_id: str) -> list[Json]:
    """The series of an IMDb id, as `/find` lists them."""
    series = [each for each in SERIES.values() if each.imdb_id == imdb_id]
    return [{**_listed_one(each, asked), "media_type": "tv"} for each in series]


def _search(asked: Asked) -> Reply:
    words = plain(asked.query.get("query", "")).split()
    if not words:
        return Reply(422, {"errors": ["query must be provided"]})
    year = asked.query.get("first_air_date_year", "")
    series = [
        each
        for each in SERIES.values()
        if each.first.startswith(year) and all(word in _names(each) for word in words)
    ]
    return _listed(asked, series)


def _recommended(asked: Asked, number: str) -> Reply:
    """Series with a genre in common."""
    series = _series(number)
    alike = [each for each in SERIES.values() if {*each.genres} & {*series.genres}]
    return _listed(asked, [each for each in alike if each is not series])


def _names(series: Series) -> str:
    translated = [names.get(series.id, "") for names in TRANSLATIONS.values()]
    return plain(" ".join([series.name, series.original_name, *translated]))


def _listed(asked: Asked, series: Sequence[Series]) -> Reply:
    ordered = sorted(series, key=lambda each: -each.popularity)
    return paged(asked, ordered, lambda each: _listed_one(each, asked))


def _listed_one(series: Series, asked: Asked) -> Json:
    return {**_common(series, asked), "genre_ids": list(series.genres)}


def _common(series: Series, asked: Asked) -> Json:
    language = asked.query.get("language", "en-US")[:2]
    return {
        "adult": False,
        "backdrop_path": f"/tvbackdrop{series.id}.jpg",
        "first_air_date": series.first,
        "id": series.id,
        "name": TRANSLATIONS.get(language, {}).get(series.id, series.name),
        "origin_country": [COUNTRIES[series.language]],
        "original_language": series.language,
        "original_name": series.original_name,
        "overview": series.overview if language == "en" else "",
        "popularity": series.popularity,
        "poster_path": f"/tvposter{series.id}.jpg",
        "vote_average": series.vote_average,
        "vote_count": series.vote_count,
    }


def _details(asked: Asked, number: str) -> Reply:
    series = _series(number)
    country, numbers = COUNTRIES[series.language], range(len(series.seasons) + 1)
    last = episode(series, len(series.seasons), series.seasons[-1])
    last_head = {name: last[name] for name in last if name not in ("crew", "guest_stars")}
    value = {
        **_common(series, asked),
        "created_by": parts.creators(series.id),
        "episode_run_time": [series.minutes] if series.minutes else [],
        "genres": [{"id": genre, "name": GENRES[genre]} for genre in series.genres],
        "homepage": "https://www.hbo.com/chernobyl" if series.id == 87108 else "",
        "in_production": series.status == "Returning Series",
        "languages": [series.language],
        "last_air_date": series.last,
        "last_episode_to_air": last_head,
        "next_episode_to_air": None,
        "networks": [network(series)],
        "number_of_episodes": sum(series.seasons),
        "number_of_seasons": len(series.seasons),
        "production_companies": [
            {
                "id": 2,
                "logo_path": "/fake.png",
                "name": "Fake Television",
                "origin_country": country,
            }
        ],
        "production_countries": [{"iso_3166_1": country, "name": COUNTRY_NAMES[country]}],
        "seasons": [head for each in numbers if (head := season_head(series, each))],
        "spoken_languages": [
            {
                "english_name": ENGLISH[series.language],
                "iso_639_1": series.language,
                "name": LANGUAGES[series.language],
            }
        ],
        "status": series.status,
        "tagline": "",
        "type": series.kind,
    }
    return Reply(200, value | appended(asked, _parts(series)))


def _parts(series: Series) -> dict[str, Callable[[], Json]]:
    names = {
        language: each[series.id] for language, each in TRANSLATIONS.items() if series.id in each
    }
    rating = {"descriptors": [], "iso_3166_1": "US", "rating": series.rating}
    german = {"descriptors": [], "iso_3166_1": "DE", "rating": "16"}
    return {
        "content_ratings": lambda: {"results": [german, rating]},
        "external_ids": lambda: {
            "imdb_id": series.imdb_id,
            "freebase_mid": None,
            "freebase_id": None,
            "tvdb_id": series.tvdb_id,
            "tvrage_id": None,
            "wikidata_id": None,
            **parts.NO_LINKS,
        },
        "credits": lambda: parts.credits("tv", series.id),
        "keywords": lambda: parts.keywords("tv", series.id),
        "videos": lambda: parts.videos("tv", series.id),
        "images": lambda: parts.images("tv", series.id),
        "watch/providers": lambda: parts.watch_providers("tv", series.id),
        "translations": lambda: parts.translations("tv", series.name, series.overview, names),
    }


def _part(_asked: Asked, number: str, name: str) -> Reply:
    series = _series(number)
    make = _parts(series).get(name)
    if make is None:
        raise Refused(34)
    return Reply(200, {"id": series.id, **make()})


def _season(_asked: Asked, number: str, season_number: str) -> Reply:
    whole = season(_series(number), int(season_number))
    if whole is None:
        raise Refused(34)
    return Reply(200, whole)


def _episode(asked: Asked, number: str, season_number: str, episode_number: str) -> Reply:
    whole: Any = _season(asked, number, season_number).value
    for each in whole["episodes"]:
        if each["episode_number"] == int(episode_number):
            return Reply(200, {name: each[name] for name in each if name != "show_id"})
    raise Refused(34)


def _series(number: str) -> Series:
    if int(number) not in SERIES:
        raise Refused(34)
    return SERIES[int(number)]


def _person(asked: Asked, number: str) -> Reply:
    if int(number) not in parts.PEOPLE:
        raise Refused(34)
    person = parts.whole_person(int(number))
    return Reply(
        200, person | appended(asked, {"combined_credits": lambda: _combined(asked, number)})
    )


def _combined(asked: Asked, number: str) -> Json:
    def shown(kind: str, title: int, credit: Json) -> Json:
        if kind == "tv":
            return {**_listed_one(SERIES[title], asked), **credit, "media_type": kind}
        film = FILMS[title]
        return {"id": film.id, "title": film.title, **credit, "media_type": kind}

    cast, crew = parts.titles_of(int(number))
    return {"cast": [shown(*each) for each in cast], "crew": [shown(*each) for each in crew]}


def _genres(_asked: Asked) -> Reply:
    return Reply(200, {"genres": [{"id": genre, "name": GENRES[genre]} for genre in GENRES]})


PATHS: tuple[tuple[str, Callable[..., Reply]], ...] = (
    (r"/3/search/tv", _search),
    (r"/3/tv/([0-9]{1,10})", _details),
    (r"/3/tv/([0-9]{1,10})/recommendations", _recommended),
    (r"/3/tv/([0-9]{1,10})/season/([0-9]{1,5})", _season),
    (r"/3/tv/([0-9]{1,10})/season/([0-9]{1,5})/episode/([0-9]{1,5})", _episode),
    (r"/3/tv/([0-9]{1,10})/([a-z_/]{1,20})", _part),
    (r"/3/person/([0-9]{1,10})", _person),
    (r"/3/genre/tv/list", _genres),
)
