"""The calls to TMDB."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import structlog
from structlog.typing import FilteringBoundLogger

from marquee.errors import Invalid
from marquee.services.fields import Fields, Malformed
from marquee.services.http import Timing, Upstream, UpstreamNotFound
from marquee.services.tmdb import films, people, series
from marquee.services.tmdb.reading import IMDB_ID, LARGEST_ID
from marquee.services.tmdb.shapes import (
    TmdbDetails,
    TmdbEpisode,
    TmdbFound,
    TmdbPage,
    TmdbPerson,
    TmdbSeason,
    TmdbShowDetails,
    TmdbShowPage,
    TmdbWholeCollection,
)

BASE_URL = "https://api.themoviedb.org/3"
LAST_PAGE = 500
"""TMDB counts further, but refuses to show more."""
PICTURES = {"include_image_language": "en,null", "include_video_language": "en"}
"""Which pictures are appended: with English words, and without any."""

T = TypeVar("T")


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
            "/movie/popular", {"page": _shown(page), "language": language}, read=self._films
        )

    def search_movies(
        self, query: str, page: int = 1, year: int | None = None, language: str = "en-US"
    ) -> TmdbPage:
        """List the films with these words in a title, the likeliest first, 20 a page.

        `year` is that of the first release. Raises Invalid if page > 500 or there are no words.
        """
        when = {} if year is None else {"primary_release_year": year}
        return self._upstream.get(
            "/search/movie", _sought(query, page, language) | when, read=self._films
        )

    def discover_movies(self, wanted: Mapping[str, str | int], page: int = 1) -> TmdbPage:
        """List the films that pass filters, 20 a page. `wanted` are parameters of TMDB's own
        `/discover/movie`, e.g. `{"with_genres": "53|9648", "sort_by": "popularity.desc"}`.

        Raises Invalid if page > 500.
        """
        query = {"include_adult": "false", "language": "en-US", **wanted, "page": _shown(page)}
        return self._upstream.get("/discover/movie", query, read=self._films)

    def search_tvshows(
        self, query: str, page: int = 1, year: int | None = None, language: str = "en-US"
    ) -> TmdbShowPage:
        """List the series with these words in a title, as `search_movies`. `year` is that of the
        first episode.
        """
        when = {} if year is None else {"first_air_date_year": year}
        return self._upstream.get(
            "/search/tv", _sought(query, page, language) | when, read=self._shows
        )

    def movie(self, tmdb_id: int, language: str = "en-US") -> TmdbDetails | None:
        """Return one film, or None if TMDB has none of this id."""
        query = {"language": language, "append_to_response": films.APPENDED, **PICTURES}
        return self._one("movie", tmdb_id, query, films.details_of)

    def tvshow(self, tmdb_id: int, language: str = "en-US") -> TmdbShowDetails | None:
        """Return one series, or None if TMDB has none of this id."""
        query = {"language": language, "append_to_response": series.APPENDED, **PICTURES}
        return self._one("tv", tmdb_id, query, series.details_of)

    def season(
        self, tmdb_id: int, season_number: int, language: str = "en-US"
    ) -> TmdbSeason | None:
        """Return a season of a series with its episodes, or None if TMDB has none."""

        def read(value: object) -> TmdbSeason:
            season = series.season_of(Fields(value, "season", self._skip))
            if season["season_number"] != season_number:
                raise Malformed("season.season_number is not the one that was asked for")
            return season

        path = f"/tv/{tmdb_id}/season/{season_number}"
        return self._known(tmdb_id, path, {"language": language}, read)

    def episode(
        self, tmdb_id: int, season_number: int, episode_number: int, language: str = "en-US"
    ) -> TmdbEpisode | None:
        """Return an episode with its crew and guests, or None if TMDB has none."""

        def read(value: object) -> TmdbEpisode:
            episode = series.episode_of(Fields(value, "episode", self._skip))
            if (episode["season_number"], episode["episode_number"]) != wanted:
                raise Malformed("episode.episode_number is not the one that was asked for")
            return episode

        wanted = (season_number, episode_number)
        path = f"/tv/{tmdb_id}/season/{season_number}/episode/{episode_number}"
        return self._known(tmdb_id, path, {"language": language}, read)

    def recommended_movies(self, tmdb_id: int, page: int = 1) -> TmdbPage | None:
        """List the films that TMDB recommends to those who like one, 20 a page; None if TMDB does
        not know that one.
        """
        return self._known(
            tmdb_id,
            f"/movie/{tmdb_id}/recommendations",
            {"page": _shown(page), "language": "en-US"},
            self._films,
        )

    def recommended_tvshows(self, tmdb_id: int, page: int = 1) -> TmdbShowPage | None:
        """List the series that TMDB recommends to those who like one, as `recommended_movies`."""
        return self._known(
            tmdb_id,
            f"/tv/{tmdb_id}/recommendations",
            {"page": _shown(page), "language": "en-US"},
            self._shows,
        )

    def collection(self, tmdb_id: int, language: str = "en-US") -> TmdbWholeCollection | None:
        """Return a collection with its films, or None if TMDB has none of this id."""
        return self._one("collection", tmdb_id, {"language": language}, films.whole_collection_of)

    def person(self, tmdb_id: int, language: str = "en-US") -> TmdbPerson | None:
        """Return a person, or None if TMDB has none of this id."""
        query = {"language": language, "append_to_response": people.APPENDED}
        return self._one("person", tmdb_id, query, people.person_of)

    def find(self, imdb_id: str) -> TmdbFound:
        """Return what TMDB calls the title that IMDb calls `tt0137523`."""
        if not IMDB_ID.fullmatch(imdb_id):
            return {"movie_id": None, "tvshow_id": None}

        def read(value: object) -> TmdbFound:
            fields = Fields(value, "found", self._skip)

            def first(name: str) -> int | None:
                ids = fields.each(name, lambda each: each.identifier("id", LARGEST_ID))
                return ids[0] if ids else None

            return {"movie_id": first("movie_results"), "tvshow_id": first("tv_results")}

        return self._upstream.get(f"/find/{imdb_id}", {"external_source": "imdb_id"}, read=read)

    def _one(
        self, kind: str, tmdb_id: int, query: dict[str, str], read: Callable[[Fields], T]
    ) -> T | None:
        """One thing by its id; what has another id is none."""

        def checked(value: object) -> T:
            fields = Fields(value, kind, self._skip)
            found = read(fields)
            if fields.identifier("id") != tmdb_id:
                raise Malformed(f"{kind}.id is not the one that was asked for")
            return found

        return self._known(tmdb_id, f"/{kind}/{tmdb_id}", query, checked)

    def _known(
        self, tmdb_id: int, path: str, query: dict[str, Any], read: Callable[[object], T]
    ) -> T | None:
        if not 1 <= tmdb_id <= LARGEST_ID:
            return None
        try:
            return self._upstream.get(path, query, read=read)
        except UpstreamNotFound:
            return None

    def _films(self, value: object) -> TmdbPage:
        page: TmdbPage = self._page(value, films.movie_of)
        return page

    def _shows(self, value: object) -> TmdbShowPage:
        page: TmdbShowPage = self._page(value, series.show_of)
        return page

    def _page(self, value: object, read: Callable[[Fields], Any]) -> Any:  # noqa: ANN401 - of either
        fields = Fields(value, "page")
        return {
            "page": fields.identifier("page"),
            "total_pages": min(fields.count("total_pages"), LAST_PAGE),
            "total_results": fields.count("total_results"),
            "results": self._good(fields.items("results"), read),
        }

    def _good(self, items: list[object], read: Callable[[Fields], Any]) -> list[Any]:
        """Read what can be read, each title once. Raises Malformed if there is nothing good."""
        titles: dict[int, Any] = {}
        for index, item in enumerate(items):
            try:
                title = read(Fields(item, f"results[{index}]"))
            except Malformed as error:
                self._skip(error)
            else:
                titles.setdefault(title["id"], title)
        if items and not titles:
            raise Malformed("results has no good item")
        return list(titles.values())

    def _skip(self, error: Malformed) -> None:
        self._log.warning("upstream_item_skipped", upstream="tmdb", error=str(error))


def _shown(page: int) -> int:
    if not 1 <= page <= LAST_PAGE:
        raise Invalid.value("query", "page", f"TMDB shows the pages from 1 to {LAST_PAGE} only.")
    return page


def _sought(query: str, page: int, language: str) -> dict[str, str | int]:
    if not query.strip():
        raise Invalid.value("query", "query", "There is nothing to search for.")
    words = {"query": query, "include_adult": "false", "language": language}
    return {**words, "page": _shown(page)}
