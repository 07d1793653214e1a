"""A fake of The Movie Database, version 3 of its API, that its public client libraries can use.

    python -m tests.fakes.tmdb --port 8099

Paths, parameters, fields, pages, status codes and error bodies are TMDB's own, as its reference
(https://developer.themoviedb.org/docs/errors and /reference) and recorded answers have them. How it
can be broken is said in `tests/fakes/server.py` and `tests/fakes/faults.py`.
"""

import argparse
import re
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial

from tests.fakes import tmdb_parts as parts
from tests.fakes import tmdb_tv
from tests.fakes.exchange import Asked, Reply
from tests.fakes.server import FakeServer
from tests.fakes.tmdb_answers import PROBLEMS, Json, Refused, appended, paged, plain
from tests.fakes.tmdb_films import (
    COUNTRIES,
    COUNTRY_NAMES,
    ENGLISH,
    FILMS,
    GENRES,
    LANGUAGES,
    TRANSLATIONS,
    Film,
)

KEY = "0123456789abcdef0123456789abcdef"
"""A v3 API key that the fake accepts."""
TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJmYWtlIn0.c2lnbmF0dXJl"
"""A v4 read access token that the fake accepts."""


class FakeTmdb(FakeServer):
    """TMDB with 54 films and five series."""

    prefix = "/3"

    def answer(self, asked: Asked) -> Reply:
        """Answer as TMDB does: first the key, then the path."""
        try:
            _authenticate(asked)
            return _found(asked)
        except Refused as refused:
            return _problem(refused.code)

    def problem(self, status: int) -> Reply:
        """Answer one of TMDB's errors that has this HTTP status."""
        codes = [code for code, (each, _) in PROBLEMS.items() if each == status]
        reply = _problem(codes[-1] if codes else 11)
        headers = {"Retry-After": "1"} if status == 429 else {}
        return Reply(status, reply.value, headers)


def _problem(code: int) -> Reply:
    status, message = PROBLEMS[code]
    value = {"success": False, "status_code": code, "status_message": message}
    return Reply(status, value)


def _authenticate(asked: Asked) -> None:
    by_token = asked.headers.get("authorization") == f"Bearer {TOKEN}"
    if not by_token and asked.query.get("api_key") != KEY:
        raise Refused(7)


def _found(asked: Asked) -> Reply:
    if asked.method not in {"GET", "HEAD"}:
        raise Refused(42)
    for path, show in PATHS:
        if match := re.fullmatch(path, asked.path):
            return show(asked, *match.groups())
    raise Refused(34)


def _popular(asked: Asked) -> Reply:
    return _listed(asked, list(FILMS.values()))


def _search(asked: Asked) -> Reply:
    words = plain(asked.query.get("query", "")).split()
    if not words:
        return Reply(422, {"errors": ["query must be provided"]})
    first = asked.query.get("primary_release_year", "")
    year = asked.query.get("year", "") or first
    films = [
        film
        for film in FILMS.values()
        if film.released.startswith(first)
        and film.released.startswith(year)
        and all(word in _names(film) for word in words)
    ]
    return _listed(asked, films)


def _discover(asked: Asked) -> Reply:
    """Films by the filters that quizzes use: `|` is or, `,` is and."""
    query = asked.query
    wanted = query.get("with_genres", "")
    any_of = {int(each) for each in re.split(r"[|,]", wanted) if each}
    none_of = {int(each) for each in re.split(r"[|,]", query.get("without_genres", "")) if each}
    films = [
        film
        for film in FILMS.values()
        if (any if "|" in wanted else all)(genre in film.genres for genre in any_of)
        and not none_of & set(film.genres)
        and film.vote_count >= int(query.get("vote_count.gte", 0))
        and film.released >= query.get("primary_release_date.gte", "")
        and film.released <= query.get("primary_release_date.lte", "9999")
        and (film.minutes or 0) <= int(query.get("with_runtime.lte", 10_000))
    ]
    if query.get("sort_by") == "vote_average.desc":
        return _listed(asked, films, lambda film: -film.vote_average)
    return _listed(asked, films)


