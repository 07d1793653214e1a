"""The Movie Database, API version 3 (https://developer.themoviedb.org/reference).

What comes out is checked and cleaned: ids are ids, texts have a bounded length and no NUL, an empty
date is None, scores are in their range, an unknown runtime, budget or revenue (which TMDB writes 0)
is None. A bad item in a list is skipped and logged; a bad document is a failure of TMDB.
"""

import re
from datetime import date
from typing import TypedDict

import structlog
from structlog.typing import FilteringBoundLogger

from marquee.errors import Invalid
from marquee.services.fields import Fields, Malformed
from marquee.services.http import Timing, Upstream, UpstreamNotFound

BASE_URL = "https://api.themoviedb.org/3"
LAST_PAGE = 500
"""TMDB counts further, but refuses to show more."""
LARGEST_ID = 2**31 - 1
LONGEST_TITLE, LONGEST_TEXT, LONGEST_NAME = 500, 10_000, 200
"""In characters; what is longer is cut."""

IMAGE = re.compile(r"/[A-Za-z0-9_-]{1,80}\.(?:jpg|jpeg|png|svg|webp)")
IMDB_ID = re.compile(r"tt[0-9]{5,12}")
WIKIDATA_ID = re.compile(r"Q[1-9][0-9]{0,12}")
LANGUAGE = re.compile(r"[a-z]{2,3}")
COUNTRY = re.compile(r"[A-Z]{2}")
WEB = re.compile(r"https?://[^\s<>\"]{1,900}")

THEATRICAL = 3
"""The release type of cinemas; others are premieres, discs, television."""


class TmdbMovie(TypedDict):
    """A film as lists show it. Image paths stand behind https://image.tmdb.org/t/p/{size}."""

    id: int
    title: str
    original_title: str
    original_language: str | None
    overview: str
    release_date: date | None
    popularity: float
    vote_average: float
    """From 0 to 10; 0 without votes."""
    vote_count: int
    genre_ids: list[int]
    poster_path: str | None
    backdrop_path: str | None
    adult: bool


class TmdbPage(TypedDict):
    """A page of 20, or fewer where TMDB sent bad ones. `total_pages` is at most 500."""

    page: int
    total_pages: int
    total_results: int
    results: list[TmdbMovie]


class TmdbGenre(TypedDict):
    """A genre by TMDB's number and its name in the language that was asked for."""

    id: int
    name: str


class TmdbCollection(TypedDict):
    """The series of films that one belongs to."""

    id: int
    name: str
    poster_path: str | None
    backdrop_path: str | None


class TmdbDetails(TmdbMovie):
    """All that we use of one film."""

    genres: list[TmdbGenre]
    runtime_minutes: int | None
    tagline: str
    status: str
    homepage: str | None
    imdb_id: str | None
    wikidata_id: str | None
    budget_usd: int | None
    revenue_usd: int | None
    collection: TmdbCollection | None
    studios: list[str]
    production_countries: list[str]
    """ISO 3166-1 codes, two letters."""
    spoken_languages: list[str]
    """ISO 639-1 codes, two letters."""
    certifications: dict[str, str]
    """The age rating by country, e.g. `{"US": "R"}`; that of the cinemas if there are several."""


