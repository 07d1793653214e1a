"""Where lists and details of series come from, as `movies.sources` for films."""

from typing import Any, Protocol

from sqlalchemy import select

from marquee.catalogue.images.addresses import poster_url
from marquee.catalogue.metadata import columns, parts, saving
from marquee.catalogue.movies.sources import (
    Listing,
    client,
    imported,
    page_of,
    titled,
    waited_for,
)
from marquee.catalogue.tvshows.models import Episode, Season, TVShow
from marquee.db import session
from marquee.services.tmdb import Tmdb, TmdbEpisode, TmdbShowPage

LISTED = (
    *(TVShow.id, TVShow.tmdb_id, TVShow.title, TVShow.original_title, TVShow.original_language),
    *(TVShow.year, TVShow.first_air_date, TVShow.overview, TVShow.genres, TVShow.popularity),
    *(TVShow.vote_average, TVShow.vote_count, TVShow.poster_path, TVShow.backdrop_path),
    poster_url(TVShow),
)


class Source(Protocol):
    """What a source of series can do. Raises Unavailable or TimedOut when it does not serve."""

    def search(self, query: str, page: int, year: int | None, language: str) -> Listing:
        """The series with these words in a title, of this year, told in a language."""

    def tvshow(self, tmdb_id: int) -> TVShow | None:
        """A series by its TMDB id; None where there is none."""

    def season(self, show: TVShow, season_number: int) -> Season | None:
        """A season of a series that has a TMDB id; None where there is none."""

    def episode(
        self, show: TVShow, season_number: int, episode_number: int
    ) -> tuple[Episode, TmdbEpisode | None] | None:
        """An episode, and what TMDB says of it beside; None where there is none."""

    def recommended(self, tmdb_id: int, page: int) -> Listing | None:
        """The series for those who like one; None where nobody recommends any."""


class Catalogue:
    """The catalogue by itself."""

    def search(self, query: str, page: int, year: int | None, language: str) -> Listing:  # noqa: ARG002
        """By the words of the title, as it is stored; the popular first."""
        return page_of(TVShow, LISTED, page, titled(TVShow, query, year))

    def tvshow(self, tmdb_id: int) -> TVShow | None:
        """What the catalogue has under this id."""
        return known(tmdb_id)

    def season(self, show: TVShow, season_number: int) -> Season | None:
        """What the catalogue has."""
        return saving.season_of(show.id, season_number)

    def episode(
        self, show: TVShow, season_number: int, episode_number: int
    ) -> tuple[Episode, None] | None:
        """What the catalogue has."""
        episode = _episode(show.id, season_number, episode_number)
        return None if episode is None else (episode, None)

    def recommended(self, tmdb_id: int, page: int) -> None:  # noqa: ARG002
        """It recommends nothing by itself."""
        return


class ByTmdb:
    """TMDB, imported into the catalogue."""

    def __init__(self, tmdb: Tmdb) -> None:
        self._tmdb = tmdb

    def search(self, query: str, page: int, year: int | None, language: str) -> Listing:
        """TMDB's own search, in its order."""
        found = waited_for(self._tmdb).search_tvshows(query, page, year, language)
        return self._imported(found, language)

    def tvshow(self, tmdb_id: int) -> TVShow | None:
        """TMDB's details."""
        details = waited_for(self._tmdb).tvshow(tmdb_id)
        if details is None:
            return None
        tvshow_id = saving.save_tvshow(details)
        return session.get(TVShow, tvshow_id, populate_existing=True)

    def season(self, show: TVShow, season_number: int) -> Season | None:
        """TMDB's season, with all its episodes."""
        season = waited_for(self._tmdb).season(show.tmdb_id or 0, season_number)
        if season is None:
            return None
        saving.save_season(show.id, season)
        return saving.season_of(show.id, season_number)

    def episode(
        self, show: TVShow, season_number: int, episode_number: int
    ) -> tuple[Episode, TmdbEpisode] | None:
        """TMDB's episode; of a season that the catalogue lacks, all of them are imported."""
        tmdb = waited_for(self._tmdb)
        said = tmdb.episode(show.tmdb_id or 0, season_number, episode_number)
        if said is None:
            return None
        if saving.season_of(show.id, season_number) is None:
            self.season(show, season_number)
        saving.save_episode(show.id, said)
        parts.save_people(columns.people(*said["crew"], *said["guest_stars"]))
        episode = _episode(show.id, season_number, episode_number)
        return None if episode is None else (episode, said)

    def recommended(self, tmdb_id: int, page: int) -> Listing | None:
        """What TMDB recommends, in its order."""
        found = waited_for(self._tmdb).recommended_tvshows(tmdb_id, page)
        return None if found is None else self._imported(found)

    @staticmethod
    def _imported(listing: TmdbShowPage, language: str = "en-US") -> Listing:
        shows = map(columns.listed_tvshow, listing["results"])
        return imported(TVShow, LISTED, listing, shows, language)


def source() -> Source:
    """The source that the settings ask for."""
    tmdb = client()
    return Catalogue() if tmdb is None else ByTmdb(tmdb)


def recommended(tmdb_id: int, page: int = 1) -> Listing | None:
    """The series that TMDB recommends to those who like one, as `movies.sources.recommended`."""
    return source().recommended(tmdb_id, page)


def known(tmdb_id: int) -> TVShow | None:
    """The series that the catalogue has under this id of TMDB."""
    show: TVShow | None = session.scalar(select(TVShow).where(TVShow.tmdb_id == tmdb_id))
    return show


def _episode(tvshow_id: int, season_number: int, episode_number: int) -> Episode | None:
    query: Any = select(Episode).where(
        Episode.tvshow_id == tvshow_id,
        Episode.season_number == season_number,
        Episode.episode_number == episode_number,
    )
    episode: Episode | None = session.scalar(query.execution_options(populate_existing=True))
    return episode