def _recommended(asked: Asked, number: str) -> Reply:
    """Films with the same first genre."""
    film = _film(number)
    alike = [each for each in FILMS.values() if each.genres[:1] == film.genres[:1]]
    return _listed(asked, [each for each in alike if each is not film])


def _names(film: Film) -> str:
    translated = [titles.get(film.id, "") for titles in TRANSLATIONS.values()]
    return plain(" ".join([film.title, film.original_title, *translated]))


def _listed(
    asked: Asked,
    films: Sequence[Film],
    order: Callable[[Film], float] = lambda film: -film.popularity,
) -> Reply:
    films = sorted(films, key=order)
    return paged(
        asked, films, lambda film: {**_common(film, asked), "genre_ids": list(film.genres)}
    )


def _common(film: Film, asked: Asked) -> Json:
    """Give what lists and details have in common, in the language that was asked for."""
    language = asked.query.get("language", "en-US")[:2]
    is_announced_only = not film.released
    return {
        "adult": False,
        "backdrop_path": None if is_announced_only else f"/backdrop{film.id}.jpg",
        "id": film.id,
        "original_language": film.language,
        "original_title": film.original_title,
        "overview": film.overview if language == "en" else "",
        "popularity": film.popularity,
        "poster_path": None if is_announced_only else f"/poster{film.id}.jpg",
        "release_date": film.released,
        "title": TRANSLATIONS.get(language, {}).get(film.id, film.title),
        "video": False,
        "vote_average": film.vote_average,
        "vote_count": film.vote_count,
    }


def _details(asked: Asked, number: str) -> Reply:
    film = _film(number)
    country = COUNTRIES[film.language]
    value = {
        **_common(film, asked),
        "belongs_to_collection": _collection(film),
        "budget": 0 if not film.released else 20_000_000,
        "genres": [{"id": genre, "name": GENRES[genre]} for genre in film.genres],
        "homepage": "",
        "imdb_id": film.imdb_id or None,
        "origin_country": [country],
        "production_companies": [
            {"id": 1, "logo_path": None, "name": "Fake Pictures", "origin_country": country}
        ],
        "production_countries": [{"iso_3166_1": country, "name": COUNTRY_NAMES[country]}],
        "revenue": 0 if not film.released else 100_000_000,
        "runtime": film.minutes,
        "spoken_languages": [
            {
                "english_name": ENGLISH[film.language],
                "iso_639_1": film.language,
                "name": LANGUAGES[film.language],
            }
        ],
        "status": "Released" if film.released else "Planned",
        "tagline": "",
    }
    return Reply(200, value | appended(asked, {name: partial(PARTS[name], film) for name in PARTS}))


def _film(number: str) -> Film:
    if int(number) not in FILMS:
        raise Refused(34)
    return FILMS[int(number)]


def _collection(film: Film) -> Json | None:
    return COLLECTION if film.title.startswith("The Lord of the Rings") else None


def _whole_collection(asked: Asked, number: str) -> Reply:
    if int(number) != COLLECTION["id"]:
        raise Refused(34)
    films = [film for film in FILMS.values() if _collection(film)]
    members = [
        {**_common(film, asked), "genre_ids": list(film.genres), "media_type": "movie"}
        for film in films
    ]
    return Reply(200, {**COLLECTION, "overview": "A ring and its end.", "parts": members})


def _external_ids(film: Film) -> Json:
    return {
        "imdb_id": film.imdb_id or None,
        "wikidata_id": "Q190050" if film.id == 550 else None,
        **parts.LINKS.get(film.id, parts.NO_LINKS),
    }


def _release_dates(film: Film) -> Json:
    def release(certification: str, kind: int, note: str = "") -> Json:
        return {
            "certification": certification,
            "descriptors": [],
            "iso_639_1": "",
            "note": note,
            "release_date": f"{film.released}T00:00:00.000Z",
            "type": kind,
        }

    if not film.released:
        return {"results": []}
    premiere, disc = release("", 1, "Film Festival"), release("NC-17", 5, "Uncut disc")
    american = {"iso_3166_1": "US", "release_dates": [premiere, disc]}
    if film.certification:
        american["release_dates"] = [premiere, disc, release(film.certification, 3)]
    return {"results": [american, {"iso_3166_1": "PL", "release_dates": [release("", 3)]}]}