class Tmdb:
    """TMDB with one key. Every method raises Unavailable or TimedOut when TMDB does not serve."""

    def __init__(
        self,
        key: str,
        base_url: str = BASE_URL,
        *,
        timeout: float = 5.0,
        timing: Timing | None = None,
        log: FilteringBoundLogger | None = None,
    ) -> None:
        """Take a v3 API key or a v4 read access token, which is a JWT. `timeout` is in seconds."""
        self._log: FilteringBoundLogger = log or structlog.get_logger()
        token = key.startswith("eyJ")
        self._upstream = Upstream(
            "tmdb",
            base_url,
            connect_timeout=min(3.0, timeout),
            read_timeout=timeout,
            headers={"Authorization": f"Bearer {key}"} if token else {},
            query={} if token else {"api_key": key},
            secrets=(key,),
            timing=timing or Timing(),
            log=self._log,
        )

    def popular(self, page: int = 1, language: str = "en-US") -> TmdbPage:
        """List the films that are popular now, 20 a page. Raises Invalid if page > 500."""
        return self._upstream.get(
            "/movie/popular", {"page": _shown(page), "language": language}, read=self._page
        )

    def search_movies(
        self, query: str, page: int = 1, year: int | None = None, language: str = "en-US"
    ) -> TmdbPage:
        """List the films with these words in a title, the likeliest first, 20 a page.

        `year` is that of the first release. Raises Invalid if page > 500 or there are no words.
        """
        if not query.strip():
            raise Invalid.value("query", "query", "There is nothing to search for.")
        words = {"query": query, "include_adult": "false", "language": language}
        when = {} if year is None else {"primary_release_year": year}
        return self._upstream.get(
            "/search/movie", {**words, **when, "page": _shown(page)}, read=self._page
        )

    def movie(self, tmdb_id: int, language: str = "en-US") -> TmdbDetails | None:
        """Return one film, or None if TMDB has none of this id."""
        if not 1 <= tmdb_id <= LARGEST_ID:
            return None

        def read(value: object) -> TmdbDetails:
            details = _details(Fields(value, "movie"))
            if details["id"] != tmdb_id:
                raise Malformed("movie.id is not the one that was asked for")
            return details

        query = {"language": language, "append_to_response": "release_dates,external_ids"}
        try:
            return self._upstream.get(f"/movie/{tmdb_id}", query, read=read)
        except UpstreamNotFound:
            return None

    def _page(self, value: object) -> TmdbPage:
        fields = Fields(value, "page")
        return {
            "page": fields.identifier("page"),
            "total_pages": min(fields.count("total_pages"), LAST_PAGE),
            "total_results": fields.count("total_results"),
            "results": self._movies(fields.items("results")),
        }

    def _movies(self, items: list[object]) -> list[TmdbMovie]:
        """Read what can be read, each film once. Raises Malformed if there is nothing good."""
        films: dict[int, TmdbMovie] = {}
        for index, item in enumerate(items):
            try:
                film = _movie(Fields(item, f"results[{index}]"))
            except Malformed as error:
                self._log.warning("upstream_item_skipped", upstream="tmdb", error=str(error))
            else:
                films.setdefault(film["id"], film)
        if items and not films:
            raise Malformed("results has no good item")
        return list(films.values())


def _shown(page: int) -> int:
    if not 1 <= page <= LAST_PAGE:
        raise Invalid.value("query", "page", f"TMDB shows the pages from 1 to {LAST_PAGE} only.")
    return page


def _movie(fields: Fields) -> TmdbMovie:
    title = fields.some_text("title", LONGEST_TITLE)
    return {
        "id": fields.identifier("id", LARGEST_ID),
        "title": title,
        "original_title": fields.text("original_title", LONGEST_TITLE) or title,
        "original_language": fields.matching("original_language", LANGUAGE),
        "overview": fields.text("overview", LONGEST_TEXT),
        "release_date": fields.day("release_date"),
        "popularity": fields.number("popularity", largest=1e9),
        "vote_average": fields.number("vote_average", largest=10),
        "vote_count": fields.count("vote_count"),
        "genre_ids": fields.identifiers("genre_ids"),
        "poster_path": fields.matching("poster_path", IMAGE),
        "backdrop_path": fields.matching("backdrop_path", IMAGE),
        "adult": fields.flag("adult"),
    }


def _details(fields: Fields) -> TmdbDetails:
    genres: list[TmdbGenre] = [
        {"id": genre.identifier("id"), "name": genre.some_text("name", LONGEST_NAME)}
        for genre in fields.inners("genres")
    ]
    external = fields.inner("external_ids") or Fields({}, "external_ids")
    companies = fields.inners("production_companies")
    return {
        **_movie(fields),
        # The details have `genres` where the lists have `genre_ids`.
        "genre_ids": [genre["id"] for genre in genres],
        "genres": genres,
        "runtime_minutes": fields.count("runtime") or None,
        "tagline": fields.text("tagline", LONGEST_TITLE),
        "status": fields.text("status", LONGEST_NAME),
        "homepage": fields.matching("homepage", WEB),
        "imdb_id": fields.matching("imdb_id", IMDB_ID) or external.matching("imdb_id", IMDB_ID),
        "wikidata_id": external.matching("wikidata_id", WIKIDATA_ID),
        "budget_usd": fields.count("budget") or None,
        "revenue_usd": fields.count("revenue") or None,
        "collection": _collection(fields.inner("belongs_to_collection")),
        "studios": [company.some_text("name", LONGEST_NAME) for company in companies],
        "production_countries": _codes(fields, "production_countries", "iso_3166_1", COUNTRY),
        "spoken_languages": _codes(fields, "spoken_languages", "iso_639_1", LANGUAGE),
        "certifications": _certifications(fields.inner("release_dates")),
    }


def _collection(fields: Fields | None) -> TmdbCollection | None:
    if fields is None:
        return None
    return {
        "id": fields.identifier("id", LARGEST_ID),
        "name": fields.some_text("name", LONGEST_TITLE),
        "poster_path": fields.matching("poster_path", IMAGE),
        "backdrop_path": fields.matching("backdrop_path", IMAGE),
    }


def _codes(fields: Fields, name: str, code: str, form: re.Pattern[str]) -> list[str]:
    codes = [item.matching(code, form) for item in fields.inners(name)]
    return [found for found in codes if found]


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