def _translations(film: Film) -> Json:
    named = {
        language: names[film.id] for language, names in TRANSLATIONS.items() if film.id in names
    }
    return parts.translations("movie", film.title, film.overview, named)


PARTS: dict[str, Callable[[Film], Json]] = {
    "external_ids": _external_ids,
    "release_dates": _release_dates,
    "credits": lambda film: parts.credits("movie", film.id),
    "keywords": lambda film: parts.keywords("movie", film.id),
    "videos": lambda film: parts.videos("movie", film.id),
    "images": lambda film: parts.images("movie", film.id) if film.released else parts.NO_IMAGES,
    "watch/providers": lambda film: parts.watch_providers("movie", film.id),
    "translations": _translations,
}
COLLECTION: Json = {
    "id": 119,
    "name": "The Lord of the Rings Collection",
    "poster_path": "/poster119.jpg",
    "backdrop_path": "/backdrop119.jpg",
}


def _part(_asked: Asked, number: str, name: str) -> Reply:
    film = _film(number)
    if name not in PARTS:
        raise Refused(34)
    return Reply(200, {"id": film.id, **PARTS[name](film)})


def _find(asked: Asked, imdb_id: str) -> Reply:
    if asked.query.get("external_source") != "imdb_id":
        raise Refused(47)
    films = [film for film in FILMS.values() if film.imdb_id == imdb_id]
    results = [
        {**_common(film, asked), "genre_ids": list(film.genres), "media_type": "movie"}
        for film in films
    ]
    nothing: Json = {"person_results": [], "tv_episode_results": [], "tv_season_results": []}
    series = tmdb_tv.found(asked, imdb_id)
    return Reply(200, {"movie_results": results, **nothing, "tv_results": series})


def _genres(_asked: Asked) -> Reply:
    return Reply(200, {"genres": [{"id": genre, "name": GENRES[genre]} for genre in GENRES]})


def _configuration(_asked: Asked) -> Reply:
    images = {
        "base_url": "http://image.tmdb.org/t/p/",
        "secure_base_url": "https://image.tmdb.org/t/p/",
        "backdrop_sizes": ["w300", "w780", "w1280", "original"],
        "logo_sizes": ["w45", "w92", "w154", "w185", "w300", "w500", "original"],
        "poster_sizes": ["w92", "w154", "w185", "w342", "w500", "w780", "original"],
        "profile_sizes": ["w45", "w185", "h632", "original"],
        "still_sizes": ["w92", "w185", "w300", "original"],
    }
    keys = ["adult", "budget", "genres", "imdb_id", "overview", "release_dates", "runtime", "title"]
    return Reply(200, {"images": images, "change_keys": keys})


PATHS: tuple[tuple[str, Callable[..., Reply]], ...] = (
    (r"/3/movie/popular", _popular),
    (r"/3/search/movie", _search),
    (r"/3/discover/movie", _discover),
    (r"/3/movie/([0-9]{1,10})", _details),
    (r"/3/movie/([0-9]{1,10})/recommendations", _recommended),
    (r"/3/movie/([0-9]{1,10})/([a-z_/]{1,20})", _part),
    (r"/3/collection/([0-9]{1,10})", _whole_collection),
    (r"/3/find/([A-Za-z0-9]{1,20})", _find),
    *tmdb_tv.PATHS,
    (r"/3/genre/movie/list", _genres),
    (r"/3/configuration", _configuration),
)


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description="A fake of The Movie Database.")
    parser.add_argument("--port", type=int, default=8099)
    with FakeTmdb(parser.parse_args().port) as fake:
        print(f"TMDB_BASE_URL={fake.url} TMDB_API_KEY={KEY}", flush=True)  # noqa: T201
        with suppress(KeyboardInterrupt):
            threading.Event().wait()


if __name__ == "__main__":
    main()
